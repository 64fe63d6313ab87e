/** Editing and deleting a team, and taking somebody out: each says what it changes for whom. */
import { useInfiniteQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { api, ifMatch, take } from "../../api/client";
import { keys, teamMembersQuery } from "../../api/queries";
import type { Member, Role, Team } from "../../api/types";
import { ActDialog } from "../../parts/act-dialog";
import { roleName, useOrganization } from "../../parts/permissions";
import { counting, useRoles } from "../../parts/role-select";
import { words } from "../../words";
import { EditDialog } from "./form";

const said = words.teams;

export type Act =
  | { kind: "edit" | "delete"; team: Team }
  | { kind: "remove"; team: Team; member: Member };

interface DialogsProps {
  act: Act | null;
  onClose: () => void;
}

export function TeamDialogs({ act, onClose }: DialogsProps) {
  if (!act) return null;
  const key = `${act.kind} ${act.team.id}`;
  if (act.kind === "remove") {
    return <RemoveDialog key={key} team={act.team} member={act.member} onClose={onClose} />;
  }
  if (act.kind === "edit") return <EditDialog key={key} team={act.team} onClose={onClose} />;
  return <DeleteDialog key={key} team={act.team} onClose={onClose} />;
}

/** How many people a dialog names one by one. */
const named = 5;

const inWords = (names: string[]) => names.map(roleName).join(", ");

/** What somebody is without a team, if that is less. */
function lossOf(roles: Role[], member: Member, team: Team): string | null {
  const others = member.teams.filter(({ id }) => id !== team.id);
  const left = counting(roles, [
    member.role,
    ...others.flatMap(({ role }) => (role ? [role] : [])),
  ]);
  const [before, after] = [inWords(member.effective_roles), inWords(left)];
  return before === after ? null : said.becomes(member.name, before, after);
}

/** Who loses what with a team. */
function useLosses(team: Team): string[] {
  const roles = useRoles();
  const query = useInfiniteQuery({
    ...teamMembersQuery(team.organization_id, team.id),
    enabled: team.role != null && team.member_count > 0,
  });
  if (team.member_count === 0) return [said.deleteEmpty];
  if (!team.role) return [said.deleteNobody];
  const members = query.data?.pages.flatMap(({ items }) => items);
  if (!members || roles.length === 0) return [said.deleteLooking];
  const losses = members.flatMap((member) => lossOf(roles, member, team) ?? []);
  const shown = losses.slice(0, named);
  if (losses.length > named) shown.push(said.moreLose(losses.length - named));
  if (query.hasNextPage) shown.push(said.perhapsMore);
  return shown.length > 0 ? shown : [said.deleteNobody];
}

/** What changes with a team: also what the viewer may do. */
const touched = (team: Team) => [keys.organization(team.organization_id), keys.me];

function DeleteDialog({ team, onClose }: { team: Team; onClose: () => void }) {
  const organization = useOrganization();
  const navigate = useNavigate();
  const losses = useLosses(team);
  const stay = team.member_count > 0 ? [said.deleteStay(team.member_count, organization.name)] : [];
  const params = {
    path: { organization_id: team.organization_id, team_id: team.id },
    header: { "If-Match": ifMatch(team.version) },
  };
  return (
    <ActDialog
      onClose={onClose}
      text={{
        title: said.deleteTitle(team.name),
        effects: [...losses, ...stay, said.deleteInvitations],
        action: said.deleteDo,
        done: said.deleted(team.name),
      }}
      run={() =>
        take(api.DELETE("/v1/organizations/{organization_id}/teams/{team_id}", { params }))
      }
      onDone={() => navigate({ to: ".", search: (now) => ({ ...now, open: undefined }) })}
      refresh={touched(team)}
    />
  );
}

interface RemoveProps {
  team: Team;
  member: Member;
  onClose: () => void;
}

function RemoveDialog({ team, member, onClose }: RemoveProps) {
  const organization = useOrganization();
  const roles = useRoles();
  const loss = lossOf(roles, member, team);
  const kept = said.removeKeeps(member.name, inWords(member.effective_roles));
  const path = {
    organization_id: team.organization_id,
    team_id: team.id,
    member_id: member.id,
  };
  return (
    <ActDialog
      onClose={onClose}
      text={{
        title: said.removeTitle(member.name, team.name),
        effects: [loss ?? kept, said.removeStays(member.name, organization.name)],
        action: said.removeDo,
        done: said.removed(member.name, team.name),
      }}
      run={() =>
        take(
          api.DELETE("/v1/organizations/{organization_id}/teams/{team_id}/members/{member_id}", {
            params: { path },
          }),
        )
      }
      refresh={touched(team)}
    />
  );
}
