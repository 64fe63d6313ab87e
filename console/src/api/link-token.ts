/**
 * The secret in a link that was mailed or printed (`#token=…`). It is taken out of the address at once,
 * so that it stays in no history, bookmark or screenshot, and is kept in memory only.
 */
import { useSyncExternalStore } from "react";

const pagesWithToken = [
  "/setup",
  "/invitation",
  "/sign-up/confirm",
  "/verify-email",
  "/change-email",
  "/reset-password",
  "/recovery",
  "/recovery/stop",
  "/recovery-address",
];
let token: string | null = null;
const listeners = new Set<() => void>();

/** Takes the token from the address, if there is one. Runs before the router starts. */
export function takeLinkToken(): void {
  const { pathname, search, hash } = window.location;
  if (!pagesWithToken.includes(pathname)) return;
  const found = new URLSearchParams(hash.slice(1)).get("token");
  if (!found) return;
  window.history.replaceState(window.history.state, "", pathname + search);
  token = found;
  for (const listener of listeners) listener();
}

/** Opening another link in the same tab changes the fragment only and loads nothing. */
export function watchLinkToken(): void {
  window.addEventListener("hashchange", takeLinkToken);
}

export function forgetLinkToken(): void {
  token = null;
}

export function useLinkToken(): string | null {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => token,
  );
}
