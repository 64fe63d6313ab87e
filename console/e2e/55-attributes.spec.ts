/**
 * Profile attributes: declared by an administrator, filled in by whoever each is for, found by
 * whole values, archived and removed. Proves CON-1, DAT-7 in the browser.
 */
import type { Page } from "@playwright/test";
import { expect, freshBrowser, inspect, provenIfAsked, signIn, test } from "./support/browser";
import { ada, eva, organization } from "./support/people";

test.describe.configure({ mode: "serial" });

const place = `/o/${organization.slug}/attributes`;

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

async function choose(page: Page, label: string, option: string | RegExp): Promise<void> {
  await page.getByRole("combobox", { name: label }).click();
  await page.getByRole("option", { name: option, exact: true }).click();
}

async function rowMenu(page: Page, name: string, item: string): Promise<void> {
  await page.getByRole("button", { name: `Actions for ${name}` }).click();
  await page.getByRole("menuitem", { name: item }).click();
}

test("an organisation without attributes is told what they are for", async () => {
  await signIn(admin, ada);
  await admin.goto(place);
  const goThere = admin.getByRole("button", { name: `Switch to ${organization.name}` });
  const empty = admin.getByRole("heading", { name: "No profile attributes yet" });
  await expect(goThere.or(empty).first()).toBeVisible();
  if (await goThere.isVisible()) await goThere.click();
  await expect(empty).toBeVisible();
  await expect(admin).toHaveTitle(`Profile attributes · ${organization.name} · Freehold`);
  await inspect(admin, "attributes-empty");
});

test("the administrator declares fields and sees how they will look", async () => {
  await admin.getByRole("button", { name: "Add attribute" }).first().click();
  const drawer = admin.getByRole("dialog", { name: "Add a profile attribute" });
  await drawer.getByRole("button", { name: "Add attribute" }).click();
  await expect(drawer.getByText("Please fill this in.")).toBeVisible();
  await drawer.getByRole("textbox", { name: "Label" }).fill("Emergency phone");
  await expect(drawer.getByRole("textbox", { name: "Key" })).toHaveValue("emergency_phone");
  await choose(admin, "Type", "Phone number");
  await drawer.getByRole("textbox", { name: "Description" }).fill("Whom to call for you");
  await choose(admin, "Who changes it", "The person, managers and admins");
  await choose(admin, "Encryption", /^hipaa/);
  await drawer.getByRole("switch", { name: "Searchable" }).click();
  await drawer.getByRole("switch", { name: "Required" }).click();
  const preview = drawer.getByRole("group", { name: "Preview" });
  await expect(preview.getByRole("textbox", { name: /^Emergency phone/ })).toBeVisible();
  await expect(preview.getByText("Sealed: hipaa")).toBeVisible();
  await inspect(admin, "attribute-create");
  await drawer.getByRole("button", { name: "Add attribute" }).click();
  await expect(drawer).toBeHidden();
  await expect(admin.getByRole("link", { name: "Emergency phone" })).toBeVisible();

  // A choice needs its options, and whoever changes a field has to see it.
  await admin.getByRole("button", { name: "Add attribute" }).click();
  await drawer.getByRole("textbox", { name: "Label" }).fill("Site");
  await choose(admin, "Type", "Choice");
  await choose(admin, "Who sees it", "Admins");
  await drawer.getByRole("button", { name: "Add attribute" }).click();
  await expect(drawer.getByText("List at least one option.")).toBeVisible();
  await expect(drawer.getByText("Whoever changes it has to see it.")).toBeVisible();
  await choose(admin, "Who sees it", "The person, managers and admins");
  const options = drawer.getByRole("combobox", { name: "Options" });
  for (const option of ["Harbour", "Hill"]) {
    await options.fill(option);
    await options.press("Enter");
  }
  await drawer.getByRole("button", { name: "Add attribute" }).click();
  await expect(drawer).toBeHidden();
  await rowMenu(admin, "Site", "Move up");
  await expect(admin.getByRole("row").nth(1)).toContainText("Site");
  await inspect(admin, "attributes");
});

test("a colleague fills in what is theirs, and reads the rest", async () => {
  await signIn(colleague, eva);
  await colleague.goto("/account");
  await expect(
    colleague.getByRole("heading", { name: `Your profile in ${organization.name}` }),
  ).toBeVisible();
  await expect(colleague.getByText("One required field is empty.")).toBeVisible();
  const phone = colleague.getByRole("textbox", { name: /^Emergency phone/ });
  await phone.fill("030 1234");
  await colleague.getByRole("button", { name: "Save profile" }).click();
  await expect(colleague.getByText("Must be a phone number with its country code")).toBeVisible();
  await inspect(colleague, "account-profile");
  await phone.fill("+4930123456");
  await colleague.getByRole("button", { name: "Save profile" }).click();
  await expect(colleague.getByText("The profile was saved")).toBeVisible();
  await expect(colleague.getByText("One required field is empty.")).toBeHidden();
});

test("the administrator reads and changes a member's profile, and finds them by it", async () => {
  await admin.goto(`/o/${organization.slug}/members`);
  await admin.getByRole("link", { name: eva.name }).click();
  const drawer = admin.getByRole("dialog", { name: eva.name });
  await expect(drawer.getByRole("textbox", { name: /^Emergency phone/ })).toHaveValue(
    "+4930123456",
  );
  await choose(admin, "Site", "Harbour");
  await drawer.getByRole("button", { name: "Save profile" }).click();
  await expect(admin.getByText("The profile was saved")).toBeVisible();
  await inspect(admin, "member-profile");
  await admin.goto(`/o/${organization.slug}/members?attribute=emergency_phone:%2B4930123456`);
  await expect(admin.getByRole("link", { name: eva.name })).toBeVisible();
  await expect(admin.getByRole("link", { name: ada.name })).toBeHidden();
  await inspect(admin, "members-by-attribute");
});

test("an attribute with values is archived before it is deleted", async () => {
  await admin.goto(place);
  await admin.getByRole("link", { name: "Emergency phone" }).click();
  const edit = admin.getByRole("dialog", { name: "Edit Emergency phone" });
  await choose(admin, "Encryption", "Not encrypted");
  await edit.getByRole("button", { name: "Save changes" }).click();
  await expect(edit.getByText("Members have values of this attribute")).toBeVisible();
  await admin.keyboard.press("Escape");
  await expect(edit).toBeHidden();
  await rowMenu(admin, "Emergency phone", "Archive");
  await admin.getByRole("dialog").getByRole("button", { name: "Archive" }).click();
  await expect(admin.getByText("Emergency phone was archived")).toBeVisible();
  await rowMenu(admin, "Emergency phone", "Delete");
  const dialog = admin.getByRole("dialog", { name: "Delete Emergency phone?" });
  await dialog.getByLabel("Type emergency_phone to confirm").fill("emergency_phone");
  await inspect(admin, "attribute-delete");
  await dialog.getByRole("button", { name: "Delete attribute" }).click();
  await provenIfAsked(admin, ada, admin.getByText("Emergency phone was deleted"));
  await expect(admin.getByRole("link", { name: "Emergency phone" })).toBeHidden();
});
