/** Reads about recoveries of a lost second factor. */
import { queryOptions } from "@tanstack/react-query";
import { api, take } from "./client";
import { keys } from "./queries";

export const recoveryAddressQuery = queryOptions({
  queryKey: [...keys.me, "recovery-address"],
  queryFn: ({ signal }) => take(api.GET("/v1/me/recovery-address", { signal })),
});

/** Those that wait for an administrator: of an organisation, or all of them. */
export const recoveriesQuery = (organization_id: string | null) =>
  queryOptions({
    queryKey: ["recoveries", organization_id],
    queryFn: ({ signal }) => {
      const query = { limit: 200 };
      return take(
        organization_id
          ? api.GET("/v1/organizations/{organization_id}/recoveries", {
              signal,
              params: { path: { organization_id }, query },
            })
          : api.GET("/v1/recoveries", { signal, params: { query } }),
      );
    },
  });
