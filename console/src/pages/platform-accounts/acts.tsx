/** What a platform admin can do with an account, and why not when they can't. */
import { Text, TextInput } from "@mantine/core";
import {
  IconBuilding,
  IconClockPlay,
  IconLock,
  IconLockOpen,
  IconLogout,
} from "@tabler/icons-react";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, take } from "../../api/client";
import { keys } from "../../api/queries";
import type { Account } from "../../api/types";
import { AccountState, LockedUntil } from "../../parts/account-state";
import { Confirm } from "../../parts/confirm";
import { CopyId, Details, Field, Fields } from "../../parts/details";
import { tell } from "../../parts/notify";
import { GuardedButton, GuardedItem, RowMenu, useMe, useWhyNot } from "../../parts/permissions";
import { Time } from "../../parts/time";
import { words } from "../../words";
import { ManagerDialog } from "./manager";

const said = words.platform.accounts;

export interface Act {
  kind: "block" | "unblock" | "unlock" | "sessions" | "manager";
  account: Account;
}

function useReasons(account: Account) {
  const me = useMe();
  const block = useWhyNot("accounts_block");
  const unblock = useWhyNot("accounts_unblock");
  const sessions = useWhyNot("accounts_sessions_end");
  const unlock = useWhyNot("accounts_unlock");
  const manager = useWhyNot("accounts_manager_update");
  const own = account.id === me.account.id ? said.ownBlock : null;
  const free = account.locked_until ? null : said.unlockNot;
  return { block: block ?? own, unblock, unlock: unlock ?? free, sessions, manager };
}

interface AccountMenuProps {
  account: Account;
  onAct: (act: Act) => void;
}

export function AccountMenu({ account, onAct }: AccountMenuProps) {
  const reasons = useReasons(account);
  return (
    <RowMenu name={account.name}>
      {account.state === "active" ? (
        <GuardedItem
          reason={reasons.block}
          color="red"
          leftSection={<IconLock size={16} aria-hidden="true" />}
          onClick={() => onAct({ kind: "block", account })}
        >
          {said.block}
        </GuardedItem>
      ) : (
        <GuardedItem
          reason={reasons.unblock}
          leftSection={<IconLockOpen size={16} aria-hidden="true" />}
          onClick={() => onAct({ kind: "unblock", account })}
        >
          {said.unblock}
        </GuardedItem>
      )}
      <GuardedItem
        reason={reasons.unlock}
        leftSection={<IconClockPlay size={16} aria-hidden="true" />}
        onClick={() => onAct({ kind: "unlock", account })}
      >
        {said.unlock}
      </GuardedItem>
      <GuardedItem
        reason={reasons.manager}
        leftSection={<IconBuilding size={16} aria-hidden="true" />}
        onClick={() => onAct({ kind: "manager", account })}
      >
        {said.changeManager}
      </GuardedItem>
      <GuardedItem
        reason={reasons.sessions}
        leftSection={<IconLogout size={16} aria-hidden="true" />}
        onClick={() => onAct({ kind: "sessions", account })}
      >
        {said.endSessions}
      </GuardedItem>
    </RowMenu>
  );
}

interface AccountDetailsProps {
  account: Account | undefined;
  opened: boolean;
  onClose: () => void;
  onAct: (act: Act) => void;
}

export function AccountDetails({ account, opened, onClose, onAct }: AccountDetailsProps) {
  return (
    <Details
      opened={opened}
      onClose={onClose}
      title={account?.name ?? words.common.details}
      actions={account ? <Buttons account={account} onAct={onAct} /> : null}
    >
      {account ? (
        <Fields>
          <Field name={said.email}>{account.email}</Field>
          <Field name={said.state}>
            <AccountState state={account.state} lockedUntil={account.locked_until} />
          </Field>
          <Field name={said.lock}>
            <LockedUntil until={account.locked_until} />
          </Field>
          <Field name={said.manager}>{account.manager?.name ?? said.noManager}</Field>
          <Field name={said.since}>
            <Time value={account.created_at} />
          </Field>
          <Field name={said.lastSignIn}>
            <Time value={account.last_sign_in_at} absent={words.common.never} />
          </Field>
          <Field name={said.id}>
            <CopyId value={account.id} label={said.id} />
          </Field>
        </Fields>
      ) : (
        <Text c="dimmed">{words.problems.notFoundText}</Text>
      )}
    </Details>
  );
}

function Buttons({ account, onAct }: AccountMenuProps) {
  const reasons = useReasons(account);
  const active = account.state === "active";
  return (
    <>
      <GuardedButton
        size="xs"
        variant={active ? "light" : "default"}
        color={active ? "red" : undefined}
        reason={active ? reasons.block : reasons.unblock}
        onClick={() => onAct({ kind: active ? "block" : "unblock", account })}
      >
        {active ? said.block : said.unblock}
      </GuardedButton>
      <GuardedButton
        size="xs"
        variant="default"
        reason={reasons.unlock}
        onClick={() => onAct({ kind: "unlock", account })}
      >
        {said.unlock}
      </GuardedButton>
      <GuardedButton
        size="xs"
        variant="default"
        reason={reasons.manager}
        onClick={() => onAct({ kind: "manager", account })}
      >
        {said.changeManager}
      </GuardedButton>
      <GuardedButton
        size="xs"
        variant="default"
        reason={reasons.sessions}
        onClick={() => onAct({ kind: "sessions", account })}
      >
        {said.endSessions}
      </GuardedButton>
    </>
  );
}

interface DialogsProps {
  act: Act | null;
  onClose: () => void;
}

export function AccountDialogs({ act, onClose }: DialogsProps) {
  if (!act) return null;
  if (!isConfirmed(act)) return <ManagerDialog account={act.account} onClose={onClose} />;
  return <Dialog key={`${act.kind} ${act.account.id}`} act={act} onClose={onClose} />;
}

type Confirmed = Act & { kind: Exclude<Act["kind"], "manager"> };

function isConfirmed(act: Act): act is Confirmed {
  return act.kind !== "manager";
}

const labels: Record<Confirmed["kind"], string> = {
  block: said.block,
  unblock: said.unblock,
  unlock: said.unlock,
  sessions: said.endSessions,
};

function send({ kind, account }: Confirmed, reason: string): Promise<unknown> {
  const params = { path: { account_id: account.id } };
  switch (kind) {
    case "block":
      return take(api.POST("/v1/accounts/{account_id}/block", { params, body: { reason } }));
    case "unblock":
      return take(api.POST("/v1/accounts/{account_id}/unblock", { params }));
    case "unlock":
      return take(api.POST("/v1/accounts/{account_id}/unlock", { params }));
    case "sessions":
      return take(api.DELETE("/v1/accounts/{account_id}/sessions", { params }));
  }
}

function Dialog({ act, onClose }: { act: Confirmed; onClose: () => void }) {
  const client = useQueryClient();
  const [reason, setReason] = useState("");
  const [missing, setMissing] = useState(false);
  const text = said.acts[act.kind](act.account.name, act.account.email);
  const run = useMutation({
    mutationFn: () => send(act, reason.trim()),
    onSuccess: () => {
      tell(text.done);
      onClose();
    },
    onSettled: () => client.invalidateQueries({ queryKey: keys.accounts }),
  });
  const confirm = () => {
    const needed = act.kind === "block" && !reason.trim();
    setMissing(needed);
    if (!needed) run.mutate();
  };
  return (
    <Confirm
      opened
      onClose={onClose}
      title={text.title}
      effects={text.effects}
      action={labels[act.kind]}
      onConfirm={confirm}
      busy={run.isPending}
      error={run.error}
      harmless={act.kind === "unblock" || act.kind === "unlock"}
    >
      {act.kind === "block" ? (
        <TextInput
          label={said.reason}
          description={said.reasonHint}
          value={reason}
          onChange={(event) => setReason(event.currentTarget.value)}
          error={missing ? said.reasonMissing : null}
          maxLength={500}
          required
          data-autofocus
        />
      ) : null}
    </Confirm>
  );
}
