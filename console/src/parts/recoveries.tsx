/** People who have lost their second factor and wait for an administrator. It is not there when nobody does. */
import { Group, Text, TextInput } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, take } from "../api/client";
import { recoveriesQuery } from "../api/recovery";
import type { WaitingRecovery } from "../api/types";
import { words } from "../words";
import { Confirm } from "./confirm";
import { tell } from "./notify";
import { Section } from "./page";
import { GuardedButton, useMe, useWhyNot } from "./permissions";
import { Failed } from "./states";
import { type Column, DataTable } from "./table";
import { Time } from "./time";

const said = words.recovery;

type Kind = "approve" | "refuse";

interface Act {
  kind: Kind;
  waiting: WaitingRecovery;
}

/** Those of an organisation's members, or of everybody. */
export function Recoveries({ organization }: { organization: string | null }) {
  const forbidden = useWhyNot(organization ? "organization_recoveries_list" : "recoveries_list");
  const query = useQuery({ ...recoveriesQuery(organization), enabled: !forbidden });
  const [act, setAct] = useState<Act | null>(null);
  if (forbidden || query.isPending) return null;
  if (query.isError) {
    return (
      <Section title={said.waitingList}>
        <Failed error={query.error} retry={() => void query.refetch()} />
      </Section>
    );
  }
  const number = query.data.items.length;
  return (
    <>
      {number === 0 ? null : (
        <Section
          title={said.waitingList}
          text={said.waitingListText}
          action={<Text fw={550}>{said.count(number)}</Text>}
          flush
        >
          <DataTable
            caption={said.waitingList}
            columns={columns(organization, setAct)}
            query={query}
            rowKey={({ id }) => id}
            empty={null}
          />
        </Section>
      )}
      {act ? <Decide act={act} organization={organization} onClose={() => setAct(null)} /> : null}
    </>
  );
}

function columns(
  organization: string | null,
  onAct: (act: Act) => void,
): Column<WaitingRecovery>[] {
  return [
    {
      key: "person",
      header: said.person,
      render: ({ name, email }) => (
        <>
          <Text fw={550}>{name}</Text>
          <Text size="sm" c="dimmed">
            {email}
          </Text>
        </>
      ),
    },
    {
      key: "asked",
      header: said.asked,
      render: ({ requested_at }) => <Time value={requested_at} />,
      wideOnly: true,
    },
    { key: "waits", header: said.waits, render: ({ expires_at }) => <Time value={expires_at} /> },
    {
      key: "acts",
      header: said.acts,
      render: (waiting) => <Acts waiting={waiting} organization={organization} onAct={onAct} />,
    },
  ];
}

interface ActsProps {
  waiting: WaitingRecovery;
  organization: string | null;
  onAct: (act: Act) => void;
}

function Acts({ waiting, organization, onAct }: ActsProps) {
  const { account } = useMe();
  const approveNot = useWhyNot(
    organization ? "organization_recoveries_approve" : "recoveries_approve",
  );
  const refuseNot = useWhyNot(
    organization ? "organization_recoveries_refuse" : "recoveries_refuse",
  );
  const own = waiting.account_id === account.id ? said.ownNot : null;
  return (
    <Group gap="xs">
      <GuardedButton
        size="xs"
        variant="default"
        reason={approveNot ?? own}
        onClick={() => onAct({ kind: "approve", waiting })}
      >
        {said.approve}
      </GuardedButton>
      <GuardedButton
        size="xs"
        variant="light"
        color="red"
        reason={refuseNot ?? own}
        onClick={() => onAct({ kind: "refuse", waiting })}
      >
        {said.refuse}
      </GuardedButton>
    </Group>
  );
}

const inside = "/v1/organizations/{organization_id}/recoveries/{recovery_id}" as const;
const anywhere = "/v1/recoveries/{recovery_id}" as const;

function send({ kind, waiting }: Act, organization: string | null, reason: string) {
  const body = { reason };
  const recovery_id = waiting.id;
  if (organization) {
    const params = { path: { organization_id: organization, recovery_id } };
    return kind === "approve"
      ? take(api.POST(`${inside}/approve`, { params, body }))
      : take(api.POST(`${inside}/refuse`, { params, body }));
  }
  const params = { path: { recovery_id } };
  return kind === "approve"
    ? take(api.POST(`${anywhere}/approve`, { params, body }))
    : take(api.POST(`${anywhere}/refuse`, { params, body }));
}

interface DecideProps {
  act: Act;
  organization: string | null;
  onClose: () => void;
}

function Decide({ act, organization, onClose }: DecideProps) {
  const client = useQueryClient();
  const [reason, setReason] = useState("");
  const [missing, setMissing] = useState(false);
  const { name } = act.waiting;
  const approving = act.kind === "approve";
  const run = useMutation({
    mutationFn: () => send(act, organization, reason.trim()),
    onSuccess: () => {
      tell(approving ? said.approved(name) : said.refused(name));
      onClose();
    },
    onSettled: () => client.invalidateQueries({ queryKey: ["recoveries"] }),
  });
  const confirm = () => {
    setMissing(!reason.trim());
    if (reason.trim()) run.mutate();
  };
  return (
    <Confirm
      opened
      onClose={onClose}
      title={approving ? said.approveTitle(name) : said.refuseTitle(name)}
      effects={approving ? said.approveEffects(name) : said.refuseEffects(name)}
      action={approving ? said.approve : said.refuse}
      onConfirm={confirm}
      busy={run.isPending}
      error={run.error}
    >
      <TextInput
        label={said.reason}
        description={approving ? said.approveHint : said.refuseHint}
        value={reason}
        onChange={(event) => setReason(event.currentTarget.value)}
        error={missing ? said.reasonMissing : null}
        maxLength={500}
        required
        data-autofocus
      />
    </Confirm>
  );
}
