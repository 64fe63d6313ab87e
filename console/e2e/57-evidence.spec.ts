/**
 * The audit log is sealed while one looks, and its proof can be taken along and verified.
 * Proves AUD-4 in the browser.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "@playwright/test";
import { organizationOf } from "./support/api";
import { expect, freshBrowser, inspect, signIn, test } from "./support/browser";

test.describe.configure({ mode: "serial" });

const nora = {
  name: "Nora Lindqvist",
  email: "nora@ledger.example",
  password: "Cobalt-window 83 larks",
};
const place = "/o/ledger-works/evidence";

let page: Page;

test.beforeAll(async ({ browser }) => {
  page = await freshBrowser(browser);
});

test.afterAll(async () => {
  await page.context().close();
});

test("the log is sealed within seconds, and the page says so", async () => {
  await organizationOf("Ledger Works", nora);
  await signIn(page, nora);
  await page.goto(place);
  await expect(page.getByRole("heading", { name: "Evidence", level: 1 })).toBeVisible();
  await expect(page.getByText(/^Number \d+$/)).toBeVisible({ timeout: 60_000 });
  await expect(page.getByRole("row").nth(1)).toBeVisible();
  await inspect(page, "evidence");
});

test("what is taken along is verified without the server", async () => {
  const folder = mkdtempSync(join(tmpdir(), "evidence-"));
  const take = async (name: string) => {
    const coming = page.waitForEvent("download");
    await page.getByRole("button", { name: `Download ${name}` }).click();
    const file = join(folder, name);
    await (await coming).saveAs(file);
    return file;
  };
  const evidence = await take("audit-evidence.jsonl");
  const checkpoint = await take("audit-checkpoint.jsonl");
  const keys = await take("signature-keys.json");
  const binary = process.env.FREEHOLD_BINARY ?? "";
  const said = execFileSync(
    binary,
    ["audit", "verify", evidence, "--key", keys, "--anchor", checkpoint],
    { env: {}, cwd: folder, encoding: "utf8" },
  );
  expect(said).toContain("Verified");
});
