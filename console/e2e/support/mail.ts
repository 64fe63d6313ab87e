/** Reads the mail that the server wrote as files. */
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { server } from "./people";

/** The invitation's link in the newest message to this address. */
export function invitationLink(to: string, since = 0): Promise<string> {
  return linkTo("invitation", to, since);
}

/** The link to a page in the newest message to an address; waits until the outbox has sent it. */
export async function linkTo(page: string, to: string, since = 0): Promise<string> {
  const pattern = new RegExp(`https?://\\S+/${page}#token=[\\w~.-]+`);
  const deadline = Date.now() + 20_000;
  while (Date.now() < deadline) {
    for (const text of await messagesTo(to, since)) {
      const link = pattern.exec(text)?.[0];
      if (link) return link;
    }
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  throw new Error(`no link to ${page} arrived for ${to} in ${server.mailDir}`);
}

/** The link to a new password in the newest message to this address. */
export function resetLink(to: string, since = 0): Promise<string> {
  return linkTo("reset-password", to, since);
}

/** The code in the newest message to an address that has one. */
export async function mailedCode(to: string, since: number): Promise<string> {
  const deadline = Date.now() + 20_000;
  while (Date.now() < deadline) {
    for (const text of await messagesTo(to, since)) {
      const code = /asked for it: (\d{6})/.exec(text)?.[1];
      if (code) return code;
    }
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  throw new Error(`no code arrived for ${to} in ${server.mailDir}`);
}

/** The text parts of the messages to an address, newest first. */
async function messagesTo(to: string, since: number): Promise<string[]> {
  const names = await readdir(server.mailDir).catch(() => []);
  const files = await Promise.all(
    names
      .filter((name) => name.endsWith(".eml"))
      .map(async (name) => {
        const path = join(server.mailDir, name);
        return { path, time: (await stat(path)).mtimeMs };
      }),
  );
  const found: string[] = [];
  for (const { path } of files
    .filter(({ time }) => time >= since)
    .sort((a, b) => b.time - a.time)) {
    const raw = await readFile(path, "utf8");
    const { headers, body } = split(raw);
    if (headers.get("to")?.toLowerCase().includes(to.toLowerCase())) {
      found.push(textPart(headers, body));
    }
  }
  return found;
}

function split(raw: string): { headers: Map<string, string>; body: string } {
  const text = raw.replaceAll("\r\n", "\n");
  const end = text.indexOf("\n\n");
  const unfolded = text.slice(0, end).replace(/\n[ \t]+/g, " ");
  const headers = new Map(
    unfolded.split("\n").map((line) => {
      const at = line.indexOf(":");
      return [line.slice(0, at).toLowerCase(), line.slice(at + 1).trim()] as const;
    }),
  );
  return { headers, body: text.slice(end + 2) };
}

/** The plain text of a message, whatever it is nested in and however it is encoded. */
function textPart(headers: Map<string, string>, body: string): string {
  const type = headers.get("content-type") ?? "text/plain";
  const boundary = /boundary="?([^";]+)"?/i.exec(type)?.[1];
  if (boundary) {
    for (const part of body.split(`--${boundary}`).slice(1, -1)) {
      const inner = split(part.replace(/^\n/, ""));
      const text = textPart(inner.headers, inner.body);
      if (text) return text;
    }
    return "";
  }
  if (!type.toLowerCase().startsWith("text/plain")) return "";
  const encoding = (headers.get("content-transfer-encoding") ?? "").toLowerCase();
  if (encoding === "base64") return Buffer.from(body, "base64").toString("utf8");
  return encoding === "quoted-printable" ? quotedPrintable(body) : body;
}

/** RFC 2045, 6.7: soft line breaks go, "=XX" are bytes. */
function quotedPrintable(body: string): string {
  const joined = body.replace(/=[ \t]*\n/g, "");
  const bytes = joined.replace(/=([0-9A-F]{2})/gi, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return Buffer.from(bytes, "latin1").toString("utf8");
}
