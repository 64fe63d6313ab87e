/** Whether a person may sign in, and whether wrong passwords stand against it for a while. */
import { Group } from "@mantine/core";
import { IconClockPause } from "@tabler/icons-react";
import { words } from "../words";
import { Status } from "./badges";
import { Time } from "./time";

const said = words.platform.accounts;

interface AccountStateProps {
  state: "active" | "blocked" | "erased";
  lockedUntil?: string | null;
}

export function AccountState({ state, lockedUntil }: AccountStateProps) {
  if (state === "erased") return <Status tone="quiet">{said.states.erased}</Status>;
  if (state === "blocked") return <Status tone="bad">{said.states.blocked}</Status>;
  if (lockedUntil) return <Status tone="warn">{said.locked}</Status>;
  return <Status tone="good">{said.states.active}</Status>;
}

/** When a lock ends by itself. */
export function LockedUntil({ until }: { until: string | null | undefined }) {
  if (!until) return <>{said.notLocked}</>;
  return (
    <Group gap={6} wrap="nowrap">
      <IconClockPause size={16} aria-hidden="true" />
      <span>
        {said.lockedUntil} <Time value={until} />
      </span>
    </Group>
  );
}
