/** Reads about second factors. */
import { queryOptions } from "@tanstack/react-query";
import { api, take } from "./client";
import { keys } from "./queries";

export const secondFactorsQuery = queryOptions({
  queryKey: [...keys.me, "second-factors"],
  queryFn: ({ signal }) => take(api.GET("/v1/me/second-factors", { signal })),
});
