/** Changing, blocking and removing a member: each says what will happen before it does. */
import { Stack, Text } from "@mantine/core";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { api, ifMatch, take } from "../../api/client";
import { keys } from "../../api/queries";
import type { Member, Organization } from "../../api/types";
import { ActDialog, type ActWords } from "../../parts/act-dialog";
import { CustomRoleSelect } from "../../parts/custom-roles";
import { roleName, useOrganization } from "../../parts/permissions";
import { RoleSelect } from "../../parts/role-select";
import { useEnter } from "../../parts/session";
import { words } from "../../words";

const said = words.members;

export interface Act {
  kind: "role" | "block" | "unblock" | "remove" | "leave" | "sessions";
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
  return <MemberActDialog key={key} act={act} onClose={onClose} />;
}

/** An update that fails when someone else changed the member since it was read. */
function update(
  member: Member,
  body: { role: string; custom_role_ids: string[] } | { status: Member["status"] },
) {
  const path = { organization_id: member.organization_id, member_id: member.id };
  return take(
    api.PATCH("/v1/organizations/{organization_id}/members/{member_id}", {
      body,
      params: { path, header: { "If-Match": ifMatch(member.version) } },
    }),
  );
}

function remove(member: Member) {
  const path = { organization_id: member.organization_id, member_id: member.id };
  return take(
    api.DELETE("/v1/organizations/{organization_id}/members/{member_id}", { params: { path } }),
  );
}

function endSessions(member: Member) {
  const path = { organization_id: member.organization_id, member_id: member.id };
  return take(
    api.DELETE("/v1/organizations/{organization_id}/members/{member_id}/sessions", {
      params: { path },
    }),
  );
}

function RoleDialog({ member, onClose }: { member: Member; onClose: () => void }) {
  const [role, setRole] = useState(member.role);
  const held = member.custom_roles.filter(({ team_id }) => !team_id).map(({ id }) => id);
  const [custom, setCustom] = useState(held);
  const same =
    role === member.role &&
    custom.length === held.length &&
    custom.every((id) => held.includes(id));
  const check = () => {
    if (same) onClose();
    return !same;
  };
  return (
    <ActDialog
      onClose={onClose}
      text={{
        title: said.changeRoleOf(member.name),
        effects: [said.roleNow(roleName(member.role)), said.roleEffect],
        action: said.changeRole,
        done:
          role === member.role
            ? said.customRolesChanged(member.name)
            : said.roleChanged(member.name, roleName(role)),
      }}
      run={() => update(member, { role, custom_role_ids: custom })}
      refresh={[keys.organization(member.organization_id), keys.me]}
      check={check}
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
      <CustomRoleSelect value={custom} onChange={setCustom} />
    </ActDialog>
  );
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
    case "sessions":
      return {
        title: words.sessionEnds.endAllTitle(name),
        effects: words.sessionEnds.endAllEffects(name, organization.name),
        action: words.account.endAll,
        done: words.sessionEnds.allEnded(name),
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

function send({ kind, member }: Act) {
  switch (kind) {
    case "remove":
    case "leave":
      return remove(member);
    case "sessions":
      return endSessions(member);
    default:
      return update(member, { status: kind === "block" ? "blocked" : "active" });
  }
}

function MemberActDialog({ act, onClose }: { act: Act; onClose: () => void }) {
  const { kind } = act;
  const organization = useOrganization();
  const navigate = useNavigate();
  const enter = useEnter();
  const leaves = kind === "remove" || kind === "leave";
  // Who left has no organisation any more in this session, which starts afresh.
  const go = () =>
    kind === "leave"
      ? enter("/")
      : navigate({ to: ".", search: (now) => ({ ...now, open: undefined }) });
  return (
    <ActDialog
      onClose={onClose}
      text={wordsFor(act, organization)}
      run={() => send(act)}
      onDone={leaves ? go : undefined}
      refresh={[keys.organization(organization.id)]}
      harmless={kind === "unblock"}
    />
  );
}
