/** Who did it, in words. */
import type { AuditEntry } from "../../api/types";
import { words } from "../../words";

export function actorName({ actor }: Pick<AuditEntry, "actor">): string {
  return actor.name ?? words.audit.actors[actor.type];
}
