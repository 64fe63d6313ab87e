/** Accounts that the organisation manages: what may be done to them as a whole, everywhere. */
import { Group, Text } from "@mantine/core";
import { IconUserCheck } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useState } from "react";
import { managedAccountsQuery, pageSize } from "../../api/queries";
import type { ManagedAccount } from "../../api/types";
import { AccountState } from "../../parts/account-state";
import { OwnBadge, RoleBadge } from "../../parts/badges";
import { FilterBar, TextFilter, useOpen } from "../../parts/filters";
import { Page } from "../../parts/page";
import { Panel } from "../../parts/panel";
import { useMe, useOrganization, useWhyNot } from "../../parts/permissions";
import { Recoveries } from "../../parts/recoveries";
import { Empty, Forbidden } from "../../parts/states";
import { type Column, DataTable, rowLink } from "../../parts/table";
import { Time } from "../../parts/time";
import { words } from "../../words";
import { type Act, ManagedDetails, ManagedDialogs, ManagedMenu } from "./acts";

const said = words.managedAccounts;
const route = getRouteApi("/signed-in/o/$organization/managed-accounts");

export default function ManagedAccountsPage() {
  const organization = useOrganization();
  const forbidden = useWhyNot("managed_accounts_list");
  return (
    <Page title={said.title} purpose={said.purpose} place={organization.name}>
      <Recoveries organization={organization.id} />
      <Panel>{forbidden ? <Forbidden reason={forbidden} /> : <List />}</Panel>
    </Page>
  );
}

function List() {
  const { open: opened, cursor, search } = route.useSearch();
  const organization = useOrganization();
  const me = useMe();
  const open = useOpen();
  const [act, setAct] = useState<Act | null>(null);
  const query = useQuery(
    managedAccountsQuery(organization.id, { search, cursor, limit: pageSize }),
  );
  return (
    <>
      <FilterBar active={search ? ["search"] : []}>
        <TextFilter name="search" value={search} label={said.searchLabel} />
      </FilterBar>
      <DataTable
        caption={said.caption}
        columns={columns(me.account.id)}
        query={query}
        rowKey={({ id }) => id}
        current={opened}
        menu={(account) => <ManagedMenu account={account} onAct={setAct} />}
        empty={
          <Empty
            icon={<IconUserCheck size={22} stroke={1.6} />}
            title={search ? words.common.noMatchTitle : said.emptyTitle}
            text={search ? words.common.noMatchText : said.emptyText}
          />
        }
      />
      <ManagedDetails
        account={query.data?.items.find(({ id }) => id === opened)}
        opened={opened !== undefined && query.isSuccess}
        onClose={() => open({ open: undefined })}
        onAct={setAct}
      />
      <ManagedDialogs act={act} onClose={() => setAct(null)} />
    </>
  );
}

function columns(own: string): Column<ManagedAccount>[] {
  return [
    {
      key: "person",
      header: words.members.person,
      width: "38%",
      render: (account) => (
        <div>
          <Group gap={8}>
            <Link
              to="."
              search={(now: Record<string, unknown>) => ({ ...now, open: account.id })}
              className={rowLink}
            >
              {account.name}
            </Link>
            {account.id === own ? <OwnBadge>{words.common.you}</OwnBadge> : null}
          </Group>
          <Text size="xs" c="dimmed">
            {account.email}
          </Text>
        </div>
      ),
    },
    {
      key: "role",
      header: said.role,
      render: ({ effective_roles: [role] }) =>
        role ? <RoleBadge role={role} /> : <Text c="dimmed">{said.noMember}</Text>,
    },
    {
      key: "state",
      header: words.platform.accounts.state,
      render: ({ state, locked_until }) => (
        <AccountState state={state} lockedUntil={locked_until} />
      ),
    },
    {
      key: "signIn",
      header: words.members.lastSignIn,
      render: ({ last_sign_in_at }) => (
        <Time value={last_sign_in_at} form="relative" absent={words.common.never} />
      ),
    },
  ];
}
