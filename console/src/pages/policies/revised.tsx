/** What became different in the policy itself: operations and roles, new, gone, and field by field. */
import { Code, Text, Title } from "@mantine/core";
import type { PolicyDifference, PolicyField } from "../../api/types";
import { Section } from "../../parts/page";
import { roleName } from "../../parts/permissions";
import { type Column, Rows } from "../../parts/table";
import { words } from "../../words";
import { Decision } from "./decision";
import { operationTitle } from "./operations";
import classes from "./policies.module.css";

const said = words.policies.history;

type Things = PolicyDifference["operations"];

export function Revised({ comparison }: { comparison: PolicyDifference }) {
  const { from, to, operations, roles } = comparison;
  const same = isSame(operations) && isSame(roles);
  return (
    <Section title={said.policy} text={said.policyText(from.number, to.number)}>
      {same ? <Text c="dimmed">{said.policyNone}</Text> : null}
      <ThingsOf things={operations} title={said.operations} nameOf={operationTitle} />
      <ThingsOf things={roles} title={said.roles} nameOf={roleName} />
    </Section>
  );
}

function isSame({ added, removed, changed }: Things): boolean {
  return added.length + removed.length + changed.length === 0;
}

interface ThingsProps {
  things: Things;
  title: string;
  nameOf: (name: string) => string;
}

function ThingsOf({ things, title, nameOf }: ThingsProps) {
  if (isSame(things)) return null;
  const { added, removed, changed } = things;
  const columns: Column<PolicyField>[] = [
    {
      key: "name",
      header: title,
      width: "34%",
      render: ({ name }) => <Named name={name} title={nameOf(name)} />,
    },
    { key: "field", header: said.field, render: ({ field }) => fieldName(field) },
    {
      key: "from",
      header: said.before,
      render: ({ field, from }) => <Value {...{ field, value: from }} />,
    },
    {
      key: "to",
      header: said.after,
      render: ({ field, to }) => <Value {...{ field, value: to }} />,
    },
  ];
  return (
    <section className={classes.things}>
      <Title order={3}>{title}</Title>
      <Names title={said.added} names={added} nameOf={nameOf} />
      <Names title={said.removed} names={removed} nameOf={nameOf} />
      {changed.length > 0 ? (
        <div className={classes.changed}>
          <Rows
            caption={`${title}: ${said.changed}`}
            columns={columns}
            rows={changed}
            rowKey={({ name, field }) => `${name} ${field}`}
          />
        </div>
      ) : null}
    </section>
  );
}

interface NamesProps {
  title: string;
  names: string[];
  nameOf: (name: string) => string;
}

function Names({ title, names, nameOf }: NamesProps) {
  if (names.length === 0) return null;
  return (
    <div>
      <Text size="xs" c="dimmed" fw={550} mt="xs">
        {title}, {names.length}
      </Text>
      <ul className={classes.names}>
        {names.map((name) => (
          <li key={name}>
            <Named name={name} title={nameOf(name)} />
          </li>
        ))}
      </ul>
    </div>
  );
}

function Named({ name, title }: { name: string; title: string }) {
  return (
    <div>
      {title}
      {title === name ? null : (
        <Text size="xs" c="dimmed" ff="monospace">
          {name}
        </Text>
      )}
    </div>
  );
}

const decisions = "decisions.";

function fieldName(field: string): string {
  if (field.startsWith(decisions)) return said.decisionOf(roleName(field.slice(decisions.length)));
  return said.fields[field] ?? field;
}

function Value({ field, value }: { field: string; value: string | undefined }) {
  if (value === undefined)
    return (
      <Text inherit c="dimmed">
        {words.common.none}
      </Text>
    );
  if (field.startsWith(decisions)) return <Decision decision={value} />;
  const isProse = field === "title" || field === "description";
  return isProse ? <Text>{value}</Text> : <Code fz="xs">{value}</Code>;
}
