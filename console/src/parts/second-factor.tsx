/** Proving a second factor: the field for a code, and the step of a sign-in that asks for one. */
import { Alert, Anchor, Button, Checkbox, Stack, Text, TextInput } from "@mantine/core";
import { type FormEvent, type Ref, useRef, useState } from "react";
import { api, take } from "../api/client";
import type { SendPlace } from "../api/email-codes";
import { answerWithPasskey, passkeysHere } from "../api/passkeys";
import { Problem } from "../api/problem";
import type { SecondFactorChallenge, SecondFactorMethod } from "../api/types";
import { words } from "../words";
import { ProblemAlert } from "./confirm";
import { SendCode } from "./email-code";
import { LostFactor } from "./lost-factor";
import { PasskeyButton } from "./passkey";

const said = words.secondFactor;

interface CodeFieldProps {
  ref?: Ref<HTMLInputElement>;
  methods: readonly SecondFactorMethod[];
  method: SecondFactorMethod;
  onMethod: (method: SecondFactorMethod) => void;
  /** Where a code by e-mail is asked for. */
  place: SendPlace;
  code: string;
  onCode: (code: string) => void;
  error?: string | null;
  autoFocus?: boolean;
}

/** A code: of the app, from an e-mail, or a backup code; as many of those as there are. */
export function CodeField(props: CodeFieldProps) {
  const { ref, methods, method, onMethod, place, code, onCode, error, autoFocus } = props;
  const change = (other: SecondFactorMethod) => {
    onMethod(other);
    onCode("");
  };
  const { label, text } = said.ways[method];
  return (
    <Stack gap={6}>
      {method === "email_code" ? <SendCode place={place} /> : null}
      <TextInput
        ref={ref}
        key={method}
        label={label}
        description={text}
        inputMode={method === "backup_code" ? "text" : "numeric"}
        autoComplete={method === "backup_code" ? "off" : "one-time-code"}
        autoCapitalize="characters"
        spellCheck={false}
        maxLength={32}
        required
        autoFocus={autoFocus}
        value={code}
        onChange={(event) => onCode(event.currentTarget.value)}
        error={error}
      />
      {methods
        .filter((other) => other !== method)
        .map((other) => (
          <Anchor
            key={other}
            component="button"
            type="button"
            size="sm"
            ta="start"
            onClick={() => change(other)}
          >
            {said.ways[other].use}
          </Anchor>
        ))}
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
  const codes = challenge.methods.filter((method) => method !== "passkey");
  const passkey = codes.length < challenge.methods.length && (codes.length === 0 || passkeysHere());
  const [method, setMethod] = useState<SecondFactorMethod>(codes[0] ?? "totp");
  const [code, setCode] = useState("");
  const [trust, setTrust] = useState(false);
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
      const body = { second_factor, trust_device: trust };
      await take(api.POST("/v1/sessions/second-factor", { body }));
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
  const ask = () =>
    answerWithPasskey(trust).catch((error) => {
      if (error instanceof Problem && error.code === "challenge_not_valid") setProblem(error);
      throw error;
    });
  const cantUse = (
    <Anchor component="button" type="button" size="sm" ta="center" onClick={() => setLost(true)}>
      {words.recovery.cantUse}
    </Anchor>
  );
  const startOver = (
    <Anchor component="button" type="button" size="sm" ta="center" onClick={onOver}>
      {said.startOver}
    </Anchor>
  );
  const byPasskey = passkey ? (
    <PasskeyButton
      label={words.passkeys.prove}
      ask={ask}
      or={codes.length > 0 ? words.passkeys.or : undefined}
      onDone={onDone}
    />
  ) : null;
  const trusting = (
    <Checkbox
      label={words.trustedDevices.trust}
      description={words.trustedDevices.trustText}
      checked={trust}
      onChange={(event) => setTrust(event.currentTarget.checked)}
    />
  );
  if (codes.length === 0) {
    return (
      <Stack gap="md">
        {byPasskey}
        {trusting}
        {cantUse}
        {startOver}
      </Stack>
    );
  }
  return (
    <form noValidate onSubmit={submit}>
      <Stack gap="md">
        {byPasskey}
        <CodeField
          ref={field}
          methods={codes}
          method={method}
          onMethod={setMethod}
          place="challenge"
          code={code}
          onCode={setCode}
          error={fault}
          autoFocus={!passkey}
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
        {trusting}
        <Button type="submit" loading={busy} fullWidth>
          {said.submit}
        </Button>
        {cantUse}
        {startOver}
      </Stack>
    </form>
  );
}
