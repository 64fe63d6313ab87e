/** A person's codes by e-mail, the weak second factor: switching them on and off. */
import { Alert, Button, Group, Stack, Text, TextInput } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { api, take } from "../../api/client";
import { Problem } from "../../api/problem";
import { keys } from "../../api/queries";
import { secondFactorsQuery } from "../../api/second-factors";
import { Confirm, ProblemAlert } from "../../parts/confirm";
import { tell } from "../../parts/notify";
import { Section } from "../../parts/page";
import { useMe } from "../../parts/permissions";
import { Failed, Loading } from "../../parts/states";
import { Time } from "../../parts/time";
import { words } from "../../words";

const said = words.emailCodes;

export function MyEmailCodes() {
  const { account } = useMe();
  const own = useQuery(secondFactorsQuery);
  return (
    <Section title={said.title} text={said.text(account.email)}>
      {own.isPending ? <Loading rows={1} /> : null}
      {own.isError ? <Failed error={own.error} retry={() => void own.refetch()} /> : null}
      {own.data ? (
        <Stack gap="md">
          {own.data.email_codes_since ? <On since={own.data.email_codes_since} /> : <Off />}
          <Text size="sm" c="dimmed">
            {said.weak}
          </Text>
        </Stack>
      ) : null}
    </Section>
  );
}

function On({ since }: { since: string }) {
  const client = useQueryClient();
  const [asking, setAsking] = useState(false);
  const remove = useMutation({
    mutationFn: () => take(api.DELETE("/v1/me/second-factors/email-codes")),
    onSuccess: () => {
      tell(said.removed);
      setAsking(false);
    },
    onSettled: () => client.invalidateQueries({ queryKey: keys.me }),
  });
  return (
    <Group justify="space-between">
      <Text>
        {said.on} {said.since} <Time value={since} form="date" />
      </Text>
      <Button variant="light" color="red" onClick={() => setAsking(true)}>
        {said.remove}
      </Button>
      {asking ? (
        <Confirm
          opened
          onClose={() => setAsking(false)}
          title={said.removeTitle}
          effects={said.removeEffects}
          action={said.remove}
          onConfirm={() => remove.mutate()}
          busy={remove.isPending}
          error={remove.error}
        />
      ) : null}
    </Group>
  );
}

function Off() {
  const [sent, setSent] = useState(false);
  const begin = useMutation({
    mutationFn: () => take(api.POST("/v1/me/second-factors/email-codes")),
    onSuccess: () => setSent(true),
  });
  if (sent) return <ConfirmCode onOver={() => setSent(false)} />;
  const problem = begin.error instanceof Problem && begin.error.quiet ? null : begin.error;
  const notAllowed = problem instanceof Problem && problem.code === "email_codes_not_allowed";
  return (
    <Stack gap="md" align="flex-start">
      {notAllowed ? (
        <Alert color="yellow" variant="light" role="alert">
          {said.notAllowed}
        </Alert>
      ) : null}
      {problem && !notAllowed ? <ProblemAlert error={problem} /> : null}
      <Button variant="default" loading={begin.isPending} onClick={() => begin.mutate()}>
        {said.switchOn}
      </Button>
    </Stack>
  );
}

function ConfirmCode({ onOver }: { onOver: () => void }) {
  const { account } = useMe();
  const client = useQueryClient();
  const [code, setCode] = useState("");
  const confirm = useMutation({
    mutationFn: () =>
      take(api.POST("/v1/me/second-factors/email-codes/confirm", { body: { code: code.trim() } })),
    onSuccess: async () => {
      tell(said.switchedOn);
      await client.invalidateQueries({ queryKey: keys.me });
    },
    onError: () => setCode(""),
  });
  const wrong = confirm.error instanceof Problem && confirm.error.code === "wrong_code";
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (code.trim() && !confirm.isPending) confirm.mutate();
  };
  return (
    <form noValidate onSubmit={submit}>
      <Stack gap="md">
        <Text role="status">{said.sentText(account.email)}</Text>
        <TextInput
          label={said.code}
          description={said.codeText}
          inputMode="numeric"
          autoComplete="one-time-code"
          maxLength={32}
          required
          autoFocus
          maw={280}
          value={code}
          onChange={(event) => setCode(event.currentTarget.value)}
          error={wrong ? words.secondFactor.wrong : null}
        />
        {confirm.error && !wrong ? <ProblemAlert error={confirm.error} /> : null}
        <Group>
          <Button type="submit" loading={confirm.isPending}>
            {said.confirm}
          </Button>
          <Button variant="default" onClick={onOver}>
            {said.cancel}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
