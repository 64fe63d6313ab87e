/** A member's drawer. */
import { Button, Group } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { memberQuery } from "../../api/queries";
import type { Member } from "../../api/types";
import { RoleBadge, Teams } from "../../parts/badges";
import { CustomRoles } from "../../parts/custom-roles";
import { CopyId, Details, Field, Fields } from "../../parts/details";
import { useOpen } from "../../parts/filters";
import { GuardedButton, useOrganization } from "../../parts/permissions";
import { Failed, Loading } from "../../parts/states";
import { Time } from "../../parts/time";
import { words } from "../../words";
import type { Act } from "./dialogs";
import { useReasons } from "./menu";
import { Profile } from "./profile";
import { MemberSessions } from "./sessions";
import { MemberStatus } from "./status";

const said = words.members;

interface MemberDetailsProps {
  id: string | undefined;
  onAct: (act: Act) => void;
}

export function MemberDetails({ id, onAct }: MemberDetailsProps) {
  const organization = useOrganization();
  const open = useOpen();
  const query = useQuery({ ...memberQuery(organization.id, id ?? ""), enabled: id !== undefined });
  const member = query.data;
  return (
    <Details
      opened={id !== undefined}
      onClose={() => open({ open: undefined })}
      title={member?.name ?? words.common.details}
      actions={member ? <Acts member={member} onAct={onAct} /> : null}
    >
      {query.isPending ? <Loading /> : null}
      {query.isError ? <Failed error={query.error} retry={() => void query.refetch()} /> : null}
      {member ? (
        <>
          <MemberFields member={member} />
          <Profile member={member} />
          <MemberSessions member={member} onAct={onAct} />
        </>
      ) : null}
    </Details>
  );
}

function MemberFields({ member }: { member: Member }) {
  return (
    <Fields>
      <Field name={said.email}>{member.email}</Field>
      <Field name={said.role}>
        <RoleBadge role={member.role} />
      </Field>
      {member.custom_roles.length > 0 ? (
        <Field name={words.customRoles.select}>
          <CustomRoles roles={member.custom_roles} />
        </Field>
      ) : null}
      <Field name={words.teams.title}>
        <Teams teams={member.teams} />
      </Field>
      {raised(member) ? (
        <Field name={words.teams.effective}>
          <Group gap={6}>
            {member.effective_roles.map((role) => (
              <RoleBadge key={role} role={role} />
            ))}
          </Group>
        </Field>
      ) : null}
      <Field name={said.status}>
        <MemberStatus status={member.status} />
      </Field>
      <Field name={said.joined}>
        <Time value={member.joined_at} />
      </Field>
      <Field name={said.lastSignIn}>
        <Time value={member.last_sign_in_at} absent={words.common.never} />
      </Field>
      <Field name={said.memberId}>
        <CopyId value={member.id} label={said.memberId} />
      </Field>
      <Field name={said.accountId}>
        <CopyId value={member.account_id} label={said.accountId} />
      </Field>
    </Fields>
  );
}

/** Whether teams give this person more than they have directly. */
function raised({ role, effective_roles }: Member): boolean {
  return effective_roles.length > 1 || effective_roles[0] !== role;
}

function Acts({ member, onAct }: { member: Member; onAct: (act: Act) => void }) {
  const reasons = useReasons(member);
  const blocked = member.status === "blocked";
  return (
    <Group gap="xs">
      <GuardedButton
        size="xs"
        variant="default"
        reason={reasons.role}
        onClick={() => onAct({ kind: "role", member })}
      >
        {said.changeRole}
      </GuardedButton>
      <GuardedButton
        size="xs"
        variant="default"
        reason={reasons.block}
        onClick={() => onAct({ kind: blocked ? "unblock" : "block", member })}
      >
        {blocked ? said.unblock : said.block}
      </GuardedButton>
      {reasons.own ? (
        <Button
          size="xs"
          variant="light"
          color="red"
          onClick={() => onAct({ kind: "leave", member })}
        >
          {said.leave}
        </Button>
      ) : (
        <GuardedButton
          size="xs"
          variant="light"
          color="red"
          reason={reasons.remove}
          onClick={() => onAct({ kind: "remove", member })}
        >
          {said.remove}
        </GuardedButton>
      )}
    </Group>
  );
}
