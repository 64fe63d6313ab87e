/** Every account of the platform: finding one, blocking it, ending its sessions, erasing its person. */
import { Group, Text } from "@mantine/core";
import { IconUserShield } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useState } from "react";
import { api, take } from "../../api/client";
import { type AccountFilter, accountsQuery, pageSize } from "../../api/queries";
import type { PlatformAccount } from "../../api/types";
import { AccountState } from "../../parts/account-state";
import { OwnBadge } from "../../parts/badges";
import { ExportPeople } from "../../parts/export-people";
import { ChoiceFilter, choicesOf, FilterBar, TextFilter, useOpen } from "../../parts/filters";
import { isEmail } from "../../parts/forms";
import { Page } from "../../parts/page";
import { Panel } from "../../parts/panel";
import { useMe, useWhyNot } from "../../parts/permissions";
import { PlatformForbidden } from "../../parts/platform-only";
import { Recoveries } from "../../parts/recoveries";
import { Empty } from "../../parts/states";
import { type Column, DataTable, rowLink } from "../../parts/table";
import { Time } from "../../parts/time";
import { words } from "../../words";
import { AccountDetails, AccountDialogs, AccountMenu, type Act, nameOf } from "./acts";

const said = words.platform.accounts;
const route = getRouteApi("/signed-in/platform/accounts");

export default function AccountsPage() {
  const forbidden = useWhyNot("accounts_list");
  const exportNot = useWhyNot("accounts_export");
  return (
    <Page
      title={said.title}
      purpose={said.purpose}
      place={words.shell.platform}
      action={
        <ExportPeople
          reason={exportNot}
          name={words.exports.accountsName}
          fetchFile={async (format) =>
            (await take(
              api.POST("/v1/accounts/export", { body: { format }, parseAs: "blob" }),
            )) as unknown as Blob
          }
        />
      }
    >
      <Recoveries organization={null} />
      {forbidden ? <PlatformForbidden back="/platform/accounts" /> : <List />}
    </Page>
  );
}

function List() {
  const { email, state, cursor, open: opened } = route.useSearch();
  const me = useMe();
  const open = useOpen();
  const [act, setAct] = useState<Act | null>(null);
  const query = useQuery(
    accountsQuery({ email, state: state as AccountFilter["state"], cursor, limit: pageSize }),
  );
  return (
    <Panel>
      <FilterBar active={[...(email ? ["email"] : []), ...(state ? ["state"] : [])]}>
        <TextFilter name="email" value={email} label={said.searchLabel} ready={isEmail} />
        <ChoiceFilter
          name="state"
          value={state}
          label={said.state}
          any={said.anyState}
          choices={choicesOf(said.states)}
          width={150}
        />
      </FilterBar>
      <DataTable
        caption={said.caption}
        columns={columns(me.account.id)}
        query={query}
        rowKey={({ id }) => id}
        current={opened}
        menu={(account) => <AccountMenu account={account} onAct={setAct} />}
        empty={
          <Empty
            icon={<IconUserShield size={22} stroke={1.6} />}
            title={email || state ? words.common.noMatchTitle : said.emptyTitle}
            text={email || state ? words.common.noMatchText : said.emptyText}
          />
        }
      />
      <AccountDetails
        account={query.data?.items.find(({ id }) => id === opened)}
        opened={opened !== undefined && query.isSuccess}
        onClose={() => open({ open: undefined })}
        onAct={setAct}
      />
      <AccountDialogs act={act} onClose={() => setAct(null)} />
    </Panel>
  );
}

function columns(own: string): Column<PlatformAccount>[] {
  return [
    {
      key: "person",
      header: said.person,
      width: "34%",
      render: (account) => (
        <div>
          <Group gap={8}>
            <Link
              to="."
              search={(now: Record<string, unknown>) => ({ ...now, open: account.id })}
              className={rowLink}
            >
              {nameOf(account)}
            </Link>
            {account.id === own ? <OwnBadge>{words.common.you}</OwnBadge> : null}
          </Group>
          <Text size="xs" c="dimmed">
            {account.email ?? <Time value={account.erased_at} form="date" />}
          </Text>
        </div>
      ),
    },
    {
      key: "state",
      header: said.state,
      render: ({ state, locked_until }) => (
        <AccountState state={state} lockedUntil={locked_until} />
      ),
    },
    {
      key: "manager",
      header: said.manager,
      wideOnly: true,
      render: ({ manager }) => manager?.name ?? <Text c="dimmed">{said.noManager}</Text>,
    },
    {
      key: "since",
      header: said.since,
      wideOnly: true,
      render: ({ created_at }) => <Time value={created_at} form="date" />,
    },
    {
      key: "signIn",
      header: said.lastSignIn,
      render: ({ last_sign_in_at }) => (
        <Time value={last_sign_in_at} form="relative" absent={words.common.never} />
      ),
    },
  ];
}
