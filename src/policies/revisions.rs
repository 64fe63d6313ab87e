//! The revisions of the policy: which one was in force since when.
//!
//! The newest revision is the one in force. Whichever instance starts with a map that was never in force adds it at
//! once. One whose map was in force before (an instance of the old release that starts again while the new one comes in)
//! adds nothing while an instance with the newest is there: only when the last of those has gone was the policy really
//! put back, and one of those that remain says so. So an upgrade adds one revision however often instances of either
//! release start, and going back adds one.

use std::time::Duration;

use entity::PolicyRevisionId;
use sea_orm::FromQueryResult;
use tokio_util::sync::CancellationToken;

use super::map::hex;
use crate::{
    app::App,
    audit::{Event, Kind},
    db::{Tx, Unrecorded},
    error::Result,
    runtime::Timestamp,
    types::{Caller, Origin},
};

/// How often an instance looks whether its policy is the newest revision.
const LOOK: Duration = Duration::from_secs(15);

/// A revision of the policy.
#[derive(Clone, Debug, FromQueryResult)]
pub(super) struct Revision {
    pub number: i32,
    pub digest: Vec<u8>,
    pub map: String,
    pub release: String,
    pub since: Timestamp,
}

const NEWEST: &str = "SELECT number, digest, map, release, since FROM policy_revisions
    WHERE $1::timestamptz IS NULL OR since <= $1 ORDER BY number DESC LIMIT 1";

/// The revision in force at a moment, or now.
///
/// # Errors
/// When the database fails.
pub(super) async fn at(tx: &Tx, moment: Option<Timestamp>) -> Result<Option<Revision>> {
    Ok(tx.query(NEWEST, [moment.into()]).await?.into_iter().next())
}

const OF_DIGEST: &str = "SELECT number, digest, map, release, since FROM policy_revisions
    WHERE digest = $1 ORDER BY number DESC LIMIT 1";

/// The newest revision with this digest.
///
/// # Errors
/// When the database fails.
pub(super) async fn of_digest(tx: &Tx, digest: [u8; 32]) -> Result<Option<Revision>> {
    Ok(tx.query(OF_DIGEST, [digest.to_vec().into()]).await?.into_iter().next())
}

#[derive(FromQueryResult)]
struct Enforced {
    enforced: bool,
}

/// Whether an instance that enforces this is there. One says so every five seconds, beside its sign of life.
const ENFORCED: &str = "SELECT EXISTS (SELECT FROM instances WHERE policy_digest = $1
    AND seen_at > now() - interval '15 seconds') AS enforced";

const ADD: &str = "INSERT INTO policy_revisions (id, number, digest, map, operations, roles, model, release, since)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, clock_timestamp())";

/// Adds this instance's policy to the revisions if it is the one in force from now on.
///
/// # Errors
/// When the database fails.
pub async fn keep(app: &App, origin: Origin) -> Result<()> {
    let caller = Caller::system("policies", origin);
    let own = &app.map;
    // Nearly always: without a lock, and without a write.
    let newest = at(&app.db.read(&caller).await?, None).await?;
    if newest.is_some_and(|newest| newest.digest == own.digest) {
        return Ok(());
    }
    let tx = app.db.write(&caller).await?;
    tx.lock("policy_revisions").await?;
    let newest = at(&tx, None).await?;
    let number = newest.as_ref().map_or(1, |newest| newest.number + 1);
    if let Some(newest) = &newest {
        let was_in_force = of_digest(&tx, own.digest).await?.is_some();
        let enforced: Vec<Enforced> = tx.query(ENFORCED, [newest.digest.clone().into()]).await?;
        let enforced = enforced.iter().any(|row| row.enforced);
        if newest.digest == own.digest || (was_in_force && enforced) {
            return tx.commit(Unrecorded("nothing was changed")).await;
        }
    }
    let id: PolicyRevisionId = app.ids.next();
    let values = [
        id.into(),
        number.into(),
        own.digest.to_vec().into(),
        own.text.as_str().into(),
        own.files.operations.as_str().into(),
        own.files.roles.as_str().into(),
        own.files.model.as_str().into(),
        env!("CARGO_PKG_VERSION").into(),
    ];
    tx.execute(ADD, values).await?;
    let event = Event::new(Kind::PolicyRevised, id).with("revision", number).with("sha256", hex(&own.digest));
    tx.commit(event.with("release", env!("CARGO_PKG_VERSION"))).await
}

/// Keeps the revisions true until `stop`: going back to an older policy shows when the last instance with the newer one
/// has gone.
pub async fn run(app: App, origin: impl Fn() -> Origin + Send + 'static, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(LOOK) => {}
        }
        if let Err(error) = keep(&app, origin()).await {
            tracing::debug!(%error, "this instance could not look whether its policy is the newest revision");
        }
    }
}
