/** How many gained, changed and lost something, by day or week. */
import { BarChart } from "../../parts/chart";
import { words } from "../../words";
import type { Span } from "./changes";

const said = words.policies.history;
const dayName = new Intl.DateTimeFormat(undefined, {
  day: "numeric",
  month: "short",
  year: "numeric",
});

/** Fewer bars than these would be as wide as doors. */
const atLeast = 14;

export function Timeline({ spans, weekly }: { spans: Span[]; weekly: boolean }) {
  const sum = (kind: "granted" | "changed" | "lost") =>
    spans.reduce((total, span) => total + span[kind], 0);
  const top = Math.max(1, ...spans.map((span) => span.granted + span.changed + span.lost));
  const height = (count: number) => (count / top) * 100;
  return (
    <BarChart
      bars={spans.map(({ start, granted, changed, lost }) => ({
        key: start.toISOString(),
        title: `${dayName.format(start)}: ${said.total(granted, changed, lost)}`,
        parts: [
          { tone: "done", height: height(granted) },
          { tone: "refused", height: height(changed) },
          { tone: "failed", height: height(lost) },
        ],
        cells: [dayName.format(start), granted, changed, lost],
      }))}
      atLeast={atLeast}
      axis={[
        spans.length < atLeast ? "" : dayName.format(spans[0]?.start),
        dayName.format(spans.at(-1)?.start),
      ]}
      legend={{ done: said.granted, refused: said.changedOne, failed: said.lost }}
      total={said.total(sum("granted"), sum("changed"), sum("lost"))}
      heads={[weekly ? said.week : said.day, said.granted, said.changedOne, said.lost]}
    />
  );
}
