/** What is asked about alerts. */
import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { api, take } from "./client";
import { keys } from "./queries";
import type { paths } from "./schema.gen";
import type { Alert, Page, Severity } from "./types";

const path = "/v1/organizations/{organization_id}";

export type AlertFilter = NonNullable<
  paths["/v1/organizations/{organization_id}/alerts"]["get"]["parameters"]["query"]
>;

/** How often open alerts are counted and listed anew by themselves, in milliseconds. */
const often = 30_000;

export const alertsQuery = (organization_id: string, query: AlertFilter) =>
  queryOptions({
    queryKey: [...keys.alerts(organization_id), "list", query],
    queryFn: async ({ signal }) => {
      const params = { path: { organization_id }, query };
      return (await take(api.GET(`${path}/alerts`, { signal, params }))) as Page<Alert>;
    },
    placeholderData: keepPreviousData,
    refetchInterval: often,
  });

export const alertQuery = (organization_id: string, alert_id: string) =>
  queryOptions({
    queryKey: [...keys.alerts(organization_id), "one", alert_id],
    queryFn: async ({ signal }) => {
      const params = { path: { organization_id, alert_id } };
      return (await take(api.GET(`${path}/alerts/{alert_id}`, { signal, params }))) as Alert;
    },
  });

/** How many are open, by severity. */
export const alertCountsQuery = (organization_id: string) =>
  queryOptions({
    queryKey: [...keys.alerts(organization_id), "counts"],
    queryFn: ({ signal }) =>
      take(api.GET(`${path}/alert-counts`, { signal, params: { path: { organization_id } } })),
    staleTime: often,
    refetchInterval: often,
  });

/** The rules that raise alerts, and which of them are muted. */
export const alertRulesQuery = (organization_id: string) =>
  queryOptions({
    queryKey: [...keys.alerts(organization_id), "rules"],
    queryFn: ({ signal }) =>
      take(api.GET(`${path}/alert-rules`, { signal, params: { path: { organization_id } } })),
  });

/** How the viewer is told of the alerts of the organisation that their session is in. */
export const alertPreferencesQuery = (organization_id: string) =>
  queryOptions({
    queryKey: [...keys.alerts(organization_id), "preferences"],
    queryFn: ({ signal }) => take(api.GET("/v1/me/alert-preferences", { signal })),
  });

export const severities: readonly Severity[] = ["low", "medium", "high", "critical"];
