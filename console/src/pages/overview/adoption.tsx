/** How many people have a second factor: by role, by method, and day by day. */
import {
  Badge,
  Group,
  SegmentedControl,
  SimpleGrid,
  Stack,
  Text,
  Title,
  Tooltip,
} from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { type ReactNode, useState } from "react";
import { adoptionQuery } from "../../api/standing";
import type { AdoptionDay, AdoptionRole, AdoptionSpan } from "../../api/types";
import { Bars } from "../../parts/bars";
import { BarChart } from "../../parts/chart";
import { Section } from "../../parts/page";
import { allowed, roleName, useMe, useOrganization } from "../../parts/permissions";
import { Failed, Loading } from "../../parts/states";
import { words } from "../../words";
import { dayName } from "./days";
import classes from "./overview.module.css";

const said = words.adoption;
const spans: AdoptionSpan[] = ["month", "quarter", "year"];

export function Adoption() {
  const { id } = useOrganization();
  const [span, setSpan] = useState<AdoptionSpan>("quarter");
  const query = useQuery(adoptionQuery(id, span));
  const { data } = query;
  return (
    <Section
      title={said.title}
      text={said.text}
      action={
        <SegmentedControl
          size="xs"
          aria-label={`${said.title}: ${said.span}`}
          value={span}
          onChange={(next) => setSpan(spans.find((one) => one === next) ?? span)}
          data={spans.map((value) => ({ value, label: said.spans[value] }))}
        />
      }
    >
      {query.isPending ? <Loading rows={4} /> : null}
      {query.isError ? <Failed error={query.error} retry={() => void query.refetch()} /> : null}
      {data && data.counted_at === undefined ? <Text c="dimmed">{said.notCounted}</Text> : null}
      {data?.counted_at ? (
        <SimpleGrid cols={{ base: 1, md: 3 }} spacing="xl">
          <Part title={said.byRole}>
            <ByRole roles={data.roles} />
          </Part>
          <Part title={said.byMethod}>
            <ByMethod roles={data.roles} />
          </Part>
          <Part title={said.overTime}>
            <OverTime days={data.days} />
          </Part>
        </SimpleGrid>
      ) : null}
    </Section>
  );
}

function Part({ title, children }: { title: string; children: ReactNode }) {
  return (
    <Stack gap="sm">
      <Title order={3}>{title}</Title>
      {children}
    </Stack>
  );
}

function ByRole({ roles }: { roles: AdoptionRole[] }) {
  const missing = roles.reduce((sum, { people, enrolled }) => sum + people - enrolled, 0);
  return (
    <>
      <Bars
        label={said.byRole}
        bars={roles.map(({ role, required, people, enrolled }) => ({
          key: role,
          count: enrolled,
          of: people,
          said: said.share(enrolled, people),
          name: <RoleOf role={role} required={required} />,
        }))}
      />
      <Text size="sm" c="dimmed">
        {missing === 0 ? said.everybody : said.missing(missing)}
        {missing > 0 ? <SeeWho /> : null}
      </Text>
    </>
  );
}

function RoleOf({ role, required }: { role: string; required: boolean }) {
  return (
    <Group gap={6} wrap="nowrap">
      <span>{roleName(role)}</span>
      {required ? (
        <Tooltip label={said.requiredText}>
          <Badge size="xs" variant="light" color="gray" tt="none">
            {said.required}
          </Badge>
        </Tooltip>
      ) : null}
    </Group>
  );
}

/** The access list has them by name. */
function SeeWho() {
  const { slug } = useOrganization();
  const me = useMe();
  if (!allowed(me, "organization_policies_get")) return null;
  return (
    <>
      {" · "}
      <Link
        to="/o/$organization/policies"
        params={{ organization: slug }}
        search={{ tab: "holders", factor: "none" }}
        className={classes.seeWho}
      >
        {said.see}
      </Link>
    </>
  );
}

function ByMethod({ roles }: { roles: AdoptionRole[] }) {
  const counts = new Map(Object.keys(said.methods).map((method) => [method, 0]));
  for (const { methods } of roles) {
    for (const { method, people } of methods)
      counts.set(method, (counts.get(method) ?? 0) + people);
  }
  const all = roles.reduce((sum, { people }) => sum + people, 0);
  const nobody = [...counts.values()].every((count) => count === 0);
  return (
    <>
      <Bars
        label={said.byMethod}
        bars={[...counts].map(([method, count]) => ({
          key: method,
          count,
          of: Math.max(1, all),
          name: said.methods[method] ?? method,
        }))}
      />
      {nobody ? (
        <Text size="sm" c="dimmed">
          {said.noMethod}
        </Text>
      ) : null}
    </>
  );
}

function OverTime({ days }: { days: AdoptionDay[] }) {
  const top = Math.max(1, ...days.map(({ people }) => people));
  const last = days.at(-1);
  return (
    <>
      <BarChart
        bars={days.map(({ date, people, enrolled }) => ({
          key: date,
          parts: [
            { tone: "done" as const, height: (enrolled / top) * 100 },
            { tone: "refused" as const, height: ((people - enrolled) / top) * 100 },
          ],
          title: said.ofDay(dayName(date), enrolled, people),
          cells: [dayName(date), enrolled, people - enrolled],
        }))}
        atLeast={14}
        axis={[days.length > 1 ? dayName(days[0]?.date) : "", dayName(last?.date)]}
        legend={{ done: said.withOne, refused: said.without }}
        total={last ? said.share(last.enrolled, last.people) : ""}
        heads={[words.overview.day, said.withOne, said.without]}
      />
      {days.length < 2 ? (
        <Text size="xs" c="dimmed">
          {said.firstDay}
        </Text>
      ) : null}
    </>
  );
}
