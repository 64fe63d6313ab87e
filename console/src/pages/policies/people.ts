/** Who holds what, as the list has it: which are wanted, where a role comes from, what somebody is called. */
import type { PolicyDocument } from "../../api/policies";
import type { PolicyActor, PolicyGrant, PolicyHolder } from "../../api/types";
import { words } from "../../words";
import type { PolicySearch } from "./search";

const said = words.policies.holders;
const day = 86_400_000;

export function holdersOf(documents: PolicyDocument[]): PolicyHolder[] {
  return documents.flatMap(({ policy }) => policy.holders);
}

/** What a holder is called, as far as the viewer sees that: the platform gets ids of tenants' people. */
export function holderName({ name, erased, account_id, id }: PolicyHolder): string {
  if (erased) return said.erased;
  return name ?? account_id ?? id;
}

/** Whether it is known who this is, so that a missing sign-in means that there was none. */
export function isKnown({ name, erased, type }: PolicyHolder): boolean {
  return type === "person" && (name !== undefined || erased === true);
}

/** Those whom the filters leave; sign-ins are reckoned back from the moment that is shown. */
export function wantedHolders(
  holders: PolicyHolder[],
  search: PolicySearch,
  at: Date,
): PolicyHolder[] {
  const text = search.search?.toLowerCase();
  const { role, type, status, seen, factor } = search;
  const before = seen && seen !== "never" ? at.getTime() - Number(seen) * day : Number.NaN;
  return holders.filter((holder) => {
    if (role && !holder.effective_roles.includes(role)) return false;
    if (type && holder.type !== type) return false;
    if (status && holder.status !== status) return false;
    if (factor && holder.second_factors === undefined) return false;
    if (factor && (holder.second_factors?.length === 0) !== (factor === "none")) return false;
    if (seen === "never" && (holder.last_sign_in_at || !isKnown(holder))) return false;
    // What can't be reckoned, an absent sign-in too, is not over so many days ago.
    if (seen && seen !== "never" && !(Date.parse(holder.last_sign_in_at ?? "") < before))
      return false;
    return !text || textOf(holder).includes(text);
  });
}

function textOf(holder: PolicyHolder): string {
  const { id, account_id = "", email = "", grants } = holder;
  const teams = grants.map(({ team = "" }) => team);
  return [holderName(holder), email, id, account_id, ...teams].join("\n").toLowerCase();
}

/** How many hold each role that counts, in the order of the roles. */
export function countByRole(
  holders: PolicyHolder[],
  roles: { name: string }[],
): { role: string; count: number }[] {
  const counts = new Map<string, number>();
  for (const { effective_roles } of holders) {
    for (const role of effective_roles) counts.set(role, (counts.get(role) ?? 0) + 1);
  }
  return roles
    .map(({ name }) => ({ role: name, count: counts.get(name) ?? 0 }))
    .filter(({ count }) => count > 0);
}

/** The grants that give a role that counts, the oldest first; one that is outdone counts not. */
export function effectiveGrants({ grants, effective_roles }: PolicyHolder): PolicyGrant[] {
  return grants
    .filter(({ role }) => effective_roles.includes(role))
    .sort((a, b) => a.since.localeCompare(b.since));
}

export function sourceOf({ via, team }: PolicyGrant): string {
  if (via !== "team") return said.direct;
  return team ? said.viaTeam(team) : said.viaTeamUnnamed;
}

/** Finds what those who gave roles are called among the holders themselves. */
export function actorNames(holders: PolicyHolder[]): (actor: PolicyActor) => string | undefined {
  const names = new Map<string, string>();
  for (const holder of holders) {
    const id = holder.type === "person" ? holder.account_id : holder.id;
    if (id && (holder.name || holder.erased)) names.set(id, holderName(holder));
  }
  return ({ id, name }) => name ?? (id ? names.get(id) : undefined);
}
