/**
 * Roles of an organisation's own: what they are for, what every role permits, and what one needs.
 * Proves CON-1, AZ-10 in the browser.
 */
import type { Page } from "@playwright/test";
import { expect, freshBrowser, inspect, signIn, test } from "./support/browser";
import { ada, organization } from "./support/people";

test.describe.configure({ mode: "serial" });

const place = `/o/${organization.slug}/roles`;

let admin: Page;

test.beforeAll(async ({ browser }) => {
  admin = await freshBrowser(browser);
});

test.afterAll(async () => {
  await admin.context().close();
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

test("a role needs a name and a permission", async () => {
  await admin.getByRole("button", { name: "Create role" }).first().click();
  const dialog = admin.getByRole("dialog", { name: "Create a role" });
  await dialog.getByRole("button", { name: "Create role" }).click();
  await expect(dialog.getByText("Please fill this in.")).toBeVisible();
  await expect(dialog.getByText("Tick at least one permission.")).toBeVisible();
  await dialog.getByRole("button", { name: "Cancel" }).click();
  await expect(dialog).toBeHidden();
});
