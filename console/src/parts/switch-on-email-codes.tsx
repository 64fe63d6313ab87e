/** Switching on codes by e-mail, the weak second factor. */
import { Alert, Button, Group, Stack, Text, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { api, take } from "../api/client";
import { Problem } from "../api/problem";
import { keys } from "../api/queries";
import { words } from "../words";
import { ProblemAlert } from "./confirm";
import { tell } from "./notify";
import { useMe } from "./permissions";

const said = words.emailCodes;

/** Switches them on: a code is sent, and what arrives is entered. */
export function SwitchOnEmailCodes({ onDone }: { onDone?: () => void }) {
  const [sent, setSent] = useState(false);
  const begin = useMutation({
    mutationFn: () => take(api.POST("/v1/me/second-factors/email-codes")),
    onSuccess: () => setSent(true),
  });
  if (sent) return <ConfirmCode onOver={() => setSent(false)} onDone={onDone} />;
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

function ConfirmCode({ onOver, onDone }: { onOver: () => void; onDone?: () => void }) {
  const { account } = useMe();
  const client = useQueryClient();
  const [code, setCode] = useState("");
  const confirm = useMutation({
    mutationFn: () =>
      take(api.POST("/v1/me/second-factors/email-codes/confirm", { body: { code: code.trim() } })),
    onSuccess: async () => {
      tell(said.switchedOn);
      onDone?.();
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
