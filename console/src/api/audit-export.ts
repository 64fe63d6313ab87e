/**
 * The record as a file. It is read as it comes, so that one sees how far it is and can stop it; whole
 * is only what ends with the entry that says so.
 */
import { api, take } from "./client";
import type { AuditFilter } from "./queries";

export const recordFormats = ["csv", "jsonl", "cef", "ocsf"] as const;
export type RecordFormat = (typeof recordFormats)[number];

export interface RecordFile {
  file: Blob;
  /** Entries in it, without the one that ends it. */
  entries: number;
}

/** The file has ended before its last line. */
export class BrokenOff extends Error {}

interface Taking {
  format: RecordFormat;
  filter: Omit<AuditFilter, "cursor" | "limit">;
  signal: AbortSignal;
  /** How many entries have come so far. */
  onProgress: (entries: number) => void;
}

const lineEnd = 10;

export async function takeRecord(organization_id: string, taking: Taking): Promise<RecordFile> {
  const { format, filter, signal, onProgress } = taking;
  const body = await take(
    api.GET("/v1/organizations/{organization_id}/audit/export", {
      signal,
      parseAs: "stream",
      params: { path: { organization_id }, query: { ...filter, format } },
    }),
  );
  if (!body) throw new BrokenOff();
  const reader = body.getReader();
  const pieces: Uint8Array<ArrayBuffer>[] = [];
  // A table begins with a line of names.
  let lines = format === "csv" ? -1 : 0;
  let tail = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    const piece = value as Uint8Array<ArrayBuffer>;
    pieces.push(piece);
    for (const byte of piece) if (byte === lineEnd) lines += 1;
    tail = (tail + new TextDecoder().decode(piece.slice(-8192))).slice(-8192);
    onProgress(Math.max(0, lines));
  }
  const last = tail.trimEnd().split("\n").at(-1) ?? "";
  if (!last.includes("audit.export_ended")) throw new BrokenOff();
  return { file: new Blob(pieces), entries: Math.max(0, lines - 1) };
}
