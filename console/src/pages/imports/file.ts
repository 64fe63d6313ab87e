/** A file looked at in the browser, before anybody else sees it. */
import type { PeopleFormat } from "../../api/types";

/** The most bytes that the server takes of one file. */
export const mostBytes = 64 * 1024 * 1024;
/** Bytes that are uploaded in one call. */
export const partBytes = 3 * 1024 * 1024;
/** Bytes that a preview is made of, and its lines. */
const previewBytes = 64 * 1024;
const previewLines = 5;

const known = new Set(["email", "name", "password_hash", "role", "custom_roles", "teams", "state"]);
const readOver = new Set([
  "id",
  "account_id",
  "effective_roles",
  "created_at",
  "joined_at",
  "last_sign_in_at",
]);

export interface Preview {
  columns: string[];
  rows: string[][];
  unknown: string[];
  hasEmail: boolean;
}

export function formatOf(name: string): PeopleFormat {
  return /\.(jsonl|ndjson|json)$/i.test(name) ? "json_lines" : "csv";
}

export async function previewOf(file: File, format: PeopleFormat): Promise<Preview> {
  const text = (await file.slice(0, previewBytes).text()).replace(/^\uFEFF/, "");
  const lines = text.split(/\r?\n/);
  // The last of a cut text may be half a line.
  if (file.size > previewBytes) lines.pop();
  const full = lines.filter((line) => line.trim() !== "");
  return format === "csv" ? ofCsv(full) : ofJson(full);
}

function ofCsv([head = "", ...rest]: string[]): Preview {
  const named = (separator: string) =>
    cells(head, separator).filter((name) => known.has(name.toLowerCase())).length;
  const separator = [",", ";", "\t"].reduce((best, next) =>
    named(next) > named(best) ? next : best,
  );
  const columns = cells(head, separator).map((name) => name.toLowerCase());
  return {
    columns,
    rows: rest.slice(0, previewLines).map((line) => cells(line, separator)),
    ...judged(columns),
  };
}

function ofJson(lines: string[]): Preview {
  const objects = lines.slice(0, previewLines).map((line): Record<string, unknown> => {
    try {
      const value: unknown = JSON.parse(line);
      return typeof value === "object" && value !== null ? { ...value } : {};
    } catch {
      return {};
    }
  });
  const columns = [...new Set(objects.flatMap((object) => Object.keys(object)))];
  const rows = objects.map((object) => columns.map((name) => textOf(object[name])));
  return { columns, rows, ...judged(columns) };
}

function textOf(value: unknown): string {
  if (value === undefined || value === null) return "";
  return Array.isArray(value) ? value.join(" | ") : String(value);
}

function judged(columns: string[]): Pick<Preview, "unknown" | "hasEmail"> {
  return {
    unknown: columns.filter((name) => !known.has(name) && !readOver.has(name)),
    hasEmail: columns.includes("email"),
  };
}

/** The cells of a line; a quotation mark inside of one is written twice (RFC 4180). */
function cells(line: string, separator: string): string[] {
  const found: string[] = [];
  let cell = "";
  let quoted = false;
  for (let at = 0; at < line.length; at += 1) {
    const c = line.charAt(at);
    if (quoted && c === '"' && line.charAt(at + 1) === '"') {
      cell += '"';
      at += 1;
    } else if (c === '"') quoted = !quoted;
    else if (c === separator && !quoted) {
      found.push(cell.trim());
      cell = "";
    } else cell += c;
  }
  found.push(cell.trim());
  return found;
}

/** Bytes in base64. */
export function base64(part: Blob): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(String(reader.result).replace(/^[^,]*,/, ""));
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(part);
  });
}
