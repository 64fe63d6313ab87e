/** What happened lately: a small chart by day, and the latest entries. */
import { Anchor, Text } from "@mantine/core";
import type { UseQueryResult } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { AuditEntry, Page } from "../../api/types";
import { OutcomeStatus } from "../../parts/badges";
import { BarChart } from "../../parts/chart";
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
  const height = (count: number) => (count / top) * 100;
  return (
    <BarChart
      bars={days.map((day) => ({
        key: day.date.toISOString(),
        parts: [
          { tone: "done", height: height(day.done) },
          { tone: "refused", height: height(day.refused) },
        ],
        cells: [dayName.format(day.date), day.done, day.refused],
      }))}
      axis={[dayName.format(days[0]?.date), dayName.format(days.at(-1)?.date)]}
      legend={{ done: said.activityDone, refused: said.activityRefused }}
      total={said.activityTotal(done, refused)}
      heads={[said.day, said.activityDone, said.activityRefused]}
    />
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
