/** A proposal as it is in the address: changes in plain words, so that it can be sent to a colleague. */
import type { ProposedChange } from "../../api/types";

export type Kind = ProposedChange["change"];

type One = "account_id" | "team_id" | "service_account_id" | "role" | "custom_role_id";
type Many = "custom_role_ids" | "permissions";

const lists: readonly string[] = ["custom_role_ids", "permissions"] satisfies Many[];
const isList = (name: One | Many): name is Many => lists.includes(name);

/** Which parts each kind of change has, in the order in which the address has them. */
export const parts: Record<Kind, (One | Many)[]> = {
  member_role: ["account_id", "role"],
  member_removed: ["account_id"],
  member_custom_roles: ["account_id", "custom_role_ids"],
  team_role: ["team_id", "role"],
  team_removed: ["team_id"],
  team_custom_roles: ["team_id", "custom_role_ids"],
  team_member_added: ["team_id", "account_id"],
  team_member_removed: ["team_id", "account_id"],
  service_role: ["service_account_id", "role"],
  service_custom_roles: ["service_account_id", "custom_role_ids"],
  custom_role_permissions: ["custom_role_id", "permissions"],
  custom_role_removed: ["custom_role_id"],
};

/** Whether a kind of change is about roles of the organisation's own. */
export const isCustom = (kind: Kind) =>
  parts[kind].some((name) => name === "custom_role_id" || name === "custom_role_ids");

/** The most changes of one proposal; the server takes no more. */
export const most = 50;

export function write(changes: ProposedChange[]): string | undefined {
  const part = (change: ProposedChange, name: One | Many) =>
    isList(name) ? (change[name] ?? []).join(".") : (change[name] ?? "");
  const one = (change: ProposedChange) =>
    [change.change, ...parts[change.change].map((name) => part(change, name))].join(":");
  return changes.length > 0 ? changes.map(one).join(",") : undefined;
}

/** What can't be read is left out: somebody may have shortened the address. */
export function read(text: string | undefined): ProposedChange[] {
  return (text ?? "").split(",").flatMap((one) => {
    const [kind, ...values] = one.split(":");
    if (!kind || !(kind in parts)) return [];
    const names = parts[kind as Kind];
    const change: ProposedChange = { change: kind as Kind };
    for (const [at, name] of names.entries()) {
      const value = values[at];
      if (isList(name)) change[name] = value?.split(".").filter(Boolean) ?? [];
      else if (value) change[name] = value;
    }
    const whole = names.every((name) => change[name] || (kind === "team_role" && name === "role"));
    return whole && values.length === names.length ? [change] : [];
  });
}
