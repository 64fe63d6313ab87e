/** Changing, blocking and removing a member: each says what will happen before it does. */
import { Stack, Text } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { api, ifMatch, take } from "../../api/client";
import { Problem } from "../../api/problem";
import { keys } from "../../api/queries";
import type { Member, Organization } from "../../api/types";
import { Confirm } from "../../parts/confirm";
import { tell, tellStale } from "../../parts/notify";
import { roleName, useOrganization } from "../../parts/permissions";
import { RoleSelect } from "../../parts/role-select";
import { useEnter } from "../../parts/session";
import { words } from "../../words";

const said = words.members;

export interface Act {
  kind: "role" | "block" | "unblock" | "remove" | "leave";
  member: Member;
}

interface DialogsProps {
  act: Act | null;
  onClose: () => void;
}

export function MemberDialogs({ act, onClose }: DialogsProps) {
  if (!act) return null;
  const key = `${act.kind} ${act.member.id}`;
  if (act.kind === "role") return <RoleDialog key={key} member={act.member} onClose={onClose} />;
  return <ActDialog key={key} act={act} onClose={onClose} />;
}

interface Change {
  body: { role: string } | { status: Member["status"] };
  /** What to say when it is done. */
  done: string;
}

/** An update that fails when someone else changed the member since it was read. */
function useUpdate(member: Member, onClose: () => void) {
  const client = useQueryClient();
  const path = { organization_id: member.organization_id, member_id: member.id };
  return useMutation({
    mutationFn: ({ body }: Change) =>
      take(
        api.PATCH("/v1/organizations/{organization_id}/members/{member_id}", {
          body,
          params: { path, header: { "If-Match": ifMatch(member.version) } },
        }),
      ),
    onSuccess: (_, { done }) => {
      tell(done);
      onClose();
    },
    onError: (error) => {
      if (!(error instanceof Problem) || error.code !== "precondition_failed") return;
      tellStale();
      onClose();
    },
    onSettled: () =>
      client.invalidateQueries({ queryKey: keys.organization(member.organization_id) }),
  });
}

function RoleDialog({ member, onClose }: { member: Member; onClose: () => void }) {
  const [role, setRole] = useState(member.role);
  const update = useUpdate(member, onClose);
  const done = said.roleChanged(member.name, roleName(role));
  const confirm = () =>
    role === member.role ? onClose() : update.mutate({ body: { role }, done });
  return (
    <Confirm
      opened
      onClose={onClose}
      title={said.changeRoleOf(member.name)}
      effects={[said.roleNow(roleName(member.role)), said.roleEffect]}
      action={said.changeRole}
      onConfirm={confirm}
      busy={update.isPending}
      error={update.error}
      harmless
    >
      <Stack gap={4}>
        <RoleSelect
          label={said.newRole}
          value={role}
          onChange={(next) => setRole(next ?? role)}
          data-autofocus
        />
        <Text size="xs" c="dimmed">
          {words.roles.short[role]}
        </Text>
      </Stack>
    </Confirm>
  );
}

interface ActWords {
  title: string;
  effects: string[];
  action: string;
  done: string;
}

function wordsFor({ kind, member }: Act, organization: Organization): ActWords {
  const { name, email } = member;
  switch (kind) {
    case "block":
      return {
        title: said.blockTitle(name),
        effects: said.blockEffects(name, organization.name),
        action: said.block,
        done: said.blockDone(name),
      };
    case "leave":
      return {
        title: said.leaveTitle(organization.name),
        effects: said.leaveEffects(organization.name),
        action: said.leave,
        done: said.leaveDone(organization.name),
      };
    case "unblock":
      return {
        title: said.unblockTitle(name),
        effects: said.unblockEffects(name, organization.name),
        action: said.unblock,
        done: said.unblockDone(name),
      };
    default:
      return {
        title: said.removeTitle(name, organization.name),
        effects: said.removeEffects(name, email, organization.name),
        action: said.removeDo,
        done: said.removeDone(name),
      };
  }
}

function ActDialog({ act, onClose }: { act: Act; onClose: () => void }) {
  const { kind, member } = act;
  const organization = useOrganization();
  const client = useQueryClient();
  const navigate = useNavigate();
  const enter = useEnter();
  const text = wordsFor(act, organization);
  const update = useUpdate(member, onClose);
  const remove = useMutation({
    mutationFn: () =>
      take(
        api.DELETE("/v1/organizations/{organization_id}/members/{member_id}", {
          params: { path: { organization_id: organization.id, member_id: member.id } },
        }),
      ),
    onSuccess: async () => {
      tell(text.done);
      onClose();
      if (kind === "leave") {
        // The session has lost its organisation: start afresh.
        await enter("/");
        return;
      }
      await navigate({ to: ".", search: (now) => ({ ...now, open: undefined }) });
      await client.invalidateQueries({ queryKey: keys.organization(organization.id) });
    },
  });
  const confirm = () => {
    if (kind === "remove" || kind === "leave") return remove.mutate();
    update.mutate({ body: { status: kind === "block" ? "blocked" : "active" }, done: text.done });
  };
  return (
    <Confirm
      opened
      onClose={onClose}
      title={text.title}
      effects={text.effects}
      action={text.action}
      onConfirm={confirm}
      busy={update.isPending || remove.isPending}
      error={update.error ?? remove.error}
      harmless={kind === "unblock"}
    />
  );
}
