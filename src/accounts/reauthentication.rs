//! Proving again who one is, before an operation that a running session alone is not enough for (AUT-7).
//!
//! An attempt counts before its password is looked at: it is written under a lock of the account, and taken away when
//! it was right. So no number of sessions, instances or simultaneous calls gives anybody more than [`MOST`] guesses,
//! and no connection is held while the hashing pool works.

use chrono::TimeDelta;
use entity::{
    AccountId, ReauthenticationAttemptId, SessionId, password_credentials, reauthentication_attempts as attempts,
};
use sea_orm::{ColumnTrait, QueryFilter, QueryOrder};
use uuid::Uuid;

use super::{entering, recovery};
use crate::{
    app::App,
    audit::{Event, Kind},
    config::SecretString,
    db::{Unrecorded, WriteTx},
    error::{Code, Error, Result},
    mfa::{self, Place, Proof},
    sessions::Opened,
    types::Caller,
};

/// How everybody can prove it; who has a second factor proves that as well.
pub const PASSWORD: &str = "password";

/// How many wrong passwords are looked at in a [`SPAN`] (AUT-7).
const MOST: usize = 3;
/// How long an attempt counts (AUT-7).
const SPAN: TimeDelta = TimeDelta::minutes(5);
/// The operation, as refusals are recorded under it.
const OPERATION: &str = "session_reauthenticate";

/// Takes the caller's password as proof that they are who the session says, with a code where they have a second factor.
/// A session that has used the factor once is good from then on for what demands one.
///
/// # Errors
/// `Forbidden` with `wrong_password`, with `second_factor_required` for want of a code that counts, or with `wrong_code`; `Throttled`
/// after too many wrong ones, whatever they are now; `Unauthenticated` when the session has ended meanwhile.
pub async fn reauthenticate(
    app: &App,
    caller: &Caller,
    password: SecretString,
    proof: Option<Proof>,
) -> Result<Opened> {
    let (account, session) = own(caller)?;
    let factors = mfa::factors(&app.db.read(caller).await?, account).await?;
    let demanded = factors.any();
    if demanded && proof.as_ref().is_none_or(|proof| !factors.methods_again().contains(&proof.method)) {
        return Err(Error::Forbidden(Code::SecondFactorRequired));
    }
    let (tx, attempt) = right_password(app, caller, password).await?;
    let proof = proof.filter(|_| demanded);
    if let Some(proof) = &proof {
        mfa::admit(&tx, account).await.inspect_err(|refusal| entering::throttled(app, caller, refusal, OPERATION))?;
        if !mfa::prove(&tx, &app.vault, (account, Place::Session(session)), proof).await? {
            // The attempt stays counted: a code is guessed no more often than a password.
            let event = entering::wrong(&tx, account, proof.method).await?;
            return tx.commit_refused(event, Error::Forbidden(Code::WrongCode)).await;
        }
    }
    forget(&tx, attempt).await?;
    let opened = match &proof {
        Some(proof) => {
            recovery::found(&tx, account).await?;
            app.sessions.proven_with(&tx, proof.method.factors()).await?
        }
        None => app.sessions.reauthenticated(&tx).await?,
    };
    let method = proof.as_ref().map_or(PASSWORD, |proof| proof.method.as_str());
    tx.commit(Event::new(Kind::SessionReauthenticated, session).with("method", method)).await?;
    app.sessions.forget(account);
    Ok(opened)
}

/// Takes the caller's password once more before it becomes another one. For who has no second factor that is a proof like
/// any other; who has one must have proven it lately, and the password alone makes that no newer.
///
/// # Errors
/// As [`reauthenticate`]; `Reauthenticate`.
pub(super) async fn password_again(app: &App, caller: &Caller, password: SecretString) -> Result<()> {
    let (account, session) = own(caller)?;
    let demanded = {
        let tx = app.db.read(caller).await?;
        let demanded = mfa::factors(&tx, account).await?.any();
        demanded.then_some(app.sessions.current(&tx).await?.reauthenticated_at)
    };
    if let Some(proven) = demanded {
        let window = app.sessions.reauthentication_window(caller.organization(), &caller.origin).await?;
        if proven + window <= caller.now() {
            return Err(Error::Reauthenticate(window));
        }
    }
    let (tx, attempt) = right_password(app, caller, password).await?;
    forget(&tx, attempt).await?;
    if demanded.is_none() {
        app.sessions.reauthenticated(&tx).await?;
    }
    tx.commit(Event::new(Kind::SessionReauthenticated, session).with("method", PASSWORD)).await?;
    app.sessions.forget(account);
    Ok(())
}

pub(super) fn own(caller: &Caller) -> Result<(AccountId, SessionId)> {
    caller.account().zip(caller.session()).ok_or(Error::Unauthenticated(Code::Unauthenticated))
}

/// Holds a password against the caller's own. Returns the transaction in which what it proves is written, and the
/// attempt, which counts until it is forgotten.
async fn right_password(
    app: &App,
    caller: &Caller,
    password: SecretString,
) -> Result<(WriteTx, ReauthenticationAttemptId)> {
    let (account, session) = own(caller)?;
    let (attempt, hash) = begin(app, caller, account).await?;
    let verified = app.passwords.verify(password, hash.as_deref()).await;
    let tx = app.db.write(caller).await?;
    match verified {
        Ok(true) => Ok((tx, attempt)),
        Ok(false) => {
            let event = Event::new(Kind::SessionReauthenticationFailed, session).failed();
            let event = event.with("reason", "wrong_password");
            tx.commit_refused(event, Error::Forbidden(Code::WrongPassword)).await
        }
        Err(busy) => {
            forget(&tx, attempt).await?;
            tx.commit_refused(Unrecorded("the hashing pool looked at no password"), busy).await
        }
    }
}

/// Takes an attempt back.
async fn forget(tx: &WriteTx, attempt: ReauthenticationAttemptId) -> Result<()> {
    tx.execute("DELETE FROM reauthentication_attempts WHERE id = $1", [Uuid::from(attempt).into()]).await?;
    Ok(())
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
