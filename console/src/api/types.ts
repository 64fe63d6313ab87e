/** Names for the contract's shapes. The one place that knows how the generated schema calls them. */
import type { components } from "./schema.gen";

type Schemas = components["schemas"];

export type Account = Schemas["Account"];
/** The contract writes these as plain text, so that a new event needs no new client. */
export type AuditEntry = Omit<Schemas["AuditEntry"], "severity" | "outcome" | "class" | "actor"> & {
  severity: Severity;
  outcome: Outcome;
  class: EventClass;
  actor: Omit<Schemas["Actor"], "type"> & { type: "account" | "anonymous" | "system" };
};
export type EventType = Schemas["EventType"];
export type Instance = Schemas["Instance"];
export type Invitation = Schemas["Invitation"];
export type InvitationPreview = Schemas["InvitationPreview"];
export type Job = Schemas["Job"];
export type JobRun = Schemas["JobRun"];
export type Me = Schemas["Profile"];
export type Member = Schemas["Member"];
export type MyOrganization = Schemas["OwnOrganization"];
export type Organization = Schemas["Organization"];
export type ProblemDocument = Schemas["Problem"];
export type Role = Schemas["Role"];
export type Session = Schemas["Session"];
export type SignedIn = Schemas["SignedIn"];

export type EventClass = Schemas["EventClass"];
export type Outcome = Schemas["EventOutcome"];
export type Severity = Schemas["EventSeverity"];

/** A page of a list: the cursor of the next one is absent on the last. */
export interface Page<T> {
  items: T[];
  next_cursor?: string | null;
}
