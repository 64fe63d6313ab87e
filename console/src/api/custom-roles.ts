/** What is asked about an organisation's own roles. */
import { queryOptions } from "@tanstack/react-query";
import { api, take } from "./client";
import { keys } from "./queries";

const path = "/v1/organizations/{organization_id}";

/** The organisation's own roles, by name. There are at most 100. */
export const customRolesQuery = (organization_id: string) =>
  queryOptions({
    queryKey: [...keys.organization(organization_id), "custom-roles"],
    queryFn: ({ signal }) =>
      take(api.GET(`${path}/roles`, { signal, params: { path: { organization_id } } })),
  });

/** What roles can permit, and what of it the viewer could give. */
export const permissionsQuery = (organization_id: string) =>
  queryOptions({
    queryKey: [...keys.organization(organization_id), "permissions"],
    queryFn: ({ signal }) =>
      take(api.GET(`${path}/permissions`, { signal, params: { path: { organization_id } } })),
  });
