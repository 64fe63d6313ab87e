//! Lockout: what becomes of wrong passwords (AUT-6). They are counted in [`crate::guessing`]; here their locks get into
//! the record and their owner is told. Addresses without an account are locked just the same, and nobody is told.

use std::time::Duration;

use entity::{AccountId, OrganizationId, accounts as rows};
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::profile;
use crate::{
    app::App,
    audit::{Event, Kind, LikeACopy},
    config::SecretString,
    db::{Db, Noted, Unrecorded, WriteTx},
    error::{Code, Error, Result},
    guessing::{self, Attempt, Lock},
    mail::{Letter, LockScope},
    types::{Caller, Email},
};

/// How many round trips the telling of a lock takes, and how many fewer the record of an organisation that manages the
/// account than one that is taken back.
const TELLING: usize = 3;
const MANAGED: usize = 4;

/// The operation, as refusals are recorded under it.
pub(super) fn operation(caller: &Caller) -> &'static str {
    // A password is asked for inside an organisation when an invitation is accepted, and nowhere else.
    if caller.organization().is_some() { "invitations_accept" } else { "sessions_create" }
}

/// Records a failure and the lock that it has brought about, and refuses.
///
/// # Errors
/// Always: `Unauthenticated` with `invalid_credentials`, or the database's.
pub(super) async fn failed<T>(
    app: &App,
    caller: &Caller,
    attempt: &Attempt,
    (account, reason): (Option<rows::Model>, &'static str),
) -> Result<T> {
    let refusal = Error::Unauthenticated(Code::InvalidCredentials);
    let tx = app.db.write(caller).await?;
    let rules = app.settings.platform_in(&tx).await?;
    let lock = guessing::failed(&tx, &rules.lockout, attempt).await?;
    record(&tx, account.as_ref(), reason).await?;
    let Some(account) = account else {
        // A flood of made-up addresses makes entries with a number, not a flood of entries.
        app.refusals.count_failed(caller, Kind::SessionFailed, reason);
        guessing::idle(&tx, if lock.is_some() { TELLING } else { 0 }).await?;
        let record = Unrecorded("attempts on addresses without an account are recorded with their number");
        return tx.commit_refused(record, refusal).await;
    };
    let Some(lock) = lock else {
        return tx.commit_refused(Unrecorded("the failure is recorded already"), refusal).await;
    };
    let until = lock.locked_until.to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
    let event = Event::new(Kind::AccountLocked, account.id).with("scope", attempt.kind());
    let event = event.with("failures", lock.failures).with("until", until);
    tell(app, &tx, attempt, (account, lock)).await?;
    tx.commit_refused(event, refusal).await
}

/// Records the failure of somebody's attempt, in the organisation too that manages their account. Of nobody's, as much
/// is written and taken back: that there is nobody, or nobody managed, must not be seen in the time.
pub(super) async fn record(tx: &WriteTx, account: Option<&rows::Model>, reason: &'static str) -> Result<()> {
    let event = Event::new(Kind::SessionFailed, account.map_or_else(Uuid::nil, |account| account.id.into()));
    let event = event.failed().with("reason", reason);
    let noted = if account.is_some() { Noted::Kept } else { Noted::TakenBack };
    tx.note_alike(event.clone(), noted).await?;
    match account.and_then(|account| account.managed_by) {
        Some(_) => guessing::idle(tx, MANAGED).await,
        None => tx.note_alike(LikeACopy(event.in_organization(OrganizationId::PLATFORM)), Noted::TakenBack).await,
    }
}

/// Tells the owner, once an hour at most. Only they learn from which address the last attempt came.
async fn tell(app: &App, tx: &WriteTx, attempt: &Attempt, (account, lock): (rows::Model, Lock)) -> Result<()> {
    if !guessing::may_tell(tx, attempt).await? {
        return Ok(());
    }
    let account = profile::open(&app.vault, account)?;
    let to: Email = account.email.parse().map_err(Error::internal)?;
    let scope = if attempt.kind() == "device" { LockScope::KnownDevice } else { LockScope::UnknownDevices };
    let letter = Letter::AccountLocked {
        name: account.name,
        scope,
        failures: lock.failures,
        until: lock.locked_until,
        address: tx.caller().origin.address.map(|address| address.to_string()),
        link: app.public_url.to_string(),
    };
    app.mail.queue(tx, &to, &letter).await?;
    Ok(())
}

/// Holds the password of a counted attempt against a hash. The attempt is taken back where nobody learns what came of
/// it: the hashing pool is too busy, or whoever made it has hung up.
///
/// # Errors
/// `Upstream` when the pool is too busy.
pub(super) async fn verified(
    app: &App,
    caller: &Caller,
    attempt: &Attempt,
    (password, hash): (SecretString, Option<&str>),
) -> Result<bool> {
    let mut waiting = Waiting { app, caller, attempt: Some(attempt) };
    let verified = app.passwords.verify(password, hash).await;
    waiting.attempt = None;
    match verified {
        Ok(right) => Ok(right),
        Err(busy) => {
            take_back(app, caller, attempt).await?;
            Err(busy)
        }
    }
}

/// An attempt whose password waits to be looked at.
struct Waiting<'a> {
    app: &'a App,
    caller: &'a Caller,
    attempt: Option<&'a Attempt>,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        // Whoever gives up after a few seconds and tries again would otherwise lock themselves out.
        let (Some(attempt), Ok(runtime)) = (self.attempt, Handle::try_current()) else { return };
        let (app, caller, attempt) = (self.app.clone(), self.caller.clone(), attempt.clone());
        runtime.spawn(async move {
            if let Err(error) = take_back(&app, &caller, &attempt).await {
                tracing::warn!(%error, "an attempt that was given up could not be taken back; it counts as a failure");
            }
        });
    }
}

async fn take_back(app: &App, caller: &Caller, attempt: &Attempt) -> Result<()> {
    let tx = app.db.write(caller).await?;
    guessing::refund(&tx, attempt).await?;
    tx.commit(Unrecorded("nobody has learnt whether the password was right")).await
}

/// Takes a counted attempt back that was right, in the transaction of what it opens.
///
/// # Errors
/// When the database fails.
pub(super) async fn settled(tx: &WriteTx, attempt: &Attempt, account: AccountId) -> Result<()> {
    if guessing::succeeded(tx, attempt).await? {
        tx.note(ended(account, attempt.kind(), "signed_in")).await?;
    }
    Ok(())
}

/// The end of a lock, and why.
pub(super) fn ended(account: AccountId, scope: &str, reason: &'static str) -> Event {
    Event::new(Kind::AccountLockEnded, account).with("scope", scope).with("reason", reason)
}

/// How often locks that have ended by time get their end in the record.
const EVERY: Duration = Duration::from_secs(5);

/// Records the end of locks that have ended by time, each once, whichever instance is first. They lock nothing since.
pub async fn end_locks(db: Db, origin: impl Fn() -> crate::types::Origin + Send, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(EVERY) => {}
        }
        if let Err(error) = end(&db, &Caller::system("lockout", origin())).await {
            tracing::warn!(%error, "locks that are over were not closed in the record; they lock nothing");
        }
    }
}

async fn end(db: &Db, caller: &Caller) -> Result<()> {
    loop {
        let tx = db.write(caller).await?;
        let locks = guessing::end(&tx).await?;
        if locks.is_empty() {
            return Ok(());
        }
        let events = locks.iter().filter_map(|lock| Some(ended(lock.account_id?, &lock.kind, "time")));
        let events: Vec<_> = events.collect();
        tx.commit(events).await?;
    }
}
