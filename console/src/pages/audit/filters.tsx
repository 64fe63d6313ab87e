/** The filters of the audit log. */
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { eventTypesQuery } from "../../api/event-types";
import { type AuditFilter, membersQuery } from "../../api/queries";
import { ChoiceFilter, choicesOf, DayFilter, FilterBar, TextFilter } from "../../parts/filters";
import { allowed, useMe, useOrganization } from "../../parts/permissions";
import { words } from "../../words";

const said = words.audit;

export interface AuditSearch {
  event?: string;
  severity?: string;
  least?: string;
  class?: string;
  kind?: string;
  outcome?: string;
  actor?: string;
  target?: string;
  from?: string;
  to?: string;
  text?: string;
}

const names = [
  "event",
  "severity",
  "least",
  "class",
  "outcome",
  "kind",
  "actor",
  "target",
  "from",
  "to",
  "text",
] as const;

/** What the server is asked by what is in the address. */
export function filterOf(search: AuditSearch): Omit<AuditFilter, "cursor" | "limit"> {
  return {
    event: search.event,
    severity: search.severity as AuditFilter["severity"],
    min_severity: search.least as AuditFilter["min_severity"],
    class: search.class as AuditFilter["class"],
    outcome: search.outcome as AuditFilter["outcome"],
    actor_id: search.actor,
    target_type: search.kind,
    target_id: search.target,
    from: dayStart(search.from),
    to: dayEnd(search.to),
    text: search.text,
  };
}

export function activeFilters(search: AuditSearch): string[] {
  return names.filter((name) => search[name]);
}

/** The first instant of a day ("2025-03-31") in the viewer's zone, as RFC 3339. */
export function dayStart(day: string | undefined): string | undefined {
  return instant(day, 0);
}

/** The first instant after a day: the end of a range that includes it. */
export function dayEnd(day: string | undefined): string | undefined {
  return instant(day, 1);
}

function instant(day: string | undefined, plus: number): string | undefined {
  const [year, month, date] = (day ?? "").split("-").map(Number);
  if (!year || !month || !date) return undefined;
  const local = new Date(year, month - 1, date + plus);
  return Number.isNaN(local.getTime()) ? undefined : local.toISOString();
}

interface AuditFiltersProps {
  search: AuditSearch;
  children: ReactNode;
}

export function AuditFilters({ search, children }: AuditFiltersProps) {
  const types = useQuery(eventTypesQuery(useOrganization().id)).data ?? [];
  const kinds = [...new Set(types.map(({ target_type }) => target_type))].sort();
  return (
    <FilterBar active={activeFilters(search)}>
      <TextFilter name="text" value={search.text} label={said.text} placeholder={said.textHint} />
      <ChoiceFilter
        name="event"
        value={search.event}
        label={said.event}
        any={said.anyEvent}
        choices={types.map(({ code, title }) => ({ value: code, label: title }))}
        searchable
        width={210}
      />
      <ActorFilter value={search.actor} />
      <ChoiceFilter
        name="outcome"
        value={search.outcome}
        label={said.outcome}
        any={said.anyOutcome}
        choices={choicesOf(said.outcomes)}
        width={140}
      />
      <ChoiceFilter
        name="severity"
        value={search.severity}
        label={said.severity}
        any={said.anySeverity}
        choices={choicesOf(said.severities)}
        width={140}
      />
      <ChoiceFilter
        name="least"
        value={search.least}
        label={said.least}
        any={said.anyLeast}
        choices={choicesOf(said.leasts)}
        width={160}
      />
      <ChoiceFilter
        name="class"
        value={search.class}
        label={said.class}
        any={said.anyClass}
        choices={choicesOf(said.classes)}
        width={130}
      />
      <ChoiceFilter
        name="kind"
        value={search.kind}
        label={said.targetType}
        any={said.anyTargetType}
        choices={kinds.map((kind) => ({ value: kind, label: kind.replaceAll("_", " ") }))}
        searchable
        width={160}
      />
      <DayFilter name="from" value={search.from} label={said.from} />
      <DayFilter name="to" value={search.to} label={said.to} />
      {search.target ? (
        <ChoiceFilter
          name="target"
          value={search.target}
          label={said.target}
          any={said.target}
          choices={[{ value: search.target, label: said.filteredTarget }]}
        />
      ) : null}
      {children}
    </FilterBar>
  );
}

/** People to choose from are the members; who left is still found by a link from an entry. */
function ActorFilter({ value }: { value: string | undefined }) {
  const me = useMe();
  const organization = useOrganization();
  const members = useQuery({
    ...membersQuery(organization.id, { limit: 200 }),
    enabled: allowed(me, "members_list"),
  });
  const choices = (members.data?.items ?? []).map(({ account_id, name }) => ({
    value: account_id,
    label: name,
  }));
  const known = !value || choices.some((choice) => choice.value === value);
  return (
    <ChoiceFilter
      name="actor"
      value={value}
      label={said.actor}
      any={said.anyActor}
      choices={known ? choices : [...choices, { value, label: `${value.slice(0, 8)}…` }]}
      searchable
    />
  );
}
