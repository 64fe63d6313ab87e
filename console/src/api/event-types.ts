/** The types of events that an organisation's record can have. */
import { queryOptions } from "@tanstack/react-query";
import { api, take } from "./client";
import { Problem } from "./problem";
import type { KnownEvent, ProductEventType } from "./types";

/** What an organisation's record can say: the catalogue, and what its product has declared. */
export const eventTypesQuery = (organizationId: string) =>
  queryOptions({
    queryKey: [organizationId, "event-types"],
    queryFn: async ({ signal }): Promise<KnownEvent[]> => {
      const params = { path: { organization_id: organizationId } };
      const own = take(
        api.GET("/v1/organizations/{organization_id}/audit/event-types", { signal, params }),
      );
      const [{ items }, declared] = await Promise.all([
        take(api.GET("/v1/audit/catalog", { signal })),
        own.catch(withoutPermission({ items: [] })),
      ]);
      return [...items, ...declared.items.map(productEvent)];
    },
    staleTime: 60_000,
  });

/** In the place of what this person may not see. */
function withoutPermission<T>(nothing: T): (error: unknown) => T {
  return (error) => {
    if (error instanceof Problem && error.status === 403) return nothing;
    throw error;
  };
}

function productEvent({ retired_at, ...type }: ProductEventType): KnownEvent {
  return { ...type, home: "organization", product: true, retired: retired_at !== undefined };
}
