/** Passkeys: reads about one's own, and the talk between the server, the browser and an authenticator. */
import {
  browserSupportsWebAuthn,
  browserSupportsWebAuthnAutofill,
  type PublicKeyCredentialCreationOptionsJSON,
  type PublicKeyCredentialRequestOptionsJSON,
  startAuthentication,
  startRegistration,
  WebAuthnAbortService,
  WebAuthnError,
} from "@simplewebauthn/browser";
import { queryOptions } from "@tanstack/react-query";
import { api, take } from "./client";
import { Problem } from "./problem";
import { keys } from "./queries";

export const passkeysQuery = queryOptions({
  queryKey: [...keys.me, "passkeys"],
  queryFn: ({ signal }) =>
    take(api.GET("/v1/me/passkeys", { params: { query: { limit: 50 } }, signal })),
});

/** Whether this browser has passkeys for this page: it needs a name and https, or the machine's own. */
export const passkeysHere = () =>
  browserSupportsWebAuthn() && !/^[\d.]+$|:/.test(window.location.hostname);

/** Why nothing came of asking the authenticator. */
export class PasskeyFailed extends Error {
  constructor(readonly why: "cancelled" | "known" | "failed") {
    super(why);
  }
}

function failed(error: unknown): never {
  const cause = error instanceof WebAuthnError ? error.cause : error;
  const name = cause instanceof Error ? cause.name : "";
  if (name === "InvalidStateError") throw new PasskeyFailed("known");
  if (name === "NotAllowedError" || name === "AbortError") throw new PasskeyFailed("cancelled");
  throw new PasskeyFailed("failed");
}

/** Has an authenticator make a passkey. */
export async function makePasskey() {
  const { options } = await take(api.POST("/v1/me/passkeys/options"));
  const optionsJSON = options as PublicKeyCredentialCreationOptionsJSON;
  return startRegistration({ optionsJSON }).catch(failed);
}

async function sign(options: unknown, useBrowserAutofill: boolean) {
  const optionsJSON = options as PublicKeyCredentialRequestOptionsJSON;
  return startAuthentication({ optionsJSON, useBrowserAutofill }).catch(failed);
}

/** Signs in by a passkey: asks for one at once, or offers those there are where the address is typed. */
export async function signInWithPasskey(by: "dialog" | "autofill"): Promise<void> {
  const begin = { body: { token_delivery: "cookie" as const } };
  const { options } = await take(api.POST("/v1/sessions/passkey/options", begin));
  const credential = await sign(options, by === "autofill");
  await take(api.POST("/v1/sessions/passkey", { body: { credential } }));
}

/** For how long one question is offered: less than the server waits for its answer. */
const offeredFor = 4 * 60_000;

interface Offer {
  /** Somebody has signed in. */
  onDone: () => void;
  /** There are no passkeys here, or none that sign in. */
  onNone: () => void;
}

/** Offers the passkeys that there are where the address is typed, until the page is left. */
export function offerPasskeys({ onDone, onNone }: Offer): () => void {
  let left = false;
  const offer = async () => {
    if (!(await browserSupportsWebAuthnAutofill()) || left) return;
    try {
      await signInWithPasskey("autofill");
      if (!left) onDone();
    } catch (error) {
      if (!(error instanceof Problem) || left) return;
      if (error.code === "passkeys_unavailable" || error.code === "way_not_allowed") onNone();
    }
  };
  void offer();
  const again = window.setInterval(() => void offer(), offeredFor);
  return () => {
    left = true;
    window.clearInterval(again);
    WebAuthnAbortService.cancelCeremony();
  };
}

/** Answers the challenge of a right password. */
export async function answerWithPasskey(trust_device: boolean): Promise<void> {
  const path = "/v1/sessions/second-factor/passkey" as const;
  const { options } = await take(api.POST(`${path}/options`, { body: {} }));
  const credential = await sign(options, false);
  await take(api.POST(path, { body: { credential, trust_device } }));
}

/** Proves again who is signed in. */
export async function proveWithPasskey(): Promise<void> {
  const path = "/v1/session/reauthenticate/passkey" as const;
  const { options } = await take(api.POST(`${path}/options`));
  await take(api.POST(path, { body: { credential: await sign(options, false) } }));
}
