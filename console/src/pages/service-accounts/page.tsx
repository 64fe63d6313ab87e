/** Service accounts: the list, and the way to an account's keys. */
import { Group, Text } from "@mantine/core";
import { IconRobot } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useState } from "react";
import { pageSize } from "../../api/queries";
import { serviceAccountsQuery } from "../../api/service-accounts";
import type { ServiceAccount } from "../../api/types";
import { RoleBadge, Status } from "../../parts/badges";
import { CustomRoles } from "../../parts/custom-roles";
import { useOpen } from "../../parts/filters";
import { Page } from "../../parts/page";
import { Panel } from "../../parts/panel";
import { GuardedButton, useOrganization, useWhyNot } from "../../parts/permissions";
import { Empty, Forbidden } from "../../parts/states";
import { type Column, DataTable, rowLink } from "../../parts/table";
import { Time } from "../../parts/time";
import { words } from "../../words";
import { ServiceAccountDetails } from "./details";
import { type Act, ServiceAccountDialogs } from "./dialogs";
import { CreateDialog } from "./form";
import { ServiceAccountMenu } from "./menu";

const said = words.serviceAccounts;
const route = getRouteApi("/signed-in/o/$organization/service-accounts");

export default function ServiceAccountsPage() {
  const organization = useOrganization();
  const { dialog } = route.useSearch();
  const open = useOpen();
  const forbidden = useWhyNot("service_accounts_list");
  const createNot = useWhyNot("service_accounts_create");
  return (
    <Page
      title={said.title}
      purpose={said.purpose}
      place={organization.name}
      action={
        <GuardedButton
          reason={createNot}
          onClick={() => open({ dialog: "create" })}
          leftSection={<IconRobot size={16} aria-hidden="true" />}
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
  const { open: opened, cursor } = route.useSearch();
  const organization = useOrganization();
  const open = useOpen();
  const [act, setAct] = useState<Act | null>(null);
  const query = useQuery(serviceAccountsQuery(organization.id, { cursor, limit: pageSize }));
  return (
    <>
      <DataTable
        caption={said.caption}
        columns={columns}
        query={query}
        rowKey={({ id }) => id}
        current={opened}
        menu={(account) => <ServiceAccountMenu account={account} onAct={setAct} />}
        empty={
          <Empty
            icon={<IconRobot size={22} stroke={1.6} />}
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
        }
      />
      <ServiceAccountDetails id={opened} onAct={setAct} />
      <ServiceAccountDialogs act={act} onClose={() => setAct(null)} />
    </>
  );
}

const columns: Column<ServiceAccount>[] = [
  {
    key: "account",
    header: said.account,
    width: "40%",
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
    key: "state",
    header: said.state,
    render: ({ state }) => <StateOf state={state} />,
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
  { key: "keys", header: said.keys, render: ({ key_count }) => key_count.toLocaleString() },
  {
    key: "used",
    header: said.lastUsed,
    render: ({ last_used_at }) =>
      last_used_at ? <Time value={last_used_at} form="relative" /> : words.common.never,
  },
];

export function StateOf({ state }: { state: ServiceAccount["state"] }) {
  return <Status tone={state === "active" ? "good" : "quiet"}>{said.states[state]}</Status>;
}
