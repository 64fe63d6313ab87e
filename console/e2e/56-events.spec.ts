/**
 * The audit log shows what happens while one looks at it, until one may not look any more.
 * Proves NET-12 in the browser.
 */
import { fileURLToPath } from "node:url";
import type { Page, WebSocketRoute } from "@playwright/test";
import { giveRole, makeTeam, organizationOf } from "./support/api";
import { expect, freshBrowser, inspect, signIn, test } from "./support/browser";

test.describe.configure({ mode: "serial" });

const iris = {
  name: "Iris Sandberg",
  email: "iris@watch.example",
  password: "Amber-window 61 birds",
};
const place = "/o/watch-works/audit";
const screenshots = fileURLToPath(new URL("screenshots/", import.meta.url));

let watcher: Page;
let watched = "";

const live = () => watcher.getByRole("switch", { name: "Live" });
const state = (text: string) => watcher.getByRole("status").filter({ hasText: text });
const row = (text: string | RegExp) => watcher.getByRole("row", { name: text });

test.beforeAll(async ({ browser }) => {
  watcher = await freshBrowser(browser);
});

test.afterAll(async () => {
  await watcher.context().close();
});

test("what others do appears on top while one watches", async () => {
  watched = (await organizationOf("Watch Works", iris)).id;
  await signIn(watcher, iris);
  await watcher.goto(place);
  await expect(row(/Invitation accepted/)).toBeVisible();
  await makeTeam(watched, "Before");
  await expect(row(/Team created/)).toHaveCount(0);
  await live().click();
  // What the switch says of itself under the pointer would lie over the page.
  await watcher.mouse.move(0, 0);
  await expect(live()).toBeChecked();
  await expect(state("Live")).toBeVisible();
  await expect(watcher).toHaveURL(/live=on/);
  await makeTeam(watched, "Night shift");
  await expect(row(/Team created/)).toBeVisible();
  await expect(watcher.locator("tbody tr").first()).toContainText("Team created");
  await expect(watcher.getByText(/^\d+ new entr(y|ies) in the audit log$/)).toBeAttached();
  await inspect(watcher, "audit-live");
});

test("only what fits the filters is shown, and nothing moves under a reader", async () => {
  await watcher.goto(`${place}?live=on&event=team.deleted`);
  await expect(state("Live")).toBeVisible();
  await makeTeam(watched, "Day shift");
  await watcher.waitForTimeout(1500);
  await expect(row(/Team created/)).toHaveCount(0);
  await watcher.goto(`${place}?live=on&text=created`);
  await expect(watcher.getByText("Paused", { exact: true })).toBeVisible();
  await expect(
    watcher.getByText("New entries are not shown while you search for words."),
  ).toBeAttached();
  await inspect(watcher, "audit-live-paused");

  await watcher.goto(`${place}?live=on`);
  await expect(state("Live")).toBeVisible();
  await watcher.setViewportSize({ width: 1360, height: 420 });
  await watcher.evaluate(() => window.scrollTo(0, document.body.scrollHeight));
  await makeTeam(watched, "Late shift");
  const held = watcher.getByRole("button", { name: /^Show \d+ new entr/ });
  await expect(held).toBeVisible();
  await watcher.screenshot({ path: `${screenshots}audit-live-held.png` });
  const before = await row(/Team created/).count();
  await held.click();
  await expect(held).toBeHidden();
  expect(await row(/Team created/).count()).toBeGreaterThan(before);
  await watcher.setViewportSize({ width: 1360, height: 860 });
});

test("the stream comes back by itself, with what came meanwhile", async () => {
  const lines: WebSocketRoute[] = [];
  await watcher.routeWebSocket(/\/v1\/events/, (line) => {
    line.connectToServer();
    lines.push(line);
  });
  await watcher.goto(`${place}?live=on&event=team.created`);
  await expect(state("Live")).toBeVisible();
  const before = await row(/Team created/).count();
  await lines[0]?.close({ code: 1001 });
  await expect(state("Reconnecting…")).toBeVisible();
  await makeTeam(watched, "Weekend shift");
  await expect(state("Live")).toBeVisible();
  await expect(row(/Team created/)).toHaveCount(before + 1);
  expect(lines.length).toBeGreaterThan(1);
  expect(lines.at(-1)?.url()).toContain("after=");
});

test("whoever may not look any more is told so at once", async () => {
  await watcher.goto(`${place}?live=on`);
  await expect(state("Live")).toBeVisible();
  await giveRole(watched, iris.email, "member");
  await expect(
    watcher.getByText("Your role does not allow this. It needs Admin or above."),
  ).toBeVisible();
  await expect(watcher.locator("table")).toHaveCount(0);
  await inspect(watcher, "audit-live-ended");
});
