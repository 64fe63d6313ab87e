/** Grave acts ask for the password again, and go on by themselves. Proves AUT-7 in the browser. */
import type { Page } from "@playwright/test";
import { organizationOf } from "./support/api";
import { expect, inspect, signIn, stale, test } from "./support/browser";

const carla = {
  name: "Carla Ortega",
  email: "carla@proof.example",
  password: "Blue-window 58 ferns",
};
const proof = (page: Page) => page.getByRole("dialog", { name: "Confirm that it is you" });
const deletion = (page: Page) => page.getByRole("dialog", { name: "Delete Proof Works?" });

test.describe.configure({ mode: "serial" });
// It waits for proofs to become too old.
test.slow();

test.beforeAll(async () => {
  await organizationOf("Proof Works", carla);
});

async function wantToDelete(page: Page): Promise<void> {
  await signIn(page, carla);
  await page.goto("/o/proof-works/settings");
  await page.getByRole("button", { name: "Delete organisation…" }).click();
  await deletion(page).getByLabel("Type Proof Works to confirm").fill("Proof Works");
  await stale(page);
  await deletion(page).getByRole("button", { name: "Delete organisation" }).click();
  await expect(proof(page)).toBeVisible();
}

test("giving up leaves everything as it was", async ({ page }) => {
  await wantToDelete(page);
  await expect(proof(page).getByLabel(/^Password/)).toBeFocused();
  await expect(proof(page)).toContainText(`Signed in as ${carla.name} (${carla.email})`);
  await inspect(page, "proof");
  await page.keyboard.press("Escape");
  await expect(proof(page)).toBeHidden();
  // The dialog underneath is still there, says nothing of an error, and has the focus back.
  const button = deletion(page).getByRole("button", { name: "Delete organisation" });
  await expect(button).toBeVisible();
  await expect(button).toBeFocused();
  await expect(page.getByRole("alert")).toHaveCount(0);
  await deletion(page).getByRole("button", { name: "Cancel" }).click();
  await page.reload();
  await expect(page.getByRole("button", { name: "Delete organisation…" })).toBeVisible();
});

test("a wrong password is told, the right one goes on with what was begun", async ({ page }) => {
  await wantToDelete(page);
  const field = proof(page).getByLabel(/^Password/);
  await proof(page).getByRole("button", { name: "Confirm" }).click();
  await expect(proof(page).getByText("Enter your password.")).toBeVisible();
  await field.fill("not-the-password");
  await page.keyboard.press("Enter");
  await expect(proof(page).getByText("That password is wrong.")).toBeVisible();
  await expect(field).toBeFocused();
  await inspect(page, "proof-wrong");
  await field.fill(carla.password);
  await page.keyboard.press("Enter");
  await expect(page.getByText("Proof Works was deleted")).toBeVisible();
  await expect(proof(page)).toBeHidden();
});

test("after three wrong passwords it says how long to wait", async ({ page }) => {
  const dora = {
    name: "Dora Lind",
    email: "dora.lind@wait.example",
    password: "Green-harbour 61 oaks",
  };
  await organizationOf("Wait Works", dora);
  await signIn(page, dora);
  await page.goto("/o/wait-works/settings");
  await page.getByRole("button", { name: "Delete organisation…" }).click();
  const dialog = page.getByRole("dialog", { name: "Delete Wait Works?" });
  await dialog.getByLabel("Type Wait Works to confirm").fill("Wait Works");
  await stale(page);
  await dialog.getByRole("button", { name: "Delete organisation" }).click();
  const field = proof(page).getByLabel(/^Password/);
  for (const guess of ["one", "two", "three"]) {
    await field.fill(guess);
    await page.keyboard.press("Enter");
    await expect(field).toHaveValue("");
    await expect(proof(page).getByText("That password is wrong.")).toBeVisible();
  }
  await field.fill(dora.password);
  await page.keyboard.press("Enter");
  await expect(proof(page).getByText("Too many wrong passwords")).toBeVisible();
  await expect(proof(page).getByRole("timer")).toHaveText(/You can try again in [34]:\d\d/);
  await expect(proof(page).getByRole("button", { name: "Confirm" })).toBeDisabled();
  await inspect(page, "proof-throttled");
});
