/** What can be done with a team, and why not when it can't. One list for menu and drawer. */
import { Menu } from "@mantine/core";
import { IconPencil, IconTrash } from "@tabler/icons-react";
import type { OperationId } from "../../api/operations.gen";
import type { Team } from "../../api/types";
import { GuardedItem, RowMenu, useMe, whyNot } from "../../parts/permissions";
import { covers, useRoles } from "../../parts/role-select";
import { words } from "../../words";
import type { Act } from "./dialogs";

const said = words.teams;

/** Why each act on this team is off; null when it is on. */
export function useReasons(team: Team) {
  const me = useMe();
  const roles = useRoles();
  const above =
    team.role && roles.length > 0 && !covers(roles, me, team.role) ? said.aboveOwn : null;
  const reason = (operation: OperationId) => whyNot(me, operation) ?? above;
  return {
    edit: reason("teams_update"),
    delete: reason("teams_delete"),
    add: reason("team_members_add"),
    remove: reason("team_members_remove"),
  };
}

interface TeamMenuProps {
  team: Team;
  onAct: (act: Act) => void;
}

export function TeamMenu({ team, onAct }: TeamMenuProps) {
  const reasons = useReasons(team);
  return (
    <RowMenu name={team.name}>
      <GuardedItem
        reason={reasons.edit}
        leftSection={<IconPencil size={16} aria-hidden="true" />}
        onClick={() => onAct({ kind: "edit", team })}
      >
        {said.edit}
      </GuardedItem>
      <Menu.Divider />
      <GuardedItem
        reason={reasons.delete}
        color="red"
        leftSection={<IconTrash size={16} aria-hidden="true" />}
        onClick={() => onAct({ kind: "delete", team })}
      >
        {said.delete}
      </GuardedItem>
    </RowMenu>
  );
}
