/** Where one is signed in; ending one session or all of them. */
import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useState } from "react";
import { api, take } from "../../api/client";
import { keys, sessionsQuery } from "../../api/queries";
import type { Session } from "../../api/types";
import { ActDialog } from "../../parts/act-dialog";
import { OwnBadge } from "../../parts/badges";
import { deviceName } from "../../parts/device";
import { DeviceName } from "../../parts/device-name";
import { Section } from "../../parts/page";
import { useEnter, useSignOut } from "../../parts/session";
import { type Column, DataTable } from "../../parts/table";
import { Time } from "../../parts/time";
import { words } from "../../words";

const said = words.account;
const route = getRouteApi("/signed-in/account");

export function MySessions() {
  const { cursor } = route.useSearch();
  const query = useQuery(sessionsQuery({ cursor }));
  const signOut = useSignOut();
  const [ending, setEnding] = useState<Session | "all" | null>(null);
  const columns: Column<Session>[] = [
    ...shown,
    {
      key: "end",
      header: words.shell.actions,
      width: 130,
      render: (session) => (
        <Button
          size="compact-sm"
          variant="default"
          onClick={() => (session.current ? signOut.mutate() : setEnding(session))}
        >
          {session.current ? said.endOwn : said.end}
        </Button>
      ),
    },
  ];
  return (
    <Section
      title={said.sessions}
      text={said.sessionsText}
      flush
      action={
        <Button variant="light" color="red" size="xs" onClick={() => setEnding("all")}>
          {said.endAll}
        </Button>
      }
    >
      <DataTable
        caption={said.sessionsCaption}
        columns={columns}
        query={query}
        rowKey={(session) => session.id}
        empty={null}
      />
      {ending === "all" ? <EndAll onClose={() => setEnding(null)} /> : null}
      {ending && ending !== "all" ? (
        <EndOne session={ending} onClose={() => setEnding(null)} />
      ) : null}
    </Section>
  );
}

const shown: Column<Session>[] = [
  {
    key: "device",
    header: said.device,
    width: "34%",
    render: ({ user_agent, current }) => (
      <DeviceName userAgent={user_agent}>
        {current ? <OwnBadge>{said.current}</OwnBadge> : null}
      </DeviceName>
    ),
  },
  { key: "address", header: said.address, render: ({ ip }) => ip ?? words.common.none },
  {
    key: "started",
    header: said.started,
    wideOnly: true,
    render: ({ created_at }) => <Time value={created_at} />,
  },
  {
    key: "seen",
    header: said.lastSeen,
    render: ({ last_seen_at }) => <Time value={last_seen_at} form="relative" />,
  },
  {
    key: "expires",
    header: said.expires,
    wideOnly: true,
    render: ({ expires_at }) => <Time value={expires_at} form="relative" />,
  },
];

function EndOne({ session, onClose }: { session: Session; onClose: () => void }) {
  const params = { path: { session_id: session.id } };
  return (
    <ActDialog
      onClose={onClose}
      text={{
        title: said.endTitle,
        effects: said.endEffects(deviceName(session.user_agent)),
        action: said.end,
        done: said.ended,
      }}
      run={() => take(api.DELETE("/v1/me/sessions/{session_id}", { params }))}
      refresh={[keys.sessions]}
    />
  );
}

function EndAll({ onClose }: { onClose: () => void }) {
  const enter = useEnter();
  return (
    <ActDialog
      onClose={onClose}
      text={{ title: said.endAllTitle, effects: said.endAllEffects, action: said.endAll }}
      run={() => take(api.DELETE("/v1/me/sessions"))}
      onDone={() => enter("/sign-in")}
    />
  );
}
