/** The two moments that are compared: by a preset, or to the second. */
import { Button, Group, TextInput } from "@mantine/core";
import { useState } from "react";
import type { Whose } from "../../api/policies";
import { useFilter } from "../../parts/filters";
import { GuardedButton } from "../../parts/permissions";
import { words } from "../../words";
import { daysAgo, fieldOf, instantOf, quarterStart, secondBefore } from "./moments";
import classes from "./policies.module.css";
import { useHistorySince, usePolicySearch } from "./search";

const said = words.policies.history;

/** Days that people look back, as auditors ask for them. */
const lookBacks = [7, 30, 90];

export function StretchPicker({ whose }: { whose: Whose }) {
  const filter = useFilter();
  const search = usePolicySearch();
  const [from, setFrom] = useState(fieldOf(search.from));
  const [to, setTo] = useState(fieldOf(search.to));
  const [known, setKnown] = useState(search);
  // The address changes by a preset or the browser's way back, too.
  if (known.from !== search.from || known.to !== search.to) {
    setKnown(search);
    setFrom(fieldOf(search.from));
    setTo(fieldOf(search.to));
  }
  const show = (from: string | undefined, to: string | undefined) => filter({ from, to });
  return (
    <form
      className={classes.stretch}
      onSubmit={(event) => {
        event.preventDefault();
        show(instantOf(from), instantOf(to));
      }}
    >
      <Presets whose={whose} onChoose={show} />
      <Group gap="sm" align="flex-end">
        <TextInput
          type="datetime-local"
          step={1}
          label={said.from}
          description={from ? undefined : said.began}
          className={classes.moment}
          value={from}
          onChange={(event) => setFrom(event.currentTarget.value)}
        />
        <TextInput
          type="datetime-local"
          step={1}
          label={said.to}
          description={to ? undefined : said.now}
          className={classes.moment}
          value={to}
          onChange={(event) => setTo(event.currentTarget.value)}
        />
        <Button type="submit" variant="default">
          {said.compare}
        </Button>
      </Group>
    </form>
  );
}

interface PresetsProps {
  whose: Whose;
  onChoose: (from: string | undefined, to: string | undefined) => void;
}

function Presets({ whose, onChoose }: PresetsProps) {
  const since = useHistorySince(whose);
  const thisQuarter = quarterStart(0);
  const presets = [
    ...lookBacks.map((days) => ({
      name: said.lastDays(days),
      from: () => daysAgo(days),
      to: undefined,
    })),
    { name: said.quarter, from: () => thisQuarter, to: undefined },
    {
      name: said.lastQuarter,
      from: () => quarterStart(-1),
      to: secondBefore(thisQuarter),
    },
  ];
  return (
    <fieldset className={classes.stretchPresets}>
      <legend>{said.presets}</legend>
      <Button variant="default" size="xs" onClick={() => onChoose(undefined, undefined)}>
        {said.all}
      </Button>
      {presets.map(({ name, from, to }) => (
        <GuardedButton
          key={name}
          variant="default"
          size="xs"
          reason={since && from() < since ? words.policies.asOf.beforeHistory : null}
          onClick={() => onChoose(from(), to)}
        >
          {name}
        </GuardedButton>
      ))}
    </fieldset>
  );
}
