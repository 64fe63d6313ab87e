/** Wrong passwords lock; a known device is not concerned; managers and platform admins end it. Proves AUT-6, AZ-12, CON-1. */
import type { Page } from "@playwright/test";
import { organizationOf } from "./support/api";
import { expect, freshBrowser, inspect, provenIfAsked, signIn, test } from "./support/browser";
import { ada } from "./support/people";

const lena = {
  name: "Lena Fischer",
  email: "lena.fischer@lock.example",
  password: "Amber-window 39 larks",
};

test.describe.configure({ mode: "serial" });

test.beforeAll(async () => {
  await organizationOf("Lock Works", lena);
});

async function attempt(page: Page, password: string): Promise<void> {
  await page.getByRole("textbox", { name: "E-mail" }).fill(lena.email);
  await page.getByLabel(/^Password/).fill(password);
  await page.getByRole("button", { name: "Sign in" }).click();
}

/** The platform's accounts, narrowed down to one. */
async function openAccount(page: Page): Promise<void> {
  await page.goto(`/platform/accounts?email=${encodeURIComponent(lena.email)}`);
  const goThere = page.getByRole("button", { name: /^Switch to / });
  const list = page.getByRole("link", { name: lena.name });
  await expect(goThere.or(list).first()).toBeVisible();
  if (await goThere.first().isVisible()) await goThere.first().click();
  await expect(list).toBeVisible();
}

test("five wrong passwords lock, but not where one has signed in before", async ({
  page,
  browser,
}) => {
  // Her own browser is known from her first sign-in on.
  await signIn(page, lena);
  const stranger = await freshBrowser(browser);
  await stranger.goto("/sign-in");
  for (const guess of ["one", "two", "three", "four", "five"]) {
    await attempt(stranger, guess);
    await expect(stranger.getByRole("alert")).toContainText("E-mail or password is wrong");
    await expect(stranger.getByRole("button", { name: "Sign in" })).toBeEnabled();
  }
  await attempt(stranger, lena.password);
  await expect(stranger.getByRole("alert")).toContainText("Too many wrong passwords");
  await expect(stranger.getByRole("alert")).toContainText("Try again in 15 minutes.");
  await inspect(stranger, "sign-in-locked");
  await stranger.context().close();

  await page.getByRole("button", { name: `Menu of ${lena.name}` }).click();
  await page.getByRole("menuitem", { name: "Sign out" }).click();
  await expect(page.getByRole("heading", { name: "Sign in" })).toBeVisible();
  await signIn(page, lena);
});

test("a person sees where they are known, and has it forgotten", async ({ page }) => {
  await openOwn(page);
  const devices = page.getByRole("table", { name: "Your known devices" });
  await expect(devices.getByRole("row")).not.toHaveCount(0);
  await inspect(page, "known-devices");
  await page.getByRole("button", { name: "Forget all devices" }).click();
  const dialog = page.getByRole("dialog", { name: "Forget all your known devices?" });
  await inspect(page, "known-devices-forget");
  await dialog.getByRole("button", { name: "Forget all devices" }).click();
  await expect(page.getByText("No device is known")).toBeVisible();
});

/** Lena's account page in a browser that is not known: her lock has to be ended first. */
async function openOwn(page: Page): Promise<void> {
  await unlock(page);
  await signIn(page, lena);
  await page.goto("/account");
}

async function unlock(page: Page): Promise<void> {
  await signIn(page, ada);
  await openAccount(page);
  await expect(page.getByRole("row", { name: new RegExp(lena.name) })).toContainText("Locked");
  await inspect(page, "accounts-locked");
  await page.getByRole("link", { name: lena.name }).click();
  const details = page.getByRole("dialog", { name: lena.name });
  await expect(details).toContainText("After wrong passwords, until");
  await inspect(page, "account-locked");
  await details.getByRole("button", { name: "End lock" }).click();
  const dialog = page.getByRole("dialog", { name: `End the lock of ${lena.name}?` });
  await dialog.getByRole("button", { name: "End lock" }).click();
  await provenIfAsked(page, ada, page.getByText(`${lena.name} can sign in again`));
  await expect(details).toContainText("Not locked");
  await page.context().clearCookies();
}

test("an organisation that manages an account sees and ends its lock", async ({
  page,
  browser,
}) => {
  await signIn(page, ada);
  await openAccount(page);
  await page.getByRole("button", { name: `Actions for ${lena.name}` }).click();
  await page.getByRole("menuitem", { name: "Change manager…" }).click();
  const manager = page.getByRole("dialog", { name: `Who manages the account of ${lena.name}?` });
  await manager.getByRole("combobox", { name: "Managed by" }).click();
  await page.getByRole("option", { name: "Lock Works" }).click();
  await inspect(page, "account-manager");
  await manager.getByRole("button", { name: "Save changes" }).click();
  const done = page.getByText(`The account of ${lena.name} is managed by Lock Works`);
  await provenIfAsked(page, ada, done);
  await expect(page.getByRole("row", { name: new RegExp(lena.name) })).toContainText("Lock Works");

  const own = await freshBrowser(browser);
  await signIn(own, lena);
  await own.goto("/o/lock-works/managed-accounts");
  await expect(own.getByRole("link", { name: lena.name })).toBeVisible();
  await inspect(own, "managed-accounts");
  await own.getByRole("link", { name: lena.name }).click();
  const details = own.getByRole("dialog", { name: lena.name });
  await expect(details.getByRole("button", { name: "Block" })).toHaveAttribute(
    "aria-disabled",
    "true",
  );
  await expect(details.getByRole("button", { name: "End lock" })).toHaveAttribute(
    "aria-disabled",
    "true",
  );
  await inspect(own, "managed-account");

  // A stranger guesses again; she is signed in, sees it, and ends it.
  const stranger = await freshBrowser(browser);
  await stranger.goto("/sign-in");
  for (const guess of ["one", "two", "three", "four", "five"]) {
    await attempt(stranger, guess);
    await expect(stranger.getByRole("alert")).toContainText("E-mail or password is wrong");
    await expect(stranger.getByRole("button", { name: "Sign in" })).toBeEnabled();
  }
  await stranger.context().close();
  await own.reload();
  await expect(details).toContainText("After wrong passwords, until");
  await details.getByRole("button", { name: "End lock" }).click();
  const dialog = own.getByRole("dialog", { name: `End the lock of ${lena.name}?` });
  await dialog.getByRole("button", { name: "End lock" }).click();
  await provenIfAsked(own, lena, own.getByText(`${lena.name} can sign in again`));
  await expect(details).toContainText("Not locked");
  await own.context().close();
});
