/** One's own account and the platform's pages, after the path. Proves CON-1. */
import { expect, freshBrowser, inspect, provenIfAsked, signIn, test } from "./support/browser";
import { invitationLink } from "./support/mail";
import { ada, ben, organization } from "./support/people";

test("one's name, and ending another session", async ({ page, browser }) => {
  const other = await freshBrowser(browser, {
    userAgent:
      "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1",
  });
  await signIn(other, ada);
  await signIn(page, ada);
  await page.goto("/account");
  await page.getByRole("textbox", { name: "Name", exact: true }).fill("Ada Lindqvist-Berg");
  await page.getByRole("button", { name: "Save changes" }).click();
  await expect(page.getByRole("button", { name: "Menu of Ada Lindqvist-Berg" })).toBeVisible();
  await page.getByRole("textbox", { name: "Name", exact: true }).fill(ada.name);
  await page.getByRole("button", { name: "Save changes" }).click();
  await expect(page.getByRole("button", { name: `Menu of ${ada.name}` })).toBeVisible();

  await expect(page.getByText("This session")).toHaveCount(1);
  await inspect(page, "account");
  const sessions = page.getByRole("table", { name: "Your sessions" });
  const row = sessions.getByRole("row", { name: /Safari on iPhone/ });
  await row.getByRole("button", { name: "End session" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "End session" }).click();
  await expect(row).toBeHidden();

  await other.goto("/account");
  await expect(other).toHaveURL(/\/sign-in\?return=%2Faccount$/);
  await other.getByRole("textbox", { name: "E-mail" }).fill(ada.email);
  await other.getByLabel(/^Password/).fill(ada.password);
  await other.getByRole("button", { name: "Sign in" }).click();
  await expect(other).toHaveURL(/\/account$/);
  await other.context().close();
});

test("the platform's accounts: block with a reason, and unblock", async ({ page, browser }) => {
  await signIn(page, ada);
  await page.goto("/platform/accounts");
  const goThere = page.getByRole("button", { name: /^Switch to / });
  const list = page.getByRole("link", { name: ben.name });
  await expect(goThere.or(list).first()).toBeVisible();
  if (await goThere.first().isVisible()) {
    await inspect(page, "platform-elsewhere");
    await goThere.first().click();
  }
  await expect(list).toBeVisible();
  await inspect(page, "accounts");
  await page.getByRole("button", { name: `Actions for ${ben.name}` }).click();
  await page.getByRole("menuitem", { name: "Block" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("button", { name: "Block" }).click();
  await expect(dialog.getByText("Say why, for the audit log.")).toBeVisible();
  await dialog.getByLabel("Reason").fill("Left the company");
  await inspect(page, "account-block");
  await dialog.getByRole("button", { name: "Block" }).click();
  await expect(page.getByRole("row", { name: new RegExp(ben.name) })).toContainText("Blocked");

  const blocked = await freshBrowser(browser);
  await blocked.goto("/sign-in");
  await blocked.getByRole("textbox", { name: "E-mail" }).fill(ben.email);
  await blocked.getByLabel(/^Password/).fill(ben.password);
  await blocked.getByRole("button", { name: "Sign in" }).click();
  await expect(blocked.getByText("E-mail or password is wrong")).toBeVisible();
  await blocked.context().close();

  await page.getByRole("button", { name: `Actions for ${ben.name}` }).click();
  await page.getByRole("menuitem", { name: "Unblock" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Unblock" }).click();
  await provenIfAsked(page, ada, page.getByText(`${ben.name} can sign in again`));
  await expect(page.getByRole("row", { name: new RegExp(ben.name) })).toContainText("Active");
});

test("who comes back by invitation accepts with the account they have", async ({
  page,
  browser,
}) => {
  await signIn(page, ada);
  const since = Date.now();
  await page.goto(`/o/${organization.slug}/invitations?dialog=invite`);
  const goThere = page.getByRole("button", { name: `Switch to ${organization.name}` });
  const dialog = page.getByRole("dialog");
  await expect(goThere.or(dialog).first()).toBeVisible();
  if (await goThere.isVisible()) await goThere.click();
  await dialog.getByLabel("E-mail address").fill(ben.email);
  await dialog.getByRole("combobox", { name: "Role" }).click();
  await page.getByRole("option", { name: "Auditor" }).click();
  await dialog.getByRole("button", { name: "Send invitation" }).click();
  await expect(dialog).toBeHidden();

  const link = await invitationLink(ben.email, since);
  // As the wrong person first: told so, and the link survives signing out.
  await page.goto(link);
  await expect(page.getByText("You are signed in as someone else")).toBeVisible();
  await inspect(page, "invitation-other");
  await page.getByRole("button", { name: "Sign out and go on" }).click();
  await expect(page.getByLabel(/^Your password/)).toBeVisible();
  await inspect(page, "invitation-existing");

  // Signed in as the invited person: one click.
  const invited = await freshBrowser(browser);
  await signIn(invited, ben);
  await invited.goto(link);
  await invited.getByRole("button", { name: "Join" }).click();
  await expect(invited).toHaveURL(new RegExp(`/o/${organization.slug}$`));
  await invited.goto(`/o/${organization.slug}/members`);
  await expect(invited.getByRole("link", { name: ada.name })).toBeVisible();
  await expect(invited.getByRole("button", { name: "Invite people" })).toHaveAttribute(
    "aria-disabled",
    "true",
  );
  await invited.context().close();
});

test("an organisation is deleted by typing its name, and restored", async ({ page }) => {
  await signIn(page, ada);
  await page.goto("/platform/organizations?dialog=create");
  const goThere = page.getByRole("button", { name: /^Switch to / });
  const dialog = page.getByRole("dialog");
  await expect(goThere.or(dialog).first()).toBeVisible();
  if (await goThere.first().isVisible()) {
    await goThere.first().click();
    await page.getByRole("button", { name: "Create organisation" }).click();
  }
  await dialog.getByRole("textbox", { name: "Name", exact: true }).fill("Short Lived");
  await dialog.getByRole("button", { name: "Create organisation" }).click();
  await expect(dialog).toBeHidden();
  await page.getByRole("button", { name: "Actions for Short Lived" }).click();
  await page.getByRole("menuitem", { name: "Work in it" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "Overview" })).toBeVisible();
  await expect(page).toHaveURL(/\/o\/short-lived/);
  await page
    .getByRole("navigation", { name: "Main navigation" })
    .getByRole("link", { name: "Organisation", exact: true })
    .click();
  await page.getByRole("button", { name: "Delete organisation…" }).click();
  await expect(dialog.getByRole("button", { name: "Delete organisation" })).toBeDisabled();
  await dialog.getByLabel("Type Short Lived to confirm").fill("Short Lived");
  await inspect(page, "organisation-delete");
  await dialog.getByRole("button", { name: "Delete organisation" }).click();
  await provenIfAsked(page, ada, page.getByText("Short Lived was deleted"));

  await page.goto("/platform/organizations?status=deleted");
  const row = page.getByRole("button", { name: "Actions for Short Lived" });
  await expect(goThere.or(row).first()).toBeVisible();
  if (await goThere.first().isVisible()) await goThere.first().click();
  await row.click();
  await page.getByRole("menuitem", { name: "Restore" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Restore" }).click();
  await expect(page.getByText("Short Lived was restored")).toBeVisible();
});

test("an access token that ran out is renewed unnoticed, in several tabs at once", async ({
  page,
}) => {
  await signIn(page, ada);
  const second = await page.context().newPage();
  await second.goto("/account");
  await expect(second.getByRole("heading", { name: "Sessions", exact: true })).toBeVisible();
  await page.context().clearCookies({ name: /freehold_access$/ });
  // Were both to use the same refresh token, the server would end the whole session.
  await Promise.all([page.goto("/account"), second.reload()]);
  for (const tab of [page, second]) {
    await expect(tab.getByText("This session")).toBeVisible();
    await expect(tab).toHaveURL(/\/account$/);
  }
  await page.context().clearCookies({ name: /freehold_access$/ });
  await page.getByRole("textbox", { name: "Name", exact: true }).fill(`${ada.name} `);
  await page.getByRole("button", { name: "Save changes" }).click();
  await expect(page.getByText("Saved", { exact: true })).toBeVisible();
});
