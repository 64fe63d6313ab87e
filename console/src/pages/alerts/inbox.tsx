/** The inbox: open alerts first of all, and the others for who asks. */
import { Text } from "@mantine/core";
import { IconBell } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { type AlertFilter, alertRulesQuery, alertsQuery } from "../../api/alerts";
import { pageSize } from "../../api/queries";
import type { Alert } from "../../api/types";
import { PlainBadge, SeverityBadge, Status } from "../../parts/badges";
import { ChoiceFilter, choicesOf, FilterBar } from "../../parts/filters";
import { Panel } from "../../parts/panel";
import { useOrganization } from "../../parts/permissions";
import { Empty } from "../../parts/states";
import { type Column, DataTable, rowLink } from "../../parts/table";
import { Time } from "../../parts/time";
import { words } from "../../words";
import { AlertDetails } from "./details";

const said = words.alerts;
const route = getRouteApi("/signed-in/o/$organization/alerts");

export function Inbox() {
  const organization = useOrganization();
  const search = route.useSearch();
  const filter: AlertFilter = {
    state: stateOf(search.state),
    severity: search.severity as AlertFilter["severity"],
    rule: search.rule,
    muted: search.muted ? search.muted === "yes" : undefined,
    cursor: search.cursor,
    limit: pageSize,
  };
  const query = useQuery(alertsQuery(organization.id, filter));
  const active = (["state", "severity", "rule", "muted"] as const).filter((name) => search[name]);
  return (
    <Panel>
      <FilterBar active={active}>
        <ChoiceFilter
          name="state"
          value={search.state}
          label={said.state}
          any={said.open}
          choices={choicesOf(said.choices)}
          width={160}
        />
        <ChoiceFilter
          name="severity"
          value={search.severity}
          label={said.severity}
          any={said.anySeverity}
          choices={choicesOf(words.audit.severities)}
          width={150}
        />
        <RuleFilter value={search.rule} />
        <ChoiceFilter
          name="muted"
          value={search.muted}
          label={said.muted}
          any={said.withMuted}
          choices={choicesOf(said.mutedChoices)}
          width={160}
        />
      </FilterBar>
      <DataTable
        caption={said.caption}
        columns={columns}
        query={query}
        rowKey={({ id }) => id}
        current={search.open}
        empty={
          <Empty
            icon={<IconBell size={22} stroke={1.6} />}
            title={active.length > 0 ? words.common.noMatchTitle : said.emptyTitle}
            text={active.length > 0 ? words.common.noMatchText : said.emptyText}
          />
        }
      />
      <AlertDetails id={search.open} />
    </Panel>
  );
}

/** Open ones, unless something else is asked for. */
function stateOf(state: string | undefined): AlertFilter["state"] {
  if (state === "all") return undefined;
  return state === "acknowledged" ? "acknowledged" : "open";
}

function RuleFilter({ value }: { value: string | undefined }) {
  const organization = useOrganization();
  const { data } = useQuery(alertRulesQuery(organization.id));
  const choices = [
    ...(data?.own ?? []).map(({ id, name }) => ({ value: id, label: name })),
    ...(data?.standard ?? []).map(({ name, title }) => ({ value: name, label: title })),
  ];
  const known = !value || choices.some((choice) => choice.value === value);
  return (
    <ChoiceFilter
      name="rule"
      value={value}
      label={said.rule}
      any={said.anyRule}
      choices={known ? choices : [...choices, { value, label: `${value.slice(0, 12)}…` }]}
      searchable
      width={230}
    />
  );
}

/** Whom an alert is about, in a few words. */
export function subjectOf(alert: Alert): string {
  if (alert.by === "actor") {
    if (alert.actor?.erased) return words.audit.erased;
    const type = (alert.actor_type ?? "anonymous") as keyof typeof words.audit.actors;
    return alert.actor?.name ?? words.audit.actors[type];
  }
  if (alert.by === "address") return alert.address ?? said.unknownAddress;
  return alert.by === "rest" ? said.rest : said.wholeOrganization;
}

const columns: Column<Alert>[] = [
  {
    key: "alert",
    header: said.alert,
    width: "38%",
    render: (alert) => (
      <div>
        <Link
          to="."
          search={(now: Record<string, unknown>) => ({ ...now, open: alert.id })}
          className={rowLink}
        >
          {alert.title}
        </Link>{" "}
        {alert.muted_until ? <PlainBadge>{said.muted}</PlainBadge> : null}
        <Text size="xs" c="dimmed">
          {said.times(alert.count)}
        </Text>
      </div>
    ),
  },
  { key: "about", header: said.about, render: subjectOf },
  {
    key: "severity",
    header: said.severity,
    render: ({ severity }) => <SeverityBadge severity={severity} />,
  },
  {
    key: "state",
    header: said.state,
    wideOnly: true,
    render: ({ state }) => (
      <Status tone={state === "open" ? "warn" : "quiet"}>{said.states[state] ?? state}</Status>
    ),
  },
  {
    key: "last",
    header: said.last,
    width: 150,
    render: ({ last_at }) => <Time value={last_at} form="relative" />,
  },
];
