/** Proving a second factor: the field for a code, and the step of a sign-in that asks for one. */
import { Alert, Anchor, Button, Stack, Text, TextInput } from "@mantine/core";
import { type FormEvent, type Ref, useRef, useState } from "react";
import { api, take } from "../api/client";
import { Problem } from "../api/problem";
import type { SecondFactorChallenge, SecondFactorMethod } from "../api/types";
import { words } from "../words";
import { ProblemAlert } from "./confirm";
import { LostFactor } from "./lost-factor";

const said = words.secondFactor;

interface CodeFieldProps {
  ref?: Ref<HTMLInputElement>;
  methods: readonly string[];
  method: SecondFactorMethod;
  onMethod: (method: SecondFactorMethod) => void;
  code: string;
  onCode: (code: string) => void;
  error?: string | null;
  autoFocus?: boolean;
}

/** A code of the app, or a backup code where there are any. */
export function CodeField(props: CodeFieldProps) {
  const { ref, methods, method, onMethod, code, onCode, error, autoFocus } = props;
  const other: SecondFactorMethod = method === "totp" ? "backup_code" : "totp";
  const change = () => {
    onMethod(other);
    onCode("");
  };
  return (
    <Stack gap={6}>
      <TextInput
        ref={ref}
        key={method}
        label={method === "totp" ? said.totp : said.backup}
        description={method === "totp" ? said.totpText : said.backupText}
        inputMode={method === "totp" ? "numeric" : "text"}
        autoComplete={method === "totp" ? "one-time-code" : "off"}
        autoCapitalize="characters"
        spellCheck={false}
        maxLength={32}
        required
        autoFocus={autoFocus}
        value={code}
        onChange={(event) => onCode(event.currentTarget.value)}
        error={error}
      />
      {methods.includes(other) ? (
        <Anchor component="button" type="button" size="sm" ta="start" onClick={change}>
          {method === "totp" ? said.useBackup : said.useTotp}
        </Anchor>
      ) : null}
    </Stack>
  );
}

interface StepProps {
  challenge: SecondFactorChallenge;
  /** Signed in. */
  onDone: () => Promise<void>;
  /** Back to the password. */
  onOver: () => void;
}

/** The second step of a sign-in. */
export function SecondFactorStep({ challenge, onDone, onOver }: StepProps) {
  const [method, setMethod] = useState<SecondFactorMethod>(challenge.methods[0] ?? "totp");
  const [code, setCode] = useState("");
  const [fault, setFault] = useState<string | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [busy, setBusy] = useState(false);
  const [lost, setLost] = useState(false);
  const field = useRef<HTMLInputElement>(null);

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (busy) return;
    setProblem(null);
    setFault(code.trim() ? null : said.required);
    if (!code.trim()) {
      field.current?.focus();
      return;
    }
    setBusy(true);
    try {
      const second_factor = { method, code: code.trim() };
      await take(api.POST("/v1/sessions/second-factor", { body: { second_factor } }));
      await onDone();
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      if (error.code === "wrong_code") {
        setFault(said.wrong);
        setCode("");
        field.current?.focus();
      } else setProblem(error);
    } finally {
      setBusy(false);
    }
  };

  if (lost) return <LostFactor onBack={() => setLost(false)} onOver={onOver} />;
  if (problem?.code === "challenge_not_valid") {
    return (
      <Stack gap="md">
        <Alert color="yellow" variant="light" title={said.overTitle} role="alert">
          {said.overText}
        </Alert>
        <Button onClick={onOver}>{said.startOver}</Button>
      </Stack>
    );
  }
  return (
    <form noValidate onSubmit={submit}>
      <Stack gap="md">
        <CodeField
          ref={field}
          methods={challenge.methods}
          method={method}
          onMethod={setMethod}
          code={code}
          onCode={setCode}
          error={fault}
          autoFocus
        />
        {problem?.code === "too_many_requests" ? (
          <Alert color="yellow" variant="light" title={said.throttledTitle} role="alert">
            <Text>{said.throttledText}</Text>
            {problem.retryAfter === null ? null : (
              <Text fw={550}>{words.problems.retryIn(problem.retryAfter)}</Text>
            )}
          </Alert>
        ) : null}
        {problem && problem.code !== "too_many_requests" ? <ProblemAlert error={problem} /> : null}
        <Button type="submit" loading={busy} fullWidth>
          {said.submit}
        </Button>
        <Anchor
          component="button"
          type="button"
          size="sm"
          ta="center"
          onClick={() => setLost(true)}
        >
          {words.recovery.cantUse}
        </Anchor>
        <Anchor component="button" type="button" size="sm" ta="center" onClick={onOver}>
          {said.startOver}
        </Anchor>
      </Stack>
    </form>
  );
}
