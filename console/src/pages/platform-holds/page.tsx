/** Legal holds: which organisations' records have to be kept, since when and why. */
import { Text, Textarea } from "@mantine/core";
import { IconGavel } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useState } from "react";
import { api, take } from "../../api/client";
import { keys, pageSize, tenantsQuery } from "../../api/queries";
import { legalHoldsQuery } from "../../api/standing";
import type { LegalHold } from "../../api/types";
import { ActDialog } from "../../parts/act-dialog";
import { Status } from "../../parts/badges";
import { useOpen } from "../../parts/filters";
import { check } from "../../parts/forms";
import { Page } from "../../parts/page";
import { Panel } from "../../parts/panel";
import { GuardedButton, GuardedItem, RowMenu, useWhyNot } from "../../parts/permissions";
import { PlatformForbidden } from "../../parts/platform-only";
import { Empty } from "../../parts/states";
import { type Column, DataTable } from "../../parts/table";
import { Time } from "../../parts/time";
import { words } from "../../words";
import { PlaceDialog } from "./place";

const said = words.holds;
const route = getRouteApi("/signed-in/platform/holds");

export default function HoldsPage() {
  const { dialog } = route.useSearch();
  const open = useOpen();
  const forbidden = useWhyNot("legal_holds_list");
  const placeNot = useWhyNot("legal_holds_create");
  return (
    <Page
      title={said.title}
      purpose={said.purpose}
      place={words.shell.platform}
      action={
        <GuardedButton
          reason={placeNot}
          onClick={() => open({ dialog: "place" })}
          leftSection={<IconGavel size={16} aria-hidden="true" />}
        >
          {said.place}
        </GuardedButton>
      }
    >
      {forbidden ? <PlatformForbidden back="/platform/holds" /> : <List />}
      <PlaceDialog
        opened={dialog === "place" && placeNot === null}
        onClose={() => open({ dialog: undefined })}
      />
    </Page>
  );
}

function List() {
  const { cursor } = route.useSearch();
  const releaseNot = useWhyNot("legal_holds_release");
  const [releasing, setReleasing] = useState<LegalHold | null>(null);
  const query = useQuery(legalHoldsQuery({ cursor, limit: pageSize }));
  const tenants = useQuery(tenantsQuery);
  const name = (id: string) => tenants.data?.find((tenant) => tenant.id === id)?.name ?? id;
  return (
    <Panel>
      <DataTable
        caption={said.caption}
        columns={columns(name)}
        query={query}
        rowKey={({ id }) => id}
        menu={(hold) =>
          hold.released_at ? null : (
            <RowMenu name={said.actions(name(hold.organization_id))}>
              <GuardedItem reason={releaseNot} onClick={() => setReleasing(hold)}>
                {said.release}
              </GuardedItem>
            </RowMenu>
          )
        }
        empty={
          <Empty
            icon={<IconGavel size={22} stroke={1.6} />}
            title={said.emptyTitle}
            text={said.emptyText}
          />
        }
      />
      {releasing ? (
        <Release
          hold={releasing}
          name={name(releasing.organization_id)}
          onClose={() => setReleasing(null)}
        />
      ) : null}
    </Panel>
  );
}

interface ReleaseProps {
  hold: LegalHold;
  name: string;
  onClose: () => void;
}

function Release({ hold, name, onClose }: ReleaseProps) {
  const [reason, setReason] = useState("");
  const [missing, setMissing] = useState<string | null>(null);
  return (
    <ActDialog
      text={{
        title: said.releaseTitle(name),
        effects: said.releaseEffects,
        action: said.release,
        done: said.releasedDone,
      }}
      run={() =>
        take(
          api.POST("/v1/legal-holds/{legal_hold_id}/release", {
            params: { path: { legal_hold_id: hold.id } },
            body: { reason: reason.trim() },
          }),
        )
      }
      check={() => {
        const wrong = check.required(reason);
        setMissing(wrong);
        return wrong === null;
      }}
      refresh={[keys.legalHolds]}
      onClose={onClose}
    >
      <Textarea
        label={said.reason}
        description={said.reasonHint}
        maxLength={500}
        autosize
        minRows={2}
        required
        value={reason}
        error={missing}
        onChange={(event) => setReason(event.currentTarget.value)}
      />
    </ActDialog>
  );
}

const columns = (name: (id: string) => string): Column<LegalHold>[] => [
  {
    key: "organization",
    header: said.organization,
    width: "24%",
    render: ({ organization_id }) => (
      <Text inherit fw={550}>
        {name(organization_id)}
      </Text>
    ),
  },
  { key: "reason", header: said.reason, width: "32%", render: ({ reason }) => reason ?? "" },
  { key: "placed", header: said.placed, render: ({ placed_at }) => <Time value={placed_at} /> },
  {
    key: "released",
    header: said.released,
    render: ({ released_at }) => (released_at ? <Time value={released_at} /> : ""),
  },
  {
    key: "state",
    header: said.state,
    render: ({ released_at }) => (
      <Status tone={released_at ? "quiet" : "warn"}>
        {released_at ? said.over : said.standing}
      </Status>
    ),
  },
];
