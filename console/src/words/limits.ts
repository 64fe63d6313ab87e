/** How often one may call, and how that is going. */
import { plural } from "./common";

export const limits = {
  title: "Rate limits",
  purpose: "How often clients may call this server, and how often it had to say no.",
  caption: "Rate limits",
  limit: "Limit",
  quota: "Quota",
  key: "For each",
  calls: "Since the start",
  refused: "Refused",
  names: {
    "anonymous-read": { name: "Reads without a sign-in", hint: "The sign-in page, public keys" },
    "anonymous-write": {
      name: "Writes without a sign-in",
      hint: "Signing in, looking up links, bad tokens",
    },
    "sign-up": { name: "Sign-ups", hint: "Asking for an account" },
    "password-reset": { name: "Forgotten passwords", hint: "Asking for a link to a new one" },
    "token-refresh": { name: "Session renewals", hint: "Refreshing an access token" },
    account: { name: "Signed-in people", hint: "Every call, this console's too" },
    "service-key": { name: "Services", hint: "Every call with a service's key" },
  } as Record<string, { name: string; hint: string }>,
  keys: {
    network: "network address",
    network_and_email: "network address, and e-mail address",
    account: "person",
    session: "session",
    service_key: "service key",
  },
  amount: (quota: number, window: string) => `${quota.toLocaleString()} in ${window}`,
  shared: "All instances together",
  admitted: (count: number) => `${count.toLocaleString()} let pass`,
  refusedCount: (count: number) => `${count.toLocaleString()} refused`,
  noneRefused: "None refused",
  since: "Counting since",
  allCalls: "Calls counted",
  allRefused: "Refused",
  streams: "Live streams",
  streamsOpen: (open: number, most: number) =>
    `${open.toLocaleString()} of ${most.toLocaleString()} open`,
  proxies: "Proxies",
  proxyTrusted: "Trusted",
  proxyNone: "None trusted",
  note: "Each instance counts for itself, from its own start; this is what the one that answered you has counted. Quotas and their times are settings of the server, in its section limits. What stops guessing is under Platform settings.",
  unknownTitle: "There may be a proxy that this server does not trust",
  unknownText: (requests: number) =>
    `${plural(requests, "request has", "requests have")} come with forwarded headers from an address that is not a trusted proxy. The headers were ignored. If your proxy sent them, all its clients count as one and share every limit: add it to http.trusted_proxies. If you have none, somebody made them up, and there is nothing to do.`,
  unknownLast: "The last one:",
  emptyTitle: "No limits",
  emptyText: "This server counts nothing.",
};
