/** How often clients may call, how often they were refused, and whether a proxy hides them from each other. */
import { Alert, Text } from "@mantine/core";
import { IconGauge, IconRouteOff } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { limitsQuery } from "../../api/queries";
import type { RateLimit, RateLimits } from "../../api/types";
import { PlainBadge, Status } from "../../parts/badges";
import { Fact, Facts } from "../../parts/facts";
import { Page } from "../../parts/page";
import { Panel } from "../../parts/panel";
import { useWhyNot } from "../../parts/permissions";
import { PlatformForbidden } from "../../parts/platform-only";
import { Empty } from "../../parts/states";
import { type Column, DataTable } from "../../parts/table";
import { durationText, Time } from "../../parts/time";
import { words } from "../../words";
import classes from "./limits.module.css";

const said = words.limits;

export default function LimitsPage() {
  const forbidden = useWhyNot("limits_list");
  return (
    <Page title={said.title} purpose={said.purpose} place={words.shell.platform}>
      {forbidden ? <PlatformForbidden back="/platform/limits" /> : <List />}
    </Page>
  );
}

function List() {
  const query = useQuery(limitsQuery);
  return (
    <>
      {query.data?.unknown_proxy ? <UnknownProxy {...query.data.unknown_proxy} /> : null}
      <Panel>
        {query.data ? <Sums limits={query.data} /> : null}
        <DataTable
          caption={said.caption}
          columns={columns}
          query={query}
          rowKey={({ name }) => name}
          empty={
            <Empty
              icon={<IconGauge size={22} stroke={1.6} />}
              title={said.emptyTitle}
              text={said.emptyText}
            />
          }
        />
      </Panel>
    </>
  );
}

function UnknownProxy({ requests, last_at }: NonNullable<RateLimits["unknown_proxy"]>) {
  return (
    <Alert
      color="yellow"
      variant="light"
      icon={<IconRouteOff size={18} stroke={1.7} aria-hidden="true" />}
      title={said.unknownTitle}
      role="alert"
    >
      {said.unknownText(requests)} {said.unknownLast} <Time value={last_at} form="relative" />.
    </Alert>
  );
}

function Sums({ limits }: { limits: RateLimits }) {
  const sum = (count: (limit: RateLimit) => number) =>
    limits.items.reduce((total, limit) => total + count(limit), 0);
  const refused = sum((limit) => limit.refused);
  return (
    <Facts note={said.note}>
      <Fact name={said.since}>
        <Time value={limits.since} />
      </Fact>
      <Fact name={said.allCalls}>
        {sum((limit) => limit.admitted + limit.refused).toLocaleString()}
      </Fact>
      <Fact name={said.allRefused}>{refused.toLocaleString()}</Fact>
      <Fact name={said.streams}>
        {said.streamsOpen(limits.event_streams.open, limits.event_streams.most)}
      </Fact>
      <Fact name={said.proxies}>
        <Status tone={limits.proxy_trusted ? "good" : "quiet"}>
          {limits.proxy_trusted ? said.proxyTrusted : said.proxyNone}
        </Status>
      </Fact>
    </Facts>
  );
}

/** What was let pass and what was refused, side by side; the numbers say the same. */
function Counts({ admitted, refused }: RateLimit) {
  const all = Math.max(1, admitted + refused);
  return (
    <div className={classes.counts}>
      <span className={classes.track} aria-hidden="true">
        <span className={classes.admitted} style={{ width: `${(admitted / all) * 100}%` }} />
        {refused > 0 ? (
          <span className={classes.refused} style={{ width: `${(refused / all) * 100}%` }} />
        ) : null}
      </span>
      <span className={classes.numbers}>
        <span>{said.admitted(admitted)}</span>
        <span data-refused={refused > 0 || undefined}>
          {refused > 0 ? said.refusedCount(refused) : said.noneRefused}
        </span>
      </span>
    </div>
  );
}

const columns: Column<RateLimit>[] = [
  {
    key: "limit",
    header: said.limit,
    width: "32%",
    render: ({ name }) => (
      <div>
        <Text inherit fw={550}>
          {said.names[name]?.name ?? name}
        </Text>
        <Text size="xs" c="dimmed">
          {said.names[name]?.hint}
        </Text>
      </div>
    ),
  },
  {
    key: "quota",
    header: said.quota,
    render: ({ quota, window_seconds }) => said.amount(quota, durationText(window_seconds * 1000)),
  },
  {
    key: "key",
    header: said.key,
    render: ({ key, shared }) => (
      <div className={classes.key}>
        <Text inherit>{said.keys[key]}</Text>
        {shared ? <PlainBadge>{said.shared}</PlainBadge> : null}
      </div>
    ),
  },
  { key: "calls", header: said.calls, width: "30%", render: (limit) => <Counts {...limit} /> },
];
