/** One scope: the key that seals in it, its rotation if there is one, and the keys before. */
import { Button, Code, Group, Progress, Text } from "@mantine/core";
import type { DataKey, KeyRotation } from "../../api/types";
import { Status } from "../../parts/badges";
import { Bars } from "../../parts/bars";
import { useOpen } from "../../parts/filters";
import { Section } from "../../parts/page";
import { GuardedButton, useWhyNot } from "../../parts/permissions";
import { Time } from "../../parts/time";
import { words } from "../../words";
import { AgeBadge, AgeText, KeyState } from "./age";
import classes from "./keys.module.css";
import { shareOf, versionOf } from "./rotation";
import { OlderKeys } from "./versions";

const said = words.keys;

interface ScopeCardProps {
  scope: string;
  /** The newest first. */
  keys: DataKey[];
  census: Map<string, number> | undefined;
  rotation: KeyRotation | undefined;
  onDestroy: (key: DataKey) => void;
}

export function ScopeCard({ scope, keys, census, rotation, onDestroy }: ScopeCardProps) {
  const active = keys.find(({ state }) => state === "active");
  const older = keys.filter(({ state }) => state !== "active" && state !== "pending");
  return (
    <Section title={said.scopeName(scope)} text={said.scopeText(scope)}>
      <div className={classes.card}>
        {rotation ? <Going rotation={rotation} keys={keys} /> : null}
        {active ? (
          <Seals active={active} values={census?.get(active.id)} rotating={Boolean(rotation)} />
        ) : (
          said.noKey
        )}
        <Shares keys={keys} census={census} />
        {older.length > 0 ? <OlderKeys keys={older} census={census} onDestroy={onDestroy} /> : null}
      </div>
    </Section>
  );
}

interface SealsProps {
  active: DataKey;
  values: number | undefined;
  rotating: boolean;
}

function Seals({ active, values, rotating }: SealsProps) {
  const { scope, version, state, activated_at, created_at } = active;
  const open = useOpen();
  const previewNot = useWhyNot("key_rotations_preview");
  const since = activated_at ?? created_at;
  return (
    <div className={classes.seals}>
      <Group gap="sm" justify="space-between">
        <Group gap="sm">
          <span className={classes.version}>{said.version(version)}</span>
          <KeyState state={state} />
          <AgeBadge since={since} />
        </Group>
        <GuardedButton
          size="xs"
          variant="default"
          reason={previewNot ?? (rotating ? said.rotateNot.running : null)}
          aria-label={`${said.rotate} ${said.scopeName(scope)}`}
          onClick={() => open({ rotate: scope })}
        >
          {said.rotate}
        </GuardedButton>
      </Group>
      <Text size="sm">
        <Code fz="xs">{scope}</Code> · {said.sealsSince} <Time value={since} form="date" /> ·{" "}
        {values === undefined ? said.uncounted : said.under(values)}
      </Text>
      <AgeText since={since} />
    </div>
  );
}

/** How the values are shared out; one bar alone says nothing. */
function Shares({ keys, census }: Pick<ScopeCardProps, "keys" | "census">) {
  const used = keys.filter(({ id }) => (census?.get(id) ?? 0) > 0);
  if (used.length < 2) return null;
  return (
    <Bars
      label={said.share}
      bars={used.map(({ id, version }) => ({
        key: id,
        name: said.version(version),
        count: census?.get(id) ?? 0,
      }))}
    />
  );
}

function Going({ rotation, keys }: { rotation: KeyRotation; keys: DataKey[] }) {
  const open = useOpen();
  const { step, paused, to_key, id, scope } = rotation;
  const share = shareOf(rotation);
  const next = said.version(Number(versionOf(keys, to_key)));
  return (
    <div className={classes.strip}>
      <Group gap="sm" justify="space-between">
        <Status tone={paused ? "quiet" : "busy"}>
          {said.running(
            next,
            paused ? said.progress.status.paused : said.progress.steps[step].name,
          )}
        </Status>
        <Button
          size="compact-sm"
          variant="default"
          aria-label={`${said.showProgress}: ${said.scopeName(scope)}`}
          onClick={() => open({ rotation: id })}
        >
          {said.showProgress}
        </Button>
      </Group>
      <Progress.Root size="sm">
        <Progress.Section
          value={share * 100}
          aria-label={`${said.progress.bar}: ${said.scopeName(scope)}`}
        />
      </Progress.Root>
    </div>
  );
}
