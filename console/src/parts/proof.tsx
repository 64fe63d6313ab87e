/**
 * The dialog that asks for the password again when a call needs a fresh proof of who one is. Any
 * call can raise it, through the API client; it stands over whatever is open and leaves it alone.
 */
import { Alert, Button, Group, Modal, Stack, Text, VisuallyHidden } from "@mantine/core";
import { useWindowEvent } from "@mantine/hooks";
import { type FormEvent, useEffect, useRef, useState } from "react";
import { api, onProofNeeded, take } from "../api/client";
import { passkeysHere, proveWithPasskey } from "../api/passkeys";
import { Problem } from "../api/problem";
import type { SecondFactorMethod } from "../api/types";
import { words } from "../words";
import { ProblemAlert } from "./confirm";
import { PasskeyButton } from "./passkey";
import { CurrentPassword } from "./password";
import { useMe } from "./permissions";
import { CodeField } from "./second-factor";
import { useSecondsLeft } from "./time";

const said = words.proof;

/** A dialog underneath must not take this one's Escape for its own. */
const own = { "data-mantine-stop-propagation": "true" };

type Answer = (proven: boolean) => void;

export function ProofDialog() {
  const [answer, setAnswer] = useState<{ give: Answer } | null>(null);
  const waiting = useRef<Answer | null>(null);

  useEffect(() => {
    const forget = onProofNeeded(
      () =>
        new Promise<boolean>((give) => {
          waiting.current = give;
          setAnswer({ give });
        }),
    );
    return () => {
      forget();
      waiting.current?.(false);
    };
  }, []);

  const returnTo = useLastFocused(answer !== null);
  const close = (proven: boolean) => {
    waiting.current = null;
    answer?.give(proven);
    setAnswer(null);
  };
  useWindowEvent("keydown", (event) => {
    if (answer && event.key === "Escape" && !event.isComposing) close(false);
  });
  return (
    <Modal
      opened={answer !== null}
      onClose={() => close(false)}
      onExitTransitionEnd={returnTo}
      returnFocus={false}
      closeOnEscape={false}
      closeOnClickOutside={false}
      closeButtonProps={{ "aria-label": words.common.close, ...own }}
      attributes={{ header: { role: "presentation" }, content: own }}
      title={<strong>{said.title}</strong>}
      size={420}
      zIndex={300}
    >
      <ProofForm onDone={close} />
    </Modal>
  );
}

/**
 * Gives the focus back to where it was. The dialog can't: the button that was pressed is off while
 * its call waits for an answer, and what is off has no focus.
 */
function useLastFocused(opened: boolean): () => void {
  const last = useRef<HTMLElement | null>(null);
  useWindowEvent("focusin", ({ target }) => {
    if (!opened && target instanceof HTMLElement) last.current = target;
  });
  return () => {
    // By then the call has ended, and the button is on again.
    window.setTimeout(() => {
      const lost = document.activeElement === null || document.activeElement === document.body;
      if (lost && last.current?.isConnected) last.current.focus();
    }, 50);
  };
}

/** By a passkey, where there is one; by the password, where that is enough or a code goes with it. */
function ProofForm({ onDone }: { onDone: Answer }) {
  const { account, reauthentication } = useMe();
  const { methods } = reauthentication;
  const codes = methods.filter(
    (method) => method === "totp" || method === "email_code" || method === "backup_code",
  );
  const passkey = methods.includes("passkey");
  const alone = passkey && codes.length === 0;
  return (
    <Stack gap="md">
      <Text>{said.text}</Text>
      <Text fw={550}>{said.person(account.name, account.email)}</Text>
      {passkey && (alone || passkeysHere()) ? (
        <PasskeyButton
          label={words.passkeys.prove}
          ask={proveWithPasskey}
          or={alone ? undefined : words.passkeys.orPassword}
          onDone={() => onDone(true)}
        />
      ) : null}
      {alone ? null : <PasswordProof methods={codes} onDone={onDone} />}
    </Stack>
  );
}

interface PasswordProofProps {
  methods: readonly SecondFactorMethod[];
  onDone: Answer;
}

function PasswordProof({ methods, onDone }: PasswordProofProps) {
  const { account } = useMe();
  const [method, setMethod] = useState<SecondFactorMethod>(methods[0] ?? "totp");
  const [code, setCode] = useState("");
  const [codeFault, setCodeFault] = useState<string | null>(null);
  const codeField = useRef<HTMLInputElement>(null);
  const [password, setPassword] = useState("");
  const [fault, setFault] = useState<string | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [busy, setBusy] = useState(false);
  const [until, setUntil] = useState<number | null>(null);
  const field = useRef<HTMLInputElement>(null);
  const left = useSecondsLeft(until);
  const throttled = left > 0;

  const refused = (error: unknown) => {
    if (!(error instanceof Problem)) throw error;
    if (error.code === "too_many_requests" && error.retryAfter !== null) {
      setUntil(Date.now() + error.retryAfter * 1000);
      return;
    }
    if (error.code === "wrong_password") {
      setFault(said.wrong);
      setPassword("");
      field.current?.focus();
      return;
    }
    if (error.code === "wrong_code") {
      setCodeFault(words.secondFactor.wrong);
      setCode("");
      codeField.current?.focus();
      return;
    }
    setProblem(error);
  };

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (busy || throttled) return;
    setProblem(null);
    if (!password) {
      setFault(said.required);
      field.current?.focus();
      return;
    }
    setFault(null);
    if (methods.length > 0 && !code.trim()) {
      setCodeFault(words.secondFactor.required);
      codeField.current?.focus();
      return;
    }
    setCodeFault(null);
    setBusy(true);
    try {
      const second_factor = methods.length > 0 ? { method, code: code.trim() } : undefined;
      await take(api.POST("/v1/session/reauthenticate", { body: { password, second_factor } }));
      onDone(true);
    } catch (error) {
      refused(error);
    } finally {
      setBusy(false);
    }
  };

  return (
    <form noValidate onSubmit={submit}>
      <Stack gap="md">
        <VisuallyHidden>
          <input
            type="text"
            name="username"
            autoComplete="username"
            value={account.email}
            readOnly
            tabIndex={-1}
            aria-hidden="true"
          />
        </VisuallyHidden>
        <CurrentPassword
          ref={field}
          label={said.password}
          value={password}
          onChange={(event) => setPassword(event.currentTarget.value)}
          error={fault}
          maxLength={256}
          data-autofocus
          {...own}
        />
        {methods.length > 0 ? (
          <CodeField
            ref={codeField}
            methods={methods}
            method={method}
            onMethod={setMethod}
            place="session"
            code={code}
            onCode={setCode}
            error={codeFault}
          />
        ) : null}
        {throttled ? (
          <Alert role="group" color="yellow" variant="light" title={said.throttledTitle}>
            <Text role="alert">{said.throttledText}</Text>
            <Text role="timer" fw={550}>
              {said.tryAgainIn(left)}
            </Text>
          </Alert>
        ) : null}
        {problem ? <ProblemAlert error={problem} /> : null}
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={() => onDone(false)} {...own}>
            {words.common.cancel}
          </Button>
          <Button type="submit" loading={busy} disabled={throttled} {...own}>
            {said.confirm}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
