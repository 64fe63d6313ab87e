/** Somebody else's sessions, in their drawer: on which device, since when, and ending them. */
import { Group, Stack, Text, Title } from "@mantine/core";
import { IconDeviceDesktop, IconDeviceMobile } from "@tabler/icons-react";
import type { UseQueryResult } from "@tanstack/react-query";
import type { Page, Session } from "../api/types";
import { words } from "../words";
import { OwnBadge } from "./badges";
import { deviceName, isHandheld } from "./device";
import { GuardedButton } from "./permissions";
import classes from "./sessions.module.css";
import { Failed, Loading } from "./states";
import { Time } from "./time";

const said = words.sessionEnds;

interface SessionsOfProps {
  title: string;
  text?: string;
  none: string;
  query: UseQueryResult<Page<Session>>;
  /** Why one session can't be ended; null when it can. */
  endNot: string | null;
  endAllNot: string | null;
  onEnd: (session: Session) => void;
  onEndAll: () => void;
}

export function SessionsOf(props: SessionsOfProps) {
  const { title, text, none, query, endNot, endAllNot, onEnd, onEndAll } = props;
  const sessions = query.data?.items ?? [];
  return (
    <section aria-label={title}>
      <Stack gap="xs">
        <Group justify="space-between" wrap="nowrap" align="flex-start">
          <div>
            <Title order={3}>{title}</Title>
            {text ? (
              <Text size="xs" c="dimmed">
                {text}
              </Text>
            ) : null}
          </div>
          {sessions.length > 0 ? (
            <GuardedButton
              size="compact-xs"
              flex="none"
              variant="light"
              color="red"
              reason={endAllNot}
              onClick={onEndAll}
            >
              {said.endAll}
            </GuardedButton>
          ) : null}
        </Group>
        {query.isPending ? <Loading rows={2} /> : null}
        {query.isError ? <Failed error={query.error} retry={() => void query.refetch()} /> : null}
        {query.data && sessions.length === 0 ? (
          <Text size="sm" c="dimmed">
            {none}
          </Text>
        ) : null}
        {sessions.length > 0 ? (
          <ul className={classes.sessions} aria-label={title}>
            {sessions.map((session) => (
              <li key={session.id} className={classes.session}>
                <About session={session} />
                <GuardedButton
                  size="compact-xs"
                  flex="none"
                  variant="default"
                  reason={endNot}
                  aria-label={said.endOne(deviceName(session.user_agent))}
                  onClick={() => onEnd(session)}
                >
                  {said.end}
                </GuardedButton>
              </li>
            ))}
          </ul>
        ) : null}
        {query.data?.next_cursor ? (
          <Text size="xs" c="dimmed">
            {said.more}
          </Text>
        ) : null}
      </Stack>
    </section>
  );
}

function About({ session }: { session: Session }) {
  const { user_agent, ip, created_at, last_seen_at, current } = session;
  const Icon = isHandheld(user_agent) ? IconDeviceMobile : IconDeviceDesktop;
  return (
    <div className={classes.about}>
      <Group gap={8}>
        <Icon size={16} stroke={1.6} aria-hidden="true" />
        <Text size="sm" fw={550} title={user_agent ?? undefined}>
          {deviceName(user_agent)}
        </Text>
        {current ? <OwnBadge>{words.account.current}</OwnBadge> : null}
      </Group>
      <Text size="xs" c="dimmed">
        {said.started} <Time value={created_at} form="date" />, {said.seen}{" "}
        <Time value={last_seen_at} form="relative" />
        {ip ? ` ${said.from(ip)}` : null}
      </Text>
    </div>
  );
}
