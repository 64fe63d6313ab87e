/** Coming without an invitation, waiting to be let in, and one's own address. Proves CON-1, AUT-3, AUT-5. */
import type { Page } from "@playwright/test";
import { organizationOf, settings } from "./support/api";
import { expect, freshBrowser, inspect, provenIfAsked, signIn, test } from "./support/browser";
import { linkTo } from "./support/mail";
import { ada, type Person } from "./support/people";

const lena: Person = {
  name: "Lena Sandoval",
  email: "lena.sandoval@open.example",
  password: "Harvest-window 52 birds",
};
const omar: Person = {
  name: "Omar Haddad",
  email: "omar.haddad@open.example",
  password: "Marble-garden 64 kites",
};
const owner: Person = {
  name: "Ines Moreau",
  email: "ines.moreau@guild.example",
  password: "Velvet-compass 71 rains",
};

// A long story of several people.
test.slow();

/** Asks for a link and opens it. */
async function open(page: Page, path: string, person: Person): Promise<void> {
  await page.goto(path);
  const since = Date.now();
  await page.getByRole("textbox", { name: "Your e-mail" }).fill(person.email);
  await page.getByRole("button", { name: "Send me a link" }).click();
  await expect(page.getByRole("heading", { name: "Check your mail" })).toBeVisible();
  await page.goto(await linkTo("sign-up/confirm", person.email, since));
}

test("as it comes, nobody signs up, and the page says what to do", async ({ page }) => {
  await page.goto("/sign-in");
  await expect(page.getByText("Ask an administrator of your organisation")).toBeVisible();
  await page.goto("/sign-up");
  await expect(page.getByRole("heading", { name: "People join by invitation here" })).toBeVisible();
  await inspect(page, "sign-up-closed");
  await page.goto("/sign-up/confirm#token=garbage-that-nobody-issued");
  await expect(
    page.getByRole("heading", { name: "This sign-up link no longer works" }),
  ).toBeVisible();
});

test("somebody makes an account by themselves", async ({ page }) => {
  await settings(null, { sign_up: { mode: "open" } });
  await page.goto("/sign-in");
  await page.getByRole("link", { name: "No account yet? Create one" }).click();
  await expect(page.getByRole("heading", { name: "Create an account" })).toBeVisible();
  await page.getByRole("button", { name: "Send me a link" }).click();
  await expect(page.getByText("Please fill this in.")).toBeVisible();
  await inspect(page, "sign-up");
  const since = Date.now();
  await page.getByRole("textbox", { name: "Your e-mail" }).fill(lena.email);
  await page.getByRole("button", { name: "Send me a link" }).click();
  await expect(page.getByRole("heading", { name: "Check your mail" })).toBeVisible();
  await inspect(page, "sign-up-sent");
  await page.goto(await linkTo("sign-up/confirm", lena.email, since));
  await expect(page.getByRole("heading", { name: "Almost there" })).toBeVisible();
  expect(page.url()).not.toContain("token");
  await page.getByLabel("Your name").fill(lena.name);
  await page.getByLabel("Choose a password").fill(lena.password);
  await inspect(page, "sign-up-confirm");
  await page.getByRole("button", { name: "Create account" }).click();
  await expect(
    page.getByRole("heading", { name: "You are in no organisation", level: 1 }),
  ).toBeVisible();
});

test("somebody waits until an administrator lets them in", async ({ page, browser }) => {
  const guild = await organizationOf("Open Guild", owner);
  const admin = await freshBrowser(browser);
  await signIn(admin, owner);

  // The owner opens the organisation for whoever they let in.
  await admin.goto("/o/open-guild/sign-ups");
  await expect(admin.getByRole("heading", { name: "Nobody waits" })).toBeVisible();
  await inspect(admin, "sign-ups-empty");
  await admin.getByRole("link", { name: "Who may sign up" }).click();
  await admin.getByRole("combobox", { name: "Who may sign up" }).click();
  await admin.getByRole("option", { name: "Anyone an administrator lets in" }).click();
  await admin.getByRole("button", { name: "Save changes" }).click();
  await provenIfAsked(admin, owner, admin.getByText("Saved", { exact: true }).last());
  await inspect(admin, "security-sign-up");

  await open(page, "/sign-up?organization=open-guild", omar);
  await expect(page.getByRole("heading", { name: "Join Open Guild" })).toBeVisible();
  await page.getByLabel("Your name").fill(omar.name);
  await page.getByLabel("Choose a password").fill(omar.password);
  await page.getByRole("button", { name: "Ask to be let in" }).click();
  await expect(page.getByRole("heading", { name: "Now an administrator decides" })).toBeVisible();
  await inspect(page, "sign-up-waiting");

  await admin.goto("/o/open-guild/sign-ups");
  const row = admin.getByRole("row", { name: new RegExp(omar.name) });
  await expect(row).toContainText(omar.email);
  await expect(admin.getByLabel("1 waiting")).toBeVisible();
  await inspect(admin, "sign-ups");
  await row.getByRole("button", { name: "Turn away" }).click();
  const dialog = admin.getByRole("dialog");
  await dialog.getByRole("button", { name: "Turn away" }).click();
  await expect(dialog.getByText("Say why.")).toBeVisible();
  await inspect(admin, "sign-ups-reject");
  await dialog.getByRole("button", { name: "Cancel" }).click();
  await row.getByRole("button", { name: "Let in" }).click();
  await dialog.getByRole("button", { name: "Let in" }).click();
  await expect(row).toContainText("Let in");
  await expect(admin.getByLabel("1 waiting")).toBeHidden();
  await admin.context().close();

  await signIn(page, omar);
  await expect(page).toHaveURL(/\/o\/open-guild$/);

  // Somebody who has an account joins with it.
  await settings(guild.id, { sign_up: { mode: "open" } });
  await page.context().clearCookies();
  await open(page, "/sign-up?organization=open-guild", lena);
  await expect(page.getByText("You have an account with this address.")).toBeVisible();
  await page.getByLabel("Your password").fill(lena.password);
  await page.getByRole("button", { name: "Sign in and join" }).click();
  await expect(page).toHaveURL(/\/o\/open-guild$/);
});

test("an address is confirmed, changed, and kept after all", async ({ page }) => {
  await signIn(page, ada);
  await page.goto("/account");
  await expect(page.getByText("Not confirmed")).toBeVisible();
  await inspect(page, "account-unverified");
  let since = Date.now();
  await page.getByRole("button", { name: "Send me a link" }).click();
  await page.goto(await linkTo("verify-email", ada.email, since));
  await page.getByRole("button", { name: "Confirm this address" }).click();
  await expect(page).toHaveURL(/\/account$/);
  await expect(page.getByText("Confirmed", { exact: true })).toBeVisible();

  await page.context().clearCookies();
  await signIn(page, lena);
  await page.goto("/account");
  await page.getByRole("button", { name: "Change…" }).click();
  const dialog = page.getByRole("dialog", { name: "Change your e-mail address" });
  await dialog.getByLabel("New address").fill("lena@elsewhere.example");
  await inspect(page, "account-change-email");
  since = Date.now();
  await dialog.getByRole("button", { name: "Send link" }).click();
  await provenIfAsked(page, lena, page.getByText("Waiting for confirmation"));
  await inspect(page, "account-pending-email");
  await page.getByRole("button", { name: "Keep the present address" }).click();
  await expect(page.getByText("Waiting for confirmation")).toBeHidden();

  await page.getByRole("button", { name: "Change…" }).click();
  await dialog.getByLabel("New address").fill("lena@new.example");
  since = Date.now();
  await dialog.getByRole("button", { name: "Send link" }).click();
  await provenIfAsked(page, lena, page.getByText("Waiting for confirmation"));
  const link = await linkTo("change-email", "lena@new.example", since);
  // Signed out meanwhile: one signs in, and goes on.
  await page.context().clearCookies();
  await page.goto("/sign-in");
  await page.goto(link);
  await expect(page.getByRole("heading", { name: "Sign in" })).toBeVisible();
  await page.getByRole("textbox", { name: "E-mail" }).fill(lena.email);
  await page.getByLabel(/^Password/).fill(lena.password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByRole("heading", { name: "Change your e-mail address" })).toBeVisible();
  await inspect(page, "change-email");
  await page.getByRole("button", { name: "Use the new address" }).click();
  await expect(page).toHaveURL(/\/account$/);
  await expect(page.getByRole("main").getByText("lena@new.example", { exact: true })).toBeVisible();
  await settings(null, { sign_up: { mode: null } });
});
