/** How old the key is that seals, and how its life stands. */
import { Text } from "@mantine/core";
import type { DataKey } from "../../api/types";
import { AlarmBadge, PlainBadge, Status, type Tone, WarnBadge } from "../../parts/badges";
import { words } from "../../words";

const said = words.keys;

const day = 86_400_000;
const daysOfMonth = 30.44;
const daysOfYear = 365;

export type Age = "fresh" | "due" | "late";

/**
 * A year is what auditors ask for. Two are the longest that a symmetric key should go on sealing
 * data: NIST SP 800-57 part 1 rev. 5, table 1, originator-usage period.
 */
export function ageOf(days: number): Age {
  if (days >= 2 * daysOfYear) return "late";
  return days >= daysOfYear ? "due" : "fresh";
}

export function daysSince(instant: string, now = Date.now()): number {
  return Math.max(0, Math.floor((now - new Date(instant).getTime()) / day));
}

function ageText(days: number): string {
  if (days < 1) return said.ageNew;
  if (days < 60) return said.age(said.ageDays(days));
  const months = Math.floor(days / daysOfMonth);
  if (months < 24) return said.age(said.ageMonths(months));
  return said.age(said.ageYears(Math.floor(days / daysOfYear)));
}

const badges = { fresh: PlainBadge, due: WarnBadge, late: AlarmBadge };

export function AgeBadge({ since }: { since: string }) {
  const days = daysSince(since);
  const Badge = badges[ageOf(days)];
  return <Badge>{ageText(days)}</Badge>;
}

/** Why the badge has its colour. */
export function AgeText({ since }: { since: string }) {
  return (
    <Text size="xs" c="dimmed">
      {said.ageText[ageOf(daysSince(since))]}
    </Text>
  );
}

const tones: Record<DataKey["state"], Tone> = {
  pending: "busy",
  active: "good",
  retiring: "busy",
  closing: "busy",
  retired: "warn",
  destroyed: "quiet",
};

export function KeyState({ state }: { state: DataKey["state"] }) {
  return <Status tone={tones[state]}>{said.states[state]}</Status>;
}
