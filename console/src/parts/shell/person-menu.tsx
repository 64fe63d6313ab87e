/** The person's menu: profile, appearance, sign out. */
import { Menu, Text, UnstyledButton, useMantineColorScheme } from "@mantine/core";
import {
  IconApi,
  IconCheck,
  IconDeviceDesktop,
  IconLogout,
  IconMoon,
  IconSun,
  IconUserCircle,
} from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import { words } from "../../words";
import { useMe } from "../permissions";
import { useSignOut } from "../session";
import classes from "./shell.module.css";

const schemes = [
  { value: "light", label: words.shell.light, icon: IconSun },
  { value: "dark", label: words.shell.dark, icon: IconMoon },
  { value: "auto", label: words.shell.auto, icon: IconDeviceDesktop },
] as const;

export function initials(name: string): string {
  const parts = name.trim().split(/\s+/);
  const letters = [parts[0], parts.length > 1 ? parts.at(-1) : ""].map(
    (part) => [...(part ?? "")][0],
  );
  return letters.join("").toUpperCase() || "?";
}

export function PersonMenu({ onGo }: { onGo?: () => void }) {
  const { account } = useMe();
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const signOut = useSignOut();
  return (
    <Menu width={240} position="top-start" offset={6}>
      <Menu.Target>
        <UnstyledButton
          className={classes.switcher}
          aria-label={words.shell.personMenu(account.name)}
        >
          <span className={classes.avatar} aria-hidden="true">
            {initials(account.name)}
          </span>
          <span className={classes.twoLines}>
            <Text component="span" fw={550} truncate>
              {account.name}
            </Text>
            <Text component="span" size="xs" c="dimmed" truncate>
              {account.email}
            </Text>
          </span>
        </UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item
          component={Link}
          to="/account"
          onClick={onGo}
          leftSection={<IconUserCircle size={16} aria-hidden="true" />}
        >
          {words.shell.profile}
        </Menu.Item>
        <Menu.Divider />
        <Menu.Label>{words.shell.appearance}</Menu.Label>
        {schemes.map(({ value, label, icon: Icon }) => (
          <Menu.Item
            key={value}
            leftSection={<Icon size={16} aria-hidden="true" />}
            rightSection={colorScheme === value ? <IconCheck size={16} aria-hidden="true" /> : null}
            aria-current={colorScheme === value || undefined}
            closeMenuOnClick={false}
            onClick={() => setColorScheme(value)}
          >
            {label}
          </Menu.Item>
        ))}
        <Menu.Divider />
        <Menu.Item
          component="a"
          href="/docs"
          target="_blank"
          rel="noopener"
          leftSection={<IconApi size={16} aria-hidden="true" />}
        >
          {words.shell.apiReference}
        </Menu.Item>
        <Menu.Item
          onClick={() => signOut.mutate()}
          leftSection={<IconLogout size={16} aria-hidden="true" />}
        >
          {words.shell.signOut}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
