/** The dialogs that create and edit a service account. */
import { Button, Group, Modal, Stack, Text, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { api, ifMatch, take } from "../../api/client";
import { useIdempotent } from "../../api/idempotency";
import { Problem } from "../../api/problem";
import { keys } from "../../api/queries";
import type { ServiceAccount } from "../../api/types";
import { CustomRoleSelect } from "../../parts/custom-roles";
import { check, useProblems } from "../../parts/forms";
import { tell, tellStale } from "../../parts/notify";
import { useOrganization } from "../../parts/permissions";
import { RoleSelect } from "../../parts/role-select";
import { words } from "../../words";

const said = words.serviceAccounts;

interface Values extends Record<string, unknown> {
  name: string;
  description: string;
  role: string;
  custom_role_ids: string[];
}

interface CreateDialogProps {
  opened: boolean;
  onClose: () => void;
  onCreated: (account: ServiceAccount) => void;
}

export function CreateDialog({ opened, onClose, onCreated }: CreateDialogProps) {
  return (
    <Modal opened={opened} onClose={onClose} title={<strong>{said.createTitle}</strong>} size={480}>
      <CreateForm onClose={onClose} onCreated={onCreated} />
    </Modal>
  );
}

function CreateForm({ onClose, onCreated }: Omit<CreateDialogProps, "opened">) {
  const organization = useOrganization();
  const client = useQueryClient();
  const idempotent = useIdempotent();
  const create = useMutation({
    mutationFn: async ({ name, description, role, custom_role_ids }: Values) => {
      const text = description.trim() || undefined;
      const body = { name: name.trim(), description: text, role, custom_role_ids };
      return await idempotent(body, (key) =>
        take(
          api.POST("/v1/organizations/{organization_id}/service-accounts", {
            body,
            params: {
              path: { organization_id: organization.id },
              header: { "Idempotency-Key": key },
            },
          }),
        ),
      );
    },
    onSuccess: (account) => {
      tell(said.createdDone(account.name));
      onCreated(account);
    },
    onSettled: () => client.invalidateQueries({ queryKey: keys.serviceAccounts(organization.id) }),
  });
  return (
    <AccountForm
      initial={{ name: "", description: "", role: "member", custom_role_ids: [] }}
      action={said.create}
      busy={create.isPending}
      onSubmit={(values) => create.mutateAsync(values)}
      onClose={onClose}
    />
  );
}

interface EditDialogProps {
  account: ServiceAccount;
  onClose: () => void;
}

export function EditDialog({ account, onClose }: EditDialogProps) {
  const client = useQueryClient();
  const { organization_id, id, name, description, role, custom_roles, version } = account;
  const update = useMutation({
    mutationFn: (values: Values) =>
      take(
        api.PATCH("/v1/organizations/{organization_id}/service-accounts/{service_account_id}", {
          body: {
            name: values.name.trim(),
            description: values.description.trim() || null,
            role: values.role,
            custom_role_ids: values.custom_role_ids,
          },
          params: {
            path: { organization_id, service_account_id: id },
            header: { "If-Match": ifMatch(version) },
          },
        }),
      ),
    onSuccess: (changed) => {
      tell(said.saved(changed.name));
      onClose();
    },
    onError: (error) => {
      if (!(error instanceof Problem) || error.code !== "precondition_failed") return;
      tellStale();
      onClose();
    },
    onSettled: () => client.invalidateQueries({ queryKey: keys.serviceAccounts(organization_id) }),
  });
  return (
    <Modal opened onClose={onClose} title={<strong>{said.editTitle(name)}</strong>} size={480}>
      <AccountForm
        initial={{
          name,
          description: description ?? "",
          role,
          custom_role_ids: custom_roles.map((held) => held.id),
        }}
        action={words.common.save}
        busy={update.isPending}
        onSubmit={(values) => update.mutateAsync(values)}
        onClose={onClose}
      />
    </Modal>
  );
}

interface AccountFormProps {
  initial: Values;
  action: string;
  busy: boolean;
  onSubmit: (values: Values) => Promise<unknown>;
  onClose: () => void;
}

function AccountForm({ initial, action, busy, onSubmit, onClose }: AccountFormProps) {
  const form = useForm<Values>({ initialValues: initial, validate: { name: check.required } });
  const problems = useProblems(form, { service_account_name_taken: "name" });
  const { role } = form.values;
  const submit = async (values: Values) => {
    await onSubmit(values);
  };
  return (
    <form noValidate onSubmit={form.onSubmit((values) => problems.wrap(() => submit(values)))}>
      <Stack gap="md">
        <TextInput
          label={said.name}
          autoComplete="off"
          maxLength={100}
          required
          data-autofocus
          {...form.getInputProps("name")}
        />
        <TextInput
          label={said.description}
          description={said.descriptionHint}
          autoComplete="off"
          maxLength={500}
          {...form.getInputProps("description")}
        />
        <div>
          <RoleSelect
            ofOrganization
            label={said.role}
            description={said.roleHint}
            {...form.getInputProps("role")}
          />
          <Text size="xs" c="dimmed" mt={4} role="status">
            {words.roles.short[role]}
          </Text>
        </div>
        <CustomRoleSelect {...form.getInputProps("custom_role_ids")} />
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
