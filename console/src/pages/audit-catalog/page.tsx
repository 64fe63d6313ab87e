/** The catalogue of events: what the record can say, and what each of it means. */
import { Anchor, Code, Stack, Table, Text, Title } from "@mantine/core";
import { IconFileText } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { eventTypesQuery } from "../../api/event-types";
import type { EventClass, KnownEvent, Severity } from "../../api/types";
import { PlainBadge, SeverityBadge } from "../../parts/badges";
import { Details, Field, Fields } from "../../parts/details";
import { ChoiceFilter, choicesOf, FilterBar, TextFilter, useOpen } from "../../parts/filters";
import { Page } from "../../parts/page";
import { Panel } from "../../parts/panel";
import { useOrganization } from "../../parts/permissions";
import { Empty } from "../../parts/states";
import { type Column, DataTable, rowLink } from "../../parts/table";
import { words } from "../../words";

const said = words.audit.catalog;
const route = getRouteApi("/signed-in/o/$organization/audit/events");

interface CatalogSearch {
  text?: string;
  severity?: string;
  class?: string;
}

const names = ["text", "severity", "class"] as const;

export default function AuditCatalogPage() {
  const organization = useOrganization();
  const search = route.useSearch();
  const query = useQuery({
    ...eventTypesQuery(organization.id),
    select: (types) => ({ items: types.filter((type) => fits(type, search)) }),
  });
  return (
    <Page title={said.title} purpose={said.purpose} place={organization.name}>
      <Anchor component={Link} to="/o/$organization/audit" size="sm">
        {said.back}
      </Anchor>
      <Panel>
        <FilterBar active={names.filter((name) => search[name])}>
          <TextFilter name="text" value={search.text} label={said.find} />
          <ChoiceFilter
            name="severity"
            value={search.severity}
            label={words.audit.severity}
            any={words.audit.anySeverity}
            choices={choicesOf(words.audit.severities)}
          />
          <ChoiceFilter
            name="class"
            value={search.class}
            label={words.audit.class}
            any={words.audit.anyClass}
            choices={choicesOf(words.audit.classes)}
          />
        </FilterBar>
        <DataTable
          caption={said.caption}
          columns={columns}
          query={query}
          rowKey={({ code }) => code}
          current={search.open}
          empty={
            <Empty
              icon={<IconFileText size={22} stroke={1.6} />}
              title={words.common.noMatchTitle}
              text={words.common.noMatchText}
            />
          }
        />
      </Panel>
      <TypeDetails code={search.open} />
    </Page>
  );
}

function fits(type: KnownEvent, { text, severity, class: kept }: CatalogSearch): boolean {
  const wanted = (text ?? "").toLowerCase().split(/\s+/);
  const own = `${type.code} ${type.title} ${type.meaning}`.toLowerCase();
  const said = wanted.every((word) => own.includes(word));
  return said && (!severity || type.severity === severity) && (!kept || type.class === kept);
}

const columns: Column<KnownEvent>[] = [
  {
    key: "event",
    header: words.audit.event,
    width: "32%",
    render: ({ code, title, product, retired }) => (
      <div>
        <Link
          to="."
          search={(now: Record<string, unknown>) => ({ ...now, open: code })}
          className={rowLink}
        >
          {title}
        </Link>
        <Text size="xs" c="dimmed" ff="monospace">
          {code}
        </Text>
        {product ? <PlainBadge>{retired ? said.retired : said.product}</PlainBadge> : null}
      </div>
    ),
  },
  {
    key: "meaning",
    header: words.audit.meaning,
    wideOnly: true,
    render: ({ meaning }) => <Text size="sm">{meaning}</Text>,
  },
  {
    key: "severity",
    header: words.audit.severity,
    render: ({ severity }) => <SeverityBadge severity={severity as Severity} />,
  },
  {
    key: "class",
    header: words.audit.class,
    render: ({ class: kept }) => words.audit.classes[kept as EventClass],
  },
];

function TypeDetails({ code }: { code: string | undefined }) {
  const organization = useOrganization();
  const open = useOpen();
  const type = useQuery(eventTypesQuery(organization.id)).data?.find((one) => one.code === code);
  return (
    <Details
      opened={code !== undefined}
      onClose={() => open({ open: undefined })}
      title={type?.title ?? words.common.details}
    >
      {type ? (
        <Stack gap="md">
          <Text>{type.meaning}</Text>
          <Fields>
            <Field name={words.audit.code}>
              <Code fz="xs">{type.code}</Code>
            </Field>
            <Field name={words.audit.severity}>
              <SeverityBadge severity={type.severity as Severity} />
            </Field>
            <Field name={words.audit.class}>{words.audit.classes[type.class as EventClass]}</Field>
            <Field name={said.home}>{said.homes[type.home]}</Field>
            {type.product ? (
              <Field name={said.declaredBy}>
                {type.retired ? said.retiredText : said.byProduct}
              </Field>
            ) : null}
            <Field name={words.audit.target}>{type.target_type}</Field>
          </Fields>
          <div>
            <Title order={3} mb={6}>
              {said.details}
            </Title>
            <Table fz="sm" aria-label={said.details}>
              <Table.Tbody>
                {type.details.map(({ name, meaning, personal }) => (
                  <Table.Tr key={`${name}-${personal}`}>
                    <Table.Th scope="row" fw={400}>
                      <Code fz="xs">{name}</Code>
                    </Table.Th>
                    <Table.Td>
                      {meaning} {personal ? <PlainBadge>{said.personal}</PlainBadge> : null}
                    </Table.Td>
                  </Table.Tr>
                ))}
              </Table.Tbody>
            </Table>
            <Text size="xs" c="dimmed" mt="xs">
              {said.personalHint}
            </Text>
          </div>
          <Link
            to="/o/$organization/audit"
            params={{ organization: organization.slug }}
            search={{ event: type.code }}
            className={rowLink}
          >
            {said.entries}
          </Link>
        </Stack>
      ) : null}
    </Details>
  );
}
