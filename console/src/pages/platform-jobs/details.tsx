/** A job's drawer: what it is, what can be done with it, and its runs. */
import { Stack, Text, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { jobRunsQuery } from "../../api/queries";
import type { Job } from "../../api/types";
import { CopyId, Details, Field, Fields } from "../../parts/details";
import { Person } from "../../parts/person";
import { Time } from "../../parts/time";
import { words } from "../../words";
import { JobButtons } from "./acts";
import { RunChart } from "./chart";
import { Cron } from "./cron";
import { History } from "./history";
import { scheduleText } from "./schedule";
import { JobState } from "./state";

const said = words.jobs;

interface JobDetailsProps {
  job: Job | undefined;
  opened: boolean;
  onClose: () => void;
  onPause: (job: Job) => void;
  onAsked: (run: string) => void;
}

export function JobDetails({ job, opened, onClose, onPause, onAsked }: JobDetailsProps) {
  return (
    <Details
      opened={opened}
      onClose={onClose}
      title={job?.title ?? words.common.details}
      size={600}
    >
      {job ? (
        <Stack key={job.name} gap="lg">
          <Text c="dimmed">{job.purpose}</Text>
          <JobButtons job={job} onPause={onPause} onAsked={onAsked} />
          <JobFields job={job} />
          <LastRuns name={job.name} />
          <History name={job.name} onAsked={onAsked} />
        </Stack>
      ) : (
        <Text c="dimmed">{words.problems.notFoundText}</Text>
      )}
    </Details>
  );
}

function JobFields({ job }: { job: Job }) {
  return (
    <Fields>
      <Field name={said.state}>
        <JobState job={job} />
        {job.dead_runs > 0 ? (
          <Text size="xs" c="dimmed">
            {said.failedText(job.dead_runs)}
          </Text>
        ) : null}
      </Field>
      {job.paused_at ? (
        <Field name={said.pausedSince}>
          <Time value={job.paused_at} />
        </Field>
      ) : null}
      {job.paused_by ? (
        <Field name={said.pausedBy}>
          <Person id={job.paused_by} label={said.pausedBy} />
        </Field>
      ) : null}
      <Field name={said.nextRun}>
        <Time value={job.next_run} absent={said.notPlanned} />
      </Field>
      <Field name={said.schedule}>
        {scheduleText(job.schedule)} <Cron line={job.schedule} />
      </Field>
      <Field name={said.name}>
        <CopyId value={job.name} label={said.name} />
      </Field>
    </Fields>
  );
}

/** The latest page of the history, whichever page of it is open. One bar alone says nothing. */
function LastRuns({ name }: { name: string }) {
  const ended = useQuery(jobRunsQuery(name)).data?.items.filter((run) => run.finished_at) ?? [];
  if (ended.length < 2) return null;
  return (
    <section>
      <Title order={3}>{said.chart(ended.length)}</Title>
      <Text c="dimmed" size="xs" mb="xs">
        {said.chartText}
      </Text>
      <RunChart runs={ended.toReversed()} />
    </section>
  );
}
