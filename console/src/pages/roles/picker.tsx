/** Ticking permissions, by the part of the product that they are of. What one doesn't hold oneself is off, and says why. */
import { Checkbox, Fieldset, Group, Input, Stack, Text, TextInput } from "@mantine/core";
import { IconSearch } from "@tabler/icons-react";
import { type ReactNode, useState } from "react";
import type { Permission } from "../../api/types";
import { words } from "../../words";
import classes from "./roles.module.css";

const said = words.customRoles;

/** The permissions by group, in the order in which they come. */
export function grouped(permissions: Permission[]): [string, Permission[]][] {
  const groups = new Map<string, Permission[]>();
  for (const permission of permissions) {
    const group = groups.get(permission.group);
    if (group) group.push(permission);
    else groups.set(permission.group, [permission]);
  }
  return [...groups];
}

/** "ServiceAccounts" as people write it. */
export function groupName(group: string): string {
  const spaced = group.replace(/([a-z])([A-Z])/g, "$1 $2").toLowerCase();
  return spaced.charAt(0).toUpperCase() + spaced.slice(1);
}

/** Whether a permission is what somebody looks for. */
export function matches({ operation, title, group }: Permission, text: string): boolean {
  const wanted = text.trim().toLowerCase();
  const said = `${operation} ${title} ${groupName(group)}`.toLowerCase();
  return wanted.split(/\s+/).every((word) => said.includes(word));
}

interface PickerProps {
  permissions: Permission[];
  value: string[];
  onChange: (value: string[]) => void;
  error?: ReactNode;
}

export function PermissionPicker({ permissions, value, onChange, error }: PickerProps) {
  const [search, setSearch] = useState("");
  const groups = grouped(permissions.filter((permission) => matches(permission, search)));
  const toggle = (operation: string) =>
    onChange(
      value.includes(operation)
        ? value.filter((name) => name !== operation)
        : [...value, operation],
    );
  return (
    <Input.Wrapper label={said.pick} description={said.pickHint} error={error} labelElement="div">
      <Stack gap="xs" mt={6}>
        <Group justify="space-between" gap="xs">
          <TextInput
            size="xs"
            type="search"
            value={search}
            onChange={(event) => setSearch(event.currentTarget.value)}
            leftSection={<IconSearch size={14} aria-hidden="true" />}
            placeholder={said.searchLabel}
            aria-label={said.searchLabel}
            className={classes.grow}
          />
          <Text size="xs" c="dimmed" role="status">
            {said.picked(value.length, permissions.length)}
          </Text>
        </Group>
        <div className={classes.picker} tabIndex={-1}>
          {groups.length === 0 ? (
            <Text size="sm" c="dimmed" p="sm">
              {said.nothing}
            </Text>
          ) : null}
          {groups.map(([group, items]) => (
            <Fieldset key={group} legend={groupName(group)} variant="unstyled" mb="sm">
              <Stack gap={12} mt={6}>
                {items.map((permission) => (
                  <Checkbox
                    key={permission.operation}
                    checked={value.includes(permission.operation)}
                    onChange={() => toggle(permission.operation)}
                    disabled={!permission.grantable && !value.includes(permission.operation)}
                    label={permission.title}
                    description={remark(permission)}
                    size="sm"
                  />
                ))}
              </Stack>
            </Fieldset>
          ))}
        </div>
      </Stack>
    </Input.Wrapper>
  );
}

function remark({ grantable, reauthentication }: Permission): string | undefined {
  if (!grantable) return said.notHeld;
  return reauthentication ? said.fresh : undefined;
}
