/** The dialog for a new import: a file, how it is read, and the first lines of it. */
import { Alert, Button, FileButton, Group, Modal, Select, Stack, Text } from "@mantine/core";
import { IconFileSpreadsheet } from "@tabler/icons-react";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type DragEvent, useEffect, useState } from "react";
import { api, take } from "../../api/client";
import { useIdempotent } from "../../api/idempotency";
import { keys } from "../../api/queries";
import type { Import, PeopleFormat } from "../../api/types";
import { ProblemAlert } from "../../parts/confirm";
import { choicesOf } from "../../parts/filters";
import { tell } from "../../parts/notify";
import { useOrganization } from "../../parts/permissions";
import { words } from "../../words";
import { base64, formatOf, mostBytes, type Preview, partBytes, previewOf } from "./file";
import classes from "./imports.module.css";

const said = words.imports;

interface NewProps {
  makes: "accounts" | "invitations";
  opened: boolean;
  onClose: () => void;
  onUploaded: (id: string) => void;
}

export function NewImport(props: NewProps) {
  return (
    <Modal
      opened={props.opened}
      onClose={props.onClose}
      title={<strong>{said.dialogTitle}</strong>}
      size={640}
    >
      <Body {...props} />
    </Modal>
  );
}

function Body({ makes, onClose, onUploaded }: NewProps) {
  const [file, setFile] = useState<File | null>(null);
  const [format, setFormat] = useState<PeopleFormat>("csv");
  const preview = usePreview(file, format);
  const { upload, percent } = useUpload(onUploaded);
  const choose = (chosen: File | null) => {
    if (!chosen) return;
    upload.reset();
    setFormat(formatOf(chosen.name));
    setFile(chosen);
  };
  const fault = faultOf(file, preview);
  return (
    <Stack gap="md">
      <DropArea file={file} onFile={choose} />
      {file ? (
        <>
          <Select
            label={said.format}
            data={choicesOf(said.formats)}
            value={format}
            allowDeselect={false}
            onChange={(value) => setFormat(value === "json_lines" ? "json_lines" : "csv")}
          />
          {fault ? (
            <Alert color="red" variant="light" role="alert">
              {fault}
            </Alert>
          ) : null}
          {preview && preview.columns.length > 0 ? <FirstLines preview={preview} /> : null}
        </>
      ) : (
        <Text c="dimmed" size="sm">
          {said.columnsText[makes]}
        </Text>
      )}
      {upload.error ? <ProblemAlert error={upload.error} /> : null}
      <Group justify="flex-end" gap="xs">
        {upload.isPending ? (
          <Text component="output" size="sm" c="dimmed">
            {said.uploading(percent)}
          </Text>
        ) : null}
        <Button variant="default" onClick={onClose}>
          {words.common.cancel}
        </Button>
        <Button
          loading={upload.isPending}
          disabled={!file || fault !== null}
          onClick={() => file && upload.mutate({ file, format })}
        >
          {said.upload}
        </Button>
      </Group>
    </Stack>
  );
}

function faultOf(file: File | null, preview: Preview | null): string | null {
  if (!file) return null;
  if (file.size === 0) return said.emptyFile;
  if (file.size > mostBytes) return said.tooLarge;
  if (!preview) return null;
  if (!preview.hasEmail) return said.noEmail;
  return preview.unknown.length > 0 ? said.unknownColumns(preview.unknown.join(", ")) : null;
}

function usePreview(file: File | null, format: PeopleFormat): Preview | null {
  const [preview, setPreview] = useState<Preview | null>(null);
  useEffect(() => {
    let wanted = true;
    setPreview(null);
    if (file) void previewOf(file, format).then((made) => wanted && setPreview(made));
    return () => {
      wanted = false;
    };
  }, [file, format]);
  return preview;
}

/** Uploads part after part, then has the file checked. */
function useUpload(onUploaded: (id: string) => void) {
  const { id: organization_id } = useOrganization();
  const client = useQueryClient();
  const idempotent = useIdempotent();
  const [percent, setPercent] = useState(0);
  const upload = useMutation({
    mutationFn: async ({ file, format }: { file: File; format: PeopleFormat }) => {
      setPercent(0);
      const first = { format, content: await base64(file.slice(0, partBytes)) };
      let row: Import = await idempotent(first, (key) =>
        take(
          api.POST("/v1/organizations/{organization_id}/imports", {
            body: first,
            params: { path: { organization_id }, header: { "Idempotency-Key": key } },
          }),
        ),
      );
      const path = { organization_id, import_id: row.id };
      while (row.bytes < file.size) {
        setPercent(Math.floor((100 * row.bytes) / file.size));
        const content = await base64(file.slice(row.bytes, row.bytes + partBytes));
        row = await take(
          api.POST("/v1/organizations/{organization_id}/imports/{import_id}/parts", {
            body: { offset: row.bytes, content },
            params: { path },
          }),
        );
      }
      setPercent(100);
      await take(
        api.POST("/v1/organizations/{organization_id}/imports/{import_id}/start", {
          body: { dry_run: true },
          params: { path },
        }),
      );
      return row.id;
    },
    onSuccess: (id) => {
      tell(said.uploaded);
      onUploaded(id);
    },
    onSettled: () => client.invalidateQueries({ queryKey: keys.imports(organization_id) }),
  });
  return { upload, percent };
}

interface DropProps {
  file: File | null;
  onFile: (file: File | null) => void;
}

function DropArea({ file, onFile }: DropProps) {
  const [over, setOver] = useState(false);
  const drag = (event: DragEvent, inside: boolean) => {
    event.preventDefault();
    setOver(inside);
  };
  return (
    // A keyboard has the button inside; dropping is for who has a mouse.
    <section
      aria-label={said.file}
      className={classes.drop}
      data-over={over || undefined}
      onDragOver={(event) => drag(event, true)}
      onDragLeave={(event) => drag(event, false)}
      onDrop={(event) => {
        drag(event, false);
        onFile(event.dataTransfer.files.item(0));
      }}
    >
      <IconFileSpreadsheet size={26} stroke={1.5} aria-hidden="true" />
      <Text fw={550}>{file ? file.name : said.drop}</Text>
      <Text size="xs" c="dimmed">
        {file ? said.size(file.size) : said.dropHint}
      </Text>
      <FileButton
        onChange={onFile}
        accept=".csv,.tsv,.txt,.json,.jsonl,.ndjson,text/csv,application/json"
        inputProps={{ "aria-label": said.choose }}
      >
        {(props) => (
          <Button variant="default" size="xs" {...props} data-autofocus>
            {file ? said.chooseOther : said.choose}
          </Button>
        )}
      </FileButton>
    </section>
  );
}

/** Texts with keys: two columns or lines can say the same, and none ever moves. */
function keyed(texts: readonly string[]): { key: string; text: string }[] {
  return texts.map((text, at) => ({ key: `${at} ${text}`, text }));
}

function FirstLines({ preview }: { preview: Preview }) {
  return (
    <div>
      <Text fw={550} size="sm">
        {said.preview}
      </Text>
      <Text c="dimmed" size="xs" mb={6}>
        {said.previewText}
      </Text>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by keyboard */}
      <section className={classes.scroll} tabIndex={0} aria-label={said.preview}>
        <table className={classes.preview}>
          <thead>
            <tr>
              {keyed(preview.columns).map(({ key, text }) => (
                <th key={key} scope="col">
                  {text}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {preview.rows.map((row) => (
              <tr key={row.join(" ")}>
                {keyed(row).map(({ key, text }) => (
                  <td key={key}>{text}</td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </section>
    </div>
  );
}
