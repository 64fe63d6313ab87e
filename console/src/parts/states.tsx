/** The states a list or page can be in besides full: loading, empty, failed, forbidden. */
import { Alert, Box, Button, Code, Group, Skeleton, Stack, Text, Title } from "@mantine/core";
import { IconLock, IconRefresh } from "@tabler/icons-react";
import type { ReactNode } from "react";
import { Problem } from "../api/problem";
import { words } from "../words";
import { roleName, useMe } from "./permissions";
import classes from "./states.module.css";

/** Placeholder of the shape that is coming. */
export function Loading({ rows = 6 }: { rows?: number }) {
  const lines = Array.from({ length: rows }, (_, index) => `row-${index}`);
  return (
    <Box role="status" aria-label={words.common.loading} p="md">
      <Stack gap="md">
        {lines.map((key, index) => (
          <Group key={key} gap="md" wrap="nowrap">
            <Skeleton height={14} width={`${38 - (index % 3) * 7}%`} />
            <Skeleton height={14} width="18%" visibleFrom="sm" />
            <Skeleton height={14} width="22%" />
          </Group>
        ))}
      </Stack>
    </Box>
  );
}

interface EmptyProps {
  title: string;
  text: string;
  icon?: ReactNode;
  action?: ReactNode;
  /** 1 where it is the whole page. */
  order?: 1 | 2;
}

/** An empty state teaches the next step. */
export function Empty({ title, text, icon, action, order = 2 }: EmptyProps) {
  return (
    <Stack align="center" gap={6} className={classes.empty}>
      {icon ? <div className={classes.icon}>{icon}</div> : null}
      <Title order={order} size="h2">
        {title}
      </Title>
      <Text c="dimmed" ta="center" maw={420}>
        {text}
      </Text>
      {action ? <Box mt="sm">{action}</Box> : null}
    </Stack>
  );
}

/** What to tell about a failure: our words for its code, or the server's. */
export function explain(error: unknown): { title: string; text: string } {
  if (!(error instanceof Problem)) return { title: words.problems.unexpected, text: "" };
  const known = words.problems.byCode[error.code];
  const wait = error.retryAfter === null ? "" : words.problems.retryIn(error.retryAfter);
  if (known) return { title: known.title, text: wait || known.text };
  return {
    title: error.title || words.problems.unexpected,
    text: [error.detail, wait].filter(Boolean).join(" "),
  };
}

export function RequestId({ error }: { error: unknown }) {
  if (!(error instanceof Problem) || !error.requestId) return null;
  return (
    <Text size="xs" c="dimmed">
      {words.problems.requestId} <Code fz="xs">{error.requestId}</Code>
    </Text>
  );
}

/** A failed load, with what to do about it. */
export function Failed({ error, retry }: { error: unknown; retry?: () => void }) {
  // Without a session the sign-in page is on its way: say nothing in between.
  if (error instanceof Problem && error.status === 401) return <Loading />;
  const { title, text } = explain(error);
  return (
    <Alert color="red" variant="light" title={words.problems.listFailed} role="alert" m="md">
      <Stack gap="xs" align="flex-start">
        <Text>
          {title}. {text}
        </Text>
        <RequestId error={error} />
        {retry ? (
          <Button
            size="xs"
            variant="default"
            leftSection={<IconRefresh size={14} />}
            onClick={retry}
          >
            {words.common.retry}
          </Button>
        ) : null}
      </Stack>
    </Alert>
  );
}

/** A page that policy keeps from this person, and which role would open it. */
export function Forbidden({ reason, action }: { reason: string; action?: ReactNode }) {
  const role = useMe().effective_roles[0];
  return (
    <Stack align="center" gap={6} className={classes.empty}>
      <div className={classes.icon}>
        <IconLock size={22} stroke={1.6} />
      </div>
      <Title order={2}>{words.problems.forbiddenTitle}</Title>
      <Text c="dimmed" ta="center" maw={440}>
        {reason} {role ? words.problems.yourRole(roleName(role)) : null}
      </Text>
      {action ? <Box mt="sm">{action}</Box> : null}
    </Stack>
  );
}
