/** A platform admin erases a person; the record keeps what they did, by nobody's name. Proves DAT-10. */
import type { Page } from "@playwright/test";
import { adaLeaves, organizationOf } from "./support/api";
import { expect, freshBrowser, inspect, provenIfAsked, signIn, test } from "./support/browser";
import { ada } from "./support/people";

const fred = {
  name: "Fred Farewell",
  email: "fred@farewell.example",
  password: "Silver-river 93 pines",
};
const gina = {
  name: "Gina Alone",
  email: "gina@alone.example",
  password: "Golden-river 94 pines",
};

// A long story of three people.
test.slow();

async function eraseDialog(page: Page, person: typeof fred) {
  await page.goto(`/platform/accounts?email=${encodeURIComponent(person.email)}`);
  const goThere = page.getByRole("button", { name: /^Switch to / });
  const actions = page.getByRole("button", { name: `Actions for ${person.name}` });
  await expect(goThere.or(actions).first()).toBeVisible();
  if (await goThere.first().isVisible()) await goThere.first().click();
  await actions.click();
  await page.getByRole("menuitem", { name: "Erase…" }).click();
  const dialog = page.getByRole("dialog", { name: `Erase ${person.name} for good?` });
  const act = dialog.getByRole("button", { name: "Erase for good" });
  await expect(act).toBeDisabled();
  await dialog.getByRole("textbox").fill(person.email);
  await expect(act).toBeEnabled();
  return { dialog, act };
}

test("erasing a person, and what is left of them", async ({ page, browser }) => {
  const works = await organizationOf("Farewell Works", fred);
  const alone = await organizationOf("Alone Works", gina);
  await adaLeaves(alone.id);
  const theirs = await freshBrowser(browser);
  await signIn(theirs, fred);
  await signIn(page, ada);

  // Nobody leaves an organisation without an owner.
  const refused = await eraseDialog(page, gina);
  await refused.act.click();
  await provenIfAsked(page, ada, refused.dialog.getByText("Somebody has to stay at the top"));
  await expect(refused.dialog.getByRole("listitem").getByText("Alone Works")).toBeVisible();
  await inspect(page, "erase-refused");
  await refused.dialog.getByRole("button", { name: "Cancel" }).click();

  const { dialog, act } = await eraseDialog(page, fred);
  await inspect(page, "erase");
  await act.click();
  await provenIfAsked(page, ada, page.getByText("Fred Farewell was erased"));
  await expect(dialog).toBeHidden();
  await expect(page.getByRole("link", { name: fred.name })).toBeHidden();
  await theirs.reload();
  await expect(theirs.getByRole("button", { name: "Sign in" })).toBeVisible();
  await theirs.context().close();

  await page.goto("/platform/accounts?state=erased");
  const row = page.getByRole("row", { name: /Erased person/ });
  await expect(row).toContainText("Erased");
  await row.getByRole("button", { name: "Actions for Erased person" }).click();
  await expect(page.getByRole("menuitem", { name: "Erase…" })).toHaveAttribute(
    "aria-disabled",
    "true",
  );
  await page.keyboard.press("Escape");
  await row.getByRole("link", { name: "Erased person" }).click();
  await expect(page.getByRole("dialog", { name: "Erased person" })).toBeVisible();
  await inspect(page, "accounts-erased");

  await page.goto(`/o/${works.slug}/audit`);
  const goThere = page.getByRole("button", { name: /^Switch to / });
  const accepted = page.getByRole("row", { name: /Invitation accepted/ });
  await expect(goThere.or(accepted).first()).toBeVisible();
  if (await goThere.first().isVisible()) await goThere.first().click();
  await expect(accepted).toContainText("Erased person");
  await inspect(page, "audit-erased");
});
