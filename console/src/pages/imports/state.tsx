/** How far an import is, in a word and in numbers. */
import { Progress, Text } from "@mantine/core";
import type { Import } from "../../api/types";
import { Status, type Tone } from "../../parts/badges";
import { words } from "../../words";

const said = words.imports;

const tones: Record<Import["state"], Tone> = {
  receiving: "quiet",
  checking: "busy",
  checked: "warn",
  importing: "busy",
  finished: "good",
  cancelled: "quiet",
  failed: "bad",
};

/** Whether it goes on by itself. */
export function isUnderWay({ state, paused }: Import): boolean {
  return (state === "checking" || state === "importing") && !paused;
}

export function ImportStatus({ row }: { row: Import }) {
  if (row.paused) return <Status tone="warn">{said.paused}</Status>;
  return <Status tone={tones[row.state]}>{said.states[row.state]}</Status>;
}

export function Counts({ row }: { row: Import }) {
  const checks = row.state === "checking" || row.state === "checked";
  const made = checks ? said.wouldBe[row.makes] : said.made[row.makes];
  if (row.lines_read === 0) return <>{words.common.none}</>;
  return (
    <>
      {row.made.toLocaleString()} {made}
      <Text span inherit c="dimmed">
        {` · ${row.skipped.toLocaleString()} ${said.skipped} · ${row.refused.toLocaleString()} ${said.refused}`}
      </Text>
    </>
  );
}

export function Bar({ row }: { row: Import }) {
  const percent = row.bytes === 0 ? 0 : Math.floor((100 * row.bytes_done) / row.bytes);
  return (
    <Progress.Root size="lg" radius="sm">
      <Progress.Section
        value={percent}
        aria-label={said.progress}
        animated={isUnderWay(row)}
        striped={row.paused}
      />
    </Progress.Root>
  );
}
