/** How long the last runs took and how they ended, a bar each. */
import { Group, Text, VisuallyHidden } from "@mantine/core";
import type { JobRun } from "../../api/types";
import chart from "../../parts/chart.module.css";
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

function bar(run: JobRun) {
  return {
    id: run.id,
    failed: run.state === "dead",
    took: run.duration_ms ?? 0,
    when: moment.format(new Date(run.finished_at ?? run.fire_time)),
    outcome: said.runStates[run.state],
    result: run.error ?? resultText(run) ?? words.common.none,
  };
}

/** Runs that have ended, the oldest first. */
export function RunChart({ runs }: { runs: JobRun[] }) {
  const bars = runs.map(bar);
  const top = Math.max(1, ...bars.map(({ took }) => took));
  const width = 100 / Math.max(leastBars, bars.length);
  const failed = bars.filter((one) => one.failed).length;
  return (
    <figure className={chart.figure}>
      <svg
        viewBox="0 0 100 100"
        preserveAspectRatio="none"
        className={`${chart.chart} ${classes.chart}`}
        aria-hidden="true"
      >
        {[25, 50, 75].map((y) => (
          <line key={y} x1="0" x2="100" y1={y} y2={y} className={chart.grid} />
        ))}
        {bars.map((one, index) => {
          const height = Math.max(leastHeight, (one.took / top) * 100);
          return (
            <rect
              key={one.id}
              className={chart.bar}
              data-key={one.failed ? "failed" : undefined}
              x={100 - (bars.length - index) * width + width * 0.18}
              width={width * 0.64}
              y={100 - height}
              height={height}
            >
              <title>{`${one.when}: ${one.outcome}, ${durationText(one.took)}`}</title>
            </rect>
          );
        })}
      </svg>
      <Group justify="space-between" aria-hidden="true" className={chart.axis}>
        <span>{bars.length >= leastBars ? bars[0]?.when : ""}</span>
        <span>{bars.at(-1)?.when}</span>
      </Group>
      <figcaption>
        <Group gap="md" className={chart.legend}>
          <span data-key="done">{said.runStates.succeeded}</span>
          <span data-key="failed">{said.runStates.dead}</span>
          <Text span size="xs" c="dimmed" ml="auto">
            {said.chartTotal(bars.length - failed, failed, durationText(top))}
          </Text>
        </Group>
      </figcaption>
      <VisuallyHidden>
        <table>
          <thead>
            <tr>
              <th scope="col">{said.ended}</th>
              <th scope="col">{said.state}</th>
              <th scope="col">{said.duration}</th>
              <th scope="col">{said.result}</th>
            </tr>
          </thead>
          <tbody>
            {bars.map((one) => (
              <tr key={one.id}>
                <th scope="row">{one.when}</th>
                <td>{one.outcome}</td>
                <td>{durationText(one.took)}</td>
                <td>{one.result}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </VisuallyHidden>
    </figure>
  );
}
