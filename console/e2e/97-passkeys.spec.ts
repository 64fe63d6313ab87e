/** Adding a passkey, signing in by it, with and without the password, and removing it. Proves MFA-9, AUT-7, CON-1. */
import type { CDPSession, Page } from "@playwright/test";
import { join, organizationOf, settings } from "./support/api";
import {
  expect,
  freshBrowser,
  inspect,
  provenIfAsked,
  signIn,
  stale,
  test,
} from "./support/browser";

const ines = {
  name: "Ines Marchand",
  email: "ines.marchand@passkey.example",
  password: "Amber-harbour 64 sails",
};
const karl = {
  name: "Karl Ebner",
  email: "karl.ebner@passkey.example",
  password: "Velvet-thicket 29 owls",
};
let organization = "";
let page: Page;
let machine: Machine;

/** The authenticator of a machine, which says yes to whatever it is asked while its person is there. */
class Machine {
  private constructor(
    private readonly session: CDPSession,
    private readonly id: string,
  ) {}

  static async of(page: Page): Promise<Machine> {
    const session = await page.context().newCDPSession(page);
    await session.send("WebAuthn.enable");
    const { authenticatorId } = await session.send("WebAuthn.addVirtualAuthenticator", {
      options: {
        protocol: "ctap2",
        transport: "internal",
        hasResidentKey: true,
        hasUserVerification: true,
        isUserVerified: true,
        automaticPresenceSimulation: false,
      },
    });
    return new Machine(session, authenticatorId);
  }

  /** Its person is there, or has gone. */
  async present(enabled: boolean): Promise<void> {
    const authenticatorId = this.id;
    await this.session.send("WebAuthn.setAutomaticPresenceSimulation", {
      authenticatorId,
      enabled,
    });
  }

  /** Its person is there while this is done. */
  async during(done: () => Promise<void>): Promise<void> {
    await this.present(true);
    await done();
    await this.present(false);
  }

  async keys(): Promise<number> {
    const authenticatorId = this.id;
    const held = await this.session.send("WebAuthn.getCredentials", { authenticatorId });
    return held.credentials.length;
  }
}

test.describe.configure({ mode: "serial" });
// A proof gets too old.
test.slow();

test.beforeAll(async ({ browser }) => {
  organization = (await organizationOf("Passkey Works", ines)).id;
  await join(organization, karl, "member");
  page = await freshBrowser(browser);
  machine = await Machine.of(page);
});

test.afterAll(async () => {
  await page.context().close();
});

const home = () => page.getByRole("navigation", { name: "Main navigation" });

test("a person adds a passkey, and keeps the backup codes that come with it", async () => {
  await signIn(page, ines);
  await page.goto("/account");
  await expect(page.getByText("You have no passkeys")).toBeVisible();
  await inspect(page, "passkeys-none");
  await page.getByRole("button", { name: "Add a passkey" }).click();
  const dialog = page.getByRole("dialog", { name: "Add a passkey" });
  await dialog.getByLabel(/^Name/).fill("Office notebook");
  await inspect(page, "passkeys-add");
  const codes = page.getByRole("dialog", { name: "Backup codes" });
  await machine.during(async () => {
    await dialog.getByRole("button", { name: "Go on" }).click();
    await provenIfAsked(page, ines, codes);
  });
  await expect(codes.getByRole("listitem")).toHaveCount(10);
  await codes.getByRole("button", { name: "I have kept them" }).click();
  await expect(page.getByRole("cell", { name: "Office notebook", exact: true })).toBeVisible();
  await expect(page.getByText("10 codes left")).toBeVisible();
  expect(await machine.keys()).toBe(1);
  await inspect(page, "passkeys-own");
});

test("it signs in by itself", async () => {
  await page.context().clearCookies();
  await page.goto("/sign-in");
  const email = page.getByRole("textbox", { name: "E-mail" });
  await expect(email).toHaveAttribute("autocomplete", "username webauthn");
  await expect(page.getByRole("button", { name: "Use a passkey" })).toBeVisible();
  await inspect(page, "sign-in-passkey");
  await machine.during(async () => {
    const there = page.getByRole("button", { name: "Use a passkey" });
    // A browser that offers passkeys where the address is typed may have taken this one already.
    await there.click({ timeout: 5000 }).catch(() => {});
    await expect(home()).toBeVisible();
  });
  const me = await (await page.request.get("/v1/me")).json();
  expect(me.second_factor.proven).toBe(true);
  expect(me.account.email).toBe(ines.email);
});

test("it is a second factor beside the password", async () => {
  await page.context().clearCookies();
  await page.goto("/sign-in");
  await page.getByRole("textbox", { name: "E-mail" }).fill(ines.email);
  await page.getByLabel(/^Password/).fill(ines.password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByRole("heading", { name: "Prove your second factor" })).toBeVisible();
  await expect(page.getByLabel(/^Backup code/)).toBeVisible();
  await inspect(page, "sign-in-second-factor-passkey");
  await machine.during(async () => {
    await page.getByRole("button", { name: "Use your passkey" }).click();
    await expect(home()).toBeVisible();
  });
});

test("it proves again who one is, and is renamed and removed", async () => {
  await page.goto("/account");
  await page.getByRole("button", { name: "Rename Office notebook" }).click();
  const rename = page.getByRole("dialog", { name: "Rename Office notebook" });
  await rename.getByLabel(/^Name/).fill("Key ring");
  await rename.getByRole("button", { name: "Rename" }).click();
  await expect(page.getByRole("cell", { name: "Key ring", exact: true })).toBeVisible();
  await stale(page);
  await page.getByRole("button", { name: "Remove Key ring" }).click();
  const remove = page.getByRole("dialog", { name: "Remove the passkey Key ring?" });
  await inspect(page, "passkeys-remove");
  await remove.getByRole("button", { name: "Remove" }).click();
  const proof = page.getByRole("dialog", { name: "Confirm that it is you" });
  await expect(proof.getByRole("button", { name: "Use your passkey" })).toBeVisible();
  await inspect(page, "proof-passkey");
  await machine.during(async () => {
    await proof.getByRole("button", { name: "Use your passkey" }).click();
    await expect(page.getByText("You have no passkeys")).toBeVisible();
  });
  await expect(page.getByText("You have no second factor")).toBeVisible();
});

test("what was removed signs in no more, and says so", async () => {
  await page.context().clearCookies();
  await page.goto("/sign-in");
  await machine.during(async () => {
    await page.getByRole("button", { name: "Use a passkey" }).click();
    await expect(page.getByText("This passkey does not sign in here")).toBeVisible();
  });
  await inspect(page, "sign-in-passkey-removed");
});

test("who must have a second factor may set up a passkey", async ({ browser }) => {
  await settings(organization, { mfa: { required_from: "member", grace_days: 0 } });
  const other = await freshBrowser(browser);
  const own = await Machine.of(other);
  await signIn(other, karl);
  await expect(
    other.getByRole("heading", { name: "Set up a second factor to go on" }),
  ).toBeVisible();
  await inspect(other, "second-factor-wall-passkey");
  await other.getByRole("button", { name: "Add a passkey" }).click();
  const codes = other.getByRole("dialog", { name: "Backup codes" });
  await own.during(async () => {
    await other.getByRole("button", { name: "Go on" }).click();
    await provenIfAsked(other, karl, codes);
  });
  await codes.getByRole("button", { name: "I have kept them" }).click();
  await expect(other.getByRole("heading", { name: "Set up a second factor" })).toBeHidden();
  await other.context().close();
});
