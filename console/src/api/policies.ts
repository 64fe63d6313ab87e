/**
 * The policy as evidence. What is shown is what was signed: the bytes, their digest and signature are
 * kept beside what they say, so that a download gives the very document that is on the page. The
 * record has an entry of each read, so nothing is read a second time by itself.
 */
import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { api, take } from "./client";
import { keys } from "./queries";
import type { PolicyChange, PolicyDifference, PolicyExport } from "./types";

/** Whose policy: an organisation's, or with null the whole installation's. */
export type Whose = string | null;

/** A signed document. */
export interface Signed {
  bytes: ArrayBuffer;
  /** SHA-256 in hexadecimal, as the record has it. */
  digest: string;
  /** A detached JWS (RFC 7515, appendix F). */
  signature: string;
}

export interface PolicyDocument extends Signed {
  policy: PolicyExport;
}

export interface Asked {
  /** As of this moment, as RFC 3339; now without it. */
  asOf?: string;
  /** For the installation's: the holders of one organisation. */
  only?: string;
}

interface Form {
  format?: "json" | "csv";
  table?: "operations" | "holders";
  after?: string;
}

/** Reads once; what was read stays for half an hour after it was last looked at. */
const once = {
  staleTime: Number.POSITIVE_INFINITY,
  gcTime: 1_800_000,
  refetchOnWindowFocus: false,
  refetchOnReconnect: false,
} as const;

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** The SHA-256 of a `Content-Digest` (RFC 9530) in hexadecimal. */
function digestOf(headers: Headers): string {
  const encoded = /sha-256=:([^:]+):/.exec(headers.get("content-digest") ?? "")?.[1] ?? "";
  return hex(Uint8Array.from(atob(encoded), (char) => char.charCodeAt(0)));
}

/** Where the next document begins, by the `Link` header (RFC 8288). */
function nextOf(headers: Headers): string | undefined {
  const link = /<([^>]+)>;\s*rel="next"/.exec(headers.get("link") ?? "")?.[1];
  if (!link) return undefined;
  return new URL(link, window.location.origin).searchParams.get("after") ?? undefined;
}

async function read(whose: Whose, asked: Asked, form: Form, signal?: AbortSignal) {
  const { asOf, only } = asked;
  const call =
    whose === null
      ? api.GET("/v1/rbac/policies", {
          signal,
          parseAs: "arrayBuffer",
          params: { query: { ...form, as_of: asOf, organization_id: only } },
        })
      : api.GET("/v1/organizations/{organization_id}/rbac/policies", {
          signal,
          parseAs: "arrayBuffer",
          params: { path: { organization_id: whose }, query: { ...form, as_of: asOf } },
        });
  const { response } = await call;
  const bytes = await take(call);
  const signature = response.headers.get("x-jws-signature") ?? "";
  return { bytes, digest: digestOf(response.headers), signature, next: nextOf(response.headers) };
}

/** The policy with who holds what: one document, and for more than 10,000 holders several. */
export const policyQuery = (whose: Whose, asked: Asked) =>
  infiniteQueryOptions({
    queryKey: [...keys.policies(whose), "export", asked],
    queryFn: async ({ signal, pageParam }): Promise<PolicyDocument> => {
      const document = await read(whose, asked, { format: "json", after: pageParam }, signal);
      const policy = JSON.parse(new TextDecoder().decode(document.bytes)) as PolicyExport;
      return { ...document, policy };
    },
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.policy.next_after,
    ...once,
  });

/** A table of the policy; that of the holders comes in several documents when they are many. */
export async function readTable(
  whose: Whose,
  asked: Asked,
  table: "operations" | "holders",
): Promise<Signed[]> {
  const documents: Signed[] = [];
  let after: string | undefined;
  do {
    const document = await read(whose, asked, { format: "csv", table, after });
    documents.push(document);
    after = document.next;
  } while (after);
  return documents;
}

/** The public keys, as they are served: a file to keep beside the documents. */
export const signatureKeysQuery = queryOptions({
  queryKey: ["signature-keys"],
  queryFn: ({ signal }) =>
    take(api.GET("/.well-known/signature-keys.json", { signal, parseAs: "arrayBuffer" })),
  staleTime: 300_000,
});

/** Changes of a page, the most that the API gives, and the most that are read for a comparison. */
const changesPage = 200;
export const mostChanges = 5_000;

export interface Stretch {
  /** Since when the history began, without it. */
  from?: string;
  /** Now, without it. */
  to?: string;
  only?: string;
}

export interface Comparison extends PolicyDifference {
  items: PolicyChange[];
}

/** What changed between two moments, with all that happened to holders, the oldest first. */
export const comparisonQuery = (whose: Whose, stretch: Stretch) =>
  queryOptions({
    queryKey: [...keys.policies(whose), "difference", stretch],
    queryFn: async ({ signal }): Promise<Comparison> => {
      const first = await compare(whose, stretch, undefined, signal);
      const items = [...first.items];
      let cursor = first.next_cursor;
      while (cursor && items.length < mostChanges) {
        const page = await compare(whose, stretch, cursor, signal);
        items.push(...page.items);
        cursor = page.next_cursor;
      }
      return { ...first, items, next_cursor: cursor };
    },
    staleTime: 60_000,
    refetchOnWindowFocus: false,
  });

function compare(whose: Whose, { from, to, only }: Stretch, cursor?: string, signal?: AbortSignal) {
  const query = { from, to, cursor, limit: changesPage };
  return whose === null
    ? take(
        api.GET("/v1/rbac/policies/diff", {
          signal,
          params: { query: { ...query, organization_id: only } },
        }),
      )
    : take(
        api.GET("/v1/organizations/{organization_id}/rbac/policies/diff", {
          signal,
          params: { path: { organization_id: whose }, query },
        }),
      );
}
