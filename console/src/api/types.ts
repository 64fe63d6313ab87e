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
export type DataKey = Schemas["DataKey"];
export type DataKeys = Schemas["DataKeys"];
export type EventType = Schemas["EventType"];
export type Instance = Schemas["Instance"];
export type Invitation = Schemas["Invitation"];
export type InvitationPreview = Schemas["InvitationPreview"];
export type Job = Schemas["Job"];
export type JobRun = Schemas["JobRun"];
export type KeyRotation = Schemas["KeyRotation"];
export type KeyRotationPreview = Schemas["KeyRotationPreview"];
export type Me = Schemas["Profile"];
export type KnownDevice = Schemas["KnownDevice"];
export type ManagedAccount = Schemas["ManagedAccount"];
export type Member = Schemas["Member"];
export type MyOrganization = Schemas["OwnOrganization"];
export type Organization = Schemas["Organization"];
export type PlatformAccess = Schemas["PlatformAccess"];
export type PlatformAccount = Schemas["PlatformAccount"];
export type ProblemDocument = Schemas["Problem"];
export type Role = Schemas["Role"];
export type NumberSetting = Schemas["NumberSetting"];
export type DomainsSetting = Schemas["DomainsSetting"];
/** Settings of an organisation or of the platform: the platform's have more sections. */
export type Settings = Omit<Schemas["OrganizationSettings"], "sections"> & {
  sections: Record<string, Record<string, NumberSetting | DomainsSetting>>;
};
export type SettingsChange = Schemas["SettingsChange"];
export type Session = Schemas["Session"];
export type Team = Schemas["Team"];
export type TeamOf = Schemas["TeamOf"];
export type SignedIn = Schemas["SignedIn"];

export type EventClass = Schemas["EventClass"];
export type Outcome = Schemas["EventOutcome"];
export type Severity = Schemas["EventSeverity"];

/** A page of a list: the cursor of the next one is absent on the last. */
export interface Page<T> {
  items: T[];
  next_cursor?: string;
}
