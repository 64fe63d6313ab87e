/** Invitations: who was invited, what became of it, and inviting more. */
import { Group, Text } from "@mantine/core";
import { IconMailForward, IconUserPlus } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useState } from "react";
import { fromAfar, type InvitationFilter, invitationsQuery, pageSize } from "../../api/queries";
import type { Invitation } from "../../api/types";
import { RoleBadge, Status, type Tone } from "../../parts/badges";
import { CustomRoles } from "../../parts/custom-roles";
import { ChoiceFilter, choicesOf, FilterBar, useOpen } from "../../parts/filters";
import { Page } from "../../parts/page";
import { Panel } from "../../parts/panel";
import { GuardedButton, useOrganization, useWhyNot } from "../../parts/permissions";
import { Empty, Forbidden } from "../../parts/states";
import { type Column, DataTable, rowLink } from "../../parts/table";
import { Time } from "../../parts/time";
import { words } from "../../words";
import { InvitationDetails, InvitationMenu, onItsWay, RevokeDialog } from "./details";
import { InviteDialog } from "./invite";

const said = words.invitations;
const route = getRouteApi("/signed-in/o/$organization/invitations");

export default function InvitationsPage() {
  const organization = useOrganization();
  const { dialog } = route.useSearch();
  const open = useOpen();
  const forbidden = useWhyNot("invitations_list");
  const inviteNot = useWhyNot("invitations_create");
  return (
    <Page
      title={said.title}
      purpose={said.purpose}
      place={organization.name}
      action={
        <GuardedButton
          reason={inviteNot}
          onClick={() => open({ dialog: "invite" })}
          leftSection={<IconUserPlus size={16} aria-hidden="true" />}
        >
          {said.invite}
        </GuardedButton>
      }
    >
      <Panel>{forbidden ? <Forbidden reason={forbidden} /> : <List inviteNot={inviteNot} />}</Panel>
      <InviteDialog
        opened={dialog === "invite" && inviteNot === null}
        onClose={() => open({ dialog: undefined })}
      />
    </Page>
  );
}

function List({ inviteNot }: { inviteNot: string | null }) {
  const { status, cursor, open: opened } = route.useSearch();
  const organization = useOrganization();
  const open = useOpen();
  const [revoking, setRevoking] = useState<Invitation | null>(null);
  const filter = { status: status as InvitationFilter["status"] };
  const query = useQuery({
    ...invitationsQuery(organization.id, { ...filter, cursor, limit: pageSize }),
    // Mail goes out a moment after the answer: look again until it has.
    refetchInterval: ({ state }) => (state.data?.items.some(onItsWay) ? fromAfar : false),
  });
  return (
    <>
      <FilterBar active={status ? ["status"] : []}>
        <ChoiceFilter
          name="status"
          value={status}
          label={said.status}
          any={said.anyStatus}
          choices={choicesOf(said.statuses)}
        />
      </FilterBar>
      <DataTable
        caption={said.caption}
        columns={columns}
        query={query}
        rowKey={(invitation) => invitation.id}
        current={opened}
        menu={(invitation) => <InvitationMenu invitation={invitation} onRevoke={setRevoking} />}
        empty={
          status ? (
            <Empty title={words.common.noMatchTitle} text={words.common.noMatchText} />
          ) : (
            <Empty
              icon={<IconMailForward size={22} stroke={1.6} />}
              title={said.emptyTitle}
              text={said.emptyText}
              action={
                <GuardedButton
                  reason={inviteNot}
                  onClick={() => open({ dialog: "invite" })}
                  variant="default"
                >
                  {said.invite}
                </GuardedButton>
              }
            />
          )
        }
      />
      <InvitationDetails id={opened} onRevoke={setRevoking} />
      <RevokeDialog invitation={revoking} onClose={() => setRevoking(null)} />
    </>
  );
}

const tones: Record<Invitation["status"], Tone> = {
  pending: "warn",
  accepted: "good",
  revoked: "quiet",
  expired: "quiet",
};

const columns: Column<Invitation>[] = [
  {
    key: "person",
    header: said.person,
    width: "34%",
    render: (invitation) => (
      <Link
        to="."
        search={(now: Record<string, unknown>) => ({ ...now, open: invitation.id })}
        className={rowLink}
      >
        {invitation.email}
      </Link>
    ),
  },
  {
    key: "role",
    header: said.role,
    render: ({ role, custom_roles }) => (
      <Group gap={6}>
        <RoleBadge role={role} />
        <CustomRoles roles={custom_roles} />
      </Group>
    ),
  },
  {
    key: "status",
    header: said.status,
    render: ({ status }) => <Status tone={tones[status]}>{said.statuses[status]}</Status>,
  },
  {
    key: "by",
    header: said.by,
    wideOnly: true,
    render: ({ invited_by }) => <Text inherit>{invited_by?.name ?? words.common.none}</Text>,
  },
  {
    key: "sent",
    header: said.sent,
    wideOnly: true,
    render: ({ sent_at, mail_status }) =>
      mail_status === "failed" ? (
        <Status tone="bad">{said.notSent}</Status>
      ) : (
        <Time value={sent_at} form="relative" absent={said.queued} />
      ),
  },
  {
    key: "expires",
    header: said.expires,
    render: ({ status, expires_at }) =>
      status === "pending" ? <Time value={expires_at} form="relative" /> : words.common.none,
  },
];
