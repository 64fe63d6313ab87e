/** Browsers that notice what must never happen, and looking at a page as axe and as a person. */
import { fileURLToPath } from "node:url";
import AxeBuilder from "@axe-core/playwright";
import {
  type Browser,
  type BrowserContextOptions,
  test as base,
  expect,
  type Locator,
  type Page,
} from "@playwright/test";
import { type Person, server } from "./people";

const screenshots = fileURLToPath(new URL("../screenshots/", import.meta.url));
const origin = new URL(server.url).origin;

/** What a page did that it must not: errors, refused styles or scripts, calls to other sites. */
const faults: string[] = [];

function watch(page: Page): void {
  page.on("pageerror", (error) => faults.push(`error: ${error.message}`));
  page.on("console", (message) => {
    const text = message.text();
    // A refused call is part of the story; the browser reports each one on the console.
    if (message.type() === "error" && !text.startsWith("Failed to load resource")) {
      faults.push(`console: ${text}`);
    }
  });
  page.on("request", (request) => {
    const url = request.url();
    if (!url.startsWith(origin) && !/^(data|blob|about):/.test(url)) faults.push(`called ${url}`);
    if (url.includes("token="))
      faults.push(`a link's token went to the server: ${request.method()}`);
  });
}

export const test = base.extend<{ watched: undefined }>({
  watched: [
    async ({ browserName: _ }, use) => {
      faults.length = 0;
      await use(undefined);
      expect(faults).toEqual([]);
    },
    { auto: true },
  ],
  page: async ({ page }, use) => {
    watch(page);
    await use(page);
  },
});

export { expect };

/** A browser of another person, with nothing in it. */
export async function freshBrowser(
  browser: Browser,
  options: BrowserContextOptions = {},
): Promise<Page> {
  const context = await browser.newContext({
    baseURL: server.url,
    locale: "en-GB",
    timezoneId: "Europe/Berlin",
    viewport: { width: 1360, height: 860 },
    ...options,
  });
  const page = await context.newPage();
  watch(page);
  return page;
}

export async function signIn(page: Page, person: Person): Promise<void> {
  await page.goto("/sign-in");
  await page.getByRole("textbox", { name: "E-mail" }).fill(person.email);
  await page.getByLabel(/^Password/).fill(person.password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByRole("navigation", { name: "Main navigation" })).toBeVisible();
}

/** Waits until the person's last proof of who they are is too old for grave acts. */
export async function stale(page: Page): Promise<void> {
  const left = async () => {
    const me = await (await page.request.get("/v1/me")).json();
    return Date.parse(me.reauthentication.fresh_until) - Date.now();
  };
  await expect.poll(left, { timeout: 60_000 }).toBeLessThan(0);
}

/** Gives the password if the server asks for it again before this is there. */
export async function provenIfAsked(page: Page, person: Person, done: Locator): Promise<void> {
  const dialog = page.getByRole("dialog", { name: "Confirm that it is you" });
  await expect(dialog.or(done).first()).toBeVisible();
  if (await dialog.isVisible()) {
    await dialog.getByLabel(/^Password/).fill(person.password);
    await dialog.getByRole("button", { name: "Confirm" }).click();
  }
  await expect(done).toBeVisible();
}

/**
 * Looks at the page as it is: no violation of WCAG 2.2 A and AA, in light and dark, on a desktop
 * and a phone; keeps a picture of each, where somebody may look at it.
 */
export async function inspect(page: Page, name: string): Promise<void> {
  const size = page.viewportSize();
  // Whatever comes to lie under the pointer on another device would say what it is for.
  await page.mouse.move(0, 0);
  for (const scheme of ["light", "dark"] as const) {
    await setScheme(page, scheme);
    for (const device of ["desktop", "phone"] as const) {
      const viewport =
        device === "desktop" ? { width: 1360, height: 860 } : { width: 375, height: 780 };
      await page.setViewportSize(viewport);
      await settle(page);
      if (!process.env.CI) {
        await page.screenshot({
          path: `${screenshots}${name}-${device}-${scheme}.png`,
          fullPage: true,
          animations: "disabled",
        });
      }
      await noViolation(page, `${name}, ${device}, ${scheme}`, scheme === "dark");
      const overflow = await page.evaluate(
        () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
      );
      expect(overflow, `${name} must not scroll sideways on a ${device}`).toBeLessThanOrEqual(0);
    }
  }
  if (size) await page.setViewportSize(size);
  await setScheme(page, "light");
}

/** By the system's preference: the console follows it unless the person chose otherwise. */
async function setScheme(page: Page, scheme: "light" | "dark"): Promise<void> {
  await page.emulateMedia({ colorScheme: scheme, reducedMotion: "reduce" });
  await expect(page.locator("html")).toHaveAttribute("data-mantine-color-scheme", scheme);
}

async function settle(page: Page): Promise<void> {
  await page.evaluate(async () => {
    const drawn = () =>
      new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
    await drawn();
    await document.fonts.ready;
    // The wheel of a button that waits turns for ever.
    const ending = document
      .getAnimations()
      .filter(({ effect }) => Number.isFinite(effect?.getComputedTiming().endTime));
    await Promise.all(ending.map((animation) => animation.finished.catch(() => {})));
    await drawn();
  });
  // What moves by script alone, as charts do, is in no list.
  await page.waitForTimeout(100);
}

/** What axe asks of colours; all else is the same in light and dark. */
const COLOURS = ["color-contrast", "link-in-text-block"];
const LEVELS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

async function noViolation(page: Page, where: string, coloursOnly: boolean): Promise<void> {
  const axe = new AxeBuilder({ page });
  const { violations } = await (coloursOnly
    ? axe.withRules(COLOURS)
    : axe.withTags(LEVELS)
  ).analyze();
  const found = violations.map(
    ({ id, help, nodes }) =>
      `${id}: ${help}\n    ${nodes.map((node) => `${node.target.join(" ")} ${node.failureSummary ?? ""}`).join("\n    ")}`,
  );
  expect(found, `${where}: violations`).toEqual([]);
}
