/** Names for the contract's shapes. The one place that knows how the generated schema calls them. */
import type { components } from "./schema.gen";

type Schemas = components["schemas"];

export type Account = Schemas["Account"];
export type AccountEmail = Schemas["AccountEmail"];
/** The contract writes these as plain text, so that a new event needs no new client. */
export type AuditEntry = Omit<Schemas["AuditEntry"], "severity" | "outcome" | "class" | "actor"> & {
  severity: Severity;
  outcome: Outcome;
  class: EventClass;
  actor: Omit<Schemas["Actor"], "type"> & { type: "account" | "service" | "anonymous" | "system" };
};
export type Alert = Omit<Schemas["Alert"], "severity" | "state"> & {
  severity: Severity;
  state: "open" | "acknowledged";
};
export type AlertRule = Schemas["AlertRule"];
export type StandardAlertRule = Schemas["StandardAlertRule"];
export type AlertMute = Schemas["AlertMute"];
export type AlertPreferences = Schemas["AlertPreferences"];
export type ApiKey = Schemas["ApiKey"];
export type Attribute = Schemas["Attribute"];
export type AttributeChanges = Schemas["UpdateAttribute"];
export type Attributes = Schemas["Attributes"];
export type CustomRole = Schemas["CustomRole"];
export type CustomRoleOf = Schemas["CustomRoleOf"];
export type DataKey = Schemas["DataKey"];
export type DataKeys = Schemas["DataKeys"];
export type DecisionQuestion = Schemas["ExplainDecision"];
export type EventType = Schemas["EventType"];
/** A type of the catalogue, or one that a product has declared. */
export type KnownEvent = EventType & { product?: boolean; retired?: boolean };
export type ProductEventType = Schemas["ProductEventType"];
export type Explained = Schemas["Explained"];
export type ForeseenOrganization = Schemas["ForeseenOrganization"];
export type Import = Schemas["Import"];
export type ImportLine = Schemas["ImportLine"];
export type Instance = Schemas["Instance"];
export type Invitation = Schemas["Invitation"];
export type InvitationPreview = Schemas["InvitationPreview"];
export type Job = Schemas["Job"];
export type JobRun = Schemas["JobRun"];
export type KeyRotation = Schemas["KeyRotation"];
export type KeyRotationPreview = Schemas["KeyRotationPreview"];
export type Me = Schemas["Profile"];
export type KnownDevice = Schemas["KnownDevice"];
export type OpenRecovery = Schemas["OpenRecovery"];
export type OwnSecondFactors = Schemas["OwnSecondFactors"];
export type RecoveryAddress = Schemas["RecoveryAddress"];
export type SecondFactorChallenge = Schemas["SecondFactorChallenge"];
export type Passkey = Schemas["Passkey"];
export type SecondFactorMethod = Schemas["SecondFactorMethod"];
export type WaitingRecovery = Schemas["WaitingRecovery"];
export type TotpEnrolment = Schemas["TotpEnrolment"];
export type ManagedAccount = Schemas["ManagedAccount"];
export type Member = Schemas["Member"];
export type MemberProfile = Schemas["MemberProfile"];
export type MyOrganization = Schemas["OwnOrganization"];
export type NewAttribute = Schemas["CreateAttribute"];
export type Organization = Schemas["Organization"];
export type OwnPassword = Schemas["OwnPassword"];
export type PasswordProfile = Schemas["PasswordProfile"];
export type PasswordResetPreview = Schemas["PasswordResetPreview"];
export type PasswordRules = Schemas["PasswordRules"];
export type PasswordVerdict = Schemas["PasswordVerdict"];
export type PeopleFormat = Schemas["PeopleFormat"];
export type Permission = Schemas["Permission"];
export type PlatformAccess = Schemas["PlatformAccess"];
export type LegalHold = Schemas["LegalHold"];
export type TrustedDevice = Schemas["TrustedDevice"];
export type AdoptionDay = Schemas["AdoptionDay"];
export type AdoptionRole = Schemas["AdoptionRole"];
export type AdoptionSpan = Schemas["AdoptionSpan"];
export type OverviewDay = Schemas["OverviewDay"];
export type OverviewSpan = Schemas["OverviewSpan"];
export type PlatformAccount = Schemas["PlatformAccount"];
export type OperationEffect = Schemas["OperationEffect"];
export type PolicyActor = Schemas["PolicyActor"];
export type PolicyChange = Schemas["PolicyChange"];
export type PolicyDifference = Schemas["PolicyDifference"];
export type PolicyExport = Schemas["PolicyExport"];
export type PolicyField = Schemas["PolicyField"];
export type PolicyGrant = Schemas["PolicyGrant"];
export type PolicyHolder = Schemas["PolicyHolder"];
export type PolicyOperation = Schemas["PolicyOperation"];
export type PolicyRole = Schemas["PolicyRole"];
export type ProfileChanges = Schemas["UpdateProfile"];
export type ProfileField = Schemas["ProfileField"];
export type ProblemDocument = Schemas["Problem"];
export type ProposedChange = Schemas["ProposedChange"];
export type RateLimit = Schemas["RateLimit"];
export type RateLimits = Schemas["RateLimitList"];
export type Role = Schemas["Role"];
export type SigningKey = Schemas["SigningKey"];
export type ServiceAccount = Schemas["ServiceAccount"];
export type AffectedParty = Schemas["AffectedParty"];
export type Simulated = Schemas["Simulated"];
export type NumberSetting = Schemas["NumberSetting"];
export type DomainsSetting = Schemas["DomainsSetting"];
export type ChoiceSetting = Schemas["ChoiceSetting"];
export type DemandSetting = Schemas["DemandSetting"];
export type WordsSetting = Schemas["WordsSetting"];
/** Settings of an organisation or of the platform: the platform's have more sections. */
export type Settings = Omit<Schemas["OrganizationSettings"], "sections"> & {
  sections: Record<
    string,
    Record<string, NumberSetting | DomainsSetting | ChoiceSetting | WordsSetting | DemandSetting>
  >;
};
export type SettingsChange = Schemas["SettingsChange"];
export type Session = Schemas["Session"];
export type SignUpOptions = Schemas["SignUpOptions"];
export type SignUpPreview = Schemas["SignUpPreview"];
export type SignUpRequest = Schemas["SignUpRequest"];
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
