/** What is derived from a rotation's numbers: its share, its speed, what is left. */
import { useEffect, useState } from "react";
import type { DataKey, KeyRotation } from "../../api/types";
import { words } from "../../words";

/** In the order in which a rotation goes through them. */
export const order: KeyRotation["step"][] = [
  "announcing",
  "migrating",
  "verifying",
  "closing",
  "finished",
];

/** From 0 to 1. What has nothing to seal is done when its step is. */
export function shareOf({ step, values_done, values_total }: KeyRotation): number {
  if (step === "finished") return 1;
  if (values_total === 0) return order.indexOf(step) > order.indexOf("migrating") ? 1 : 0;
  return Math.min(1, values_done / values_total);
}

/** The version of a key, as text; keys are never forgotten, so that it is there. */
export function versionOf(keys: DataKey[], id: string): string {
  return keys.find((key) => key.id === id)?.version.toString() ?? words.common.none;
}

interface Sample {
  /** By the server's clock, in milliseconds. */
  at: number;
  done: number;
}

/** How far back the speed is measured, in milliseconds. */
const lookBack = 30_000;

/** Values a second, measured while one looks; null until there is something to measure. */
export function usePace(rotation: KeyRotation): number | null {
  const { id, paused, step, updated_at, values_done } = rotation;
  const [samples, setSamples] = useState<Sample[]>([]);
  const measured = step === "migrating" && !paused;
  // biome-ignore lint/correctness/useExhaustiveDependencies: another rotation begins anew
  useEffect(() => setSamples([]), [id, measured]);
  useEffect(() => {
    if (!measured) return;
    const next = { at: new Date(updated_at).getTime(), done: values_done };
    setSamples((now) => [
      ...now.filter(
        ({ at, done }) => next.at - at <= lookBack && at < next.at && done <= next.done,
      ),
      next,
    ]);
  }, [measured, updated_at, values_done]);
  const [first, last] = [samples[0], samples.at(-1)];
  if (!first || !last || last.at <= first.at || last.done <= first.done) return null;
  return ((last.done - first.done) / (last.at - first.at)) * 1000;
}
