/**
 * The whole path: from a fresh machine to a colleague who signs in, is promoted and removed, with
 * every step in the audit log. Proves CON-1, AUT-4, AUT-8 in the browser.
 */
import type { Page } from "@playwright/test";
import { expect, freshBrowser, inspect, signIn, test } from "./support/browser";
import { invitationLink } from "./support/mail";
import { ada, ben, organization, server } from "./support/people";

test.describe.configure({ mode: "serial" });

let admin: Page;
let colleague: Page;

test.beforeAll(async ({ browser }) => {
  admin = await freshBrowser(browser);
  colleague = await freshBrowser(browser);
});

test.afterAll(async () => {
  await admin.context().close();
  await colleague.context().close();
});

async function go(page: Page, place: string): Promise<void> {
  await page
    .getByRole("navigation", { name: "Main navigation" })
    .getByRole("link", { name: place, exact: true })
    .click();
  await expect(page.getByRole("main").getByRole("heading", { level: 1 })).toBeVisible();
}

async function rowMenu(page: Page, name: string, item: string): Promise<void> {
  await page.getByRole("button", { name: `Actions for ${name}` }).click();
  await page.getByRole("menuitem", { name: item }).click();
}

test("sign-in says that this Freehold is not set up yet", async () => {
  await admin.goto("/");
  await expect(admin).toHaveURL(/\/sign-in$/);
  await expect(admin.getByText("This Freehold is not set up yet")).toBeVisible();
});

test("a setup link without its code says what to do", async () => {
  await admin.goto("/setup");
  await expect(admin.getByRole("heading", { name: /missing its code/ })).toBeVisible();
});

test("the setup link makes the first administrator", async () => {
  await admin.goto(server.setupUrl);
  await expect(admin.getByRole("heading", { name: "Set up Freehold" })).toBeVisible();
  expect(new URL(admin.url()).hash, "the token leaves the address at once").toBe("");
  await inspect(admin, "setup");

  await admin.getByLabel("Your name").fill(ada.name);
  await admin.getByLabel("Your e-mail").fill("not an address");
  await admin.getByLabel("Choose a password").fill("short");
  await admin.getByRole("button", { name: "Create administrator" }).click();
  await expect(admin.getByText("This does not look like an e-mail address.")).toBeVisible();
  await expect(admin.getByText("See what the password still needs.")).toBeVisible();

  await inspect(admin, "setup-refused");
  await admin.getByLabel("Your e-mail").fill(ada.email);
  await admin.getByLabel("Choose a password").fill(ada.password);
  await admin.getByRole("button", { name: "Create administrator" }).click();
  await expect(admin.getByRole("heading", { level: 1, name: "Overview" })).toBeVisible();
  await inspect(admin, "overview-platform");
});

test("the administrator creates an organisation", async () => {
  await go(admin, "Organisations");
  await admin.getByRole("button", { name: "Create organisation" }).click();
  const dialog = admin.getByRole("dialog");
  await dialog.getByLabel("Short name").fill("Not A Slug");
  await dialog.getByRole("textbox", { name: "Name", exact: true }).fill(organization.name);
  await dialog.getByRole("button", { name: "Create organisation" }).click();
  await expect(dialog.getByLabel("Short name")).toHaveAttribute("aria-invalid", "true");
  await inspect(admin, "organisation-create");
  await dialog.getByLabel("Short name").fill(organization.slug);
  await dialog.getByRole("button", { name: "Create organisation" }).click();
  await expect(dialog).toBeHidden();
  await expect(admin.getByRole("cell", { name: organization.slug })).toBeVisible();
  await inspect(admin, "organisations");
});

test("switches to it, with nothing of the platform left in sight", async () => {
  await admin.getByRole("button", { name: /Switch organisation$/ }).click();
  await admin.getByRole("menuitem", { name: organization.name }).click();
  await expect(admin).toHaveURL(new RegExp(`/o/${organization.slug}$`));
  await expect(admin.getByRole("heading", { name: "Get started" })).toBeVisible();
  await expect(admin).toHaveTitle(`Overview · ${organization.name} · Freehold`);
  await inspect(admin, "overview-empty");
});

test("invites a colleague by e-mail, and several at once", async () => {
  await go(admin, "Members");
  await admin.getByRole("button", { name: "Invite people" }).click();
  const dialog = admin.getByRole("dialog");
  await inspect(admin, "invite-one");
  await dialog.getByLabel("E-mail address").fill(ben.email);
  await dialog.getByLabel("Personal message").fill("Welcome aboard — Ünïcode & <b>no HTML</b>.");
  await dialog.getByRole("button", { name: "Send invitation" }).click();
  await expect(dialog).toBeHidden();
  await expect(admin.getByRole("link", { name: ben.email })).toBeVisible();

  await admin.getByRole("button", { name: "Invite people" }).click();
  await dialog.getByRole("tab", { name: "Several people" }).click();
  await dialog
    .getByLabel("E-mail addresses")
    .fill(
      `Cleo Marsh <cleo@harbour.example>; dora@harbour.example\nnot-an-address\n${ben.email}\nemil@harbour.example`,
    );
  await expect(dialog.getByText("not-an-address", { exact: false }).last()).toBeVisible();
  await inspect(admin, "invite-several");
  await dialog.getByRole("button", { name: "Send 4 invitations" }).click();
  await expect(dialog.getByText("3 of 5 invitations sent")).toBeVisible();
  await expect(dialog.getByRole("row", { name: new RegExp(ben.email) })).toContainText(
    "Already invited",
  );
  await inspect(admin, "invite-results");
  await dialog.getByRole("button", { name: "Done" }).click();
  await expect(admin.getByRole("link", { name: "dora@harbour.example" })).toBeVisible();
  await inspect(admin, "invitations");
});

test("revokes one, after saying what that does", async () => {
  await rowMenu(admin, "emil@harbour.example", "Revoke");
  const dialog = admin.getByRole("dialog");
  await expect(dialog.getByText("stops working at once", { exact: false })).toBeVisible();
  await dialog.getByRole("button", { name: "Revoke invitation" }).click();
  await expect(dialog).toBeHidden();
  await admin.getByRole("combobox", { name: "Status" }).click();
  await admin.getByRole("option", { name: "Revoked" }).click();
  await expect(admin).toHaveURL(/status=revoked/);
  await expect(admin.getByRole("link", { name: "emil@harbour.example" })).toBeVisible();
  await expect(admin.getByRole("link", { name: ben.email })).toBeHidden();
  await admin.reload();
  await expect(admin.getByRole("link", { name: "emil@harbour.example" })).toBeVisible();
});

test("sending again makes the earlier link useless", async () => {
  const earlier = await invitationLink(ben.email);
  const since = Date.now();
  await go(admin, "Invitations");
  await rowMenu(admin, ben.email, "Send again");
  await expect(admin.getByText(/Sent again to/)).toBeVisible();
  const later = await invitationLink(ben.email, since);
  expect(later).not.toBe(earlier);
  await colleague.goto(earlier);
  await expect(
    colleague.getByRole("heading", { name: "This invitation no longer works" }),
  ).toBeVisible();
});

test("the colleague accepts in a browser of their own and chooses a password", async () => {
  // The same tab: another link changes the fragment only.
  await colleague.goto(await invitationLink(ben.email));
  await expect(colleague.getByRole("heading", { name: `Join ${organization.name}` })).toBeVisible();
  await expect(colleague.getByText(`${ada.name} invites you as Member.`)).toBeVisible();
  expect(new URL(colleague.url()).hash).toBe("");
  await inspect(colleague, "invitation");
  await colleague.getByLabel("Your name").fill(ben.name);
  await colleague.getByLabel("Choose a password").fill(ben.password);
  await colleague.getByRole("button", { name: "Create account and join" }).click();
  await expect(colleague).toHaveURL(new RegExp(`/o/${organization.slug}$`));
});

test("the member signs in and sees only what a member may see", async () => {
  await colleague.getByRole("button", { name: `Menu of ${ben.name}` }).click();
  await colleague.getByRole("menuitem", { name: "Sign out" }).click();
  await expect(colleague).toHaveURL(/\/sign-in$/);
  await signIn(colleague, ben);

  const navigation = colleague.getByRole("navigation", { name: "Main navigation" });
  await expect(navigation.getByRole("link")).toHaveText([
    "Overview",
    "Organisation",
    "Profile and sessions",
  ]);
  await expect(colleague.getByText(`Your place in ${organization.name}.`)).toBeVisible();
  await inspect(colleague, "overview-member");
  for (const page of ["members", "invitations", "audit"]) {
    await colleague.goto(`/o/${organization.slug}/${page}`);
    await expect(colleague.getByRole("heading", { name: "You can't see this page" })).toBeVisible();
    await expect(colleague.getByText(/needs (Manager|Admin) or above/).first()).toBeVisible();
  }
  await inspect(colleague, "forbidden");
  await colleague.goto("/platform/accounts");
  await expect(colleague.getByRole("heading", { name: "You can't see this page" })).toBeVisible();
  await colleague.goto(`/o/${organization.slug}/settings`);
  await expect(
    colleague.getByText("Your role does not allow this. It needs Admin or above."),
  ).toBeVisible();
  await expect(colleague.getByRole("button", { name: "Delete organisation…" })).toHaveAttribute(
    "aria-disabled",
    "true",
  );
  await colleague.goto("/o/somebody-elses/members");
  await expect(
    colleague.getByRole("heading", { name: "There is nothing at this address" }),
  ).toBeVisible();
  await inspect(colleague, "not-found");
});

test("the admin changes their role, and it holds from the next request on", async () => {
  await go(admin, "Members");
  await expect(admin.getByRole("link", { name: ben.name })).toBeVisible();
  await inspect(admin, "members");
  await admin.getByRole("link", { name: ben.name }).click();
  await expect(admin).toHaveURL(/open=/);
  const drawer = admin.getByRole("dialog");
  await expect(drawer.getByText(ben.email)).toBeVisible();
  await inspect(admin, "member-details");
  await drawer.getByRole("button", { name: "Change role" }).click();
  const dialog = admin.getByRole("dialog", { name: `Change the role of ${ben.name}` });
  await dialog.getByRole("combobox", { name: "New role" }).click();
  await admin.getByRole("option", { name: "Manager" }).click();
  await inspect(admin, "member-role");
  await dialog.getByRole("button", { name: "Change role" }).click();
  await expect(admin.getByText(`${ben.name} is now Manager`)).toBeVisible();
  await admin.keyboard.press("Escape");
  await expect(drawer).toBeHidden();
  await expect(admin.getByRole("row", { name: new RegExp(ben.name) })).toContainText("Manager");

  await colleague.goto(`/o/${organization.slug}/members`);
  await expect(colleague.getByRole("link", { name: ada.name })).toBeVisible();
  await expect(colleague.getByRole("button", { name: "Invite people" })).toHaveAttribute(
    "aria-disabled",
    "true",
  );
  await colleague.getByRole("button", { name: `Actions for ${ada.name}` }).click();
  await expect(colleague.getByRole("menuitem", { name: "Remove" })).toHaveAttribute(
    "aria-disabled",
    "true",
  );
});

test("the admin's stale view is told and reloaded", async ({ browser }) => {
  const second = await freshBrowser(browser);
  await signIn(second, ada);
  await second.goto(`/o/${organization.slug}/settings`);
  const switchButton = second.getByRole("button", { name: `Switch to ${organization.name}` });
  await expect(
    switchButton.or(second.getByRole("textbox", { name: "Name", exact: true })),
  ).toBeVisible();
  if (await switchButton.isVisible()) await switchButton.click();
  await expect(second.getByRole("textbox", { name: "Name", exact: true })).toHaveValue(
    organization.name,
  );

  await go(admin, "Organisation");
  await inspect(admin, "settings");
  await admin.getByRole("textbox", { name: "Name", exact: true }).fill("Harbour Works Ltd");
  await admin.getByRole("button", { name: "Save changes" }).click();
  await expect(admin.getByText("Saved", { exact: true })).toBeVisible();

  await second.getByRole("textbox", { name: "Name", exact: true }).fill("Overwritten");
  await second.getByRole("button", { name: "Save changes" }).click();
  await expect(second.getByText("Changed by someone else")).toBeVisible();
  await expect(second.getByRole("textbox", { name: "Name", exact: true })).toHaveValue(
    "Harbour Works Ltd",
  );
  await second.context().close();

  await admin.getByRole("textbox", { name: "Name", exact: true }).fill(organization.name);
  await admin.getByRole("button", { name: "Save changes" }).click();
  await expect(
    admin.getByRole("button", { name: new RegExp(`Organisation: ${organization.name}\\.`) }),
  ).toBeVisible();
});

test("the last owner can't be removed", async () => {
  await go(admin, "Members");
  await rowMenu(admin, ada.name, "Leave organisation");
  const dialog = admin.getByRole("dialog");
  await dialog.getByRole("button", { name: "Leave organisation" }).click();
  await expect(dialog.getByText("An organisation needs an owner")).toBeVisible();
  await dialog.getByRole("button", { name: "Cancel" }).click();
});

test("the admin removes the member, who loses access at once", async () => {
  await rowMenu(admin, ben.name, "Remove");
  const dialog = admin.getByRole("dialog");
  await expect(
    dialog.getByText(`${ben.name} (${ben.email}) loses access`, { exact: false }),
  ).toBeVisible();
  await inspect(admin, "member-remove");
  await dialog.getByRole("button", { name: "Remove from organisation" }).click();
  await expect(dialog).toBeHidden();
  await expect(admin.getByRole("link", { name: ben.name })).toBeHidden();

  await colleague.goto(`/o/${organization.slug}/members`);
  await expect(
    colleague.getByRole("heading", { name: "There is nothing at this address" }),
  ).toBeVisible();
  await colleague.goto("/");
  await expect(
    colleague.getByRole("heading", { level: 1, name: "You are in no organisation" }),
  ).toBeVisible();
});

test("the audit log shows each step, with filters that survive a reload", async () => {
  await go(admin, "Audit log");
  for (const code of [
    "organization.created",
    "invitation.created",
    "invitation.resent",
    "invitation.revoked",
    "invitation.accepted",
    "member.added",
    "member.role_changed",
    "organization.updated",
    "member.change_refused",
    "member.removed",
  ]) {
    await expect(admin.getByText(code, { exact: true }).first()).toBeVisible();
  }
  await inspect(admin, "audit");
  await admin.getByRole("combobox", { name: "Outcome" }).click();
  await admin.getByRole("option", { name: "Refused" }).click();
  await expect(admin).toHaveURL(/outcome=refused/);
  await expect(admin.getByText("member.removed", { exact: true })).toBeHidden();
  await admin.reload();
  await expect(admin.getByText("member.change_refused", { exact: true })).toBeVisible();
  await admin.getByRole("button", { name: "Clear filters" }).last().click();
  await expect(admin.getByText("member.removed", { exact: true })).toBeVisible();

  await admin.getByRole("link", { name: "Role changed" }).click();
  const drawer = admin.getByRole("dialog", { name: "Role changed" });
  await expect(drawer.getByText('"to": "manager"')).toBeVisible();
  await inspect(admin, "audit-details");
  await admin.keyboard.press("Escape");
  await expect(drawer).toBeHidden();
  await go(admin, "Overview");
  await expect(admin.getByRole("heading", { name: "Recent activity" })).toBeVisible();
  await inspect(admin, "overview");
});
