/** One audit entry, whole. */
import { Button, Code, CopyButton, Group, Stack, Text, Title } from "@mantine/core";
import { IconCheck, IconCopy, IconFilter, IconHelpCircle } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { eventTypesQuery } from "../../api/event-types";
import { auditEntryQuery } from "../../api/queries";
import type { AuditEntry } from "../../api/types";
import { SupportBadge } from "../../parts/acting";
import { OutcomeStatus, SeverityBadge } from "../../parts/badges";
import { ExplainDialog } from "../../parts/decisions/explain-dialog";
import { CopyId, Details, Field, Fields } from "../../parts/details";
import { deviceName } from "../../parts/device";
import { useFilter, useOpen } from "../../parts/filters";
import { useOrganization, useWhyNot } from "../../parts/permissions";
import { Failed, Loading } from "../../parts/states";
import { Time, utcText } from "../../parts/time";
import { words } from "../../words";
import { actorName, isSupport } from "./actor";
import { Differences } from "./differences";

const said = words.audit;

export function EntryDetails({ id }: { id: string | undefined }) {
  const organization = useOrganization();
  const open = useOpen();
  const query = useQuery({
    ...auditEntryQuery(organization.id, id ?? ""),
    enabled: id !== undefined,
    staleTime: Number.POSITIVE_INFINITY,
  });
  const entry = query.data;
  return (
    <Details
      opened={id !== undefined}
      onClose={() => open({ open: undefined })}
      title={entry?.title ?? words.common.details}
      actions={entry ? <Acts entry={entry} /> : null}
    >
      {query.isPending ? <Loading /> : null}
      {query.isError ? <Failed error={query.error} retry={() => void query.refetch()} /> : null}
      {entry ? <EntryFields entry={entry} /> : null}
    </Details>
  );
}

function EntryFields({ entry }: { entry: AuditEntry }) {
  const type = useQuery(eventTypesQuery(useOrganization().id)).data?.find(
    ({ code }) => code === entry.event,
  );
  const more = Object.keys(entry.metadata ?? {}).length > 0;
  return (
    <Stack gap="md">
      {type ? <Text c="dimmed">{type.meaning}</Text> : null}
      <Fields>
        <Field name={said.time}>
          <Time value={entry.occurred_at} form="exact" />
          <Text size="xs" c="dimmed">
            {utcText(new Date(entry.occurred_at))}
          </Text>
        </Field>
        <Field name={said.outcome}>
          <OutcomeStatus outcome={entry.outcome} />
        </Field>
        <Field name={said.severity}>
          <SeverityBadge severity={entry.severity} />
        </Field>
        <Field name={said.class}>{said.classes[entry.class]}</Field>
        <Field name={said.code}>
          <Code fz="xs">{entry.event}</Code>
        </Field>
        <Field name={said.actor}>
          {actorName(entry)} {isSupport(entry) ? <SupportBadge /> : null}
          {entry.actor.id ? <CopyId value={entry.actor.id} label={said.actor} /> : null}
        </Field>
        <Field name={said.target}>
          {entry.target.type}
          {entry.target.id ? <CopyId value={entry.target.id} label={said.target} /> : null}
        </Field>
        <Field name={said.address}>{entry.ip ?? words.common.none}</Field>
        <Field name={said.device}>
          {entry.user_agent ? deviceName(entry.user_agent) : words.common.none}
          {entry.user_agent ? (
            <Text size="xs" c="dimmed">
              {entry.user_agent}
            </Text>
          ) : null}
        </Field>
        <Field name={said.requestId}>
          {entry.request_id ? (
            <CopyId value={entry.request_id} label={said.requestId} />
          ) : (
            words.common.none
          )}
        </Field>
        <Field name={said.entryId}>
          <CopyId value={entry.id} label={said.entryId} />
        </Field>
      </Fields>
      <Differences entry={entry} />
      {more ? (
        <div>
          <Title order={3} mb={6}>
            {said.metadata}
          </Title>
          <Code block fz="xs" tabIndex={0} aria-label={said.metadata}>
            {JSON.stringify(entry.metadata, null, 2)}
          </Code>
        </div>
      ) : null}
    </Stack>
  );
}

function Acts({ entry }: { entry: AuditEntry }) {
  const filter = useFilter();
  const { actor, target } = entry;
  const icon = <IconFilter size={14} aria-hidden="true" />;
  return (
    <Group gap="xs">
      <Why entry={entry} />
      {actor.id ? (
        <Button
          size="xs"
          variant="default"
          leftSection={icon}
          onClick={() => filter({ actor: actor.id ?? undefined, open: undefined })}
        >
          {said.onlyActor}
        </Button>
      ) : null}
      {target.id ? (
        <Button
          size="xs"
          variant="default"
          leftSection={icon}
          onClick={() => filter({ target: target.id ?? undefined, open: undefined })}
        >
          {said.onlyTarget}
        </Button>
      ) : null}
      <CopyButton value={JSON.stringify(entry, null, 2)}>
        {({ copied, copy }) => (
          <Button
            size="xs"
            variant="default"
            onClick={copy}
            leftSection={
              copied ? (
                <IconCheck size={14} aria-hidden="true" />
              ) : (
                <IconCopy size={14} aria-hidden="true" />
              )
            }
          >
            {copied ? words.common.copied : said.copyAll}
          </Button>
        )}
      </CopyButton>
    </Group>
  );
}

/** Why a call was refused: of those whom the record names. */
function Why({ entry: { event, actor, request_id } }: { entry: AuditEntry }) {
  const [opened, setOpened] = useState(false);
  const hidden = useWhyNot("rbac_explain") !== null;
  if (hidden || event !== "access.refused" || !actor.id || !request_id) return null;
  return (
    <>
      <Button
        size="xs"
        leftSection={<IconHelpCircle size={14} aria-hidden="true" />}
        onClick={() => setOpened(true)}
      >
        {words.explainDecision.ofRefusal}
      </Button>
      <ExplainDialog opened={opened} onClose={() => setOpened(false)} request={request_id} />
    </>
  );
}
