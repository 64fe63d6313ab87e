/** Editing and deleting a team, and taking somebody out: each says what it changes for whom. */
import { useInfiniteQuery, useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { api, ifMatch, take } from "../../api/client";
import { Problem } from "../../api/problem";
import { keys, teamMembersQuery } from "../../api/queries";
import type { Member, Role, Team } from "../../api/types";
import { Confirm } from "../../parts/confirm";
import { tell, tellStale } from "../../parts/notify";
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

function useRefresh(team: Team) {
  const client = useQueryClient();
  return () =>
    Promise.all([
      client.invalidateQueries({ queryKey: keys.organization(team.organization_id) }),
      client.invalidateQueries({ queryKey: keys.me }),
    ]);
}

function DeleteDialog({ team, onClose }: { team: Team; onClose: () => void }) {
  const organization = useOrganization();
  const navigate = useNavigate();
  const refresh = useRefresh(team);
  const losses = useLosses(team);
  const remove = useMutation({
    mutationFn: () =>
      take(
        api.DELETE("/v1/organizations/{organization_id}/teams/{team_id}", {
          params: {
            path: { organization_id: team.organization_id, team_id: team.id },
            header: { "If-Match": ifMatch(team.version) },
          },
        }),
      ),
    onSuccess: async () => {
      tell(said.deleted(team.name));
      onClose();
      await navigate({ to: ".", search: (now) => ({ ...now, open: undefined }) });
    },
    onError: (error) => {
      if (!(error instanceof Problem) || error.code !== "precondition_failed") return;
      tellStale();
      onClose();
    },
    onSettled: refresh,
  });
  const stay = team.member_count > 0 ? [said.deleteStay(team.member_count, organization.name)] : [];
  return (
    <Confirm
      opened
      onClose={onClose}
      title={said.deleteTitle(team.name)}
      effects={[...losses, ...stay, said.deleteInvitations]}
      action={said.deleteDo}
      onConfirm={() => remove.mutate()}
      busy={remove.isPending}
      error={remove.error}
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
  const refresh = useRefresh(team);
  const remove = useMutation({
    mutationFn: () =>
      take(
        api.DELETE("/v1/organizations/{organization_id}/teams/{team_id}/members/{member_id}", {
          params: {
            path: {
              organization_id: team.organization_id,
              team_id: team.id,
              member_id: member.id,
            },
          },
        }),
      ),
    onSuccess: () => {
      tell(said.removed(member.name, team.name));
      onClose();
    },
    onSettled: refresh,
  });
  const loss = lossOf(roles, member, team);
  const kept = said.removeKeeps(member.name, inWords(member.effective_roles));
  return (
    <Confirm
      opened
      onClose={onClose}
      title={said.removeTitle(member.name, team.name)}
      effects={[loss ?? kept, said.removeStays(member.name, organization.name)]}
      action={said.removeDo}
      onConfirm={() => remove.mutate()}
      busy={remove.isPending}
      error={remove.error}
    />
  );
}
