/** How jobs and runs are doing, in a word and a colour, and what a run did. */
import { Group, Text } from "@mantine/core";
import { isUnderWay } from "../../api/queries";
import type { Job, JobRun } from "../../api/types";
import { AlarmBadge, PlainBadge, Status, type Tone } from "../../parts/badges";
import { durationText, Time } from "../../parts/time";
import { words } from "../../words";

const said = words.jobs;

const runTones: Record<JobRun["state"], Tone> = {
  queued: "busy",
  running: "busy",
  succeeded: "good",
  dead: "bad",
};

export function RunStatus({ run }: { run: JobRun }) {
  if (isRetrying(run)) return <Status tone="warn">{said.states.again}</Status>;
  return <Status tone={runTones[run.state]}>{said.runStates[run.state]}</Status>;
}

/** Waiting for another attempt after one that failed. */
export function isRetrying(run: JobRun): boolean {
  return run.state === "queued" && run.attempts > 0;
}

/** A run that is under way says more than the schedule does. */
function Doing({ job }: { job: Job }) {
  const { last_run, paused_at } = job;
  if (last_run && isUnderWay(last_run)) return <RunStatus run={last_run} />;
  if (paused_at) return <Status tone="quiet">{said.states.paused}</Status>;
  return <Status tone="good">{said.states.scheduled}</Status>;
}

export function JobState({ job }: { job: Job }) {
  const pausedToo = job.paused_at && isUnderWay(job.last_run);
  return (
    <Group gap={8}>
      <Doing job={job} />
      {pausedToo ? <PlainBadge>{said.states.paused}</PlainBadge> : null}
      {job.dead_runs > 0 ? <AlarmBadge>{said.failed(job.dead_runs)}</AlarmBadge> : null}
    </Group>
  );
}

/** "12 letters"; null when it did nothing, or is not done. */
export function workText({ result }: JobRun): string | null {
  if (typeof result !== "object" || result === null) return null;
  const worth = Object.entries(result).filter(([, value]) => value !== 0);
  if (worth.length === 0) return null;
  return worth
    .map(([name, value]) =>
      typeof value === "number"
        ? said.counted(name, value)
        : said.other(name, typeof value === "string" ? value : JSON.stringify(value)),
    )
    .join(", ");
}

/** The same, with a word for nothing; null only while there is no result. */
export function resultText(run: JobRun): string | null {
  return workText(run) ?? (run.state === "succeeded" ? said.nothingToDo : null);
}

/** When a run was, or will be tried again, and how long it took. */
export function RunMoment({ run, form }: { run: JobRun; form: "relative" | "exact" }) {
  if (run.state === "running") {
    return (
      <>
        {said.runningSince} <Time value={run.started_at} form={form} />
      </>
    );
  }
  if (isRetrying(run)) {
    return (
      <>
        {said.triesAgain} <Time value={run.available_at} form={form} />
      </>
    );
  }
  if (run.state === "queued") return said.starting;
  return (
    <>
      <Time value={run.finished_at} form={form} />
      {run.duration_ms === undefined ? null : ` · ${durationText(run.duration_ms)}`}
    </>
  );
}

/** What a run did, or why it failed. Of one that begins anew, the old error says nothing. */
export function RunOutcome({ run }: { run: JobRun }) {
  if (run.error && (run.state === "dead" || isRetrying(run))) {
    return (
      <Text size="xs" c="var(--freehold-bad)" lineClamp={2} className="machine-text">
        {run.error}
      </Text>
    );
  }
  const text = resultText(run);
  if (!text) return null;
  return (
    <Text size="xs" c="dimmed">
      {text}
    </Text>
  );
}
