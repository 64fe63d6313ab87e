/** Choosing who and what a decision is about. */
import { Select } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { type OperationId, operations } from "../../api/operations.gen";
import { membersQuery } from "../../api/queries";
import { serviceAccountsQuery } from "../../api/service-accounts";
import { words } from "../../words";
import { useOrganization, useWhyNot } from "../permissions";

const said = words.explainDecision;

/** Somebody who is picked. */
export interface Party {
  kind: "person" | "service";
  id: string;
  name: string;
}

interface PartySelectProps {
  value: Party | null;
  onChange: (party: Party | null) => void;
  /** Only one of the two, where the change is about that. */
  only?: Party["kind"];
}

/** A member, found by name or address, or a service account. */
export function PartySelect({ value, onChange, only }: PartySelectProps) {
  const organization = useOrganization();
  const [text, setText] = useState(value?.name ?? "");
  const [asked] = useDebouncedValue(text.trim(), 250);
  const noMembers = useWhyNot("members_list") !== null || only === "service";
  const noServices = useWhyNot("service_accounts_list") !== null || only === "person";
  // What is chosen is no search.
  const search = asked === "" || asked === value?.name ? undefined : asked;
  const members = useQuery({
    ...membersQuery(organization.id, { search, limit: 50 }),
    enabled: !noMembers,
  });
  const services = useQuery({
    ...serviceAccountsQuery(organization.id, { limit: 100 }),
    enabled: !noServices,
  });
  const people = (noMembers ? [] : (members.data?.items ?? [])).map(
    ({ account_id, name, email }): [Party, string] => [
      { kind: "person", id: account_id, name },
      `${name} (${email})`,
    ],
  );
  const programs = (noServices ? [] : (services.data?.items ?? []))
    .filter(({ name }) => !search || name.toLowerCase().includes(search.toLowerCase()))
    .map(({ id, name }): [Party, string] => [{ kind: "service", id, name }, name]);
  const all = [...people, ...programs];
  if (value && !all.some(([party]) => party.id === value.id)) all.push([value, value.name]);
  const group = (kind: Party["kind"], name: string) => ({
    group: name,
    items: all
      .filter(([party]) => party.kind === kind)
      .map(([party, label]) => ({ value: party.id, label })),
  });
  return (
    <Select
      label={said.person}
      data={[group("person", said.people), group("service", said.services)].filter(
        ({ items }) => items.length > 0,
      )}
      value={value?.id ?? null}
      onChange={(id) => onChange(all.find(([party]) => party.id === id)?.[0] ?? null)}
      onSearchChange={setText}
      // The server has searched.
      filter={({ options }) => options}
      searchable
      clearable
      nothingFoundMessage={words.shell.findNothing}
      comboboxProps={{ shadow: "md" }}
    />
  );
}

interface OperationSelectProps {
  label: string;
  value: string | null;
  onChange: (operation: OperationId | null) => void;
  /** Those that ask for a role. */
  ruled?: boolean;
}

/** An operation of the contract, by its name. */
export function OperationSelect({ label, value, onChange, ruled }: OperationSelectProps) {
  const names = (Object.keys(operations) as OperationId[]).filter((name) =>
    ruled ? operations[name].minimumRole !== null : operations[name].scope !== "public",
  );
  return (
    <Select
      label={label}
      data={names.toSorted()}
      value={value}
      onChange={(name) => onChange(name as OperationId | null)}
      searchable
      clearable
      limit={60}
      nothingFoundMessage={words.shell.findNothing}
      comboboxProps={{ shadow: "md" }}
    />
  );
}
