/** Who gained and who lost what: each change with who made it, and its entry in the record. */
import { Anchor, Text } from "@mantine/core";
import {
  IconArrowsExchange,
  IconMinus,
  IconPlus,
  IconUserOff,
  type TablerIcon,
} from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import { useMemo } from "react";
import type { Whose } from "../../api/policies";
import type { PolicyChange } from "../../api/types";
import { ChoiceFilter, choicesOf, FilterBar, TextFilter } from "../../parts/filters";
import { Section } from "../../parts/page";
import { allowed, roleName, useMe } from "../../parts/permissions";
import { Empty } from "../../parts/states";
import { type Column, Pager, Rows } from "../../parts/table";
import { Time } from "../../parts/time";
import { words } from "../../words";
import { Actor } from "./actor";
import { changedKind, changedName, changeTexts, wantedChanges } from "./changes";
import { useOrganizationNames } from "./exported";
import classes from "./policies.module.css";
import { usePolicySearch } from "./search";

const said = words.policies.history;

/** Rows on a page that is cut in the browser. */
const rowsOnPage = 50;

interface GainedProps {
  whose: Whose;
  changes: PolicyChange[];
}

export function Gained({ whose, changes }: GainedProps) {
  const search = usePolicySearch();
  const shown = useMemo(() => wantedChanges(changes, search), [changes, search]);
  const roles = new Set(changes.flatMap(({ role, role_before }) => [role, role_before]));
  const names = ["search", "change", "role"] as const;
  return (
    <Section title={said.people} flush>
      {changes.length === 0 ? (
        <Empty
          icon={<IconUserOff size={22} stroke={1.6} />}
          title={said.emptyTitle}
          text={said.emptyText}
        />
      ) : (
        <>
          <FilterBar active={names.filter((name) => search[name])}>
            <TextFilter name="search" value={search.search} label={said.search} />
            <ChoiceFilter
              name="change"
              value={search.change}
              label={said.what}
              any={said.anyChange}
              choices={choicesOf(said.changes)}
            />
            <ChoiceFilter
              name="role"
              value={search.role}
              label={words.members.role}
              any={words.policies.holders.anyRole}
              choices={[...roles]
                .filter((role) => role !== undefined)
                .map((role) => ({ value: role, label: roleName(role) }))}
            />
          </FilterBar>
          <List whose={whose} shown={shown} />
        </>
      )}
    </Section>
  );
}

function List({ whose, shown }: { whose: Whose; shown: PolicyChange[] }) {
  const { cursor } = usePolicySearch();
  const names = useOrganizationNames(whose);
  const me = useMe();
  const first = Math.min(Number.parseInt(cursor ?? "", 10) || 0, Math.max(0, shown.length - 1));
  const rows = shown.slice(first, first + rowsOnPage);
  const next = first + rowsOnPage < shown.length ? String(first + rowsOnPage) : null;
  if (shown.length === 0) {
    return <Empty title={words.common.noMatchTitle} text={words.common.noMatchText} />;
  }
  const organization: Column<PolicyChange> = {
    key: "organization",
    header: words.policies.holders.organization,
    render: ({ organization_id }) => names.get(organization_id) ?? organization_id,
  };
  const record: Column<PolicyChange> = {
    key: "entry",
    header: said.entry,
    width: 108,
    render: (change) =>
      // The record of another organisation can't be opened from here.
      allowed(me, "audit_list") && change.organization_id === me.organization?.id ? (
        <Entry change={change} slug={me.organization.slug} />
      ) : (
        <Text inherit c="dimmed">
          {words.common.none}
        </Text>
      ),
  };
  return (
    <>
      <Rows
        caption={said.caption}
        columns={whose === null ? [...columns, organization, record] : [...columns, record]}
        rows={rows}
        rowKey={keyOf}
      />
      <Pager next={next} />
    </>
  );
}

/** Nothing has two changes of the same thing at the same moment. */
const keyOf = ({ at, type, id, team_id = "" }: PolicyChange) => `${at} ${type} ${id} ${team_id}`;

const icons: Record<string, TablerIcon> = {
  granted: IconPlus,
  changed: IconArrowsExchange,
  lost: IconMinus,
};

function What({ change }: { change: PolicyChange }) {
  const Icon = icons[change.change] ?? IconArrowsExchange;
  return (
    <div>
      <span className={classes.change} data-change={change.change}>
        <Icon size={14} stroke={2.2} aria-hidden="true" />
        {said.changes[change.change] ?? change.change}
      </span>
      {changeTexts(change).map((text) => (
        <Text key={text} size="xs" c="dimmed">
          {text}
        </Text>
      ))}
    </div>
  );
}

const columns: Column<PolicyChange>[] = [
  {
    key: "who",
    header: said.who,
    width: "28%",
    render: (change) => (
      <div>
        <Text fw={550}>{changedName(change)}</Text>
        <Text size="xs" c="dimmed">
          {changedKind(change)}
        </Text>
      </div>
    ),
  },
  { key: "what", header: said.what, render: (change) => <What change={change} /> },
  { key: "when", header: said.when, render: ({ at }) => <Time value={at} form="exact" /> },
  {
    key: "by",
    header: said.by,
    render: ({ by }) => (
      <div>
        <Actor by={by} />
      </div>
    ),
  },
];

function Entry({ change, slug }: { change: PolicyChange; slug: string }) {
  if (!change.audit_entry_id)
    return (
      <Text inherit c="dimmed">
        {said.noEntry}
      </Text>
    );
  return (
    <Anchor
      renderRoot={(props) => (
        <Link
          {...props}
          to="/o/$organization/audit"
          params={{ organization: slug }}
          search={{ open: change.audit_entry_id }}
        />
      )}
      inherit
      aria-label={said.openEntryOf(changedName(change))}
    >
      {said.openEntry}
    </Anchor>
  );
}
