//! What a product records of its own, and which types of event it declares for that.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use poem_openapi::{
    Object, OpenApi,
    param::{Header, Path},
    payload::Json,
    types::Any,
};
use serde_json::Value;
use uuid::Uuid;

use super::{
    Face, Tag,
    audit::{Actors, AuditEntry, EventClass, EventDetail, EventOutcome, EventSeverity},
    wire::{Created, Done},
};
use crate::{
    audit::{
        self,
        product::{self, Declaration, Detail, Happening},
    },
    edge::ApiResult,
    error::Result,
    types::Caller,
};

/// The operations.
pub struct ProductEvents(pub Face);

/// A detail that events of a type can have.
#[derive(Object)]
#[oai(deny_unknown_fields)]
struct DeclareDetail {
    /// Its name in the metadata: letters a to z, digits and underscores.
    #[oai(validator(min_length = 1, max_length = 50))]
    name: String,
    /// What it says.
    #[oai(validator(min_length = 1, max_length = 500))]
    meaning: String,
    /// Whether it says something of somebody. Then it is kept beside the entry, sealed: no search finds it, and it goes when
    /// the person is erased who did it.
    personal: bool,
}

/// What events of a type mean.
#[derive(Object)]
#[oai(deny_unknown_fields)]
struct DeclareEventType {
    /// A few words for a list.
    #[oai(validator(min_length = 1, max_length = 100))]
    title: String,
    /// A sentence for the auditor.
    #[oai(validator(min_length = 1, max_length = 500))]
    meaning: String,
    /// How much they matter.
    severity: EventSeverity,
    /// How long they are kept. It never changes.
    class: EventClass,
    /// The type of what they happen to, such as `invoice`. It never changes.
    #[oai(validator(min_length = 1, max_length = 50))]
    target_type: String,
    /// What their metadata can have.
    #[oai(validator(max_items = 20))]
    details: Vec<DeclareDetail>,
}

/// A type of event of the organisation's product.
#[derive(Debug, Object)]
#[oai(skip_serializing_if_is_none)]
struct ProductEventType {
    /// The stable code.
    code: String,
    /// A few words.
    title: String,
    /// A sentence.
    meaning: String,
    /// How much it matters.
    severity: String,
    /// How long its entries are kept.
    class: String,
    /// The type of what it happens to.
    target_type: String,
    /// What its metadata can have.
    details: Vec<EventDetail>,
    /// When it was declared.
    created_at: DateTime<Utc>,
    /// When it last changed.
    updated_at: DateTime<Utc>,
    /// Since when nothing is recorded under it; absent while something can be.
    retired_at: Option<DateTime<Utc>>,
}

/// The organisation's own types.
#[derive(Debug, Object)]
struct ProductEventTypes {
    /// By code, 200 at most, those that are retired too.
    items: Vec<ProductEventType>,
}

/// Something that happened in the product.
#[derive(Object)]
#[oai(deny_unknown_fields)]
struct RecordEvent {
    /// The code of its type.
    #[oai(validator(min_length = 1, max_length = 100))]
    event: String,
    /// How it came out; `success` unless it is said.
    #[oai(skip_serializing_if_is_none)]
    outcome: Option<EventOutcome>,
    /// The id of what it happened to.
    #[oai(skip_serializing_if_is_none)]
    target_id: Option<Uuid>,
    /// Its details, by the names that its type declares: texts on one line, numbers, booleans.
    #[oai(skip_serializing_if_is_none)]
    metadata: Option<HashMap<String, Any<Value>>>,
}

#[OpenApi(prefix_path = "/v1", tag = "Tag::Audit")]
impl ProductEvents {
    /// The types of event that the organisation's product records, beside those of the catalogue.
    #[oai(
        path = "/organizations/:organization_id/audit/event-types",
        method = "get",
        operation_id = "product_event_types_list"
    )]
    async fn list(&self, caller: Caller, organization_id: Path<Uuid>) -> ApiResult<Json<ProductEventTypes>> {
        let _ = organization_id;
        let tx = self.0.gate.app.db.read(&caller).await?;
        let items = product::types(&tx).await?.into_iter().map(ProductEventType::of).collect::<Result<_>>()?;
        Ok(Json(ProductEventTypes { items }))
    }

    /// Declare a type of event, or say better what one means.
    ///
    /// The same again changes nothing, so a product can declare all of its types whenever it starts. A type that was
    /// retired is in use again. What is recorded already stays as it was written.
    #[oai(
        path = "/organizations/:organization_id/audit/event-types/:code",
        method = "put",
        operation_id = "product_event_types_declare"
    )]
    async fn declare(
        &self,
        caller: Caller,
        organization_id: Path<Uuid>,
        /// `product.` and one to four words of a to z, digits and underscores, with dots between.
        #[oai(validator(min_length = 1, max_length = 100))]
        code: Path<String>,
        body: Json<DeclareEventType>,
    ) -> ApiResult<Json<ProductEventType>> {
        let _ = organization_id;
        let declared = product::declare(&self.0.gate.app.db, &caller, &code.0, body.0.into()).await?;
        Ok(Json(ProductEventType::of(declared)?))
    }

    /// Retire a type of event: nothing more is recorded under it, and what was keeps its meaning.
    #[oai(
        path = "/organizations/:organization_id/audit/event-types/:code",
        method = "delete",
        operation_id = "product_event_types_retire"
    )]
    async fn retire(
        &self,
        caller: Caller,
        organization_id: Path<Uuid>,
        /// The type's code.
        #[oai(validator(min_length = 1, max_length = 100))]
        code: Path<String>,
    ) -> ApiResult<Done> {
        let _ = organization_id;
        product::retire(&self.0.gate.app.db, &caller, &code.0).await?;
        Ok(Done::Done)
    }

    /// Record something that happened in the product, as done by the caller.
    ///
    /// It is sealed, searched, kept and exported as all other entries, and raises the alerts of rules that wait for it. Who
    /// in the product did it can be one of its details.
    #[oai(
        path = "/organizations/:organization_id/audit/events",
        method = "post",
        operation_id = "product_events_record"
    )]
    async fn record(
        &self,
        caller: Caller,
        organization_id: Path<Uuid>,
        body: Json<RecordEvent>,
        /// The same key records it once.
        #[oai(name = "Idempotency-Key")]
        _idempotency_key: Header<Option<String>>,
    ) -> ApiResult<Created<AuditEntry>> {
        let app = &self.0.gate.app;
        let RecordEvent { event, outcome, target_id, metadata } = body.0;
        let happening = Happening {
            event,
            outcome: outcome.map_or(audit::Outcome::Success, Into::into),
            target: target_id,
            metadata: metadata.into_iter().flatten().map(|(name, value)| (name, value.0)).collect(),
        };
        let id = product::record(&app.db, &caller, happening).await?;
        let tx = app.db.read(&caller).await?;
        let entry = audit::get(&app.vault, &tx, id).await?;
        let actors = Actors::of(&app.vault, &tx, std::slice::from_ref(&entry)).await?;
        let place = format!("/v1/organizations/{}/audit/{id}", organization_id.0);
        Ok(Created::Created(Json(AuditEntry::of(entry, &actors)), place))
    }
}

impl ProductEventType {
    fn of(row: product::EventType) -> Result<Self> {
        let details = product::details(&row)?.into_iter();
        let details = details.map(|Detail { name, meaning, personal }| EventDetail { name, meaning, personal });
        Ok(Self {
            details: details.collect(),
            code: row.code,
            title: row.title,
            meaning: row.meaning,
            severity: row.severity,
            class: row.class,
            target_type: row.target_type,
            created_at: row.created_at,
            updated_at: row.updated_at,
            retired_at: row.retired_at,
        })
    }
}

impl From<DeclareEventType> for Declaration {
    fn from(body: DeclareEventType) -> Self {
        let details = body.details.into_iter();
        let details = details.map(|DeclareDetail { name, meaning, personal }| Detail { name, meaning, personal });
        Self {
            title: body.title,
            meaning: body.meaning,
            severity: body.severity.severity(),
            class: body.class.class(),
            target_type: body.target_type,
            details: details.collect(),
        }
    }
}

impl From<EventOutcome> for audit::Outcome {
    fn from(outcome: EventOutcome) -> Self {
        match outcome {
            EventOutcome::Success => Self::Success,
            EventOutcome::Refused => Self::Refused,
            EventOutcome::Failed => Self::Failed,
        }
    }
}
