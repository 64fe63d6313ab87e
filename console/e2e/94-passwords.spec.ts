/** Passwords: choosing, changing and forgetting them. Proves AUT-2, AUT-5 in the browser. */
import type { Page } from "@playwright/test";
import { organizationOf } from "./support/api";
import { expect, freshBrowser, inspect, provenIfAsked, signIn, test } from "./support/browser";
import { resetLink } from "./support/mail";
import { ada } from "./support/people";

const dora = {
  name: "Dora Castell",
  email: "dora@password.example",
  password: "Yellow-harvest 61 moons",
};
const second = "Silver-compass 72 birds";
const third = "Winding-rivers 83 clouds";

test.describe.configure({ mode: "serial" });

const section = (page: Page) =>
  page.locator("section").filter({ has: page.getByRole("heading", { name: "Password" }) });

async function change(page: Page, current: string, wanted: string): Promise<void> {
  await section(page)
    .getByLabel(/^Present password/)
    .fill(current);
  await section(page)
    .getByLabel(/^New password/)
    .fill(wanted);
  await section(page).getByRole("button", { name: "Change password" }).click();
}

test("a new password says how strong it is and what it needs, and ends other sessions", async ({
  page,
  browser,
}) => {
  await organizationOf("Password Works", dora);
  const other = await freshBrowser(browser);
  await signIn(other, dora);
  await signIn(page, dora);
  await page.goto("/account");
  const field = section(page).getByLabel(/^New password/);
  await field.fill("Password1234!");
  await expect(section(page).getByText("Strength: Weak")).toBeVisible();
  const need = (text: string) => section(page).getByRole("listitem").filter({ hasText: text });
  await expect(need("hard to guess")).toContainText("missing");
  await expect(need("12 characters or more")).toContainText("done");
  await section(page)
    .getByLabel(/^Present password/)
    .fill(dora.password);
  await inspect(page, "password-weak");
  // The server has the last word, and its words land on the field.
  await section(page).getByRole("button", { name: "Change password" }).click();
  await expect(section(page).getByText("Must be harder to guess.")).toBeVisible();

  await change(page, "not the password", second);
  await expect(section(page).getByText("This is not your present password.")).toBeVisible();
  await change(page, dora.password, dora.password);
  await expect(section(page).getByText(/one of the last 10 passwords/)).toBeVisible();
  await expect(section(page).getByText("Strength: Strong")).toBeVisible();
  await inspect(page, "password-refused");
  await change(page, dora.password, second);
  await expect(page.getByText(/^Your password was changed/)).toBeVisible();
  await expect(field).toHaveValue("");

  await other.reload();
  await expect(other.getByRole("heading", { name: "Sign in" })).toBeVisible();
  await other.context().close();
});

test("whoever forgot their password gets a link, and a new one by it", async ({ page }) => {
  await page.goto("/sign-in");
  await page.getByRole("link", { name: "Forgot your password?" }).click();
  await expect(page.getByRole("heading", { name: "Forgot your password?" })).toBeVisible();
  await page.getByRole("button", { name: "Send me a link" }).click();
  await expect(page.getByText("Please fill this in.")).toBeVisible();
  await inspect(page, "forgot-password");
  const since = Date.now();
  await page.getByRole("textbox", { name: "E-mail" }).fill(dora.email);
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { name: "Look into your mailbox" })).toBeVisible();
  await inspect(page, "forgot-password-asked");

  await page.goto(await resetLink(dora.email, since));
  await expect(page.getByRole("heading", { name: "Choose a new password" })).toBeVisible();
  await expect(page).toHaveURL(/\/reset-password$/);
  await expect(page.getByText(dora.email)).toBeVisible();
  const field = page.getByLabel(/^New password/);
  await field.fill(second);
  await expect(page.getByText("Strength: Strong")).toBeVisible();
  await page.getByRole("button", { name: "Change password" }).click();
  await expect(page.getByText(/one of the last 10 passwords/)).toBeVisible();
  await inspect(page, "reset-password");
  await field.fill(third);
  await page.getByRole("button", { name: "Change password" }).click();
  await expect(page.getByRole("heading", { name: "Your password was changed" })).toBeVisible();
  await inspect(page, "reset-password-done");
  await page.getByRole("link", { name: "Go to sign-in" }).click();
  await signIn(page, { ...dora, password: third });
});

test("an address without an account is told the same, and a used link leads on", async ({
  page,
}) => {
  await page.goto("/forgot-password");
  await page.getByRole("textbox", { name: "E-mail" }).fill("nobody@password.example");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { name: "Look into your mailbox" })).toBeVisible();
  await page.goto(await resetLink(dora.email));
  await expect(page.getByRole("heading", { name: "This link no longer works" })).toBeVisible();
  await inspect(page, "reset-password-gone");
  await page.getByRole("link", { name: "Ask for a new link" }).click();
  await expect(page).toHaveURL(/\/forgot-password$/);
  await page.goto("/reset-password");
  await expect(page.getByRole("heading", { name: "The link is not complete" })).toBeVisible();
});

test("the platform takes a profile, and an organisation can only ask for more", async ({
  page,
}) => {
  const saved = () => provenIfAsked(page, ada, page.getByText("Saved", { exact: true }).last());
  await signIn(page, ada);
  await page.goto("/platform/settings");
  const goThere = page.getByRole("button", { name: /^Switch to / });
  const profile = page.getByRole("combobox", { name: "Profile" });
  await expect(goThere.or(profile).first()).toBeVisible();
  if (await goThere.first().isVisible()) await goThere.first().click();
  await expect(profile).toHaveValue("Classic");
  await profile.click();
  await page.getByRole("option", { name: "NIST SP 800-63B-4" }).click();
  await expect(page.getByText("7 unsaved changes")).toBeVisible();
  await expect(page.getByRole("switch", { name: "Upper-case letter" })).not.toBeChecked();
  await inspect(page, "platform-password-profile");
  await page.getByRole("button", { name: "Save changes" }).click();
  await saved();
  await page.reload();
  await expect(profile).toHaveValue("NIST SP 800-63B-4");
  await profile.click();
  await page.getByRole("option", { name: "Classic" }).click();
  await page.getByRole("button", { name: "Save changes" }).click();
  await saved();
});

test("what the platform asks for can't be taken back by an organisation", async ({ page }) => {
  await signIn(page, { ...dora, password: third });
  await page.goto("/o/password-works/security");
  const digit = page.getByRole("switch", { name: "Digit" });
  await expect(digit).toBeChecked();
  await expect(digit).toBeDisabled();
  await expect(page.getByText("The platform asks for it everywhere.").first()).toBeVisible();
  await page.getByRole("combobox", { name: "Profile" }).click();
  const nist = page.getByRole("option", { name: /NIST.*laxer than the platform/ });
  await expect(nist).toHaveAttribute("data-combobox-disabled", "true");
  await page.keyboard.press("Escape");
  await inspect(page, "security-passwords");
});
