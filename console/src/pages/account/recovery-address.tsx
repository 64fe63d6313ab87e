/** One's own recovery address: setting it, and what was asked for through it. */
import { Alert, Button, Group, Modal, Stack, Text, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, take } from "../../api/client";
import { recoveryAddressQuery } from "../../api/recovery";
import type { RecoveryAddress } from "../../api/types";
import { Status } from "../../parts/badges";
import { Confirm, ProblemAlert } from "../../parts/confirm";
import { check, useProblems } from "../../parts/forms";
import { tell } from "../../parts/notify";
import { Section } from "../../parts/page";
import { Failed, Loading } from "../../parts/states";
import { Time } from "../../parts/time";
import { words } from "../../words";

const said = words.recovery;

export function MyRecoveryAddress() {
  const query = useQuery(recoveryAddressQuery);
  const [changing, setChanging] = useState(false);
  const known = query.data?.email ?? query.data?.pending?.email;
  return (
    <Section
      title={said.title}
      text={said.text}
      action={
        known ? (
          <Button variant="default" size="xs" onClick={() => setChanging(true)}>
            {said.change}
          </Button>
        ) : null
      }
    >
      {query.isPending ? <Loading rows={2} /> : null}
      {query.isError ? <Failed error={query.error} retry={() => void query.refetch()} /> : null}
      {query.data ? (
        <Stack gap="md">
          {query.data.recovery ? <Open recovery={query.data.recovery} /> : null}
          {known ? null : <None onSet={() => setChanging(true)} />}
          {known ? <Present state={query.data} /> : null}
        </Stack>
      ) : null}
      <Modal
        opened={changing}
        onClose={() => setChanging(false)}
        title={<strong>{said.changeTitle}</strong>}
        closeButtonProps={{ "aria-label": words.common.close }}
        size={480}
      >
        <ChangeForm onClose={() => setChanging(false)} />
      </Modal>
    </Section>
  );
}

function None({ onSet }: { onSet: () => void }) {
  return (
    <Stack gap="sm" align="flex-start">
      <div>
        <Text fw={550}>{said.noneTitle}</Text>
        <Text c="dimmed" size="sm">
          {said.noneText}
        </Text>
      </div>
      <Button variant="light" onClick={onSet}>
        {said.set}
      </Button>
    </Stack>
  );
}

function Present({ state: { email, pending } }: { state: RecoveryAddress }) {
  const client = useQueryClient();
  const [removing, setRemoving] = useState(false);
  const refresh = () => client.invalidateQueries({ queryKey: recoveryAddressQuery.queryKey });
  const remove = useMutation({
    mutationFn: () => take(api.DELETE("/v1/me/recovery-address")),
    onSuccess: () => {
      tell(said.removed);
      setRemoving(false);
    },
    onSettled: refresh,
  });
  return (
    <Stack gap="md" align="stretch">
      {email ? (
        <Group gap="sm" justify="space-between">
          <Text fw={550}>{email}</Text>
          <Status tone="good">{said.confirmed}</Status>
        </Group>
      ) : null}
      {pending ? <Pending pending={pending} /> : null}
      <Group>
        <Button size="xs" variant="light" color="red" onClick={() => setRemoving(true)}>
          {said.remove}
        </Button>
      </Group>
      {removing ? (
        <Confirm
          opened
          onClose={() => setRemoving(false)}
          title={said.removeTitle}
          effects={said.removeEffects}
          action={said.remove}
          onConfirm={() => remove.mutate()}
          busy={remove.isPending}
          error={remove.error}
        />
      ) : null}
    </Stack>
  );
}

function Pending({ pending }: { pending: NonNullable<RecoveryAddress["pending"]> }) {
  const client = useQueryClient();
  const again = useMutation({
    mutationFn: async () => {
      const body = { email: pending.email };
      const state = await take(api.PUT("/v1/me/recovery-address", { body }));
      client.setQueryData(recoveryAddressQuery.queryKey, state);
      tell(said.sent(pending.email));
    },
  });
  return (
    <Alert color="yellow" variant="light" title={said.pendingTitle}>
      <Stack gap="sm" align="flex-start">
        <Text>{said.pendingText(pending.email)}</Text>
        <Text size="sm">
          {said.pendingUntil} <Time value={pending.expires_at} />
        </Text>
        {again.error ? <ProblemAlert error={again.error} /> : null}
        <Button
          size="xs"
          variant="default"
          loading={again.isPending}
          onClick={() => again.mutate()}
        >
          {said.again}
        </Button>
      </Stack>
    </Alert>
  );
}

/** Somebody who knows the password asked for a recovery: whoever sees this can stop it. */
function Open({ recovery }: { recovery: NonNullable<RecoveryAddress["recovery"]> }) {
  const client = useQueryClient();
  const stop = useMutation({
    mutationFn: () => take(api.DELETE("/v1/me/recovery")),
    onSuccess: () => tell(said.stopped),
    onSettled: () => client.invalidateQueries({ queryKey: recoveryAddressQuery.queryKey }),
  });
  return (
    <Alert color="red" variant="light" title={said.openTitle}>
      <Stack gap="sm" align="flex-start">
        <Text>{said.open[recovery.status]}</Text>
        <Text size="sm">
          {recovery.status === "waiting" ? (
            <>
              {said.openFrom} <Time value={recovery.not_before} />.{" "}
            </>
          ) : null}
          {said.openUntil} <Time value={recovery.expires_at} />.
        </Text>
        <Text fw={550}>{said.notYou}</Text>
        {stop.error ? <ProblemAlert error={stop.error} /> : null}
        <Button size="xs" color="red.7" loading={stop.isPending} onClick={() => stop.mutate()}>
          {said.stop}
        </Button>
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
      const body = { email: email.trim() };
      const state = await take(api.PUT("/v1/me/recovery-address", { body }));
      client.setQueryData(recoveryAddressQuery.queryKey, state);
      tell(said.sent(body.email));
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
          label={said.address}
          type="email"
          autoComplete="off"
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
            {said.submit}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
