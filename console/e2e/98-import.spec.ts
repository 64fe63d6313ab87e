/**
 * People from a file: it is looked at before it is sent, checked before anybody is asked, and each
 * line says what became of it; and people into a file. Proves CON-1, AUT-9 in the browser.
 */
import { readFile } from "node:fs/promises";
import type { Page } from "@playwright/test";
import { expect, freshBrowser, inspect, provenIfAsked, signIn, test } from "./support/browser";
import { invitationLink } from "./support/mail";
import { ada, organization } from "./support/people";

test.describe.configure({ mode: "serial" });

const place = `/o/${organization.slug}/imports`;

let admin: Page;

test.beforeAll(async ({ browser }) => {
  admin = await freshBrowser(browser);
});

test.afterAll(async () => {
  await admin.context().close();
});

/** Lets the dialog have a file, as if a person had chosen it. */
async function choose(name: string, text: string): Promise<void> {
  const file = { name, mimeType: "text/csv", buffer: Buffer.from(text) };
  await admin.getByRole("dialog").locator('input[type="file"]').setInputFiles(file);
}

test("who has imported nothing yet is told what for and how", async () => {
  await signIn(admin, ada);
  await admin.goto(place);
  const goThere = admin.getByRole("button", { name: `Switch to ${organization.name}` });
  const empty = admin.getByRole("heading", { name: "Nothing imported yet" });
  await expect(goThere.or(empty).first()).toBeVisible();
  if (await goThere.isVisible()) await goThere.click();
  await expect(empty).toBeVisible();
  await inspect(admin, "import-empty");
});

test("a file with a column that nobody knows is refused before it is sent", async () => {
  await admin.getByRole("button", { name: "Import people" }).first().click();
  const dialog = admin.getByRole("dialog", { name: "Import people from a file" });
  await choose("shoes.csv", "email,shoe_size\nada@else.example,42\n");
  await expect(dialog.getByRole("alert")).toContainText("Not known: shoe_size");
  await expect(dialog.getByRole("button", { name: "Upload and check" })).toBeDisabled();
});

test("a file is looked at, checked, and nobody was asked yet", async () => {
  const dialog = admin.getByRole("dialog", { name: "Import people from a file" });
  const since = Date.now();
  await choose(
    "people.csv",
    [
      "email;name;role;custom_roles",
      "fay@harbour.example;Fay Moreau;member;",
      'gus@harbour.example;"Gus; the younger";manager;',
      "nobody;Nobody;member;",
      `${ada.email};Ada;member;`,
      "hal@harbour.example;Hal;captain;",
    ].join("\n"),
  );
  await expect(dialog.getByRole("cell", { name: "Gus; the younger" })).toBeVisible();
  await inspect(admin, "import-new");
  await dialog.getByRole("button", { name: "Upload and check" }).click();
  const drawer = admin.getByRole("dialog", { name: "Import" });
  await provenIfAsked(admin, ada, drawer.getByText("Checked", { exact: true }));
  await expect(drawer.getByText("2 would be invited")).toBeVisible();
  await expect(drawer.getByRole("row", { name: /^4 Refused email Is not written/ })).toBeVisible();
  await expect(
    drawer.getByRole("row", { name: /^5 There before email Is a member/ }),
  ).toBeVisible();
  await expect(drawer.getByRole("row", { name: /^6 Refused role Is no role here/ })).toBeVisible();
  await inspect(admin, "import-checked");
  await expect(invitationLinkSoon("fay@harbour.example", since)).rejects.toThrow();
});

async function invitationLinkSoon(to: string, since: number): Promise<string> {
  const none = new Promise<string>((_, reject) =>
    setTimeout(() => reject(new Error("no letter")), 1500),
  );
  return Promise.race([invitationLink(to, since), none]);
}

test("the lines that are refused can be looked at alone", async () => {
  const drawer = admin.getByRole("dialog", { name: "Import" });
  await drawer.getByRole("combobox", { name: "Outcome" }).click();
  await admin.getByRole("option", { name: "Refused" }).click();
  await expect(admin).toHaveURL(/outcome=refused/);
  await expect(drawer.getByRole("row")).toHaveCount(3);
  const [download] = await Promise.all([
    admin.waitForEvent("download"),
    drawer.getByRole("button", { name: "Download report" }).click(),
  ]);
  expect(download.suggestedFilename()).toBe("import-report.csv");
  const report = await readFile(await download.path(), "utf8");
  expect(report).toContain("6,refused,unknown_role,role");
});

test("the good lines are invited once somebody says so", async () => {
  const since = Date.now();
  const drawer = admin.getByRole("dialog", { name: "Import" });
  await drawer.getByRole("button", { name: "Send invitations" }).click();
  const confirm = admin.getByRole("dialog", { name: "Send 2 invitations?" });
  await inspect(admin, "import-confirm");
  await confirm.getByRole("button", { name: "Send invitations" }).click();
  await provenIfAsked(admin, ada, drawer.getByText("Finished", { exact: true }));
  await expect(drawer.getByText("2 invited")).toBeVisible();
  await inspect(admin, "import-finished");
  await invitationLink("gus@harbour.example", since);
  await admin.keyboard.press("Escape");
  await expect(admin.getByRole("table", { name: /Imports/ }).getByText("Finished")).toBeVisible();
  await inspect(admin, "imports");
});

test("members are exported as a file", async () => {
  await admin.goto(`/o/${organization.slug}/members`);
  await admin.getByRole("button", { name: "Export" }).click();
  const csv = admin.getByRole("menuitem", { name: "As CSV (spreadsheet)" });
  await expect(csv).toBeVisible();
  const waiting = admin.waitForEvent("download");
  await csv.click();
  await provenIfAsked(admin, ada, admin.getByText("The file was downloaded"));
  const download = await waiting;
  expect(download.suggestedFilename()).toBe("members.csv");
  const text = await readFile(await download.path(), "utf8");
  expect(text).toContain("email,name,role,custom_roles,teams,state,joined_at,last_sign_in_at");
  expect(text).toContain(ada.email);
});
