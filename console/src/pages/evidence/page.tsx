/** How far the audit log is sealed, and what to take along to prove it elsewhere. */
import { Alert, Skeleton } from "@mantine/core";
import { IconClockExclamation, IconFileCertificate } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import {
  type AuditCheckpoint,
  type AuditSeals,
  checkpointsQuery,
  sealsQuery,
} from "../../api/evidence";
import { Fact, Facts } from "../../parts/facts";
import { Page, Section } from "../../parts/page";
import { Panel } from "../../parts/panel";
import { useOrganization, useWhyNot } from "../../parts/permissions";
import { Empty, Failed, Forbidden } from "../../parts/states";
import { type Column, DataTable } from "../../parts/table";
import { relativeTime, Time } from "../../parts/time";
import { words } from "../../words";
import { Files } from "./files";

const said = words.evidence;
const route = getRouteApi("/signed-in/o/$organization/evidence");

/** After how long it is said that entries wait: sealing takes seconds. */
const LATE = 60_000;

export default function EvidencePage() {
  const organization = useOrganization();
  const forbidden = useWhyNot("audit_seals_get");
  return (
    <Page title={said.title} purpose={said.purpose} place={organization.name}>
      {forbidden ? (
        <Panel>
          <Forbidden reason={forbidden} />
        </Panel>
      ) : (
        <Proof />
      )}
    </Page>
  );
}

function Proof() {
  const organization = useOrganization();
  const query = useQuery(sealsQuery(organization.id));
  if (query.isError) {
    return (
      <Panel>
        <Failed error={query.error} retry={() => void query.refetch()} />
      </Panel>
    );
  }
  return (
    <>
      <Section title={said.sealing} text={said.sealingText}>
        {query.data ? <State state={query.data} /> : <Skeleton height={56} />}
      </Section>
      <Files checkpoint={query.data?.checkpoint} />
      <Checkpoints latest={query.data?.checkpoint?.number} />
    </>
  );
}

function State({ state }: { state: AuditSeals }) {
  const { checkpoint, waiting, waiting_since, more_waiting } = state;
  const late = waiting_since && Date.now() - new Date(waiting_since).getTime() > LATE;
  return (
    <>
      {late || more_waiting ? (
        <Alert
          color="yellow"
          mb="md"
          icon={<IconClockExclamation size={18} aria-hidden="true" />}
          title={said.late}
        >
          {waiting_since ? said.lateText(relativeTime(new Date(waiting_since))) : said.lateMany}
        </Alert>
      ) : null}
      {checkpoint ? (
        <Facts note={checkpoint.complete_before ? said.noteComplete : said.noteSealed}>
          <Fact name={said.sealed}>{said.counted(checkpoint.count)}</Fact>
          <Fact name={said.checkpoint}>{said.checkpointOf(checkpoint.number)}</Fact>
          <Fact name={said.signedAt}>
            <Time value={checkpoint.sealed_at} />
          </Fact>
          <Fact name={said.waiting}>
            {waiting > 0 ? said.waitingSome(waiting, more_waiting) : said.waitingNone}
          </Fact>
          {checkpoint.complete_before ? (
            <Fact name={said.complete}>
              <Time value={checkpoint.complete_before} />
            </Fact>
          ) : null}
        </Facts>
      ) : (
        <Empty
          icon={<IconFileCertificate size={22} stroke={1.6} />}
          title={said.noneYet}
          text={said.noneYetText}
        />
      )}
    </>
  );
}

function Checkpoints({ latest }: { latest: number | undefined }) {
  const organization = useOrganization();
  const { cursor } = route.useSearch();
  const query = useQuery(checkpointsQuery(organization.id, cursor, latest));
  return (
    <Section title={said.checkpoints} text={said.checkpointsText} flush>
      <DataTable
        caption={said.caption}
        columns={columns}
        query={query}
        rowKey={({ number }) => String(number)}
        empty={
          <Empty
            icon={<IconFileCertificate size={22} stroke={1.6} />}
            title={said.emptyTitle}
            text={said.emptyText}
          />
        }
      />
    </Section>
  );
}

const columns: Column<AuditCheckpoint>[] = [
  { key: "number", header: said.number, render: ({ number }) => said.counted(number) },
  { key: "count", header: said.count, render: ({ count }) => said.counted(count) },
  {
    key: "head",
    header: said.head,
    wideOnly: true,
    render: ({ head }) => <code title={head}>{head.slice(0, 16)}…</code>,
  },
  {
    key: "signed",
    header: said.signedAt,
    width: 172,
    render: ({ sealed_at }) => <Time value={sealed_at} form="exact" />,
  },
];
