/** What an organisation can do with an account that it manages, and why not when it can't. */
import { Text, TextInput } from "@mantine/core";
import {
  IconClockPlay,
  IconClockPlus,
  IconLock,
  IconLockOpen,
  IconLogout,
  IconShieldOff,
} from "@tabler/icons-react";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { api, take } from "../../api/client";
import { keys } from "../../api/queries";
import type { ManagedAccount } from "../../api/types";
import { AccountState, LockedUntil } from "../../parts/account-state";
import { RoleBadge } from "../../parts/badges";
import { Confirm } from "../../parts/confirm";
import { CopyId, Details, Field, Fields } from "../../parts/details";
import { tell } from "../../parts/notify";
import {
  GuardedButton,
  GuardedItem,
  RowMenu,
  useMe,
  useOrganization,
  whyNot,
} from "../../parts/permissions";
import { covers, useRoles } from "../../parts/role-select";
import { Time } from "../../parts/time";
import { words } from "../../words";

const said = words.managedAccounts;
const accounts = words.platform.accounts;

type Kind = "unlock" | "block" | "unblock" | "factors" | "grace" | "sessions";

export interface Act {
  kind: Kind;
  account: ManagedAccount;
}

/** Why each act on this account is off; null when it is on. */
function useReasons(account: ManagedAccount): Record<Kind, string | null> {
  const me = useMe();
  const roles = useRoles();
  const own = account.id === me.account.id;
  const within = account.effective_roles.every((role) => covers(roles, me, role));
  const above = !own && roles.length > 0 && !within ? words.members.personAbove : null;
  const elsewhere = account.blocked_by === "platform" ? said.blockedElsewhere : null;
  return {
    unlock:
      whyNot(me, "managed_accounts_unlock") ??
      above ??
      (account.locked_until ? null : accounts.unlockNot),
    block: whyNot(me, "managed_accounts_block") ?? above ?? (own ? accounts.ownBlock : null),
    unblock: whyNot(me, "managed_accounts_unblock") ?? above ?? elsewhere,
    factors: whyNot(me, "managed_accounts_second_factors_disable") ?? above,
    grace: whyNot(me, "managed_accounts_second_factors_grace_reset") ?? above,
    sessions: whyNot(me, "managed_accounts_sessions_end") ?? above,
  };
}

const icons: Record<Kind, ReactNode> = {
  unlock: <IconClockPlay size={16} aria-hidden="true" />,
  block: <IconLock size={16} aria-hidden="true" />,
  unblock: <IconLockOpen size={16} aria-hidden="true" />,
  factors: <IconShieldOff size={16} aria-hidden="true" />,
  grace: <IconClockPlus size={16} aria-hidden="true" />,
  sessions: <IconLogout size={16} aria-hidden="true" />,
};

const labels: Record<Kind, string> = {
  unlock: accounts.unlock,
  block: accounts.block,
  unblock: accounts.unblock,
  factors: words.secondFactor.disable,
  grace: words.secondFactor.resetGrace,
  sessions: accounts.endSessions,
};

function kindsOf({ state }: ManagedAccount): Kind[] {
  return ["unlock", state === "active" ? "block" : "unblock", "factors", "grace", "sessions"];
}

interface ActingProps {
  account: ManagedAccount;
  onAct: (act: Act) => void;
}

export function ManagedMenu({ account, onAct }: ActingProps) {
  const reasons = useReasons(account);
  return (
    <RowMenu name={account.name}>
      {kindsOf(account).map((kind) => (
        <GuardedItem
          key={kind}
          reason={reasons[kind]}
          color={kind === "block" ? "red" : undefined}
          leftSection={icons[kind]}
          onClick={() => onAct({ kind, account })}
        >
          {labels[kind]}
        </GuardedItem>
      ))}
    </RowMenu>
  );
}

function Buttons({ account, onAct }: ActingProps) {
  const reasons = useReasons(account);
  return (
    <>
      {kindsOf(account).map((kind) => (
        <GuardedButton
          key={kind}
          size="xs"
          variant={kind === "block" ? "light" : "default"}
          color={kind === "block" ? "red" : undefined}
          reason={reasons[kind]}
          onClick={() => onAct({ kind, account })}
        >
          {labels[kind]}
        </GuardedButton>
      ))}
    </>
  );
}

interface ManagedDetailsProps {
  account: ManagedAccount | undefined;
  opened: boolean;
  onClose: () => void;
  onAct: (act: Act) => void;
}

export function ManagedDetails({ account, opened, onClose, onAct }: ManagedDetailsProps) {
  return (
    <Details
      opened={opened}
      onClose={onClose}
      title={account?.name ?? words.common.details}
      actions={account ? <Buttons account={account} onAct={onAct} /> : null}
    >
      {account ? (
        <Fields>
          <Field name={accounts.email}>{account.email}</Field>
          <Field name={said.role}>
            {account.effective_roles[0] ? (
              <RoleBadge role={account.effective_roles[0]} />
            ) : (
              said.noMember
            )}
          </Field>
          <Field name={accounts.state}>
            <AccountState state={account.state} lockedUntil={account.locked_until} />
          </Field>
          {account.blocked_by ? (
            <Field name={said.blockedBy}>{said.blockers[account.blocked_by]}</Field>
          ) : null}
          <Field name={accounts.lock}>
            <LockedUntil until={account.locked_until} />
          </Field>
          <Field name={accounts.since}>
            <Time value={account.created_at} />
          </Field>
          <Field name={accounts.lastSignIn}>
            <Time value={account.last_sign_in_at} absent={words.common.never} />
          </Field>
          <Field name={accounts.id}>
            <CopyId value={account.id} label={accounts.id} />
          </Field>
        </Fields>
      ) : (
        <Text c="dimmed">{words.problems.notFoundText}</Text>
      )}
    </Details>
  );
}

interface DialogsProps {
  act: Act | null;
  onClose: () => void;
}

export function ManagedDialogs({ act, onClose }: DialogsProps) {
  if (!act) return null;
  return <Dialog key={`${act.kind} ${act.account.id}`} act={act} onClose={onClose} />;
}

const path = "/v1/organizations/{organization_id}/managed-accounts/{account_id}" as const;

function send({ kind, account }: Act, organization_id: string, reason: string): Promise<unknown> {
  const params = { path: { organization_id, account_id: account.id } };
  switch (kind) {
    case "unlock":
      return take(api.POST(`${path}/unlock`, { params }));
    case "block":
      return take(api.POST(`${path}/block`, { params, body: { reason } }));
    case "unblock":
      return take(api.POST(`${path}/unblock`, { params }));
    case "factors":
      return take(api.DELETE(`${path}/second-factors`, { params }));
    case "grace":
      return take(api.POST(`${path}/second-factors/grace`, { params }));
    case "sessions":
      return take(api.DELETE(`${path}/sessions`, { params }));
  }
}

function Dialog({ act, onClose }: { act: Act; onClose: () => void }) {
  const client = useQueryClient();
  const organization = useOrganization();
  const [reason, setReason] = useState("");
  const [missing, setMissing] = useState(false);
  const { name, email } = act.account;
  const text = accounts.acts[act.kind](name, email);
  const run = useMutation({
    mutationFn: () => send(act, organization.id, reason.trim()),
    onSuccess: () => {
      tell(text.done);
      onClose();
    },
    onSettled: () => client.invalidateQueries({ queryKey: keys.managedAccounts(organization.id) }),
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
      harmless={["unblock", "unlock", "grace"].includes(act.kind)}
    >
      {act.kind === "block" ? (
        <TextInput
          label={accounts.reason}
          description={accounts.reasonHint}
          value={reason}
          onChange={(event) => setReason(event.currentTarget.value)}
          error={missing ? accounts.reasonMissing : null}
          maxLength={500}
          required
          data-autofocus
        />
      ) : null}
    </Confirm>
  );
}
