/** A platform admin acts in somebody else's organisation, and its people see it. Proves AZ-2. */
import type { Page } from "@playwright/test";
import { adaLeaves, organizationOf } from "./support/api";
import { expect, freshBrowser, inspect, provenIfAsked, signIn, test } from "./support/browser";
import { ada } from "./support/people";

const hugo = {
  name: "Hugo Brandt",
  email: "hugo@client.example",
  password: "Silver-river 93 pines",
};
const banner = (page: Page) => page.getByRole("region", { name: "Platform support" });

// A long story of two people.
test.slow();

test("acting in an organisation, with a reason, seen by its owner", async ({ page, browser }) => {
  const client = await organizationOf("Client Works", hugo);
  await adaLeaves(client.id);

  await signIn(page, ada);
  await page.goto("/platform/organizations");
  const goThere = page.getByRole("button", { name: /^Switch to / });
  const actions = page.getByRole("button", { name: "Actions for Client Works" });
  await expect(goThere.or(actions).first()).toBeVisible();
  if (await goThere.first().isVisible()) await goThere.first().click();
  await actions.click();
  await page.getByRole("menuitem", { name: "Act in…" }).click();
  const dialog = page.getByRole("dialog", { name: "Act in Client Works?" });
  await dialog.getByRole("button", { name: "Act in it" }).click();
  await expect(dialog.getByText("Say why, for both audit logs.")).toBeVisible();
  await dialog.getByLabel("Reason").fill("Ticket 4711: the invitations do not arrive");
  await inspect(page, "act-in");
  await dialog.getByRole("button", { name: "Act in it" }).click();
  await provenIfAsked(page, ada, banner(page));

  await expect(page).toHaveURL(/\/o\/client-works$/);
  await expect(banner(page)).toContainText("You act in Client Works.");
  await expect(banner(page).getByRole("timer")).toHaveText(/^(29|30):\d\d left$/);
  await inspect(page, "acting");
  await page.goto("/o/client-works/settings");
  await page.getByRole("textbox", { name: "Name", exact: true }).fill("Client Works International");
  await page.getByRole("button", { name: "Save changes" }).click();
  await expect(banner(page)).toContainText("You act in Client Works International.");
  await page.goto("/o/client-works/members");
  await expect(page.getByRole("link", { name: hugo.name })).toBeVisible();
  await expect(banner(page)).toBeVisible();

  const owner = await freshBrowser(browser);
  await signIn(owner, hugo);
  await owner.goto("/o/client-works/platform-access");
  const row = owner.getByRole("row", { name: new RegExp(ada.name) });
  await expect(row).toContainText("Ticket 4711: the invitations do not arrive");
  await expect(row).toContainText("Running");
  await inspect(owner, "platform-access");

  await banner(page).getByRole("button", { name: "Stop acting" }).click();
  await expect(page).toHaveURL(/\/platform\/organizations$/);
  await expect(banner(page)).toBeHidden();
  await expect(actions.or(page.getByText("Client Works International"))).not.toHaveCount(0);
  await page.goto("/o/client-works/members");
  await expect(page.getByText("There is nothing at this address")).toBeVisible();

  await owner.reload();
  await expect(row).toContainText("Stopped");
  await owner.goto("/o/client-works/audit");
  const changed = owner.getByRole("row", { name: /Organisation changed/ });
  await expect(changed).toContainText("Platform support");
  await expect(owner.getByRole("row", { name: /Platform support began/ })).toContainText(ada.name);
  await inspect(owner, "audit-support");
  await owner.context().close();
});
