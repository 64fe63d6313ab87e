/** Every rotation, the latest first; each opens to its progress. */
import { Text } from "@mantine/core";
import { IconKey } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { keyRotationsQuery } from "../../api/queries";
import type { DataKey, KeyRotation } from "../../api/types";
import { Status } from "../../parts/badges";
import { Section } from "../../parts/page";
import { Empty } from "../../parts/states";
import { type Column, DataTable, rowLink } from "../../parts/table";
import { durationText, Time } from "../../parts/time";
import { words } from "../../words";
import { shareOf, versionOf } from "./rotation";

const said = words.keys.history;
const route = getRouteApi("/signed-in/platform/keys");

export function History({ keys }: { keys: DataKey[] }) {
  const { cursor, rotation } = route.useSearch();
  const query = useQuery(keyRotationsQuery(cursor));
  return (
    <Section title={said.title} text={said.text} flush>
      <DataTable
        caption={said.caption}
        columns={columnsOf(keys)}
        query={query}
        rowKey={({ id }) => id}
        current={rotation}
        empty={
          <Empty
            icon={<IconKey size={22} stroke={1.6} />}
            title={said.emptyTitle}
            text={said.emptyText}
          />
        }
      />
    </Section>
  );
}

export function RotationStatus({ rotation }: { rotation: KeyRotation }) {
  const { status, steps } = words.keys.progress;
  if (rotation.step === "finished") return <Status tone="good">{status.finished}</Status>;
  if (rotation.paused) return <Status tone="quiet">{status.paused}</Status>;
  return <Status tone="busy">{steps[rotation.step].name}</Status>;
}

function Took({ rotation: { started_at, finished_at } }: { rotation: KeyRotation }) {
  if (!finished_at) return words.common.none;
  return durationText(new Date(finished_at).getTime() - new Date(started_at).getTime());
}

const columnsOf = (keys: DataKey[]): Column<KeyRotation>[] => [
  {
    key: "scope",
    header: said.scope,
    width: "26%",
    render: ({ id, scope }) => (
      <Link
        to="."
        search={(now: Record<string, unknown>) => ({ ...now, rotation: id })}
        className={rowLink}
      >
        {words.keys.scopeName(scope)}
      </Link>
    ),
  },
  {
    key: "versions",
    header: said.versions,
    render: ({ from_key, to_key }) =>
      said.change(versionOf(keys, from_key), versionOf(keys, to_key)),
  },
  {
    key: "state",
    header: said.state,
    render: (rotation) => <RotationStatus rotation={rotation} />,
  },
  {
    key: "values",
    header: said.values,
    render: (rotation) => (
      <Text span inherit>
        {rotation.values_total.toLocaleString()}
        {rotation.step === "finished" ? "" : ` · ${words.keys.progress.percent(shareOf(rotation))}`}
      </Text>
    ),
  },
  {
    key: "started",
    header: said.started,
    render: ({ started_at }) => <Time value={started_at} form="relative" />,
  },
  {
    key: "took",
    header: said.took,
    wideOnly: true,
    render: (rotation) => <Took rotation={rotation} />,
  },
];
