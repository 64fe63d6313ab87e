/** What runs by itself: how each job is doing, running one now, pausing one. */
import { Text } from "@mantine/core";
import { IconClockPlay } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useState } from "react";
import { jobsQuery } from "../../api/queries";
import type { Job } from "../../api/types";
import { useOpen } from "../../parts/filters";
import { Page } from "../../parts/page";
import { Panel } from "../../parts/panel";
import { useWhyNot } from "../../parts/permissions";
import { PlatformForbidden } from "../../parts/platform-only";
import { Empty } from "../../parts/states";
import { type Column, DataTable, rowLink } from "../../parts/table";
import { Time } from "../../parts/time";
import { words } from "../../words";
import { JobMenu, PauseDialog, useOutcomes } from "./acts";
import { Cron } from "./cron";
import { JobDetails } from "./details";
import { scheduleText } from "./schedule";
import { JobState, RunMoment, RunOutcome } from "./state";

const said = words.jobs;
const route = getRouteApi("/signed-in/platform/jobs");

export default function JobsPage() {
  const forbidden = useWhyNot("jobs_list");
  return (
    <Page title={said.title} purpose={said.purpose} place={words.shell.platform}>
      {forbidden ? <PlatformForbidden back="/platform/jobs" /> : <List />}
    </Page>
  );
}

function List() {
  const { open: opened } = route.useSearch();
  const open = useOpen();
  const query = useQuery(jobsQuery);
  const [pausing, setPausing] = useState<Job | null>(null);
  const watch = useOutcomes(query.data?.items);
  return (
    <Panel>
      <DataTable
        caption={said.caption}
        columns={columns}
        query={query}
        rowKey={({ name }) => name}
        current={opened}
        menu={(job) => <JobMenu job={job} onPause={() => setPausing(job)} onAsked={watch} />}
        empty={
          <Empty
            icon={<IconClockPlay size={22} stroke={1.6} />}
            title={said.emptyTitle}
            text={said.emptyText}
          />
        }
      />
      <JobDetails
        job={query.data?.items.find(({ name }) => name === opened)}
        opened={opened !== undefined && query.isSuccess}
        onClose={() => open({ open: undefined, run: undefined, cursor: undefined })}
        onPause={setPausing}
        onAsked={watch}
      />
      {pausing ? <PauseDialog job={pausing} onClose={() => setPausing(null)} /> : null}
    </Panel>
  );
}

const columns: Column<Job>[] = [
  {
    key: "job",
    header: said.job,
    width: "31%",
    render: ({ name, title, purpose }) => (
      <div>
        <Link
          to="."
          search={(now: Record<string, unknown>) => ({
            ...now,
            open: name,
            run: undefined,
            cursor: undefined,
          })}
          className={rowLink}
        >
          {title}
        </Link>
        <Text size="xs" c="dimmed">
          {purpose}
        </Text>
      </div>
    ),
  },
  { key: "state", header: said.state, render: (job) => <JobState job={job} /> },
  {
    key: "last",
    header: said.lastRun,
    width: "20%",
    render: ({ last_run }) =>
      last_run ? (
        <div>
          <RunMoment run={last_run} form="relative" />
          <RunOutcome run={last_run} />
        </div>
      ) : (
        <Time absent={said.never} />
      ),
  },
  {
    key: "next",
    header: said.nextRun,
    render: ({ next_run }) => <Time value={next_run} form="relative" absent={said.notPlanned} />,
  },
  {
    key: "schedule",
    header: said.schedule,
    width: "18%",
    render: ({ schedule }) => (
      <div>
        {scheduleText(schedule)}
        <div>
          <Cron line={schedule} />
        </div>
      </div>
    ),
  },
];
