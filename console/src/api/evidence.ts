/** What proves the audit log. */
import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { api, take } from "./client";
import { keys } from "./queries";
import type { components } from "./schema.gen";

export type AuditCheckpoint = components["schemas"]["AuditCheckpoint"];
export type AuditSeals = components["schemas"]["AuditSeals"];

const path = "/v1/organizations/{organization_id}";

export const sealsQuery = (organization_id: string) =>
  queryOptions({
    queryKey: [...keys.audit(organization_id), "seals"],
    queryFn: ({ signal }) =>
      take(api.GET(`${path}/audit-seals`, { signal, params: { path: { organization_id } } })),
    // New entries are sealed every few seconds.
    refetchInterval: 10_000,
  });

/** A page of the checkpoints, read anew when there is another latest one. */
export const checkpointsQuery = (organization_id: string, cursor?: string, latest?: number) =>
  queryOptions({
    queryKey: [...keys.audit(organization_id), "checkpoints", cursor, latest],
    queryFn: ({ signal }) =>
      take(
        api.GET(`${path}/audit-checkpoints`, {
          signal,
          params: { path: { organization_id }, query: { cursor, limit: 20 } },
        }),
      ),
    placeholderData: keepPreviousData,
  });

/** Where the file of evidence is: the browser writes it to the disk while it comes, however large it is. */
export const evidenceAddress = (organization_id: string) =>
  `/v1/organizations/${organization_id}/audit-evidence`;
