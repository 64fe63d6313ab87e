/** What can be done with an attribute, and why not when it can't. */
import { Menu } from "@mantine/core";
import {
  IconArchive,
  IconArchiveOff,
  IconArrowDown,
  IconArrowUp,
  IconPencil,
  IconTrash,
} from "@tabler/icons-react";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { api, ifMatch, take } from "../../api/client";
import { keys } from "../../api/queries";
import type { Attribute, AttributeChanges } from "../../api/types";
import { useOpen } from "../../parts/filters";
import { tell, tellProblem } from "../../parts/notify";
import { GuardedItem, RowMenu, useWhyNot } from "../../parts/permissions";
import { words } from "../../words";
import type { Act } from "./dialogs";

const said = words.attributes;

/** Changes an attribute, unless somebody else has meanwhile. */
export function useChange(attribute: Attribute) {
  const client = useQueryClient();
  const { organization_id, id: attribute_id, version } = attribute;
  return useMutation({
    mutationFn: (body: AttributeChanges) =>
      take(
        api.PATCH("/v1/organizations/{organization_id}/attributes/{attribute_id}", {
          body,
          params: {
            path: { organization_id, attribute_id },
            header: { "If-Match": ifMatch(version) },
          },
        }),
      ),
    onSettled: () =>
      Promise.all([
        client.invalidateQueries({ queryKey: keys.attributes(organization_id) }),
        client.invalidateQueries({ queryKey: keys.profiles(organization_id) }),
      ]),
  });
}

interface AttributeMenuProps {
  attribute: Attribute;
  /** The place of the last one. */
  last: number;
  onAct: (act: Act) => void;
}

export function AttributeMenu({ attribute, last, onAct }: AttributeMenuProps) {
  const { id, label, position } = attribute;
  const archived = attribute.archived_at !== undefined;
  const open = useOpen();
  const editNot = useWhyNot("attributes_update");
  const deleteNot = useWhyNot("attributes_delete");
  const change = useChange(attribute);
  const apply = (body: AttributeChanges, done: string) =>
    change.mutate(body, { onSuccess: () => tell(done), onError: tellProblem });
  const move = (to: number) => apply({ position: to }, said.moved(label));
  return (
    <RowMenu name={label}>
      <GuardedItem
        reason={editNot}
        leftSection={<IconPencil size={16} aria-hidden="true" />}
        onClick={() => open({ open: id })}
      >
        {said.edit}
      </GuardedItem>
      <GuardedItem
        reason={editNot ?? (position === 0 ? said.isFirst : null)}
        leftSection={<IconArrowUp size={16} aria-hidden="true" />}
        onClick={() => move(position - 1)}
      >
        {said.moveUp}
      </GuardedItem>
      <GuardedItem
        reason={editNot ?? (position >= last ? said.isLast : null)}
        leftSection={<IconArrowDown size={16} aria-hidden="true" />}
        onClick={() => move(position + 1)}
      >
        {said.moveDown}
      </GuardedItem>
      <Menu.Divider />
      {archived ? (
        <GuardedItem
          reason={editNot}
          leftSection={<IconArchiveOff size={16} aria-hidden="true" />}
          onClick={() => apply({ archived: false }, said.restored(label))}
        >
          {said.restore}
        </GuardedItem>
      ) : (
        <GuardedItem
          reason={editNot}
          leftSection={<IconArchive size={16} aria-hidden="true" />}
          onClick={() => onAct({ kind: "archive", attribute })}
        >
          {said.archive}
        </GuardedItem>
      )}
      <GuardedItem
        reason={deleteNot ?? (archived ? null : said.deleteFirst)}
        color="red"
        leftSection={<IconTrash size={16} aria-hidden="true" />}
        onClick={() => onAct({ kind: "delete", attribute })}
      >
        {said.delete}
      </GuardedItem>
    </RowMenu>
  );
}
