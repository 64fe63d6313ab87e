//! What proves the record: how far it is sealed, the checkpoints, and files of evidence.

use chrono::{DateTime, Utc};
use futures_util::{StreamExt, stream};
use poem::Request;
use poem_openapi::{
    Object, OpenApi,
    param::{Path, Query},
    payload::Json,
};
use uuid::Uuid;

use super::{
    Face, Tag,
    wire::{File, Listed},
};
use crate::{
    edge::{ApiResult, guard::Authority},
    error::Error,
    seals::{self, Kept, MOST_WAITING, State, Wanted},
    types::{Caller, PageRequest},
};

/// The operations.
pub struct Seals(pub Face);

/// Something signed that says how many entries there are, and what their chain ends in.
#[derive(Debug, Object)]
#[oai(skip_serializing_if_is_none)]
struct AuditCheckpoint {
    /// Which one it is, from 1.
    number: i64,
    /// How many entries it and those before it seal.
    count: i64,
    /// What the chain of their hashes ends in, in hexadecimal.
    head: String,
    /// SHA-256 of the `jws` of the one before; absent in the first.
    previous: Option<String>,
    /// When it was signed.
    sealed_at: DateTime<Utc>,
    /// Every entry that was written before this is sealed by it or one before; absent while old entries were being sealed.
    complete_before: Option<DateTime<Utc>>,
    /// All of it as a JWS (RFC 7515), by a key of `/.well-known/signature-keys.json`. This is what to keep elsewhere.
    jws: String,
}

/// How far the record is sealed.
#[derive(Debug, Object)]
#[oai(skip_serializing_if_is_none)]
struct AuditSeals {
    /// The last checkpoint; absent before the first.
    checkpoint: Option<AuditCheckpoint>,
    /// How many entries wait to be sealed, up to a thousand.
    waiting: i64,
    /// That a thousand wait, or more.
    more_waiting: bool,
    /// When the oldest entry that waits was written; absent when none or more than a thousand do.
    waiting_since: Option<DateTime<Utc>>,
}

#[OpenApi(prefix_path = "/v1", tag = "Tag::Audit")]
impl Seals {
    /// How far the record of an organisation is sealed. Entries are sealed within seconds after they were written.
    #[oai(path = "/organizations/:organization_id/audit-seals", method = "get", operation_id = "audit_seals_get")]
    async fn get(&self, caller: Caller, organization_id: Path<Uuid>) -> ApiResult<Json<AuditSeals>> {
        let _ = organization_id;
        let tx = self.0.gate.app.db.read(&caller).await?;
        Ok(Json(seals::state(&tx).await?.into()))
    }

    /// The checkpoints of the record of an organisation, newest first. Whoever keeps one elsewhere can show later that
    /// nothing of what it covers was changed or cut off.
    #[expect(clippy::too_many_arguments, reason = "one argument a parameter of the contract")]
    #[oai(
        path = "/organizations/:organization_id/audit-checkpoints",
        method = "get",
        operation_id = "audit_checkpoints_list"
    )]
    async fn checkpoints(
        &self,
        caller: Caller,
        organization_id: Path<Uuid>,
        request: &Request,
        /// The most items of the page.
        #[oai(validator(minimum(value = "1"), maximum(value = "200")))]
        limit: Query<Option<u64>>,
        /// Where the last page ended.
        cursor: Query<Option<String>>,
    ) -> ApiResult<Listed<AuditCheckpoint>> {
        let _ = organization_id;
        let page = PageRequest::parse(limit.0, cursor.0.as_deref())?;
        let tx = self.0.gate.app.db.read(&caller).await?;
        Ok(Listed::page(request, seals::list(&tx, page).await?, AuditCheckpoint::from))
    }

    /// A file of evidence: sealed entries with all that proves them, for `freehold audit verify`, which needs nothing of
    /// this installation but its public keys. Without parameters it is the whole record. What is asked for is widened to
    /// whole checkpoints. A file whose reader may not see the record any more breaks off, without its last line. The form,
    /// and what it proves, are described in `policies/EVIDENCE.md`.
    #[expect(clippy::too_many_arguments, reason = "one argument a parameter of the contract")]
    #[oai(path = "/organizations/:organization_id/audit-evidence", method = "get", operation_id = "audit_evidence_get")]
    async fn evidence(
        &self,
        caller: Caller,
        organization_id: Path<Uuid>,
        request: &Request,
        /// What was sealed from this moment on.
        from: Query<Option<DateTime<Utc>>>,
        /// What was sealed before this moment.
        to: Query<Option<DateTime<Utc>>>,
        /// From the entry in this place of the chain on.
        #[oai(validator(minimum(value = "1")))]
        first: Query<Option<i64>>,
        /// Up to the entry in this place of the chain.
        #[oai(validator(minimum(value = "1")))]
        last: Query<Option<i64>>,
    ) -> ApiResult<File> {
        let _ = organization_id;
        let wanted = Wanted { from: from.0, to: to.0, first: first.0, last: last.0 };
        let name = format!("{}-audit-evidence.jsonl", caller.now().format("%Y%m%dT%H%M%SZ"));
        let authority = request.data::<Authority>().cloned();
        let authority = authority.ok_or_else(|| Error::internal("evidence outside the guard"))?;
        let (head, evidence) = seals::export(&self.0.gate.app, &caller, wanted).await?;
        // Who may not see the record any more gets no further page, and the last line is missing.
        let pages = stream::try_unfold((authority, evidence), async |(mut authority, mut evidence)| {
            authority.holds().await?;
            Ok::<_, Error>(evidence.page().await?.map(|page| (page, (authority, evidence))))
        });
        Ok(File::of(stream::iter([Ok(head)]).chain(pages), name))
    }
}

impl From<State> for AuditSeals {
    fn from(state: State) -> Self {
        Self {
            checkpoint: state.last.map(Into::into),
            waiting: state.waiting,
            more_waiting: state.waiting >= MOST_WAITING,
            waiting_since: state.waiting_since,
        }
    }
}

impl From<Kept> for AuditCheckpoint {
    fn from(Kept { checkpoint, jws }: Kept) -> Self {
        Self {
            number: checkpoint.number,
            count: checkpoint.count,
            head: checkpoint.head,
            previous: checkpoint.previous,
            sealed_at: checkpoint.sealed_at,
            complete_before: checkpoint.complete_before,
            jws,
        }
    }
}
