/** The dialogs that compose a role and change one. */
import { Alert, Button, Group, Modal, Stack, Text, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { api, ifMatch, take } from "../../api/client";
import { permissionsQuery } from "../../api/custom-roles";
import { useIdempotent } from "../../api/idempotency";
import { Problem } from "../../api/problem";
import type { CustomRole } from "../../api/types";
import { check, useProblems } from "../../parts/forms";
import { tell, tellStale } from "../../parts/notify";
import { useOrganization } from "../../parts/permissions";
import { Failed, Loading } from "../../parts/states";
import { words } from "../../words";
import { touched } from "./dialogs";
import { holdersOf } from "./list";
import { PermissionPicker } from "./picker";

const said = words.customRoles;

interface Values {
  name: string;
  description: string;
  permissions: string[];
}

interface CreateDialogProps {
  opened: boolean;
  onClose: () => void;
}

export function CreateDialog({ opened, onClose }: CreateDialogProps) {
  return (
    <Modal opened={opened} onClose={onClose} title={<strong>{said.createTitle}</strong>} size={680}>
      <CreateForm onClose={onClose} />
    </Modal>
  );
}

function CreateForm({ onClose }: { onClose: () => void }) {
  const organization = useOrganization();
  const client = useQueryClient();
  const idempotent = useIdempotent();
  const create = useMutation({
    mutationFn: async ({ name, description, permissions }: Values) => {
      const text = description.trim() || undefined;
      const body = { name: name.trim(), description: text, permissions };
      return await idempotent(body, (key) =>
        take(
          api.POST("/v1/organizations/{organization_id}/roles", {
            body,
            params: {
              path: { organization_id: organization.id },
              header: { "Idempotency-Key": key },
            },
          }),
        ),
      );
    },
    onSuccess: ({ name }) => {
      tell(said.createdDone(name));
      onClose();
    },
    onSettled: () =>
      Promise.all(
        touched(organization.id).map((queryKey) => client.invalidateQueries({ queryKey })),
      ),
  });
  return (
    <RoleForm
      initial={{ name: "", description: "", permissions: [] }}
      holders={null}
      action={said.create}
      busy={create.isPending}
      onSubmit={(values) => create.mutateAsync(values)}
      onClose={onClose}
    />
  );
}

export function EditDialog({ role, onClose }: { role: CustomRole; onClose: () => void }) {
  const client = useQueryClient();
  const update = useMutation({
    mutationFn: ({ name, description, permissions }: Values) =>
      take(
        api.PATCH("/v1/organizations/{organization_id}/roles/{custom_role_id}", {
          body: { name: name.trim(), description: description.trim() || null, permissions },
          params: {
            path: { organization_id: role.organization_id, custom_role_id: role.id },
            header: { "If-Match": ifMatch(role.version) },
          },
        }),
      ),
    onSuccess: ({ name }) => {
      tell(said.saved(name));
      onClose();
    },
    onError: (error) => {
      if (!(error instanceof Problem) || error.code !== "precondition_failed") return;
      tellStale();
      onClose();
    },
    onSettled: () =>
      Promise.all(
        touched(role.organization_id).map((queryKey) => client.invalidateQueries({ queryKey })),
      ),
  });
  return (
    <Modal opened onClose={onClose} title={<strong>{said.editTitle(role.name)}</strong>} size={680}>
      <RoleForm
        initial={{
          name: role.name,
          description: role.description ?? "",
          permissions: role.permissions,
        }}
        holders={holdersOf(role)}
        action={words.common.save}
        busy={update.isPending}
        onSubmit={(values) => update.mutateAsync(values)}
        onClose={onClose}
      />
    </Modal>
  );
}

interface RoleFormProps {
  initial: Values;
  /** Who a change is for; nobody when it is new. */
  holders: string | null;
  action: string;
  busy: boolean;
  onSubmit: (values: Values) => Promise<unknown>;
  onClose: () => void;
}

function RoleForm({ initial, holders, action, busy, onSubmit, onClose }: RoleFormProps) {
  const organization = useOrganization();
  const catalogue = useQuery(permissionsQuery(organization.id));
  const form = useForm<Values & Record<string, unknown>>({
    initialValues: { ...initial },
    validate: {
      name: check.required,
      permissions: (value) => (value.length === 0 ? said.pickNone : null),
    },
  });
  const problems = useProblems(form, { custom_role_name_taken: "name" });
  const submit = async (values: Values) => {
    await onSubmit(values);
  };
  const { permissions } = form.values;
  const changed =
    permissions.length !== initial.permissions.length ||
    permissions.some((name) => !initial.permissions.includes(name));
  return (
    <form noValidate onSubmit={form.onSubmit((values) => problems.wrap(() => submit(values)))}>
      <Stack gap="md">
        <TextInput
          label={said.name}
          description={said.nameHint}
          autoComplete="off"
          maxLength={100}
          required
          data-autofocus
          {...form.getInputProps("name")}
        />
        <TextInput
          label={said.description}
          autoComplete="off"
          maxLength={500}
          {...form.getInputProps("description")}
        />
        {catalogue.isPending ? <Loading /> : null}
        {catalogue.isError ? (
          <Failed error={catalogue.error} retry={() => void catalogue.refetch()} />
        ) : null}
        {catalogue.data ? (
          <PermissionPicker
            permissions={catalogue.data.items}
            value={permissions}
            onChange={(next) => form.setFieldValue("permissions", next)}
            error={form.errors.permissions}
          />
        ) : null}
        {holders && changed ? (
          <Alert color="yellow" role="status">
            <Text size="sm">{said.effect(holders)}</Text>
          </Alert>
        ) : null}
        {problems.alert}
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={onClose}>
            {words.common.cancel}
          </Button>
          <Button type="submit" loading={busy}>
            {action}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
