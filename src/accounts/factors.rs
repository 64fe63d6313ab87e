//! A person's second factors: setting up and removing an authenticator app, backup codes; and what an administrator does
//! for somebody who has lost theirs (MFA-1, MFA-3, MFA-6). Whoever it is about is told by mail.

use entity::AccountId;

use super::{Account, admin::locked, credentials::address, entering};
use crate::{
    app::App,
    audit::{Event, Kind},
    config::SecretString,
    db::WriteTx,
    error::{Code, Error, Result},
    mail::{FactorChange, Letter},
    mfa::{self, Enrolment, Factors, Method, deadlines},
    runtime::Timestamp,
    sessions,
    types::Caller,
};

fn own(caller: &Caller) -> Result<AccountId> {
    caller.account().ok_or(Error::Unauthenticated(Code::Unauthenticated))
}

/// What the caller has.
///
/// # Errors
/// When the database fails.
pub async fn factors(app: &App, caller: &Caller) -> Result<Factors> {
    let tx = app.db.read(caller).await?;
    mfa::factors(&tx, own(caller)?).await
}

/// Whoever has a strong factor has used it in this session before they add another, take one away, or change what stands in
/// for it: a code by e-mail, a trusted device and a password are no way to a factor that counts for more than they do.
///
/// # Errors
/// `Reauthenticate`.
pub(super) async fn may_change(app: &App, tx: &WriteTx, had: Factors) -> Result<()> {
    let session = app.sessions.current(tx).await?;
    let used = |what| session.factors.split(' ').any(|factor| factor == what);
    let strongly = used("mfa") && !used(sessions::DEVICE);
    if strongly || !had.strong() {
        return Ok(());
    }
    // That proves it, and a browser goes on by itself.
    let (organization, origin) = (tx.caller().organization(), &tx.caller().origin);
    Err(Error::Reauthenticate(app.sessions.reauthentication_window(organization, origin).await?))
}

/// Begins to set up an authenticator app.
///
/// # Errors
/// `Reauthenticate` when there is a strong factor that this session has not used;
/// `Conflict` with `second_factor_enrolled` when there is one.
pub async fn begin_totp(app: &App, caller: &Caller) -> Result<Enrolment> {
    let (tx, id) = (app.db.write(caller).await?, own(caller)?);
    let account = super::get(&app.vault, &tx, id).await?;
    mfa::admit(&tx, id).await?;
    let had = mfa::factors(&tx, id).await?;
    if had.totp_since.is_some() {
        return Err(Error::Conflict(Code::SecondFactorEnrolled));
    }
    may_change(app, &tx, had).await?;
    let enrolment = mfa::begin_totp(&tx, &app.vault, id, (&issuer(app), &account.email)).await?;
    tx.commit(crate::db::Unrecorded("an app that is not confirmed is no second factor yet")).await?;
    Ok(enrolment)
}

/// What an app calls us: the host that people reach us at.
fn issuer(app: &App) -> String {
    let host = url::Url::parse(&app.public_url).ok().and_then(|url| url.host_str().map(str::to_owned));
    host.unwrap_or_else(|| "Freehold".to_owned())
}

/// Takes a code of the app that is being set up as proof that it works. From then on it is asked for at every sign-in,
/// and this session has used it. Returns the backup codes, which nobody sees again.
///
/// # Errors
/// `NotFound` when none is being set up; `Conflict` with `second_factor_enrolled`; `Forbidden` with `wrong_code`, which
/// counts; `Throttled` after too many of those.
pub async fn confirm_totp(app: &App, caller: &Caller, code: SecretString) -> Result<Vec<SecretString>> {
    let (tx, id) = (app.db.write(caller).await?, own(caller)?);
    let admitted = mfa::admit(&tx, id).await;
    admitted.inspect_err(|refusal| entering::throttled(app, caller, refusal, "totp_confirm"))?;
    let had = mfa::factors(&tx, id).await?;
    if had.totp_since.is_some() {
        return Err(Error::Conflict(Code::SecondFactorEnrolled));
    }
    may_change(app, &tx, had).await?;
    if !mfa::confirm_totp(&tx, &app.vault, id, &code).await? {
        let event = entering::wrong(&tx, id, Method::Totp).await?;
        return tx.commit_refused(event, Error::Forbidden(Code::WrongCode)).await;
    }
    let codes = mfa::renew_backup_codes(&tx, &app.vault, id).await?;
    app.sessions.proven_with(&tx, Method::Totp.factors()).await?;
    tell(app, &tx, id, FactorChange::Enrolled).await?;
    let enrolled = Event::new(Kind::SecondFactorEnrolled, id).with("method", Method::Totp.as_str());
    tx.commit(vec![enrolled, Event::new(Kind::BackupCodesCreated, id)]).await?;
    app.sessions.forget(id);
    Ok(codes)
}

/// Removes the caller's authenticator app. If it was their last factor, the backup codes go with it, and their sessions
/// count as without one.
///
/// # Errors
/// `NotFound` when there is none; `Reauthenticate` when this session has used no strong factor.
pub async fn remove_totp(app: &App, caller: &Caller) -> Result<()> {
    let (tx, id) = (app.db.write(caller).await?, own(caller)?);
    mfa::held(&tx, id).await?;
    may_change(app, &tx, mfa::factors(&tx, id).await?).await?;
    if !mfa::remove_totp(&tx, id).await? {
        return Err(Error::not_found());
    }
    if mfa::removed(&tx, id).await? {
        sessions::without_second_factor(&tx, id).await?;
    }
    tell(app, &tx, id, FactorChange::Removed).await?;
    tx.commit(Event::new(Kind::SecondFactorRemoved, id).with("method", Method::Totp.as_str())).await?;
    app.sessions.forget(id);
    Ok(())
}

/// New backup codes for the caller.
///
/// # Errors
/// `NotFound` when there is no strong factor that they could stand in for; `Reauthenticate` when this session has used none.
pub async fn renew_backup_codes(app: &App, caller: &Caller) -> Result<Vec<SecretString>> {
    let (tx, id) = (app.db.write(caller).await?, own(caller)?);
    let had = mfa::factors(&tx, id).await?;
    if !had.strong() {
        return Err(Error::not_found());
    }
    may_change(app, &tx, had).await?;
    let codes = mfa::renew_backup_codes(&tx, &app.vault, id).await?;
    tell(app, &tx, id, FactorChange::NewBackupCodes).await?;
    tx.commit(Event::new(Kind::BackupCodesCreated, id)).await?;
    Ok(codes)
}

/// Takes every second factor from an account, for somebody who has lost theirs, and ends its sessions.
///
/// # Errors
/// `NotFound`; `Conflict` with `account_erased`.
pub async fn disable(app: &App, caller: &Caller, id: AccountId) -> Result<()> {
    disable_in(app, app.db.write(caller).await?, id).await
}

/// The same, in a transaction that has found that it may.
///
/// # Errors
/// `NotFound` when the account has no second factor.
pub async fn disable_in(app: &App, tx: WriteTx, id: AccountId) -> Result<()> {
    locked(&tx, id).await?;
    if !mfa::disable(&tx, id).await? {
        return Err(Error::not_found());
    }
    let ended = sessions::end_all_of(&tx, id, "second_factor_disabled").await?;
    tell(app, &tx, id, FactorChange::Disabled).await?;
    tx.commit(Event::new(Kind::SecondFactorsDisabled, id).with("sessions", ended)).await?;
    app.sessions.forget(id);
    Ok(())
}

/// Gives a person time again to set up a second factor, as much as the platform's settings give. Returns until when.
///
/// # Errors
/// `NotFound`; `Conflict` with `account_erased`.
pub async fn reset_grace(app: &App, caller: &Caller, id: AccountId) -> Result<Timestamp> {
    reset_grace_in(app, app.db.write(caller).await?, id).await
}

/// The same, in a transaction that has found that it may.
///
/// # Errors
/// `NotFound`; `Forbidden` with `own_grace`: nobody does without a second factor by their own word.
pub async fn reset_grace_in(app: &App, tx: WriteTx, id: AccountId) -> Result<Timestamp> {
    if tx.caller().account() == Some(id) {
        return Err(Error::Forbidden(Code::OwnGrace));
    }
    locked(&tx, id).await?;
    let days = app.settings.platform_in(&tx).await?.mfa.grace_days;
    let due_at = deadlines::reset(&tx, id, days).await?;
    tell(app, &tx, id, FactorChange::GraceReset(due_at)).await?;
    let until = due_at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
    tx.commit(Event::new(Kind::GraceReset, id).with("until", until)).await?;
    app.sessions.forget(id);
    Ok(due_at)
}

pub(super) async fn tell(app: &App, tx: &WriteTx, id: AccountId, change: FactorChange) -> Result<()> {
    let account: Account = super::get(&app.vault, tx, id).await?;
    let letter = Letter::SecondFactorChanged { change, account: format!("{}/account", app.public_url) };
    app.mail.queue(tx, &address(&account)?, &letter).await?;
    Ok(())
}
