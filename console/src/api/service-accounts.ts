/** What the console reads of service accounts and their keys. */
import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { api, take } from "./client";
import { keys } from "./queries";

const path = "/v1/organizations/{organization_id}/service-accounts" as const;

export const serviceAccountsQuery = (
  organization_id: string,
  query: { cursor?: string; limit?: number } = {},
) =>
  queryOptions({
    queryKey: [...keys.serviceAccounts(organization_id), query],
    queryFn: ({ signal }) =>
      take(
        api.GET(path, {
          signal,
          params: { path: { organization_id }, query },
        }),
      ),
    placeholderData: keepPreviousData,
  });

export const serviceAccountQuery = (organization_id: string, service_account_id: string) =>
  queryOptions({
    queryKey: [...keys.serviceAccounts(organization_id), "one", service_account_id],
    queryFn: ({ signal }) =>
      take(
        api.GET(`${path}/{service_account_id}`, {
          signal,
          params: { path: { organization_id, service_account_id } },
        }),
      ),
  });

/** The newest two hundred: at most ten work, the rest was revoked. */
export const apiKeysQuery = (organization_id: string, service_account_id: string) =>
  queryOptions({
    queryKey: [...keys.serviceAccounts(organization_id), "keys", service_account_id],
    queryFn: ({ signal }) =>
      take(
        api.GET(`${path}/{service_account_id}/keys`, {
          signal,
          params: { path: { organization_id, service_account_id }, query: { limit: 200 } },
        }),
      ),
  });
