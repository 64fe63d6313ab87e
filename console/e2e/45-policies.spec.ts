/**
 * The policy as evidence: what may be done and who holds what, now and then, what changed and by whom,
 * and the signed files that whoever gets them can verify. Proves CON-1, AZ-5 in the browser.
 */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { copyFile, mkdtemp, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Locator, Page } from "@playwright/test";
import { giveByTeam, giveRole, makeService, organizationOf, recorded } from "./support/api";
import { expect, freshBrowser, inspect, signIn, test } from "./support/browser";
import { otherPolicyComes, otherPolicyGoes } from "./support/database";
import { ada, type Person } from "./support/people";

const run = promisify(execFile);

const noor: Person = {
  name: "Noor Castellan",
  email: "noor.castellan@quay.example",
  password: "Ledger-harvest 58 winds",
};
const quay = { name: "Quay Assurance", slug: "quay-assurance" };
const place = `/o/${quay.slug}/policies`;

test.describe.configure({ mode: "serial" });
test.setTimeout(180_000);

let admin: Page;
let auditor: Page;
let organization: string;
/** When Noor was an owner still, to the second, in the browser's zone and as an instant. */
let then: Date;

/** Opens a page, switching to the organisation that it belongs to when one is in another. */
async function visit(page: Page, path: string, there: Locator): Promise<void> {
  await page.goto(path);
  const goThere = page.getByRole("button", { name: /^Switch to / });
  await expect(goThere.or(there).first()).toBeVisible();
  if (await goThere.first().isVisible()) await goThere.first().click();
  await expect(there).toBeVisible();
}

/** Waits until the clock shows another second, and says which. */
async function nextSecond(): Promise<Date> {
  const next = Math.ceil((Date.now() + 1) / 1_000) * 1_000;
  await new Promise((resolve) => setTimeout(resolve, next - Date.now() + 20));
  return new Date(next);
}

/** A moment as a field of the browsers, which are in Berlin, has it. */
function berlin(moment: Date): string {
  return moment.toLocaleString("sv-SE", { timeZone: "Europe/Berlin" }).replace(" ", "T");
}

function tab(page: Page, name: string): Locator {
  return page.getByRole("tab", { name });
}

function row(page: Page, name: string | RegExp): Locator {
  return page.getByRole("row").filter({ hasText: name });
}

/** The row of an operation, by its id. */
function operation(page: Page, id: string): Locator {
  return page.getByRole("row").filter({ has: page.getByText(id, { exact: true }) });
}

test.beforeAll(async ({ browser }) => {
  ({ id: organization } = await organizationOf(quay.name, noor));
  then = await nextSecond();
  await nextSecond();
  await giveRole(organization, noor.email, "member");
  admin = await freshBrowser(browser);
  await signIn(admin, ada);
  auditor = await freshBrowser(browser);
  await signIn(auditor, noor);
});

test.afterAll(async () => {
  await admin.context().close();
  await auditor.context().close();
});

test("whoever may not read the policy is told who may", async () => {
  await visit(auditor, place, auditor.getByRole("heading", { name: "You can't see this page" }));
  await expect(auditor.getByText("It needs Admin or above.", { exact: false })).toBeVisible();
  const navigation = auditor.getByRole("navigation", { name: "Main navigation" });
  await expect(navigation.getByRole("link", { name: "Policies" })).toBeHidden();
  await inspect(auditor, "policies-forbidden");
  await giveRole(organization, noor.email, "auditor");
  await giveByTeam(organization, noor.email, { name: "Night watch", role: "manager" });
  await makeService(organization, "Ledger sync", "admin");
});

test("an auditor sees what each role may do, and finds one operation", async () => {
  const remove = operation(auditor, "members_remove").getByRole("link");
  await visit(auditor, place, remove);
  await expect(auditor).toHaveTitle(`Policies · ${quay.name} · Freehold`);
  const cells = operation(auditor, "members_remove").getByRole("cell");
  await expect(cells).toHaveText([
    "Allowed",
    "Allowed",
    "Own only",
    "Own only",
    "Own only",
    "Allowed",
  ]);
  await expect(auditor.getByText("of the platform left out", { exact: false })).toBeVisible();
  // A part of it: axe takes a minute for the thousand cells of the whole.
  await auditor.getByRole("searchbox").fill("member");
  await expect(operation(auditor, "teams_list")).toBeHidden();
  await inspect(auditor, "policies-operations");

  await auditor.getByRole("searchbox").fill("members_remove");
  await expect(operation(auditor, "members_list")).toBeHidden();
  await remove.click();
  const drawer = auditor.getByRole("dialog");
  await expect(drawer).toContainText(
    "DELETE /v1/organizations/{organization_id}/members/{member_id}",
  );
  await expect(drawer).toContainText("member.removed");
  await expect(drawer).toContainText("Member and above, when the membership is their own");
  await expect(auditor).toHaveURL(/open=members_remove/);
  await inspect(auditor, "policies-operation");
  await drawer.getByRole("listitem").filter({ hasText: "Auditor" }).getByRole("link").click();
  await expect(tab(auditor, "Who holds what")).toHaveAttribute("aria-selected", "true");
  await expect(auditor.getByRole("link", { name: noor.name })).toBeVisible();
  await expect(auditor.getByRole("link", { name: ada.name })).toBeHidden();
});

test("one role alone, what it may and what it may not", async () => {
  await auditor.goto(`${place}?role=manager`);
  await expect(operation(auditor, "members_list")).toBeVisible();
  await expect(operation(auditor, "members_update")).toBeHidden();
  await auditor.goto(`${place}?role=manager&decision=deny`);
  await expect(operation(auditor, "members_update")).toBeVisible();
  await expect(operation(auditor, "members_list")).toBeHidden();
  await auditor.goto(`${place}?scope=platform`);
  await expect(operation(auditor, "accounts_block")).toBeVisible();

  // On a phone it is one role at a time, one's own first.
  await auditor.setViewportSize({ width: 375, height: 780 });
  await auditor.goto(place);
  await expect(auditor.getByRole("combobox", { name: "Role to show" })).toHaveValue("Manager");
  await expect(auditor.getByText("members_list", { exact: true })).toBeVisible();
  await expect(auditor.getByText("members_update", { exact: true })).toBeHidden();
  await auditor.setViewportSize({ width: 1360, height: 860 });
});

test("who holds what, where each role comes from, and since when", async () => {
  await auditor.goto(place);
  await tab(auditor, "Who holds what").click();
  const mine = row(auditor, noor.name);
  await expect(mine).toContainText("Auditor");
  await expect(mine).toContainText("By team Night watch");
  await expect(row(auditor, "Ledger sync")).toContainText("Does not sign in");
  await expect(row(auditor, ada.name)).toContainText("Owner");
  await inspect(auditor, "policies-holders");

  await auditor.getByRole("link", { name: noor.name }).click();
  const drawer = auditor.getByRole("dialog", { name: noor.name });
  await expect(drawer.getByRole("listitem").filter({ hasText: "Night watch" })).toContainText(
    `Given by ${ada.name}`,
  );
  await inspect(auditor, "policies-holder");
  await auditor.keyboard.press("Escape");
  await auditor.getByRole("searchbox").fill("night w");
  await expect(auditor.getByText("1 of 3 holders")).toBeVisible();
  await auditor.getByRole("searchbox").fill("nobody of that name");
  await expect(auditor.getByText("Nothing matches these filters")).toBeVisible();
});

test("the past is one choice away, and goes along to the other views", async () => {
  await auditor.goto(`${place}?tab=holders`);
  await auditor.getByRole("button", { name: "As it is now" }).click();
  const choice = auditor.getByRole("dialog", { name: "As it is now" });
  await expect(choice.getByRole("button", { name: "90 days ago" })).toHaveAttribute(
    "aria-disabled",
    "true",
  );
  await inspect(auditor, "policies-as-of");
  await choice.getByLabel("Date and time").fill(berlin(then));
  await choice.getByRole("button", { name: "Show" }).click();
  await expect(auditor.getByText("not as it is now", { exact: false })).toBeVisible();
  await expect(auditor).toHaveURL(/as_of=/);
  await expect(row(auditor, noor.name)).toContainText("Owner");
  await expect(row(auditor, "Ledger sync")).toBeHidden();
  await inspect(auditor, "policies-holders-past");
  await tab(auditor, "What may be done").click();
  await expect(auditor.getByText("not as it is now", { exact: false })).toBeVisible();
  await auditor.getByRole("button", { name: "Show the present" }).click();
  await expect(auditor).not.toHaveURL(/as_of=/);
});

test("a moment before the history began says since when it is kept", async () => {
  await auditor.goto(`${place}?tab=holders&as_of=2020-01-01T00:00:00Z`);
  await expect(auditor.getByText("The history does not go back that far")).toBeVisible();
  await expect(auditor.getByText("It is kept since", { exact: false })).toBeVisible();
  await inspect(auditor, "policies-before-history");
  await auditor.getByRole("button", { name: "Show the earliest moment" }).click();
  await expect(auditor.getByRole("link", { name: ada.name })).toBeVisible();

  await auditor.goto(`${place}?as_of=2099-01-01T00:00:00Z`);
  await expect(auditor.getByText("That moment is still to come")).toBeVisible();
  await auditor.goto(`${place}?tab=history&from=2020-01-01T00:00:00Z`);
  await auditor.getByRole("button", { name: "Compare since the history began" }).click();
  await expect(row(auditor, "Owner → Member")).toBeVisible();
  await auditor.goto(`${place}?as_of=yesterday`);
  await expect(auditor.getByText("This could not be loaded")).toBeVisible();
});

test("what changed, by whom, and its entry in the record", async () => {
  await auditor.goto(place);
  await expect(operation(auditor, "members_list")).toBeVisible();
  await tab(auditor, "History").click();
  await expect(row(auditor, "Owner → Member")).toContainText(ada.name);
  await expect(row(auditor, "Member → Auditor")).toContainText(noor.name);
  await expect(row(auditor, "Manager by team Night watch")).toContainText("Gained");
  await expect(row(auditor, "Made, as Admin")).toContainText("Ledger sync");
  await inspect(auditor, "policies-history");
  // The history is younger than that, as the export that was read has said.
  await expect(auditor.getByRole("button", { name: "Last 7 days" })).toHaveAttribute(
    "aria-disabled",
    "true",
  );
  await expect(row(auditor, "Became Owner").first()).toBeVisible();
  await auditor.getByLabel("From").fill(berlin(then));
  await auditor.getByRole("button", { name: "Compare" }).click();
  await expect(row(auditor, "Became Owner")).toHaveCount(0);
  await expect(row(auditor, "Owner → Member")).toBeVisible();
  await auditor.getByRole("button", { name: "Everything" }).click();
  await expect(row(auditor, "Became Owner").first()).toBeVisible();
  await auditor.getByRole("combobox", { name: "Change" }).click();
  await auditor.getByRole("option", { name: "Changed" }).click();
  await expect(row(auditor, "Made, as Admin")).toBeHidden();
  await row(auditor, "Member → Auditor").getByRole("link").click();
  await expect(auditor).toHaveURL(/\/audit\?open=/);
  await expect(auditor.getByRole("dialog")).toContainText("member.role_changed");
});

test("a release with another policy is told field by field, and can be looked back at", async () => {
  await otherPolicyComes();
  try {
    const moment = (await nextSecond()).toISOString();
    await auditor.goto(`${place}?tab=history&from=${then.toISOString()}&to=${moment}`);
    await expect(auditor.getByText("Revision 1 became revision 2")).toBeVisible();
    const items = auditor.getByRole("listitem");
    await expect(items.filter({ hasText: "teams_show" })).toBeVisible();
    await expect(items.filter({ hasText: "teams_get" })).toContainText("One team");
    const decision = row(auditor, "Decision for Manager");
    await expect(decision).toContainText("members_list");
    await expect(decision.getByRole("cell")).toContainText([/./, /./, "Allowed", "No"]);
    await expect(row(auditor, "Least role")).toContainText("admin");
    await inspect(auditor, "policies-revised");

    const managers = operation(auditor, "members_list").getByRole("cell").nth(2);
    await auditor.goto(`${place}?as_of=${moment}`);
    await expect(managers).toHaveText("No");
    // This release has no words for it.
    await expect(auditor.getByRole("link", { name: "teams_show" })).toBeVisible();
    await expect(auditor.getByText("0.2.0")).toBeVisible();
    await auditor.goto(place);
    await expect(managers).toHaveText("Allowed");
    await expect(auditor.getByRole("link", { name: "teams_show" })).toHaveCount(0);
  } finally {
    await otherPolicyGoes();
  }
});

/** Clicks a button that gives files, and keeps the one with this name. */
async function keep(page: Page, button: string | RegExp, folder: string, name: string) {
  const coming = page.waitForEvent("download");
  await page.getByRole("button", { name: button }).first().click();
  const file = await coming;
  expect(file.suggestedFilename()).toBe(name);
  await copyFile(await file.path(), join(folder, name));
}

test("the evidence is what was on the page, read once, and can be verified by anybody", async () => {
  const before = (await recorded(organization, "policy.exported")).length;
  await auditor.goto(`${place}?tab=evidence`);
  await expect(auditor.getByText("The signature fits, by this browser")).toBeVisible();
  await inspect(auditor, "policies-evidence");
  // Looking at every view of the moment is one read.
  for (const name of ["What may be done", "Who holds what", "History", "Evidence"]) {
    await tab(auditor, name).click();
  }
  const folder = await mkdtemp(join(tmpdir(), "freehold-evidence-"));
  await keep(auditor, "Download JSON: policies.json", folder, "policies.json");
  await keep(auditor, "Signature: policies.jws", folder, "policies.jws");
  await keep(auditor, "Public keys: signature-keys.json", folder, "signature-keys.json");
  await keep(auditor, "verify.sh", folder, "verify.sh");
  const entries = await recorded(organization, "policy.exported");
  expect(entries.length - before).toBe(1);
  const digest = createHash("sha256")
    .update(await readFile(join(folder, "policies.json")))
    .digest("hex");
  expect(JSON.stringify(entries[0])).toContain(digest);
  await expect(auditor.getByText(digest)).toBeVisible();

  // The command on the page is the one that says so.
  const command = "sh verify.sh policies.json policies.jws signature-keys.json";
  await expect(auditor.getByText(command)).toBeVisible();
  const published = new URL("../../policies/verify.sh", import.meta.url);
  expect(await readFile(join(folder, "verify.sh"), "utf8")).toBe(await readFile(published, "utf8"));
  const { stdout } = await run("sh", command.split(" ").slice(1), { cwd: folder });
  expect(stdout).toContain("verified: policies.json");

  await keep(auditor, /policies-holders\.csv/, folder, "policies-holders.csv");
  await keep(auditor, "Signature: policies-holders.jws", folder, "policies-holders.jws");
  const table = [
    "verify.sh",
    "policies-holders.csv",
    "policies-holders.jws",
    "signature-keys.json",
  ];
  expect((await run("sh", table, { cwd: folder })).stdout).toContain("verified");
  expect(await readFile(join(folder, "policies-holders.csv"), "utf8")).toContain("Night watch");
  await keep(auditor, /policies-operations\.csv/, folder, "policies-operations.csv");
  await expect(auditor.getByText("The signature fits, by this browser")).toHaveCount(3);
});

test("a document that was changed on its way is not taken for what was signed", async () => {
  await auditor.route("**/rbac/policies?*", async (route) => {
    const response = await route.fetch();
    const body = (await response.text()).replace('"auditor":"deny"', '"auditor":"allow"');
    await route.fulfill({ response, body });
  });
  await auditor.goto(`${place}?tab=evidence`);
  await expect(auditor.getByText("The signature does NOT fit")).toBeVisible();
  await inspect(auditor, "policies-evidence-changed");
  await auditor.unroute("**/rbac/policies?*");
});

test("the platform's administrators see the whole installation, people of tenants by their ids", async () => {
  await visit(admin, "/platform/policies?tab=holders", row(admin, "Platform admin").first());
  await expect(admin.getByRole("heading", { name: "Platform policies" })).toBeVisible();
  await expect(row(admin, "Platform admin")).toContainText(ada.name);
  await admin.getByRole("combobox", { name: "Holders in" }).fill("Quay");
  await admin.getByRole("option", { name: quay.name }).click();
  await expect(admin.getByText("3 holders", { exact: false }).first()).toBeVisible();
  await expect(admin.getByText(noor.name)).toBeHidden();
  await expect(row(admin, "Ledger sync")).toContainText(quay.name);
  await inspect(admin, "platform-policies-holders");
  await tab(admin, "What may be done").click();
  await expect(operation(admin, "accounts_block")).toBeVisible();
  await tab(admin, "History").click();
  await expect(row(admin, "Owner → Member")).toBeVisible();
  await inspect(admin, "platform-policies-history");
});
