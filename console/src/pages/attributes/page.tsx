/** Profile attributes: the fields that the organisation declares for its members, in their order. */
import { Code, Group, Text } from "@mantine/core";
import { IconForms, IconPlus } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useState } from "react";
import { attributesQuery } from "../../api/queries";
import type { Attribute, Attributes } from "../../api/types";
import { PlainBadge } from "../../parts/badges";
import { useOpen } from "../../parts/filters";
import { Page } from "../../parts/page";
import { Panel } from "../../parts/panel";
import { GuardedButton, useOrganization, useWhyNot } from "../../parts/permissions";
import { SealedBadge } from "../../parts/profile/sealed";
import { Empty, Forbidden } from "../../parts/states";
import { type Column, DataTable, rowLink } from "../../parts/table";
import { words } from "../../words";
import { type Act, AttributeDialogs } from "./dialogs";
import { CreateDrawer, EditDrawer } from "./drawers";
import { AttributeMenu } from "./menu";

const said = words.attributes;
const route = getRouteApi("/signed-in/o/$organization/attributes");

export default function AttributesPage() {
  const organization = useOrganization();
  const { dialog } = route.useSearch();
  const open = useOpen();
  const forbidden = useWhyNot("attributes_get");
  const query = useQuery({ ...attributesQuery(organization.id), enabled: forbidden === null });
  const notAllowed = useWhyNot("attributes_create");
  const full = query.data && query.data.items.length >= query.data.most;
  const createNot = notAllowed ?? (full ? said.full(query.data.most) : null);
  const create = (
    <GuardedButton
      reason={createNot}
      onClick={() => open({ dialog: "create" })}
      leftSection={<IconPlus size={16} aria-hidden="true" />}
    >
      {said.create}
    </GuardedButton>
  );
  return (
    <Page title={said.title} purpose={said.purpose} place={organization.name} action={create}>
      <Panel>
        {forbidden ? <Forbidden reason={forbidden} /> : <List query={query} create={create} />}
      </Panel>
      {query.data ? (
        <CreateDrawer
          opened={dialog === "create" && createNot === null}
          scopes={query.data.scopes}
          onClose={() => open({ dialog: undefined })}
        />
      ) : null}
    </Page>
  );
}

interface ListProps {
  query: ReturnType<typeof useQuery<Attributes>>;
  create: React.ReactNode;
}

function List({ query, create }: ListProps) {
  const { open: opened } = route.useSearch();
  const open = useOpen();
  const [act, setAct] = useState<Act | null>(null);
  const items = query.data?.items ?? [];
  const current = items.find(({ id }) => id === opened);
  return (
    <>
      <DataTable
        caption={said.caption}
        columns={columns}
        query={query}
        rowKey={({ id }) => id}
        current={opened}
        menu={(attribute) => (
          <AttributeMenu attribute={attribute} last={items.length - 1} onAct={setAct} />
        )}
        empty={
          <Empty
            icon={<IconForms size={22} stroke={1.6} />}
            title={said.emptyTitle}
            text={said.emptyText}
            action={create}
          />
        }
      />
      <EditDrawer
        attribute={current}
        scopes={query.data?.scopes ?? []}
        onClose={() => open({ open: undefined })}
      />
      <AttributeDialogs act={act} onClose={() => setAct(null)} />
    </>
  );
}

const columns: Column<Attribute>[] = [
  {
    key: "attribute",
    header: said.attribute,
    width: "30%",
    render: ({ id, label, key }) => (
      <div>
        <Link
          to="."
          search={(now: Record<string, unknown>) => ({ ...now, open: id })}
          className={rowLink}
        >
          {label}
        </Link>
        <Text size="xs" c="dimmed">
          <Code fz="xs" className="machine-text">
            {key}
          </Code>
        </Text>
      </div>
    ),
  },
  { key: "type", header: said.type, render: ({ type }) => said.types[type] },
  { key: "sees", header: said.sees, render: ({ visible_to }) => said.audiences[visible_to] },
  {
    key: "edits",
    header: said.edits,
    wideOnly: true,
    render: ({ editable_by }) => said.audiences[editable_by],
  },
  {
    key: "marks",
    header: said.marks,
    render: ({ archived_at, required, searchable, sealed_in }) =>
      archived_at || required || searchable || sealed_in ? (
        <Group gap={6}>
          {archived_at ? <PlainBadge>{said.archived}</PlainBadge> : null}
          {required ? <PlainBadge>{said.required}</PlainBadge> : null}
          {searchable ? <PlainBadge>{said.searchable}</PlainBadge> : null}
          {sealed_in ? <SealedBadge scope={sealed_in} /> : null}
        </Group>
      ) : (
        words.common.none
      ),
  },
];
