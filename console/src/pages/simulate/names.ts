/** What people, programs and teams of a proposal are called, where that is known. */
import { useQuery } from "@tanstack/react-query";
import { allTeamsQuery, membersQuery } from "../../api/queries";
import { serviceAccountsQuery } from "../../api/service-accounts";
import type { ProposedChange } from "../../api/types";
import { roleName, useOrganization, useWhyNot } from "../../parts/permissions";
import { words } from "../../words";

const said = words.simulate;

/** Reads a change as a sentence. */
export function useSentences(known: ReadonlyMap<string, string>) {
  const { id } = useOrganization();
  const can = { members: !useWhyNot("members_list"), teams: !useWhyNot("teams_list") };
  const members = useQuery({ ...membersQuery(id, { limit: 200 }), enabled: can.members });
  const services = useQuery(serviceAccountsQuery(id, { limit: 100 }));
  const teams = useQuery({ ...allTeamsQuery(id), enabled: can.teams });
  const names = new Map<string, string>([
    ...(members.data?.items ?? []).map((one): [string, string] => [one.account_id, one.name]),
    ...(services.data?.items ?? []).map((one): [string, string] => [one.id, one.name]),
    ...(teams.data ?? []).map((one): [string, string] => [one.id, one.name]),
    ...known,
  ]);
  return (change: ProposedChange): string => {
    const who = names.get(change.account_id ?? change.service_account_id ?? "") ?? said.somebody;
    const team = names.get(change.team_id ?? "") ?? said.aTeam;
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
    }
  };
}
