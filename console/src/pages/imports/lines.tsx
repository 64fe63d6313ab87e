/** What became of the lines of an import: those that need a look first. */
import { Button, Group, Select, Text, Title, VisuallyHidden } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { importLinesQuery } from "../../api/queries";
import type { Import, ImportLine } from "../../api/types";
import { Status, type Tone } from "../../parts/badges";
import { choicesOf, useOpen } from "../../parts/filters";
import { Failed, Loading } from "../../parts/states";
import { words } from "../../words";
import classes from "./imports.module.css";

const said = words.imports;
const route = getRouteApi("/signed-in/o/$organization/imports");

const tones: Record<ImportLine["outcome"], Tone> = {
  made: "good",
  skipped: "quiet",
  refused: "bad",
};

function outcomeOf(text: string | undefined): ImportLine["outcome"] | undefined {
  return text === "made" || text === "skipped" || text === "refused" ? text : undefined;
}

export function Lines({ row }: { row: Import }) {
  const outcome = outcomeOf(route.useSearch().outcome);
  const open = useOpen();
  const query = useInfiniteQuery(importLinesQuery(row, outcome));
  const lines = query.data?.pages.flatMap(({ items }) => items) ?? [];
  return (
    <section aria-label={said.lines}>
      <Group justify="space-between" className={classes.filters}>
        <Title order={3}>{said.lines}</Title>
        <Select
          aria-label={said.outcome}
          placeholder={said.anyOutcome}
          data={choicesOf(said.outcomes)}
          value={outcome ?? null}
          onChange={(next) => open({ outcome: next ?? undefined })}
          clearable
          clearButtonProps={{ "aria-label": words.common.clearFilters }}
          size="xs"
        />
      </Group>
      {query.isPending ? <Loading rows={3} /> : null}
      {query.isError ? <Failed error={query.error} retry={() => void query.refetch()} /> : null}
      {query.isSuccess && lines.length === 0 ? <Text c="dimmed">{said.noLines}</Text> : null}
      {lines.length > 0 ? <Table lines={lines} /> : null}
      {query.hasNextPage ? (
        <Button
          mt="xs"
          size="xs"
          variant="default"
          loading={query.isFetchingNextPage}
          onClick={() => void query.fetchNextPage()}
        >
          {words.common.nextPage}
        </Button>
      ) : null}
    </section>
  );
}

function Table({ lines }: { lines: ImportLine[] }) {
  return (
    <table className={classes.lines}>
      <caption>
        <VisuallyHidden>{said.linesCaption}</VisuallyHidden>
      </caption>
      <thead>
        <tr>
          <th scope="col">{said.line}</th>
          <th scope="col">{said.outcome}</th>
          <th scope="col">{said.why}</th>
        </tr>
      </thead>
      <tbody>
        {lines.map(({ line, outcome, code, field }) => (
          <tr key={line}>
            <td>{line.toLocaleString()}</td>
            <td>
              <Status tone={tones[outcome]}>{said.outcomes[outcome]}</Status>
            </td>
            <td>
              {field ? (
                <Text span inherit ff="monospace" fz="xs">
                  {field}{" "}
                </Text>
              ) : null}
              {code ? (said.codes[code] ?? code) : words.common.none}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
