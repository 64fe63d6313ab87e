/** The audit log: every filter is in the address, so a finding can be sent to a colleague. */
import { Button, Group, Text } from "@mantine/core";
import { IconFileText, IconRefresh } from "@tabler/icons-react";
import { type UseQueryResult, useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { type AuditFilter, auditQuery, pageSize } from "../../api/queries";
import type { AuditEntry, Page as PageOf } from "../../api/types";
import { SupportBadge } from "../../parts/acting";
import { OutcomeStatus, SeverityBadge } from "../../parts/badges";
import { Page } from "../../parts/page";
import { Panel } from "../../parts/panel";
import { useOrganization, useWhyNot } from "../../parts/permissions";
import { Empty, Forbidden } from "../../parts/states";
import { type Column, DataTable, rowLink } from "../../parts/table";
import { Time } from "../../parts/time";
import { words } from "../../words";
import { actorName, isSupport } from "./actor";
import { EntryDetails } from "./details";
import { ExportRecord } from "./export";
import { AuditFilters, type AuditSearch, activeFilters, filterOf } from "./filters";
import { matches, useLive } from "./live";
import { Held, LiveSwitch, Spoken } from "./live-bar";

type Entries = PageOf<AuditEntry>;

const said = words.audit;
const route = getRouteApi("/signed-in/o/$organization/audit");

export default function AuditPage() {
  const organization = useOrganization();
  const forbidden = useWhyNot("audit_list");
  return (
    <Page title={said.title} purpose={said.purpose} place={organization.name} action={<Actions />}>
      <Panel>{forbidden ? <Forbidden reason={forbidden} /> : <Log />}</Panel>
    </Page>
  );
}

function Actions() {
  const search = route.useSearch();
  return (
    <Group gap="xs">
      <Button component={Link} to="/o/$organization/audit/events" variant="subtle" color="gray">
        {said.catalogLink}
      </Button>
      <ExportRecord filter={filterOf(search)} filtered={activeFilters(search).length > 0} />
    </Group>
  );
}

function Log() {
  const organization = useOrganization();
  const search = route.useSearch();
  const filter: AuditFilter = {
    ...filterOf(search),
    cursor: search.cursor,
    limit: pageSize,
  };
  const query = useQuery(auditQuery(organization.id, filter));
  // Few entries pass some filters: a page can be empty and still lead on.
  const further = Boolean(query.data?.next_cursor);
  const filtered = activeFilters(search).length > 0;
  const paused = pausedBy(search);
  const on = search.live === "on";
  const live = useLive(organization.id, on, () => void query.refetch());
  const showing = on && paused === null;
  const listed = query.data?.items ?? [];
  const known = new Set(listed.map(({ id }) => id));
  const fitting = (entries: AuditEntry[]) =>
    showing ? entries.filter((entry) => !known.has(entry.id) && matches(entry, filter)) : [];
  const shown = fitting(live.shown);
  const held = fitting(live.held);
  return (
    <>
      <AuditFilters search={search}>
        <LiveSwitch on={on} paused={paused} state={live.state} />
        <Button
          variant="subtle"
          color="gray"
          leftSection={<IconRefresh size={15} aria-hidden="true" />}
          loading={query.isRefetching}
          onClick={() => void query.refetch()}
        >
          {said.refresh}
        </Button>
      </AuditFilters>
      <Spoken count={shown.length + held.length} />
      <Held live={live} count={held.length} />
      <DataTable
        caption={said.caption}
        columns={columns}
        query={withNews(query, shown)}
        rowKey={(entry) => entry.id}
        current={search.open}
        fresh={new Set(shown.map(({ id }) => id))}
        empty={
          <Empty
            icon={<IconFileText size={22} stroke={1.6} />}
            title={
              further ? said.furtherTitle : filtered ? words.common.noMatchTitle : said.emptyTitle
            }
            text={further ? said.furtherText : filtered ? words.common.noMatchText : said.emptyText}
          />
        }
      />
      <EntryDetails id={search.open} />
    </>
  );
}

/** Why new entries can't be shown where they belong; null when they can. */
function pausedBy({ cursor, from, to, text }: AuditSearch & { cursor?: string }): string | null {
  if (cursor) return said.live.pausedByPage;
  if (from || to) return said.live.pausedByTime;
  return text ? said.live.pausedByWords : null;
}

/** The list with what has come since on top. */
function withNews(query: UseQueryResult<Entries>, news: AuditEntry[]): UseQueryResult<Entries> {
  if (!query.data || news.length === 0) return query;
  return {
    ...query,
    data: { ...query.data, items: [...news, ...query.data.items] },
  } as typeof query;
}

const columns: Column<AuditEntry>[] = [
  {
    key: "event",
    header: said.event,
    width: "36%",
    render: (entry) => (
      <div>
        <Link
          to="."
          search={(now: Record<string, unknown>) => ({ ...now, open: entry.id })}
          className={rowLink}
        >
          {entry.title}
        </Link>
        {isSupport(entry) ? (
          <>
            {" "}
            <SupportBadge />
          </>
        ) : null}
        <Text size="xs" c="dimmed" ff="monospace">
          {entry.event}
        </Text>
      </div>
    ),
  },
  { key: "actor", header: said.actor, render: (entry) => actorName(entry) },
  {
    key: "outcome",
    header: said.outcome,
    render: ({ outcome }) => <OutcomeStatus outcome={outcome} />,
  },
  {
    key: "severity",
    header: said.severity,
    render: ({ severity }) => <SeverityBadge severity={severity} />,
  },
  {
    key: "address",
    header: said.address,
    wideOnly: true,
    render: ({ ip }) => ip ?? words.common.none,
  },
  {
    key: "time",
    header: said.time,
    width: 172,
    render: ({ occurred_at }) => <Time value={occurred_at} form="exact" />,
  },
];
