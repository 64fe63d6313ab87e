/** Roles of an organisation's own, wherever they are chosen or shown. Those that permit more than the viewer may are off. */
import { Badge, Group, MultiSelect, type MultiSelectProps, Stack, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { customRolesQuery, permissionsQuery } from "../api/custom-roles";
import type { CustomRole, CustomRoleOf } from "../api/types";
import { words } from "../words";
import classes from "./badges.module.css";
import { useOrganization, useWhyNot } from "./permissions";

const said = words.customRoles;

/** Whether the viewer holds all that a role permits. The server decides; this spares a refusal. */
export function useHolds(): (role: CustomRole) => boolean {
  const organization = useOrganization();
  const hidden = useWhyNot("permissions_list") !== null;
  const permissions = useQuery({ ...permissionsQuery(organization.id), enabled: !hidden });
  const items = permissions.data?.items ?? [];
  const known = new Set(items.map(({ operation }) => operation));
  const own = new Set(items.filter((item) => item.grantable).map(({ operation }) => operation));
  // What no role can permit any more gives nothing.
  return (role) => role.permissions.every((name) => own.has(name) || !known.has(name));
}

type CustomRoleSelectProps = Omit<MultiSelectProps<string>, "data" | "renderOption">;

/** Nothing at all where there is none, or where they can't be seen. */
export function CustomRoleSelect(props: CustomRoleSelectProps) {
  const organization = useOrganization();
  const hidden = useWhyNot("custom_roles_list") !== null;
  const holds = useHolds();
  const roles = useQuery({ ...customRolesQuery(organization.id), enabled: !hidden });
  if (!roles.data?.items.length) return null;
  const byId = new Map(roles.data.items.map((role) => [role.id, role]));
  return (
    <MultiSelect
      label={said.select}
      description={said.selectHint}
      data={roles.data.items.map((role) => ({
        value: role.id,
        label: role.name,
        disabled: !holds(role),
      }))}
      searchable
      hidePickedOptions
      nothingFoundMessage={words.shell.findNothing}
      comboboxProps={{ shadow: "md" }}
      renderOption={({ option }) => {
        const role = byId.get(option.value);
        const text = role?.description ?? said.permissionCount(role?.permissions.length ?? 0);
        return (
          <Stack gap={0}>
            <Text fw={550}>{option.label}</Text>
            <Text size="xs" c="dimmed">
              {option.disabled ? said.aboveOwn : text}
            </Text>
          </Stack>
        );
      }}
      {...props}
    />
  );
}

/** Custom roles by name; those that a team gives say so. */
export function CustomRoles({ roles }: { roles: CustomRoleOf[] }) {
  return (
    <Group gap={6}>
      {roles.map(({ id, name, team_id }) => (
        <Badge
          key={`${id} ${team_id ?? ""}`}
          className={classes.role}
          data-custom
          variant="default"
        >
          {team_id ? said.byTeam(name) : name}
        </Badge>
      ))}
    </Group>
  );
}
