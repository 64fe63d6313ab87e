/** The switch for live entries, how the stream is doing, and what was held back while one reads. */
import { Button, Group, Switch, Text, Tooltip, VisuallyHidden } from "@mantine/core";
import { IconArrowUp } from "@tabler/icons-react";
import type { StreamState } from "../../api/events";
import { Status, type Tone } from "../../parts/badges";
import { useOpen } from "../../parts/filters";
import { words } from "../../words";
import { type Live, useSpoken } from "./live";
import classes from "./live.module.css";

const said = words.audit.live;

const tones: Record<StreamState, Tone> = {
  connecting: "busy",
  live: "good",
  reconnecting: "warn",
  ended: "bad",
};

interface SwitchProps {
  on: boolean;
  /** Why nothing new can be shown; null when it can. */
  paused: string | null;
  state: StreamState;
}

export function LiveSwitch({ on, paused, state }: SwitchProps) {
  const open = useOpen();
  return (
    <Group gap="sm" ml="auto" wrap="nowrap">
      <Text size="sm" component="div" role="status" className={classes.state}>
        {on ? <LiveState paused={paused} state={state} /> : null}
      </Text>
      <Tooltip label={said.hint} multiline w={260}>
        <div>
          <Switch
            label={said.name}
            checked={on}
            onChange={(event) => open({ live: event.currentTarget.checked ? "on" : undefined })}
          />
        </div>
      </Tooltip>
    </Group>
  );
}

function LiveState({ paused, state }: Omit<SwitchProps, "on">) {
  if (paused === null) return <Status tone={tones[state]}>{said.states[state]}</Status>;
  return (
    <Tooltip label={paused}>
      <span>
        <Status tone="quiet">{said.paused}</Status>
        <VisuallyHidden>{paused}</VisuallyHidden>
      </span>
    </Tooltip>
  );
}

/** What has come while the log was being read: it stays still until the person asks. */
export function Held({ live, count }: { live: Live; count: number }) {
  if (count === 0) return null;
  const show = () => {
    live.show();
    window.scrollTo({ top: 0 });
  };
  return (
    <div className={classes.held}>
      <Button
        size="xs"
        leftSection={<IconArrowUp size={14} aria-hidden="true" />}
        onClick={show}
        className={classes.show}
      >
        {said.show(count)}
      </Button>
    </div>
  );
}

/** Says now and then how much has come, to those who don't see it. */
export function Spoken({ count }: { count: number }) {
  return (
    <VisuallyHidden role="status" aria-live="polite">
      {useSpoken(count, said.came)}
    </VisuallyHidden>
  );
}
