/** The approval queue: who signed up and waits, and what became of those who did. */
import { Button, CopyButton, Group, Text } from "@mantine/core";
import { IconCheck, IconLink, IconUserQuestion } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useState } from "react";
import { pageSize, type SignUpFilter, signUpsQuery } from "../../api/queries";
import type { SignUpRequest } from "../../api/types";
import { Status, type Tone } from "../../parts/badges";
import { ChoiceFilter, choicesOf, FilterBar } from "../../parts/filters";
import { Page } from "../../parts/page";
import { Panel } from "../../parts/panel";
import { GuardedButton, useOrganization, useWhyNot } from "../../parts/permissions";
import { Empty, Forbidden } from "../../parts/states";
import { type Column, DataTable } from "../../parts/table";
import { Time } from "../../parts/time";
import { words } from "../../words";
import { type Act, RequestDialog, RequestMenu } from "./acts";

const said = words.signUps;
const route = getRouteApi("/signed-in/o/$organization/sign-ups");

export default function SignUpsPage() {
  const organization = useOrganization();
  const forbidden = useWhyNot("sign_up_requests_list");
  const platform = organization.kind === "platform";
  return (
    <Page
      title={platform ? said.platformTitle : said.title}
      purpose={platform ? said.platformPurpose : said.purpose}
      place={organization.name}
      action={<CopyLink organization={platform ? null : organization.slug} />}
    >
      <Panel>{forbidden ? <Forbidden reason={forbidden} /> : <List />}</Panel>
    </Page>
  );
}

/** Where people sign up: to be sent to them, or put on one's own page. */
function CopyLink({ organization }: { organization: string | null }) {
  const query = organization ? `?organization=${organization}` : "";
  return (
    <CopyButton value={`${window.location.origin}/sign-up${query}`}>
      {({ copied, copy }) => (
        <Button
          variant="default"
          leftSection={
            copied ? (
              <IconCheck size={16} aria-hidden="true" />
            ) : (
              <IconLink size={16} aria-hidden="true" />
            )
          }
          onClick={copy}
        >
          {copied ? said.linkCopied : said.copyLink}
        </Button>
      )}
    </CopyButton>
  );
}

function List() {
  const { status, cursor } = route.useSearch();
  const organization = useOrganization();
  const [act, setAct] = useState<Act | null>(null);
  const filter = { status: status as SignUpFilter["status"] };
  const query = useQuery(signUpsQuery(organization.id, { ...filter, cursor, limit: pageSize }));
  const settings =
    organization.kind === "platform" ? "/platform/settings" : `/o/${organization.slug}/security`;
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
        columns={[...columns, decision(setAct)]}
        query={query}
        rowKey={({ id }) => id}
        menu={(request) => <RequestMenu request={request} onAct={setAct} />}
        empty={
          <Empty
            icon={<IconUserQuestion size={22} stroke={1.6} />}
            title={status ? words.common.noMatchTitle : said.emptyTitle}
            text={status ? words.common.noMatchText : said.emptyText}
            action={
              status ? undefined : (
                <Button component={Link} to={settings} variant="default">
                  {said.toSettings}
                </Button>
              )
            }
          />
        }
      />
      <RequestDialog act={act} onClose={() => setAct(null)} />
    </>
  );
}

const tones: Record<SignUpRequest["status"], Tone> = {
  pending: "warn",
  approved: "good",
  rejected: "quiet",
  expired: "quiet",
};

const columns: Column<SignUpRequest>[] = [
  {
    key: "person",
    header: said.person,
    width: "34%",
    render: ({ name, email }) => (
      <div>
        <Text inherit fw={550}>
          {name}
        </Text>
        <Text size="xs" c="dimmed">
          {email}
        </Text>
      </div>
    ),
  },
  {
    key: "status",
    header: said.status,
    render: ({ status }) => <Status tone={tones[status]}>{said.statuses[status]}</Status>,
  },
  {
    key: "since",
    header: said.since,
    render: ({ created_at }) => <Time value={created_at} form="relative" />,
  },
];

/** For those who wait the decision, for the others who made it. */
function decision(onAct: (act: Act) => void): Column<SignUpRequest> {
  return {
    key: "decision",
    header: said.decided,
    width: "28%",
    render: (request) =>
      request.status === "pending" ? (
        <Decide request={request} onAct={onAct} />
      ) : (
        <Group gap={6}>
          <Time value={request.decided_at} form="relative" absent={words.common.none} />
          {request.decided_by ? (
            <Text size="xs" c="dimmed">
              {request.decided_by.name}
            </Text>
          ) : null}
        </Group>
      ),
  };
}

function Decide({ request, onAct }: { request: SignUpRequest; onAct: (act: Act) => void }) {
  const approve = useWhyNot("sign_up_requests_approve");
  const reject = useWhyNot("sign_up_requests_reject");
  return (
    <Group gap={8} wrap="nowrap">
      <GuardedButton
        size="compact-sm"
        variant="light"
        reason={approve}
        onClick={() => onAct({ kind: "approve", request })}
      >
        {said.approve}
      </GuardedButton>
      <GuardedButton
        size="compact-sm"
        variant="default"
        reason={reject}
        onClick={() => onAct({ kind: "reject", request })}
      >
        {said.reject}
      </GuardedButton>
    </Group>
  );
}
