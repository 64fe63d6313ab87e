/** All organisations of the platform; creating one, restoring a deleted one. */
import { Group, Menu, SegmentedControl, Text } from "@mantine/core";
import {
  IconArrowsExchange,
  IconBuildings,
  IconLifebuoy,
  IconLogout,
  IconPlus,
  IconRestore,
} from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useState } from "react";
import { api, take } from "../../api/client";
import { keys, type OrganizationFilter, organizationsQuery, pageSize } from "../../api/queries";
import type { Organization } from "../../api/types";
import { ActDialog } from "../../parts/act-dialog";
import { Status } from "../../parts/badges";
import { EndSessionsDialog } from "../../parts/end-sessions";
import { useFilter, useOpen } from "../../parts/filters";
import { Page } from "../../parts/page";
import { Panel } from "../../parts/panel";
import { GuardedButton, GuardedItem, RowMenu, useMe, useWhyNot } from "../../parts/permissions";
import { PlatformForbidden } from "../../parts/platform-only";
import { useSwitchOrganization } from "../../parts/session";
import { Empty } from "../../parts/states";
import { type Column, DataTable } from "../../parts/table";
import { Time } from "../../parts/time";
import { words } from "../../words";
import { ActInDialog } from "./act-in";
import { CreateDialog } from "./create";

const said = words.platform.organizations;
const route = getRouteApi("/signed-in/platform/organizations");

export default function OrganizationsPage() {
  const { dialog } = route.useSearch();
  const open = useOpen();
  const forbidden = useWhyNot("organizations_list");
  const createNot = useWhyNot("organizations_create");
  return (
    <Page
      title={said.title}
      purpose={said.purpose}
      place={words.shell.platform}
      action={
        <GuardedButton
          reason={createNot}
          onClick={() => open({ dialog: "create" })}
          leftSection={<IconPlus size={16} aria-hidden="true" />}
        >
          {said.create}
        </GuardedButton>
      }
    >
      {forbidden ? <PlatformForbidden back="/platform/organizations" /> : <List />}
      <CreateDialog
        opened={dialog === "create" && createNot === null}
        onClose={() => open({ dialog: undefined })}
      />
    </Page>
  );
}

function List() {
  const { status, cursor } = route.useSearch();
  const filter = useFilter();
  const [restoring, setRestoring] = useState<Organization | null>(null);
  const [ending, setEnding] = useState<Organization | null>(null);
  const [entering, setEntering] = useState<Organization | null>(null);
  const query = useQuery(
    organizationsQuery({
      status: status as OrganizationFilter["status"],
      cursor,
      limit: pageSize,
    }),
  );
  const deleted = status === "deleted";
  return (
    <Panel>
      <Group p="sm">
        <SegmentedControl
          size="xs"
          aria-label={said.status}
          value={status ?? ""}
          onChange={(next) => filter({ status: next || undefined })}
          data={[
            { value: "", label: said.anyStatus },
            { value: "active", label: said.statuses.active },
            { value: "deleted", label: said.statuses.deleted },
          ]}
        />
      </Group>
      <DataTable
        caption={said.caption}
        columns={columns}
        query={query}
        rowKey={({ id }) => id}
        menu={(organization) => (
          <RowActions
            organization={organization}
            onRestore={setRestoring}
            onActIn={setEntering}
            onEndSessions={setEnding}
          />
        )}
        empty={
          <Empty
            icon={<IconBuildings size={22} stroke={1.6} />}
            title={deleted ? said.noneDeletedTitle : said.emptyTitle}
            text={deleted ? said.noneDeletedText : said.emptyText}
          />
        }
      />
      {entering ? <ActInDialog organization={entering} onClose={() => setEntering(null)} /> : null}
      {ending ? (
        <EndSessionsDialog
          whose={{ kind: "tenant", id: ending.id, name: ending.name }}
          onClose={() => setEnding(null)}
        />
      ) : null}
      {restoring ? <Restore organization={restoring} onClose={() => setRestoring(null)} /> : null}
    </Panel>
  );
}

const columns: Column<Organization>[] = [
  {
    key: "name",
    header: said.name,
    width: "38%",
    render: ({ name, slug }) => (
      <div>
        <Text inherit fw={550}>
          {name}
        </Text>
        <Text size="xs" c="dimmed">
          {slug}
        </Text>
      </div>
    ),
  },
  { key: "kind", header: said.kind, render: ({ kind }) => said.kinds[kind] },
  {
    key: "status",
    header: said.status,
    render: ({ status }) => (
      <Status tone={status === "active" ? "good" : "bad"}>{said.statuses[status]}</Status>
    ),
  },
  {
    key: "since",
    header: said.since,
    wideOnly: true,
    render: ({ created_at }) => <Time value={created_at} form="date" />,
  },
  {
    key: "purge",
    header: said.purge,
    render: ({ purge_after }) => <Time value={purge_after} form="date" />,
  },
];

interface RowActionsProps {
  organization: Organization;
  onRestore: (organization: Organization) => void;
  onActIn: (organization: Organization) => void;
  onEndSessions: (organization: Organization) => void;
}

function RowActions({ organization, onRestore, onActIn, onEndSessions }: RowActionsProps) {
  const me = useMe();
  const change = useSwitchOrganization();
  const actInNot = useWhyNot("acting_start");
  const restoreNot = useWhyNot("organizations_restore");
  const endNot = useWhyNot("tenant_sessions_end");
  const mine = me.organizations.some(({ id }) => id === organization.id);
  const deleted = organization.status === "deleted";
  const notHere = mine ? words.acting.actInOwn : deleted ? words.acting.actInDeleted : null;
  return (
    <RowMenu name={organization.name}>
      <GuardedItem
        reason={mine ? null : said.openNot}
        leftSection={<IconArrowsExchange size={16} aria-hidden="true" />}
        onClick={() => change.mutate({ id: organization.id })}
      >
        {said.open}
      </GuardedItem>
      <GuardedItem
        reason={actInNot ?? notHere}
        leftSection={<IconLifebuoy size={16} aria-hidden="true" />}
        onClick={() => onActIn(organization)}
      >
        {words.acting.actIn}
      </GuardedItem>
      <Menu.Divider />
      <GuardedItem
        reason={restoreNot ?? (deleted ? null : said.restoreNot)}
        leftSection={<IconRestore size={16} aria-hidden="true" />}
        onClick={() => onRestore(organization)}
      >
        {said.restore}
      </GuardedItem>
      <GuardedItem
        reason={endNot}
        color="red"
        leftSection={<IconLogout size={16} aria-hidden="true" />}
        onClick={() => onEndSessions(organization)}
      >
        {words.sessionEnds.everybody.ofTenant}
      </GuardedItem>
    </RowMenu>
  );
}

function Restore({ organization, onClose }: { organization: Organization; onClose: () => void }) {
  const params = { path: { organization_id: organization.id } };
  return (
    <ActDialog
      onClose={onClose}
      text={{
        title: said.restoreTitle(organization.name),
        effects: said.restoreEffects(organization.name),
        action: said.restore,
        done: said.restored(organization.name),
      }}
      run={() => take(api.POST("/v1/organizations/{organization_id}/restore", { params }))}
      refresh={[keys.organizations, keys.me]}
      harmless
    />
  );
}
