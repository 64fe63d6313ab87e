/** A person's own passkeys: adding one, calling it something else, removing it. */
import { Alert, Button, Group, Stack, Text, TextInput } from "@mantine/core";
import { IconFingerprint } from "@tabler/icons-react";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, take } from "../../api/client";
import { passkeysHere, passkeysQuery } from "../../api/passkeys";
import { keys } from "../../api/queries";
import type { Passkey } from "../../api/types";
import { ActDialog } from "../../parts/act-dialog";
import { Section } from "../../parts/page";
import { AddPasskey } from "../../parts/passkey";
import { Empty } from "../../parts/states";
import { type Column, DataTable } from "../../parts/table";
import { Time } from "../../parts/time";
import { words } from "../../words";

const said = words.passkeys;

type Act = { kind: "add" } | { kind: "rename" | "remove"; passkey: Passkey };

export function MyPasskeys() {
  const query = useQuery(passkeysQuery);
  const client = useQueryClient();
  const [act, setAct] = useState<Act | null>(null);
  const close = () => setAct(null);
  const settled = () => {
    close();
    void client.invalidateQueries({ queryKey: keys.me });
  };
  const columns: Column<Passkey>[] = [
    ...shown,
    {
      key: "acts",
      header: words.shell.actions,
      width: 190,
      render: (passkey) => (
        <Group gap={6} wrap="nowrap">
          <Button
            size="compact-sm"
            variant="default"
            aria-label={said.renameOne(passkey.name)}
            onClick={() => setAct({ kind: "rename", passkey })}
          >
            {said.rename}
          </Button>
          <Button
            size="compact-sm"
            variant="light"
            color="red"
            aria-label={said.removeOne(passkey.name)}
            onClick={() => setAct({ kind: "remove", passkey })}
          >
            {said.remove}
          </Button>
        </Group>
      ),
    },
  ];
  const here = passkeysHere();
  return (
    <Section
      title={said.title}
      text={said.text}
      flush
      action={
        <Button size="xs" disabled={!here} onClick={() => setAct({ kind: "add" })}>
          {said.add}
        </Button>
      }
    >
      <Stack gap={0}>
        {here ? null : (
          <Alert color="yellow" variant="light" title={said.unavailableTitle} m="md">
            {said.unavailableText}
          </Alert>
        )}
        <DataTable
          caption={said.caption}
          columns={columns}
          query={query}
          rowKey={(passkey) => passkey.id}
          empty={
            <Empty
              icon={<IconFingerprint size={22} stroke={1.6} />}
              title={said.emptyTitle}
              text={said.emptyText}
            />
          }
        />
      </Stack>
      {act?.kind === "add" ? <AddPasskey onClose={close} onDone={settled} /> : null}
      {act?.kind === "rename" ? <Rename passkey={act.passkey} onClose={close} /> : null}
      {act?.kind === "remove" ? <Remove passkey={act.passkey} onClose={close} /> : null}
    </Section>
  );
}

const shown: Column<Passkey>[] = [
  {
    key: "name",
    header: said.name,
    width: "30%",
    render: ({ name }) => (
      <Text inherit fw={550}>
        {name}
      </Text>
    ),
  },
  {
    key: "kept",
    header: said.kept,
    wideOnly: true,
    render: ({ synced }) => (synced ? said.synced : said.bound),
  },
  {
    key: "since",
    header: said.since,
    wideOnly: true,
    render: ({ created_at }) => <Time value={created_at} form="date" />,
  },
  {
    key: "used",
    header: said.used,
    render: ({ last_used_at }) =>
      last_used_at ? <Time value={last_used_at} form="relative" /> : said.never,
  },
];

interface ActProps {
  passkey: Passkey;
  onClose: () => void;
}

const at = (passkey: Passkey) => ({ params: { path: { passkey_id: passkey.id } } });

function Rename({ passkey, onClose }: ActProps) {
  const [name, setName] = useState(passkey.name);
  const [fault, setFault] = useState<string | null>(null);
  const check = () => {
    setFault(name.trim() ? null : said.nameRequired);
    return name.trim() !== "";
  };
  return (
    <ActDialog
      text={{
        title: said.renameOne(passkey.name),
        effects: [],
        action: said.rename,
        done: said.renamed,
      }}
      run={() =>
        take(
          api.PATCH("/v1/me/passkeys/{passkey_id}", {
            ...at(passkey),
            body: { name: name.trim() },
          }),
        )
      }
      refresh={[keys.me]}
      check={check}
      harmless
      onClose={onClose}
    >
      <TextInput
        label={said.name}
        required
        maxLength={64}
        value={name}
        onChange={(event) => setName(event.currentTarget.value)}
        error={fault}
        data-autofocus
      />
    </ActDialog>
  );
}

function Remove({ passkey, onClose }: ActProps) {
  return (
    <ActDialog
      text={{
        title: said.removeTitle(passkey.name),
        effects: said.removeEffects,
        action: said.remove,
        done: said.removed,
      }}
      run={() => take(api.DELETE("/v1/me/passkeys/{passkey_id}", at(passkey)))}
      refresh={[keys.me]}
      onClose={onClose}
    />
  );
}
