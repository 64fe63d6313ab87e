//! `Idempotency-Key` on creating calls (API-2; IETF httpapi draft): the same key does the work once.
//!
//! The key is claimed before the operation runs, marked in the operation's own transaction, and gets the sealed answer
//! afterwards ([`crate::db::idempotency`]). Killed in between, the next call with the key is told that the work was
//! done and its answer lost; it is never done twice.

use chrono::TimeDelta;
use entity::{IdempotencyId, Sealed, Secrets};
use poem::{
    Request, Response,
    http::{HeaderName, StatusCode, header},
};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{
    app::App,
    authz::OperationPolicy,
    db::{
        Unrecorded,
        idempotency::{self, Bounds, Claim},
    },
    error::{Code, Error, Fault, Result},
    types::{Caller, IdempotencyKey},
    vault::Field,
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
/// A kept answer.
const ANSWER: Field<Secrets> = Field::new("idempotency_keys.answer");
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
    status: u16,
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
    let key = request.headers().get(HEADER).filter(|_| policy.creates());
    let Some(key) = key else { return Ok(Begun::Run(caller.clone())) };
    let key = key.to_str().ok().filter(|key| (1..=LONGEST).contains(&key.len()));
    let key = key.filter(|key| key.bytes().all(|byte| byte.is_ascii_graphic()));
    let fault = || Fault::parameter("Idempotency-Key", "format", "must be 1 to 255 visible ASCII characters");
    let key = name(caller, policy, key.ok_or_else(|| Error::Invalid(vec![fault()]))?, request.uri().query(), body);
    // In a place of its own: few calls have a key, and all others would carry the room that it needs.
    Box::pin(claim(app, caller, key)).await
}

async fn claim(app: &App, caller: &Caller, key: IdempotencyKey) -> Result<Begun> {
    let tx = app.db.write(caller).await?;
    let now = caller.now();
    let bounds = Bounds { expires_at: now + KEPT, stale_before: now - RUNS };
    match idempotency::claim(&tx, app.ids.next(), &key, &bounds).await? {
        Claim::Claimed => {
            tx.commit(Unrecorded(WHY)).await?;
            Ok(Begun::Run(Caller { idempotency: Some(key), ..caller.clone() }))
        }
        Claim::Answered { row, answer } => Ok(Begun::Replay(replay(app, row, &answer)?)),
        Claim::Reused => Err(Error::Conflict(Code::IdempotencyKeyReused)),
        Claim::Running => Err(Error::Conflict(Code::IdempotencyInProgress)),
        Claim::Lost => Err(Error::Conflict(Code::IdempotencyAnswerLost)),
    }
}

/// Keeps the answer of a call that was done; forgets the key of one that was refused.
pub(super) async fn end(app: &App, caller: &Caller, result: poem::Result<Response>) -> poem::Result<Response> {
    let Some(key) = &caller.idempotency else { return result };
    Box::pin(settle(app, &Caller { idempotency: None, ..caller.clone() }, key, result)).await
}

async fn settle(
    app: &App,
    caller: &Caller,
    key: &IdempotencyKey,
    result: poem::Result<Response>,
) -> poem::Result<Response> {
    match result {
        Ok(response) if response.status().is_success() => {
            let (parts, body) = response.into_parts();
            let body = body.into_string().await.unwrap_or_default();
            let headers = HEADERS.iter().filter_map(|name| {
                let value = parts.headers.get(name)?.to_str().ok()?;
                Some((name.to_string(), value.to_owned()))
            });
            let answer = Answer { status: parts.status.as_u16(), headers: headers.collect(), body };
            if let Err(error) = keep(app, caller, key, &answer).await {
                // The work is done and the client gets its answer; only a repetition will not.
                tracing::warn!(%error, "the answer of an idempotent call was not kept");
            }
            Ok(Response::from_parts(parts, answer.body.into()))
        }
        // Nobody knows what a call did that failed inside: its key stays used up if the work was committed.
        Err(error) if error.status().is_server_error() => Err(error),
        refused => {
            if let Err(error) = forget(app, caller, key).await {
                tracing::warn!(%error, "the key of a refused call was not forgotten; it can be used again in a minute");
            }
            refused
        }
    }
}

async fn keep(app: &App, caller: &Caller, key: &IdempotencyKey, answer: &Answer) -> Result<()> {
    let tx = app.db.write(caller).await?;
    let row = idempotency::find(&tx, key).await?.ok_or_else(Error::not_found)?;
    let sealed = app.vault.seal(ANSWER, row.id, &serde_json::to_vec(answer).map_err(Error::internal)?)?;
    idempotency::keep(&tx, row.id, sealed).await?;
    tx.commit(Unrecorded(WHY)).await
}

async fn forget(app: &App, caller: &Caller, key: &IdempotencyKey) -> Result<()> {
    let tx = app.db.write(caller).await?;
    idempotency::forget(&tx, key).await?;
    tx.commit(Unrecorded(WHY)).await
}

fn replay(app: &App, row: IdempotencyId, sealed: &Sealed<Secrets>) -> Result<Response> {
    let opened = app.vault.open(ANSWER, row, sealed)?;
    let answer: Answer = serde_json::from_slice(&opened).map_err(Error::internal)?;
    let status = StatusCode::from_u16(answer.status).map_err(Error::internal)?;
    let response = Response::builder().status(status).header("idempotency-replayed", "true");
    let response = answer.headers.into_iter().fold(response, |response, (name, value)| response.header(name, value));
    Ok(response.body(answer.body))
}

/// The key as it is stored: it belongs to this caller, organisation and operation.
fn name(caller: &Caller, policy: &OperationPolicy, key: &str, query: Option<&str>, body: &[u8]) -> IdempotencyKey {
    let who = caller.account().map(|id| id.to_string());
    let who = who.or_else(|| caller.service().map(|id| id.to_string())).unwrap_or_default();
    let place = caller.organization().map(|id| id.to_string()).unwrap_or_default();
    let name = [&who, &place, policy.operation.as_str(), key].join("\0");
    let fingerprint =
        Sha256::new().chain_update(query.unwrap_or_default()).chain_update([0]).chain_update(body).finalize();
    IdempotencyKey { key: Sha256::digest(name.as_bytes()).into(), fingerprint: fingerprint.into() }
}
