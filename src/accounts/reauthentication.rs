//! Proving again who one is, before an operation that a running session alone is not enough for (AUT-7).
//!
//! An attempt counts before its password is looked at: it is written under a lock of the account, and taken away when
//! it was right. So no number of sessions, instances or simultaneous calls gives anybody more than [`MOST`] guesses,
//! and no connection is held while the hashing pool works.

use chrono::TimeDelta;
use entity::{AccountId, ReauthenticationAttemptId, password_credentials, reauthentication_attempts as attempts};
use sea_orm::{ColumnTrait, QueryFilter, QueryOrder};
use uuid::Uuid;

use crate::{
    app::App,
    audit::{Event, Kind},
    config::SecretString,
    db::Unrecorded,
    error::{Code, Error, Result},
    sessions::Opened,
    types::Caller,
};

/// How a person can prove it.
pub const METHODS: &[&str] = &["password"];

/// How many wrong passwords are looked at in a [`SPAN`] (AUT-7).
const MOST: usize = 3;
/// How long an attempt counts (AUT-7).
const SPAN: TimeDelta = TimeDelta::minutes(5);
/// The operation, as refusals are recorded under it.
const OPERATION: &str = "session_reauthenticate";

/// Takes the caller's password as proof that they are who the session says.
///
/// # Errors
/// `Forbidden` with `wrong_password`; `Throttled` after too many wrong ones, whatever the password;
/// `Unauthenticated` when the session has ended meanwhile.
pub async fn reauthenticate(app: &App, caller: &Caller, password: SecretString) -> Result<Opened> {
    let (account, session) =
        caller.account().zip(caller.session()).ok_or(Error::Unauthenticated(Code::Unauthenticated))?;
    let (attempt, hash) = begin(app, caller, account).await?;
    let verified = app.passwords.verify(password, hash.as_deref()).await;
    let tx = app.db.write(caller).await?;
    if matches!(verified, Ok(false)) {
        let event = Event::new(Kind::SessionReauthenticationFailed, session).failed().with("reason", "wrong_password");
        return tx.commit_refused(event, Error::Forbidden(Code::WrongPassword)).await;
    }
    tx.execute("DELETE FROM reauthentication_attempts WHERE id = $1", [Uuid::from(attempt).into()]).await?;
    if let Err(busy) = verified {
        return tx.commit_refused(Unrecorded("the hashing pool looked at no password"), busy).await;
    }
    let opened = app.sessions.reauthenticated(&tx).await?;
    tx.commit(Event::new(Kind::SessionReauthenticated, session).with("method", "password")).await?;
    app.sessions.forget(account);
    Ok(opened)
}

/// Counts an attempt and gives the hash to hold it against; an account without a password has none, and its attempts
/// fail as any other's.
async fn begin(app: &App, caller: &Caller, account: AccountId) -> Result<(ReauthenticationAttemptId, Option<String>)> {
    let now = caller.now();
    let tx = app.db.write(caller).await?;
    tx.lock(&format!("reauthentication {account}")).await?;
    let old = "DELETE FROM reauthentication_attempts WHERE account_id = $1 AND attempted_at <= $2";
    tx.execute(old, [Uuid::from(account).into(), (now - SPAN).into()]).await?;
    let recent = tx.find_identity::<attempts::Entity>().filter(attempts::Column::AccountId.eq(account));
    let recent = tx.all(recent.order_by_desc(attempts::Column::AttemptedAt)).await?;
    // The third newest has to pass before another may be made.
    if let Some(blocking) = recent.get(MOST - 1) {
        app.refusals.count(caller, OPERATION, Code::TooManyRequests);
        return Err(Error::Throttled((blocking.attempted_at + SPAN - now).to_std().unwrap_or_default()));
    }
    let id = app.ids.next();
    let attempt = attempts::Model { id, account_id: account, attempted_at: now };
    tx.append(vec![attempts::ActiveModel::from(attempt)]).await?;
    let credential = tx.find_identity::<password_credentials::Entity>();
    let credential = credential.filter(password_credentials::Column::AccountId.eq(account));
    let hash = tx.one(credential).await?.map(|credential| credential.hash);
    tx.commit(Unrecorded("what came of an attempt is recorded when it is known")).await?;
    Ok((id, hash))
}
