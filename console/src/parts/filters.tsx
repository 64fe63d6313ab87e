/** Filters over a list. They live in the address, and changing one starts at the first page. */
import { Button, CloseButton, Group, Select, TextInput } from "@mantine/core";
import { useDebouncedCallback } from "@mantine/hooks";
import { IconSearch } from "@tabler/icons-react";
import { useNavigate } from "@tanstack/react-router";
import { type CSSProperties, type ReactNode, useEffect, useRef, useState } from "react";
import { words } from "../words";
import classes from "./filters.module.css";

type Changes = Record<string, string | undefined>;

/** Sets search parameters of this page; the cursor belongs to the old filter and goes. */
export function useFilter() {
  const navigate = useNavigate();
  return (changes: Changes) =>
    void navigate({
      to: ".",
      search: (now: Changes) => ({ ...now, cursor: undefined, ...changes }),
      replace: true,
    });
}

/** Sets search parameters without touching the list: open drawers and dialogs. */
export function useOpen() {
  const navigate = useNavigate();
  return (changes: Changes) =>
    void navigate({ to: ".", search: (now: Changes) => ({ ...now, ...changes }) });
}

interface BarProps {
  children: ReactNode;
  /** The names of the filters that are set; none hides the button that clears them. */
  active: string[];
}

export function FilterBar({ children, active }: BarProps) {
  const filter = useFilter();
  return (
    <Group component="search" gap="xs" className={classes.bar} aria-label={words.common.filters}>
      {children}
      {active.length > 0 ? (
        <Button
          variant="subtle"
          color="gray"
          size="sm"
          onClick={() => filter(Object.fromEntries(active.map((name) => [name, undefined])))}
        >
          {words.common.clearFilters}
        </Button>
      ) : null}
    </Group>
  );
}

interface TextFilterProps {
  name: string;
  value: string | undefined;
  label: string;
  placeholder?: string;
  /** Whether the text is worth asking for; unfinished text is kept back. */
  ready?: (text: string) => boolean;
}

/** A search field; asks the server when typing pauses. */
export function TextFilter({ name, value, label, placeholder, ready }: TextFilterProps) {
  const filter = useFilter();
  const [text, setText] = useState(value ?? "");
  const sent = useRef(value ?? "");
  const send = useDebouncedCallback((next: string) => {
    const wanted = next.trim();
    if (wanted && ready && !ready(wanted)) return;
    sent.current = wanted;
    filter({ [name]: wanted || undefined });
  }, 300);
  // The address can change by itself too: "Clear filters", or the browser's way back.
  useEffect(() => {
    if ((value ?? "") === sent.current) return;
    sent.current = value ?? "";
    setText(value ?? "");
  }, [value]);
  const change = (next: string) => {
    setText(next);
    send(next);
  };
  return (
    <TextInput
      className={classes.search}
      type="search"
      aria-label={label}
      placeholder={placeholder ?? label}
      leftSection={<IconSearch size={15} stroke={1.8} aria-hidden="true" />}
      rightSection={
        text ? (
          <CloseButton
            size="sm"
            aria-label={words.common.clearFilters}
            onClick={() => change("")}
          />
        ) : null
      }
      value={text}
      onChange={(event) => change(event.currentTarget.value)}
    />
  );
}

interface ChoiceProps {
  name: string;
  value: string | undefined;
  label: string;
  /** Shown when nothing is chosen. */
  any: string;
  choices: { value: string; label: string }[];
  searchable?: boolean;
  width?: number;
}

export function ChoiceFilter({ name, value, label, any, choices, searchable, width }: ChoiceProps) {
  const filter = useFilter();
  return (
    <Select
      className={classes.choice}
      // A select passes no variables on to its root, only styles.
      style={{ "--filter-width": `${width ?? 160}px` } as CSSProperties}
      aria-label={label}
      placeholder={any}
      data={choices}
      value={value ?? null}
      onChange={(next) => filter({ [name]: next ?? undefined })}
      clearable
      clearButtonProps={{ "aria-label": words.common.clearFilters }}
      searchable={searchable}
      nothingFoundMessage={searchable ? words.shell.findNothing : undefined}
      comboboxProps={{ shadow: "md" }}
    />
  );
}

/** Choices from a record of value to word. */
export function choicesOf(names: Record<string, string>): { value: string; label: string }[] {
  return Object.entries(names).map(([value, label]) => ({ value, label }));
}

interface DayFilterProps {
  name: string;
  value: string | undefined;
  label: string;
}

/** A day, in the browser's own date field: the best one on a phone. */
export function DayFilter({ name, value, label }: DayFilterProps) {
  const filter = useFilter();
  return (
    <TextInput
      type="date"
      className={classes.choice}
      __vars={{ "--filter-width": "184px" }}
      aria-label={label}
      leftSection={label}
      leftSectionWidth={48}
      classNames={{ section: classes.dayLabel }}
      value={value ?? ""}
      onChange={(event) => filter({ [name]: event.currentTarget.value || undefined })}
    />
  );
}
