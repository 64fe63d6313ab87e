/** Losing a second factor and getting back in through another mailbox. Proves MFA-7, CON-1. */
import type { Page } from "@playwright/test";
import { join, organizationOf, settings } from "./support/api";
import {
  expect,
  freshBrowser,
  inspect,
  provenIfAsked,
  signIn,
  stale,
  test,
} from "./support/browser";
import { linkTo } from "./support/mail";
import { ada } from "./support/people";
import { totp } from "./support/totp";

const mira = {
  name: "Mira Lindqvist",
  email: "mira.lindqvist@recovery.example",
  password: "Silver-meadow 73 kites",
};
const pavel = {
  name: "Pavel Orlov",
  email: "pavel.orlov@recovery.example",
  password: "Copper-lantern 58 reeds",
};
const mailbox = "orlov.at.home@mailbox.example";
let organization = "";
let key = "";

test.describe.configure({ mode: "serial" });
// Proofs get too old, and steps of half a minute pass.
test.slow();

test.beforeAll(async () => {
  organization = (await organizationOf("Recovery Works", mira)).id;
  await join(organization, pavel, "member");
});

const home = (page: Page) => page.getByRole("navigation", { name: "Main navigation" });
const section = (page: Page) =>
  page.locator("section").filter({ has: page.getByRole("heading", { name: "Recovery address" }) });

/** The password, and then that there is no second factor. */
async function lost(page: Page): Promise<void> {
  await page.context().clearCookies();
  await page.goto("/sign-in");
  await page.getByRole("textbox", { name: "E-mail" }).fill(pavel.email);
  await page.getByLabel(/^Password/).fill(pavel.password);
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  await page.getByRole("button", { name: "I can’t use my second factor" }).click();
}

test("without a recovery address only an administrator can help", async ({ page }) => {
  await signIn(page, pavel);
  await page.goto("/account");
  await page.getByRole("button", { name: "Set up an authenticator app" }).click();
  const qr = page.getByRole("img", { name: /^QR code for your authenticator app/ });
  await provenIfAsked(page, pavel, qr);
  key = await page.locator("code").first().innerText();
  await page.getByLabel(/^Code from your app/).fill(totp(key, -1));
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: "I have kept them" }).click();

  await lost(page);
  await inspect(page, "lost-factor");
  await page.getByRole("button", { name: "Ask for a recovery" }).click();
  await expect(page.getByRole("alert")).toContainText("You have no recovery address");
  await inspect(page, "lost-factor-no-address");
  await page.getByRole("button", { name: "Back to the code" }).click();
  await page.getByLabel(/^Code from your app/).fill(totp(key));
  await page.keyboard.press("Enter");
  await expect(home(page)).toBeVisible();

  await page.goto("/account");
  await expect(section(page).getByText("You have no recovery address")).toBeVisible();
  await section(page).getByRole("button", { name: "Set a recovery address" }).click();
  const dialog = page.getByRole("dialog", { name: "Set a recovery address" });
  await dialog.getByLabel(/^Recovery address/).fill(pavel.email);
  await dialog.getByRole("button", { name: "Send the link" }).click();
  await expect(dialog.getByText(/another address than that of the account/)).toBeVisible();
  await inspect(page, "recovery-address-dialog");
  await dialog.getByLabel(/^Recovery address/).fill(mailbox);
  await dialog.getByRole("button", { name: "Send the link" }).click();
  await expect(section(page).getByText("Waits to be confirmed")).toBeVisible();
  await inspect(page, "recovery-address-pending");
  await page.goto(await linkTo("recovery-address", mailbox));
  await inspect(page, "recovery-address-link");
  await page.getByRole("button", { name: "Confirm this address" }).click();
  await expect(section(page).getByText(mailbox)).toBeVisible();
  await expect(section(page).getByText("Confirmed", { exact: true })).toBeVisible();
});

test("whoever is told of a recovery stops it", async ({ page, browser }) => {
  // Somebody else has the password; Pavel is signed in elsewhere.
  await page.goto("/sign-in");
  await page.getByRole("textbox", { name: "E-mail" }).fill(pavel.email);
  await page.getByLabel(/^Password/).fill(pavel.password);
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  await page.getByLabel(/^Code from your app/).fill(totp(key, 1));
  await page.keyboard.press("Enter");
  await expect(home(page)).toBeVisible();
  const other = await freshBrowser(browser);
  await lost(other);
  await other.getByRole("button", { name: "Ask for a recovery" }).click();
  await expect(other.getByText("Look into your recovery mailbox")).toBeVisible();
  await inspect(other, "lost-factor-sent");
  await page.goto("/account");
  await expect(section(page).getByText("A recovery of your account was asked for")).toBeVisible();
  await inspect(page, "recovery-address-open");
  await section(page).getByRole("button", { name: "Stop the recovery" }).click();
  await expect(section(page).getByText("A recovery of your account was asked for")).toBeHidden();

  // By the link that every address was sent, without a session.
  await settings(organization, { mfa: { recovery_wait_hours: 24 } });
  const since = Date.now();
  await lost(other);
  await other.getByRole("button", { name: "Ask for a recovery" }).click();
  await expect(other.getByText("Your organisation wants you to wait")).toBeVisible();
  await inspect(other, "lost-factor-waiting");
  await other.goto(await linkTo("recovery", mailbox, since));
  await other.getByRole("button", { name: "Switch it off" }).click();
  await expect(other.getByRole("alert")).toContainText("This link does not work yet");
  await other.goto(await linkTo("recovery/stop", pavel.email, since));
  await inspect(other, "recovery-stop");
  await other.getByRole("button", { name: "Stop the recovery" }).click();
  await expect(other.getByRole("heading", { name: "The recovery was stopped" })).toBeVisible();
  await inspect(other, "recovery-stopped");
  await settings(organization, { mfa: { recovery_wait_hours: null } });
  await other.context().close();
});

test("an administrator approves, and the link switches the factor off", async ({
  page,
  browser,
}) => {
  await settings(organization, { mfa: { recovery_approval: "administrator" } });
  const since = Date.now();
  await lost(page);
  await page.getByRole("button", { name: "Ask for a recovery" }).click();
  await expect(page.getByText("An administrator has to approve it")).toBeVisible();
  await inspect(page, "lost-factor-approval");

  const owner = await freshBrowser(browser);
  await signIn(owner, mira);
  await owner.goto("/o/recovery-works/managed-accounts");
  const list = owner.getByRole("table", { name: "Recoveries that wait for approval" });
  await expect(list.getByText(pavel.name)).toBeVisible();
  await inspect(owner, "recoveries");
  await stale(owner);
  await owner.getByRole("button", { name: "Approve" }).click();
  const dialog = owner.getByRole("dialog", { name: `Approve the recovery of ${pavel.name}?` });
  await dialog.getByRole("button", { name: "Approve" }).click();
  await expect(dialog.getByText("Say why.")).toBeVisible();
  await dialog.getByLabel(/^Reason/).fill("Called back on the number in the file");
  await inspect(owner, "recoveries-approve");
  await dialog.getByRole("button", { name: "Approve" }).click();
  const done = owner.getByText(`The recovery of ${pavel.name} was approved`);
  await provenIfAsked(owner, mira, done);
  await expect(list).toBeHidden();
  await owner.context().close();

  await page.goto(await linkTo("recovery", mailbox, since));
  await expect(page.getByRole("heading", { name: "Switch your second factor off?" })).toBeVisible();
  await inspect(page, "recovery-complete");
  await page.getByRole("button", { name: "Switch it off" }).click();
  await expect(page.getByRole("heading", { name: "Your second factor is off" })).toBeVisible();
  await inspect(page, "recovery-done");
  await page.getByRole("link", { name: "Sign in" }).click();
  await signIn(page, pavel);

  // A platform administrator sees all of them, and there is nobody any more.
  const platform = await freshBrowser(browser);
  await signIn(platform, ada);
  await platform.goto("/platform/accounts");
  await expect(platform.getByText("Recoveries that wait for approval")).toBeHidden();
  await platform.context().close();
});
