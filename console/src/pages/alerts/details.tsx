/** One alert: what happened, who made what of it, and what can be done. */
import { Anchor, Group, List, Stack, Text, Title } from "@mantine/core";
import { IconBellOff, IconBellRinging, IconCheck, IconRotate } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { alertQuery } from "../../api/alerts";
import type { Alert } from "../../api/types";
import { SeverityBadge, Status } from "../../parts/badges";
import { CopyId, Details, Field, Fields } from "../../parts/details";
import { useOpen } from "../../parts/filters";
import { GuardedButton, useOrganization, useWhyNot } from "../../parts/permissions";
import { Failed, Loading } from "../../parts/states";
import { Time } from "../../parts/time";
import { words } from "../../words";
import { type Act, AlertDialogs } from "./acts";
import { subjectOf } from "./inbox";

const said = words.alerts;

export function AlertDetails({ id }: { id: string | undefined }) {
  const organization = useOrganization();
  const open = useOpen();
  const [act, setAct] = useState<Act | null>(null);
  const query = useQuery({ ...alertQuery(organization.id, id ?? ""), enabled: id !== undefined });
  const alert = query.data;
  return (
    <>
      <Details
        opened={id !== undefined}
        onClose={() => open({ open: undefined })}
        title={alert?.title ?? words.common.details}
        actions={alert ? <Acts alert={alert} onAct={setAct} /> : null}
      >
        {query.isPending ? <Loading /> : null}
        {query.isError ? <Failed error={query.error} retry={() => void query.refetch()} /> : null}
        {alert ? <AlertFields alert={alert} /> : null}
      </Details>
      <AlertDialogs act={act} onClose={() => setAct(null)} />
    </>
  );
}

function AlertFields({ alert }: { alert: Alert }) {
  return (
    <Stack gap="md">
      {alert.by === "rest" ? <Text c="dimmed">{said.restText}</Text> : null}
      <Fields>
        <Field name={said.severity}>
          <SeverityBadge severity={alert.severity} />
        </Field>
        <Field name={said.state}>
          <Status tone={alert.state === "open" ? "warn" : "quiet"}>
            {said.states[alert.state] ?? alert.state}
          </Status>
        </Field>
        <Field name={said.about}>
          {subjectOf(alert)}
          {alert.actor?.id ? <CopyId value={alert.actor.id} label={said.about} /> : null}
        </Field>
        <Field name={said.count}>
          {said.times(alert.count)}, {said.by(alert.by)}
        </Field>
        <Field name={said.first}>
          <Time value={alert.first_at} form="exact" />
        </Field>
        <Field name={said.last}>
          <Time value={alert.last_at} form="exact" />
        </Field>
        <Field name={said.raised}>
          <Time value={alert.raised_at} form="exact" />
        </Field>
        {alert.muted_until ? (
          <Field name={said.mutedUntil}>
            <Time value={alert.muted_until} form="exact" />
          </Field>
        ) : null}
        {alert.decided_at ? (
          <Field name={said.decided(alert.state)}>
            {alert.decided_by?.erased ? words.audit.erased : (alert.decided_by?.name ?? "—")}
            {", "}
            <Time value={alert.decided_at} form="exact" />
          </Field>
        ) : null}
        {alert.note ? <Field name={said.note}>{alert.note}</Field> : null}
        <Field name={said.id}>
          <CopyId value={alert.id} label={said.id} />
        </Field>
      </Fields>
      <Entries alert={alert} />
    </Stack>
  );
}

/** The day of an instant in the viewer's zone, as the log's filters have it. */
function dayOf(instant: string): string {
  const at = new Date(instant);
  const two = (number: number) => String(number).padStart(2, "0");
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
}

function Entries({ alert }: { alert: Alert }) {
  const organization = useOrganization();
  const log = `/o/${organization.slug}/audit`;
  if (alert.entry_ids.length === 0) return <Text c="dimmed">{said.noEntries}</Text>;
  const all = {
    event: alert.event,
    actor: alert.by === "actor" ? alert.actor?.id : undefined,
    from: dayOf(alert.first_at),
    to: dayOf(alert.last_at),
  };
  return (
    <div>
      <Title order={3} mb={6}>
        {said.entries}
      </Title>
      <Text c="dimmed" size="sm" mb="xs">
        {said.entriesText}
      </Text>
      <List size="sm" spacing={4} mb="sm">
        {alert.entry_ids.map((id, index) => (
          <List.Item key={id}>
            <Anchor component={Link} to={log} search={{ open: id } as never}>
              {said.entry(index + 1)}
            </Anchor>
          </List.Item>
        ))}
      </List>
      <Anchor component={Link} to={log} search={all as never} size="sm">
        {said.inLog}
      </Anchor>
    </div>
  );
}

function Acts({ alert, onAct }: { alert: Alert; onAct: (act: Act) => void }) {
  const acknowledgeNot = useWhyNot("alerts_acknowledge");
  const reopenNot = useWhyNot("alerts_reopen");
  const muteNot = useWhyNot("alerts_mute") ?? (alert.mutable ? null : said.unmutable);
  const unmuteNot = useWhyNot("alerts_unmute");
  return (
    <Group gap="xs">
      {alert.state === "open" ? (
        <GuardedButton
          reason={acknowledgeNot}
          onClick={() => onAct({ kind: "acknowledge", alert })}
          leftSection={<IconCheck size={16} aria-hidden="true" />}
        >
          {said.acknowledge}
        </GuardedButton>
      ) : (
        <GuardedButton
          reason={reopenNot}
          variant="default"
          onClick={() => onAct({ kind: "reopen", alert })}
          leftSection={<IconRotate size={16} aria-hidden="true" />}
        >
          {said.reopen}
        </GuardedButton>
      )}
      {alert.muted_until ? (
        <GuardedButton
          reason={unmuteNot}
          variant="default"
          onClick={() => onAct({ kind: "unmute", alert })}
          leftSection={<IconBellRinging size={16} aria-hidden="true" />}
        >
          {said.unmute}
        </GuardedButton>
      ) : null}
      {alert.state === "open" && !alert.muted_until ? (
        <GuardedButton
          reason={muteNot}
          variant="default"
          onClick={() => onAct({ kind: "mute", alert })}
          leftSection={<IconBellOff size={16} aria-hidden="true" />}
        >
          {said.mute}
        </GuardedButton>
      ) : null}
    </Group>
  );
}
