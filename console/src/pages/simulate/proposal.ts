/** A proposal as it is in the address: changes in plain words, so that it can be sent to a colleague. */
import type { ProposedChange } from "../../api/types";

export type Kind = ProposedChange["change"];

/** Which parts each kind of change has, in the order in which the address has them. */
export const parts: Record<Kind, ("account_id" | "team_id" | "service_account_id" | "role")[]> = {
  member_role: ["account_id", "role"],
  member_removed: ["account_id"],
  team_role: ["team_id", "role"],
  team_removed: ["team_id"],
  team_member_added: ["team_id", "account_id"],
  team_member_removed: ["team_id", "account_id"],
  service_role: ["service_account_id", "role"],
};

/** The most changes of one proposal; the server takes no more. */
export const most = 50;

export function write(changes: ProposedChange[]): string | undefined {
  const one = (change: ProposedChange) =>
    [change.change, ...parts[change.change].map((name) => change[name] ?? "")].join(":");
  return changes.length > 0 ? changes.map(one).join(",") : undefined;
}

/** What can't be read is left out: somebody may have shortened the address. */
export function read(text: string | undefined): ProposedChange[] {
  return (text ?? "").split(",").flatMap((one) => {
    const [kind, ...values] = one.split(":");
    if (!kind || !(kind in parts)) return [];
    const names = parts[kind as Kind];
    const change: ProposedChange = { change: kind as Kind };
    for (const [at, name] of names.entries()) if (values[at]) change[name] = values[at];
    const whole = names.every((name) => change[name] || (kind === "team_role" && name === "role"));
    return whole ? [change] : [];
  });
}
