/** The keys that sealed before, folded away; what is retired can be destroyed here. */
import { Accordion, Text } from "@mantine/core";
import type { DataKey } from "../../api/types";
import { GuardedButton, useWhyNot } from "../../parts/permissions";
import { Time } from "../../parts/time";
import { words } from "../../words";
import { KeyState } from "./age";
import classes from "./keys.module.css";

const said = words.keys;

interface OlderKeysProps {
  keys: DataKey[];
  census: Map<string, number> | undefined;
  onDestroy: (key: DataKey) => void;
}

export function OlderKeys({ keys, census, onDestroy }: OlderKeysProps) {
  return (
    <Accordion
      order={3}
      className={classes.older}
      classNames={{
        control: classes.olderControl,
        label: classes.olderLabel,
        content: classes.olderPanel,
      }}
      variant="default"
      styles={{ item: { border: 0 } }}
    >
      <Accordion.Item value="older">
        <Accordion.Control>
          <Text span size="sm">
            {said.older(keys.length)}
          </Text>
        </Accordion.Control>
        <Accordion.Panel>
          <ul className={classes.versions}>
            {keys.map((key) => (
              <OlderKey
                key={key.id}
                dataKey={key}
                values={census?.get(key.id)}
                onDestroy={onDestroy}
              />
            ))}
          </ul>
        </Accordion.Panel>
      </Accordion.Item>
    </Accordion>
  );
}

interface OlderKeyProps {
  dataKey: DataKey;
  values: number | undefined;
  onDestroy: (key: DataKey) => void;
}

function OlderKey({ dataKey, values, onDestroy }: OlderKeyProps) {
  const { scope, state, version, retired_at, destroyed_at } = dataKey;
  const policy = useWhyNot("data_keys_destroy");
  const used = values ? said.destroy.notEmpty(values) : null;
  const present = state === "retired" ? used : said.destroy.not[state];
  return (
    <li>
      <Text span inherit fw={550}>
        {said.version(version)}
      </Text>
      <div>
        <KeyState state={state} />
        <Text size="xs" c="dimmed">
          {state === "destroyed" ? (
            <>
              {said.destroyedSince} <Time value={destroyed_at} form="date" />
            </>
          ) : (
            <>
              {values === undefined ? said.uncounted : said.under(values)}
              {retired_at ? (
                <>
                  {" · "}
                  {said.retiredSince} <Time value={retired_at} form="date" />
                </>
              ) : null}
            </>
          )}
        </Text>
      </div>
      {state === "destroyed" ? null : (
        <GuardedButton
          size="compact-sm"
          variant="light"
          color="red"
          reason={policy ?? present}
          aria-label={said.destroy.actOn(said.scopeName(scope), version)}
          onClick={() => onDestroy(dataKey)}
        >
          {said.destroy.act}
        </GuardedButton>
      )}
    </li>
  );
}
