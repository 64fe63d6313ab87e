/** What the platform and an organisation ask for, set in the console. Proves CON-1, AUT-2. */
import type { Page } from "@playwright/test";
import { expect, freshBrowser, inspect, provenIfAsked, signIn, test } from "./support/browser";
import { ada, ben, organization } from "./support/people";

const security = `/o/${organization.slug}/security`;

/** Opens a page, switching to the organisation that it belongs to when one is in another. */
async function visit(page: Page, path: string, heading: string): Promise<void> {
  await page.goto(path);
  const goThere = page.getByRole("button", { name: /^Switch to / });
  const there = page.getByRole("heading", { level: 2, name: heading });
  await expect(goThere.or(there).first()).toBeVisible();
  if (await goThere.first().isVisible()) await goThere.first().click();
  await expect(there).toBeVisible();
}

async function save(page: Page): Promise<void> {
  await page.getByRole("button", { name: "Save changes" }).click();
  await provenIfAsked(page, ada, page.getByText("Saved", { exact: true }).last());
  await expect(page.getByText(/unsaved change/)).toBeHidden();
}

test("an organisation asks for more than the platform does", async ({ page }) => {
  await signIn(page, ada);
  await visit(page, security, "Passwords");
  await expect(page).toHaveTitle(`Security · ${organization.name} · Freehold`);
  const length = page.getByLabel("Minimum length", { exact: true });
  await length.fill("10");
  await expect(page.getByText("From 12 characters to 256 characters.")).toBeVisible();
  await expect(page.getByRole("button", { name: "Save changes" })).toBeDisabled();
  await length.fill("16");
  await page.getByLabel("Sign in again after", { exact: true }).fill("12");
  await page.getByRole("combobox", { name: "Unit of “Sign in again after”" }).click();
  await page.getByRole("option", { name: "hours" }).click();
  await page.getByLabel("Allowed e-mail domains", { exact: true }).fill("Harbour.example");
  await page.keyboard.press("Enter");
  await expect(page.getByText("3 unsaved changes")).toBeVisible();
  await inspect(page, "security-unsaved");

  // Leaving asks first, and staying keeps what was typed.
  await page
    .getByRole("navigation", { name: "Main navigation" })
    .getByRole("link", { name: "Members", exact: true })
    .click();
  const dialog = page.getByRole("dialog");
  await expect(dialog.getByText("3 changes on this page will be lost.")).toBeVisible();
  await inspect(page, "security-leave");
  await dialog.getByRole("button", { name: "Cancel" }).click();
  await expect(length).toHaveValue("16 characters");
  await save(page);
  await expect(page.getByText("In force: 16 characters")).toBeVisible();
  await expect(page.getByText("In force: 12 hours")).toBeVisible();
  await expect(page.getByText("In force: harbour.example")).toBeVisible();
  await expect(page.getByText("Set here", { exact: true })).toHaveCount(3);
});

test("the history says who changed what, and what is set holds", async ({ page }) => {
  await signIn(page, ada);
  await visit(page, security, "Passwords");
  await page.getByRole("button", { name: "History" }).click();
  const dialog = page.getByRole("dialog");
  await expect(dialog.getByText("by Ada Lindqvist")).toBeVisible();
  await expect(dialog.getByText("Passwords · Minimum length:")).toContainText("16 characters");
  await inspect(page, "security-history");
  await page.keyboard.press("Escape");
  await expect(dialog).toBeHidden();

  await page.goto(`/o/${organization.slug}/invitations?dialog=invite`);
  await dialog.getByLabel("E-mail address").fill("someone@elsewhere.example");
  await dialog.getByRole("button", { name: "Send invitation" }).click();
  await expect(dialog.getByText(/admit only people with addresses/)).toBeVisible();
  await inspect(page, "invite-domain-refused");
});

test("the platform is stricter, and the organisation's own value waits", async ({ page }) => {
  await signIn(page, ada);
  await visit(page, "/platform/settings", "Deleted organisations");
  await inspect(page, "platform-settings");
  await page.getByLabel("Minimum length", { exact: true }).fill("20");
  await save(page);
  await expect(page.getByText("Set here", { exact: true })).toHaveCount(1);

  await visit(page, security, "Passwords");
  await expect(page.getByText("Set by platform")).toBeVisible();
  await expect(page.getByText(/Your own 16 characters is less strict/)).toBeVisible();
  await inspect(page, "security-overruled");
  await page.getByLabel("Minimum length", { exact: true }).fill("18");
  await expect(page.getByText("From 20 characters to 256 characters.")).toBeVisible();
  await page.getByRole("button", { name: "Reset “Minimum length”" }).click();
  await page.getByRole("button", { name: "Reset “Allowed e-mail domains”" }).click();
  await save(page);
  await expect(page.getByText(/less strict/)).toBeHidden();

  await visit(page, "/platform/settings", "Deleted organisations");
  await page.getByRole("button", { name: "Reset “Minimum length”" }).click();
  await save(page);
});

test("a change of somebody else's is shown before one's own is saved", async ({
  page,
  browser,
}) => {
  const other = await freshBrowser(browser);
  await signIn(other, ada);
  await signIn(page, ada);
  await visit(page, security, "Passwords");
  await visit(other, security, "Passwords");
  await other.getByLabel("A proof counts for", { exact: true }).fill("3");
  await save(other);
  await page.getByLabel("An invitation works for", { exact: true }).fill("5");
  await page.getByRole("button", { name: "Save changes" }).click();
  await provenIfAsked(page, ada, page.getByText("Changed by someone else"));
  await expect(page.getByText("In force: 3 minutes")).toBeVisible();
  await save(page);
  await expect(page.getByText("In force: 5 days")).toBeVisible();
  await other.context().close();
});

test("an auditor reads the settings, and a page that can't be loaded says so", async ({ page }) => {
  await signIn(page, ben);
  await page.route("**/v1/organizations/*/settings", (route) => route.abort());
  await page.goto(security);
  await expect(page.getByText("This could not be loaded")).toBeVisible();
  await page.unroute("**/v1/organizations/*/settings");
  await page.getByRole("button", { name: "Try again" }).click();
  await expect(page.getByText("It needs Admin or above.")).toBeVisible();
  await expect(page.getByLabel("Minimum length", { exact: true })).toHaveAttribute("readonly", "");
  await expect(page.getByRole("button", { name: /^Reset / })).toHaveCount(0);
  await inspect(page, "security-read-only");
  await page.getByRole("button", { name: "History" }).click();
  await expect(page.getByRole("dialog").getByText("by Ada Lindqvist").first()).toBeVisible();
  await page.goto("/platform/settings");
  await expect(page.getByRole("heading", { name: "You can't see this page" })).toBeVisible();
});
