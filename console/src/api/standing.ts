/** How an organisation stands, and what of its record has to be kept. */
import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { api, take } from "./client";
import { keys } from "./queries";
import type { AdoptionSpan, OverviewSpan } from "./types";

export const overviewQuery = (organization_id: string, span: OverviewSpan) =>
  queryOptions({
    queryKey: [...keys.overview(organization_id), span],
    queryFn: ({ signal }) =>
      take(
        api.GET("/v1/organizations/{organization_id}/overview", {
          signal,
          params: { path: { organization_id }, query: { span } },
        }),
      ),
    placeholderData: keepPreviousData,
  });

/** How many people have a second factor. It has its place under the overview's, so that both are read anew together. */
export const adoptionQuery = (organization_id: string, span: AdoptionSpan) =>
  queryOptions({
    queryKey: [...keys.overview(organization_id), "second-factors", span],
    queryFn: ({ signal }) =>
      take(
        api.GET("/v1/organizations/{organization_id}/second-factors", {
          signal,
          params: { path: { organization_id }, query: { span } },
        }),
      ),
    placeholderData: keepPreviousData,
  });

export const legalHoldsQuery = (query: { cursor?: string; limit?: number } = {}) =>
  queryOptions({
    queryKey: [...keys.legalHolds, query],
    queryFn: ({ signal }) => take(api.GET("/v1/legal-holds", { signal, params: { query } })),
    placeholderData: keepPreviousData,
  });
