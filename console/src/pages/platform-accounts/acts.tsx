/** What a platform admin can do with an account, and why not when they can't. */
import { Alert, List, Text, TextInput } from "@mantine/core";
import {
  IconBuilding,
  IconClockPlay,
  IconClockPlus,
  IconEraser,
  IconLock,
  IconLockOpen,
  IconLogout,
  IconShieldOff,
} from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { api, take } from "../../api/client";
import { Problem } from "../../api/problem";
import { keys, organizationsQuery } from "../../api/queries";
import type { PlatformAccount } from "../../api/types";
import { AccountState, LockedUntil } from "../../parts/account-state";
import { ActDialog } from "../../parts/act-dialog";
import { CopyId, Details, Field, Fields } from "../../parts/details";
import { GuardedButton, GuardedItem, RowMenu, useMe, useWhyNot } from "../../parts/permissions";
import { Time } from "../../parts/time";
import { words } from "../../words";
import { ManagerDialog } from "./manager";
import { AccountSessions } from "./sessions";

const said = words.platform.accounts;

export interface Act {
  kind: "block" | "unblock" | "unlock" | "factors" | "grace" | "sessions" | "manager" | "erase";
  account: PlatformAccount;
}

/** What to call whoever the account is of. */
export function nameOf({ name }: PlatformAccount): string {
  return name ?? said.erasedPerson;
}

function useReasons(account: PlatformAccount) {
  const me = useMe();
  const block = useWhyNot("accounts_block");
  const unblock = useWhyNot("accounts_unblock");
  const sessions = useWhyNot("accounts_sessions_end");
  const unlock = useWhyNot("accounts_unlock");
  const manager = useWhyNot("accounts_manager_update");
  const factors = useWhyNot("accounts_second_factors_disable");
  const grace = useWhyNot("accounts_second_factors_grace_reset");
  const erase = useWhyNot("accounts_erase");
  const own = account.id === me.account.id;
  if (account.state === "erased") {
    const gone = said.erasedNot;
    return {
      block: gone,
      unblock: gone,
      unlock: gone,
      factors: gone,
      grace: gone,
      sessions: gone,
      manager: gone,
      erase: gone,
    };
  }
  return {
    block: block ?? (own ? said.ownBlock : null),
    unblock,
    unlock: unlock ?? (account.locked_until ? null : said.unlockNot),
    factors,
    grace,
    sessions,
    manager,
    erase: erase ?? (own ? said.ownErase : null),
  };
}

interface AccountMenuProps {
  account: PlatformAccount;
  onAct: (act: Act) => void;
}

export function AccountMenu({ account, onAct }: AccountMenuProps) {
  const reasons = useReasons(account);
  return (
    <RowMenu name={nameOf(account)}>
      {account.state !== "blocked" ? (
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
        reason={reasons.factors}
        color="red"
        leftSection={<IconShieldOff size={16} aria-hidden="true" />}
        onClick={() => onAct({ kind: "factors", account })}
      >
        {words.secondFactor.disable}
      </GuardedItem>
      <GuardedItem
        reason={reasons.grace}
        leftSection={<IconClockPlus size={16} aria-hidden="true" />}
        onClick={() => onAct({ kind: "grace", account })}
      >
        {words.secondFactor.resetGrace}
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
      <GuardedItem
        reason={reasons.erase}
        color="red"
        leftSection={<IconEraser size={16} aria-hidden="true" />}
        onClick={() => onAct({ kind: "erase", account })}
      >
        {said.erase}
      </GuardedItem>
    </RowMenu>
  );
}

interface AccountDetailsProps {
  account: PlatformAccount | undefined;
  opened: boolean;
  onClose: () => void;
  onAct: (act: Act) => void;
}

export function AccountDetails({ account, opened, onClose, onAct }: AccountDetailsProps) {
  return (
    <Details
      opened={opened}
      onClose={onClose}
      title={account ? nameOf(account) : words.common.details}
      actions={account ? <Buttons account={account} onAct={onAct} /> : null}
    >
      {account ? (
        <>
          <Fields>
            {account.email ? <Field name={said.email}>{account.email}</Field> : null}
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
            {account.erased_at ? (
              <Field name={said.erasedAt}>
                <Time value={account.erased_at} />
              </Field>
            ) : (
              <Field name={said.lastSignIn}>
                <Time value={account.last_sign_in_at} absent={words.common.never} />
              </Field>
            )}
            <Field name={said.id}>
              <CopyId value={account.id} label={said.id} />
            </Field>
          </Fields>
          {account.state === "erased" ? null : <AccountSessions account={account} onAct={onAct} />}
        </>
      ) : (
        <Text c="dimmed">{words.problems.notFoundText}</Text>
      )}
    </Details>
  );
}

function Buttons({ account, onAct }: AccountMenuProps) {
  const reasons = useReasons(account);
  const active = account.state === "active";
  if (account.state === "erased") return null;
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
      <GuardedButton
        size="xs"
        variant="light"
        color="red"
        reason={reasons.erase}
        onClick={() => onAct({ kind: "erase", account })}
      >
        {said.erase}
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
  factors: words.secondFactor.disable,
  grace: words.secondFactor.resetGrace,
  sessions: said.endSessions,
  erase: said.eraseAction,
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
    case "factors":
      return take(api.DELETE("/v1/accounts/{account_id}/second-factors", { params }));
    case "grace":
      return take(api.POST("/v1/accounts/{account_id}/second-factors/grace", { params }));
    case "sessions":
      return take(api.DELETE("/v1/accounts/{account_id}/sessions", { params }));
    case "erase":
      return take(api.POST("/v1/accounts/{account_id}/erase", { params }));
  }
}

function Dialog({ act, onClose }: { act: Confirmed; onClose: () => void }) {
  const [reason, setReason] = useState("");
  const [missing, setMissing] = useState(false);
  const name = nameOf(act.account);
  const text = { ...said.acts[act.kind](name, act.account.email ?? ""), action: labels[act.kind] };
  const check = () => {
    const needed = act.kind === "block" && !reason.trim();
    setMissing(needed);
    return !needed;
  };
  return (
    <ActDialog
      onClose={onClose}
      text={text}
      run={() => send(act, reason.trim())}
      refresh={[keys.accounts]}
      check={check}
      harmless={["unblock", "unlock", "grace"].includes(act.kind)}
      typed={act.kind === "erase" ? act.account.email : undefined}
    >
      {(error) => (
        <>
          <Alone error={error} />
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
        </>
      )}
    </ActDialog>
  );
}

/** The organisations that would be without an owner. */
function Alone({ error }: { error: unknown }) {
  const ids = error instanceof Problem ? error.organizations : [];
  const query = useQuery({ ...organizationsQuery({ limit: 200 }), enabled: ids.length > 0 });
  if (ids.length === 0) return null;
  const name = (id: string) => query.data?.items.find((item) => item.id === id)?.name ?? id;
  return (
    <Alert color="red" variant="light" title={said.eraseAlone}>
      <List size="sm">
        {ids.map((id) => (
          <List.Item key={id}>{name(id)}</List.Item>
        ))}
      </List>
    </Alert>
  );
}
