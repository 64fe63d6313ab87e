/** Codes by e-mail, and browsers that are trusted for a while. Proves MFA-2, MFA-4, CON-1. */
import type { Page } from "@playwright/test";
import { join, organizationOf, settings } from "./support/api";
import { expect, inspect, provenIfAsked, signIn, stale, test } from "./support/browser";
import { codesWereSentLongAgo } from "./support/database";
import { mailedCode } from "./support/mail";

const olga = {
  name: "Olga Reuter",
  email: "olga.reuter@letterbox.example",
  password: "Silver-meadow 73 kites",
};
const piet = {
  name: "Piet Maas",
  email: "piet.maas@letterbox.example",
  password: "Copper-lantern 58 reeds",
};

const rosa = {
  name: "Rosa Lenz",
  email: "rosa.lenz@letterbox.example",
  password: "Velvet-harbour 29 oaks",
};
let organization = "";

test.describe.configure({ mode: "serial" });
// Proofs get too old meanwhile.
test.slow();

test.beforeAll(async () => {
  organization = (await organizationOf("Letterbox Works", olga)).id;
  await join(organization, piet, "member");
  await join(organization, rosa, "member");
});

async function password(page: Page): Promise<void> {
  await page.goto("/sign-in");
  await page.getByRole("textbox", { name: "E-mail" }).fill(piet.email);
  await page.getByLabel(/^Password/).fill(piet.password);
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
}

const home = (page: Page) => page.getByRole("navigation", { name: "Main navigation" });
const field = (page: Page) => page.getByLabel(/^Code from the e-mail/);

test("a person has codes sent by e-mail, and is told how weak they are", async ({ page }) => {
  await signIn(page, piet);
  await page.goto("/account");
  await expect(page.getByRole("heading", { name: "Codes by e-mail" })).toBeVisible();
  await expect(page.getByText("Whoever reads your mailbox has these codes")).toBeVisible();
  const since = Date.now();
  await page.getByRole("button", { name: "Switch on" }).click();
  await provenIfAsked(page, piet, field(page));
  await field(page).fill("000000");
  await page.keyboard.press("Enter");
  await expect(page.getByText("That code is wrong")).toBeVisible();
  await inspect(page, "email-codes-confirm");
  await field(page).fill(await mailedCode(piet.email, since));
  await page.keyboard.press("Enter");
  await expect(page.getByRole("button", { name: "Switch off" })).toBeVisible();
  await inspect(page, "email-codes-on");
});

test("signing in sends one when it is asked for, and the browser can be trusted", async ({
  page,
}) => {
  await codesWereSentLongAgo();
  await password(page);
  await expect(page.getByRole("heading", { name: "Prove your second factor" })).toBeVisible();
  await inspect(page, "sign-in-email-code");
  const since = Date.now();
  await page.getByRole("button", { name: "Send me a code" }).click();
  await expect(page.getByText(/Another can be sent in \d+ seconds?/)).toBeVisible();
  await expect(field(page)).toHaveAttribute("autocomplete", "one-time-code");
  await field(page).fill(await mailedCode(piet.email, since));
  await page.getByRole("checkbox", { name: "Trust this browser for 14 days" }).check();
  await inspect(page, "sign-in-email-code-sent");
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  await expect(home(page)).toBeVisible();

  // Signed out and in again, the password is enough; a fresh proof takes the code all the same.
  await page.request.delete("/v1/session", {
    headers: { "x-csrf-token": await csrf(page), origin: new URL(page.url()).origin },
  });
  await password(page);
  await expect(home(page)).toBeVisible();
  await page.goto("/account");
  await expect(page.getByRole("heading", { name: "Trusted devices" })).toBeVisible();
  await inspect(page, "trusted-devices");
  await stale(page);
  await codesWereSentLongAgo();
  await page.getByRole("button", { name: "Switch off" }).click();
  await page
    .getByRole("dialog", { name: "Switch off codes by e-mail?" })
    .getByRole("button", { name: "Switch off" })
    .click();
  const proof = page.getByRole("dialog", { name: "Confirm that it is you" });
  await proof.getByLabel(/^Password/).fill(piet.password);
  const asked = Date.now();
  await proof.getByRole("button", { name: "Send me a code" }).click();
  await expect(proof.getByText(/Another can be sent/)).toBeVisible();
  await inspect(page, "proof-email-code");
  await proof.getByRole("button", { name: "Cancel" }).click();
  await page.keyboard.press("Escape");
  expect(await mailedCode(piet.email, asked)).toMatch(/^\d{6}$/);
});

test("a device is trusted no more, and the next sign-in there asks again", async ({ page }) => {
  await codesWereSentLongAgo();
  await password(page);
  const since = Date.now();
  await page.getByRole("button", { name: "Send me a code" }).click();
  await page.getByRole("checkbox", { name: "Trust this browser for 14 days" }).check();
  await field(page).fill(await mailedCode(piet.email, since));
  await page.keyboard.press("Enter");
  await expect(home(page)).toBeVisible();
  await page.goto("/account");
  const devices = page.getByRole("table", { name: "Devices that you trust" });
  await expect(devices.getByRole("row")).toHaveCount(3);
  await devices
    .getByRole("button", { name: /^Trust .* no more$/ })
    .first()
    .click();
  await page.getByRole("dialog").getByRole("button", { name: "Trust no more" }).click();
  await expect(devices.getByRole("row")).toHaveCount(2);
  await page.getByRole("button", { name: "Trust none" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Trust none" }).click();
  await expect(page.getByText("You trust no device")).toBeVisible();
  await page.context().clearCookies({ name: /access|refresh|csrf/ });
  await password(page);
  await expect(page.getByRole("button", { name: "Send me a code" })).toBeVisible();
});

test("who must have a second factor can have codes sent where those count", async ({ page }) => {
  await settings(organization, { mfa: { required_from: "member", grace_days: 0 } });
  await signIn(page, rosa);
  const wall = page.getByRole("heading", { name: "Set up a second factor to go on" });
  await expect(wall).toBeVisible();
  const since = Date.now();
  await page.getByRole("button", { name: "Switch on" }).click();
  await provenIfAsked(page, rosa, field(page));
  await inspect(page, "second-factor-wall-email-codes");
  await field(page).fill(await mailedCode(rosa.email, since));
  await page.keyboard.press("Enter");
  await expect(wall).toBeHidden();
  await expect(page.getByText("Your role needs a second factor")).toBeHidden();
});

async function csrf(page: Page): Promise<string> {
  const cookies = await page.context().cookies();
  return cookies.find(({ name }) => name.endsWith("freehold_csrf"))?.value ?? "";
}
