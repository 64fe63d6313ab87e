/**
 * A row of bars over time, each of one or more parts on top of each other. For who can't see it there
 * is the same as a table.
 */
import { Group, Text, VisuallyHidden } from "@mantine/core";
import type { ReactNode } from "react";
import classes from "./chart.module.css";

type Tone = "done" | "refused" | "failed";

export interface ChartBar {
  key: string;
  /** From the ground up; heights in per cent of the chart. */
  parts: { tone: Tone; height: number }[];
  /** Shown while the pointer rests on it. */
  title?: string;
  /** Its row of the table, the first cell as its head. */
  cells: ReactNode[];
}

interface BarChartProps {
  bars: ChartBar[];
  /** Bars are not drawn wider than this many of them would be; they stand on the right. */
  atLeast?: number;
  /** What is written below the first and the last bar. */
  axis: [first: ReactNode, last: ReactNode];
  legend: Partial<Record<Tone, string>>;
  /** All in one line. */
  total: string;
  heads: string[];
  className?: string;
}

export function BarChart(props: BarChartProps) {
  const { bars, axis, legend, total, heads } = props;
  return (
    <figure className={classes.figure}>
      <Drawing {...props} />
      <Group justify="space-between" aria-hidden="true" className={classes.axis}>
        <span>{axis[0]}</span>
        <span>{axis[1]}</span>
      </Group>
      <figcaption>
        <Group gap="md" className={classes.legend}>
          {Object.entries(legend).map(([tone, name]) => (
            <span key={tone} data-key={tone}>
              {name}
            </span>
          ))}
          <Text span size="xs" c="dimmed" ml="auto">
            {total}
          </Text>
        </Group>
      </figcaption>
      <VisuallyHidden>
        <table>
          <thead>
            <tr>
              {heads.map((head) => (
                <th key={head} scope="col">
                  {head}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {bars.map(({ key, cells }) => (
              <tr key={key}>
                <th scope="row">{cells[0]}</th>
                {heads.slice(1).map((head, index) => (
                  <td key={head}>{cells[index + 1]}</td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </VisuallyHidden>
    </figure>
  );
}

function Drawing({ bars, atLeast = 1, className }: BarChartProps) {
  const width = 100 / Math.max(atLeast, bars.length);
  return (
    <svg
      viewBox="0 0 100 100"
      preserveAspectRatio="none"
      className={className ? `${classes.chart} ${className}` : classes.chart}
      aria-hidden="true"
    >
      {[25, 50, 75].map((y) => (
        <line key={y} x1="0" x2="100" y1={y} y2={y} className={classes.grid} />
      ))}
      {bars.map((bar, index) => (
        <g key={bar.key}>
          {bar.title ? <title>{bar.title}</title> : null}
          {bar.parts.map(({ tone, height }, part) => {
            const below = bar.parts.slice(0, part).reduce((sum, one) => sum + one.height, 0);
            return (
              <rect
                key={tone}
                className={classes.bar}
                data-key={tone}
                x={100 - (bars.length - index) * width + width * 0.18}
                width={width * 0.64}
                y={100 - below - height}
                height={height}
              />
            );
          })}
        </g>
      ))}
    </svg>
  );
}
