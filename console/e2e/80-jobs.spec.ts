/** What runs by itself and where: looking, running now, pausing. Proves CON-1, OPS-3 in the browser. */
import type { Page } from "@playwright/test";
import { expect, freshBrowser, inspect, signIn, test } from "./support/browser";
import { ada, ben } from "./support/people";

test.describe.configure({ mode: "serial" });

let admin: Page;

test.beforeAll(async ({ browser }) => {
  admin = await freshBrowser(browser);
  await signIn(admin, ada);
  await admin.goto("/platform/jobs");
  const goThere = admin.getByRole("button", { name: /^Switch to / });
  const table = admin.getByRole("table", { name: "Jobs" });
  await expect(goThere.or(table).first()).toBeVisible();
  if (await goThere.first().isVisible()) await goThere.first().click();
  await expect(table).toBeVisible();
});

test.afterAll(async () => {
  await admin.context().close();
});

const outbox = "Clean up the outbox";

function row(title: string) {
  return admin.getByRole("row").filter({ hasText: title });
}

async function act(title: string, name: string): Promise<void> {
  await admin.getByRole("button", { name: `Actions for ${title}` }).click();
  await admin.getByRole("menuitem", { name: new RegExp(`^${name}`) }).click();
}

test("a platform admin sees every job, when it ran and when it runs next", async () => {
  await admin
    .getByRole("navigation", { name: "Main navigation" })
    .getByRole("link", { name: "Jobs", exact: true })
    .click();
  await expect(admin.getByRole("heading", { level: 1, name: "Jobs" })).toBeVisible();
  await expect(row(outbox)).toContainText("On schedule");
  await expect(row(outbox)).toContainText("Every day at 03:20 UTC");
  await expect(row("Expire invitations")).toContainText("Every 15 minutes");
  await admin.getByRole("button", { name: `Actions for ${outbox}` }).click();
  await expect(admin.getByRole("menuitem", { name: /^Run now/ })).toContainText("in the queue");
  await admin.keyboard.press("Escape");
});

test("runs one now, and is told what it did", async () => {
  await act(outbox, "Run now");
  await expect(
    admin.getByText(`${outbox} is in the queue and starts within seconds`),
  ).toBeVisible();
  await expect(admin.getByText(new RegExp(`^${outbox} is done: `))).toBeVisible();
  await expect(row(outbox)).toContainText(/Nothing to do|letter/);
  await inspect(admin, "jobs");
});

test("finds the run in the job's history, with who asked and which instance did it", async () => {
  await admin.getByRole("link", { name: outbox }).click();
  await expect(admin).toHaveURL(/open=outbox_clean_up/);
  const drawer = admin.getByRole("dialog", { name: outbox });
  const run = drawer.getByRole("button", { name: /^Succeeded/ });
  await expect(run).toHaveCount(1);
  await run.click();
  await expect(admin).toHaveURL(/run=/);
  const told = drawer.getByRole("region", { name: /^Succeeded/ });
  await expect(told.getByText("Asked for", { exact: true })).toBeVisible();
  await expect(told.getByText(ada.name)).toBeVisible();
  await expect(told.getByRole("link")).toHaveAttribute("href", "/platform/instances");
  await inspect(admin, "job-details");
  await admin.reload();
  await expect(told.getByText(ada.name)).toBeVisible();

  await drawer.getByRole("button", { name: "Run now" }).click();
  await expect(drawer.getByRole("heading", { name: "The last 2 runs" })).toBeVisible();
  await admin.keyboard.press("Escape");
  await expect(drawer).toBeHidden();
  await expect(admin).toHaveURL(/\/platform\/jobs$/);
});

test("pauses a job after reading what stops, runs it all the same, and resumes it", async () => {
  await act(outbox, "Pause");
  const dialog = admin.getByRole("dialog");
  await expect(
    dialog.getByText("no longer happens by itself: Removes what is left of letters", {
      exact: false,
    }),
  ).toBeVisible();
  await inspect(admin, "job-pause");
  await dialog.getByRole("button", { name: "Pause job" }).click();
  await expect(dialog).toBeHidden();
  await expect(row(outbox)).toContainText("Paused");
  await expect(row(outbox)).toContainText("Not while paused");

  await act(outbox, "Run now");
  await expect(admin.getByText(new RegExp(`^${outbox} is done: `)).last()).toBeVisible();
  await expect(row(outbox)).toContainText("Paused");

  await act(outbox, "Resume");
  await expect(admin.getByText(`${outbox} is on its schedule again`)).toBeVisible();
  await expect(row(outbox)).toContainText("On schedule");
});

test("sees the instance that leads and answers", async () => {
  await admin
    .getByRole("navigation", { name: "Main navigation" })
    .getByRole("link", { name: "Instances", exact: true })
    .click();
  const instance = admin.getByRole("row").filter({ hasText: "Answers you" });
  await expect(instance).toContainText("Leader");
  await expect(instance).toContainText("Just now");
  await expect(admin.getByText("1 instance", { exact: true })).toBeVisible();
  await expect(admin.getByText("No instance leads")).toBeHidden();
  await inspect(admin, "instances");
});

test("nobody else has any of it", async ({ page }) => {
  await signIn(page, ben);
  await expect(page.getByRole("link", { name: "Jobs", exact: true })).toBeHidden();
  for (const place of ["jobs", "instances"]) {
    await page.goto(`/platform/${place}`);
    await expect(page.getByRole("heading", { name: "You can't see this page" })).toBeVisible();
  }
  await inspect(page, "jobs-forbidden");
});
