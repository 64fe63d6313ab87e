/** The servers that share the database: which are there, and which of them leads. */
import { Alert, Group, Text } from "@mantine/core";
import { IconServer2, IconVersions } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { instancesQuery } from "../../api/queries";
import type { Instance } from "../../api/types";
import { OwnBadge, PlainBadge, Status } from "../../parts/badges";
import { Fact, Facts } from "../../parts/facts";
import { Page } from "../../parts/page";
import { Panel } from "../../parts/panel";
import { useWhyNot } from "../../parts/permissions";
import { PlatformForbidden } from "../../parts/platform-only";
import { Empty } from "../../parts/states";
import { type Column, DataTable } from "../../parts/table";
import { durationText, Time } from "../../parts/time";
import { words } from "../../words";

const said = words.instances;

/** Three signs of life were due meanwhile, in milliseconds. */
const stale = 15_000;

interface Seen extends Instance {
  /** Milliseconds since it last said that it is there. */
  silent: number;
}

const isHere = ({ silent }: Seen) => silent <= stale;

/** Without the rest: a wait is told in full minutes, or seconds. */
function whole(milliseconds: number): number {
  return milliseconds - (milliseconds % (milliseconds < 60_000 ? 1_000 : 60_000));
}

export default function InstancesPage() {
  const forbidden = useWhyNot("instances_list");
  return (
    <Page title={said.title} purpose={said.purpose} place={words.shell.platform}>
      {forbidden ? <PlatformForbidden back="/platform/instances" /> : <List />}
    </Page>
  );
}

function List() {
  const query = useQuery({ ...instancesQuery, select: withSilence });
  const here = query.data?.items.filter(isHere) ?? [];
  const versions = [...new Set(here.map(({ version }) => version))].sort();
  const leads = here.some((instance) => instance.leads);
  return (
    <>
      {query.isSuccess && !leads ? (
        <Alert color="red" variant="light" title={said.nobodyTitle} role="alert">
          {said.nobodyText}
        </Alert>
      ) : null}
      {versions.length > 1 ? (
        <Alert
          variant="default"
          icon={<IconVersions size={18} stroke={1.7} aria-hidden="true" />}
          title={said.mixedTitle(versions.length)}
        >
          {said.mixedText(versions.join(", "))}
        </Alert>
      ) : null}
      <Panel>
        {query.data ? <Leadership list={query.data} /> : null}
        <DataTable
          caption={said.caption}
          columns={columns}
          query={query}
          rowKey={({ id }) => id}
          empty={
            <Empty
              icon={<IconServer2 size={22} stroke={1.6} />}
              title={said.emptyTitle}
              text={said.emptyText}
            />
          }
        />
      </Panel>
    </>
  );
}

interface Answer {
  term: number;
  led_since?: string;
  answered_at: string;
  items: Instance[];
}

function withSilence(list: Answer) {
  const now = new Date(list.answered_at).getTime();
  const items = list.items.map((instance) => ({
    ...instance,
    silent: Math.max(0, now - new Date(instance.seen_at).getTime()),
  }));
  return { ...list, items };
}

/** Who leads, since when, and how many are there. */
function Leadership({ list }: { list: ReturnType<typeof withSilence> }) {
  const { items, term, led_since } = list;
  const here = items.filter(isHere);
  const leader = here.find(({ leads }) => leads);
  return (
    <Facts note={said.termText}>
      <Fact name={said.leads}>
        <span className="machine-text">{leader?.name ?? said.nobody}</span>
      </Fact>
      <Fact name={said.since}>
        <Time value={leader ? led_since : null} />
      </Fact>
      <Fact name={said.term}>{term.toLocaleString()}</Fact>
      <Fact name={said.present}>{said.counts(here.length, items.length - here.length)}</Fact>
    </Facts>
  );
}

const columns: Column<Seen>[] = [
  {
    key: "instance",
    header: said.instance,
    width: "46%",
    render: (instance) => (
      <div>
        <Group gap={8}>
          <Text inherit fw={550} className="machine-text">
            {instance.name}
          </Text>
          {instance.leads ? <OwnBadge>{said.leader}</OwnBadge> : null}
          {instance.answers ? <PlainBadge>{said.answers}</PlainBadge> : null}
        </Group>
        <Text size="xs" c="dimmed" ff="monospace">
          {instance.id}
        </Text>
      </div>
    ),
  },
  { key: "version", header: said.version, render: ({ version }) => version },
  {
    key: "started",
    header: said.started,
    render: ({ started_at }) => <Time value={started_at} form="relative" />,
  },
  {
    key: "seen",
    header: said.seen,
    render: (instance) =>
      isHere(instance) ? (
        <Status tone="good">{said.alive}</Status>
      ) : (
        <Status tone="bad">{said.notSeen(durationText(whole(instance.silent)))}</Status>
      ),
  },
];
