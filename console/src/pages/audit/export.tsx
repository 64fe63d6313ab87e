/** The button that takes the entries that the filters find as a file, and how far that is. */
import { Button, Group, Loader, Menu, Modal, Stack, Text } from "@mantine/core";
import { IconDownload } from "@tabler/icons-react";
import { useMutation } from "@tanstack/react-query";
import { useRef, useState } from "react";
import { BrokenOff, type RecordFormat, recordFormats, takeRecord } from "../../api/audit-export";
import type { AuditFilter } from "../../api/queries";
import { download } from "../../parts/download";
import { tell, tellProblem } from "../../parts/notify";
import { GuardedButton, useOrganization, useWhyNot } from "../../parts/permissions";
import { words } from "../../words";

const said = words.audit.export;

interface ExportProps {
  filter: Omit<AuditFilter, "cursor" | "limit">;
  /** Whether that is less than the whole record. */
  filtered: boolean;
}

export function ExportRecord({ filter, filtered }: ExportProps) {
  const organization = useOrganization();
  const reason = useWhyNot("audit_export");
  const [count, setCount] = useState(0);
  const stop = useRef<AbortController | null>(null);
  const run = useMutation({
    mutationFn: async (format: RecordFormat) => {
      const control = new AbortController();
      stop.current = control;
      setCount(0);
      const { signal } = control;
      const taking = { format, filter, signal, onProgress: setCount };
      const taken = await takeRecord(organization.id, taking);
      const day = new Date().toISOString().slice(0, 10);
      download(taken.file, `audit-${organization.slug}-${day}.${format}`);
      return taken.entries;
    },
    onSuccess: (entries) => tell(said.done(entries)),
    onError: (error) => {
      if (stop.current?.signal.aborted) tell(said.stopped);
      else if (!isCut(error)) tellProblem(error);
    },
  });
  const cut = run.isError && isCut(run.error) && !stop.current?.signal.aborted;
  const close = () => {
    stop.current?.abort();
    run.reset();
  };
  const button = (
    <GuardedButton
      reason={reason}
      variant="default"
      leftSection={<IconDownload size={16} aria-hidden="true" />}
    >
      {filtered ? said.found : said.all}
    </GuardedButton>
  );
  if (reason !== null) return button;
  return (
    <>
      <Menu position="bottom-end" width={300}>
        <Menu.Target>{button}</Menu.Target>
        <Menu.Dropdown>
          {recordFormats.map((format) => (
            <Menu.Item key={format} onClick={() => run.mutate(format)}>
              {said.formats[format].name}
              <Text size="xs" c="dimmed">
                {said.formats[format].text}
              </Text>
            </Menu.Item>
          ))}
        </Menu.Dropdown>
      </Menu>
      <Modal opened={run.isPending || cut} onClose={close} title={said.title} centered>
        <Stack gap="md">
          {cut ? (
            <Text role="alert">{said.cut}</Text>
          ) : (
            <Group gap="sm" wrap="nowrap">
              <Loader size="sm" aria-hidden="true" />
              <Text role="status">{said.progress(count)}</Text>
            </Group>
          )}
          {cut ? null : (
            <Text size="sm" c="dimmed">
              {said.recorded}
            </Text>
          )}
          <Group justify="flex-end">
            {cut ? (
              <Button onClick={() => run.mutate(run.variables ?? "csv")}>
                {words.common.retry}
              </Button>
            ) : null}
            <Button variant="default" onClick={close}>
              {cut ? words.common.close : said.stop}
            </Button>
          </Group>
        </Stack>
      </Modal>
    </>
  );
}

/** Whether what came is not the whole, rather than refused from the start. */
function isCut(error: unknown): boolean {
  return error instanceof BrokenOff || error instanceof TypeError;
}
