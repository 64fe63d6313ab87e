/** What happened over the last days, as charts, and what waits for somebody, as numbers. */
import { Group, SegmentedControl, SimpleGrid, Stack, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { overviewQuery } from "../../api/standing";
import type { OverviewDay, OverviewSpan } from "../../api/types";
import { BarChart } from "../../parts/chart";
import { useFilter } from "../../parts/filters";
import { Section } from "../../parts/page";
import { useOrganization } from "../../parts/permissions";
import { Failed, Loading } from "../../parts/states";
import { words } from "../../words";
import { dayName } from "./days";
import classes from "./overview.module.css";

const said = words.overview;
const route = getRouteApi("/signed-in/o/$organization/");
const spans: OverviewSpan[] = ["week", "month", "quarter"];

export function Figures() {
  const { id } = useOrganization();
  const filter = useFilter();
  const chosen = route.useSearch().span;
  const span = spans.find((one) => one === chosen) ?? "month";
  const query = useQuery(overviewQuery(id, span));
  const { data } = query;
  const number = (count: number) => (data && count >= data.most ? said.atLeast(count) : `${count}`);
  return (
    <Stack gap="lg">
      {data ? (
        <SimpleGrid cols={{ base: 1, xs: 3 }} spacing="md">
          <Waiting
            label={said.openAlerts}
            to="/o/$organization/alerts"
            count={number(data.open_alerts)}
          />
          <Waiting
            label={said.waiting}
            to="/o/$organization/sign-ups"
            count={number(data.waiting_sign_ups)}
          />
          <Waiting
            label={said.openInvitations}
            to="/o/$organization/invitations"
            count={number(data.pending_invitations)}
          />
        </SimpleGrid>
      ) : null}
      <Group justify="flex-end">
        <SegmentedControl
          size="xs"
          aria-label={said.span}
          value={span}
          onChange={(next) => filter({ span: next === "month" ? undefined : next })}
          data={spans.map((value) => ({ value, label: said.spans[value] }))}
        />
      </Group>
      {query.isPending ? <Loading rows={4} /> : null}
      {query.isError ? <Failed error={query.error} retry={() => void query.refetch()} /> : null}
      {data ? <Charts days={data.days} most={data.most} /> : null}
    </Stack>
  );
}

interface WaitingProps {
  label: string;
  to: "/o/$organization/alerts" | "/o/$organization/sign-ups" | "/o/$organization/invitations";
  count: string;
}

function Waiting({ label, to, count }: WaitingProps) {
  const { slug } = useOrganization();
  return (
    <div className={classes.tile}>
      <Link to={to} params={{ organization: slug }} search={{}} className={classes.tileLink}>
        {label}
      </Link>
      <span className={classes.number}>{count}</span>
    </div>
  );
}

interface ChartsProps {
  days: OverviewDay[];
  most: number;
}

function Charts({ days, most }: ChartsProps) {
  const busy = days.some(
    ({ sign_ins, failed_sign_ins }) => Math.max(sign_ins, failed_sign_ins) >= most,
  );
  return (
    <>
      {busy ? (
        <Text size="sm" c="dimmed">
          {said.bounded(most)}
        </Text>
      ) : null}
      <SimpleGrid cols={{ base: 1, md: 3 }} spacing="lg">
        <Section title={said.signIns}>
          <Days
            days={days}
            of={({ sign_ins, failed_sign_ins }) => [sign_ins, failed_sign_ins]}
            legend={{ done: said.succeeded, refused: said.failedSignIns }}
          />
        </Section>
        <Section title={said.active}>
          <Days
            days={days}
            of={({ active_people }) => [active_people, 0]}
            legend={{ done: said.people }}
          />
        </Section>
        <Section title={said.joinedDays}>
          <Days days={days} of={({ joined }) => [joined, 0]} legend={{ done: said.newMembers }} />
        </Section>
      </SimpleGrid>
    </>
  );
}

interface DaysProps {
  days: OverviewDay[];
  of: (day: OverviewDay) => [done: number, refused: number];
  legend: { done: string; refused?: string };
}

function Days({ days, of, legend }: DaysProps) {
  const numbers = days.map(of);
  const top = Math.max(1, ...numbers.map(([done, refused]) => done + refused));
  const sum = (at: 0 | 1) => numbers.reduce((total, pair) => total + pair[at], 0);
  const two = legend.refused !== undefined;
  return (
    <BarChart
      bars={days.map((day) => {
        const [done, refused] = of(day);
        return {
          key: day.date,
          parts: [
            { tone: "done" as const, height: (done / top) * 100 },
            { tone: "refused" as const, height: (refused / top) * 100 },
          ],
          title: said.ofDay(dayName(day.date), done + refused),
          cells: two ? [dayName(day.date), done, refused] : [dayName(day.date), done],
        };
      })}
      axis={[dayName(days[0]?.date), dayName(days.at(-1)?.date)]}
      legend={legend}
      total={two ? said.both(sum(0), sum(1)) : said.most(Math.max(0, ...numbers.map(([n]) => n)))}
      heads={two ? [said.day, legend.done, legend.refused ?? ""] : [said.day, legend.done]}
    />
  );
}
