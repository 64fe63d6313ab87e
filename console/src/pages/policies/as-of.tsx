/** Which moment is shown: now, or one of the past, by a preset or to the second. */
import { Button, Group, Popover, Stack, Text, TextInput } from "@mantine/core";
import { IconChevronDown, IconClockHour4 } from "@tabler/icons-react";
import { useState } from "react";
import type { Whose } from "../../api/policies";
import { useFilter } from "../../parts/filters";
import { GuardedButton } from "../../parts/permissions";
import { words } from "../../words";
import { daysAgo, fieldOf, instantOf, momentText, quarterStart, secondBefore } from "./moments";
import classes from "./policies.module.css";
import { useHistorySince, usePolicySearch } from "./search";

const said = words.policies.asOf;

/** Days that people look back, as auditors ask for them. */
const lookBacks = [1, 7, 30, 90];

export function AsOf({ whose }: { whose: Whose }) {
  const [opened, setOpened] = useState(false);
  const { as_of } = usePolicySearch();
  return (
    <Popover
      opened={opened}
      onChange={setOpened}
      position="bottom-end"
      width={320}
      trapFocus
      shadow="md"
    >
      <Popover.Target>
        <Button
          variant="default"
          onClick={() => setOpened(!opened)}
          leftSection={<IconClockHour4 size={16} aria-hidden="true" />}
          rightSection={<IconChevronDown size={14} aria-hidden="true" />}
        >
          {as_of ? said.past(momentText(as_of)) : said.now}
        </Button>
      </Popover.Target>
      <Popover.Dropdown>
        <Choice whose={whose} onDone={() => setOpened(false)} />
      </Popover.Dropdown>
    </Popover>
  );
}

function Choice({ whose, onDone }: { whose: Whose; onDone: () => void }) {
  const filter = useFilter();
  const since = useHistorySince(whose);
  const { as_of } = usePolicySearch();
  const [field, setField] = useState(fieldOf(as_of));
  const [opened] = useState(() => new Date());
  const show = (moment: string | undefined) => {
    filter({ as_of: moment });
    onDone();
  };
  const wanted = instantOf(field);
  const presets = [
    ...lookBacks.map((days) => ({ name: said.daysAgo(days), moment: daysAgo(days, opened) })),
    { name: said.quarter, moment: secondBefore(quarterStart(0, opened)) },
  ];
  return (
    <Stack gap="sm">
      <Text fw={550}>{said.presets}</Text>
      <div className={classes.presets}>
        <Button variant="default" size="xs" data-autofocus onClick={() => show(undefined)}>
          {said.present}
        </Button>
        {presets.map(({ name, moment }) => (
          <GuardedButton
            key={name}
            variant="default"
            size="xs"
            reason={since && moment < since ? said.beforeHistory : null}
            onClick={() => show(moment)}
          >
            {name}
          </GuardedButton>
        ))}
      </div>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (wanted) show(wanted);
        }}
      >
        <Group gap="xs" align="flex-end">
          <TextInput
            type="datetime-local"
            step={1}
            max={fieldOf(opened.toISOString())}
            label={said.field}
            className={classes.moment}
            value={field}
            onChange={(event) => setField(event.currentTarget.value)}
          />
          <Button type="submit" disabled={!wanted}>
            {said.show}
          </Button>
        </Group>
      </form>
    </Stack>
  );
}
