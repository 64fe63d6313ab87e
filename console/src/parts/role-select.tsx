/** Choosing a role: those above one's own are shown, off, with the reason. */
import { Select, type SelectProps, Stack, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { type OperationId, operations } from "../api/operations.gen";
import { rolesQuery } from "../api/queries";
import type { Me, Role } from "../api/types";
import { words } from "../words";
import { roleName, useMe, whyNot } from "./permissions";

/** A role and all that it inherits. */
function chain(roles: Role[], name: string | null | undefined): Set<string> {
  const found = new Set<string>();
  let next = roles.find((role) => role.name === name);
  while (next && !found.has(next.name)) {
    found.add(next.name);
    const parent = next.inherits;
    next = roles.find((role) => role.name === parent);
  }
  return found;
}

/** Whether one role gives all that another gives: itself, one it inherits, or one that only reads what such a role reads. */
function includes(roles: Role[], holder: string, name: string): boolean {
  const own = chain(roles, holder);
  const readsAs = roles.find((role) => role.name === name)?.reads_as;
  return own.has(name) || (readsAs != null && own.has(readsAs));
}

/** Whether this person holds all that a role gives. The server decides; this spares a refusal. */
export function covers(roles: Role[], me: Me, name: string): boolean {
  return me.effective_roles.some((own) => includes(roles, own, name));
}

/** The roles that count of several, the highest first, as the server reckons them. */
export function counting(roles: Role[], names: string[]): string[] {
  const level = (name: string) => roles.find((role) => role.name === name)?.level ?? 0;
  const sorted = [...new Set(names)].toSorted((a, b) => level(b) - level(a));
  return sorted.filter((name, at) =>
    sorted.every(
      (other, otherAt) =>
        other === name ||
        !includes(roles, other, name) ||
        (otherAt > at && includes(roles, name, other)),
    ),
  );
}

/**
 * Why an operation on somebody else's object is refused. Where a lower role may act on its own,
 * `me.operations` has the operation for everybody.
 */
export function whyNotOthers(roles: Role[], me: Me, operation: OperationId): string | null {
  const refused = whyNot(me, operation);
  const { ownership, minimumRole } = operations[operation];
  if (refused || !ownership || !minimumRole || roles.length === 0) return refused;
  const byRole = me.effective_roles.some((own) => chain(roles, own).has(minimumRole));
  return byRole || me.permissions.includes(operation)
    ? null
    : words.common.notAllowed(roleName(minimumRole));
}

export function useRoles(): Role[] {
  return useQuery(rolesQuery).data ?? [];
}

interface RoleSelectProps extends Omit<SelectProps<string>, "data" | "renderOption"> {
  /** For a team, which makes nobody an owner. */
  ofTeam?: boolean;
  /** For what holds no role of the platform's, also in the platform's own organisation. */
  ofOrganization?: boolean;
}

export function RoleSelect({ ofTeam, ofOrganization, ...props }: RoleSelectProps) {
  const me = useMe();
  const roles = useRoles();
  const inTenant = me.organization?.kind === "tenant";
  const choices = roles
    // Roles of the platform can be held in the platform's own organisation only.
    .filter((role) => !(inTenant || ofOrganization) || role.scope === "organization")
    .filter((role) => !ofTeam || !chain(roles, role.name).has("owner"))
    .toSorted((a, b) => b.level - a.level)
    .map((role) => ({
      value: role.name,
      label: roleName(role.name),
      disabled: !covers(roles, me, role.name),
    }));
  return (
    <Select
      allowDeselect={false}
      data={choices}
      comboboxProps={{ shadow: "md" }}
      renderOption={({ option }) => (
        <Stack gap={0}>
          <Text fw={550}>{option.label}</Text>
          <Text size="xs" c="dimmed">
            {option.disabled ? words.members.aboveOwn : (words.roles.short[option.value] ?? "")}
          </Text>
        </Stack>
      )}
      {...props}
    />
  );
}
