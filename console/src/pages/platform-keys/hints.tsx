/** Why a rotation does not come further, and what helps. One thing at a time, the gravest first. */
import { Alert, Anchor, Group, Stack, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { fromAfar, isUnderWay, jobsQuery } from "../../api/queries";
import type { DataKeys, Job, KeyRotation } from "../../api/types";
import { allowed, GuardedButton, useMe, useWhyNot } from "../../parts/permissions";
import { Time } from "../../parts/time";
import { words } from "../../words";
import classes from "./keys.module.css";

const said = words.keys.progress;

/** The job that does the work, by its name in the contract's list of jobs. */
const jobName = "keys_rotate";

/** Milliseconds without a step further before something is said about it. */
const waits = 2_000;
const idles = 10_000;

interface HintsProps {
  rotation: KeyRotation & { answered_at: string };
  inventory: DataKeys;
  /** The version of the old key. */
  from: string;
  resume: { mutate: () => void; isPending: boolean };
}

export function Hints({ rotation, inventory, from, resume }: HintsProps) {
  const me = useMe();
  const going = rotation.step !== "finished" && !rotation.paused;
  const jobs = useQuery({
    ...jobsQuery,
    enabled: going && allowed(me, "jobs_list"),
    refetchInterval: fromAfar,
  });
  const job = jobs.data?.items.find(({ name }) => name === jobName);
  if (rotation.step === "finished") {
    return (
      <Alert color="pine" variant="light" title={said.doneTitle}>
        {said.doneText(from)}
      </Alert>
    );
  }
  if (rotation.paused) {
    return (
      <Alert variant="default" title={said.pausedTitle}>
        {said.pausedText}
      </Alert>
    );
  }
  const silent = new Date(rotation.answered_at).getTime() - new Date(rotation.updated_at).getTime();
  const stuck = job ? stuckOf(job, silent) : null;
  if (job && stuck) return <Stuck job={job} kind={stuck} resume={resume} />;
  const { acknowledged, instances } = inventory;
  if (acknowledged < instances && silent >= waits) {
    return (
      <Alert color="yellow" variant="light" title={said.waitsTitle(acknowledged, instances)}>
        <Stack gap={6} align="flex-start">
          <Text>{said.waitsText}</Text>
          <Anchor component={Link} to="/platform/instances" size="sm">
            {said.toInstances}
          </Anchor>
        </Stack>
      </Alert>
    );
  }
  return null;
}

type Kind = "failed" | "retry" | "idle";

function stuckOf({ last_run }: Job, silent: number): Kind | null {
  if (last_run?.state === "dead") return "failed";
  if (last_run?.state === "queued" && last_run.attempts > 0) return "retry";
  return !isUnderWay(last_run) && silent >= idles ? "idle" : null;
}

interface StuckProps {
  job: Job;
  kind: Kind;
  resume: HintsProps["resume"];
}

const texts: Record<Kind, { color: string; title: string; text: string }> = {
  failed: { color: "red", title: said.failedTitle, text: said.failedText },
  retry: { color: "yellow", title: said.retryTitle, text: said.retryText },
  idle: { color: "yellow", title: said.idleTitle, text: said.idleText },
};

function Stuck({ job, kind, resume }: StuckProps) {
  const resumeNot = useWhyNot("key_rotations_resume");
  const { color, title, text } = texts[kind];
  const when: Record<Kind, ReactNode> = {
    failed: null,
    retry: <Time value={job.last_run?.available_at} form="relative" />,
    idle: <Time value={job.next_run} form="relative" absent={words.jobs.notPlanned} />,
  };
  return (
    <Alert color={color} variant="light" title={title} role={kind === "failed" ? "alert" : "group"}>
      <Stack gap={6}>
        {job.last_run?.error && kind !== "idle" ? (
          <Text className={`machine-text ${classes.error}`}>{job.last_run.error}</Text>
        ) : null}
        <Text>
          {text} {when[kind]}
        </Text>
        <Group gap="md">
          {kind === "retry" ? null : (
            <GuardedButton
              size="compact-sm"
              variant="default"
              reason={resumeNot}
              loading={resume.isPending}
              onClick={() => resume.mutate()}
            >
              {said.goOn}
            </GuardedButton>
          )}
          <Anchor
            size="sm"
            renderRoot={(props) => (
              <Link {...props} to="/platform/jobs" search={{ open: jobName }} />
            )}
          >
            {said.toJobs}
          </Anchor>
        </Group>
      </Stack>
    </Alert>
  );
}
