/** The drawers that add and edit an attribute. */
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { api, take } from "../../api/client";
import { useIdempotent } from "../../api/idempotency";
import { keys } from "../../api/queries";
import type { Attribute, NewAttribute } from "../../api/types";
import { Details } from "../../parts/details";
import { tell } from "../../parts/notify";
import { useOrganization, useWhyNot } from "../../parts/permissions";
import { words } from "../../words";
import { closeIfStale } from "./dialogs";
import { AttributeForm, type Values } from "./form";
import { useChange } from "./menu";

const said = words.attributes;
const width = 560;

const blank: Values = {
  key: "",
  label: "",
  description: "",
  type: "text",
  options: [],
  required: false,
  visible_to: "person_and_managers",
  editable_by: "managers",
  sealed_in: "",
  searchable: false,
};

interface CreateDrawerProps {
  opened: boolean;
  scopes: string[];
  onClose: () => void;
}

export function CreateDrawer({ opened, scopes, onClose }: CreateDrawerProps) {
  return (
    <Details opened={opened} onClose={onClose} title={said.createTitle} size={width}>
      <Create scopes={scopes} onClose={onClose} />
    </Details>
  );
}

function Create({ scopes, onClose }: Omit<CreateDrawerProps, "opened">) {
  const { id: organization_id } = useOrganization();
  const client = useQueryClient();
  const idempotent = useIdempotent();
  const create = useMutation({
    mutationFn: (values: Values) => {
      const body: NewAttribute = {
        ...values,
        label: values.label.trim(),
        description: values.description.trim() || undefined,
        options: values.type === "choice" ? values.options : undefined,
        sealed_in: values.sealed_in || undefined,
      };
      return idempotent(body, (key) =>
        take(
          api.POST("/v1/organizations/{organization_id}/attributes", {
            body,
            params: { path: { organization_id }, header: { "Idempotency-Key": key } },
          }),
        ),
      );
    },
    onSuccess: ({ label }) => {
      tell(said.created(label));
      onClose();
    },
    onSettled: () =>
      Promise.all([
        client.invalidateQueries({ queryKey: keys.attributes(organization_id) }),
        client.invalidateQueries({ queryKey: keys.profiles(organization_id) }),
      ]),
  });
  return (
    <AttributeForm
      initial={blank}
      scopes={scopes}
      action={said.create}
      busy={create.isPending}
      onSubmit={(values) => create.mutateAsync(values)}
      onClose={onClose}
    />
  );
}

interface EditDrawerProps {
  attribute: Attribute | undefined;
  scopes: string[];
  onClose: () => void;
}

export function EditDrawer({ attribute, scopes, onClose }: EditDrawerProps) {
  return (
    <Details
      opened={attribute !== undefined}
      onClose={onClose}
      title={attribute ? said.editTitle(attribute.label) : words.common.details}
      size={width}
    >
      {attribute ? (
        <Edit
          key={`${attribute.id} ${attribute.version}`}
          attribute={attribute}
          scopes={scopes}
          onClose={onClose}
        />
      ) : null}
    </Details>
  );
}

function Edit({ attribute, scopes, onClose }: EditDrawerProps & { attribute: Attribute }) {
  const reason = useWhyNot("attributes_update");
  const change = useChange(attribute);
  const save = async (values: Values) => {
    const { label, description, options, required, visible_to, editable_by, searchable } = values;
    const saved = await change.mutateAsync(
      {
        label: label.trim(),
        description: description.trim() || null,
        options: attribute.type === "choice" ? options : undefined,
        required,
        visible_to,
        editable_by,
        sealed_in: values.sealed_in || null,
        searchable,
      },
      { onError: (error) => closeIfStale(error, onClose) },
    );
    tell(said.saved(saved.label));
    onClose();
  };
  return (
    <AttributeForm
      initial={{
        ...attribute,
        description: attribute.description ?? "",
        sealed_in: attribute.sealed_in ?? "",
      }}
      fixed={attribute}
      readOnly={reason}
      scopes={scopes}
      action={words.common.save}
      busy={change.isPending}
      onSubmit={save}
      onClose={onClose}
    />
  );
}
