/**
 * Other people's sessions, ended one by one and all at once, and the keys that sign their tokens.
 * Proves CON-1, SES-3, SES-5 in the browser.
 */
import type { Locator, Page } from "@playwright/test";
import { organizationOf } from "./support/api";
import { expect, freshBrowser, inspect, provenIfAsked, signIn, test } from "./support/browser";
import { ada, type Person } from "./support/people";

const iris: Person = {
  name: "Iris Halloran",
  email: "iris.halloran@tidal.example",
  password: "Lantern-meadow 61 kites",
};
const mills = { name: "Tidal Mills", slug: "tidal-mills" };
const phone =
  "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1";

test.describe.configure({ mode: "serial" });
test.setTimeout(180_000);

let admin: Page;
let other: Page;

/** Opens a page, switching to the organisation that it belongs to when one is in another. */
async function visit(path: string, there: Locator): Promise<void> {
  await admin.goto(path);
  const goThere = admin.getByRole("button", { name: /^Switch to / });
  await expect(goThere.or(there).first()).toBeVisible();
  if (await goThere.first().isVisible()) await goThere.first().click();
  await expect(there).toBeVisible();
}

async function isOut(page: Page): Promise<void> {
  await page.goto("/account");
  await expect(page).toHaveURL(/\/sign-in/);
}

test.beforeAll(async ({ browser }) => {
  await organizationOf(mills.name, iris);
  admin = await freshBrowser(browser);
  await signIn(admin, ada);
  other = await freshBrowser(browser, { userAgent: phone });
  await signIn(other, iris);
});

test.afterAll(async () => {
  await admin.context().close();
  await other.context().close();
});

test("an admin sees where a member is signed in here, and ends one session", async () => {
  const row = admin.getByRole("link", { name: iris.name });
  await visit(`/o/${mills.slug}/members`, row);
  await row.click();
  const drawer = admin.getByRole("dialog", { name: iris.name });
  const sessions = drawer.getByRole("list", { name: "Sessions here" });
  await expect(sessions.getByText("Safari on iPhone")).toBeVisible();
  // The organisation does not manage her account, so where she is is hers.
  await expect(sessions).not.toContainText("127.0.0.1");
  await expect(drawer.getByText(/only to the organisation that manages/)).toBeVisible();
  await inspect(admin, "member-sessions");
  await drawer.getByRole("button", { name: "End the session on Safari on iPhone" }).click();
  const dialog = admin.getByRole("dialog", { name: `End this session of ${iris.name}?` });
  await dialog.getByRole("button", { name: "End session" }).click();
  await expect(sessions.getByText("Safari on iPhone")).toBeHidden();
  await isOut(other);
  await admin.keyboard.press("Escape");
});

test("signs everybody in the organisation out, and stays", async () => {
  await signIn(other, iris);
  await visit(
    `/o/${mills.slug}/security`,
    admin.getByRole("heading", { level: 2, name: "Sign everybody out" }),
  );
  await admin.getByRole("button", { name: "Sign everybody out…" }).click();
  const dialog = admin.getByRole("dialog", { name: `End every session in ${mills.name}?` });
  await expect(dialog.getByLabel("Keep me signed in here")).toBeChecked();
  await inspect(admin, "security-end-sessions");
  await dialog.getByRole("button", { name: "End all sessions" }).click();
  await provenIfAsked(admin, ada, admin.getByText(/sessions? (was|were) ended/));
  await isOut(other);
  await admin.reload();
  await expect(admin.getByRole("heading", { level: 2, name: "Sign everybody out" })).toBeVisible();
});

test("the platform sees all sessions of an account, and ends a tenant's", async () => {
  await signIn(other, iris);
  await visit("/platform/accounts", admin.getByRole("link", { name: iris.name }));
  await admin.getByRole("link", { name: iris.name }).click();
  const drawer = admin.getByRole("dialog", { name: iris.name });
  const sessions = drawer.getByRole("list", { name: "Sessions" });
  await expect(sessions.getByText("Safari on iPhone")).toBeVisible();
  await expect(sessions).toContainText("127.0.0.1");
  await inspect(admin, "account-sessions");
  await drawer.getByRole("button", { name: "End the session on Safari on iPhone" }).click();
  const one = admin.getByRole("dialog", { name: `End this session of ${iris.name}?` });
  await one.getByRole("button", { name: "End session" }).click();
  await expect(drawer.getByText("Not signed in at the moment.")).toBeVisible();
  await isOut(other);

  await signIn(other, iris);
  await visit("/platform/organizations", admin.getByText(mills.slug));
  await admin.getByRole("button", { name: `Actions for ${mills.name}` }).click();
  await admin.getByRole("menuitem", { name: "End all sessions…" }).click();
  const all = admin.getByRole("dialog", { name: `End every session in ${mills.name}?` });
  await all.getByRole("button", { name: "End all sessions" }).click();
  await provenIfAsked(admin, ada, admin.getByText(/sessions? (was|were) ended/));
  await isOut(other);
});

test("everybody's sessions end after the words were typed", async () => {
  await signIn(other, iris);
  const heading = admin.getByRole("heading", { level: 2, name: "Sign everybody out" });
  await visit("/platform/settings", heading);
  await admin.getByRole("button", { name: "Sign everybody out…" }).click();
  const dialog = admin.getByRole("dialog", { name: "End everybody's sessions?" });
  await expect(dialog.getByRole("button", { name: "End all sessions" })).toBeDisabled();
  await dialog.getByLabel("Type sign everybody out to confirm").fill("sign everybody out");
  await inspect(admin, "platform-end-sessions");
  await dialog.getByRole("button", { name: "End all sessions" }).click();
  await provenIfAsked(admin, ada, admin.getByText(/sessions? (was|were) ended/));
  await isOut(other);
  await admin.reload();
  await expect(heading).toBeVisible();
});

test("a new signing key, in good order and because one has leaked", async () => {
  const heading = admin.getByRole("heading", { level: 2, name: "Signing keys" });
  await visit("/platform/keys", heading);
  const table = admin.getByRole("table", { name: "Signing keys" });
  await expect(table.getByText("Signs", { exact: true })).toHaveCount(1);
  await admin.getByRole("button", { name: "New signing key…" }).click();
  const dialog = admin.getByRole("dialog", { name: "Make a new signing key?" });
  await expect(dialog.getByRole("radio", { name: "They stay good" })).toBeChecked();
  await dialog.getByLabel("Reason").fill("Before the audit");
  await inspect(admin, "signing-key-new");
  await dialog.getByRole("button", { name: "Make new key" }).click();
  await provenIfAsked(admin, ada, table.getByText("Published, signs soon"));
  await expect(dialog).toBeHidden();

  await admin.getByRole("button", { name: "New signing key…" }).click();
  await expect(dialog.getByRole("radio", { name: "They stay good" })).toBeDisabled();
  await dialog.getByRole("radio", { name: "Distrust them now" }).check();
  await dialog.getByLabel("Type distrust to confirm").fill("distrust");
  await inspect(admin, "signing-key-distrust");
  await dialog.getByRole("button", { name: "Distrust old keys" }).click();
  await provenIfAsked(admin, ada, table.getByText("Distrusted").first());
  // Their own token was void with the others; the session went on by itself.
  await expect(table.getByText("Distrusted")).toHaveCount(2);
  await expect(table.getByText("Signs", { exact: true })).toHaveCount(1);
  await inspect(admin, "signing-keys");
});
