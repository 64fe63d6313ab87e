/**
 * Alerts: a rule of the organisation's own, what it raises, what people make of it, and how one is
 * told. Proves CON-1, AUD-5, AUD-6 in the browser.
 */
import type { Page } from "@playwright/test";
import { join, makeTeam, organizationOf } from "./support/api";
import { expect, freshBrowser, inspect, provenIfAsked, signIn, test } from "./support/browser";

test.describe.configure({ mode: "serial" });

const nora = {
  name: "Nora Weiss",
  email: "nora.weiss@alarm.example",
  password: "Velvet-canyon 58 tides",
};
const olga = {
  name: "Olga Brandt",
  email: "olga.brandt@alarm.example",
  password: "Marble-forest 61 lamps",
};
const place = "/o/alarm-works/alerts";

let id: string;
let owner: Page;
let auditor: Page;

const inbox = () => owner.getByRole("table", { name: "Alerts, newest first" });
const drawer = () => owner.getByRole("dialog", { name: "New teams" });

test.beforeAll(async ({ browser }) => {
  owner = await freshBrowser(browser);
  auditor = await freshBrowser(browser);
});

test.afterAll(async () => {
  await owner.context().close();
  await auditor.context().close();
});

test("while nothing stands out, the inbox says so", async () => {
  id = (await organizationOf("Alarm Works", nora)).id;
  await join(id, olga, "auditor");
  await signIn(owner, nora);
  await owner.goto(place);
  await expect(owner.getByRole("heading", { name: "No open alerts" })).toBeVisible();
  await expect(owner).toHaveTitle("Alerts · Alarm Works · Freehold");
  await inspect(owner, "alerts-empty");
});

test("the owner adds a rule of the organisation's own", async () => {
  await owner.getByRole("tab", { name: "Rules" }).click();
  await expect(owner).toHaveURL(/tab=rules/);
  await expect(owner.getByRole("heading", { name: "No rules of your own yet" })).toBeVisible();
  await owner.getByRole("button", { name: "Add rule" }).click();
  const dialog = owner.getByRole("dialog", { name: "Add a rule" });
  await dialog.getByRole("button", { name: "Add rule" }).click();
  await expect(dialog.getByText("Please fill this in.")).toHaveCount(2);
  await dialog.getByRole("textbox", { name: "Name" }).fill("New teams");
  await dialog.getByRole("combobox", { name: "Event" }).fill("team.created");
  await owner.getByRole("option", { name: /team\.created/ }).click();
  await dialog.getByRole("textbox", { name: "How many" }).fill("2");
  await inspect(owner, "alert-rule");
  await dialog.getByRole("button", { name: "Add rule" }).click();
  await expect(dialog).toBeHidden();
  const own = owner.getByRole("table", { name: "Rules of the organisation's own" });
  await expect(own.getByRole("row", { name: /New teams/ })).toContainText("2 within 1 hour");
  await inspect(owner, "alert-rules");
});

test("as much as the rule waits for is an alert, counted in the navigation", async () => {
  await makeTeam(id, "North");
  await makeTeam(id, "South");
  await owner.goto(place);
  await expect(async () => {
    await owner.reload();
    await expect(inbox().getByRole("row", { name: /New teams/ })).toBeVisible({ timeout: 2000 });
  }).toPass({ timeout: 30_000 });
  await expect(owner.getByLabel("1 open alert")).toBeVisible();
  await inspect(owner, "alerts");
});

test("an alert says what happened, and leads to it in the record", async () => {
  await inbox().getByRole("link", { name: "New teams" }).click();
  await expect(owner).toHaveURL(/open=/);
  await expect(drawer().getByText("2 times, in the organisation")).toBeVisible();
  await inspect(owner, "alert-details");
  await drawer().getByRole("link", { name: "Entry 1", exact: true }).click();
  await expect(owner.getByRole("dialog", { name: "Team created" })).toBeVisible();
  await owner.goBack();
  await expect(drawer()).toBeVisible();
});

test("an auditor reads and is told why no more", async () => {
  await signIn(auditor, olga);
  await auditor.goto(place);
  await auditor.getByRole("link", { name: "New teams" }).click();
  const button = auditor.getByRole("button", { name: "Acknowledge" });
  await expect(button).toHaveAttribute("aria-disabled", "true");
  await button.hover();
  await expect(auditor.getByRole("tooltip")).toContainText("It needs Admin or above.");
});

test("acknowledged, it leaves the inbox with a note, and can be opened again", async () => {
  await drawer().getByRole("button", { name: "Acknowledge" }).click();
  const dialog = owner.getByRole("dialog", { name: "Acknowledge “New teams”?" });
  await dialog.getByRole("textbox", { name: "Note" }).fill("We are growing");
  await inspect(owner, "alert-acknowledge");
  await dialog.getByRole("button", { name: "Acknowledge" }).click();
  await expect(dialog).toBeHidden();
  await expect(drawer().getByText("We are growing")).toBeVisible();
  await expect(drawer().getByText(nora.name, { exact: false })).toBeVisible();
  await owner.goto(place);
  await expect(owner.getByRole("heading", { name: "No open alerts" })).toBeVisible();
  await owner.goto(`${place}?state=acknowledged`);
  await inbox().getByRole("link", { name: "New teams" }).click();
  await drawer().getByRole("button", { name: "Open again" }).click();
  const again = owner.getByRole("dialog", { name: "Open “New teams” again?" });
  await again.getByRole("button", { name: "Open again" }).click();
  await expect(again).toBeHidden();
  await expect(drawer().getByText("Open", { exact: true })).toBeVisible();
});

test("a rule is muted with a proof of who one is; a critical one can't be", async () => {
  await owner.goto(`${place}?tab=rules`);
  const standard = owner.getByRole("table", { name: "Rules of the installation" });
  await standard
    .getByRole("button", { name: "Actions for Everybody's sessions were ended" })
    .click();
  const off = owner.getByRole("menuitem", { name: "Mute" });
  await expect(off).toHaveAttribute("aria-disabled", "true");
  await owner.keyboard.press("Escape");
  await standard.getByRole("button", { name: "Actions for Several accounts locked" }).click();
  await owner.getByRole("menuitem", { name: "Mute" }).click();
  const dialog = owner.getByRole("dialog", { name: "Mute “Several accounts locked”?" });
  await dialog.getByRole("button", { name: "Mute" }).click();
  const row = standard.getByRole("row", { name: /Several accounts locked/ });
  await provenIfAsked(owner, nora, row.getByText("Muted until", { exact: false }));
  // Whoever mutes raises an alert.
  await owner.goto(place);
  await expect(async () => {
    await owner.reload();
    const muted = inbox().getByRole("row", { name: /A rule of alerts was muted/ });
    await expect(muted).toContainText(nora.name, { timeout: 2000 });
  }).toPass({ timeout: 30_000 });
});

test("everybody chooses how they are told", async () => {
  await owner.getByRole("button", { name: "Mail settings" }).click();
  const dialog = owner.getByRole("dialog", { name: "How you are told of alerts" });
  await dialog.getByRole("combobox", { name: "Digest" }).click();
  await owner.getByRole("option", { name: "On Mondays at 06:00 UTC" }).click();
  await dialog.getByRole("switch", { name: "Tell me of critical alerts at once" }).click();
  await inspect(owner, "alerts-mail");
  await dialog.getByRole("button", { name: "Save changes" }).click();
  await expect(dialog).toBeHidden();
  await owner.goto(`${place}?dialog=mail`);
  await expect(dialog.getByRole("combobox", { name: "Digest" })).toHaveValue(
    "On Mondays at 06:00 UTC",
  );
  await expect(dialog.getByRole("switch")).not.toBeChecked();
});
