/**
 * The browser's side of a session: the CSRF proof, and renewing the access cookie.
 * The tokens themselves are in HttpOnly cookies that no script can read.
 */

import { problemOf } from "./problem";

const csrfCookies = ["__Host-freehold_csrf", "freehold_csrf"];
const renewedAtKey = "freehold.renewed-at";
const renewalLock = "freehold.renewal";

/** The CSRF token, or null when this browser has no session. */
export function csrfToken(): string | null {
  const cookies = new Map(
    document.cookie.split("; ").map((pair) => {
      const at = pair.indexOf("=");
      return [pair.slice(0, at), pair.slice(at + 1)] as const;
    }),
  );
  for (const name of csrfCookies) {
    const value = cookies.get(name);
    if (value) return decodeURIComponent(value);
  }
  return null;
}

let running: Promise<boolean> | null = null;

/**
 * Renews the session once, however many calls ask for it. A refresh token may be used only once
 * (using it twice ends the whole session), and tabs share it: so tabs take turns by a lock, and
 * one that waited while another renewed does nothing.
 *
 * @param since when the refused call was sent, milliseconds since the epoch
 * @returns whether there is a fresh session
 */
export function renewSession(since: number): Promise<boolean> {
  running ??= takeTurn(since).finally(() => {
    running = null;
  });
  return running;
}

async function takeTurn(since: number): Promise<boolean> {
  if (!("locks" in navigator)) return renew(since);
  return navigator.locks.request(renewalLock, () => renew(since));
}

async function renew(since: number): Promise<boolean> {
  const renewedAt = Number(localStorage.getItem(renewedAtKey) ?? 0);
  if (renewedAt > since) return true;
  const token = csrfToken();
  if (!token) return false;
  const response = await fetch("/v1/sessions/refresh", {
    method: "POST",
    headers: { "content-type": "application/json", "x-csrf-token": token },
    body: "{}",
  });
  if (response.ok) localStorage.setItem(renewedAtKey, String(Date.now()));
  // The session goes on, only not yet: nobody is signed out for that.
  if (response.status === 429) throw await problemOf(response);
  return response.ok;
}
