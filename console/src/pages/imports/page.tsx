/** Imports of people: the list, and the ways to a new one and to what became of one. */
import { Text } from "@mantine/core";
import { IconTableImport, IconUpload } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { fromAfar, importsQuery, pageSize } from "../../api/queries";
import type { Import } from "../../api/types";
import { useOpen } from "../../parts/filters";
import { Page } from "../../parts/page";
import { Panel } from "../../parts/panel";
import { GuardedButton, useOrganization, useWhyNot } from "../../parts/permissions";
import { Empty, Forbidden } from "../../parts/states";
import { type Column, DataTable, rowLink } from "../../parts/table";
import { Time } from "../../parts/time";
import { words } from "../../words";
import { ImportDetails } from "./details";
import { NewImport } from "./new";
import { Counts, ImportStatus, isUnderWay } from "./state";

const said = words.imports;
const route = getRouteApi("/signed-in/o/$organization/imports");

export default function ImportsPage() {
  const organization = useOrganization();
  const { dialog, open: opened } = route.useSearch();
  const open = useOpen();
  const forbidden = useWhyNot("imports_list");
  const createNot = useWhyNot("imports_create");
  const makes = organization.kind === "platform" ? "accounts" : "invitations";
  const start = () => open({ dialog: "new" });
  return (
    <Page
      title={said.title}
      purpose={said.purpose[makes]}
      place={organization.name}
      action={
        <GuardedButton
          reason={createNot}
          onClick={start}
          leftSection={<IconUpload size={16} aria-hidden="true" />}
        >
          {said.start}
        </GuardedButton>
      }
    >
      <Panel>
        {forbidden ? <Forbidden reason={forbidden} /> : <List reason={createNot} onNew={start} />}
      </Panel>
      <NewImport
        makes={makes}
        opened={dialog === "new" && createNot === null}
        onClose={() => open({ dialog: undefined })}
        onUploaded={(id) => open({ dialog: undefined, open: id })}
      />
      {forbidden ? null : <ImportDetails id={opened} />}
    </Page>
  );
}

function List({ reason, onNew }: { reason: string | null; onNew: () => void }) {
  const { cursor, open: opened } = route.useSearch();
  const organization = useOrganization();
  const query = useQuery({
    ...importsQuery(organization.id, { cursor, limit: pageSize }),
    refetchInterval: ({ state }) => (state.data?.items.some(isUnderWay) ? fromAfar : false),
  });
  return (
    <DataTable
      caption={said.caption}
      columns={columns}
      query={query}
      rowKey={({ id }) => id}
      current={opened}
      empty={
        <Empty
          icon={<IconTableImport size={22} stroke={1.6} />}
          title={said.emptyTitle}
          text={said.emptyText}
          action={
            <GuardedButton reason={reason} onClick={onNew} variant="default">
              {said.start}
            </GuardedButton>
          }
        />
      }
    />
  );
}

const columns: Column<Import>[] = [
  {
    key: "begun",
    header: said.begun,
    width: "32%",
    render: ({ id, created_at }) => (
      <Link
        to="."
        search={(now: Record<string, unknown>) => ({ ...now, open: id })}
        className={rowLink}
      >
        <Time value={created_at} />
      </Link>
    ),
  },
  { key: "state", header: said.state, render: (row) => <ImportStatus row={row} /> },
  { key: "outcome", header: said.outcome, render: (row) => <Counts row={row} /> },
  {
    key: "size",
    header: said.bytes,
    wideOnly: true,
    render: ({ bytes }) => <Text inherit>{said.size(bytes)}</Text>,
  },
];
