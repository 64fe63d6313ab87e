/**
 * The record is found and taken out: filters that can be sent to a colleague, what an entry changed,
 * files in four formats, and what each event means. Proves AUD-1, AUD-3 in the browser.
 */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import type { Page } from "@playwright/test";
import { giveRole, join, makeTeam, organizationOf, recordsOfItsOwn } from "./support/api";
import { expect, freshBrowser, inspect, signIn, test } from "./support/browser";

test.describe.configure({ mode: "serial" });

const rolf = {
  name: "Rolf Lindqvist",
  email: "rolf@record.example",
  password: "Copper-ladder 47 moons",
};
const mira = {
  name: "Mira Osei",
  email: "mira@record.example",
  password: "Velvet-anchor 83 pines",
};
const sina = {
  name: "Sina Albers",
  email: "sina@shop.example",
  password: "Marble-orchard 29 lamps",
};
const place = "/o/record-works/audit";

let reader: Page;

const row = (text: string | RegExp) => reader.getByRole("row", { name: text });

test.beforeAll(async ({ browser }) => {
  reader = await freshBrowser(browser);
});

test.afterAll(async () => {
  await reader.context().close();
});

test("every filter is in the address", async () => {
  const { id } = await organizationOf("Record Works", rolf);
  await join(id, mira, "member");
  await giveRole(id, mira.email, "manager");
  await makeTeam(id, "Archive");
  await signIn(reader, rolf);
  await reader.goto(`${place}?kind=team`);
  await expect(row(/Team created/)).toBeVisible();
  await expect(row(/Role changed/)).toHaveCount(0);
  await reader.goto(`${place}?least=medium&class=security`);
  await expect(row(/Role changed/)).toBeVisible();
  await expect(row(/Team created/)).toHaveCount(0);
  await inspect(reader, "record-filters");
});

test("an entry shows what it changed", async () => {
  await reader.getByRole("link", { name: "Role changed" }).first().click();
  const table = reader.getByRole("table", { name: "What changed" });
  await expect(table.getByRole("cell", { name: "member", exact: true })).toBeVisible();
  await expect(table.getByRole("cell", { name: "manager", exact: true })).toBeVisible();
  await inspect(reader, "record-differences");
  await reader.keyboard.press("Escape");
});

test("what was found leaves as a file that proves that it is whole", async () => {
  await reader.goto(`${place}?event=team.created`);
  await expect(row(/Team created/)).toBeVisible();
  await reader.getByRole("button", { name: "Export these" }).click();
  const [file] = await Promise.all([
    reader.waitForEvent("download"),
    reader.getByRole("menuitem", { name: /JSON lines/ }).click(),
  ]);
  await expect(reader.getByText("1 entry exported. The file is whole.")).toBeVisible();
  expect(file.suggestedFilename()).toMatch(/^audit-record-works-.*\.jsonl$/);
  const text = await readFile(await file.path(), "utf8");
  const lines = text.trimEnd().split("\n");
  const last = JSON.parse(lines.at(-1) ?? "");
  expect(lines.map((line) => JSON.parse(line).event)).toEqual([
    "team.created",
    "audit.export_ended",
  ]);
  const before = text.slice(0, text.lastIndexOf("\n", text.length - 2) + 1);
  expect(last.metadata.sha256).toBe(createHash("sha256").update(before).digest("hex"));
});

test("a file that breaks off is not passed off as one", async () => {
  await reader.route("**/audit/export?*", async (asked) => {
    const whole = await (await asked.fetch()).text();
    await asked.fulfill({ body: whole.slice(0, whole.trimEnd().lastIndexOf("\n") + 1) });
  });
  await reader.getByRole("button", { name: "Export these" }).click();
  await reader.getByRole("menuitem", { name: /CEF/ }).click();
  await expect(reader.getByRole("dialog").getByRole("alert")).toContainText("broke off");
  await inspect(reader, "record-cut");
  await reader.unroute("**/audit/export?*");
  await reader.getByRole("dialog").getByRole("button", { name: "Close" }).last().click();
});

test("the catalogue says what each event means", async () => {
  await reader.getByRole("link", { name: "What events mean" }).click();
  await expect(reader.getByRole("heading", { level: 1, name: "Events" })).toBeVisible();
  await inspect(reader, "record-catalog");
  await reader.getByRole("searchbox", { name: "Code or words" }).fill("account.blocked");
  await expect(row(/Account blocked/)).toBeVisible();
  await expect(row(/Team created/)).toHaveCount(0);
  await reader.getByRole("link", { name: "Account blocked" }).click();
  await expect(reader.getByRole("dialog").getByText("Personal", { exact: true })).toBeVisible();
  await inspect(reader, "record-catalog-entry");
  await reader.getByRole("link", { name: "Show such entries" }).click();
  await expect(reader).toHaveURL(/event=account\.blocked/);
});

test("what the product declares is in the catalogue, and in the log by its name", async () => {
  const organization = await organizationOf("Shop Works", sina);
  await recordsOfItsOwn(organization.id, "product.invoice_paid", "Invoice paid");
  await signIn(reader, sina);
  await reader.goto("/o/shop-works/audit/events?text=invoice+paid");
  await expect(row(/product\.invoice_paid/)).toContainText("Product");
  await reader.getByRole("link", { name: "Invoice paid" }).click();
  const details = reader.getByRole("dialog", { name: "Invoice paid" });
  await expect(details).toContainText("Your product, through the API");
  await expect(details).toContainText("How much, in cents.");
  await inspect(reader, "record-catalog-product");
  await details.getByRole("link", { name: "Show such entries" }).click();
  await expect(reader.getByRole("row", { name: /Invoice paid/ })).toHaveCount(1);
});
