/**
 * Service accounts: a program gets a key that is shown once, calls with it, and is refused at once
 * when the key is revoked or its account disabled. Proves SES-6 in the browser.
 */
import type { Page } from "@playwright/test";
import { expect, freshBrowser, inspect, provenIfAsked, signIn, test } from "./support/browser";
import { ada, eva, organization, server } from "./support/people";

test.describe.configure({ mode: "serial" });

const place = `/o/${organization.slug}/service-accounts`;

let admin: Page;
let key = "";

test.beforeAll(async ({ browser }) => {
  admin = await freshBrowser(browser);
});

test.afterAll(async () => {
  await admin.context().close();
});

/** What the API answers to the key. */
async function call(path: string): Promise<number> {
  const response = await fetch(`${server.url}${path}`, {
    headers: { authorization: `Bearer ${key}` },
  });
  return response.status;
}

async function members(): Promise<string> {
  const me = await (await admin.request.get("/v1/me")).json();
  return `/v1/organizations/${me.organization.id}/members`;
}

test("an organisation without service accounts is told what they are for", async () => {
  await signIn(admin, ada);
  await admin.goto(place);
  const goThere = admin.getByRole("button", { name: `Switch to ${organization.name}` });
  const empty = admin.getByRole("heading", { name: "No service accounts yet" });
  await expect(goThere.or(empty).first()).toBeVisible();
  if (await goThere.isVisible()) await goThere.click();
  await expect(empty).toBeVisible();
  await expect(admin).toHaveTitle(`Service accounts · ${organization.name} · Freehold`);
  await inspect(admin, "service-accounts-empty");
});

test("the administrator makes one, and a key that is shown once", async () => {
  await admin.getByRole("button", { name: "Create service account" }).first().click();
  const dialog = admin.getByRole("dialog", { name: "Create a service account" });
  await dialog.getByRole("button", { name: "Create service account" }).click();
  await expect(dialog.getByText("Please fill this in.")).toBeVisible();
  await dialog.getByLabel("Name").fill("Shift planner");
  await dialog.getByLabel("Description").fill("Reads who works when");
  await dialog.getByRole("combobox", { name: "Role" }).click();
  await admin.getByRole("option", { name: /^Manager/ }).click();
  await inspect(admin, "service-account-create");
  await dialog.getByRole("button", { name: "Create service account" }).click();

  const drawer = admin.getByRole("dialog", { name: "Shift planner", exact: true });
  await expect(drawer.getByText("It has no keys yet", { exact: false })).toBeVisible();
  await drawer.getByRole("button", { name: "Create key" }).click();
  const form = admin.getByRole("dialog", { name: "Create a key for Shift planner" });
  await form.getByLabel("Name").fill("Production");
  await form.getByLabel("Only from these networks").first().fill("example.com");
  await admin.keyboard.press("Enter");
  await form.getByRole("button", { name: "Create key" }).click();
  const fault = form.getByText("Must be an address or a network", { exact: false });
  await provenIfAsked(admin, ada, fault);
  await form.getByLabel("Only from these networks").first().focus();
  await admin.keyboard.press("Backspace");
  await form.getByLabel("Only from these networks").first().fill("127.0.0.0/8");
  await admin.keyboard.press("Enter");
  await inspect(admin, "api-key-create");
  await form.getByRole("button", { name: "Create key" }).click();
  const shown = admin.getByRole("dialog", { name: "Your new key" });
  await provenIfAsked(admin, ada, shown.getByText("Copy the key now"));
  key = (await shown.getByText(/^fhk_/).innerText()).trim();
  expect(key).toMatch(/^fhk_[0-9A-Za-z]{72}$/);
  await inspect(admin, "api-key-once");
  await shown.getByRole("button", { name: "I have copied it" }).click();
  await expect(shown).toBeHidden();
  await expect(drawer.getByRole("listitem")).toContainText("Production");
  await expect(drawer.getByText(key)).toHaveCount(0);
});

test("the program calls, and the console says when it did", async () => {
  expect(await call(await members())).toBe(200);
  expect(await call("/v1/me")).toBe(403);
  const drawer = admin.getByRole("dialog", { name: "Shift planner", exact: true });
  await expect(async () => {
    await admin.reload();
    await expect(drawer.getByText("from 127.0.0.1", { exact: false })).toBeVisible();
  }).toPass({ timeout: 20_000 });
  await inspect(admin, "service-account");
});

test("a disabled account's keys are refused until it is enabled", async () => {
  const drawer = admin.getByRole("dialog", { name: "Shift planner", exact: true });
  await drawer.getByRole("button", { name: "Disable" }).click();
  const dialog = admin.getByRole("dialog", { name: "Disable Shift planner?" });
  await expect(dialog.getByText("Its 1 key will be refused at once.")).toBeVisible();
  await inspect(admin, "service-account-disable");
  await dialog.getByRole("button", { name: "Disable" }).click();
  await expect(drawer.getByText("Disabled", { exact: true })).toBeVisible();
  expect(await call(await members())).toBe(401);
  await drawer.getByRole("button", { name: "Enable" }).click();
  await admin
    .getByRole("dialog", { name: "Enable Shift planner?" })
    .getByRole("button", { name: "Enable" })
    .click();
  await provenIfAsked(admin, ada, drawer.getByText("Active", { exact: true }));
  expect(await call(await members())).toBe(200);
});

test("a revoked key is refused for good, and the record names the program", async () => {
  const drawer = admin.getByRole("dialog", { name: "Shift planner", exact: true });
  await drawer.getByRole("button", { name: "Revoke Production" }).click();
  const dialog = admin.getByRole("dialog", { name: "Revoke the key Production?" });
  await inspect(admin, "api-key-revoke");
  await dialog.getByRole("button", { name: "Revoke key" }).click();
  await expect(drawer.getByText("Revoked", { exact: true })).toBeVisible();
  expect(await call(await members())).toBe(401);
  await admin.keyboard.press("Escape");
  await inspect(admin, "service-accounts");
  await admin.goto(`/o/${organization.slug}/audit`);
  for (const code of ["service_account.created", "api_key.created", "api_key.revoked"]) {
    await expect(admin.getByText(code, { exact: true }).first()).toBeVisible();
  }
});

test("who is no administrator is told so", async ({ browser }) => {
  const colleague = await freshBrowser(browser);
  await signIn(colleague, eva);
  await colleague.goto(place);
  await expect(colleague.getByRole("heading", { name: "You can't see this page" })).toBeVisible();
  await inspect(colleague, "service-accounts-forbidden");
  await colleague.context().close();
});
