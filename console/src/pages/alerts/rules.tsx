/** The rules: the organisation's own, and those that every organisation has. */
import { Stack, Text } from "@mantine/core";
import {
  IconBellOff,
  IconBellPlus,
  IconBellRinging,
  IconPencil,
  IconPlayerPause,
  IconPlayerPlay,
  IconTrash,
} from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useState } from "react";
import { alertRulesQuery } from "../../api/alerts";
import { eventTypesQuery } from "../../api/event-types";
import type { AlertMute, AlertRule, Severity, StandardAlertRule } from "../../api/types";
import { PlainBadge, SeverityBadge, Status } from "../../parts/badges";
import { useOpen } from "../../parts/filters";
import { Section } from "../../parts/page";
import {
  GuardedButton,
  GuardedItem,
  RowMenu,
  useOrganization,
  useWhyNot,
} from "../../parts/permissions";
import { Empty, Failed, Loading } from "../../parts/states";
import { type Column, Rows } from "../../parts/table";
import { Time } from "../../parts/time";
import { words } from "../../words";
import { type RuleAct, RuleDialogs } from "./rule-acts";
import { CreateRuleDialog } from "./rule-form";

const said = words.alerts;
const route = getRouteApi("/signed-in/o/$organization/alerts");

/** A rule of either kind as a row shows it. */
interface Row {
  key: string;
  title: string;
  waits: string;
  rule: AlertRule | StandardAlertRule;
  mute: AlertMute | undefined;
}

export function Rules() {
  const organization = useOrganization();
  const { dialog } = route.useSearch();
  const open = useOpen();
  const [act, setAct] = useState<RuleAct | null>(null);
  const query = useQuery(alertRulesQuery(organization.id));
  const types = useQuery(eventTypesQuery(organization.id)).data;
  const titles = new Map(types?.map(({ code, title }) => [code, title]));
  const createNot = useWhyNot("alert_rules_create");
  if (query.isPending) return <Loading rows={8} />;
  if (query.isError) return <Failed error={query.error} retry={() => void query.refetch()} />;
  const muteOf = (key: string) => query.data.muted.find(({ rule }) => rule === key);
  const own: Row[] = query.data.own.map((rule) => ({
    key: rule.id,
    title: rule.name,
    waits: rule.event
      ? (titles.get(rule.event) ?? rule.event)
      : said.anyAtLeast(words.audit.severities[(rule.at_least ?? "low") as Severity]),
    rule,
    mute: muteOf(rule.id),
  }));
  const tenant = organization.kind === "tenant";
  const standard: Row[] = query.data.standard
    // What counts answers is the platform's alone.
    .filter(({ status }) => !tenant || status === undefined)
    .map((rule) => ({
      key: rule.name,
      title: rule.title,
      waits: rule.status
        ? said.answers(rule.status)
        : (titles.get(rule.event ?? "") ?? rule.event ?? ""),
      rule,
      mute: muteOf(rule.name),
    }));
  const create = (
    <GuardedButton
      reason={createNot}
      size="sm"
      onClick={() => open({ dialog: "rule" })}
      leftSection={<IconBellPlus size={16} aria-hidden="true" />}
    >
      {said.create}
    </GuardedButton>
  );
  return (
    <Stack gap="lg">
      <Section title={said.own} text={said.ownText} action={own.length > 0 ? create : null} flush>
        {own.length === 0 ? (
          <Empty
            icon={<IconBellPlus size={22} stroke={1.6} />}
            title={said.noOwnTitle}
            text={said.noOwnText}
            action={create}
          />
        ) : (
          <Rows
            caption={said.ownCaption}
            columns={columns}
            rows={own}
            rowKey={({ key }) => key}
            menu={(row) => <OwnMenu row={row} onAct={setAct} />}
          />
        )}
      </Section>
      <Section title={said.standard} text={said.standardText} flush>
        <Rows
          caption={said.standardCaption}
          columns={columns}
          rows={standard}
          rowKey={({ key }) => key}
          menu={(row) => (
            <RowMenu name={row.title}>
              <MuteItem row={row} onAct={setAct} />
            </RowMenu>
          )}
        />
      </Section>
      <RuleDialogs act={act} onClose={() => setAct(null)} />
      <CreateRuleDialog
        opened={dialog === "rule" && createNot === null}
        onClose={() => open({ dialog: undefined })}
      />
    </Stack>
  );
}

interface MenuProps {
  row: Row;
  onAct: (act: RuleAct) => void;
}

function OwnMenu({ row, onAct }: MenuProps) {
  const updateNot = useWhyNot("alert_rules_update");
  const deleteNot = useWhyNot("alert_rules_delete");
  const rule = row.rule as AlertRule;
  return (
    <RowMenu name={row.title}>
      <GuardedItem
        reason={updateNot}
        leftSection={<IconPencil size={16} aria-hidden="true" />}
        onClick={() => onAct({ kind: "edit", rule })}
      >
        {said.edit}
      </GuardedItem>
      <GuardedItem
        reason={updateNot}
        leftSection={
          rule.enabled ? (
            <IconPlayerPause size={16} aria-hidden="true" />
          ) : (
            <IconPlayerPlay size={16} aria-hidden="true" />
          )
        }
        onClick={() => onAct({ kind: "switch", rule })}
      >
        {rule.enabled ? said.switchOff : said.switchOn}
      </GuardedItem>
      <MuteItem row={row} onAct={onAct} />
      <GuardedItem
        reason={deleteNot}
        color="red"
        leftSection={<IconTrash size={16} aria-hidden="true" />}
        onClick={() => onAct({ kind: "delete", rule })}
      >
        {said.remove}
      </GuardedItem>
    </RowMenu>
  );
}

function MuteItem({ row, onAct }: MenuProps) {
  const mutable = !("mutable" in row.rule) || row.rule.mutable;
  const muteNot = useWhyNot("alert_rules_mute") ?? (mutable ? null : said.unmutable);
  const unmuteNot = useWhyNot("alert_rules_unmute");
  const target = { rule: row.key, title: row.title };
  return row.mute ? (
    <GuardedItem
      reason={unmuteNot}
      leftSection={<IconBellRinging size={16} aria-hidden="true" />}
      onClick={() => onAct({ kind: "unmute", ...target })}
    >
      {said.unmute}
    </GuardedItem>
  ) : (
    <GuardedItem
      reason={muteNot}
      leftSection={<IconBellOff size={16} aria-hidden="true" />}
      onClick={() => onAct({ kind: "mute", ...target })}
    >
      {said.mute}
    </GuardedItem>
  );
}

const columns: Column<Row>[] = [
  {
    key: "rule",
    header: said.rule,
    width: "36%",
    render: ({ title, mute }) => (
      <div>
        <Text fw={550}>{title}</Text>
        {mute ? (
          <>
            <PlainBadge>{said.muted}</PlainBadge>{" "}
            <Text span size="xs" c="dimmed">
              {said.mutedUntil} <Time value={mute.until} />
            </Text>
          </>
        ) : null}
      </div>
    ),
  },
  {
    key: "waits",
    header: said.waitsFor,
    render: ({ waits, rule }) => (
      <div>
        {waits}
        <Text size="xs" c="dimmed">
          {said.sentence(rule.count, rule.window_minutes, rule.by)}
        </Text>
      </div>
    ),
  },
  {
    key: "severity",
    header: said.severity,
    render: ({ rule }) => <SeverityBadge severity={rule.severity as Severity} />,
  },
  {
    key: "state",
    header: said.state,
    wideOnly: true,
    render: ({ rule }) =>
      "enabled" in rule && !rule.enabled ? (
        <Status tone="quiet">{said.off}</Status>
      ) : (
        <Status tone="good">{said.on}</Status>
      ),
  },
];
