/**
 * Teams: what a team gives is gained by being put in, by invitation too, and ends with it; each
 * dialog says for whom. Proves CON-1, AUT-4 in the browser.
 */
import type { Page } from "@playwright/test";
import { expect, freshBrowser, inspect, signIn, test } from "./support/browser";
import { invitationLink } from "./support/mail";
import { ada, eva, organization } from "./support/people";

test.describe.configure({ mode: "serial" });

const place = `/o/${organization.slug}/teams`;

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

/** A choice of a searchable list: the field filters while one types. */
async function choose(page: Page, label: string, text: string, option = text): Promise<void> {
  await page.getByRole("combobox", { name: label }).fill(text);
  await page.getByRole("option", { name: option }).click();
}

test("an organisation without teams is told what they are for", async () => {
  await signIn(admin, ada);
  await admin.goto(place);
  const goThere = admin.getByRole("button", { name: `Switch to ${organization.name}` });
  const empty = admin.getByRole("heading", { name: "No teams yet" });
  await expect(goThere.or(empty).first()).toBeVisible();
  if (await goThere.isVisible()) await goThere.click();
  await expect(empty).toBeVisible();
  await expect(admin).toHaveTitle(`Teams · ${organization.name} · Freehold`);
  await inspect(admin, "teams-empty");
});

test("the administrator creates a team that gives a role", async () => {
  await admin.getByRole("button", { name: "Create team" }).first().click();
  const dialog = admin.getByRole("dialog", { name: "Create a team" });
  await dialog.getByRole("button", { name: "Create team" }).click();
  await expect(dialog.getByText("Please fill this in.")).toBeVisible();
  await dialog.getByLabel("Name").fill("Support");
  await dialog.getByLabel("Description").fill("Answers whoever asks, from eight to six");
  await dialog.getByRole("combobox", { name: "Role it gives" }).click();
  await expect(admin.getByRole("option", { name: /^Admin/ })).toBeVisible();
  await expect(admin.getByRole("option", { name: /^Owner/ })).toBeHidden();
  await admin.getByRole("option", { name: /^Manager/ }).click();
  await inspect(admin, "team-create");
  await dialog.getByRole("button", { name: "Create team" }).click();

  // Straight to the team, which waits for people.
  const drawer = admin.getByRole("dialog", { name: "Support" });
  await expect(drawer.getByText("Nobody is in this team yet.")).toBeVisible();
  await expect(admin).toHaveURL(/open=/);
  await choose(admin, "Add a member", "ada", ada.name);
  await drawer.getByRole("button", { name: "Add", exact: true }).click();
  await expect(drawer.getByRole("listitem")).toContainText(ada.name);
  await admin.keyboard.press("Escape");
  await expect(drawer).toBeHidden();
});

test("two teams never have the same name", async () => {
  await admin.getByRole("button", { name: "Create team" }).first().click();
  const dialog = admin.getByRole("dialog", { name: "Create a team" });
  await dialog.getByLabel("Name").fill("SUPPORT");
  await dialog.getByRole("button", { name: "Create team" }).click();
  await expect(dialog.getByText("Another team has this name. Choose another.")).toBeVisible();
  await dialog.getByLabel("Name").fill("Choir");
  await dialog.getByRole("button", { name: "Create team" }).click();
  await expect(admin.getByRole("dialog", { name: "Choir" })).toBeVisible();
  await admin.keyboard.press("Escape");
  await admin.getByRole("searchbox", { name: /^Search by the beginning/ }).fill("sup");
  await expect(admin.getByRole("link", { name: "Choir" })).toBeHidden();
  await expect(admin.getByRole("link", { name: "Support", exact: true })).toBeVisible();
  await admin.getByRole("button", { name: "Clear filters" }).last().click();
  await expect(admin.getByRole("link", { name: "Choir" })).toBeVisible();
  await inspect(admin, "teams");
});

test("a colleague is invited into the team, and is in it from the first moment", async () => {
  const since = Date.now();
  await admin.goto(`/o/${organization.slug}/invitations?dialog=invite`);
  const dialog = admin.getByRole("dialog");
  await dialog.getByLabel("E-mail address").fill(eva.email);
  await dialog.getByRole("combobox", { name: "Teams" }).click();
  await expect(admin.getByRole("option", { name: "Support" })).toContainText("Gives Manager");
  await admin.getByRole("option", { name: "Support" }).click();
  await admin.getByRole("option", { name: "Choir" }).click();
  await dialog.getByLabel("E-mail address").focus();
  await inspect(admin, "invite-into-teams");
  await dialog.getByRole("button", { name: "Send invitation" }).click();
  await expect(dialog).toBeHidden();

  await colleague.goto(await invitationLink(eva.email, since));
  await expect(colleague.getByText("Choir, Support")).toBeVisible();
  await inspect(colleague, "invitation-teams");
  await colleague.getByLabel("Your name").fill(eva.name);
  await colleague.getByLabel("Choose a password").fill(eva.password);
  await colleague.getByRole("button", { name: "Create account and join" }).click();
  const navigation = colleague.getByRole("navigation", { name: "Main navigation" });
  await navigation.getByRole("link", { name: "Teams" }).click();
  await expect(colleague.getByRole("link", { name: "Support", exact: true })).toBeVisible();
  const create = colleague.getByRole("button", { name: "Create team" });
  await expect(create).toHaveAttribute("aria-disabled", "true");
  await create.hover();
  await expect(colleague.getByRole("tooltip")).toContainText("It needs Admin or above.");
  await colleague.getByRole("link", { name: "Support", exact: true }).click();
  await expect(colleague.getByRole("dialog", { name: "Support" })).toContainText(eva.name);
  await inspect(colleague, "team-as-manager");
});

test("a team and a member say where a role comes from", async () => {
  await admin.goto(place);
  await admin.getByRole("link", { name: "Support", exact: true }).click();
  const drawer = admin.getByRole("dialog", { name: "Support" });
  const row = drawer.getByRole("listitem").filter({ hasText: eva.name });
  await expect(row).toContainText("Manager by team");
  await inspect(admin, "team");
  await drawer.getByRole("button", { name: "Edit" }).click();
  const edit = admin.getByRole("dialog", { name: "Edit Support" });
  await edit.getByRole("combobox", { name: "Role it gives" }).click();
  await admin.getByRole("option", { name: /^Auditor/ }).click();
  await expect(edit.getByText("holds for all 2 members", { exact: false })).toBeVisible();
  await inspect(admin, "team-edit");
  await edit.getByRole("button", { name: "Cancel" }).click();

  await admin.goto(`/o/${organization.slug}/members?search=eva`);
  await admin.getByRole("link", { name: eva.name }).click();
  const member = admin.getByRole("dialog", { name: eva.name });
  await expect(member.getByRole("listitem").filter({ hasText: "Support" })).toContainText(
    "Manager",
  );
  await expect(member.getByText("In effect")).toBeVisible();
  await inspect(admin, "member-in-teams");
});

test("who is taken out loses what the team gave, as its dialog says", async () => {
  await admin.goto(place);
  await admin.getByRole("button", { name: "Actions for Support" }).click();
  await admin.getByRole("menuitem", { name: "Delete" }).click();
  const dialog = admin.getByRole("dialog", { name: "Delete the team Support?" });
  await expect(dialog.getByText(`${eva.name} is no longer Manager, only Member.`)).toBeVisible();
  await expect(dialog.getByText(ada.name, { exact: false })).toBeHidden();
  await inspect(admin, "team-delete");
  await dialog.getByRole("button", { name: "Cancel" }).click();

  await admin.getByRole("link", { name: "Support", exact: true }).click();
  await admin.getByRole("button", { name: `Remove ${eva.name} from Support` }).click();
  const remove = admin.getByRole("dialog", { name: `Remove ${eva.name} from Support?` });
  await expect(remove.getByText(`${eva.name} is no longer Manager, only Member.`)).toBeVisible();
  await inspect(admin, "team-member-remove");
  await remove.getByRole("button", { name: "Remove from team" }).click();
  await expect(remove).toBeHidden();
  const drawer = admin.getByRole("dialog", { name: "Support" });
  await expect(drawer.getByText(eva.name)).toBeHidden();
  await colleague.goto(place);
  await expect(colleague.getByRole("heading", { name: "You can't see this page" })).toBeVisible();
  await inspect(colleague, "teams-forbidden");
});

test("a team is deleted, and the record has every step", async () => {
  await admin
    .getByRole("dialog", { name: "Support" })
    .getByRole("button", { name: "Delete" })
    .click();
  const dialog = admin.getByRole("dialog", { name: "Delete the team Support?" });
  await expect(dialog.getByText("Nobody's rights change.")).toBeVisible();
  await dialog.getByRole("button", { name: "Delete team" }).click();
  await expect(dialog).toBeHidden();
  await expect(admin.getByRole("link", { name: "Support", exact: true })).toBeHidden();
  await expect(admin.getByRole("link", { name: "Choir" })).toBeVisible();
  await admin.goto(`/o/${organization.slug}/audit`);
  for (const code of ["created", "member_added", "member_removed", "deleted"]) {
    await expect(admin.getByText(`team.${code}`, { exact: true }).first()).toBeVisible();
  }
});
