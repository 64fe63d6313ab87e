/** Editing and deleting a role: each says what it changes for whom. */
import { api, ifMatch, take } from "../../api/client";
import { keys } from "../../api/queries";
import type { CustomRole } from "../../api/types";
import { ActDialog } from "../../parts/act-dialog";
import { words } from "../../words";
import { EditDialog } from "./form";
import { holdersOf } from "./list";

const said = words.customRoles;

export interface Act {
  kind: "edit" | "delete";
  role: CustomRole;
}

interface DialogsProps {
  act: Act | null;
  onClose: () => void;
}

export function RoleDialogs({ act, onClose }: DialogsProps) {
  if (!act) return null;
  const key = `${act.kind} ${act.role.id}`;
  if (act.kind === "edit") return <EditDialog key={key} role={act.role} onClose={onClose} />;
  return <DeleteDialog key={key} role={act.role} onClose={onClose} />;
}

/** What changes with a role: also what the viewer may do. */
export const touched = (organization: string) => [keys.organization(organization), keys.me];

function DeleteDialog({ role, onClose }: { role: CustomRole; onClose: () => void }) {
  const holders = holdersOf(role);
  const params = {
    path: { organization_id: role.organization_id, custom_role_id: role.id },
    // Who loses it was shown.
    query: { holders: "release" as const },
    header: { "If-Match": ifMatch(role.version) },
  };
  return (
    <ActDialog
      onClose={onClose}
      text={{
        title: said.deleteTitle(role.name),
        effects: [holders ? said.deleteLoses(holders) : said.deleteNobody, said.deleteNoWay],
        action: said.deleteDo,
        done: said.deleted(role.name),
      }}
      run={() =>
        take(api.DELETE("/v1/organizations/{organization_id}/roles/{custom_role_id}", { params }))
      }
      refresh={touched(role.organization_id)}
    />
  );
}
