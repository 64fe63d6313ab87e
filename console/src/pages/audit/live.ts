/** The entries that come while the log is open. */
import { useQueryClient } from "@tanstack/react-query";
import { useCallback, useEffect, useRef, useState } from "react";
import { openStream, type StreamState } from "../../api/events";
import { type AuditFilter, keys } from "../../api/queries";
import type { AuditEntry } from "../../api/types";

/** How many entries are kept beside the list; older ones are found in it again. */
const most = 200;
/** How far down, in pixels, the log is being read and must not move. */
const reading = 120;

export interface Live {
  state: StreamState;
  /** What has come and is shown, the newest first. */
  shown: AuditEntry[];
  /** What has come while the log was being read, the newest first. */
  held: AuditEntry[];
  /** Shows what was held back. */
  show: () => void;
}

const order = ["low", "medium", "high", "critical"];

/** Whether the server's list with this filter would have the entry. Words and times are not asked here. */
export function matches(entry: AuditEntry, filter: AuditFilter): boolean {
  const wanted: [string | null | undefined, string | null | undefined][] = [
    [filter.event, entry.event],
    [filter.severity, entry.severity],
    [filter.class, entry.class],
    [filter.target_type, entry.target.type],
    [filter.outcome, entry.outcome],
    [filter.actor_id, entry.actor.id],
    [filter.target_id, entry.target.id],
  ];
  const heavy =
    !filter.min_severity || order.indexOf(entry.severity) >= order.indexOf(filter.min_severity);
  return heavy && wanted.every(([value, own]) => !value || value === own);
}

/** Entries before others, each once, and no more than are kept. */
function before(newer: AuditEntry[], older: AuditEntry[]): AuditEntry[] {
  const known = new Set(older.map(({ id }) => id));
  return [...newer.filter(({ id }) => !known.has(id)), ...older].slice(0, most);
}

/** The stream of this organisation's record, while it is wanted. */
export function useLive(organization: string, wanted: boolean, refetch: () => void): Live {
  const client = useQueryClient();
  const [state, setState] = useState<StreamState>("connecting");
  const [shown, setShown] = useState<AuditEntry[]>([]);
  const [held, setHeld] = useState<AuditEntry[]>([]);
  const again = useRef(refetch);
  again.current = refetch;

  // biome-ignore lint/correctness/useExhaustiveDependencies: another organisation is another stream
  useEffect(() => {
    if (!wanted) return;
    const stop = openStream({
      onState: (next) => {
        setState(next);
        // What one may has changed: the rest of the console has to know.
        if (next === "ended") void client.invalidateQueries({ queryKey: keys.me, exact: true });
      },
      onEntries: (entries) => {
        const newest = entries.toReversed();
        const add = (now: AuditEntry[]) => before(newest, now);
        if (window.scrollY > reading) setHeld(add);
        else setShown(add);
      },
      onGap: () => {
        setShown([]);
        setHeld([]);
        again.current();
      },
    });
    return () => {
      stop();
      setState("connecting");
      setShown([]);
      setHeld([]);
    };
  }, [client, organization, wanted]);

  const show = useCallback(() => {
    setShown((now) => before(held, now));
    setHeld([]);
  }, [held]);

  useEffect(() => {
    if (held.length === 0) return;
    const look = () => {
      if (window.scrollY <= reading) show();
    };
    window.addEventListener("scroll", look, { passive: true });
    return () => window.removeEventListener("scroll", look);
  }, [held.length, show]);

  return { state, shown, held, show };
}

/** A text that changes at most every few seconds: how many entries have come since it last did. */
export function useSpoken(count: number, text: (count: number) => string): string {
  const [said, setSaid] = useState("");
  const last = useRef(0);
  const words = useRef(text);
  words.current = text;
  useEffect(() => {
    if (count < last.current) last.current = count;
    if (count === last.current) return;
    const timer = window.setTimeout(() => {
      setSaid(words.current(count - last.current));
      last.current = count;
    }, 3_000);
    return () => window.clearTimeout(timer);
  }, [count]);
  return said;
}
