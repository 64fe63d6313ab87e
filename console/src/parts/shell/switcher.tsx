/** The organisation that one works in, and the way to another. */
import { Menu, ScrollArea, Text, UnstyledButton } from "@mantine/core";
import { IconCheck, IconSelector } from "@tabler/icons-react";
import { words } from "../../words";
import { roleName, useMe } from "../permissions";
import { useSwitchOrganization } from "../session";
import classes from "./shell.module.css";

export function Tile({ name }: { name: string }) {
  return (
    <span className={classes.tile} aria-hidden="true">
      {[...name.trim()][0]?.toUpperCase() ?? "?"}
    </span>
  );
}

export function Switcher() {
  const me = useMe();
  const change = useSwitchOrganization();
  const name = me.organization?.name ?? words.shell.noOrganization;
  return (
    <Menu width={280} position="bottom-start" offset={6}>
      <Menu.Target>
        <UnstyledButton
          className={classes.switcher}
          aria-label={words.shell.currentOrganization(name)}
          aria-busy={change.isPending}
        >
          <Tile name={name} />
          <span className={classes.twoLines}>
            <Text component="span" fw={600} truncate>
              {name}
            </Text>
            <Text component="span" size="xs" c="dimmed" truncate>
              {me.effective_roles[0] ? roleName(me.effective_roles[0]) : words.common.none}
            </Text>
          </span>
          <IconSelector size={16} stroke={1.6} aria-hidden="true" />
        </UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>{words.shell.switchTo}</Menu.Label>
        <ScrollArea.Autosize mah={360} type="auto">
          {me.organizations.map((organization) => {
            const current = organization.id === me.organization?.id;
            return (
              <Menu.Item
                key={organization.id}
                leftSection={<Tile name={organization.name} />}
                rightSection={current ? <IconCheck size={16} aria-hidden="true" /> : null}
                aria-current={current || undefined}
                onClick={() => (current ? undefined : change.mutate({ id: organization.id }))}
              >
                <Text span truncate display="block">
                  {organization.name}
                </Text>
                <Text span size="xs" c="dimmed">
                  {roleName(organization.effective_roles[0] ?? organization.role)}
                </Text>
              </Menu.Item>
            );
          })}
        </ScrollArea.Autosize>
      </Menu.Dropdown>
    </Menu>
  );
}
