/** One invitation: its drawer, its menu, sending again and revoking. */
import { IconMailForward, IconMailOff } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { api, take } from "../../api/client";
import { closely, invitationQuery, keys } from "../../api/queries";
import type { Invitation } from "../../api/types";
import { ActDialog } from "../../parts/act-dialog";
import { RoleBadge, Teams } from "../../parts/badges";
import { CustomRoles } from "../../parts/custom-roles";
import { CopyId, Details, Field, Fields } from "../../parts/details";
import { useOpen } from "../../parts/filters";
import { tell, tellProblem } from "../../parts/notify";
import {
  GuardedButton,
  GuardedItem,
  RowMenu,
  useOrganization,
  useWhyNot,
} from "../../parts/permissions";
import { Failed, Loading } from "../../parts/states";
import { Time } from "../../parts/time";
import { words } from "../../words";

const said = words.invitations;

/** Why sending again and revoking are off; null when they are on. */
function useReasons(status: Invitation["status"] | undefined) {
  const resend = useWhyNot("invitations_resend");
  const revoke = useWhyNot("invitations_revoke");
  return {
    resend: resend ?? (status === "pending" || status === "expired" ? null : said.resendNot),
    revoke: revoke ?? (status === "pending" ? null : said.revokeNot),
  };
}

function useResend() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ id, organization_id }: Invitation) =>
      take(
        api.POST("/v1/organizations/{organization_id}/invitations/{invitation_id}/resend", {
          params: { path: { organization_id, invitation_id: id } },
        }),
      ),
    onSuccess: ({ email }) => tell(said.resent(email)),
    onError: tellProblem,
    onSettled: (_, __, { organization_id }) =>
      client.invalidateQueries({ queryKey: keys.organization(organization_id) }),
  });
}

interface ActProps {
  invitation: Invitation;
  onRevoke: (invitation: Invitation) => void;
}

export function InvitationMenu({ invitation, onRevoke }: ActProps) {
  const reasons = useReasons(invitation.status);
  const resend = useResend();
  return (
    <RowMenu name={invitation.email}>
      <GuardedItem
        reason={reasons.resend}
        onClick={() => resend.mutate(invitation)}
        leftSection={<IconMailForward size={16} aria-hidden="true" />}
      >
        {said.resend}
      </GuardedItem>
      <GuardedItem
        reason={reasons.revoke}
        onClick={() => onRevoke(invitation)}
        color="red"
        leftSection={<IconMailOff size={16} aria-hidden="true" />}
      >
        {said.revoke}
      </GuardedItem>
    </RowMenu>
  );
}

/** Whether the letter has yet to leave. */
export function onItsWay(invitation: Invitation | undefined): boolean {
  return invitation?.status === "pending" && invitation.mail_status === "waiting";
}

interface InvitationDetailsProps {
  id: string | undefined;
  onRevoke: (invitation: Invitation) => void;
}

export function InvitationDetails({ id, onRevoke }: InvitationDetailsProps) {
  const organization = useOrganization();
  const open = useOpen();
  const query = useQuery({
    ...invitationQuery(organization.id, id ?? ""),
    enabled: id !== undefined,
    // Mail goes out a moment after the answer: look again until it has.
    refetchInterval: ({ state }) => (onItsWay(state.data) ? closely : false),
  });
  const invitation = query.data;
  return (
    <Details
      opened={id !== undefined}
      onClose={() => open({ open: undefined })}
      title={invitation?.email ?? words.common.details}
      actions={invitation ? <Acts invitation={invitation} onRevoke={onRevoke} /> : null}
    >
      {query.isPending ? <Loading /> : null}
      {query.isError ? <Failed error={query.error} retry={() => void query.refetch()} /> : null}
      {invitation ? <InvitationFields invitation={invitation} /> : null}
    </Details>
  );
}

function InvitationFields({ invitation }: { invitation: Invitation }) {
  return (
    <Fields>
      <Field name={said.role}>
        <RoleBadge role={invitation.role} />
      </Field>
      {invitation.custom_roles.length > 0 ? (
        <Field name={words.customRoles.select}>
          <CustomRoles roles={invitation.custom_roles} />
        </Field>
      ) : null}
      {invitation.teams.length > 0 ? (
        <Field name={words.teams.title}>
          <Teams teams={invitation.teams} />
        </Field>
      ) : null}
      <Field name={said.status}>{said.statuses[invitation.status]}</Field>
      <Field name={said.by}>{invitation.invited_by?.name ?? words.common.none}</Field>
      <Field name={said.created}>
        <Time value={invitation.created_at} />
      </Field>
      <Field name={said.sent}>
        <Time value={invitation.sent_at} />
      </Field>
      {invitation.mail_status ? (
        <Field name={said.mail}>{said.mailStatuses[invitation.mail_status]}</Field>
      ) : null}
      <Field name={said.resentLabel}>{said.resends(invitation.resend_count)}</Field>
      <Field name={said.expires}>
        <Time value={invitation.expires_at} />
      </Field>
      <Field name={said.accepted}>
        <Time value={invitation.accepted_at} />
      </Field>
      <Field name={said.id}>
        <CopyId value={invitation.id} label={said.id} />
      </Field>
    </Fields>
  );
}

function Acts({ invitation, onRevoke }: ActProps) {
  const reasons = useReasons(invitation.status);
  const resend = useResend();
  return (
    <>
      <GuardedButton
        size="xs"
        variant="default"
        reason={reasons.resend}
        loading={resend.isPending}
        onClick={() => resend.mutate(invitation)}
      >
        {said.resend}
      </GuardedButton>
      <GuardedButton
        size="xs"
        variant="light"
        color="red"
        reason={reasons.revoke}
        onClick={() => onRevoke(invitation)}
      >
        {said.revoke}
      </GuardedButton>
    </>
  );
}

interface RevokeProps {
  invitation: Invitation | null;
  onClose: () => void;
}

export function RevokeDialog({ invitation, onClose }: RevokeProps) {
  return invitation ? (
    <Revoke key={invitation.id} invitation={invitation} onClose={onClose} />
  ) : null;
}

function Revoke({ invitation, onClose }: { invitation: Invitation; onClose: () => void }) {
  const { id, email } = invitation;
  const organization = useOrganization();
  const path = { organization_id: organization.id, invitation_id: id };
  return (
    <ActDialog
      onClose={onClose}
      text={{
        title: said.revokeTitle(email),
        effects: said.revokeEffects(email),
        action: said.revokeDo,
        done: said.revoked(email),
      }}
      run={() =>
        take(
          api.DELETE("/v1/organizations/{organization_id}/invitations/{invitation_id}", {
            params: { path },
          }),
        )
      }
      refresh={[keys.organization(organization.id)]}
    />
  );
}
