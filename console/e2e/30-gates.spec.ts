/** What is refused, and getting in without a mouse. Proves CON-1, AUT-4. */
import { expect, inspect, signIn, test } from "./support/browser";
import { ada, server } from "./support/people";

test("a wrong password is refused, the same for known and unknown addresses", async ({ page }) => {
  for (const email of [ada.email, "nobody@harbour.example"]) {
    await page.goto("/sign-in");
    await page.getByRole("textbox", { name: "E-mail" }).fill(email);
    await page.getByLabel(/^Password/).fill("Wrong-password 123");
    await page.getByRole("button", { name: "Sign in" }).click();
    await expect(page.getByRole("alert")).toContainText("E-mail or password is wrong");
    await expect(page.getByRole("textbox", { name: "E-mail" })).toHaveValue(email);
  }
  await inspect(page, "sign-in-refused");
});

test("a garbage invitation link is refused in words", async ({ page }) => {
  await page.goto("/invitation#token=garbage-that-nobody-issued");
  await expect(
    page.getByRole("heading", { name: "This invitation no longer works" }),
  ).toBeVisible();
  await inspect(page, "invitation-refused");
  await page.goto("/invitation");
  await expect(page.getByRole("heading", { name: "The link is not complete" })).toBeVisible();
});

test("a used setup link is refused in words", async ({ page }) => {
  await page.goto(server.setupUrl);
  await page.getByLabel("Your name").fill("Somebody Else");
  await page.getByLabel("Your e-mail").fill("else@freehold.example");
  await page.getByLabel("Choose a password").fill("Another-granite 48 lamp");
  await page.getByRole("button", { name: "Create administrator" }).click();
  await expect(page.getByText("This setup link is not valid")).toBeVisible();
});

test("signing in by keyboard alone, and finding one's way with the palette", async ({ page }) => {
  await page.goto("/sign-in");
  await expect(page.getByRole("textbox", { name: "E-mail" })).toBeFocused();
  await page.keyboard.type(ada.email);
  await page.keyboard.press("Tab");
  await expect(page.getByLabel(/^Password/)).toBeFocused();
  await page.keyboard.type(ada.password);
  await page.keyboard.press("Enter");
  await expect(page.getByRole("navigation", { name: "Main navigation" })).toBeVisible();

  // A page that is loaded afresh begins with the way past the navigation.
  await page.reload();
  await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
  await page.keyboard.press("Tab");
  const skip = page.getByRole("link", { name: "Skip to content" });
  await expect(skip).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(page.getByRole("main")).toBeFocused();

  await page.keyboard.press("Control+k");
  await expect(page.getByRole("combobox", { name: "Find or do" })).toBeFocused();
  await inspect(page, "palette");
  await page.keyboard.press("Escape");
  await expect(page.getByRole("dialog")).toBeHidden();
  await page.keyboard.press("Control+k");
  await page.keyboard.type("profile and");
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/\/account$/);
  await expect(page.getByRole("main")).toBeFocused();
});

test("the way back after signing in stays in this console", async ({ page }) => {
  for (const target of ["https://evil.example/", "//evil.example/", "/\\evil.example"]) {
    await page.context().clearCookies();
    await page.goto(`/sign-in?return=${encodeURIComponent(target)}`);
    await page.getByRole("textbox", { name: "E-mail" }).fill(ada.email);
    await page.getByLabel(/^Password/).fill(ada.password);
    await page.getByRole("button", { name: "Sign in" }).click();
    await expect(page.getByRole("navigation", { name: "Main navigation" })).toBeVisible();
    expect(new URL(page.url()).origin).toBe(new URL(server.url).origin);
  }
});

test("the choice of light or dark survives a reload, without an inline script", async ({
  page,
}) => {
  await signIn(page, ada);
  await page.getByRole("button", { name: `Menu of ${ada.name}` }).click();
  await page.getByRole("menuitem", { name: "Dark" }).click();
  await expect(page.locator("html")).toHaveAttribute("data-mantine-color-scheme", "dark");
  await page.reload();
  await expect(page.locator("html")).toHaveAttribute("data-mantine-color-scheme", "dark");
});

test("on a phone the navigation opens from its button", async ({ page }) => {
  await page.setViewportSize({ width: 375, height: 780 });
  await page.goto("/sign-in");
  await inspect(page, "sign-in");
  await page.getByRole("textbox", { name: "E-mail" }).fill(ada.email);
  await page.getByLabel(/^Password/).fill(ada.password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("button", { name: "Open navigation" }).click();
  const navigation = page.getByRole("dialog").getByRole("navigation", { name: "Main navigation" });
  await page.screenshot({
    path: new URL("./screenshots/navigation-phone.png", import.meta.url).pathname,
  });
  await navigation.getByRole("link", { name: "Profile and sessions" }).click();
  await expect(page).toHaveURL(/\/account$/);
  await expect(page.getByRole("dialog")).toBeHidden();
});
