/**
 * Why somebody may or may not is said in words, and what a change of roles would do is seen before it is
 * made. Proves AZ-10 in the browser.
 */
import type { Locator, Page } from "@playwright/test";
import { join, makeRole, organizationOf, reads } from "./support/api";
import { expect, freshBrowser, inspect, signIn, test } from "./support/browser";
import { ada } from "./support/people";

test.describe.configure({ mode: "serial" });

const vera = {
  name: "Vera Holm",
  email: "vera@clear.example",
  password: "Linen-harvest 52 owls",
};
const mona = {
  name: "Mona Castell",
  email: "mona@clear.example",
  password: "Velvet-quarry 18 rain",
};
const max = { name: "Max Adeyemi", email: "max@clear.example", password: "Paper-harbour 77 elm" };
const place = "/o/clear-works/simulate";

let owner: Page;

const row = (name: string) => owner.getByRole("row", { name: new RegExp(name) });

/** A choice of a searchable list, on the page or in a dialog over it. */
async function choose(where: Page | Locator, label: string, text: string, option: string | RegExp) {
  const field = where.getByRole("combobox", { name: label });
  await field.click();
  await field.fill(text);
  await owner.getByRole("option", { name: option }).click();
}

async function propose(name: string, role: string) {
  await choose(owner, "Who", name, new RegExp(name));
  await owner.getByRole("combobox", { name: "Role" }).click();
  await owner.getByRole("option", { name: role, exact: true }).click();
  await owner.getByRole("button", { name: "Add to the proposal" }).click();
  await expect(
    owner.getByRole("list", { name: "Proposed changes" }).getByText(`becomes ${role}`),
  ).toBeVisible();
}

test.beforeAll(async ({ browser }) => {
  owner = await freshBrowser(browser);
});

test.afterAll(async () => {
  await owner.context().close();
});

test("who proposes nothing is told what this is for", async () => {
  const { id } = await organizationOf("Clear Works", vera);
  await makeRole(id, "Front desk", ["members_list"]);
  await join(id, mona, "manager");
  await join(id, max, "member");
  const members = `/v1/organizations/${id}/members`;
  await reads(mona, members, 3);
  await reads(mona, `/v1/organizations/${id}/teams`, 2);
  await reads(max, members, 2);
  await signIn(owner, vera);
  await owner.goto(place);
  await expect(owner.getByRole("heading", { name: "Nothing proposed yet" })).toBeVisible();
  await expect(owner).toHaveTitle("Simulate a change · Clear Works · Freehold");
  await inspect(owner, "simulate-empty");
});

test("a proposal shows who loses what they use, and who gains what they were refused", async () => {
  await propose("Mona", "Member");
  await propose("Max", "Manager");
  // What the guard counts is written every few seconds.
  await expect
    .poll(
      async () => {
        await owner.reload();
        await expect(row("Mona Castell")).toBeVisible();
        return await row("Mona Castell").textContent();
      },
      { timeout: 20_000 },
    )
    .toContain("used 5 times");
  await expect(row("Max Adeyemi")).toContainText("refused 2 times lately");
  // Those who would lose what they use come first.
  await expect(owner.locator("tbody tr").first()).toContainText("Mona Castell");
  await expect(
    owner.getByRole("list", { name: "Uses that would end, by operation" }),
  ).toContainText("members_list");
  await inspect(owner, "simulate");
  await owner.getByRole("link", { name: "Mona Castell" }).click();
  const drawer = owner.getByRole("dialog", { name: "Mona Castell" });
  await expect(drawer.getByRole("list", { name: "Loses" })).toContainText("used 3 times");
  await expect(drawer.getByText("They gain nothing.")).toBeVisible();
  await inspect(owner, "simulate-person");
  await owner.keyboard.press("Escape");
  await owner.getByRole("button", { name: /^Take out: Mona Castell/ }).click();
  await expect(row("Mona Castell")).toHaveCount(0);
  await owner.getByRole("button", { name: "Start again" }).click();
  await expect(owner.getByRole("heading", { name: "Nothing proposed yet" })).toBeVisible();
});

test("a proposal gives a custom role, and lets it permit something else", async () => {
  const add = owner.getByRole("button", { name: "Add to the proposal" });
  const proposed = owner.getByRole("list", { name: "Proposed changes" });
  await owner.getByRole("combobox", { name: "Change" }).click();
  await owner.getByRole("option", { name: "Give a member other custom roles" }).click();
  await choose(owner, "Who", "Max", /Max/);
  await choose(owner, "Custom roles", "Front", "Front desk");
  await owner.keyboard.press("Escape");
  await add.click();
  await expect(proposed.getByText("Max Adeyemi has Front desk directly")).toBeVisible();
  await expect(row("Max Adeyemi")).toContainText("refused 2 times lately");
  await owner.getByRole("combobox", { name: "Change" }).click();
  await owner.getByRole("option", { name: "Let a custom role permit something else" }).click();
  await choose(owner, "Custom role", "Front", "Front desk");
  await choose(owner, "Permissions", "invitations", /^The invitations/);
  await owner.keyboard.press("Escape");
  await add.click();
  await expect(proposed.getByText(/^Front desk now also permits: The invitations/)).toBeVisible();
  // Who opens the address of it sees the same.
  await owner.reload();
  await expect(proposed.getByText(/^Front desk now also permits: The invitations/)).toBeVisible();
  await expect(row("Max Adeyemi")).toContainText("2 operations");
  await inspect(owner, "simulate-custom-roles");
  await owner.getByRole("button", { name: "Start again" }).click();
});

test("an explanation names the rule, the way to it, and what else there is to pass", async () => {
  await owner.getByRole("button", { name: "Explain a decision" }).click();
  const dialog = owner.getByRole("dialog", { name: "Explain a decision" });
  const ask = async (name: string, operation: string) => {
    await choose(dialog, "Who", name, new RegExp(name));
    await choose(dialog, "Operation", operation, new RegExp(`^${operation}$`));
    await dialog.getByRole("button", { name: "Explain" }).click();
  };
  await ask("Max", "members_list");
  await expect(dialog.getByText("Max Adeyemi may not do this")).toBeVisible();
  await expect(dialog.getByText("The policy asks for Manager or above.")).toBeVisible();
  await inspect(owner, "explain-refused");
  await ask("Vera", "organizations_delete");
  await expect(dialog.getByText("Vera Holm may do this")).toBeVisible();
  await expect(dialog.getByText(/They have proven who they are within/)).toBeVisible();
  await ask("Mona", "members_get");
  await dialog.getByText("Their own", { exact: true }).click();
  await dialog.getByRole("button", { name: "Explain" }).click();
  await expect(dialog.getByText("Mona Castell may do this")).toBeVisible();
  await inspect(owner, "explain-allowed");
  await owner.keyboard.press("Escape");
});

test("the matrix of roles explains what is clicked on", async () => {
  await owner.goto("/o/clear-works/policies");
  await owner.getByRole("link", { name: "The members of an organisation, newest first" }).click();
  await owner.getByRole("button", { name: "Explain for somebody" }).click();
  const dialog = owner.getByRole("dialog", { name: "Explain a decision" });
  await choose(dialog, "Who", "Max", /Max/);
  await dialog.getByRole("button", { name: "Explain" }).click();
  await expect(dialog.getByText("Max Adeyemi may not do this")).toBeVisible();
  await inspect(owner, "policies-explain");
});

test("a refusal in the audit log says why", async () => {
  await owner.goto("/o/clear-works/audit?event=access.refused");
  await owner.locator("tbody").getByRole("link").first().click();
  await owner.getByRole("button", { name: "Why was this refused?" }).click();
  const dialog = owner.getByRole("dialog", { name: "Why was this refused?" });
  await expect(dialog.getByText(/may not do this/)).toBeVisible();
  await expect(dialog.getByText(/What was recorded: refused with forbidden/)).toBeVisible();
  await inspect(owner, "explain-recorded");
});

test("whoever may not look is told which role may", async ({ browser }) => {
  const member = await freshBrowser(browser);
  await signIn(member, max);
  await member.goto(place);
  await expect(
    member.getByText("Your role does not allow this. It needs Admin or above."),
  ).toBeVisible();
  await inspect(member, "simulate-forbidden");
  await member.context().close();
});

test("the platform sees what another rule would do everywhere, in numbers", async ({ browser }) => {
  const admin = await freshBrowser(browser);
  await signIn(admin, ada);
  const me = await (await admin.request.get("/v1/me")).json();
  const platform = me.organizations.find(({ kind }: { kind: string }) => kind === "platform");
  await admin.goto(`/o/${platform.slug}/simulate?operation=teams_list&role=admin`);
  const goThere = admin.getByRole("button", { name: `Switch to ${platform.name}` });
  const title = admin.getByRole("heading", { name: "Another rule for an operation" });
  await expect(goThere.or(title).first()).toBeVisible();
  if (await goThere.isVisible()) await goThere.click();
  const works = admin.getByRole("row", { name: /Clear Works/ });
  await expect(works).toBeVisible();
  await expect(admin.getByText(mona.email)).toHaveCount(0);
  await inspect(admin, "simulate-rules");
  await admin.context().close();
});
