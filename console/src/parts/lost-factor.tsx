/** At the second step of a sign-in: what to do when the second factor is out of reach. */
import { Alert, Anchor, Button, Stack, Text } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useEffect, useRef } from "react";
import { api, take } from "../api/client";
import { Problem } from "../api/problem";
import type { OpenRecovery } from "../api/types";
import { words } from "../words";
import { ProblemAlert } from "./confirm";
import { Time } from "./time";

const said = words.recovery;

interface LostFactorProps {
  /** Back to the code. */
  onBack: () => void;
  /** Back to the password. */
  onOver: () => void;
}

export function LostFactor({ onBack, onOver }: LostFactorProps) {
  const ask = useMutation({
    mutationFn: () => take(api.POST("/v1/sessions/recovery", { body: {} })),
  });
  const over = ask.error instanceof Problem && ask.error.code === "challenge_not_valid";
  return (
    <Stack gap="md">
      {ask.data ? <Asked recovery={ask.data} /> : null}
      {ask.error ? <Refused error={ask.error} /> : null}
      {ask.data || ask.error ? null : (
        <>
          <Text fw={550}>{said.askTitle}</Text>
          <Text>{said.askText}</Text>
          <Button fullWidth loading={ask.isPending} onClick={() => ask.mutate()} autoFocus>
            {said.ask}
          </Button>
        </>
      )}
      <Anchor
        component="button"
        type="button"
        size="sm"
        ta="center"
        onClick={over ? onOver : onBack}
      >
        {over ? words.secondFactor.startOver : said.back}
      </Anchor>
    </Stack>
  );
}

/** What takes the place of a button that had the focus is read out, and has it. */
function useFocus() {
  const ref = useRef<HTMLDivElement>(null);
  useEffect(() => ref.current?.focus(), []);
  return ref;
}

function Asked({ recovery }: { recovery: OpenRecovery }) {
  const ref = useFocus();
  const { status, not_before, expires_at } = recovery;
  const title = {
    ready: said.readyTitle,
    waiting: said.waitingTitle,
    approval_required: said.approvalTitle,
  }[status];
  return (
    <Alert ref={ref} tabIndex={-1} color="blue" variant="light" title={title} role="status">
      {status === "ready" ? (
        <Text>
          {said.readyText} <Time value={expires_at} />.
        </Text>
      ) : null}
      {status === "waiting" ? (
        <Text>
          {said.waitingText} <Time value={not_before} /> {said.waitingUntil}{" "}
          <Time value={expires_at} />.
        </Text>
      ) : null}
      {status === "approval_required" ? (
        <Text>
          {said.approvalText} <Time value={expires_at} />.
        </Text>
      ) : null}
    </Alert>
  );
}

function Refused({ error }: { error: unknown }) {
  const ref = useFocus();
  const code = error instanceof Problem ? error.code : null;
  if (code === "recovery_unavailable" || code === "too_many_requests") {
    const none = code === "recovery_unavailable";
    return (
      <Alert
        ref={ref}
        tabIndex={-1}
        color="yellow"
        variant="light"
        title={none ? said.unavailableTitle : said.tooManyTitle}
        role="alert"
      >
        {none ? said.unavailableText : said.tooManyText}
      </Alert>
    );
  }
  if (code === "challenge_not_valid") {
    return (
      <Alert
        ref={ref}
        tabIndex={-1}
        color="yellow"
        variant="light"
        title={words.secondFactor.overTitle}
        role="alert"
      >
        {words.secondFactor.overText}
      </Alert>
    );
  }
  return <ProblemAlert error={error} />;
}
