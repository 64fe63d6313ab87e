//! How the exported policy looks. Its bytes are written by the work floor, canonical and signed; the types here say in the
//! contract what is in them.

use std::collections::BTreeMap;

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use chrono::{DateTime, Utc};
use poem::{
    IntoResponse, Request, Response,
    http::{HeaderValue, header},
};
use poem_openapi::{
    ApiResponse, Enum, Object, ResponseContent,
    payload::{Json, Payload},
    registry::{MetaSchema, MetaSchemaRef},
};
use uuid::Uuid;

use super::super::wire::{Written, next_address};
use crate::policies::{Change, Changes, Difference, Differences, Document, Format, Part};

/// The form of an export.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub(super) enum PolicyFormat {
    /// Everything in one document.
    Json,
    /// A table.
    Csv,
}

/// What a table is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub(super) enum PolicyTable {
    /// The operations, with every role's decision.
    Operations,
    /// Who holds which role.
    Holders,
}

/// The policy, and who holds what by it.
#[derive(Debug, Object)]
#[oai(skip_serializing_if_is_none)]
pub(super) struct PolicyExport {
    /// The version of this form, `freehold-policies/1`.
    format: String,
    /// The installation.
    issuer: String,
    /// The organisation whose holders are listed; absent when those of all are.
    organization_id: Option<Uuid>,
    /// The moment that was asked for; absent when it is the present.
    as_of: Option<DateTime<Utc>>,
    /// Since when the history is kept.
    history_since: DateTime<Utc>,
    /// The revision of the policy.
    revision: PolicyRevision,
    /// The roles.
    roles: Vec<PolicyRole>,
    /// The operations.
    operations: Vec<PolicyOperation>,
    /// The organisation's own roles; of an export of all organisations, those that its holders hold.
    custom_roles: Vec<PolicyCustomRole>,
    /// Who holds which roles, in the order of organisation and id.
    holders: Vec<PolicyHolder>,
    /// Pass this as `after` to get the next document; absent in the last.
    next_after: Option<String>,
}

/// A revision of the policy.
#[derive(Debug, Object)]
struct PolicyRevision {
    /// Its number.
    number: i32,
    /// SHA-256 of `files_sha256`, `operations` and `roles` as one canonical JSON object.
    sha256: String,
    /// SHA-256 of `operations.csv`, `roles.csv` and `model.conf`, one after the other.
    files_sha256: String,
    /// Since when it is in force.
    since: DateTime<Utc>,
    /// The release that brought it.
    release: String,
}

/// A role.
#[derive(Debug, Object)]
#[oai(skip_serializing_if_is_none)]
struct PolicyRole {
    /// Its name.
    name: String,
    /// The role whose rights it has as well.
    inherits: Option<String>,
    /// The role whose reading rights it has.
    reads_as: Option<String>,
    /// Where it can be held.
    scope: String,
    /// For people.
    title: String,
    /// For people.
    description: String,
    /// All roles whose rights it has, itself included.
    includes: Vec<String>,
}

/// An operation, and who may do it.
#[derive(Debug, Object)]
#[oai(skip_serializing_if_is_none)]
struct PolicyOperation {
    /// Its id in the contract.
    operation: String,
    /// Its method.
    method: String,
    /// Its path.
    path: String,
    /// Who it is for.
    scope: String,
    /// What is done something to.
    resource: String,
    /// What is done to it.
    action: String,
    /// The least role that may do it to any object.
    minimum_role: Option<String>,
    /// What makes an object the caller's own.
    ownership: Option<String>,
    /// The least role that may do it to what is its own.
    own_role: Option<String>,
    /// What it asks of second factors.
    mfa: String,
    /// Whether it asks for a recent proof of who calls.
    reauthentication: String,
    /// The rate limit that it counts towards.
    limit: Option<String>,
    /// The event that records it.
    audit_event: Option<String>,
    /// Whether its body holds a secret.
    sensitive: String,
    /// The standard that it follows.
    protocol: Option<String>,
    /// For each role `allow`, `own` (only what is the caller's own), `platform` (only if held in the platform's own
    /// organisation) or `deny`: what the guard decides.
    decisions: BTreeMap<String, String>,
}

/// Somebody who holds roles.
#[derive(Debug, Object)]
#[oai(skip_serializing_if_is_none)]
struct PolicyHolder {
    /// Where.
    organization_id: Uuid,
    /// `person` or `service_account`.
    #[oai(rename = "type")]
    kind: String,
    /// The membership, or the service account.
    id: Uuid,
    /// The person's account.
    account_id: Option<Uuid>,
    /// What they are called today.
    name: Option<String>,
    /// The address, of somebody who is a member today.
    email: Option<String>,
    /// That the person has been erased since.
    erased: Option<bool>,
    /// Whether it gives access: `active`, `blocked` or `disabled`.
    status: String,
    /// The roles, and where each comes from.
    grants: Vec<PolicyGrant>,
    /// The roles that count, the highest first.
    effective_roles: Vec<String>,
    /// The custom roles beside those, and where each comes from.
    custom_grants: Vec<PolicyCustomGrant>,
    /// When the person signed in last, as far as that was known then.
    last_sign_in_at: Option<DateTime<Utc>>,
    /// The second factors that a person can prove, `totp` for one; empty for somebody without. Only of today.
    second_factors: Option<Vec<String>>,
}

/// A role that somebody holds.
#[derive(Debug, Object)]
#[oai(skip_serializing_if_is_none)]
struct PolicyGrant {
    /// The role.
    role: String,
    /// `direct` or `team`.
    via: String,
    /// The team that gives it.
    team_id: Option<Uuid>,
    /// What the team was called.
    team: Option<String>,
    /// Since when.
    since: DateTime<Utc>,
    /// That it was so already when the history began, at that time.
    before_history: Option<bool>,
    /// Who gave it.
    by: PolicyActor,
}

/// A role of an organisation's own.
#[derive(Debug, Object)]
#[oai(skip_serializing_if_is_none)]
struct PolicyCustomRole {
    /// Where.
    organization_id: Uuid,
    /// Its id.
    id: Uuid,
    /// What it was called.
    name: String,
    /// The operations that it let its holders do with any object: the guard's `allow` beside what their roles give.
    permissions: Vec<String>,
    /// Since when it was so.
    since: DateTime<Utc>,
    /// That it was so already when the history began, at that time.
    before_history: Option<bool>,
    /// Who made it so.
    by: PolicyActor,
}

/// A custom role that somebody holds.
#[derive(Debug, Object)]
#[oai(skip_serializing_if_is_none)]
struct PolicyCustomGrant {
    /// The role.
    custom_role_id: Uuid,
    /// What it was called.
    custom_role: String,
    /// `direct` or `team`.
    via: String,
    /// The team that gives it.
    team_id: Option<Uuid>,
    /// What the team was called.
    team: Option<String>,
    /// Since when.
    since: DateTime<Utc>,
    /// That it was so already when the history began, at that time.
    before_history: Option<bool>,
    /// Who gave it.
    by: PolicyActor,
}

/// Who did something.
#[derive(Debug, Object)]
#[oai(skip_serializing_if_is_none)]
struct PolicyActor {
    /// `account`, `service`, `anonymous`, `system`, or `database` for what was done around the server.
    #[oai(rename = "type")]
    kind: String,
    /// The account, or the service account.
    id: Option<Uuid>,
    /// What it is called today.
    name: Option<String>,
}

/// A table, as it comes.
pub(super) struct Table(Bytes);

impl Payload for Table {
    const CONTENT_TYPE: &'static str = "text/csv";

    fn schema_ref() -> MetaSchemaRef {
        MetaSchemaRef::Inline(Box::new(MetaSchema::new("string")))
    }
}

impl IntoResponse for Table {
    fn into_response(self) -> Response {
        const CSV: HeaderValue = HeaderValue::from_static("text/csv; charset=utf-8; header=present");
        let mut response = Response::default();
        response.headers_mut().insert(header::CONTENT_TYPE, CSV);
        response.set_body(self.0);
        response
    }
}

/// The forms.
#[derive(ResponseContent)]
pub(super) enum Content {
    /// Everything.
    Json(Written<PolicyExport>),
    /// A table.
    Csv(Table),
}

/// The answer of an export.
#[derive(ApiResponse)]
pub(super) enum Exported {
    /// A document.
    #[oai(status = 200)]
    Document(
        Content,
        /// SHA-256 of the bytes (RFC 9530).
        #[oai(header = "Content-Digest")]
        String,
        /// A detached JWS over the bytes (RFC 7515, appendix F), by a key of `/.well-known/signature-keys.json`.
        #[oai(header = "X-JWS-Signature")]
        String,
        /// What to call it (RFC 6266).
        #[oai(header = "Content-Disposition")]
        String,
        /// The next document, if there is one (RFC 8288).
        #[oai(header = "Link")]
        Option<String>,
    ),
}

impl Exported {
    /// A document, as it was written.
    pub(super) fn of(request: &Request, document: Document, format: Format) -> Self {
        let what = match format {
            Format::Json => "policies.json",
            Format::Csv(Part::Operations) => "policies-operations.csv",
            Format::Csv(Part::Holders) => "policies-holders.csv",
        };
        let name = format!("attachment; filename=\"{}-{what}\"", document.at.format("%Y%m%dT%H%M%SZ"));
        let digest = format!("sha-256=:{}:", STANDARD.encode(document.digest));
        let link = document.next.map(|cursor| format!("<{}>; rel=\"next\"", next_address(request, ("after", &cursor))));
        let bytes = Bytes::from(document.text);
        let content = match format {
            Format::Json => Content::Json(Written::already(bytes)),
            Format::Csv(_) => Content::Csv(Table(bytes)),
        };
        Self::Document(content, digest, document.signature, name, link)
    }
}

/// What is different between two moments.
#[derive(Debug, Object)]
#[oai(skip_serializing_if_is_none)]
pub(super) struct PolicyDifference {
    /// The revision before.
    from: PolicyRevisionOf,
    /// The revision after.
    to: PolicyRevisionOf,
    /// Of the operations.
    operations: PolicyThings,
    /// Of the roles.
    roles: PolicyThings,
    /// What happened to those who hold roles, the oldest first.
    items: Vec<PolicyChange>,
    /// Pass this as `cursor` to get the next page; absent on the last.
    next_cursor: Option<String>,
}

/// Which revision it was.
#[derive(Debug, Object)]
struct PolicyRevisionOf {
    /// Its number.
    number: i32,
    /// Its SHA-256.
    sha256: String,
}

/// What is different between two lists.
#[derive(Debug, Object)]
struct PolicyThings {
    /// What is new.
    added: Vec<String>,
    /// What is gone.
    removed: Vec<String>,
    /// What changed.
    changed: Vec<PolicyField>,
}

/// A field that changed.
#[derive(Debug, Object)]
#[oai(skip_serializing_if_is_none)]
struct PolicyField {
    /// Of what.
    name: String,
    /// Which; a role's decision is `decisions.role`.
    field: String,
    /// What it said.
    from: Option<String>,
    /// What it says.
    to: Option<String>,
}

/// Something that happened to somebody's roles.
#[derive(Debug, Object)]
#[oai(skip_serializing_if_is_none)]
struct PolicyChange {
    /// When.
    at: DateTime<Utc>,
    /// `granted`, `changed` or `lost`.
    change: String,
    /// What it happened to: `membership`, `team`, `team_member`, `service_account`; `custom_role` itself, or that one of
    /// the others got or lost one: `membership_custom_role`, `team_custom_role`, `service_account_custom_role`.
    #[oai(rename = "type")]
    kind: String,
    /// Where.
    organization_id: Uuid,
    /// The membership, team, service account or custom role.
    id: Uuid,
    /// The person's account.
    account_id: Option<Uuid>,
    /// What the person is called today, or the team or service account then.
    name: Option<String>,
    /// That the person has been erased since.
    erased: Option<bool>,
    /// The team, of a place in one.
    team_id: Option<Uuid>,
    /// What it was called then.
    team: Option<String>,
    /// How many were in the team then, of what happened to a team.
    members: Option<i64>,
    /// The role before.
    role_before: Option<String>,
    /// The role after.
    role: Option<String>,
    /// The status before.
    status_before: Option<String>,
    /// The status after.
    status: Option<String>,
    /// The custom role that was got or lost.
    custom_role_id: Option<Uuid>,
    /// What it was called then.
    custom_role: Option<String>,
    /// The operations that a custom role permitted before.
    permissions_before: Option<Vec<String>>,
    /// The operations that it permitted after.
    permissions: Option<Vec<String>>,
    /// By whom.
    by: PolicyActor,
    /// In which request.
    request_id: Option<String>,
    /// The entry of the record.
    audit_entry_id: Option<Uuid>,
}

/// The answer of a comparison.
#[derive(ApiResponse)]
pub(super) enum Compared {
    /// What is different.
    #[oai(status = 200)]
    Page(
        Json<PolicyDifference>,
        /// The next page, if there is one (RFC 8288).
        #[oai(header = "Link")]
        Option<String>,
    ),
}

impl Compared {
    /// A page of what is different.
    pub(super) fn of(request: &Request, changes: Changes) -> Self {
        let next = changes.next.as_ref();
        let link = next.map(|cursor| format!("<{}>; rel=\"next\"", next_address(request, ("cursor", cursor))));
        Self::Page(Json(changes.into()), link)
    }
}

impl From<Changes> for PolicyDifference {
    fn from(changes: Changes) -> Self {
        let revision = |(number, sha256)| PolicyRevisionOf { number, sha256 };
        Self {
            from: revision(changes.from),
            to: revision(changes.to),
            operations: changes.operations.into(),
            roles: changes.roles.into(),
            items: changes.holders.into_iter().map(Into::into).collect(),
            next_cursor: changes.next,
        }
    }
}

impl From<Differences> for PolicyThings {
    fn from(things: Differences) -> Self {
        let field = |Difference { name, field, from, to }| PolicyField { name, field, from, to };
        Self { added: things.added, removed: things.removed, changed: things.changed.into_iter().map(field).collect() }
    }
}

impl From<Change> for PolicyChange {
    fn from(change: Change) -> Self {
        let (team_id, team) = change.team.map_or((None, None), |(id, name)| (Some(id), name));
        Self {
            at: change.at,
            change: change.change.to_owned(),
            kind: change.kind,
            organization_id: change.organization,
            id: change.id,
            account_id: change.account.map(Uuid::from),
            name: change.name,
            erased: change.erased.then_some(true),
            team_id,
            team,
            members: change.members,
            role_before: change.role.0,
            role: change.role.1,
            status_before: change.status.0,
            status: change.status.1,
            custom_role_id: change.custom_role.as_ref().map(|(id, _)| *id),
            custom_role: change.custom_role.and_then(|(_, name)| name),
            permissions_before: change.permissions.0,
            permissions: change.permissions.1,
            by: PolicyActor { kind: change.by.kind, id: change.by.id, name: change.by.name },
            request_id: change.request_id,
            audit_entry_id: change.entry,
        }
    }
}
