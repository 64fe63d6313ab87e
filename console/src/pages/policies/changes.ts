/** What happened to somebody's roles, in words; and by day or week for the chart. */
import type { PolicyChange } from "../../api/types";
import { roleName } from "../../parts/permissions";
import { words } from "../../words";
import type { PolicySearch } from "./search";

const said = words.policies.history;
const statuses = words.policies.holders.statuses;
const day = 86_400_000;

/** Whom it happened to: a person, a service account, or a team with all in it. */
export function changedName({ name, erased, account_id, id }: PolicyChange): string {
  if (erased) return words.policies.holders.erased;
  return name ?? account_id ?? id;
}

/** What kind of thing that is. */
export function changedKind({ type, members }: PolicyChange): string {
  if (type === "team") return `${said.team}, ${said.teamMembers(members ?? 0)}`;
  return type === "service_account"
    ? (words.policies.holders.typeOf.service_account ?? "")
    : (words.policies.holders.typeOf.person ?? "");
}

/** What happened, in a few words: "Member → Admin". Several when role and status changed at once. */
export function changeTexts(change: PolicyChange): string[] {
  const { type, team, role, role_before, status, status_before } = change;
  const before = role_before && roleName(role_before);
  const after = role && roleName(role);
  if (type === "team_member") {
    const name = team ?? said.unnamed;
    return [after ? said.gotByTeam(after, name) : said.lostByTeam(before ?? said.unnamed, name)];
  }
  if (change.change === "granted" && after) return [granted[type]?.(after) ?? said.became(after)];
  if (change.change === "lost" && before) return [lost[type]?.(before) ?? said.was(before)];
  const texts: string[] = [];
  if (role !== role_before) texts.push(ofRole(type, before, after));
  if (status !== status_before && status && status_before) {
    texts.push(
      said.statusChanged(statuses[status_before] ?? status_before, statuses[status] ?? status),
    );
  }
  return texts;
}

const granted: Record<string, (role: string) => string> = {
  team: said.teamGives,
  service_account: said.serviceMade,
};

const lost: Record<string, (role: string) => string> = {
  team: said.teamGivesNoMore,
  service_account: said.serviceGone,
};

/** A team may begin or cease to give a role while it stays. */
function ofRole(type: string, before: string | undefined, after: string | undefined): string {
  if (before && after) return said.roleChanged(before, after);
  if (after) return type === "team" ? said.teamGives(after) : said.became(after);
  return type === "team" ? said.teamGivesNoMore(before ?? "") : said.was(before ?? "");
}

/** The changes that the filters leave, the latest first. */
export function wantedChanges(changes: PolicyChange[], search: PolicySearch): PolicyChange[] {
  const text = search.search?.toLowerCase();
  return changes
    .filter((change) => {
      if (search.change && change.change !== search.change) return false;
      if (search.role && change.role !== search.role && change.role_before !== search.role)
        return false;
      const names = [changedName(change), change.team ?? "", change.by.name ?? ""];
      return !text || names.join("\n").toLowerCase().includes(text);
    })
    .toReversed();
}

export interface Span {
  start: Date;
  granted: number;
  changed: number;
  lost: number;
}

/** More days than this are drawn by week: thinner bars could not be told apart. */
const mostDays = 62;

/** The changes by day in the viewer's zone, or by week when the days are many; empty ones too. */
export function overTime(
  changes: PolicyChange[],
  from: Date,
  to: Date,
): { spans: Span[]; weekly: boolean } {
  const first = new Date(from.getFullYear(), from.getMonth(), from.getDate());
  const weekly = (to.getTime() - first.getTime()) / day > mostDays;
  const step = weekly ? 7 : 1;
  const spans: Span[] = [];
  const start = (index: number) =>
    new Date(first.getFullYear(), first.getMonth(), first.getDate() + index * step);
  for (let index = 0; start(index) <= to; index += 1) {
    spans.push({ start: start(index), granted: 0, changed: 0, lost: 0 });
  }
  let at = 0;
  for (const change of changes) {
    const when = new Date(change.at);
    // The changes come in the order of time, so the spans are walked once.
    while (at + 1 < spans.length && (spans[at + 1]?.start ?? to) <= when) at += 1;
    const span = spans[at];
    if (span && isKind(change.change)) span[change.change] += 1;
  }
  return { spans, weekly };
}

function isKind(change: string): change is "granted" | "changed" | "lost" {
  return change === "granted" || change === "changed" || change === "lost";
}
