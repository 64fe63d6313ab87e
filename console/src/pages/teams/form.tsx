/** The dialogs that create and edit a team. */
import { Button, Group, Modal, Stack, Text, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { api, ifMatch, take } from "../../api/client";
import { useIdempotent } from "../../api/idempotency";
import { Problem } from "../../api/problem";
import { keys } from "../../api/queries";
import type { Team } from "../../api/types";
import { CustomRoleSelect } from "../../parts/custom-roles";
import { check, useProblems } from "../../parts/forms";
import { tell, tellStale } from "../../parts/notify";
import { useOrganization } from "../../parts/permissions";
import { RoleSelect } from "../../parts/role-select";
import { words } from "../../words";

const said = words.teams;

interface Values {
  name: string;
  description: string;
  role: string | null;
  custom_role_ids: string[];
}

interface CreateDialogProps {
  opened: boolean;
  onClose: () => void;
  onCreated: (team: Team) => void;
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
      const body = {
        name: name.trim(),
        description: description.trim() || undefined,
        role: role ?? undefined,
        custom_role_ids,
      };
      return await idempotent(body, (key) =>
        take(
          api.POST("/v1/organizations/{organization_id}/teams", {
            body,
            params: {
              path: { organization_id: organization.id },
              header: { "Idempotency-Key": key },
            },
          }),
        ),
      );
    },
    onSuccess: (team) => {
      tell(said.createdDone(team.name));
      onCreated(team);
    },
    onSettled: () => client.invalidateQueries({ queryKey: keys.organization(organization.id) }),
  });
  return (
    <TeamForm
      initial={{ name: "", description: "", role: null, custom_role_ids: [] }}
      action={said.create}
      busy={create.isPending}
      onSubmit={(values) => create.mutateAsync(values)}
      onClose={onClose}
    />
  );
}

interface EditDialogProps {
  team: Team;
  onClose: () => void;
}

export function EditDialog({ team, onClose }: EditDialogProps) {
  const client = useQueryClient();
  const update = useMutation({
    mutationFn: ({ name, description, ...gives }: Values) =>
      take(
        api.PATCH("/v1/organizations/{organization_id}/teams/{team_id}", {
          body: { name: name.trim(), description: description.trim() || null, ...gives },
          params: {
            path: { organization_id: team.organization_id, team_id: team.id },
            header: { "If-Match": ifMatch(team.version) },
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
      Promise.all([
        client.invalidateQueries({ queryKey: keys.organization(team.organization_id) }),
        client.invalidateQueries({ queryKey: keys.me }),
      ]),
  });
  return (
    <Modal opened onClose={onClose} title={<strong>{said.editTitle(team.name)}</strong>} size={480}>
      <TeamForm
        initial={{
          name: team.name,
          description: team.description ?? "",
          role: team.role ?? null,
          custom_role_ids: team.custom_roles.map(({ id }) => id),
        }}
        members={team.member_count}
        action={words.common.save}
        busy={update.isPending}
        onSubmit={(values) => update.mutateAsync(values)}
        onClose={onClose}
      />
    </Modal>
  );
}

interface TeamFormProps {
  initial: Values;
  /** How many a change of the role is for. */
  members?: number;
  action: string;
  busy: boolean;
  onSubmit: (values: Values) => Promise<unknown>;
  onClose: () => void;
}

function TeamForm({ initial, members = 0, action, busy, onSubmit, onClose }: TeamFormProps) {
  const form = useForm<Values & Record<string, unknown>>({
    initialValues: { ...initial },
    validate: { name: check.required },
  });
  const problems = useProblems(form, { team_name_taken: "name" });
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
          autoComplete="off"
          maxLength={500}
          {...form.getInputProps("description")}
        />
        <div>
          <RoleSelect
            ofTeam
            label={said.role}
            description={said.roleHint}
            placeholder={said.noRole}
            clearable
            clearButtonProps={{ "aria-label": said.noRole }}
            {...form.getInputProps("role")}
          />
          <Text size="xs" c="dimmed" mt={4} role="status">
            {role !== initial.role && members > 0
              ? said.roleEffect(members)
              : role
                ? words.roles.short[role]
                : said.noRoleText}
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
