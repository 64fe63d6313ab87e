/** The dialog that invites: one person with a message, or several at once. */
import { Button, Group, Modal, Stack, Tabs, Textarea, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, take } from "../../api/client";
import { useIdempotent } from "../../api/idempotency";
import { keys } from "../../api/queries";
import { CustomRoleSelect } from "../../parts/custom-roles";
import { check, useProblems } from "../../parts/forms";
import { tell } from "../../parts/notify";
import { useOrganization } from "../../parts/permissions";
import { RoleSelect } from "../../parts/role-select";
import { TeamSelect } from "../../parts/team-select";
import { words } from "../../words";
import { addressesIn, mostAddresses } from "./addresses";
import { type BulkResult, Results } from "./results";

const said = words.invitations;

interface InviteDialogProps {
  opened: boolean;
  onClose: () => void;
}

export function InviteDialog({ opened, onClose }: InviteDialogProps) {
  const organization = useOrganization();
  return (
    <Modal
      opened={opened}
      onClose={onClose}
      title={<strong>{said.dialogTitle(organization.name)}</strong>}
      size={560}
    >
      <InviteBody onClose={onClose} />
    </Modal>
  );
}

function InviteBody({ onClose }: { onClose: () => void }) {
  const [results, setResults] = useState<BulkResult[] | null>(null);
  if (results) {
    return <Results results={results} onClose={onClose} onMore={() => setResults(null)} />;
  }
  return (
    <Tabs defaultValue="one" keepMounted={false}>
      <Tabs.List mb="md">
        <Tabs.Tab value="one">{said.one}</Tabs.Tab>
        <Tabs.Tab value="several">{said.several}</Tabs.Tab>
      </Tabs.List>
      <Tabs.Panel value="one">
        <InviteOne onClose={onClose} />
      </Tabs.Panel>
      <Tabs.Panel value="several">
        <InviteSeveral onClose={onClose} onResults={setResults} />
      </Tabs.Panel>
    </Tabs>
  );
}

function useRefresh() {
  const client = useQueryClient();
  const { id } = useOrganization();
  return () => client.invalidateQueries({ queryKey: keys.organization(id) });
}

function InviteOne({ onClose }: { onClose: () => void }) {
  const organization = useOrganization();
  const refresh = useRefresh();
  const idempotent = useIdempotent();
  const form = useForm({
    initialValues: {
      email: "",
      role: "member",
      custom_role_ids: [] as string[],
      team_ids: [] as string[],
      message: "",
    },
    validate: { email: check.email, message: check.noLink },
  });
  const problems = useProblems(form, {
    already_member: "email",
    already_invited: "email",
    domain_not_allowed: "email",
  });
  const invite = useMutation({
    mutationFn: async ({ email, message, ...gifts }: typeof form.values) => {
      const body = { email: email.trim(), ...gifts, message: message.trim() || undefined };
      await idempotent(body, (key) =>
        take(
          api.POST("/v1/organizations/{organization_id}/invitations", {
            body,
            params: {
              path: { organization_id: organization.id },
              header: { "Idempotency-Key": key },
            },
          }),
        ),
      );
      tell(said.sentOne(body.email));
      onClose();
    },
    onSettled: refresh,
  });
  return (
    <form
      noValidate
      onSubmit={form.onSubmit((values) => problems.wrap(() => invite.mutateAsync(values)))}
    >
      <Stack gap="md">
        <TextInput
          label={said.email}
          type="email"
          autoComplete="off"
          required
          data-autofocus
          {...form.getInputProps("email")}
        />
        <RoleSelect label={words.roles.title} {...form.getInputProps("role")} />
        <CustomRoleSelect {...form.getInputProps("custom_role_ids")} />
        <TeamSelect {...form.getInputProps("team_ids")} />
        <Textarea
          label={said.message}
          description={said.messageHint}
          autosize
          minRows={2}
          maxRows={6}
          maxLength={500}
          {...form.getInputProps("message")}
        />
        {problems.alert}
        <Buttons onClose={onClose} busy={invite.isPending} action={said.send} />
      </Stack>
    </form>
  );
}

interface SeveralProps {
  onClose: () => void;
  onResults: (results: BulkResult[]) => void;
}

function InviteSeveral({ onClose, onResults }: SeveralProps) {
  const organization = useOrganization();
  const refresh = useRefresh();
  const idempotent = useIdempotent();
  const form = useForm({
    initialValues: {
      invitations: "",
      role: "member",
      custom_role_ids: [] as string[],
      team_ids: [] as string[],
    },
    validate: {
      invitations: (text) => {
        const { good } = addressesIn(text);
        if (good.length === 0) return said.noAddress;
        return good.length > mostAddresses ? said.tooMany : null;
      },
    },
  });
  const problems = useProblems(form);
  const { good, bad } = addressesIn(form.values.invitations);
  const invite = useMutation({
    mutationFn: async ({ invitations, ...gifts }: typeof form.values) => {
      const { good, bad } = addressesIn(invitations);
      const body = { invitations: good.map((email) => ({ email, ...gifts })) };
      const answer = await idempotent(body, (key) =>
        take(
          api.POST("/v1/organizations/{organization_id}/invitations/bulk", {
            body,
            params: {
              path: { organization_id: organization.id },
              header: { "Idempotency-Key": key },
            },
          }),
        ),
      );
      // What was no address was not sent, and its line says so too.
      const error = { code: "format", detail: said.notAddress };
      onResults([...answer.results, ...bad.map((email) => ({ email, error }))]);
    },
    onSettled: refresh,
  });
  return (
    <form
      noValidate
      onSubmit={form.onSubmit((values) => problems.wrap(() => invite.mutateAsync(values)))}
    >
      <Stack gap="md">
        <Textarea
          label={said.addresses}
          description={said.addressesHint}
          autosize
          minRows={5}
          maxRows={12}
          spellCheck={false}
          required
          data-autofocus
          {...form.getInputProps("invitations")}
        />
        {good.length + bad.length > 0 ? (
          <output>
            {said.count(good.length, bad.length)} {bad.slice(0, 5).join(", ")}
          </output>
        ) : null}
        <RoleSelect label={words.roles.title} {...form.getInputProps("role")} />
        <CustomRoleSelect {...form.getInputProps("custom_role_ids")} />
        <TeamSelect {...form.getInputProps("team_ids")} />
        {problems.alert}
        <Buttons
          onClose={onClose}
          busy={invite.isPending}
          action={good.length > 0 ? said.sendMany(good.length) : said.send}
        />
      </Stack>
    </form>
  );
}

interface ButtonsProps {
  onClose: () => void;
  busy: boolean;
  action: string;
}

function Buttons({ onClose, busy, action }: ButtonsProps) {
  return (
    <Group justify="flex-end" gap="xs">
      <Button variant="default" onClick={onClose}>
        {words.common.cancel}
      </Button>
      <Button type="submit" loading={busy}>
        {action}
      </Button>
    </Group>
  );
}
