/**
 * The keys that seal what is protected: looking, changing one while the server runs, destroying the
 * old one. Proves CON-1, DAT-5, DAT-6 in the browser.
 */
import type { Page } from "@playwright/test";
import {
  expect,
  freshBrowser,
  inspect,
  provenIfAsked,
  signIn,
  stale,
  test,
} from "./support/browser";
import { ageKey, rotationFails, stragglerComes, stragglerGoes } from "./support/database";
import { ada, ben } from "./support/people";

test.describe.configure({ mode: "serial" });
test.setTimeout(180_000);

let admin: Page;

/** A platform admin's browser on the keys, wherever the session worked before. */
async function open(page: Page, address = "/platform/keys"): Promise<void> {
  await page.goto(address);
  const goThere = page.getByRole("button", { name: /^Switch to / });
  const there = page.getByRole("heading", { level: 2, name: "Personal data", exact: true });
  await expect(goThere.or(there).first()).toBeVisible();
  if (await goThere.first().isVisible()) await goThere.first().click();
  await expect(there).toBeVisible();
}

test.beforeAll(async ({ browser }) => {
  admin = await freshBrowser(browser);
  await signIn(admin, ada);
  await open(admin);
});

test.afterAll(async () => {
  await stragglerGoes();
  await admin.context().close();
});

const card = (name: string) =>
  admin
    .locator("section")
    .filter({ has: admin.getByRole("heading", { level: 2, name, exact: true }) });

const dialog = () => admin.getByRole("dialog", { name: /^Rotat/ });

async function rotate(scope: string): Promise<void> {
  await admin.getByRole("button", { name: `Rotate… ${scope}` }).click();
  await expect(dialog()).toBeVisible();
}

/** The number that the counts of a dry run add up to. */
async function sum(): Promise<number> {
  await expect(dialog().getByRole("rowheader", { name: "In all" })).toBeVisible();
  const cells = await dialog().getByRole("row").locator("td:last-child").allTextContents();
  const counts = cells.map((text) => Number(text.replaceAll(/\D/g, "")));
  const total = counts.pop() ?? 0;
  expect(counts.reduce((all, count) => all + count, 0)).toBe(total);
  return total;
}

// Proves DAT-5.
test("sees what seals in each scope, how old it is, and which root key wraps it", async () => {
  await ageKey("secrets", 400);
  await ageKey("mfa", 800);
  await admin.reload();
  await admin
    .getByRole("navigation", { name: "Main navigation" })
    .getByRole("link", { name: "Keys", exact: true })
    .click();
  await expect(admin.getByText("The servers' configuration")).toBeVisible();
  await expect(admin.getByText("the one instance")).toBeVisible();
  await expect(card("Personal data")).toContainText("Version 1");
  await expect(card("Personal data")).toContainText("New");
  await expect(card("Personal data")).toContainText(/[1-9]\d* values under it/);
  await expect(card("Secrets")).toContainText("13 months old");
  await expect(card("Secrets")).toContainText("due for a change");
  await expect(card("Second factors")).toContainText("2 years old");
  await expect(card("Second factors")).toContainText("0 values under it");
  await expect(admin.getByText("No key has been changed yet")).toBeVisible();
  await inspect(admin, "keys");
});

// Proves DAT-6.
test("changes a key: looks, reads what happens, proves who it is, and watches", async ({
  browser,
}) => {
  await rotate("Personal data");
  await expect(dialog().getByText("E-mail addresses of accounts")).toBeVisible();
  const values = await sum();
  expect(values).toBeGreaterThan(0);
  await inspect(admin, "keys-look");
  await admin.reload();
  expect(await sum()).toBe(values);
  await dialog().getByRole("button", { name: "Continue" }).click();
  await expect(dialog().getByText("People go on working", { exact: false })).toBeVisible();
  await expect(admin).toHaveURL(/rotate=pii&step=confirm/);
  await inspect(admin, "keys-confirm");

  // An instance that does not get to know the new key holds the rotation up.
  await stragglerComes();
  await stale(admin);
  await dialog().getByRole("button", { name: "Start rotation" }).click();
  const waits = dialog().getByText("Waits for instances: 1 of 2 know the keys");
  await provenIfAsked(admin, ada, waits);
  await expect(admin).toHaveURL(/\?rotation=[0-9a-f-]{36}$/);
  await expect(dialog().getByRole("link", { name: "Look at the instances" })).toBeVisible();
  await expect(dialog().locator("[aria-current=step]").last()).toContainText("Announce");
  await inspect(admin, "keys-waits");

  // Somebody else sees the same at the same address.
  const other = await freshBrowser(browser);
  await signIn(other, ada);
  await open(other, new URL(admin.url()).pathname + new URL(admin.url()).search);
  await expect(other.getByText("Waits for instances", { exact: false })).toBeVisible();
  await other.getByRole("button", { name: "Pause", exact: true }).click();
  await other.context().close();

  await expect(
    dialog().getByText("Everything works with both keys.", { exact: false }),
  ).toBeVisible();
  await stragglerGoes();
  await expect(dialog().locator("[aria-current=step]").last()).toContainText("Seal anew", {
    timeout: 60_000,
  });
  await inspect(admin, "keys-paused");

  // Both keys are needed now: the old one can't be destroyed, and it says why.
  await admin.keyboard.press("Escape");
  await expect(dialog()).toBeHidden();
  const pii = card("Personal data");
  await expect(pii).toContainText("Change to Version 2: Paused");
  await expect(pii).toContainText("Being replaced");
  await pii.getByRole("button", { name: "1 older version" }).click();
  const destroy = pii.getByRole("button", { name: "Destroy Personal data, version 1…" });
  await expect(destroy).toHaveAttribute("aria-disabled", "true");
  await destroy.hover();
  await expect(admin.getByRole("tooltip")).toContainText("still being sealed anew");
  await admin.mouse.move(0, 0);
  await expect(admin.getByRole("tooltip")).toBeHidden();
  await inspect(admin, "keys-going");

  await pii.getByRole("button", { name: "Show progress: Personal data" }).click();
  await dialog().getByRole("button", { name: "Resume" }).click();
  await expect(dialog().getByText("The key has been changed")).toBeVisible({ timeout: 60_000 });
  await expect(dialog().getByText("100%")).toBeVisible();
  await inspect(admin, "keys-finished");
  await dialog().getByRole("button", { name: "Close" }).last().click();
  await expect(admin).toHaveURL(/\/platform\/keys$/);
  await expect(pii).toContainText("Version 2");
  await expect(pii).toContainText("Retired");
  const row = admin.getByRole("row").filter({ hasText: "Personal data" });
  await expect(row).toContainText("1 to 2");
  await expect(row).toContainText("Finished");
});

test("an empty scope has nothing to seal anew, and nobody is made to rotate", async () => {
  await rotate("Health data");
  await expect(dialog().getByText("Nothing is under version 1.", { exact: false })).toBeVisible();
  await dialog().getByRole("button", { name: "Cancel" }).click();
  await expect(dialog()).toBeHidden();
  await admin.goto("/platform/keys?rotate=nothing");
  await expect(dialog().getByText("There is no such scope.")).toBeVisible();
  await admin.goto("/platform/keys?rotation=nothing");
  await expect(dialog().getByText("There is no such rotation.")).toBeVisible();
  await open(admin);
});

// Proves DAT-6.
test("is told when the job failed, and lets it go on", async () => {
  await stragglerComes();
  await rotate("Secrets");
  await dialog().getByRole("button", { name: "Continue" }).click();
  await dialog().getByRole("button", { name: "Start rotation" }).click();
  await provenIfAsked(admin, ada, dialog().getByText("Waits for instances", { exact: false }));
  await dialog().getByRole("button", { name: "Pause", exact: true }).click();
  await expect(dialog().getByRole("button", { name: "Resume" })).toBeVisible();
  await stragglerGoes();
  await expect(dialog().locator("[aria-current=step]").last()).toContainText("Seal anew", {
    timeout: 60_000,
  });
  await expect
    .poll(
      async () =>
        (await (await admin.request.get("/v1/jobs")).json()).items.find(
          (job: { name: string }) => job.name === "keys_rotate",
        ).last_run.state,
      { timeout: 30_000 },
    )
    .toBe("succeeded");
  await rotationFails("secrets", "outbox.payload: a value can not be opened");
  await expect(dialog().getByRole("alert")).toContainText("can not be opened", { timeout: 30_000 });
  await expect(dialog().getByRole("link", { name: "Look at the job" })).toHaveAttribute(
    "href",
    "/platform/jobs?open=keys_rotate",
  );
  await inspect(admin, "keys-failed");
  await dialog().getByRole("button", { name: "Go on now" }).click();
  await expect(dialog().getByText("The key has been changed")).toBeVisible({ timeout: 60_000 });
});

test("sees how fast a long one is, and about when it ends", async () => {
  // The answers of a rotation that lasts longer than a test: only its numbers are others.
  const begun = Date.now();
  await admin.route("**/v1/key-rotations/*", async (route) => {
    const response = await route.fetch();
    const now = Date.now();
    const { finished_at: _, ...rotation } = await response.json();
    const moved = {
      step: "migrating",
      values_total: 2_400_000,
      values_done: 610_000 + Math.round((now - begun) * 4.2),
      updated_at: new Date(now).toISOString(),
    };
    await route.fulfill({ response, json: { ...rotation, ...moved } });
  });
  await admin.reload();
  await expect(dialog().getByText(/^[\d,]+ a second$/)).toBeVisible();
  await expect(dialog().getByText(/^about [\d.]+ (secs?|mins?) left$/)).toBeVisible();
  await expect(dialog().getByRole("progressbar")).toHaveAttribute("aria-valuenow", /^2|^3/);
  await inspect(admin, "keys-migrating");
  await admin.unroute("**/v1/key-rotations/*");
  await admin.reload();
  await expect(dialog().getByText("The key has been changed")).toBeVisible();
  await admin.keyboard.press("Escape");
});

// Proves DAT-6.
test("destroys the retired key after typing which one", async () => {
  const pii = card("Personal data");
  await pii.getByRole("button", { name: "1 older version" }).click();
  await expect(pii).toContainText("0 values under it");
  await pii.getByRole("button", { name: "Destroy Personal data, version 1…" }).click();
  const sure = admin.getByRole("dialog", { name: "Destroy version 1 of Personal data?" });
  await expect(sure.getByText("Backups from before", { exact: false })).toBeVisible();
  const act = sure.getByRole("button", { name: "Destroy key" });
  await expect(act).toBeDisabled();
  await sure.getByLabel("Type pii 1 to confirm").fill("pii 2");
  await expect(act).toBeDisabled();
  await inspect(admin, "keys-destroy");
  await sure.getByLabel("Type pii 1 to confirm").fill("pii 1");
  await act.click();
  await provenIfAsked(admin, ada, admin.getByText("Version 1 of Personal data is destroyed"));
  await expect(pii).toContainText("Destroyed");
  await expect(pii.getByRole("button", { name: /^Destroy / })).toBeHidden();
  // People go on working with what is under the new key.
  await admin.reload();
  await expect(admin.getByRole("button", { name: `Menu of ${ada.name}` })).toBeVisible();
});

test("nobody else has any of it", async ({ page }) => {
  await signIn(page, ben);
  await expect(page.getByRole("link", { name: "Keys", exact: true })).toBeHidden();
  await page.goto("/platform/keys?rotate=pii");
  await expect(page.getByRole("heading", { name: "You can't see this page" })).toBeVisible();
  await expect(page.getByRole("dialog")).toBeHidden();
  await inspect(page, "keys-forbidden");
});
