/** A person's own devices: those that they have signed in on, and those that they trust. */
import { Button } from "@mantine/core";
import type { UseQueryResult } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { ActDialog } from "../../parts/act-dialog";
import { deviceName } from "../../parts/device";
import { DeviceName } from "../../parts/device-name";
import { Section } from "../../parts/page";
import { Empty } from "../../parts/states";
import { type Column, DataTable } from "../../parts/table";
import { Time } from "../../parts/time";
import { words } from "../../words";

interface Device {
  id: string;
  user_agent?: string | null;
  ip?: string | null;
  created_at: string;
  expires_at: string;
}

/** What a list of devices says. */
interface Said {
  title: string;
  text: string;
  caption: string;
  since: string;
  lastUsed: string;
  until: string;
  end: string;
  endOne: (device: string) => string;
  endTitle: (device: string) => string;
  endEffects: string[];
  ended: string;
  endAll: string;
  endAllTitle: string;
  endAllEffects: string[];
  allEnded: string;
  emptyTitle: string;
  emptyText: string;
}

interface Props<D extends Device> {
  said: Said;
  icon: ReactNode;
  query: UseQueryResult<{ items: D[] }>;
  queryKey: readonly unknown[];
  lastUsed: (device: D) => string;
  /** Ends what one of them is, or all of them. */
  end: (which: D | "all") => Promise<unknown>;
}

export function OwnDevices<D extends Device>(props: Props<D>) {
  const { said, query } = props;
  const [ending, setEnding] = useState<D | "all" | null>(null);
  return (
    <Section
      title={said.title}
      text={said.text}
      flush
      action={
        query.data?.items.length ? (
          <Button variant="light" color="red" size="xs" onClick={() => setEnding("all")}>
            {said.endAll}
          </Button>
        ) : null
      }
    >
      <DataTable
        caption={said.caption}
        columns={columns(props, setEnding)}
        query={query}
        rowKey={(device) => device.id}
        empty={<Empty icon={props.icon} title={said.emptyTitle} text={said.emptyText} />}
      />
      {ending ? <End {...props} which={ending} onClose={() => setEnding(null)} /> : null}
    </Section>
  );
}

function columns<D extends Device>(
  { said, lastUsed }: Props<D>,
  onEnd: (device: D) => void,
): Column<D>[] {
  return [
    {
      key: "device",
      header: words.account.device,
      width: "34%",
      render: ({ user_agent }) => <DeviceName userAgent={user_agent} />,
    },
    {
      key: "address",
      header: words.account.address,
      render: ({ ip }) => ip ?? words.common.none,
    },
    {
      key: "since",
      header: said.since,
      wideOnly: true,
      render: ({ created_at }) => <Time value={created_at} form="date" />,
    },
    {
      key: "seen",
      header: said.lastUsed,
      render: (device) => <Time value={lastUsed(device)} form="relative" />,
    },
    {
      key: "expires",
      header: said.until,
      wideOnly: true,
      render: ({ expires_at }) => <Time value={expires_at} form="date" />,
    },
    {
      key: "end",
      header: words.shell.actions,
      width: 130,
      render: (device) => (
        <Button
          size="compact-sm"
          variant="default"
          aria-label={said.endOne(deviceName(device.user_agent))}
          onClick={() => onEnd(device)}
        >
          {said.end}
        </Button>
      ),
    },
  ];
}

interface EndProps<D extends Device> extends Props<D> {
  which: D | "all";
  onClose: () => void;
}

function End<D extends Device>({ said, end, queryKey, which, onClose }: EndProps<D>) {
  const text =
    which === "all"
      ? {
          title: said.endAllTitle,
          effects: said.endAllEffects,
          action: said.endAll,
          done: said.allEnded,
        }
      : {
          title: said.endTitle(deviceName(which.user_agent)),
          effects: said.endEffects,
          action: said.end,
          done: said.ended,
        };
  return <ActDialog text={text} run={() => end(which)} refresh={[queryKey]} onClose={onClose} />;
}
