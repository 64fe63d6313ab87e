/** Reads of other people's sessions, and of the keys that sign their tokens. */
import { queryOptions } from "@tanstack/react-query";
import { api, take } from "./client";
import { keys } from "./queries";

/** More are told as a number by nobody: who has so many ends them all. */
const most = 100;

export const memberSessionsKey = (organization: string, member: string) =>
  [...keys.organization(organization), "member-sessions", member] as const;

export const memberSessionsQuery = (organization_id: string, member_id: string) =>
  queryOptions({
    queryKey: memberSessionsKey(organization_id, member_id),
    queryFn: ({ signal }) =>
      take(
        api.GET("/v1/organizations/{organization_id}/members/{member_id}/sessions", {
          signal,
          params: { path: { organization_id, member_id }, query: { limit: most } },
        }),
      ),
  });

export const accountSessionsKey = (account: string) =>
  [...keys.accounts, account, "sessions"] as const;

export const accountSessionsQuery = (account_id: string) =>
  queryOptions({
    queryKey: accountSessionsKey(account_id),
    queryFn: ({ signal }) =>
      take(
        api.GET("/v1/accounts/{account_id}/sessions", {
          signal,
          params: { path: { account_id }, query: { limit: most } },
        }),
      ),
  });

export const signingKeysKey = ["platform", "signing-keys"] as const;

/** The latest; four come in a year. */
export const signingKeysQuery = queryOptions({
  queryKey: signingKeysKey,
  queryFn: async ({ signal }) =>
    (await take(api.GET("/v1/signing-keys", { signal, params: { query: { limit: 12 } } }))).items,
  // A key that waits begins to sign by itself.
  refetchInterval: 30_000,
});
