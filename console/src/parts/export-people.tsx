/** The button that exports people, in one of two formats. The server asks for the password first. */
import { Menu } from "@mantine/core";
import { IconDownload } from "@tabler/icons-react";
import { useMutation } from "@tanstack/react-query";
import { words } from "../words";
import { download } from "./download";
import { tell, tellProblem } from "./notify";
import { GuardedButton } from "./permissions";

const said = words.exports;

type Format = "csv" | "json_lines";

interface ExportProps {
  reason: string | null;
  /** The file's name without its ending. */
  name: string;
  fetchFile: (format: Format) => Promise<Blob>;
}

export function ExportPeople({ reason, name, fetchFile }: ExportProps) {
  const run = useMutation({
    mutationFn: async (format: Format) => {
      download(await fetchFile(format), `${name}.${format === "csv" ? "csv" : "jsonl"}`);
    },
    onSuccess: () => tell(said.done),
    onError: tellProblem,
  });
  const button = (
    <GuardedButton
      reason={reason}
      variant="default"
      loading={run.isPending}
      leftSection={<IconDownload size={16} aria-hidden="true" />}
    >
      {said.button}
    </GuardedButton>
  );
  if (reason !== null) return button;
  return (
    <Menu position="bottom-end" width={220}>
      <Menu.Target>{button}</Menu.Target>
      <Menu.Dropdown>
        <Menu.Item onClick={() => run.mutate("csv")}>{said.csv}</Menu.Item>
        <Menu.Item onClick={() => run.mutate("json_lines")}>{said.jsonLines}</Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
