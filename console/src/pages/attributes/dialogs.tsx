/** Archiving and deleting an attribute: each says what becomes of what it says. */
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { api, ifMatch, take } from "../../api/client";
import { Problem } from "../../api/problem";
import { keys } from "../../api/queries";
import type { Attribute } from "../../api/types";
import { Confirm } from "../../parts/confirm";
import { tell, tellStale } from "../../parts/notify";
import { words } from "../../words";
import { useChange } from "./menu";

const said = words.attributes;

export interface Act {
  kind: "archive" | "delete";
  attribute: Attribute;
}

interface DialogsProps {
  act: Act | null;
  onClose: () => void;
}

export function AttributeDialogs({ act, onClose }: DialogsProps) {
  if (!act) return null;
  const props = { attribute: act.attribute, onClose };
  return act.kind === "archive" ? <Archive {...props} /> : <Delete {...props} />;
}

interface DialogProps {
  attribute: Attribute;
  onClose: () => void;
}

/** Closes a dialog about something that is not any more what was read. */
export function closeIfStale(error: unknown, onClose: () => void) {
  if (!(error instanceof Problem) || error.code !== "precondition_failed") return;
  tellStale();
  onClose();
}

function Archive({ attribute, onClose }: DialogProps) {
  const change = useChange(attribute);
  const archive = () =>
    change.mutate(
      { archived: true },
      {
        onSuccess: () => {
          tell(said.archiveDone(attribute.label));
          onClose();
        },
        onError: (error) => closeIfStale(error, onClose),
      },
    );
  return (
    <Confirm
      opened
      onClose={onClose}
      title={said.archiveTitle(attribute.label)}
      effects={said.archiveEffects}
      action={said.archive}
      onConfirm={archive}
      busy={change.isPending}
      error={change.error}
      harmless
    />
  );
}

function Delete({ attribute, onClose }: DialogProps) {
  const client = useQueryClient();
  const { organization_id, id: attribute_id, version } = attribute;
  const remove = useMutation({
    mutationFn: () =>
      take(
        api.DELETE("/v1/organizations/{organization_id}/attributes/{attribute_id}", {
          params: {
            path: { organization_id, attribute_id },
            header: { "If-Match": ifMatch(version) },
          },
        }),
      ),
    onSuccess: () => {
      tell(said.deleted(attribute.label));
      onClose();
    },
    onError: (error) => closeIfStale(error, onClose),
    onSettled: () => client.invalidateQueries({ queryKey: keys.attributes(organization_id) }),
  });
  return (
    <Confirm
      opened
      onClose={onClose}
      title={said.deleteTitle(attribute.label)}
      effects={said.deleteEffects}
      action={said.deleteDo}
      typed={attribute.key}
      onConfirm={() => remove.mutate()}
      busy={remove.isPending}
      error={remove.error}
    />
  );
}
