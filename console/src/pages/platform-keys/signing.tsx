/** The keys that sign access tokens: which there are, and making the next one before its time. */
import { Radio, Stack, Text, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { api, take } from "../../api/client";
import { signingKeysKey, signingKeysQuery } from "../../api/sessions";
import type { SigningKey } from "../../api/types";
import { ActDialog } from "../../parts/act-dialog";
import { Status, type Tone } from "../../parts/badges";
import { Section } from "../../parts/page";
import { GuardedButton, useWhyNot } from "../../parts/permissions";
import { type Column, DataTable } from "../../parts/table";
import { Time } from "../../parts/time";
import { words } from "../../words";

const said = words.signingKeys;

const tones: Record<SigningKey["state"], Tone> = {
  pending: "busy",
  active: "good",
  retiring: "warn",
  retired: "quiet",
};

export function SigningKeys() {
  const query = useQuery({ ...signingKeysQuery, select: (items) => ({ items }) });
  const policy = useWhyNot("signing_keys_rotate");
  const [asking, setAsking] = useState(false);
  const waits = query.data?.items.some(({ state }) => state === "pending") ?? false;
  return (
    <Section
      title={said.title}
      text={said.text}
      flush
      action={
        <GuardedButton variant="default" size="xs" reason={policy} onClick={() => setAsking(true)}>
          {said.rotate}
        </GuardedButton>
      }
    >
      <DataTable
        caption={said.caption}
        columns={columns}
        query={query}
        rowKey={({ id }) => id}
        empty={null}
      />
      {asking ? <RotateDialog waits={waits} onClose={() => setAsking(false)} /> : null}
    </Section>
  );
}

const columns: Column<SigningKey>[] = [
  {
    key: "key",
    header: said.key,
    width: "34%",
    render: ({ id }) => (
      <Text span ff="monospace" fz="xs" style={{ overflowWrap: "anywhere" }}>
        {id}
      </Text>
    ),
  },
  { key: "algorithm", header: said.algorithm, render: ({ algorithm }) => algorithm },
  {
    key: "state",
    header: said.state,
    render: ({ state, distrusted_at }) =>
      distrusted_at ? (
        <Status tone="bad">{said.distrusted}</Status>
      ) : (
        <Status tone={tones[state]}>{said.states[state]}</Status>
      ),
  },
  {
    key: "created",
    header: said.created,
    wideOnly: true,
    render: ({ created_at }) => <Time value={created_at} form="relative" />,
  },
  { key: "when", header: said.when, render: (key) => <Moment of={key} /> },
];

/** The next moment in the life of a key, or the last. */
function moment(key: SigningKey): [string, string | undefined] {
  if (key.distrusted_at) return [said.distrustedSince, key.distrusted_at];
  switch (key.state) {
    case "pending":
      return [said.signsFrom, key.signs_from];
    case "active":
      return [said.signsUntil, key.signs_until];
    case "retiring":
      return [said.publishedUntil, key.published_until];
    case "retired":
      return [said.goneSince, key.published_until];
  }
}

function Moment({ of }: { of: SigningKey }) {
  const [what, when] = moment(of);
  return (
    <span>
      {what} <Time value={when} />
    </span>
  );
}

type Previous = "keep" | "distrust";

function RotateDialog({ waits, onClose }: { waits: boolean; onClose: () => void }) {
  const [previous, setPrevious] = useState<Previous>(waits ? "distrust" : "keep");
  const [reason, setReason] = useState("");
  const distrusts = previous === "distrust";
  const body = { previous, reason: reason.trim() || undefined };
  return (
    <ActDialog
      onClose={onClose}
      text={{
        title: said.rotateTitle,
        effects: said.effects[previous],
        action: said.action[previous],
        done: said.done[previous],
      }}
      run={() => take(api.POST("/v1/signing-keys/rotate", { body }))}
      refresh={[signingKeysKey]}
      typed={distrusts ? said.typed : undefined}
      harmless={!distrusts}
    >
      <Stack gap="md">
        <Radio.Group
          label={said.what}
          value={previous}
          onChange={(value) => setPrevious(value === "distrust" ? "distrust" : "keep")}
        >
          <Stack gap="xs" mt={6}>
            <Radio
              value="keep"
              label={said.keep}
              description={waits ? said.waiting : said.keepText}
              disabled={waits}
            />
            <Radio value="distrust" label={said.distrust} description={said.distrustText} />
          </Stack>
        </Radio.Group>
        <TextInput
          label={said.reason}
          description={said.reasonHint}
          value={reason}
          onChange={(event) => setReason(event.currentTarget.value)}
          maxLength={500}
        />
      </Stack>
    </ActDialog>
  );
}
