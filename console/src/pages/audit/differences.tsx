/** What an entry changed, before and after, where it says so. */
import { Table, Text, Title } from "@mantine/core";
import type { AuditEntry } from "../../api/types";
import { words } from "../../words";

const said = words.audit.differences;

export interface Difference {
  name: string;
  before?: string;
  after?: string;
}

type Values = Record<string, unknown>;

function shown(value: unknown): string | undefined {
  if (value === undefined || value === null || value === "") return undefined;
  return typeof value === "string" ? value : JSON.stringify(value);
}

function isValues(value: unknown): value is Values {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Three ways in which entries say it: fields with both values, one value and the next, what came and went. */
export function differencesOf({ metadata }: Pick<AuditEntry, "metadata">): Difference[] {
  if (!isValues(metadata)) return [];
  const found: Difference[] = [];
  if (isValues(metadata.changes)) {
    for (const [name, value] of Object.entries(metadata.changes)) {
      if (!isValues(value)) continue;
      found.push({ name, before: shown(value.before), after: shown(value.after) });
    }
  }
  if ("from" in metadata || "to" in metadata) {
    found.push({ name: said.value, before: shown(metadata.from), after: shown(metadata.to) });
  }
  for (const [name, came, went] of [
    [said.permissions, "added", "removed"],
    [said.customRoles, "custom_roles_added", "custom_roles_removed"],
  ] as const) {
    if (came in metadata || went in metadata) {
      found.push({ name, before: shown(metadata[went]), after: shown(metadata[came]) });
    }
  }
  return found.filter(({ before, after }) => before !== undefined || after !== undefined);
}

export function Differences({ entry }: { entry: AuditEntry }) {
  const rows = differencesOf(entry);
  if (rows.length === 0) return null;
  return (
    <div>
      <Title order={3} mb={6}>
        {said.title}
      </Title>
      <Table withTableBorder fz="sm" aria-label={said.title}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>{said.what}</Table.Th>
            <Table.Th>{said.before}</Table.Th>
            <Table.Th>{said.after}</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {rows.map(({ name, before, after }) => (
            <Table.Tr key={name}>
              <Table.Th scope="row" fw={500}>
                {name}
              </Table.Th>
              <Side value={before} />
              <Side value={after} />
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </div>
  );
}

function Side({ value }: { value: string | undefined }) {
  return (
    <Table.Td>
      {value === undefined ? (
        <Text span c="dimmed" fz="sm">
          {words.common.none}
        </Text>
      ) : (
        <Text span fz="sm" style={{ overflowWrap: "anywhere" }}>
          {value}
        </Text>
      )}
    </Table.Td>
  );
}
