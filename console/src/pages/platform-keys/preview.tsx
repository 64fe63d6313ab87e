/** First: what a rotation would seal anew, by what it is. Nothing is changed by looking. */
import { Button, Group, Stack, Table, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { keyRotationPreviewQuery } from "../../api/queries";
import type { KeyRotationPreview } from "../../api/types";
import { useOpen } from "../../parts/filters";
import { Failed, Loading } from "../../parts/states";
import { words } from "../../words";
import classes from "./keys.module.css";

const said = words.keys.wizard;

export function PreviewStep({ scope, onClose }: { scope: string; onClose: () => void }) {
  const open = useOpen();
  const query = useQuery(keyRotationPreviewQuery(scope));
  return (
    <Stack gap="md">
      {query.isPending ? <Loading rows={4} /> : null}
      {query.isError ? <Failed error={query.error} retry={() => void query.refetch()} /> : null}
      {query.data ? <Counts preview={query.data} /> : null}
      <Group justify="flex-end" gap="xs">
        <Button variant="default" onClick={onClose}>
          {words.common.cancel}
        </Button>
        <Button
          disabled={!query.isSuccess}
          onClick={() => open({ step: "confirm" })}
          data-autofocus
        >
          {said.next}
        </Button>
      </Group>
    </Stack>
  );
}

function Counts({ preview }: { preview: KeyRotationPreview }) {
  const { columns, from_version, values } = preview;
  if (values === 0) return <Text>{said.previewNone(from_version)}</Text>;
  const rows = columns.toSorted((a, b) => b.values - a.values);
  return (
    <>
      <Text>{said.previewText(from_version)}</Text>
      <Table aria-label={said.caption}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th scope="col">{said.field}</Table.Th>
            <Table.Th scope="col" className={classes.number}>
              {said.count}
            </Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {rows.map(({ column, values: count }) => (
            <Table.Tr key={column}>
              <Table.Td>{words.keys.column(column)}</Table.Td>
              <Table.Td className={classes.number}>{count.toLocaleString()}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
        <Table.Tfoot>
          <Table.Tr className={classes.sum}>
            <Table.Th scope="row">{said.sum}</Table.Th>
            <Table.Td className={classes.number}>{values.toLocaleString()}</Table.Td>
          </Table.Tr>
        </Table.Tfoot>
      </Table>
    </>
  );
}
