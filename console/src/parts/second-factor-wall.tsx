/** What stands in the place of every page while a role's second factor is missing; before that, until when it may. */
import { Alert, Anchor, Button, Stack, Text } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { type ReactNode, useRef, useState } from "react";
import { prove } from "../api/client";
import { passkeysHere } from "../api/passkeys";
import type { Me } from "../api/types";
import { words } from "../words";
import { Enrolment } from "./enrolment";
import { Page, Section } from "./page";
import { AddPasskey } from "./passkey";
import { useMe } from "./permissions";
import { SwitchOnEmailCodes } from "./switch-on-email-codes";
import { Time } from "./time";

const said = words.secondFactor;

function isOverdue({ second_factor: { due_at } }: Me): boolean {
  return due_at !== undefined && Date.parse(due_at) <= Date.now();
}

export function SecondFactorWall({ children }: { children: ReactNode }) {
  const me = useMe();
  const client = useQueryClient();
  const { required, enrolled, proven, due_at } = me.second_factor;
  const refresh = () => client.invalidateQueries();
  // It stays at the backup codes until they are kept, though nothing is missing by then.
  const held = useRef(false);
  if (required && !proven && !enrolled && isOverdue(me)) held.current = true;
  if (held.current) {
    const done = () => {
      held.current = false;
      void refresh();
    };
    return (
      <Page title={said.wallTitle} purpose={said.wallText}>
        <Section title={said.wizard}>
          <Enrolment onDone={done} />
        </Section>
        {passkeysHere() ? <PasskeyOffer onDone={done} /> : null}
        {me.second_factor.email_codes_count ? (
          <Section title={words.emailCodes.title} text={words.emailCodes.text(me.account.email)}>
            <Stack gap="md">
              <SwitchOnEmailCodes onDone={done} />
              <Text size="sm" c="dimmed">
                {words.emailCodes.weak}
              </Text>
            </Stack>
          </Section>
        ) : null}
      </Page>
    );
  }
  if (!required || proven) return children;
  if (enrolled) {
    const again = async () => {
      if (await prove()) await refresh();
    };
    return (
      <Page title={said.proveTitle} purpose={said.proveText}>
        <div>
          <Button onClick={() => void again()}>{said.prove}</Button>
        </div>
      </Page>
    );
  }
  return (
    <>
      <Alert role="note" color="yellow" variant="light" title={said.dueTitle} mb="lg">
        <Text size="sm">
          {said.dueText} <Time value={due_at} />{" "}
          <Anchor component={Link} to="/account" underline="always" inherit>
            {said.setUp}
          </Anchor>
        </Text>
      </Alert>
      {children}
    </>
  );
}

/** The other second factor that lets through. What it has open is its own, so that the wall stays as it is meanwhile. */
function PasskeyOffer({ onDone }: { onDone: () => void }) {
  const [adding, setAdding] = useState(false);
  return (
    <Section title={words.passkeys.title} text={words.passkeys.text}>
      <div>
        <Button variant="default" onClick={() => setAdding(true)}>
          {words.passkeys.add}
        </Button>
      </div>
      {adding ? <AddPasskey onClose={() => setAdding(false)} onDone={onDone} /> : null}
    </Section>
  );
}
