/** An import's drawer: how far it is, what can be done with it, and what became of the lines. */
import { Alert, Group, Stack, Text } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, take } from "../../api/client";
import { closely, importQuery, keys } from "../../api/queries";
import type { Import } from "../../api/types";
import { Confirm } from "../../parts/confirm";
import { CopyId, Details, Field, Fields } from "../../parts/details";
import { download } from "../../parts/download";
import { useOpen } from "../../parts/filters";
import { tell, tellProblem } from "../../parts/notify";
import { GuardedButton, useMe, useOrganization, useWhyNot } from "../../parts/permissions";
import { Failed, Loading } from "../../parts/states";
import { Time } from "../../parts/time";
import { words } from "../../words";
import { Lines } from "./lines";
import { Bar, Counts, ImportStatus, isUnderWay } from "./state";

const said = words.imports;

type Act = "import" | "cancel";

export function ImportDetails({ id }: { id: string | undefined }) {
  const organization = useOrganization();
  const open = useOpen();
  const query = useQuery({
    ...importQuery(organization.id, id ?? ""),
    enabled: id !== undefined,
    refetchInterval: ({ state }) => (state.data && isUnderWay(state.data) ? closely : false),
  });
  const close = () => open({ open: undefined, outcome: undefined });
  return (
    <Details opened={id !== undefined} onClose={close} title={said.title} size={600}>
      {query.isPending ? <Loading rows={4} /> : null}
      {query.isError ? <Failed error={query.error} retry={() => void query.refetch()} /> : null}
      {query.data ? <Body key={query.data.id} row={query.data} /> : null}
    </Details>
  );
}

function Body({ row }: { row: Import }) {
  const [act, setAct] = useState<Act | null>(null);
  const failure = row.failure ? (said.failures[row.failure] ?? row.failure) : null;
  return (
    <Stack gap="lg">
      <div>
        <Group justify="space-between" mb={6}>
          <ImportStatus row={row} />
          <Text component="output" size="sm">
            <Counts row={row} />
          </Text>
        </Group>
        <Bar row={row} />
      </div>
      {failure ? (
        <Alert color="red" variant="light" role="group">
          {failure}
        </Alert>
      ) : null}
      {row.state === "checked" ? <Text c="dimmed">{said.checkedText}</Text> : null}
      <Buttons row={row} onAct={setAct} />
      {row.lines_read > 0 ? <Lines row={row} /> : null}
      <Fields>
        <Field name={said.begun}>
          <Time value={row.created_at} />
        </Field>
        {row.finished_at ? (
          <Field name={said.ended}>
            <Time value={row.finished_at} />
          </Field>
        ) : null}
        <Field name={said.format}>{said.formats[row.format]}</Field>
        <Field name={said.bytes}>{said.size(row.bytes)}</Field>
        <Field name={said.read}>{row.lines_read.toLocaleString()}</Field>
        <Field name={said.id}>
          <CopyId value={row.id} label={said.id} />
        </Field>
      </Fields>
      {act ? <Dialog act={act} row={row} onClose={() => setAct(null)} /> : null}
    </Stack>
  );
}

function useAct(row: Import) {
  const client = useQueryClient();
  const params = { path: { organization_id: row.organization_id, import_id: row.id } };
  const done = () => client.invalidateQueries({ queryKey: keys.organization(row.organization_id) });
  return { params, done };
}

function Buttons({ row, onAct }: { row: Import; onAct: (act: Act) => void }) {
  const me = useMe();
  const startNot = useWhyNot("imports_start");
  const pauseNot = useWhyNot("imports_pause");
  const cancelNot = useWhyNot("imports_cancel");
  const { params, done } = useAct(row);
  const other = row.created_by === me.account.id ? null : said.ofAnother;
  const base = "/v1/organizations/{organization_id}/imports/{import_id}" as const;
  const hold = useMutation({
    mutationFn: () =>
      row.paused
        ? take(api.POST(`${base}/resume`, { params }))
        : take(api.POST(`${base}/pause`, { params })),
    onError: tellProblem,
    onSettled: done,
  });
  const check = useMutation({
    mutationFn: () => take(api.POST(`${base}/start`, { params, body: { dry_run: true } })),
    onError: tellProblem,
    onSettled: done,
  });
  const report = useMutation({
    mutationFn: async () =>
      download(
        (await take(api.GET(`${base}/report`, { params, parseAs: "blob" }))) as unknown as Blob,
        said.reportName,
      ),
    onError: tellProblem,
  });
  const going = row.state === "checking" || row.state === "importing";
  return (
    <Group gap="xs">
      {row.state === "checked" && row.made > 0 ? (
        <GuardedButton size="xs" reason={startNot ?? other} onClick={() => onAct("import")}>
          {said.import[row.makes]}
        </GuardedButton>
      ) : null}
      {row.state === "receiving" ? (
        <GuardedButton
          size="xs"
          reason={startNot ?? other}
          loading={check.isPending}
          onClick={() => check.mutate()}
        >
          {said.check}
        </GuardedButton>
      ) : null}
      {going ? (
        <GuardedButton
          size="xs"
          variant="default"
          reason={pauseNot}
          loading={hold.isPending}
          onClick={() => hold.mutate()}
        >
          {row.paused ? said.resume : said.pause}
        </GuardedButton>
      ) : null}
      {row.lines_read > 0 ? (
        <GuardedButton
          size="xs"
          variant="default"
          reason={null}
          loading={report.isPending}
          onClick={() => report.mutate()}
        >
          {said.report}
        </GuardedButton>
      ) : null}
      {row.finished_at ? null : (
        <GuardedButton
          size="xs"
          variant="light"
          color="red"
          reason={cancelNot}
          onClick={() => onAct("cancel")}
        >
          {said.cancel}
        </GuardedButton>
      )}
    </Group>
  );
}

function Dialog({ act, row, onClose }: { act: Act; row: Import; onClose: () => void }) {
  const { params, done } = useAct(row);
  const base = "/v1/organizations/{organization_id}/imports/{import_id}" as const;
  const importing = act === "import";
  const run = useMutation({
    mutationFn: () =>
      importing
        ? take(api.POST(`${base}/start`, { params, body: { dry_run: false } }))
        : take(api.POST(`${base}/cancel`, { params })),
    onSuccess: () => {
      tell(importing ? said.started : said.cancelled);
      onClose();
    },
    onSettled: done,
  });
  return (
    <Confirm
      opened
      onClose={onClose}
      title={importing ? said.importTitle[row.makes](row.made) : said.cancelTitle}
      effects={importing ? said.importEffects[row.makes] : said.cancelEffects}
      action={importing ? said.import[row.makes] : said.cancel}
      onConfirm={() => run.mutate()}
      busy={run.isPending}
      error={run.error}
      harmless={importing}
    />
  );
}
