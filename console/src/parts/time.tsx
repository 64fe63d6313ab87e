/** Times in the viewer's zone, with UTC on hover; the exact instant is in the markup too. */
import { Text, Tooltip } from "@mantine/core";
import { useEffect, useState } from "react";
import { words } from "../words";

const dateTime = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
const exact = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
const dateOnly = new Intl.DateTimeFormat(undefined, { dateStyle: "medium" });
const relative = new Intl.RelativeTimeFormat(undefined, { numeric: "auto" });

const steps: [Intl.RelativeTimeFormatUnit, number][] = [
  ["year", 31_536_000],
  ["month", 2_592_000],
  ["week", 604_800],
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
];

/** "3 hours ago", "in 2 days"; within a minute of now, "now". */
export function relativeTime(instant: Date, now = new Date()): string {
  const seconds = (instant.getTime() - now.getTime()) / 1000;
  for (const [unit, length] of steps) {
    if (Math.abs(seconds) >= length) return relative.format(Math.round(seconds / length), unit);
  }
  return relative.format(0, "second");
}

const units: [unit: string, milliseconds: number][] = [
  ["day", 86_400_000],
  ["hour", 3_600_000],
  ["minute", 60_000],
  ["second", 1_000],
];

/** "320 ms", "3.2 sec", "2 min": in the largest unit that it fills, to one decimal below ten. */
export function durationText(milliseconds: number): string {
  const [unit, length] = units.find(([, length]) => milliseconds >= length) ?? ["millisecond", 1];
  const amount = milliseconds / length;
  const maximumFractionDigits = amount < 10 && length > 1 ? 1 : 0;
  return new Intl.NumberFormat(undefined, {
    style: "unit",
    unit,
    unitDisplay: "short",
    maximumFractionDigits,
  }).format(amount);
}

export function utcText(instant: Date): string {
  return words.common.utc(instant.toISOString().slice(0, 19).replace("T", " "));
}

/** Whole seconds until an instant, counting down; 0 when it has come or there is none. */
export function useSecondsLeft(until: number | null): number {
  const [now, setNow] = useState(Date.now);
  const left = until === null ? 0 : Math.max(0, Math.ceil((until - now) / 1000));
  useEffect(() => {
    if (until === null) return;
    setNow(Date.now());
    const timer = window.setInterval(() => setNow(Date.now()), 500);
    return () => window.clearInterval(timer);
  }, [until]);
  return left;
}

type Form = "relative" | "dateTime" | "date" | "exact";

const forms: Record<Form, (instant: Date) => string> = {
  relative: relativeTime,
  dateTime: (instant) => dateTime.format(instant),
  date: (instant) => dateOnly.format(instant),
  exact: (instant) => exact.format(instant),
};

interface TimeProps {
  value?: string | null;
  form?: Form;
  /** Said when there is no time. */
  absent?: string;
}

export function Time({ value, form = "dateTime", absent = words.common.none }: TimeProps) {
  if (!value) {
    return (
      <Text span inherit c="dimmed">
        {absent}
      </Text>
    );
  }
  const instant = new Date(value);
  const local = exact.format(instant);
  const label = form === "relative" ? `${local} · ${utcText(instant)}` : utcText(instant);
  return (
    <Tooltip label={label}>
      <time dateTime={value}>{forms[form](instant)}</time>
    </Tooltip>
  );
}
