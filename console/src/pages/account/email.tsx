/** One's own address: whether it is confirmed, and the one that is to take its place. */
import { Alert, Button, Group, Modal, Stack, Text, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, take } from "../../api/client";
import { emailQuery, keys } from "../../api/queries";
import type { AccountEmail } from "../../api/types";
import { Status } from "../../parts/badges";
import { ProblemAlert } from "../../parts/confirm";
import { check, useProblems } from "../../parts/forms";
import { tell } from "../../parts/notify";
import { Section } from "../../parts/page";
import { Failed, Loading } from "../../parts/states";
import { Time } from "../../parts/time";
import { words } from "../../words";

const said = words.email;

export function MyEmail() {
  const query = useQuery(emailQuery);
  const [changing, setChanging] = useState(false);
  return (
    <Section
      title={said.title}
      text={said.text}
      action={
        <Button variant="default" size="xs" onClick={() => setChanging(true)}>
          {said.change}
        </Button>
      }
    >
      {query.isPending ? <Loading rows={2} /> : null}
      {query.isError ? <Failed error={query.error} retry={() => void query.refetch()} /> : null}
      {query.data ? <Present state={query.data} /> : null}
      <Modal
        opened={changing}
        onClose={() => setChanging(false)}
        title={<strong>{said.changeTitle}</strong>}
        size={480}
      >
        <ChangeForm onClose={() => setChanging(false)} />
      </Modal>
    </Section>
  );
}

function Present({ state: { email, verified_at, pending } }: { state: AccountEmail }) {
  return (
    <Stack gap="md">
      <Group gap="sm" justify="space-between">
        <Text fw={550}>{email}</Text>
        {verified_at ? (
          <Status tone="good">{said.verified}</Status>
        ) : (
          <Status tone="warn">{said.unverified}</Status>
        )}
      </Group>
      {verified_at ? null : <Unverified email={email} />}
      {pending ? <Pending pending={pending} /> : null}
    </Stack>
  );
}

function Unverified({ email }: { email: string }) {
  const send = useMutation({
    mutationFn: () => take(api.POST("/v1/me/email/verification")),
    onSuccess: () => tell(said.sent(email)),
  });
  return (
    <Stack gap="sm" align="flex-start">
      <Text c="dimmed" size="sm">
        {said.unverifiedText}
      </Text>
      {send.error ? <ProblemAlert error={send.error} /> : null}
      <Button size="xs" variant="light" loading={send.isPending} onClick={() => send.mutate()}>
        {said.sendLink}
      </Button>
    </Stack>
  );
}

function Pending({ pending }: { pending: NonNullable<AccountEmail["pending"]> }) {
  const client = useQueryClient();
  const refresh = () => client.invalidateQueries({ queryKey: keys.email });
  const again = useMutation({
    mutationFn: () => take(api.POST("/v1/me/email/change", { body: { email: pending.email } })),
    onSuccess: () => tell(said.changeSent(pending.email)),
    onSettled: refresh,
  });
  const cancel = useMutation({
    mutationFn: () => take(api.DELETE("/v1/me/email/change")),
    onSuccess: () => tell(said.cancelled),
    onSettled: refresh,
  });
  const error = again.error ?? cancel.error;
  return (
    <Alert color="yellow" variant="light" title={said.pendingTitle}>
      <Stack gap="sm" align="flex-start">
        <Text>{said.pendingText(pending.email)}</Text>
        <Text size="sm">
          {said.pendingUntil} <Time value={pending.expires_at} />
        </Text>
        {error ? <ProblemAlert error={error} /> : null}
        <Group gap="xs">
          <Button
            size="xs"
            variant="default"
            loading={cancel.isPending}
            onClick={() => cancel.mutate()}
          >
            {said.cancel}
          </Button>
          <Button
            size="xs"
            variant="default"
            loading={again.isPending}
            onClick={() => again.mutate()}
          >
            {said.again}
          </Button>
        </Group>
      </Stack>
    </Alert>
  );
}

function ChangeForm({ onClose }: { onClose: () => void }) {
  const client = useQueryClient();
  const form = useForm({ initialValues: { email: "" }, validate: { email: check.email } });
  const problems = useProblems(form);
  const change = useMutation({
    mutationFn: async ({ email }: typeof form.values) => {
      const state = await take(api.POST("/v1/me/email/change", { body: { email: email.trim() } }));
      client.setQueryData(emailQuery.queryKey, state);
      tell(said.changeSent(email.trim()));
      onClose();
    },
  });
  return (
    <form
      noValidate
      onSubmit={form.onSubmit((values) => problems.wrap(() => change.mutateAsync(values)))}
    >
      <Stack gap="md">
        <Text>{said.changeText}</Text>
        <TextInput
          label={said.newAddress}
          type="email"
          autoComplete="email"
          required
          data-autofocus
          {...form.getInputProps("email")}
        />
        {problems.alert}
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={onClose}>
            {words.common.cancel}
          </Button>
          <Button type="submit" loading={change.isPending}>
            {said.changeSubmit}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
