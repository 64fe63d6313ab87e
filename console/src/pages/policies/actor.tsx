/** Who did something, by name as far as it is known, otherwise by kind and id. */
import { Text } from "@mantine/core";
import type { PolicyActor } from "../../api/types";
import { words } from "../../words";

const kinds: Record<string, string> = {
  ...words.audit.actors,
  database: words.policies.history.database,
};

interface ActorProps {
  by: PolicyActor;
  /** What is known from elsewhere. */
  name?: string;
}

export function Actor({ by, name = by.name }: ActorProps) {
  if (name) return <>{name}</>;
  return (
    <>
      {kinds[by.type] ?? by.type}
      {by.id ? (
        <Text size="xs" c="dimmed" ff="monospace">
          {by.id}
        </Text>
      ) : null}
    </>
  );
}
