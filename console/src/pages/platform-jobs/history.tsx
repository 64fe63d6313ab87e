/** A job's runs, the latest first; each opens to all that is known of it. */
import { Accordion, Anchor, Stack, Text, Title } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { api, take } from "../../api/client";
import { instancesQuery, jobRunsQuery, keys } from "../../api/queries";
import type { JobRun } from "../../api/types";
import { CopyId, Field, Fields } from "../../parts/details";
import { useOpen } from "../../parts/filters";
import { tell, tellProblem } from "../../parts/notify";
import { GuardedButton, useWhyNot } from "../../parts/permissions";
import { Person } from "../../parts/person";
import { Failed, Loading } from "../../parts/states";
import { Pager } from "../../parts/table";
import { durationText, Time } from "../../parts/time";
import { words } from "../../words";
import classes from "./jobs.module.css";
import { isRetrying, RunMoment, RunOutcome, RunStatus, resultText } from "./state";

const said = words.jobs;
const route = getRouteApi("/signed-in/platform/jobs");

interface HistoryProps {
  name: string;
  onAsked: (run: string) => void;
}

export function History({ name, onAsked }: HistoryProps) {
  const { cursor, run: opened } = route.useSearch();
  const open = useOpen();
  const query = useQuery(jobRunsQuery(name, cursor));
  const runs = query.data?.items ?? [];
  return (
    <section aria-busy={query.isPlaceholderData}>
      <Title order={3} mb={4}>
        {said.history}
      </Title>
      {query.isPending ? <Loading rows={4} /> : null}
      {query.isError ? <Failed error={query.error} retry={() => void query.refetch()} /> : null}
      {query.isSuccess && runs.length === 0 ? <Text c="dimmed">{said.historyNone}</Text> : null}
      <Accordion
        order={4}
        value={opened ?? null}
        onChange={(run) => open({ run: run ?? undefined })}
        classNames={{
          item: classes.item,
          control: classes.control,
          label: classes.label,
          content: classes.panel,
        }}
      >
        {runs.map((run) => (
          <Accordion.Item key={run.id} value={run.id}>
            <Accordion.Control>
              <span className={classes.run}>
                <RunStatus run={run} />
                <span>
                  <RunMoment run={run} form="exact" />
                </span>
                <span className={classes.outcome}>
                  <RunOutcome run={run} />
                </span>
              </span>
            </Accordion.Control>
            <Accordion.Panel>
              {run.id === opened ? <RunDetails run={run} onAsked={onAsked} /> : null}
            </Accordion.Panel>
          </Accordion.Item>
        ))}
      </Accordion>
      <Pager next={query.data?.next_cursor ?? null} />
    </section>
  );
}

function RunDetails({ run, onAsked }: { run: JobRun; onAsked: (run: string) => void }) {
  return (
    <Stack gap="sm">
      <Fields>
        <Field name={said.cause}>{said.causes[run.cause]}</Field>
        {run.requested_by ? (
          <Field name={said.requestedBy}>
            <Person id={run.requested_by} label={said.requestedBy} />
          </Field>
        ) : null}
        <Field name={said.fireTime}>
          <Time value={run.fire_time} form="exact" />
        </Field>
        <Field name={said.attempts}>{run.attempts.toLocaleString()}</Field>
        {isRetrying(run) ? (
          <Field name={said.available}>
            <Time value={run.available_at} form="exact" />
          </Field>
        ) : null}
        <Field name={said.started}>
          <Time value={run.started_at} form="exact" absent={words.common.never} />
        </Field>
        <Field name={said.ended}>
          <Time value={run.finished_at} form="exact" />
        </Field>
        <Field name={said.duration}>
          {run.duration_ms === undefined ? words.common.none : durationText(run.duration_ms)}
        </Field>
        <Field name={said.result}>{resultText(run) ?? words.common.none}</Field>
        {run.error ? (
          <Field name={said.error}>
            <Text c="var(--freehold-bad)" inherit className={`machine-text ${classes.error}`}>
              {run.error}
            </Text>
          </Field>
        ) : null}
        {run.instance_id ? (
          <Field name={said.instance}>
            <RunInstance id={run.instance_id} />
          </Field>
        ) : null}
        <Field name={said.term}>{run.term?.toLocaleString() ?? words.common.none}</Field>
        <Field name={said.runId}>
          <CopyId value={run.id} label={said.runId} />
        </Field>
      </Fields>
      {run.state === "dead" ? <Retry run={run} onAsked={onAsked} /> : null}
    </Stack>
  );
}

/** By its machine's name while it is on the list; instances that stopped are not. */
function RunInstance({ id }: { id: string }) {
  const query = useQuery({ ...instancesQuery, refetchInterval: false, staleTime: 60_000 });
  const instance = query.data?.items.find((one) => one.id === id);
  return (
    <>
      {instance ? (
        <Anchor component={Link} to="/platform/instances" inherit className="machine-text">
          {instance.name}
        </Anchor>
      ) : null}
      {query.isSuccess && !instance ? said.instanceGone : null}
      <CopyId value={id} label={said.instance} />
    </>
  );
}

function Retry({ run, onAsked }: { run: JobRun; onAsked: (run: string) => void }) {
  const client = useQueryClient();
  const reason = useWhyNot("job_runs_retry");
  const retry = useMutation({
    mutationFn: () =>
      take(api.POST("/v1/job-runs/{run_id}/retry", { params: { path: { run_id: run.id } } })),
    onSuccess: ({ id }) => {
      tell(said.retried);
      onAsked(id);
    },
    onError: tellProblem,
    onSettled: () => client.invalidateQueries({ queryKey: keys.jobs }),
  });
  return (
    <div className={classes.act}>
      <GuardedButton
        size="xs"
        variant="default"
        reason={reason}
        loading={retry.isPending}
        onClick={() => retry.mutate()}
      >
        {said.retry}
      </GuardedButton>
      <Text size="xs" c="dimmed">
        {said.retryText}
      </Text>
    </div>
  );
}
