/** What happened lately: a small chart by day, and the latest entries. */
import { Anchor, Group, Text, VisuallyHidden } from "@mantine/core";
import type { UseQueryResult } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { AuditEntry, Page } from "../../api/types";
import { OutcomeStatus } from "../../parts/badges";
import chart from "../../parts/chart.module.css";
import { Section } from "../../parts/page";
import { useOrganization } from "../../parts/permissions";
import { Failed, Loading } from "../../parts/states";
import { Time } from "../../parts/time";
import { words } from "../../words";
import { actorName } from "../audit/actor";
import classes from "./overview.module.css";

const said = words.overview;

export const activityDays = 14;

/** The first instant of the chart's first day; the same all day, so that it can be a cache key. */
export function activityFrom(): string {
  const now = new Date();
  return new Date(
    now.getFullYear(),
    now.getMonth(),
    now.getDate() - activityDays + 1,
  ).toISOString();
}

interface Day {
  date: Date;
  done: number;
  refused: number;
}

/** Entries by day in the viewer's zone, oldest first. Days before the oldest known entry go. */
function byDay(entries: AuditEntry[], complete: boolean): Day[] {
  const start = new Date(activityFrom());
  const days: Day[] = Array.from({ length: activityDays }, (_, index) => ({
    date: new Date(start.getFullYear(), start.getMonth(), start.getDate() + index),
    done: 0,
    refused: 0,
  }));
  const byDate = new Map(days.map((day) => [day.date.toDateString(), day]));
  for (const entry of entries) {
    const day = byDate.get(new Date(entry.occurred_at).toDateString());
    if (day) day[entry.outcome === "success" ? "done" : "refused"] += 1;
  }
  const oldest = entries.at(-1);
  if (complete || !oldest) return days;
  const known = new Date(oldest.occurred_at);
  return days.filter(({ date }) => date >= new Date(known.toDateString()));
}

interface QueryProps {
  query: UseQueryResult<Page<AuditEntry>>;
}

export function Activity({ query }: QueryProps) {
  const partial = Boolean(query.data?.next_cursor);
  const entries = query.data?.items ?? [];
  return (
    <Section
      title={said.activity}
      text={partial ? said.activityPartial(entries.length) : said.activityText(activityDays)}
    >
      {query.isPending ? <Loading rows={4} /> : null}
      {query.isError ? <Failed error={query.error} retry={() => void query.refetch()} /> : null}
      {query.data ? <Chart days={byDay(entries, !partial)} /> : null}
    </Section>
  );
}

const dayName = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });

function Chart({ days }: { days: Day[] }) {
  const top = Math.max(1, ...days.map(({ done, refused }) => done + refused));
  const done = days.reduce((sum, day) => sum + day.done, 0);
  const refused = days.reduce((sum, day) => sum + day.refused, 0);
  const width = 100 / days.length;
  const height = (count: number) => (count / top) * 100;
  return (
    <figure className={chart.figure}>
      <svg
        viewBox="0 0 100 100"
        preserveAspectRatio="none"
        className={chart.chart}
        aria-hidden="true"
      >
        {[25, 50, 75].map((y) => (
          <line key={y} x1="0" x2="100" y1={y} y2={y} className={chart.grid} />
        ))}
        {days.map((day, index) => (
          <g key={day.date.getTime()}>
            <rect
              className={chart.bar}
              x={index * width + width * 0.18}
              width={width * 0.64}
              y={100 - height(day.done)}
              height={height(day.done)}
            />
            <rect
              className={chart.bar}
              data-key="refused"
              x={index * width + width * 0.18}
              width={width * 0.64}
              y={100 - height(day.done + day.refused)}
              height={height(day.refused)}
            />
          </g>
        ))}
      </svg>
      <Group justify="space-between" aria-hidden="true" className={chart.axis}>
        <span>{dayName.format(days[0]?.date)}</span>
        <span>{dayName.format(days.at(-1)?.date)}</span>
      </Group>
      <figcaption>
        <Group gap="md" className={chart.legend}>
          <span data-key="done">{said.activityDone}</span>
          <span data-key="refused">{said.activityRefused}</span>
          <Text span size="xs" c="dimmed" ml="auto">
            {said.activityTotal(done, refused)}
          </Text>
        </Group>
      </figcaption>
      <VisuallyHidden>
        <table>
          <thead>
            <tr>
              <th scope="col">{said.day}</th>
              <th scope="col">{said.activityDone}</th>
              <th scope="col">{said.activityRefused}</th>
            </tr>
          </thead>
          <tbody>
            {days.map((day) => (
              <tr key={day.date.getTime()}>
                <th scope="row">{dayName.format(day.date)}</th>
                <td>{day.done}</td>
                <td>{day.refused}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </VisuallyHidden>
    </figure>
  );
}

export function Recent({ query }: QueryProps) {
  const { slug } = useOrganization();
  const entries = query.data?.items.slice(0, 8) ?? [];
  return (
    <Section
      title={said.recent}
      flush
      action={
        <Anchor component={Link} to={`/o/${slug}/audit`} size="sm">
          {said.seeAll}
        </Anchor>
      }
    >
      {query.isPending ? <Loading rows={5} /> : null}
      {query.isError ? <Failed error={query.error} retry={() => void query.refetch()} /> : null}
      {query.data && entries.length === 0 ? (
        <Text c="dimmed" px="md" pb="md">
          {said.activityNone}
        </Text>
      ) : null}
      <ul className={classes.recent}>
        {entries.map((entry) => (
          <li key={entry.id}>
            <Link
              to="/o/$organization/audit"
              params={{ organization: slug }}
              search={{ open: entry.id }}
              className={classes.recentLink}
            >
              {entry.title}
            </Link>
            <Text span size="sm" c="dimmed" className={classes.recentActor}>
              {actorName(entry)}
            </Text>
            <Text span size="sm" className={classes.recentOutcome}>
              <OutcomeStatus outcome={entry.outcome} />
            </Text>
            <Text span size="xs" c="dimmed" className={classes.recentTime}>
              <Time value={entry.occurred_at} form="relative" />
            </Text>
          </li>
        ))}
      </ul>
    </Section>
  );
}
