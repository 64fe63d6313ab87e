/** Who did it, in words. */
import type { AuditEntry } from "../../api/types";
import { words } from "../../words";

export function actorName({ actor }: Pick<AuditEntry, "actor">): string {
  if (actor.erased) return words.audit.erased;
  return actor.name ?? words.audit.actors[actor.type];
}

/** Whether it was done by a platform admin who acted here without belonging here. */
export function isSupport({ metadata }: Pick<AuditEntry, "metadata">): boolean {
  return typeof metadata === "object" && metadata !== null && "acting" in metadata;
}
