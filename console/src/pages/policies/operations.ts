/** The operations of a policy as the matrix has them: what each is about, and which are wanted. */
import { titles } from "../../api/titles.gen";
import type { PolicyOperation, PolicyRole } from "../../api/types";
import { words } from "../../words";
import type { PolicySearch } from "./search";

const said = words.policies;

/** First words of paths that are about what another word names. */
const aliases: Record<string, string> = {
  "act-in": "organizations",
  "end-sessions": "sessions",
  errors: "instances",
  events: "audit",
  "job-runs": "jobs",
  "password-checks": "passwords",
  "password-profiles": "passwords",
  "password-resets": "passwords",
  restore: "organizations",
  roles: "rbac",
  session: "sessions",
  "sign-up-requests": "sign-ups",
};

/** What an operation is about, by its path, so that it can be told of past policies too. */
export function resourceOf({ path }: PolicyOperation): string {
  const parts = path.split("/").filter((part) => part !== "" && !part.startsWith("{"));
  const [first, second] = parts[0] === "v1" ? parts.slice(1) : parts;
  const word = (first === "organizations" ? second : undefined) ?? first ?? "";
  return aliases[word] ?? word;
}

export function resourceName(resource: string): string {
  const plain = resource.replaceAll("-", " ");
  return said.resources[resource] ?? plain.charAt(0).toUpperCase() + plain.slice(1);
}

/** "Remove a member"; the id of an operation that this release does not know. */
export function operationTitle(operation: string): string {
  return titles[operation] ?? operation;
}

/** The roles in the order of the file, those that can't be held in a tenant last there. */
export function inOrder(roles: PolicyRole[], inTenant: boolean): PolicyRole[] {
  if (!inTenant) return roles;
  const ofPlatform = ({ scope }: PolicyRole) => scope === "platform";
  return [...roles.filter((role) => !ofPlatform(role)), ...roles.filter(ofPlatform)];
}

/** A role's decision; what says nothing of a role refuses it. */
export function decisionOf({ decisions }: PolicyOperation, role: string): string {
  return decisions[role] ?? "deny";
}

/** What can be done in a tenant: what is of the platform's scope nobody may there. */
export function within(operations: PolicyOperation[], inTenant: boolean): PolicyOperation[] {
  return inTenant ? operations.filter(({ scope }) => scope !== "platform") : operations;
}

/** The operations that the filters leave. With a role it is what that role may, unless they say otherwise. */
export function wanted(
  operations: PolicyOperation[],
  search: PolicySearch,
  role: string | undefined,
): PolicyOperation[] {
  const text = search.search?.toLowerCase();
  return operations.filter((operation) => {
    if (search.resource && resourceOf(operation) !== search.resource) return false;
    if (search.scope && search.scope !== "all" && operation.scope !== search.scope) return false;
    if (role && !fits(decisionOf(operation, role), search.decision)) return false;
    return !text || textOf(operation).includes(text);
  });
}

function fits(decision: string, asked: string | undefined): boolean {
  return asked === "own" || asked === "deny" ? decision === asked : decision !== "deny";
}

function textOf(operation: PolicyOperation): string {
  const { operation: id, path, resource, action, audit_event = "" } = operation;
  return [id, operationTitle(id), path, resource, action, audit_event].join("\n").toLowerCase();
}

export interface Resource {
  key: string;
  name: string;
  operations: PolicyOperation[];
}

/** Grouped by what they are about, by name. */
export function byResource(operations: PolicyOperation[]): Resource[] {
  const groups = new Map<string, PolicyOperation[]>();
  for (const operation of operations) {
    const key = resourceOf(operation);
    groups.set(key, [...(groups.get(key) ?? []), operation]);
  }
  return [...groups]
    .map(([key, list]) => ({ key, name: resourceName(key), operations: list }))
    .sort((a, b) => a.name.localeCompare(b.name));
}
