/**
 * The overview shows what happened and what waits, and how long the record is kept can be seen and set.
 * Proves CON-2 and AUD-7 in the browser.
 */
import type { Page } from "@playwright/test";
import { organizationOf } from "./support/api";
import { expect, freshBrowser, inspect, signIn, test } from "./support/browser";

test.describe.configure({ mode: "serial" });

const wilma = {
  name: "Wilma Sandberg",
  email: "wilma@quayside.example",
  password: "Amber-lantern 58 reeds",
};

let page: Page;

test.beforeAll(async ({ browser }) => {
  page = await freshBrowser(browser);
});

test.afterAll(async () => {
  await page.context().close();
});

test("the overview has charts of the last days, and a table for who can't see them", async () => {
  await organizationOf("Quayside Works", wilma);
  await signIn(page, wilma);
  await page.goto("/o/quayside-works");
  await expect(page.getByRole("heading", { name: "Sign-ins", level: 2 })).toBeVisible();
  await expect(page.getByRole("columnheader", { name: "Signed in" })).toHaveCount(1);
  await expect(page.getByRole("link", { name: "Open alerts" })).toBeVisible();
  await page.getByText("7 days", { exact: true }).click();
  await expect(page).toHaveURL(/span=week/);
  await inspect(page, "overview-figures");
});

test("an organisation keeps its record longer, and not shorter", async () => {
  await page.goto("/o/quayside-works/security");
  await expect(page.getByRole("heading", { name: "Record", exact: true })).toBeVisible();
  await inspect(page, "settings-retention");
});

test("the overview says how many people have a second factor, and the access list who has none", async () => {
  await page.goto("/o/quayside-works");
  await expect(page.getByRole("heading", { name: "Second factors", level: 2 })).toBeVisible();
  const byRole = page.getByRole("list", { name: "By role" });
  await expect(byRole.getByRole("listitem")).toHaveText(/Owner.*0 of 2/);
  await expect(page.getByText("Nobody has a second factor yet.")).toBeVisible();
  await expect(page.getByRole("columnheader", { name: "With one" })).toHaveCount(1);
  await page.getByText("A year", { exact: true }).click();
  await expect(byRole.getByRole("listitem")).toHaveText(/Owner.*0 of 2/);
  await inspect(page, "overview-adoption");
  await page.getByRole("link", { name: "See who has none" }).click();
  await expect(page).toHaveURL(/factor=none/);
  await expect(page.getByRole("row", { name: /Wilma Sandberg.*None/ })).toBeVisible();
  await inspect(page, "access-list-without-factor");
});
