//! What happened.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use entity::{AccountId, AuditEntryId, ServiceAccountId};
use poem::Request;
use poem_openapi::{
    Enum, Object, OpenApi,
    param::{Path, Query},
    payload::Json,
    types::Any,
};
use serde_json::Value;
use uuid::Uuid;

use super::{Face, Tag, wire::Listed};
use crate::{
    accounts::{self, Person},
    audit::{
        self, Class, Entry, Filter, Home, Kept, Kind, Severity,
        export::{Line, Who},
        product,
    },
    db::Tx,
    edge::ApiResult,
    error::Result,
    tenancy::service_accounts,
    types::{Caller, PageRequest},
    vault::Vault,
};

/// The operations.
pub struct Audit(pub Face);

/// How much an event matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub(super) enum EventSeverity {
    /// Everyday work.
    Low,
    /// Worth a look in a review.
    Medium,
    /// Worth a look today.
    High,
    /// Worth a look now.
    Critical,
}

impl EventSeverity {
    pub(super) fn severity(self) -> Severity {
        match self {
            Self::Low => Severity::Low,
            Self::Medium => Severity::Medium,
            Self::High => Severity::High,
            Self::Critical => Severity::Critical,
        }
    }
}

/// How long an entry is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub(super) enum EventClass {
    /// A year.
    Normal,
    /// Two years.
    Security,
}

impl EventClass {
    pub(super) fn class(self) -> Class {
        match self {
            Self::Normal => Class::Normal,
            Self::Security => Class::Security,
        }
    }
}

/// How an attempt came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub(super) enum EventOutcome {
    /// It was done.
    Success,
    /// A rule stood against it.
    Refused,
    /// What was presented was wrong.
    Failed,
}

/// Who did it.
#[derive(Debug, Object)]
#[oai(skip_serializing_if_is_none)]
struct Actor {
    /// `account`, `service`, `anonymous` or `system`.
    #[oai(rename = "type")]
    kind: String,
    /// The account, or the service account.
    id: Option<Uuid>,
    /// What it is called today.
    name: Option<String>,
    /// That the person has been erased since.
    erased: Option<bool>,
}

/// What it happened to.
#[derive(Debug, Object)]
#[oai(skip_serializing_if_is_none)]
struct Target {
    /// The type, such as `member`.
    #[oai(rename = "type")]
    kind: String,
    /// Its id.
    id: Option<Uuid>,
}

/// An entry of the record.
#[derive(Debug, Object)]
#[oai(skip_serializing_if_is_none)]
pub(super) struct AuditEntry {
    /// Its id.
    id: Uuid,
    /// When.
    occurred_at: DateTime<Utc>,
    /// The event's code.
    event: String,
    /// The event in a few words.
    title: String,
    /// How much it matters.
    severity: String,
    /// How long it is kept.
    class: String,
    /// How it came out.
    outcome: String,
    /// Who did it.
    actor: Actor,
    /// What it happened to.
    target: Target,
    /// From which address.
    ip: Option<String>,
    /// With which client.
    user_agent: Option<String>,
    /// In which request.
    request_id: Option<String>,
    /// Details.
    metadata: Any<Value>,
}

/// A detail that events of a type can have.
#[derive(Debug, Object)]
pub(super) struct EventDetail {
    /// Its name in the metadata.
    pub name: String,
    /// What it says.
    pub meaning: String,
    /// That it is kept beside the entry, sealed: no search finds it, and it goes when its person is erased.
    pub personal: bool,
}

/// Whose record events of a type belong to.
#[derive(Debug, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
enum EventHome {
    /// The organisation in which it happens.
    Organization,
    /// The platform; what is about an account is also in the record of the organisation that manages it.
    Platform,
}

/// A type of event.
#[derive(Debug, Object)]
struct EventType {
    /// The stable code.
    code: String,
    /// A few words.
    title: String,
    /// A sentence.
    meaning: String,
    /// How much it matters.
    severity: String,
    /// How long it is kept.
    class: String,
    /// Whose record it belongs to.
    home: EventHome,
    /// The type of what it happens to.
    target_type: String,
    /// What its metadata can have. Of every event the client's address and what it called itself are personal too.
    details: Vec<EventDetail>,
}

impl EventType {
    fn of(kind: Kind) -> Self {
        let details = kind.details().into_iter().map(|detail| EventDetail {
            name: detail.name.to_owned(),
            meaning: detail.meaning.to_owned(),
            personal: detail.kept == Kept::Beside,
        });
        Self {
            code: kind.code().to_owned(),
            title: kind.title().to_owned(),
            meaning: kind.meaning().to_owned(),
            severity: kind.severity().as_str().to_owned(),
            class: kind.class().as_str().to_owned(),
            home: match kind.home() {
                Home::Tenant => EventHome::Organization,
                Home::Platform => EventHome::Platform,
            },
            target_type: kind.target().to_owned(),
            details: details.collect(),
        }
    }
}

/// The catalogue.
#[derive(Debug, Object)]
struct EventTypes {
    /// The types.
    items: Vec<EventType>,
}

#[OpenApi(prefix_path = "/v1", tag = "Tag::Audit")]
impl Audit {
    /// The record of an organisation, newest first. Every filter that is given must hold.
    ///
    /// A page looks through ten thousand entries at most, so one of a filter that few entries pass can have fewer items
    /// than `limit`, or none, and still a `next_cursor`: follow it until there is none.
    #[expect(clippy::too_many_arguments, reason = "one argument a parameter of the contract")]
    #[oai(path = "/organizations/:organization_id/audit", method = "get", operation_id = "audit_list")]
    async fn list(
        &self,
        caller: Caller,
        organization_id: Path<Uuid>,
        request: &Request,
        /// Who did it.
        actor_id: Query<Option<Uuid>>,
        /// The event's code.
        #[oai(validator(max_length = 100))]
        event: Query<Option<String>>,
        /// How much it matters.
        severity: Query<Option<EventSeverity>>,
        /// How much it matters at least.
        min_severity: Query<Option<EventSeverity>>,
        /// How long it is kept.
        class: Query<Option<EventClass>>,
        /// How it came out.
        outcome: Query<Option<EventOutcome>>,
        /// The type of what it happened to.
        #[oai(validator(max_length = 100))]
        target_type: Query<Option<String>>,
        /// What it happened to.
        target_id: Query<Option<Uuid>>,
        /// Not before this moment.
        from: Query<Option<DateTime<Utc>>>,
        /// Before this moment.
        to: Query<Option<DateTime<Utc>>>,
        /// Exact words of the code, the ids and the details; all must be there. What people wrote is sealed, and not found.
        #[oai(validator(min_length = 1, max_length = 200))]
        text: Query<Option<String>>,
        /// The most items of the page.
        #[oai(validator(minimum(value = "1"), maximum(value = "200")))]
        limit: Query<Option<u64>>,
        /// Where the last page ended.
        cursor: Query<Option<String>>,
    ) -> ApiResult<Listed<AuditEntry>> {
        let _ = organization_id;
        let page = PageRequest::parse(limit.0, cursor.0.as_deref())?;
        let filter = Filter {
            actor_id: actor_id.0,
            event: event.0,
            severity: severity.0.map(word),
            min_severity: min_severity.0.map(EventSeverity::severity),
            class: class.0.map(word),
            outcome: outcome.0.map(word),
            target_type: target_type.0,
            target_id: target_id.0,
            from: from.0,
            to: to.0,
            text: text.0,
        };
        let tx = self.0.gate.app.db.read(&caller).await?;
        let page = audit::list(&self.0.gate.app.vault, &tx, &filter, page).await?;
        let actors = Actors::of(&self.0.gate.app.vault, &tx, &page.items).await?;
        Ok(Listed::page(request, page, |entry| AuditEntry::of(entry, &actors)))
    }

    /// One entry of the record.
    #[oai(path = "/organizations/:organization_id/audit/:entry_id", method = "get", operation_id = "audit_get")]
    async fn get(
        &self,
        caller: Caller,
        organization_id: Path<Uuid>,
        entry_id: Path<Uuid>,
    ) -> ApiResult<Json<AuditEntry>> {
        let _ = organization_id;
        let tx = self.0.gate.app.db.read(&caller).await?;
        let entry = audit::get(&self.0.gate.app.vault, &tx, AuditEntryId(entry_id.0)).await?;
        let actors = Actors::of(&self.0.gate.app.vault, &tx, std::slice::from_ref(&entry)).await?;
        Ok(Json(AuditEntry::of(entry, &actors)))
    }

    /// The catalogue of event types: what each means, how much it matters, and which details its entries can have.
    #[oai(path = "/audit/catalog", method = "get", operation_id = "event_types_list")]
    async fn event_types(&self, caller: Caller) -> ApiResult<Json<EventTypes>> {
        let _ = caller;
        Ok(Json(EventTypes { items: Kind::ALL.iter().copied().map(EventType::of).collect() }))
    }
}

/// Who did what is in some entries, and what a product's own events are called, as they are today.
pub(super) struct Actors {
    people: HashMap<AccountId, Person>,
    services: HashMap<ServiceAccountId, String>,
    titles: HashMap<String, String>,
}

impl Actors {
    pub(super) async fn of(vault: &Vault, tx: &Tx, entries: &[Entry]) -> Result<Self> {
        let (services, people): (Vec<_>, Vec<_>) =
            entries.iter().filter_map(|entry| Some((entry.row.actor_id?, &entry.row.actor_type))).partition(is_service);
        let people = accounts::people(vault, tx, people.into_iter().map(|(id, _)| AccountId(id))).await?;
        let services = service_accounts::names(tx, services.into_iter().map(|(id, _)| ServiceAccountId(id))).await?;
        let titles = product::titles(tx, entries.iter().map(|entry| entry.row.event.as_str())).await?;
        Ok(Self { people, services, titles })
    }
}

impl Actors {
    /// An entry with who did it, for a file.
    pub(super) fn line(&self, entry: Entry) -> Line {
        let person = entry.row.actor_id.and_then(|id| self.people.get(&AccountId(id)));
        let service = entry.row.actor_id.and_then(|id| self.services.get(&ServiceAccountId(id)));
        let who = match person {
            Some(Person::Known(account)) => Who { name: Some(account.name.clone()), erased: false },
            Some(Person::Erased(_)) => Who { name: None, erased: true },
            None => Who { name: service.cloned(), erased: false },
        };
        Line { entry, who }
    }
}

fn is_service((_, kind): &(Uuid, &String)) -> bool {
    kind.as_str() == "service"
}

impl AuditEntry {
    pub(super) fn of(entry: Entry, actors: &Actors) -> Self {
        let Line { entry: Entry { row, personal }, who: Who { name, erased } } = actors.line(entry);
        let mut metadata = row.metadata;
        if let Some(metadata) = metadata.as_object_mut() {
            metadata.extend(personal.details);
        }
        let title = Kind::find(&row.event).map(|kind| kind.title().to_owned());
        let title = title.or_else(|| actors.titles.get(&row.event).cloned()).unwrap_or_else(|| row.event.clone());
        Self {
            id: row.id.into(),
            occurred_at: row.occurred_at,
            title,
            event: row.event,
            severity: row.severity,
            class: row.class,
            outcome: row.outcome,
            actor: Actor { kind: row.actor_type, id: row.actor_id, name, erased: erased.then_some(true) },
            target: Target { kind: row.target_type, id: row.target_id },
            ip: personal.address,
            user_agent: personal.user_agent,
            request_id: row.request_id,
            metadata: Any(metadata),
        }
    }
}

/// A wire word as the filter wants it.
pub(super) fn word<T: poem_openapi::types::ToJSON>(value: T) -> String {
    value.to_json().and_then(|json| json.as_str().map(str::to_owned)).unwrap_or_default()
}
