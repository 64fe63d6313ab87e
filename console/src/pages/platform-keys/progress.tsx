/** Third: how far a rotation is, for whoever looks; pausing it and letting it go on. */
import { Button, Group, Progress, Stack, Text, Timeline, VisuallyHidden } from "@mantine/core";
import { IconCheck } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { api, take } from "../../api/client";
import { Problem } from "../../api/problem";
import { keyRotationQuery, keys } from "../../api/queries";
import type { DataKeys, KeyRotation } from "../../api/types";
import { CopyId, Field, Fields } from "../../parts/details";
import { tell, tellProblem } from "../../parts/notify";
import { GuardedButton, useWhyNot } from "../../parts/permissions";
import { Person } from "../../parts/person";
import { Failed, Loading } from "../../parts/states";
import { durationText, Time } from "../../parts/time";
import { words } from "../../words";
import { Hints } from "./hints";
import { RotationStatus } from "./history";
import classes from "./keys.module.css";
import { order, shareOf, usePace, versionOf } from "./rotation";

const said = words.keys.progress;

interface RotationProgressProps {
  id: string;
  inventory: DataKeys;
  onClose: () => void;
}

export function RotationProgress({ id, inventory, onClose }: RotationProgressProps) {
  const query = useQuery(keyRotationQuery(id));
  const client = useQueryClient();
  const step = query.data?.step;
  // What stands behind the dialog changes with each step.
  useEffect(() => {
    if (!step) return;
    void client.invalidateQueries({ queryKey: [...keys.dataKeys, "list"] });
    void client.invalidateQueries({ queryKey: [...keys.keyRotations, "list"] });
  }, [client, step]);
  if (query.data) {
    return <Known rotation={query.data} inventory={inventory} onClose={onClose} />;
  }
  if (query.isPending) return <Loading rows={5} />;
  const gone = query.error instanceof Problem && [404, 422].includes(query.error.status);
  if (gone) return <Text>{words.keys.wizard.notFound}</Text>;
  return <Failed error={query.error} retry={() => void query.refetch()} />;
}

interface KnownProps {
  rotation: KeyRotation & { answered_at: string };
  inventory: DataKeys;
  onClose: () => void;
}

function Known({ rotation, inventory, onClose }: KnownProps) {
  const { from_key, to_key, step } = rotation;
  const [from, to] = [versionOf(inventory.items, from_key), versionOf(inventory.items, to_key)];
  const acts = useActs(rotation);
  return (
    <Stack gap="lg">
      <Stack gap={6}>
        <Group justify="space-between">
          <Text fw={600}>{words.keys.wizard.change(from, to)}</Text>
          <RotationStatus rotation={rotation} />
        </Group>
        <Measured rotation={rotation} />
      </Stack>
      <Hints rotation={rotation} inventory={inventory} from={from} resume={acts.resume} />
      <StepList rotation={rotation} />
      <Facts rotation={rotation} />
      <Group justify="space-between" gap="xs">
        <Text size="xs" c="dimmed" flex="1 1 220px">
          {step === "finished" ? null : said.closeText}
        </Text>
        <Group gap="xs">
          {step === "finished" ? null : <PauseButton rotation={rotation} acts={acts} />}
          <Button variant="default" onClick={onClose}>
            {words.common.close}
          </Button>
        </Group>
      </Group>
    </Stack>
  );
}

function useActs({ id, scope }: KeyRotation) {
  const client = useQueryClient();
  const name = words.keys.scopeName(scope);
  const params = { path: { key_rotation_id: id } };
  const onSettled = () =>
    Promise.all([
      client.invalidateQueries({ queryKey: [...keys.keyRotations, "one", id] }),
      client.invalidateQueries({ queryKey: [...keys.keyRotations, "list"] }),
      client.invalidateQueries({ queryKey: keys.jobs }),
    ]);
  const pause = useMutation({
    mutationFn: () => take(api.POST("/v1/key-rotations/{key_rotation_id}/pause", { params })),
    onSuccess: () => tell(said.paused(name)),
    onError: tellProblem,
    onSettled,
  });
  const resume = useMutation({
    mutationFn: () => take(api.POST("/v1/key-rotations/{key_rotation_id}/resume", { params })),
    onSuccess: () => tell(said.resumed(name)),
    onError: tellProblem,
    onSettled,
  });
  return { pause, resume };
}

interface PauseButtonProps {
  rotation: KeyRotation;
  acts: ReturnType<typeof useActs>;
}

function PauseButton({ rotation, acts: { pause, resume } }: PauseButtonProps) {
  const pauseNot = useWhyNot("key_rotations_pause");
  const resumeNot = useWhyNot("key_rotations_resume");
  if (rotation.paused) {
    return (
      <GuardedButton reason={resumeNot} loading={resume.isPending} onClick={() => resume.mutate()}>
        {said.resume}
      </GuardedButton>
    );
  }
  return (
    <GuardedButton
      variant="default"
      reason={pauseNot}
      loading={pause.isPending}
      onClick={() => pause.mutate()}
    >
      {said.pause}
    </GuardedButton>
  );
}

function Measured({ rotation }: { rotation: KeyRotation }) {
  const { values_done, values_total, passes, step, started_at, finished_at } = rotation;
  const share = shareOf(rotation);
  const pace = usePace(rotation);
  const left = pace ? ((values_total - values_done) / pace) * 1000 : null;
  return (
    <>
      <Progress.Root size="md">
        <Progress.Section
          value={share * 100}
          aria-label={said.bar}
          animated={step === "migrating" && !rotation.paused}
        />
      </Progress.Root>
      <div className={classes.measured}>
        <span>{said.share(step === "finished" ? values_total : values_done, values_total)}</span>
        {pace ? <span>{said.rate(pace)}</span> : null}
        {left ? <span>{said.left(durationText(Math.max(1_000, left)))}</span> : null}
        {finished_at ? (
          <span>
            {said.took(
              durationText(new Date(finished_at).getTime() - new Date(started_at).getTime()),
            )}
          </span>
        ) : null}
        <span className={classes.percent}>{said.percent(share)}</span>
      </div>
      {step === "migrating" && passes > 0 ? (
        <Text size="xs" c="dimmed">
          {said.pass(passes)}
        </Text>
      ) : null}
    </>
  );
}

function StepList({ rotation: { step } }: { rotation: KeyRotation }) {
  const at = order.indexOf(step);
  const over = step === "finished";
  return (
    <>
      <VisuallyHidden role="status">
        {said.step(at + 1, order.length, said.steps[step].name)}
      </VisuallyHidden>
      <Timeline role="list" active={at} bulletSize={22} lineWidth={2} className={classes.timeline}>
        {order.map((name, index) => {
          const state = index < at || over ? "done" : index === at ? "now" : "next";
          return (
            <Timeline.Item
              key={name}
              className={classes.timelineItem}
              role="listitem"
              aria-current={state === "now" ? "step" : undefined}
              data-next={state === "next" || undefined}
              bullet={state === "done" ? <IconCheck size={13} stroke={3} /> : null}
              title={
                <Text span size="sm" fw={state === "now" ? 650 : 550}>
                  {said.steps[name].name}
                  <VisuallyHidden component="span">: {said.states[state]}</VisuallyHidden>
                </Text>
              }
            >
              <Text size="xs" c="dimmed">
                {said.steps[name].text}
              </Text>
            </Timeline.Item>
          );
        })}
      </Timeline>
    </>
  );
}

function Facts({ rotation }: { rotation: KeyRotation }) {
  const { id, started_at, started_by, updated_at, finished_at } = rotation;
  return (
    <Fields>
      {started_by ? (
        <Field name={said.startedBy}>
          <Person id={started_by} label={said.startedBy} />
        </Field>
      ) : null}
      <Field name={said.startedAt}>
        <Time value={started_at} form="exact" />
      </Field>
      <Field name={finished_at ? said.finishedAt : said.movedAt}>
        <Time value={finished_at ?? updated_at} form="exact" />
      </Field>
      <Field name={said.id}>
        <CopyId value={id} label={said.id} />
      </Field>
    </Fields>
  );
}
