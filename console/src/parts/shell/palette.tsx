/**
 * The command palette (Ctrl-K): every place, every organisation, and the acts worth a shortcut.
 * A combobox over a list that is always open, so that a screen reader says what is chosen.
 */
import { Combobox, Modal, TextInput, useCombobox, useMantineColorScheme } from "@mantine/core";
import {
  IconArrowsExchange,
  IconLogout,
  IconMoon,
  IconSearch,
  IconSun,
  IconUserPlus,
  IconUsersPlus,
  type TablerIcon,
} from "@tabler/icons-react";
import { useNavigate } from "@tanstack/react-router";
import { type KeyboardEvent, useEffect, useId, useState } from "react";
import { words } from "../../words";
import { allowed, useMe } from "../permissions";
import { useSignOut, useSwitchOrganization } from "../session";
import classes from "./palette.module.css";
import { places } from "./places";

const said = words.shell;

interface Command {
  id: string;
  group: string;
  label: string;
  /** Where it belongs; found by the search too. */
  note?: string;
  icon: TablerIcon;
  run: () => void;
}

function usePlaces(): Command[] {
  const me = useMe();
  const navigate = useNavigate();
  const change = useSwitchOrganization();
  const others = me.organizations.filter(({ id }) => id !== me.organization?.id);
  return [
    ...places(me).map(({ label, group, to, icon }) => ({
      id: to,
      group: said.go,
      label,
      note: group ?? undefined,
      icon,
      run: () => void navigate({ to }),
    })),
    ...others.map(({ id, name }) => ({
      id,
      group: said.switchTo,
      label: said.switchToOne(name),
      icon: IconArrowsExchange,
      run: () => change.mutate({ id }),
    })),
  ];
}

function useActs(): Command[] {
  const me = useMe();
  const navigate = useNavigate();
  const signOut = useSignOut();
  const { setColorScheme } = useMantineColorScheme();
  const group = said.actions;
  const acts: Command[] = [];
  if (me.organization && allowed(me, "invitations_create")) {
    const to = `/o/${me.organization.slug}/invitations`;
    acts.push({
      id: "invite",
      group,
      label: words.invitations.invite,
      icon: IconUserPlus,
      run: () => void navigate({ to, search: { dialog: "invite" } }),
    });
  }
  if (me.organization && allowed(me, "teams_create")) {
    const to = `/o/${me.organization.slug}/teams`;
    acts.push({
      id: "create-team",
      group,
      label: words.teams.create,
      icon: IconUsersPlus,
      run: () => void navigate({ to, search: { dialog: "create" } }),
    });
  }
  const appearance = (id: "light" | "dark", icon: TablerIcon) => ({
    id,
    group,
    label: said[id],
    note: said.appearance,
    icon,
    run: () => setColorScheme(id),
  });
  acts.push(appearance("light", IconSun), appearance("dark", IconMoon), {
    id: "sign-out",
    group,
    label: said.signOut,
    icon: IconLogout,
    run: () => signOut.mutate(),
  });
  return acts;
}

/** Commands that have every word of the query in their texts. */
function matching(commands: Command[], query: string): Command[] {
  const wanted = query.toLowerCase().split(/\s+/).filter(Boolean);
  return commands.filter(({ label, note, group }) => {
    const text = `${label} ${note ?? ""} ${group}`.toLowerCase();
    return wanted.every((word) => text.includes(word));
  });
}

interface PaletteProps {
  opened: boolean;
  onClose: () => void;
}

export function Palette({ opened, onClose }: PaletteProps) {
  return (
    <Modal.Root opened={opened} onClose={onClose} size={580} yOffset="11vh" centered={false}>
      <Modal.Overlay backgroundOpacity={0.42} />
      <Modal.Content aria-label={said.find} radius="lg">
        <Commands onClose={onClose} />
      </Modal.Content>
    </Modal.Root>
  );
}

function Commands({ onClose }: { onClose: () => void }) {
  const combobox = useCombobox({ opened: true });
  const listId = useId();
  const [query, setQuery] = useState("");
  const [active, setActive] = useState<string | null>(null);
  const commands = matching([...usePlaces(), ...useActs()], query);
  const { selectFirstOption, resetSelectedOption } = combobox;

  // Enter always runs what is on top, unless the person chose another.
  // biome-ignore lint/correctness/useExhaustiveDependencies: runs anew for each query
  useEffect(() => {
    resetSelectedOption();
    setActive(selectFirstOption());
  }, [query]);

  const onKeyDown = (event: KeyboardEvent) => {
    if (event.nativeEvent.isComposing) return;
    if (event.key === "ArrowDown") setActive(combobox.selectNextOption());
    else if (event.key === "ArrowUp") setActive(combobox.selectPreviousOption());
    else if (event.key === "Enter") combobox.clickSelectedOption();
    else return;
    event.preventDefault();
  };
  const run = (id: string) => {
    onClose();
    commands.find((command) => command.id === id)?.run();
  };
  return (
    <Combobox store={combobox} onOptionSubmit={run}>
      <TextInput
        role="combobox"
        aria-expanded
        aria-controls={listId}
        aria-activedescendant={active ?? undefined}
        aria-autocomplete="list"
        aria-label={said.find}
        autoComplete="off"
        variant="unstyled"
        size="md"
        className={classes.search}
        placeholder={said.findHint}
        leftSection={<IconSearch size={18} stroke={1.7} aria-hidden="true" />}
        value={query}
        onChange={(event) => setQuery(event.currentTarget.value)}
        onKeyDown={onKeyDown}
        data-autofocus
      />
      <Combobox.Options id={listId} className={classes.list} aria-label={said.find}>
        {commands.length === 0 ? <Combobox.Empty>{said.findNothing}</Combobox.Empty> : null}
        <Groups commands={commands} />
      </Combobox.Options>
    </Combobox>
  );
}

function Groups({ commands }: { commands: Command[] }) {
  const groups = [...new Set(commands.map(({ group }) => group))];
  return groups.map((group) => (
    <Combobox.Group key={group} label={group} classNames={{ groupLabel: classes.group }}>
      {commands
        .filter((command) => command.group === group)
        .map(({ id, label, note, icon: Icon }) => (
          <Combobox.Option key={id} value={id} className={classes.command}>
            <Icon size={17} stroke={1.7} aria-hidden="true" />
            <span className={classes.label}>{label}</span>
            {note ? <span className={classes.note}>{note}</span> : null}
          </Combobox.Option>
        ))}
    </Combobox.Group>
  ));
}
