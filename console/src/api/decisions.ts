/** Asking about decisions: reads that take a body. */
import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { api, take } from "./client";
import { keys } from "./queries";
import type { DecisionQuestion, ProposedChange } from "./types";

/** Why a decision comes out as it does in the organisation that the session is in. */
export const explainQuery = (organization: string, question: DecisionQuestion) =>
  queryOptions({
    queryKey: [...keys.decisions(organization), "explain", question],
    queryFn: ({ signal }) => take(api.POST("/v1/rbac/explain", { signal, body: question })),
    // Roles change while somebody asks about them.
    staleTime: 0,
    retry: false,
  });

/** What proposed changes would do there. */
export const simulateQuery = (organization: string, changes: ProposedChange[], days: number) =>
  queryOptions({
    queryKey: [...keys.decisions(organization), "simulate", changes, days],
    queryFn: ({ signal }) =>
      take(api.POST("/v1/rbac/simulate", { signal, body: { changes, days, limit: 200 } })),
    placeholderData: keepPreviousData,
    staleTime: 0,
    retry: false,
  });

/** What another least role for an operation would do in every organisation. */
export const foreseeQuery = (operation: string, role: string, days: number, cursor?: string) =>
  queryOptions({
    queryKey: ["platform", "foresee", operation, role, days, cursor ?? null],
    queryFn: ({ signal }) =>
      take(
        api.POST("/v1/rbac/policies/simulate", {
          signal,
          body: { changes: [{ operation, minimum_role: role }], days, limit: 50, cursor },
        }),
      ),
    placeholderData: keepPreviousData,
    retry: false,
  });
