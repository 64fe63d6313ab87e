/** How often one may call: looking at the limits and what they refused. Proves CON-1 in the browser. */
import type { Page } from "@playwright/test";
import { expect, freshBrowser, inspect, signIn, test } from "./support/browser";
import { ada } from "./support/people";

test.describe.configure({ mode: "serial" });

let admin: Page;

test.beforeAll(async ({ browser }) => {
  admin = await freshBrowser(browser);
  await signIn(admin, ada);
  await admin.goto("/platform/limits");
  const goThere = admin.getByRole("button", { name: /^Switch to / });
  const table = admin.getByRole("table", { name: "Rate limits" });
  await expect(goThere.or(table).first()).toBeVisible();
  if (await goThere.first().isVisible()) await goThere.first().click();
  await expect(table).toBeVisible();
});

test.afterAll(async () => {
  await admin.context().close();
});

function row(title: string) {
  return admin.getByRole("row").filter({ hasText: title });
}

// Proves NET-4.
test("a platform admin sees each limit, and what it let pass and refused", async () => {
  await admin
    .getByRole("navigation", { name: "Main navigation" })
    .getByRole("link", { name: "Rate limits", exact: true })
    .click();
  await expect(admin.getByRole("heading", { level: 1, name: "Rate limits" })).toBeVisible();
  await expect(row("Sign-ups")).toContainText("10 in 1 hr");
  await expect(row("Sign-ups")).toContainText("All instances together");
  await expect(row("Signed-in people")).toContainText(/[1-9]\d* let pass/);
  await expect(row("Signed-in people")).toContainText("None refused");

  // Somebody asks for one new password after the other, until the server has had enough.
  const ask = () =>
    admin.request.post("/v1/password-resets", { data: { email: "nobody@example.com" } });
  await expect.poll(async () => (await ask()).status()).toBe(429);
  const refused = await ask();
  expect(refused.headers()["ratelimit-policy"]).toBe('"password-reset";q=5;w=3600');
  expect(refused.headers().ratelimit).toMatch(/^"password-reset";r=0;t=\d+$/);
  await expect(row("Forgotten passwords")).toContainText(/[1-9]\d* refused/, { timeout: 15_000 });
  await inspect(admin, "limits");
});

// Proves NET-4.
test("is told of a proxy that the server does not trust", async () => {
  await expect(admin.getByRole("alert")).toBeHidden();
  await admin.request.get("/v1/setup", { headers: { "x-forwarded-for": "203.0.113.9" } });
  const alert = admin.getByRole("alert");
  await expect(alert).toContainText("There may be a proxy", { timeout: 15_000 });
  await expect(alert).toContainText("1 request has come");
  await inspect(admin, "limits-proxy");
});
