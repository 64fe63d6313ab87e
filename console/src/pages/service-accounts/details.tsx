/** A service account's drawer: what it may, its keys, and what can be done with it. */
import { Group, Stack, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { serviceAccountQuery } from "../../api/service-accounts";
import type { ServiceAccount } from "../../api/types";
import { RoleBadge } from "../../parts/badges";
import { CopyId, Details, Field, Fields } from "../../parts/details";
import { useOpen } from "../../parts/filters";
import { GuardedButton, useOrganization } from "../../parts/permissions";
import { Failed, Loading } from "../../parts/states";
import { Time } from "../../parts/time";
import { words } from "../../words";
import type { Act } from "./dialogs";
import { Keys } from "./keys";
import { useReasons } from "./menu";
import { StateOf } from "./page";

const said = words.serviceAccounts;

interface DetailsProps {
  id: string | undefined;
  onAct: (act: Act) => void;
}

export function ServiceAccountDetails({ id, onAct }: DetailsProps) {
  const organization = useOrganization();
  const open = useOpen();
  const query = useQuery({
    ...serviceAccountQuery(organization.id, id ?? ""),
    enabled: id !== undefined,
  });
  const account = query.data;
  return (
    <Details
      opened={id !== undefined}
      onClose={() => open({ open: undefined })}
      title={account?.name ?? words.common.details}
      size={560}
    >
      {query.isPending ? <Loading /> : null}
      {query.isError ? <Failed error={query.error} retry={() => void query.refetch()} /> : null}
      {account ? (
        <Stack gap="lg">
          <AccountFields account={account} />
          <Group gap="xs">
            <Acts account={account} onAct={onAct} />
          </Group>
          <Keys account={account} onAct={onAct} />
        </Stack>
      ) : null}
    </Details>
  );
}

function AccountFields({ account }: { account: ServiceAccount }) {
  return (
    <Fields>
      <Field name={said.state}>
        <StateOf state={account.state} />
      </Field>
      <Field name={said.role}>
        <div>
          <RoleBadge role={account.role} />
          <Text size="xs" c="dimmed" mt={2}>
            {words.roles.short[account.role]}
          </Text>
        </div>
      </Field>
      <Field name={said.description}>
        {account.description ?? <Text c="dimmed">{said.noDescription}</Text>}
      </Field>
      <Field name={said.created}>
        <Time value={account.created_at} />
      </Field>
      <Field name={said.id}>
        <CopyId value={account.id} label={said.id} />
      </Field>
    </Fields>
  );
}

function Acts({ account, onAct }: { account: ServiceAccount; onAct: (act: Act) => void }) {
  const reasons = useReasons(account);
  const turn = account.state === "active" ? "disable" : "enable";
  return (
    <>
      <GuardedButton
        size="xs"
        variant="default"
        reason={reasons.edit}
        onClick={() => onAct({ kind: "edit", account })}
      >
        {said.edit}
      </GuardedButton>
      <GuardedButton
        size="xs"
        variant="default"
        reason={reasons[turn]}
        onClick={() => onAct({ kind: turn, account })}
      >
        {said[turn]}
      </GuardedButton>
      <GuardedButton
        size="xs"
        variant="light"
        color="red"
        reason={reasons.delete}
        onClick={() => onAct({ kind: "delete", account })}
      >
        {said.delete}
      </GuardedButton>
    </>
  );
}
