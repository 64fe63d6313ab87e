/** Teams: the list, and the way to a team's details. */
import { Group, Text } from "@mantine/core";
import { IconUsersGroup, IconUsersPlus } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useState } from "react";
import { pageSize, teamsQuery } from "../../api/queries";
import type { Team } from "../../api/types";
import { RoleBadge } from "../../parts/badges";
import { CustomRoles } from "../../parts/custom-roles";
import { FilterBar, TextFilter, useOpen } from "../../parts/filters";
import { Page } from "../../parts/page";
import { Panel } from "../../parts/panel";
import { GuardedButton, useOrganization, useWhyNot } from "../../parts/permissions";
import { Empty, Forbidden } from "../../parts/states";
import { type Column, DataTable, rowLink } from "../../parts/table";
import { Time } from "../../parts/time";
import { words } from "../../words";
import { TeamDetails } from "./details";
import { type Act, TeamDialogs } from "./dialogs";
import { CreateDialog } from "./form";
import { TeamMenu } from "./menu";

const said = words.teams;
const route = getRouteApi("/signed-in/o/$organization/teams");

export default function TeamsPage() {
  const organization = useOrganization();
  const { dialog } = route.useSearch();
  const open = useOpen();
  const forbidden = useWhyNot("teams_list");
  const createNot = useWhyNot("teams_create");
  return (
    <Page
      title={said.title}
      purpose={said.purpose}
      place={organization.name}
      action={
        <GuardedButton
          reason={createNot}
          onClick={() => open({ dialog: "create" })}
          leftSection={<IconUsersPlus size={16} aria-hidden="true" />}
        >
          {said.create}
        </GuardedButton>
      }
    >
      <Panel>{forbidden ? <Forbidden reason={forbidden} /> : <List createNot={createNot} />}</Panel>
      <CreateDialog
        opened={dialog === "create" && createNot === null}
        onClose={() => open({ dialog: undefined })}
        onCreated={({ id }) => open({ dialog: undefined, open: id })}
      />
    </Page>
  );
}

function List({ createNot }: { createNot: string | null }) {
  const { open: opened, cursor, search } = route.useSearch();
  const organization = useOrganization();
  const open = useOpen();
  const [act, setAct] = useState<Act | null>(null);
  const query = useQuery(teamsQuery(organization.id, { search, cursor, limit: pageSize }));
  return (
    <>
      <FilterBar active={search ? ["search"] : []}>
        <TextFilter name="search" value={search} label={said.searchLabel} />
      </FilterBar>
      <DataTable
        caption={said.caption}
        columns={columns}
        query={query}
        rowKey={({ id }) => id}
        current={opened}
        menu={(team) => <TeamMenu team={team} onAct={setAct} />}
        empty={
          search ? (
            <Empty title={words.common.noMatchTitle} text={words.common.noMatchText} />
          ) : (
            <Empty
              icon={<IconUsersGroup size={22} stroke={1.6} />}
              title={said.emptyTitle}
              text={said.emptyText}
              action={
                <GuardedButton
                  reason={createNot}
                  onClick={() => open({ dialog: "create" })}
                  variant="default"
                >
                  {said.create}
                </GuardedButton>
              }
            />
          )
        }
      />
      <TeamDetails id={opened} onAct={setAct} />
      <TeamDialogs act={act} onClose={() => setAct(null)} />
    </>
  );
}

const columns: Column<Team>[] = [
  {
    key: "team",
    header: said.team,
    width: "46%",
    render: ({ id, name, description }) => (
      <div>
        <Link
          to="."
          search={(now: Record<string, unknown>) => ({ ...now, open: id })}
          className={rowLink}
        >
          {name}
        </Link>
        {description ? (
          <Text size="xs" c="dimmed" lineClamp={1}>
            {description}
          </Text>
        ) : null}
      </div>
    ),
  },
  {
    key: "gives",
    header: said.gives,
    render: ({ role, custom_roles }) => (
      <Group gap={6}>
        {role ? <RoleBadge role={role} /> : null}
        {role || custom_roles.length > 0 ? <CustomRoles roles={custom_roles} /> : words.common.none}
      </Group>
    ),
  },
  {
    key: "members",
    header: said.members,
    render: ({ member_count }) => member_count.toLocaleString(),
  },
  {
    key: "changed",
    header: said.changed,
    wideOnly: true,
    render: ({ updated_at }) => <Time value={updated_at} form="relative" />,
  },
];
