/** What a platform admin can do with a job: run it now, pause it, resume it. */
import { Stack, Text } from "@mantine/core";
import { IconPlayerPause, IconPlayerPlay, IconRotate } from "@tabler/icons-react";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef } from "react";
import { api, take } from "../../api/client";
import { useIdempotent } from "../../api/idempotency";
import { isUnderWay, keys } from "../../api/queries";
import type { Job } from "../../api/types";
import { ActDialog } from "../../parts/act-dialog";
import { tell, tellFault, tellProblem } from "../../parts/notify";
import { GuardedButton, GuardedItem, RowMenu, useWhyNot } from "../../parts/permissions";
import { words } from "../../words";
import classes from "./jobs.module.css";
import { workText } from "./state";

const said = words.jobs;

/** Says what became of the runs that were asked for here, when they end. */
export function useOutcomes(jobs: Job[] | undefined): (run: string) => void {
  const asked = useRef(new Set<string>());
  useEffect(() => {
    for (const { title, last_run } of jobs ?? []) {
      if (!last_run || isUnderWay(last_run) || !asked.current.delete(last_run.id)) continue;
      if (last_run.state === "dead") tellFault(said.died(title), last_run.error ?? "");
      else tell(said.done(title, workText(last_run)));
    }
  }, [jobs]);
  return (run) => void asked.current.add(run);
}

function useActs(job: Job, onAsked: (run: string) => void) {
  const client = useQueryClient();
  const idempotent = useIdempotent();
  // Also after a refusal: what stands in the way is to be seen.
  const onSettled = () => client.invalidateQueries({ queryKey: keys.jobs });
  const params = { path: { job_name: job.name } };
  const run = useMutation({
    mutationFn: () =>
      idempotent(job.name, (key) =>
        take(
          api.POST("/v1/jobs/{job_name}/runs", {
            params: { ...params, header: { "Idempotency-Key": key } },
          }),
        ),
      ),
    onSuccess: ({ id }) => {
      tell(said.asked(job.title));
      onAsked(id);
    },
    onError: tellProblem,
    onSettled,
  });
  const resume = useMutation({
    mutationFn: () => take(api.POST("/v1/jobs/{job_name}/resume", { params })),
    onSuccess: () => tell(said.resumed(job.title)),
    onError: tellProblem,
    onSettled,
  });
  const runNot = useWhyNot("job_runs_create");
  const pauseNot = useWhyNot("jobs_pause");
  const resumeNot = useWhyNot("jobs_resume");
  return {
    run,
    resume,
    runNot: runNot ?? (isUnderWay(job.last_run) ? said.runNot : null),
    pauseNot,
    resumeNot,
  };
}

interface JobActsProps {
  job: Job;
  onPause: (job: Job) => void;
  onAsked: (run: string) => void;
}

function Explained({ name, text }: { name: string; text: string }) {
  return (
    <>
      {name}
      <Text span display="block" size="xs" c="dimmed">
        {text}
      </Text>
    </>
  );
}

export function JobMenu({ job, onPause, onAsked }: JobActsProps) {
  const acts = useActs(job, onAsked);
  return (
    <RowMenu name={job.title} width={280}>
      <GuardedItem
        reason={acts.runNot}
        leftSection={<IconPlayerPlay size={16} aria-hidden="true" />}
        onClick={() => acts.run.mutate()}
      >
        <Explained name={said.runNow} text={said.runNowText} />
      </GuardedItem>
      {job.paused_at ? (
        <GuardedItem
          reason={acts.resumeNot}
          leftSection={<IconRotate size={16} aria-hidden="true" />}
          onClick={() => acts.resume.mutate()}
        >
          <Explained name={said.resume} text={said.resumeText} />
        </GuardedItem>
      ) : (
        <GuardedItem
          reason={acts.pauseNot}
          leftSection={<IconPlayerPause size={16} aria-hidden="true" />}
          onClick={() => onPause(job)}
        >
          <Explained name={said.pause} text={said.pauseText} />
        </GuardedItem>
      )}
    </RowMenu>
  );
}

export function JobButtons({ job, onPause, onAsked }: JobActsProps) {
  const acts = useActs(job, onAsked);
  return (
    <Stack gap="xs">
      <div className={classes.act}>
        <GuardedButton
          size="xs"
          reason={acts.runNot}
          loading={acts.run.isPending}
          onClick={() => acts.run.mutate()}
        >
          {said.runNow}
        </GuardedButton>
        <Text size="xs" c="dimmed">
          {said.runNowText}
        </Text>
      </div>
      <div className={classes.act}>
        {job.paused_at ? (
          <GuardedButton
            size="xs"
            variant="default"
            reason={acts.resumeNot}
            loading={acts.resume.isPending}
            onClick={() => acts.resume.mutate()}
          >
            {said.resume}
          </GuardedButton>
        ) : (
          <GuardedButton
            size="xs"
            variant="default"
            reason={acts.pauseNot}
            onClick={() => onPause(job)}
          >
            {said.pause}
          </GuardedButton>
        )}
        <Text size="xs" c="dimmed">
          {job.paused_at ? said.resumeText : said.pauseText}
        </Text>
      </div>
    </Stack>
  );
}

export function PauseDialog({ job, onClose }: { job: Job; onClose: () => void }) {
  const params = { path: { job_name: job.name } };
  return (
    <ActDialog
      onClose={onClose}
      text={{
        title: said.pauseTitle(job.title),
        effects: said.pauseEffects(job.purpose),
        action: said.pauseAction,
        done: said.paused(job.title),
      }}
      run={() => take(api.POST("/v1/jobs/{job_name}/pause", { params }))}
      refresh={[keys.jobs]}
    />
  );
}
