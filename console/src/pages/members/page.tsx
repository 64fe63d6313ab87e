/** Members: the list, its filters, and the way to a member's details. */
import { Group, Stack, Text } from "@mantine/core";
import { IconUserPlus, IconUsers } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link, useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { api, take } from "../../api/client";
import { membersQuery, pageSize } from "../../api/queries";
import type { Member } from "../../api/types";
import { OwnBadge, RolesOf } from "../../parts/badges";
import { CustomRoles } from "../../parts/custom-roles";
import { ExportPeople } from "../../parts/export-people";
import { ChoiceFilter, choicesOf, FilterBar, TextFilter } from "../../parts/filters";
import { Page } from "../../parts/page";
import { Panel } from "../../parts/panel";
import { GuardedButton, useMe, useOrganization, useWhyNot } from "../../parts/permissions";
import { Empty, Forbidden } from "../../parts/states";
import { type Column, DataTable, rowLink } from "../../parts/table";
import { Time } from "../../parts/time";
import { words } from "../../words";
import { AttributeFilter, askedFor } from "./attribute-filter";
import { MemberDetails } from "./details";
import { type Act, MemberDialogs } from "./dialogs";
import { MemberMenu } from "./menu";
import { MemberStatus } from "./status";

const said = words.members;
const route = getRouteApi("/signed-in/o/$organization/members");

export default function MembersPage() {
  const organization = useOrganization();
  const forbidden = useWhyNot("members_list");
  const inviteNot = useWhyNot("invitations_create");
  const exportNot = useWhyNot("members_export");
  const navigate = useNavigate();
  const invite = () =>
    void navigate({ to: `/o/${organization.slug}/invitations`, search: { dialog: "invite" } });
  return (
    <Page
      title={said.title}
      purpose={said.purpose}
      place={organization.name}
      action={
        <Group gap="xs">
          <ExportPeople
            reason={exportNot}
            name={words.exports.membersName}
            fetchFile={async (format) =>
              (await take(
                api.POST("/v1/organizations/{organization_id}/members/export", {
                  params: { path: { organization_id: organization.id } },
                  body: { format },
                  parseAs: "blob",
                }),
              )) as unknown as Blob
            }
          />
          <GuardedButton
            reason={inviteNot}
            onClick={invite}
            leftSection={<IconUserPlus size={16} aria-hidden="true" />}
          >
            {said.invite}
          </GuardedButton>
        </Group>
      }
    >
      <Panel>{forbidden ? <Forbidden reason={forbidden} /> : <List />}</Panel>
    </Page>
  );
}

function List() {
  const { open, cursor, search, role, status, attribute } = route.useSearch();
  const organization = useOrganization();
  const me = useMe();
  const [act, setAct] = useState<Act | null>(null);
  const filter = {
    search,
    role,
    status: status as Member["status"] | undefined,
    attribute: askedFor(attribute),
  };
  const query = useQuery(membersQuery(organization.id, { ...filter, cursor, limit: pageSize }));
  const active = Object.entries({ ...filter, attribute }).flatMap(([name, value]) =>
    value ? [name] : [],
  );
  return (
    <>
      <FilterBar active={active}>
        <TextFilter name="search" value={search} label={said.searchLabel} />
        <ChoiceFilter
          name="role"
          value={role}
          label={said.role}
          any={said.allRoles}
          choices={choicesOf(words.roles.names)}
        />
        <ChoiceFilter
          name="status"
          value={status}
          label={said.status}
          any={said.allStatuses}
          choices={choicesOf({ active: said.active, blocked: said.blocked })}
        />
        <AttributeFilter value={attribute} />
      </FilterBar>
      <DataTable
        caption={said.caption}
        columns={columns(me.account.id)}
        query={query}
        rowKey={(member) => member.id}
        current={open}
        menu={(member) => <MemberMenu member={member} onAct={setAct} />}
        empty={
          <Empty
            icon={<IconUsers size={22} stroke={1.6} />}
            title={active.length > 0 ? words.common.noMatchTitle : said.emptyTitle}
            text={active.length > 0 ? words.common.noMatchText : said.emptyText}
          />
        }
      />
      <MemberDetails id={open} onAct={setAct} />
      <MemberDialogs act={act} onClose={() => setAct(null)} />
    </>
  );
}

function columns(own: string): Column<Member>[] {
  return [
    {
      key: "person",
      header: said.person,
      width: "36%",
      render: (member) => (
        <div>
          <Group gap={8}>
            <Link
              to="."
              search={(now: Record<string, unknown>) => ({ ...now, open: member.id })}
              className={rowLink}
            >
              {member.name}
            </Link>
            {member.account_id === own ? <OwnBadge>{words.common.you}</OwnBadge> : null}
          </Group>
          <Text size="xs" c="dimmed">
            {member.email}
          </Text>
        </div>
      ),
    },
    {
      key: "role",
      header: said.role,
      render: (member) => (
        <Stack gap={4}>
          <RolesOf role={member.role} effective={member.effective_roles} />
          <CustomRoles roles={member.custom_roles} />
        </Stack>
      ),
    },
    {
      key: "status",
      header: said.status,
      render: (member) => <MemberStatus status={member.status} />,
    },
    {
      key: "joined",
      header: said.joined,
      wideOnly: true,
      render: (member) => <Time value={member.joined_at} form="date" />,
    },
    {
      key: "seen",
      header: said.lastSignIn,
      render: (member) => (
        <Time value={member.last_sign_in_at} form="relative" absent={words.common.never} />
      ),
    },
  ];
}
