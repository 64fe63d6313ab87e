/** Which platform admins were in this organisation without belonging to it, when and why. */
import { Text } from "@mantine/core";
import { IconLifebuoy } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { pageSize, platformAccessQuery } from "../../api/queries";
import type { PlatformAccess } from "../../api/types";
import { Status } from "../../parts/badges";
import { Page } from "../../parts/page";
import { Panel } from "../../parts/panel";
import { useOrganization, useWhyNot } from "../../parts/permissions";
import { Empty, Forbidden } from "../../parts/states";
import { type Column, DataTable } from "../../parts/table";
import { Time } from "../../parts/time";
import { words } from "../../words";

const said = words.platformAccess;
const route = getRouteApi("/signed-in/o/$organization/platform-access");

export default function PlatformAccessPage() {
  const organization = useOrganization();
  const forbidden = useWhyNot("platform_accesses_list");
  return (
    <Page title={said.title} purpose={said.purpose} place={organization.name}>
      <Panel>{forbidden ? <Forbidden reason={forbidden} /> : <List />}</Panel>
    </Page>
  );
}

function List() {
  const organization = useOrganization();
  const { cursor } = route.useSearch();
  const query = useQuery(platformAccessQuery(organization.id, { cursor, limit: pageSize }));
  return (
    <DataTable
      caption={said.caption}
      columns={columns}
      query={query}
      rowKey={({ id }) => id}
      empty={
        <Empty
          icon={<IconLifebuoy size={22} stroke={1.6} />}
          title={said.emptyTitle}
          text={said.emptyText}
        />
      }
    />
  );
}

const columns: Column<PlatformAccess>[] = [
  {
    key: "who",
    header: said.who,
    width: "22%",
    render: ({ account }) => (
      <Text inherit fw={550} c={account?.erased ? "dimmed" : undefined}>
        {account?.name ?? (account?.erased ? said.erased : said.nobody)}
      </Text>
    ),
  },
  {
    key: "reason",
    header: said.reason,
    width: "34%",
    render: ({ reason }) =>
      reason ?? (
        <Text inherit c="dimmed">
          {said.reasonErased}
        </Text>
      ),
  },
  {
    key: "started",
    header: said.started,
    render: ({ started_at }) => <Time value={started_at} />,
  },
  {
    key: "ended",
    header: said.ended,
    render: ({ ended_at, expires_at }) => <Time value={ended_at ?? expires_at} />,
  },
  {
    key: "state",
    header: said.state,
    render: ({ end_reason }) => (
      <Status tone={end_reason ? "quiet" : "warn"}>
        {end_reason ? said.ends[end_reason] : said.running}
      </Status>
    ),
  },
];
