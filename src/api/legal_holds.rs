//! Holds on the record of organisations.

use chrono::{DateTime, Utc};
use entity::{LegalHoldId, OrganizationId};
use poem::Request;
use poem_openapi::{
    Object, OpenApi,
    param::{Header, Path, Query},
    payload::Json,
};
use uuid::Uuid;

use super::{
    Face, Tag,
    wire::{Created, Listed},
};
use crate::{
    edge::ApiResult,
    error::Result,
    retention::{self, Hold},
    types::{Caller, Page, PageRequest},
    vault::Vault,
};

/// The operations.
pub struct LegalHolds(pub Face);

/// A hold to be placed.
#[derive(Object)]
#[oai(deny_unknown_fields)]
struct PlaceHold {
    /// The organisation whose record has to be kept.
    organization_id: Uuid,
    /// Why, for the platform's record. It is sealed.
    #[oai(validator(min_length = 1, max_length = 500))]
    reason: String,
}

/// A hold to be released.
#[derive(Object)]
#[oai(deny_unknown_fields)]
struct ReleaseHold {
    /// Why, for the platform's record. It is sealed.
    #[oai(validator(min_length = 1, max_length = 500))]
    reason: String,
}

/// A hold on the record of an organisation: while it stands, nothing of it is dropped.
#[derive(Debug, Object)]
#[oai(skip_serializing_if_is_none)]
struct LegalHold {
    /// Its id.
    id: Uuid,
    /// The organisation.
    organization_id: Uuid,
    /// Why it was placed.
    reason: Option<String>,
    /// The account that placed it.
    placed_by: Option<Uuid>,
    /// Since when it stands or stood.
    placed_at: DateTime<Utc>,
    /// The account that released it; absent while it stands.
    released_by: Option<Uuid>,
    /// When it was released; absent while it stands.
    released_at: Option<DateTime<Utc>>,
    /// Why it was released; absent while it stands.
    release_reason: Option<String>,
}

#[OpenApi(prefix_path = "/v1", tag = "Tag::Audit")]
impl LegalHolds {
    /// The holds on records of organisations, those that stand and those that were released, newest first.
    #[oai(path = "/legal-holds", method = "get", operation_id = "legal_holds_list")]
    async fn list(
        &self,
        caller: Caller,
        request: &Request,
        /// The most items of the page.
        #[oai(validator(minimum(value = "1"), maximum(value = "200")))]
        limit: Query<Option<u64>>,
        /// Where the last page ended.
        cursor: Query<Option<String>>,
    ) -> ApiResult<Listed<LegalHold>> {
        let page = PageRequest::parse(limit.0, cursor.0.as_deref())?;
        let app = &self.0.gate.app;
        let tx = app.db.read(&caller).await?;
        let page = retention::list(&tx, page).await?;
        let items = page.items.into_iter().map(|hold| LegalHold::of(&app.vault, hold)).collect::<Result<Vec<_>>>()?;
        Ok(Listed::page(request, Page { items, next: page.next }, |hold| hold))
    }

    /// Place a hold on the record of an organisation: nothing of it is dropped until the hold is released. There is one
    /// at a time; 409 while it stands. The erasure of a person takes what is personal of them out of it all the same.
    #[oai(path = "/legal-holds", method = "post", operation_id = "legal_holds_create")]
    async fn create(
        &self,
        caller: Caller,
        body: Json<PlaceHold>,
        /// The same key places it once.
        #[oai(name = "Idempotency-Key")]
        _idempotency_key: Header<Option<String>>,
    ) -> ApiResult<Created<LegalHold>> {
        let app = &self.0.gate.app;
        let hold = retention::place(app, &caller, OrganizationId(body.0.organization_id), &body.0.reason).await?;
        let place = format!("/v1/legal-holds/{}", hold.id);
        Ok(Created::Created(Json(LegalHold::of(&app.vault, hold)?), place))
    }

    /// One hold.
    #[oai(path = "/legal-holds/:legal_hold_id", method = "get", operation_id = "legal_holds_get")]
    async fn get(&self, caller: Caller, legal_hold_id: Path<Uuid>) -> ApiResult<Json<LegalHold>> {
        let app = &self.0.gate.app;
        let tx = app.db.read(&caller).await?;
        let hold = retention::get(&tx, LegalHoldId(legal_hold_id.0)).await?;
        Ok(Json(LegalHold::of(&app.vault, hold)?))
    }

    /// Release a hold. What it kept beyond its time is dropped the next night.
    #[oai(path = "/legal-holds/:legal_hold_id/release", method = "post", operation_id = "legal_holds_release")]
    async fn release(
        &self,
        caller: Caller,
        legal_hold_id: Path<Uuid>,
        body: Json<ReleaseHold>,
    ) -> ApiResult<Json<LegalHold>> {
        let app = &self.0.gate.app;
        let hold = retention::release(app, &caller, LegalHoldId(legal_hold_id.0), &body.0.reason).await?;
        Ok(Json(LegalHold::of(&app.vault, hold)?))
    }
}

impl LegalHold {
    fn of(vault: &Vault, hold: Hold) -> Result<Self> {
        let (reason, release_reason) = retention::reason(vault, &hold)?;
        Ok(Self {
            id: hold.id.into(),
            organization_id: hold.organization_id.into(),
            reason,
            placed_by: hold.placed_by.map(Into::into),
            placed_at: hold.placed_at,
            released_by: hold.released_by.map(Into::into),
            released_at: hold.released_at,
            release_reason,
        })
    }
}
