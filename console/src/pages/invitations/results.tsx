/** What became of each line of a bulk invitation. */
import { Button, Group, ScrollArea, Stack, Table, Text, VisuallyHidden } from "@mantine/core";
import type { Invitation } from "../../api/types";
import { Status } from "../../parts/badges";
import { words } from "../../words";

const said = words.invitations;

export interface BulkResult {
  email: string;
  invitation?: Invitation | null;
  error?: { code: string; detail: string } | null;
}

interface ResultsProps {
  results: BulkResult[];
  onClose: () => void;
  onMore: () => void;
}

export function Results({ results, onClose, onMore }: ResultsProps) {
  const good = results.filter(({ invitation }) => invitation).length;
  return (
    <Stack gap="md">
      <Text fw={600} role="status">
        {said.resultTitle(good, results.length)}
      </Text>
      <ScrollArea.Autosize mah={360} type="auto" viewportProps={{ tabIndex: 0 }}>
        <Table verticalSpacing={6} fz="sm">
          <Table.Caption p={0}>
            <VisuallyHidden>{said.resultCaption}</VisuallyHidden>
          </Table.Caption>
          <Table.Tbody>
            {results.map(({ email, error }) => (
              <Table.Tr key={email}>
                <Table.Td>{email}</Table.Td>
                <Table.Td>
                  {error ? (
                    <Status tone="bad">{messageOf(error)}</Status>
                  ) : (
                    <Status tone="good">{said.resultOk}</Status>
                  )}
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </ScrollArea.Autosize>
      <Group justify="flex-end" gap="xs">
        <Button variant="default" onClick={onMore}>
          {said.inviteMore}
        </Button>
        <Button onClick={onClose} data-autofocus>
          {said.done}
        </Button>
      </Group>
    </Stack>
  );
}

function messageOf({ code, detail }: { code: string; detail: string }): string {
  return words.problems.byCode[code]?.title ?? detail;
}
