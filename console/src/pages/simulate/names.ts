/** What people, programs, teams and roles of a proposal are called, where that is known. */
import { useQuery } from "@tanstack/react-query";
import { customRolesQuery, permissionsQuery } from "../../api/custom-roles";
import { allTeamsQuery, membersQuery } from "../../api/queries";
import { serviceAccountsQuery } from "../../api/service-accounts";
import type { ProposedChange } from "../../api/types";
import { roleName, useOrganization, useWhyNot } from "../../parts/permissions";
import { words } from "../../words";

const said = words.simulate;

/** Reads a change as a sentence. */
export function useSentences(known: ReadonlyMap<string, string>) {
  const { id } = useOrganization();
  const can = {
    members: !useWhyNot("members_list"),
    teams: !useWhyNot("teams_list"),
    roles: !useWhyNot("custom_roles_list"),
    permissions: !useWhyNot("permissions_list"),
  };
  const members = useQuery({ ...membersQuery(id, { limit: 200 }), enabled: can.members });
  const services = useQuery(serviceAccountsQuery(id, { limit: 100 }));
  const teams = useQuery({ ...allTeamsQuery(id), enabled: can.teams });
  const roles = useQuery({ ...customRolesQuery(id), enabled: can.roles }).data?.items ?? [];
  const permissions = useQuery({ ...permissionsQuery(id), enabled: can.permissions });
  const titles = new Map(permissions.data?.items.map((one) => [one.operation, one.title]));
  const names = new Map<string, string>([
    ...roles.map((one): [string, string] => [one.id, one.name]),
    ...(members.data?.items ?? []).map((one): [string, string] => [one.account_id, one.name]),
    ...(services.data?.items ?? []).map((one): [string, string] => [one.id, one.name]),
    ...(teams.data ?? []).map((one): [string, string] => [one.id, one.name]),
    ...known,
  ]);
  return (change: ProposedChange): string => {
    const who = names.get(change.account_id ?? change.service_account_id ?? "") ?? said.somebody;
    const team = names.get(change.team_id ?? "") ?? said.aTeam;
    const custom = names.get(change.custom_role_id ?? "") ?? said.aCustomRole;
    const customs = listed(
      (change.custom_role_ids ?? []).map((one) => names.get(one) ?? said.aCustomRole),
      said.noCustomRole,
    );
    const role = change.role ? roleName(change.role) : said.noRole.toLowerCase();
    switch (change.change) {
      case "member_role":
      case "service_role":
        return said.said[change.change](who, role);
      case "member_removed":
        return said.said.member_removed(who);
      case "team_role":
        return said.said.team_role(team, role);
      case "team_removed":
        return said.said.team_removed(team);
      case "team_member_added":
      case "team_member_removed":
        return said.said[change.change](who, team);
      case "member_custom_roles":
      case "service_custom_roles":
        return said.said[change.change](who, customs);
      case "team_custom_roles":
        return said.said.team_custom_roles(team, customs);
      case "custom_role_removed":
        return said.said.custom_role_removed(custom);
      case "custom_role_permissions": {
        const was = roles.find((one) => one.id === change.custom_role_id)?.permissions ?? [];
        const is = change.permissions ?? [];
        const titled = (names: string[]) => names.map((name) => titles.get(name) ?? name);
        return said.said.custom_role_permissions(
          custom,
          listed(titled(is.filter((name) => !was.includes(name)))),
          listed(titled(was.filter((name) => !is.includes(name)))),
        );
      }
    }
  };
}

const listed = (all: string[], none = "") =>
  all.length > 0 ? new Intl.ListFormat("en-GB").format(all) : none;
