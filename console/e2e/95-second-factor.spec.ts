/** Setting up a second factor, signing in with it, losing it, and being made to have one. Proves MFA-1, MFA-3, MFA-5, MFA-6, CON-1. */
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
import { ada } from "./support/people";
import { totp } from "./support/totp";

const nora = {
  name: "Nora Velde",
  email: "nora.velde@factor.example",
  password: "Silver-meadow 73 kites",
};
const otto = {
  name: "Otto Brandt",
  email: "otto.brandt@factor.example",
  password: "Copper-lantern 58 reeds",
};
let organization = "";
let key = "";
let codes: string[] = [];

test.describe.configure({ mode: "serial" });
// Proofs get too old, and steps of half a minute pass.
test.slow();

test.beforeAll(async () => {
  organization = (await organizationOf("Factor Works", nora)).id;
  await join(organization, otto, "member");
});

async function password(page: Page, person: typeof nora): Promise<void> {
  await page.goto("/sign-in");
  await page.getByRole("textbox", { name: "E-mail" }).fill(person.email);
  await page.getByLabel(/^Password/).fill(person.password);
  await page.getByRole("button", { name: "Sign in" }).click();
}

const step = (page: Page) => page.getByRole("heading", { name: "Prove your second factor" });
const home = (page: Page) => page.getByRole("navigation", { name: "Main navigation" });

test("a person sets up an authenticator app and keeps the backup codes", async ({ page }) => {
  await signIn(page, nora);
  // An owner needs one, by and by.
  await expect(page.getByText("Your role needs a second factor")).toBeVisible();
  await page.goto("/account");
  await expect(page.getByText("You have no second factor")).toBeVisible();
  await inspect(page, "second-factor-none");
  await page.getByRole("button", { name: "Set up an authenticator app" }).click();
  const qr = page.getByRole("img", { name: /^QR code for your authenticator app/ });
  await provenIfAsked(page, nora, qr);
  key = await page.locator("code").first().innerText();
  await inspect(page, "second-factor-enrol");
  const field = page.getByLabel(/^Code from your app/);
  await field.fill("000000");
  await page.keyboard.press("Enter");
  await expect(page.getByText("That code is wrong")).toBeVisible();
  await field.fill(totp(key, -1));
  await page.keyboard.press("Enter");
  const list = page.getByRole("list", { name: "Your backup codes" });
  await expect(list.getByRole("listitem")).toHaveCount(10);
  codes = await list.getByRole("listitem").allInnerTexts();
  await inspect(page, "second-factor-codes");
  const saved = page.waitForEvent("download");
  await page.getByRole("button", { name: "Download" }).click();
  expect((await saved).suggestedFilename()).toMatch(/^backup-codes-.*\.txt$/);
  await page.getByRole("button", { name: "I have kept them" }).click();
  await expect(page.getByText("10 codes left")).toBeVisible();
  await inspect(page, "second-factor-own");
});

test("signing in asks for the code, and takes a backup code in its place", async ({ page }) => {
  await password(page, nora);
  await expect(step(page)).toBeVisible();
  const field = page.getByLabel(/^Code from your app/);
  await expect(field).toBeFocused();
  await expect(field).toHaveAttribute("autocomplete", "one-time-code");
  await inspect(page, "sign-in-second-factor");
  await field.fill("000000");
  await page.keyboard.press("Enter");
  await expect(page.getByText("That code is wrong")).toBeVisible();
  await expect(field).toBeFocused();
  await field.fill(totp(key));
  await page.keyboard.press("Enter");
  await expect(home(page)).toBeVisible();

  // A grave act asks for both.
  await page.goto("/account");
  await stale(page);
  await page.getByRole("button", { name: "New backup codes" }).click();
  const dialog = page.getByRole("dialog", { name: "Make new backup codes?" });
  await dialog.getByRole("button", { name: "New backup codes" }).click();
  const proof = page.getByRole("dialog", { name: "Confirm that it is you" });
  await proof.getByLabel(/^Password/).fill(nora.password);
  await proof.getByRole("button", { name: "Use a backup code instead" }).click();
  await proof.getByLabel(/^Backup code/).fill(codes[0] ?? "");
  await inspect(page, "proof-second-factor");
  await proof.getByRole("button", { name: "Confirm" }).click();
  const made = page.getByRole("dialog", { name: "Backup codes" });
  await expect(made.getByRole("listitem")).toHaveCount(10);
  codes = await made.getByRole("listitem").allInnerTexts();
  await made.getByRole("button", { name: "I have kept them" }).click();
  await page.context().clearCookies();

  await password(page, nora);
  await page.getByRole("button", { name: "Use a backup code instead" }).click();
  await inspect(page, "sign-in-backup-code");
  await page.getByLabel(/^Backup code/).fill((codes[1] ?? "").toLowerCase());
  await page.keyboard.press("Enter");
  await expect(home(page)).toBeVisible();
});

test("five wrong codes end the sign-in", async ({ page }) => {
  await password(page, nora);
  const field = page.getByLabel(/^Code from your app/);
  for (const guess of ["000001", "000002", "000003", "000004"]) {
    await field.fill(guess);
    await page.keyboard.press("Enter");
    await expect(field).toHaveValue("");
  }
  await field.fill("000005");
  await page.keyboard.press("Enter");
  await expect(page.getByText("This sign-in has ended")).toBeVisible();
  await inspect(page, "sign-in-ended");
  await page.getByRole("button", { name: "Start over" }).click();
  await expect(page.getByLabel(/^Password/)).toBeVisible();
});

test("an administrator helps who has lost their phone", async ({ page }) => {
  await signIn(page, ada);
  await page.goto(`/platform/accounts?email=${encodeURIComponent(nora.email)}`);
  const goThere = page.getByRole("button", { name: /^Switch to / });
  const list = page.getByRole("link", { name: nora.name });
  await expect(goThere.or(list).first()).toBeVisible();
  if (await goThere.first().isVisible()) await goThere.first().click();
  await page.getByRole("button", { name: `Actions for ${nora.name}` }).click();
  await page.getByRole("menuitem", { name: "Switch off second factors" }).click();
  const dialog = page.getByRole("dialog", {
    name: `Switch off the second factors of ${nora.name}?`,
  });
  await inspect(page, "second-factor-disable");
  await dialog.getByRole("button", { name: "Switch off second factors" }).click();
  await provenIfAsked(page, ada, page.getByText(`The second factors of ${nora.name} are off`));
});

test("who must have one and has not is led to it, and to nothing else", async ({ browser }) => {
  await settings(organization, { mfa: { required_from: "member", grace_days: 0 } });
  const page = await freshBrowser(browser);
  await signIn(page, otto);
  const wall = page.getByRole("heading", { name: "Set up a second factor to go on" });
  await expect(wall).toBeVisible();
  await inspect(page, "second-factor-wall");
  await page.goto("/o/factor-works/teams");
  await expect(wall).toBeVisible();
  await page.getByRole("button", { name: "Set up an authenticator app" }).click();
  const qr = page.getByRole("img", { name: /^QR code for your authenticator app/ });
  await provenIfAsked(page, otto, qr);
  const own = await page.locator("code").first().innerText();
  await page.getByLabel(/^Code from your app/).fill(totp(own));
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: "I have kept them" }).click();
  await expect(wall).toBeHidden();
  await page.context().close();
});
