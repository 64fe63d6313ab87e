/**
 * The live stream of an organisation's record. It comes back by itself when it breaks off, with
 * growing pauses, and goes on where it was: the server tells what came meanwhile.
 */
import { api, take } from "./client";
import { Problem } from "./problem";
import type { AuditEntry, Me } from "./types";

/** Waits before coming back, in milliseconds: doubled from the first to the last, give or take. */
const firstPause = 1_000;
const lastPause = 30_000;
/** The server says something at least every half minute; after longer than this it is gone. */
const silence = 75_000;
/** The close codes after which coming back is of no use: signed out, and not allowed any more. */
const over = new Set([4401, 4403]);

export type StreamState = "connecting" | "live" | "reconnecting" | "ended";

export interface StreamListener {
  onState: (state: StreamState) => void;
  /** New entries, the oldest first. One that was told before may come again. */
  onEntries: (entries: AuditEntry[]) => void;
  /** More has come than is told: read the list again. */
  onGap: () => void;
}

type Message =
  | { type: "hello" }
  | { type: "entries"; items: AuditEntry[]; cursor?: string }
  | { type: "gap"; cursor: string }
  | { type: "still"; cursor: string };

/** Browsers complain of a socket that is closed before it is open. */
function leave(socket: WebSocket): void {
  if (socket.readyState === WebSocket.CONNECTING) socket.onopen = () => socket.close(1000);
  else socket.close(1000);
}

/**
 * Opens the stream of the organisation that the session is in.
 *
 * @returns closes it
 */
export function openStream(listener: StreamListener): () => void {
  let socket: WebSocket | null = null;
  let cursor: string | null = null;
  let failures = 0;
  let timer: number | undefined;
  let stopped = false;

  const wait = (run: () => void, pause: number) => {
    window.clearTimeout(timer);
    timer = window.setTimeout(run, pause);
  };

  const end = () => {
    stopped = true;
    window.clearTimeout(timer);
    listener.onState("ended");
  };

  const lost = (closed: WebSocket) => {
    if (stopped || closed !== socket) return;
    socket = null;
    closed.close();
    listener.onState("reconnecting");
    const pause = Math.min(firstPause * 2 ** failures, lastPause);
    failures += 1;
    // Not all at once after a restart.
    wait(() => void comeBack(), pause * (0.75 + Math.random() / 2));
  };

  /** A refused handshake says nothing to a script: an ordinary call does, and renews the session. */
  const comeBack = async () => {
    try {
      const me: Me = await take(api.GET("/v1/me"));
      if (stopped) return;
      if (!me.operations.includes("events_open")) return end();
    } catch (error) {
      if (stopped) return;
      if (error instanceof Problem && error.status === 401) return end();
    }
    connect();
  };

  const hear = (message: Message) => {
    if (message.type === "hello") return;
    if (message.type === "entries") listener.onEntries(message.items);
    if (message.type === "gap") listener.onGap();
    if (!message.cursor) return;
    // Only now is it known that the stream has caught up.
    cursor = message.cursor;
    failures = 0;
    listener.onState("live");
  };

  const connect = () => {
    const address = new URL("/v1/events", window.location.href);
    address.protocol = address.protocol === "https:" ? "wss:" : "ws:";
    if (cursor) address.searchParams.set("after", cursor);
    const opened = new WebSocket(address);
    socket = opened;
    const alive = () => wait(() => lost(opened), silence);
    alive();
    opened.onmessage = ({ data }: MessageEvent<string>) => {
      if (stopped || opened !== socket) return;
      alive();
      hear(JSON.parse(data) as Message);
    };
    opened.onclose = ({ code }) => {
      if (stopped || opened !== socket) return;
      if (over.has(code)) end();
      else lost(opened);
    };
  };

  listener.onState("connecting");
  connect();
  return () => {
    stopped = true;
    window.clearTimeout(timer);
    if (socket) leave(socket);
  };
}
