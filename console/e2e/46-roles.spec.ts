/**
 * Roles of an organisation's own: composed by ticking, given beside a role, seen by whoever holds
 * one, changed and deleted; and the table of what every role permits. Proves CON-1, AZ-10, AZ-8 in
 * the browser.
 */
import type { Page } from "@playwright/test";
import { expect, freshBrowser, inspect, provenIfAsked, signIn, test } from "./support/browser";
import { ada, eva, organization } from "./support/people";

test.describe.configure({ mode: "serial" });

const place = `/o/${organization.slug}/roles`;

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

test("an organisation without roles of its own is told what they are for", async () => {
  await signIn(admin, ada);
  await admin.goto(place);
  const goThere = admin.getByRole("button", { name: `Switch to ${organization.name}` });
  const empty = admin.getByRole("heading", { name: "No roles of your own yet" });
  await expect(goThere.or(empty).first()).toBeVisible();
  if (await goThere.isVisible()) await goThere.click();
  await expect(empty).toBeVisible();
  await expect(admin).toHaveTitle(`Roles · ${organization.name} · Freehold`);
  const matrix = admin.getByRole("table", { name: "Permissions by role" });
  const invite = matrix.getByRole("row", { name: /Invite a person to this organisation/ });
  await expect(invite.getByRole("cell")).toHaveText(["Yes", "Yes", "No", "No", "No"]);
  await inspect(admin, "roles-empty");
});

test("the administrator composes a role by ticking what it permits", async () => {
  await admin.getByRole("button", { name: "Create role" }).first().click();
  const dialog = admin.getByRole("dialog", { name: "Create a role" });
  await dialog.getByRole("button", { name: "Create role" }).click();
  await expect(dialog.getByText("Please fill this in.")).toBeVisible();
  await expect(dialog.getByText("Tick at least one permission.")).toBeVisible();
  await dialog.getByRole("textbox", { name: "Name", exact: true }).fill("Reception");
  await dialog
    .getByRole("textbox", { name: "Description" })
    .fill("Knows who is in the house, and asks people in");
  await dialog.getByLabel("The members of an organisation, newest first").check();
  await dialog.getByRole("searchbox", { name: "Search permissions" }).fill("invitations");
  await dialog.getByLabel("Invite a person to this organisation by e-mail").check();
  await expect(dialog.getByText(/^2 of \d+$/)).toBeVisible();
  await inspect(admin, "role-create");
  await dialog.getByRole("button", { name: "Create role" }).click();
  await expect(dialog).toBeHidden();
  const own = admin.getByRole("table", { name: "Roles of the organisation's own" });
  await expect(own.getByRole("row", { name: /Reception/ })).toContainText("2 permissions");
  await expect(own.getByRole("row", { name: /Reception/ })).toContainText("Nobody");
});

test("no role has the name of another, or of a given one", async () => {
  await admin.getByRole("button", { name: "Create role" }).first().click();
  const dialog = admin.getByRole("dialog", { name: "Create a role" });
  await dialog.getByRole("textbox", { name: "Name", exact: true }).fill("OWNER");
  await dialog.getByLabel("The teams of an organisation, newest first").check();
  await dialog.getByRole("button", { name: "Create role" }).click();
  await expect(dialog.getByText("Another role has this name.", { exact: false })).toBeVisible();
  await dialog.getByRole("button", { name: "Cancel" }).click();
});

test("a member gets it beside their role, and may what it permits from then on", async () => {
  await signIn(colleague, eva);
  await colleague.goto(`/o/${organization.slug}/members`);
  await expect(colleague.getByRole("heading", { name: "You can't see this page" })).toBeVisible();

  await admin.goto(`/o/${organization.slug}/members?search=eva`);
  await admin.getByRole("button", { name: `Actions for ${eva.name}` }).click();
  await admin.getByRole("menuitem", { name: "Change role" }).click();
  const dialog = admin.getByRole("dialog", { name: new RegExp(eva.name) });
  await dialog.getByRole("combobox", { name: "Roles of your own" }).click();
  await admin.getByRole("option", { name: /^Reception/ }).click();
  await dialog.getByRole("combobox", { name: "Roles of your own" }).blur();
  await inspect(admin, "role-give");
  await dialog.getByRole("button", { name: "Change role" }).click();
  await expect(dialog).toBeHidden();
  await expect(admin.getByRole("row", { name: new RegExp(eva.name) })).toContainText("Reception");
  await inspect(admin, "members-with-roles");

  await colleague.reload();
  await expect(colleague.getByRole("link", { name: ada.name })).toBeVisible();
  await expect(colleague.getByRole("row", { name: new RegExp(eva.name) })).toContainText(
    "Reception",
  );
});

test("the table shows it beside the given roles, and can be searched", async () => {
  await admin.goto(place);
  const matrix = admin.getByRole("table", { name: "Permissions by role" });
  const invite = matrix.getByRole("row", { name: /Invite a person to this organisation/ });
  await expect(invite.getByRole("cell")).toHaveText(["Yes", "Yes", "No", "No", "No", "Yes"]);
  await inspect(admin, "roles");
  await admin.getByRole("searchbox", { name: "Search permissions" }).fill("audit");
  await expect(invite).toBeHidden();
  await expect(matrix.getByRole("row", { name: /audit_list/ })).toBeVisible();
  await expect(admin).toHaveURL(/search=audit/);
  await admin.goto(place);
});

test("a change says for whom it holds, and holds at once", async () => {
  await admin.getByRole("button", { name: "Actions for Reception" }).click();
  await admin.getByRole("menuitem", { name: "Edit" }).click();
  const dialog = admin.getByRole("dialog", { name: "Edit Reception" });
  await dialog.getByLabel("The members of an organisation, newest first").uncheck();
  await dialog.getByLabel("The teams of an organisation, newest first").check();
  await expect(dialog.getByText("The change holds for 1 member", { exact: false })).toBeVisible();
  await inspect(admin, "role-edit");
  await dialog.getByRole("button", { name: "Save" }).click();
  await provenIfAsked(admin, ada, admin.getByText("The role Reception was changed"));
  await colleague.goto(`/o/${organization.slug}/teams`);
  await expect(colleague.getByRole("link", { name: "Choir" })).toBeVisible();
  await colleague.goto(`/o/${organization.slug}/members`);
  await expect(colleague.getByRole("heading", { name: "You can't see this page" })).toBeVisible();
});

test("deleting it says who loses it", async () => {
  await admin.getByRole("button", { name: "Actions for Reception" }).click();
  await admin.getByRole("menuitem", { name: "Delete" }).click();
  const dialog = admin.getByRole("dialog", { name: "Delete the role Reception?" });
  await expect(dialog.getByText("It is taken from 1 member", { exact: false })).toBeVisible();
  await inspect(admin, "role-delete");
  await dialog.getByRole("button", { name: "Delete role" }).click();
  await expect(dialog).toBeHidden();
  await expect(admin.getByRole("heading", { name: "No roles of your own yet" })).toBeVisible();
  await colleague.goto(place);
  await expect(colleague.getByRole("heading", { name: "You can't see this page" })).toBeVisible();
  await inspect(colleague, "roles-forbidden");
  await admin.goto(`/o/${organization.slug}/audit`);
  for (const code of ["created", "updated", "deleted"]) {
    await expect(admin.getByText(`custom_role.${code}`, { exact: true }).first()).toBeVisible();
  }
});
