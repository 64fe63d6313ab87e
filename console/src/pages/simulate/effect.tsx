/** What a proposal would do: in numbers, as a chart, person by person. */
import { Group, SegmentedControl, Text } from "@mantine/core";
import { IconArrowRight, IconEqual, IconFlask } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { simulateQuery } from "../../api/decisions";
import type { AffectedParty, OperationEffect, ProposedChange, Simulated } from "../../api/types";
import { PlainBadge, RoleBadge, WarnBadge } from "../../parts/badges";
import { Bars } from "../../parts/bars";
import { Details } from "../../parts/details";
import { Fact, Facts } from "../../parts/facts";
import { useFilter, useOpen } from "../../parts/filters";
import { Section } from "../../parts/page";
import { useOrganization } from "../../parts/permissions";
import { Empty } from "../../parts/states";
import { type Column, DataTable, rowLink } from "../../parts/table";
import { words } from "../../words";
import classes from "./simulate.module.css";

const said = words.simulate;
const route = getRouteApi("/signed-in/o/$organization/simulate");
/** How far one can look back. */
export const spans = [7, 30, 90];
/** How many operations the chart shows. */
const shown = 8;

export const keyOf = ({ who }: AffectedParty) => who.account_id ?? who.service_account_id ?? "";

export function Effect({ changes, days }: { changes: ProposedChange[]; days: number }) {
  const filter = useFilter();
  return (
    <Section
      title={said.effect}
      flush
      action={
        <SegmentedControl
          size="xs"
          aria-label={said.days}
          value={String(days)}
          onChange={(value) => filter({ days: value })}
          data={spans.map((span) => ({ value: String(span), label: said.daysOf(span) }))}
        />
      }
    >
      {changes.length > 0 ? (
        <Result changes={changes} days={days} />
      ) : (
        <Empty
          icon={<IconFlask size={22} stroke={1.6} />}
          title={said.emptyTitle}
          text={said.emptyText}
        />
      )}
    </Section>
  );
}

function Result({ changes, days }: { changes: ProposedChange[]; days: number }) {
  const organization = useOrganization();
  const { open } = route.useSearch();
  const query = useQuery(simulateQuery(organization.id, changes, days));
  const current = query.data?.items.find((one) => keyOf(one) === open);
  return (
    <>
      {query.data ? <Sums of={query.data} /> : null}
      {query.data ? <Chart of={query.data} /> : null}
      <DataTable
        caption={said.caption}
        columns={columns}
        query={query}
        rowKey={keyOf}
        current={open}
        empty={
          <Empty
            icon={<IconEqual size={22} stroke={1.6} />}
            title={said.nothingTitle}
            text={said.nothingText}
          />
        }
      />
      {query.data && query.data.left_out > 0 ? (
        <Text size="sm" c="dimmed" className={classes.leftOut}>
          {said.leftOut(query.data.left_out)}
        </Text>
      ) : null}
      <PartyDetails party={current} />
    </>
  );
}

function Sums({ of: { totals, from, to } }: { of: Simulated }) {
  return (
    <Facts note={said.note(from, to)}>
      <Fact name={said.losing}>{totals.losing.toLocaleString()}</Fact>
      <Fact name={said.losingUsed}>{totals.losing_what_they_use.toLocaleString()}</Fact>
      <Fact name={said.gaining}>{totals.gaining.toLocaleString()}</Fact>
      <Fact name={said.usesLost}>{totals.uses_lost.toLocaleString()}</Fact>
      <Fact name={said.lifted}>{totals.refusals_lifted.toLocaleString()}</Fact>
    </Facts>
  );
}

/** The uses that would end, by operation, of those who are shown. */
function Chart({ of: { items } }: { of: Simulated }) {
  const uses = new Map<string, number>();
  for (const effect of items.flatMap(({ loses }) => loses)) {
    uses.set(effect.operation, (uses.get(effect.operation) ?? 0) + effect.uses);
  }
  const bars = [...uses]
    .filter(([, count]) => count > 0)
    .toSorted(([, a], [, b]) => b - a)
    .slice(0, shown)
    .map(([name, count]) => ({
      key: name,
      name: <span className={classes.operation}>{name}</span>,
      count,
    }));
  if (bars.length === 0) return null;
  return (
    <div className={classes.chart}>
      <h3>{said.chart}</h3>
      <Bars bars={bars} label={said.chart} />
    </div>
  );
}

const columns: Column<AffectedParty>[] = [
  {
    key: "who",
    header: said.who,
    width: "30%",
    render: (one) => (
      <div>
        <Link
          to="."
          search={(now: Record<string, unknown>) => ({ ...now, open: keyOf(one) })}
          className={rowLink}
        >
          {one.who.name ?? said.somebody}
        </Link>
        {one.who.email ? (
          <Text size="xs" c="dimmed">
            {one.who.email}
          </Text>
        ) : null}
      </div>
    ),
  },
  { key: "roles", header: said.roles, render: (one) => <Roles of={one} /> },
  {
    key: "loses",
    header: said.loses,
    render: ({ loses, uses_lost }) =>
      loses.length === 0 ? (
        words.common.none
      ) : (
        <Group gap={6}>
          <Text span size="sm">
            {said.operations(loses.length)}
          </Text>
          {uses_lost > 0 ? (
            <WarnBadge>{said.used(uses_lost)}</WarnBadge>
          ) : (
            <PlainBadge>{said.notUsed}</PlainBadge>
          )}
        </Group>
      ),
  },
  {
    key: "gains",
    header: said.gains,
    render: ({ gains }) => {
      const refused = gains.reduce((sum, effect) => sum + effect.refused, 0);
      if (gains.length === 0) return words.common.none;
      return (
        <Group gap={6}>
          <Text span size="sm">
            {said.operations(gains.length)}
          </Text>
          {refused > 0 ? <PlainBadge>{said.refused(refused)}</PlainBadge> : null}
        </Group>
      );
    },
  },
];

function Roles({ of: { roles_before, roles_after } }: { of: AffectedParty }) {
  const badges = (roles: string[]) =>
    roles.length > 0
      ? roles.map((role) => <RoleBadge key={role} role={role} />)
      : [
          <Text key="none" span size="sm">
            {said.noRole}
          </Text>,
        ];
  return (
    <Group gap={6} wrap="nowrap">
      {badges(roles_before)}
      <IconArrowRight size={14} role="img" aria-label={said.becomes} />
      {badges(roles_after)}
    </Group>
  );
}

function PartyDetails({ party }: { party: AffectedParty | undefined }) {
  const open = useOpen();
  return (
    <Details
      opened={party !== undefined}
      onClose={() => open({ open: undefined })}
      title={party?.who.name ?? words.common.details}
    >
      {party ? (
        <>
          <Roles of={party} />
          <Effects title={said.loses} none={said.nothingLost} effects={party.loses} />
          <Effects title={said.gains} none={said.nothingGained} effects={party.gains} />
        </>
      ) : null}
    </Details>
  );
}

interface EffectsProps {
  title: string;
  none: string;
  effects: OperationEffect[];
}

function Effects({ title, none, effects }: EffectsProps) {
  return (
    <Section title={title}>
      {effects.length === 0 ? (
        <Text size="sm" c="dimmed">
          {none}
        </Text>
      ) : (
        <ul className={classes.effects} aria-label={title}>
          {effects.map((effect) => (
            <li key={effect.operation}>
              <span className={classes.operation}>{effect.operation}</span>
              <Text span size="xs" c="dimmed">
                {remarks(effect).join(", ")}
              </Text>
            </li>
          ))}
        </ul>
      )}
    </Section>
  );
}

function remarks({ before, after, uses, last_used_on, refused }: OperationEffect): string[] {
  const remarks = [];
  if (after === "own" && before === "any") remarks.push(said.ownStays);
  if (after === "own" && before === "none") remarks.push(said.ownOnly);
  if (uses > 0) remarks.push(said.used(uses));
  if (last_used_on) remarks.push(said.lastUsed(last_used_on));
  if (refused > 0) remarks.push(said.refused(refused));
  return remarks;
}
