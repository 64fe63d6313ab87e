/** Building a proposal, change by change. */
import { ActionIcon, Button, Group, Select, Stack, Text } from "@mantine/core";
import { IconPlus, IconX } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { allTeamsQuery } from "../../api/queries";
import type { ProposedChange } from "../../api/types";
import { type Party, PartySelect } from "../../parts/decisions/pickers";
import { Section } from "../../parts/page";
import { roleName, useOrganization } from "../../parts/permissions";
import { useRoles } from "../../parts/role-select";
import { words } from "../../words";
import { CustomRoleChoice, CustomRolesChoice, PermissionsChoice, useCustomRoles } from "./custom";
import { isCustom, type Kind, most, parts } from "./proposal";
import classes from "./simulate.module.css";

const said = words.simulate;
/** What stands for "no role" in a list of choices. */
const none = "none";

interface BuilderProps {
  changes: ProposedChange[];
  sentence: (change: ProposedChange) => string;
  onChange: (changes: ProposedChange[]) => void;
  /** Somebody was picked: their name is known from now on. */
  onPicked: (party: Party) => void;
}

export function Builder({ changes, sentence, onChange, onPicked }: BuilderProps) {
  return (
    <Section
      title={said.proposal}
      text={said.proposalText}
      action={
        changes.length > 0 ? (
          <Button size="xs" variant="default" onClick={() => onChange([])}>
            {said.clear}
          </Button>
        ) : null
      }
    >
      <Stack gap="md">
        {changes.length > 0 ? (
          <ol className={classes.changes} aria-label={said.proposal}>
            {changes.map((change, at) => (
              // The same change twice is the same twice; its place tells it apart.
              // biome-ignore lint/suspicious/noArrayIndexKey: the place is what a change is known by
              <li key={at}>
                <Text span>{sentence(change)}</Text>
                <ActionIcon
                  variant="subtle"
                  color="gray"
                  aria-label={said.remove(sentence(change))}
                  onClick={() => onChange(changes.filter((_, other) => other !== at))}
                >
                  <IconX size={16} />
                </ActionIcon>
              </li>
            ))}
          </ol>
        ) : null}
        {changes.length < most ? (
          <NewChange
            onAdd={(change, party) => {
              if (party) onPicked(party);
              onChange([...changes, change]);
            }}
          />
        ) : null}
      </Stack>
    </Section>
  );
}

function NewChange({ onAdd }: { onAdd: (change: ProposedChange, party: Party | null) => void }) {
  const [kind, setKind] = useState<Kind>("member_role");
  const [who, setWho] = useState<Party | null>(null);
  const [team, setTeam] = useState<string | null>(null);
  const [role, setRole] = useState<string | null>(null);
  const [custom, setCustom] = useState<string | null>(null);
  const [customs, setCustoms] = useState<string[]>([]);
  const [permissions, setPermissions] = useState<string[]>([]);
  const roles = useCustomRoles();
  const needs = parts[kind];
  const service = needs.includes("service_account_id");
  const party = service || needs.includes("account_id");
  const ready =
    (!party || who !== null) &&
    (!needs.includes("team_id") || team !== null) &&
    (!needs.includes("role") || role !== null) &&
    (!needs.includes("custom_role_id") || custom !== null);
  const clear = () => {
    setWho(null);
    setCustom(null);
    setCustoms([]);
    setPermissions([]);
  };
  const add = (event: FormEvent) => {
    event.preventDefault();
    if (!ready) return;
    const change: ProposedChange = { change: kind };
    if (service && who) change.service_account_id = who.id;
    else if (party && who) change.account_id = who.id;
    if (needs.includes("team_id") && team) change.team_id = team;
    if (needs.includes("role") && role && role !== none) change.role = role;
    if (needs.includes("custom_role_id") && custom) change.custom_role_id = custom;
    if (needs.includes("custom_role_ids")) change.custom_role_ids = customs;
    if (needs.includes("permissions")) change.permissions = permissions;
    onAdd(change, who);
    clear();
  };
  return (
    <form onSubmit={add} noValidate className={classes.builder}>
      <Select
        label={said.kind}
        data={Object.entries(said.kinds)
          .filter(([value]) => roles.length > 0 || !isCustom(value as Kind))
          .map(([value, label]) => ({ value, label }))}
        value={kind}
        onChange={(value) => {
          setKind((value ?? "member_role") as Kind);
          setRole(null);
          clear();
        }}
        allowDeselect={false}
        comboboxProps={{ shadow: "md" }}
      />
      {party ? (
        <PartySelect
          key={`${kind} ${who === null}`}
          only={service ? "service" : "person"}
          value={who}
          onChange={setWho}
        />
      ) : null}
      {needs.includes("team_id") ? <TeamChoice value={team} onChange={setTeam} /> : null}
      {needs.includes("role") ? <RoleChoice kind={kind} value={role} onChange={setRole} /> : null}
      {needs.includes("custom_role_id") ? (
        <CustomRoleChoice
          value={custom}
          onChange={(value) => {
            setCustom(value);
            setPermissions(roles.find(({ id }) => id === value)?.permissions ?? []);
          }}
        />
      ) : null}
      {needs.includes("custom_role_ids") ? (
        <CustomRolesChoice value={customs} onChange={setCustoms} />
      ) : null}
      {needs.includes("permissions") && custom ? (
        <PermissionsChoice value={permissions} onChange={setPermissions} />
      ) : null}
      <Group align="flex-end">
        <Button
          type="submit"
          variant="default"
          leftSection={<IconPlus size={16} aria-hidden="true" />}
          disabled={!ready}
        >
          {said.add}
        </Button>
      </Group>
    </form>
  );
}

export interface ChoiceProps {
  value: string | null;
  onChange: (value: string | null) => void;
}

function TeamChoice({ value, onChange }: ChoiceProps) {
  const { id } = useOrganization();
  const teams = useQuery(allTeamsQuery(id)).data ?? [];
  return (
    <Select
      label={said.team}
      data={teams.map(({ id: team, name }) => ({ value: team, label: name }))}
      value={value}
      onChange={onChange}
      searchable
      nothingFoundMessage={words.shell.findNothing}
      comboboxProps={{ shadow: "md" }}
    />
  );
}

/** Any role that could be held so: looking at what it would do takes no right to give it. */
function RoleChoice({ kind, value, onChange }: ChoiceProps & { kind: Kind }) {
  const roles = useRoles();
  const tenant = useOrganization().kind === "tenant";
  const choices = roles
    .filter(({ scope }) => scope === "organization" || (!tenant && kind === "member_role"))
    .filter(({ name }) => kind !== "team_role" || (name !== "owner" && name !== "platform_admin"))
    .toSorted((a, b) => b.level - a.level)
    .map(({ name }) => ({ value: name, label: roleName(name) }));
  return (
    <Select
      label={said.role}
      data={kind === "team_role" ? [...choices, { value: none, label: said.noRole }] : choices}
      value={value}
      onChange={onChange}
      comboboxProps={{ shadow: "md" }}
    />
  );
}
