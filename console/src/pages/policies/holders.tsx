/** Who holds what: everybody with a role, where it comes from, since when, and when they were here last. */
import { Button, Group, SimpleGrid, Text } from "@mantine/core";
import { IconUsers } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import { useMemo } from "react";
import type { PolicyDocument, Whose } from "../../api/policies";
import type { PolicyHolder } from "../../api/types";
import { RoleBadge } from "../../parts/badges";
import { Bars } from "../../parts/bars";
import { ChoiceFilter, choicesOf, FilterBar, TextFilter } from "../../parts/filters";
import { Section } from "../../parts/page";
import { Panel } from "../../parts/panel";
import { roleName } from "../../parts/permissions";
import { Empty } from "../../parts/states";
import { type Column, Pager, Rows, rowLink } from "../../parts/table";
import { Time } from "../../parts/time";
import { words } from "../../words";
import { useOrganizationNames } from "./exported";
import { HolderDetails } from "./holder";
import {
  countByRole,
  effectiveGrants,
  holderName,
  holdersOf,
  sourceOf,
  wantedHolders,
} from "./people";
import classes from "./policies.module.css";
import { usePolicy, usePolicySearch } from "./search";
import { HolderStatus, LastSignIn, SecondFactors } from "./standing";

const said = words.policies.holders;

/** Rows on a page that is cut in the browser: ten thousand at once would be slow to draw. */
const rowsOnPage = 50;

interface HoldersProps {
  whose: Whose;
  documents: PolicyDocument[];
}

export function Holders({ whose, documents }: HoldersProps) {
  const search = usePolicySearch();
  const query = usePolicy(whose);
  const all = useMemo(() => holdersOf(documents), [documents]);
  const roles = documents[0]?.policy.roles ?? [];
  const at = search.as_of ? new Date(search.as_of) : new Date();
  const shown = wantedHolders(all, search, at);
  return (
    <>
      <Section title={said.counts} text={said.countsText}>
        <Counts holders={all} roles={roles} />
      </Section>
      {query.hasNextPage ? (
        <Group gap="sm" my="md">
          <Text c="dimmed">{said.moreText(all.length)}</Text>
          <Button
            size="xs"
            variant="default"
            loading={query.isFetchingNextPage}
            onClick={() => void query.fetchNextPage()}
          >
            {said.more}
          </Button>
        </Group>
      ) : null}
      <div className={classes.below}>
        <Panel>
          <HolderFilters roles={roles} />
          <List whose={whose} shown={shown} all={all.length} />
        </Panel>
      </div>
      <HolderDetails whose={whose} holders={all} />
    </>
  );
}

interface CountsProps {
  holders: PolicyHolder[];
  roles: { name: string }[];
}

function Counts({ holders, roles }: CountsProps) {
  const counts = useMemo(() => countByRole(holders, roles), [holders, roles]);
  const kinds = Object.entries(said.types)
    .map(([type, name]) => ({
      key: type,
      name,
      count: holders.filter((holder) => holder.type === type).length,
    }))
    .filter(({ count }) => count > 0);
  return (
    <SimpleGrid cols={{ base: 1, sm: 2 }} spacing="xl" className={classes.counts}>
      <Bars
        label={said.counts}
        bars={counts.map(({ role, count }) => ({
          key: role,
          count,
          name: (
            <Link
              to="."
              search={(now: Record<string, unknown>) => ({ ...now, role, cursor: undefined })}
              className={classes.barName}
            >
              {roleName(role)}
            </Link>
          ),
        }))}
      />
      <Bars label={said.type} bars={kinds} />
    </SimpleGrid>
  );
}

function HolderFilters({ roles }: { roles: { name: string }[] }) {
  const search = usePolicySearch();
  const names = ["search", "role", "type", "status", "seen"] as const;
  return (
    <FilterBar active={names.filter((name) => search[name])}>
      <TextFilter name="search" value={search.search} label={said.search} />
      <ChoiceFilter
        name="role"
        value={search.role}
        label={words.members.role}
        any={said.anyRole}
        choices={roles.map(({ name }) => ({ value: name, label: roleName(name) }))}
        width={140}
      />
      <ChoiceFilter
        name="type"
        value={search.type}
        label={said.type}
        any={said.anyType}
        choices={choicesOf(said.types)}
        width={180}
      />
      <ChoiceFilter
        name="status"
        value={search.status}
        label={said.status}
        any={said.anyStatus}
        choices={choicesOf(said.statuses)}
        width={130}
      />
      <ChoiceFilter
        name="seen"
        value={search.seen}
        label={said.seen}
        any={said.anySeen}
        choices={choicesOf(said.seenChoices)}
        width={170}
      />
      <ChoiceFilter
        name="factor"
        value={search.factor}
        label={said.factor}
        any={said.anyFactor}
        choices={choicesOf(said.factorChoices)}
        width={170}
      />
    </FilterBar>
  );
}

interface ListProps {
  whose: Whose;
  shown: PolicyHolder[];
  all: number;
}

function List({ whose, shown, all }: ListProps) {
  const { cursor, open } = usePolicySearch();
  const names = useOrganizationNames(whose);
  const first = Math.min(Number.parseInt(cursor ?? "", 10) || 0, Math.max(0, shown.length - 1));
  const rows = shown.slice(first, first + rowsOnPage);
  const next = first + rowsOnPage < shown.length ? String(first + rowsOnPage) : null;
  if (shown.length === 0) {
    return (
      <Empty
        icon={<IconUsers size={22} stroke={1.6} />}
        title={all > 0 ? words.common.noMatchTitle : said.emptyTitle}
        text={all > 0 ? words.common.noMatchText : said.emptyText}
      />
    );
  }
  return (
    <>
      <Text size="xs" c="dimmed" className={classes.counted} role="status">
        {said.counted(shown.length, all)}
        {next || first > 0
          ? ` · ${said.range(first + 1, first + rows.length, shown.length)}`
          : null}
        {whose === null ? ` · ${said.hidden}` : null}
      </Text>
      <Rows
        caption={said.caption}
        columns={whose === null ? [...columns, organizationColumn(names)] : columns}
        rows={rows}
        rowKey={keyOf}
        current={open}
      />
      <Pager next={next} />
    </>
  );
}

const keyOf = ({ id }: PolicyHolder) => id;

const columns: Column<PolicyHolder>[] = [
  {
    key: "who",
    header: said.who,
    width: "30%",
    render: (holder) => (
      <div>
        <Link
          to="."
          search={(now: Record<string, unknown>) => ({ ...now, open: holder.id })}
          className={rowLink}
        >
          {holderName(holder)}
        </Link>
        <Text size="xs" c="dimmed">
          {holder.email ?? said.typeOf[holder.type]}
        </Text>
      </div>
    ),
  },
  {
    key: "roles",
    header: said.roles,
    render: (holder) => <Roles holder={holder} />,
  },
  {
    key: "since",
    header: said.since,
    render: (holder) => {
      const grant = effectiveGrants(holder)[0];
      return grant?.before_history ? said.sinceBefore : <Time value={grant?.since} form="date" />;
    },
  },
  {
    key: "seen",
    header: said.lastSignIn,
    render: (holder) => <LastSignIn holder={holder} />,
  },
  {
    key: "factor",
    header: said.factor,
    render: (holder) => <SecondFactors holder={holder} />,
  },
  {
    key: "status",
    header: said.status,
    render: ({ status }) => <HolderStatus status={status} />,
  },
];

function organizationColumn(names: Map<string, string>): Column<PolicyHolder> {
  return {
    key: "organization",
    header: said.organization,
    render: ({ organization_id }) => names.get(organization_id) ?? organization_id,
  };
}

function Roles({ holder }: { holder: PolicyHolder }) {
  const grants = effectiveGrants(holder);
  return (
    <ul className={classes.roles}>
      {holder.effective_roles.map((role) => (
        <li key={role}>
          <RoleBadge role={role} />
          <Text span size="xs" c="dimmed">
            {grants
              .filter((grant) => grant.role === role)
              .map(sourceOf)
              .join(", ")}
          </Text>
        </li>
      ))}
    </ul>
  );
}
