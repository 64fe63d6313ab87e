/** What can be done with a member, and why not when it can't. One list for menu and drawer. */
import { Menu } from "@mantine/core";
import {
  IconDevices,
  IconFileText,
  IconLock,
  IconLockOpen,
  IconLogout,
  IconUserCog,
  IconUserMinus,
} from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import type { Member } from "../../api/types";
import {
  allowed,
  GuardedItem,
  RowMenu,
  useMe,
  useOrganization,
  whyNot,
} from "../../parts/permissions";
import { covers, useRoles, whyNotOthers } from "../../parts/role-select";
import { words } from "../../words";
import type { Act } from "./dialogs";

const said = words.members;

interface Reasons {
  /** Whether it is the viewer's own membership. */
  own: boolean;
  role: string | null;
  block: string | null;
  remove: string | null;
  session: string | null;
  sessions: string | null;
}

/** Why each act on this member is off; null when it is on. */
export function useReasons(member: Member): Reasons {
  const me = useMe();
  const roles = useRoles();
  const own = member.account_id === me.account.id;
  const within = member.effective_roles.every((role) => covers(roles, me, role));
  const above = !own && roles.length > 0 && !within ? said.personAbove : null;
  const update = whyNot(me, "members_update") ?? above;
  return {
    own,
    role: update,
    block: update ?? (own ? said.ownBlock : null),
    // One may always leave; the server keeps the last owner.
    remove: own ? null : (whyNotOthers(roles, me, "members_remove") ?? above),
    session: whyNot(me, "member_sessions_end") ?? above,
    sessions: whyNot(me, "member_sessions_end_all") ?? above,
  };
}

interface MemberMenuProps {
  member: Member;
  onAct: (act: Act) => void;
}

export function MemberMenu({ member, onAct }: MemberMenuProps) {
  const me = useMe();
  const organization = useOrganization();
  const reasons = useReasons(member);
  const { own } = reasons;
  const blocked = member.status === "blocked";
  return (
    <RowMenu name={member.name}>
      <GuardedItem
        reason={reasons.role}
        leftSection={<IconUserCog size={16} aria-hidden="true" />}
        onClick={() => onAct({ kind: "role", member })}
      >
        {said.changeRole}
      </GuardedItem>
      <GuardedItem
        reason={reasons.block}
        leftSection={
          blocked ? (
            <IconLockOpen size={16} aria-hidden="true" />
          ) : (
            <IconLock size={16} aria-hidden="true" />
          )
        }
        onClick={() => onAct({ kind: blocked ? "unblock" : "block", member })}
      >
        {blocked ? said.unblock : said.block}
      </GuardedItem>
      {allowed(me, "audit_list") ? (
        <Menu.Item
          renderRoot={(props) => (
            <Link
              to="/o/$organization/audit"
              params={{ organization: organization.slug }}
              search={{ actor: member.account_id }}
              {...props}
            />
          )}
          leftSection={<IconFileText size={16} aria-hidden="true" />}
        >
          {said.seeActivity}
        </Menu.Item>
      ) : null}
      <Menu.Divider />
      <GuardedItem
        reason={reasons.sessions}
        color="red"
        leftSection={<IconDevices size={16} aria-hidden="true" />}
        onClick={() => onAct({ kind: "sessions", member })}
      >
        {words.sessionEnds.endHere}
      </GuardedItem>
      <GuardedItem
        reason={reasons.remove}
        color="red"
        leftSection={
          own ? (
            <IconLogout size={16} aria-hidden="true" />
          ) : (
            <IconUserMinus size={16} aria-hidden="true" />
          )
        }
        onClick={() => onAct({ kind: own ? "leave" : "remove", member })}
      >
        {own ? said.leave : said.remove}
      </GuardedItem>
    </RowMenu>
  );
}
