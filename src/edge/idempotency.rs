//! `Idempotency-Key` on creating calls (API-2; IETF httpapi draft): the same key does the work once.
//!
//! The key is written before the operation runs, marked in the operation's own transaction
//! ([`crate::db::WriteTx`]), and gets the sealed answer afterwards. Killed in between, the next call with the key is
//! told that the work was done and its answer lost; it is never done twice.

use chrono::TimeDelta;
use entity::{IdempotencyId, idempotency_keys as rows};
use poem::{
    Request, Response,
    http::{HeaderName, StatusCode, header},
};
use sea_orm::{ColumnTrait, QueryFilter};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{
    app::App,
    authz::{OperationPolicy, Scope},
    db::Unrecorded,
    error::{Code, Error, Fault, Result},
    types::{Caller, IdempotencyKey},
    vault::{Place, Scope as VaultScope},
};

const HEADER: &str = "idempotency-key";
/// The longest key, in characters.
const LONGEST: usize = 255;
/// How long an answer is kept.
const KEPT: TimeDelta = TimeDelta::hours(24);
/// How long a call may run before another with its key may take over: longer than any call does.
const RUNS: TimeDelta = TimeDelta::seconds(60);
/// The headers of an answer that are kept with it.
const HEADERS: [HeaderName; 4] = [header::CONTENT_TYPE, header::LOCATION, header::ETAG, header::LINK];
const WHY: &str = "bookkeeping of a call that records itself";

/// Whether the operation has to run.
pub(super) enum Begun {
    /// It has to, as this caller.
    Run(Caller),
    /// It ran before, and this is its answer.
    Replay(Response),
}

#[derive(Serialize, Deserialize)]
struct Answer {
    headers: Vec<(String, String)>,
    body: String,
}

/// Looks the key up, or claims it.
///
/// # Errors
/// `Invalid` for a key that is none; `Conflict` when the first call is still running, had another body, or its answer
/// was lost.
pub(super) async fn begin(
    app: &App,
    caller: &Caller,
    policy: &OperationPolicy,
    request: &Request,
    body: &[u8],
) -> Result<Begun> {
    let creates = policy.action == "create" && policy.scope != Scope::Public;
    let Some(key) = request.headers().get(HEADER).filter(|_| creates) else { return Ok(Begun::Run(caller.clone())) };
    let key =
        key.to_str().ok().filter(|key| (1..=LONGEST).contains(&key.len()) && key.bytes().all(|b| b.is_ascii_graphic()));
    let fault = || {
        Error::Invalid(vec![Fault::parameter("Idempotency-Key", "format", "must be 1 to 255 visible ASCII characters")])
    };
    let claim = claim(caller, policy, key.ok_or_else(fault)?, request.uri().query(), body);
    let tx = app.db.write(caller).await?;
    let now = caller.now();
    tx.execute(
        "DELETE FROM idempotency_keys WHERE key = $1 AND expires_at <= $2",
        [claim.key.to_vec().into(), now.into()],
    )
    .await?;
    let claimed = tx
        .execute(
            "INSERT INTO idempotency_keys (id, key, fingerprint, created_at, expires_at) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (key) DO UPDATE SET created_at = excluded.created_at
             WHERE idempotency_keys.status IS NULL AND idempotency_keys.created_at < $6
               AND idempotency_keys.fingerprint = excluded.fingerprint",
            [
                uuid::Uuid::from(app.ids.next::<IdempotencyId>()).into(),
                claim.key.to_vec().into(),
                claim.fingerprint.to_vec().into(),
                now.into(),
                (now + KEPT).into(),
                (now - RUNS).into(),
            ],
        )
        .await?;
    if claimed == 1 {
        tx.commit(Unrecorded(WHY)).await?;
        return Ok(Begun::Run(Caller { idempotency: Some(claim), ..caller.clone() }));
    }
    let query = tx.find_identity::<rows::Entity>().filter(rows::Column::Key.eq(claim.key.to_vec()));
    let row = tx.one(query).await?.ok_or(Error::Conflict(Code::IdempotencyInProgress))?;
    if row.fingerprint != claim.fingerprint {
        return Err(Error::Conflict(Code::IdempotencyKeyReused));
    }
    match (row.status, &row.answer) {
        (Some(status), Some(sealed)) => Ok(Begun::Replay(replay(app, row.id, status, sealed)?)),
        (Some(_), None) => Err(Error::Conflict(Code::IdempotencyAnswerLost)),
        (None, _) => Err(Error::Conflict(Code::IdempotencyInProgress)),
    }
}

/// Keeps the answer of a call that was done; forgets the key of one that was refused.
pub(super) async fn end(app: &App, caller: &Caller, result: poem::Result<Response>) -> poem::Result<Response> {
    let Some(claim) = &caller.idempotency else { return result };
    let caller = Caller { idempotency: None, ..caller.clone() };
    match result {
        Ok(response) if response.status().is_success() => {
            let (parts, body) = response.into_parts();
            let body = body.into_string().await.unwrap_or_default();
            let headers = HEADERS.iter().filter_map(|name| {
                let value = parts.headers.get(name)?.to_str().ok()?;
                Some((name.to_string(), value.to_owned()))
            });
            let answer = Answer { headers: headers.collect(), body };
            if let Err(error) = keep(app, &caller, claim, parts.status, &answer).await {
                // The work is done and the client gets its answer; only a repetition will not.
                tracing::warn!(%error, "the answer of an idempotent call was not kept");
            }
            Ok(Response::from_parts(parts, answer.body.into()))
        }
        refused => {
            if let Err(error) = forget(app, &caller, claim).await {
                tracing::warn!(%error, "the key of a refused call was not forgotten; it can be used again in a minute");
            }
            refused
        }
    }
}

async fn keep(app: &App, caller: &Caller, claim: &IdempotencyKey, status: StatusCode, answer: &Answer) -> Result<()> {
    let tx = app.db.write(caller).await?;
    let query = tx.find_identity::<rows::Entity>().filter(rows::Column::Key.eq(claim.key.to_vec()));
    let row = tx.one(query).await?.ok_or_else(Error::not_found)?;
    let sealed = app.vault.seal(place(row.id), &serde_json::to_vec(answer).map_err(Error::internal)?)?;
    tx.execute(
        "UPDATE idempotency_keys SET status = $2, answer = $3 WHERE id = $1",
        [uuid::Uuid::from(row.id).into(), i32::from(status.as_u16()).into(), sealed.into()],
    )
    .await?;
    tx.commit(Unrecorded(WHY)).await
}

async fn forget(app: &App, caller: &Caller, claim: &IdempotencyKey) -> Result<()> {
    let tx = app.db.write(caller).await?;
    tx.execute("DELETE FROM idempotency_keys WHERE key = $1 AND answer IS NULL", [claim.key.to_vec().into()]).await?;
    tx.commit(Unrecorded(WHY)).await
}

fn replay(app: &App, id: IdempotencyId, status: i32, sealed: &[u8]) -> Result<Response> {
    let opened = app.vault.open(place(id), sealed)?;
    let answer: Answer = serde_json::from_slice(&opened).map_err(Error::internal)?;
    let status = u16::try_from(status).ok().and_then(|status| StatusCode::from_u16(status).ok());
    let mut response = Response::builder().status(status.unwrap_or(StatusCode::OK));
    for (name, value) in answer.headers {
        response = response.header(name, value);
    }
    Ok(response.header("idempotency-replayed", "true").body(answer.body))
}

fn place(id: IdempotencyId) -> Place {
    Place { scope: VaultScope::Secrets, field: "idempotency_keys.answer", row: id.into() }
}

fn claim(caller: &Caller, policy: &OperationPolicy, key: &str, query: Option<&str>, body: &[u8]) -> IdempotencyKey {
    let who = caller.account().map(|id| id.to_string()).unwrap_or_default();
    let place = caller.organization().map(|id| id.to_string()).unwrap_or_default();
    let name = [&who, &place, policy.operation.as_str(), key].join("\0");
    let fingerprint =
        Sha256::new().chain_update(query.unwrap_or_default()).chain_update([0]).chain_update(body).finalize();
    IdempotencyKey { key: Sha256::digest(name.as_bytes()).into(), fingerprint: fingerprint.into() }
}
