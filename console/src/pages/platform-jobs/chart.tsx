/** How long the last runs took and how they ended, a bar each. */
import type { JobRun } from "../../api/types";
import { BarChart, type ChartBar } from "../../parts/chart";
import { durationText } from "../../parts/time";
import { words } from "../../words";
import classes from "./jobs.module.css";
import { resultText } from "./state";

const said = words.jobs;
const moment = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });

/** Bars are not drawn wider than this many of them would be. */
const leastBars = 12;
/** Per cent of the height: that a run was is to be seen, however short it was. */
const leastHeight = 4;

const took = (run: JobRun) => run.duration_ms ?? 0;
const failed = (run: JobRun) => run.state === "dead";
const when = (run: JobRun) => moment.format(new Date(run.finished_at ?? run.fire_time));

function barOf(run: JobRun, top: number): ChartBar {
  const outcome = said.runStates[run.state];
  const duration = durationText(took(run));
  return {
    key: run.id,
    title: `${when(run)}: ${outcome}, ${duration}`,
    parts: [
      {
        tone: failed(run) ? "failed" : "done",
        height: Math.max(leastHeight, (took(run) / top) * 100),
      },
    ],
    cells: [when(run), outcome, duration, run.error ?? resultText(run) ?? words.common.none],
  };
}

/** Runs that have ended, the oldest first. */
export function RunChart({ runs }: { runs: JobRun[] }) {
  const top = Math.max(1, ...runs.map(took));
  const dead = runs.filter(failed).length;
  const [first, last] = [runs[0], runs.at(-1)];
  return (
    <BarChart
      bars={runs.map((run) => barOf(run, top))}
      atLeast={leastBars}
      axis={[first && runs.length >= leastBars ? when(first) : "", last ? when(last) : ""]}
      legend={{ done: said.runStates.succeeded, failed: said.runStates.dead }}
      total={said.chartTotal(runs.length - dead, dead, durationText(top))}
      heads={[said.ended, said.state, said.duration, said.result]}
      className={classes.chart}
    />
  );
}
