//! Recovery of a lost second factor (MFA-7): the password comes first, then a token that goes to the proven recovery
//! address, and whatever the platform and the person's organisations demand beside it.
//!
//! A recovery takes the second factor and signs nobody in: whoever has only the recovery mailbox can't begin one, and still
//! needs the password after it. Every address of the person is told at once, with a link that stops it.

use chrono::{SecondsFormat, TimeDelta};
use entity::{AccountId, accounts as rows, sessions::Delivery};

use super::{
    Account,
    credentials::address,
    devices,
    email::own,
    recovery_address::{link, owner, verified},
};
use crate::{
    app::App,
    audit::{Event, Kind},
    config::SecretString,
    db::{Unrecorded, WriteTx},
    error::{Code, Error, Result},
    mail::{FactorChange, Letter, RecoveryDecision, RecoveryLetter},
    mfa::{
        self, challenges,
        recovery::{self, Approval, Begun, Request, Terms, Token},
    },
    runtime::Timestamp,
    sessions,
    settings::sections::Mfa,
    types::{Caller, Email, single_line},
};

/// The operation, as refusals are recorded under it.
const OPERATION: &str = "sessions_recovery";
/// The longest reason in characters.
const LONGEST_REASON: usize = 500;

/// How it is with a recovery that was asked for.
#[derive(Clone, Copy, Debug)]
pub struct Asked {
    /// Whether an administrator has to approve it before anything is sent.
    pub approval: bool,
    /// From when on it can be completed.
    pub not_before: Timestamp,
    /// Until when; or until when it waits for an administrator.
    pub expires_at: Timestamp,
}

/// What settings demand of a recovery.
pub fn terms(rules: &Mfa) -> Terms {
    let approval = if rules.recovery_needs_approval() { Approval::Wanted } else { Approval::None };
    Terms { wait: TimeDelta::hours(rules.recovery_wait_hours.into()), approval }
}

/// Whose second factor a challenge asks for.
///
/// # Errors
/// `Unauthenticated` with `challenge_not_valid`.
pub async fn challenged(app: &App, caller: &Caller, token: &SecretString, vessel: Delivery) -> Result<AccountId> {
    challenges::whose(&app.db.read(caller).await?, token, vessel).await
}

/// Asks for a recovery at the second step of a sign-in. The challenge stays: whoever finds their phone goes on with it.
///
/// # Errors
/// `Unauthenticated` with `challenge_not_valid`; `Conflict` with `recovery_unavailable` without a recovery address;
/// `Throttled` after too many.
pub async fn ask(
    app: &App,
    caller: &Caller,
    (token, vessel): (&SecretString, Delivery),
    terms: Terms,
) -> Result<Asked> {
    let tx = app.db.write(caller).await?;
    // As long as the transaction lasts the password is the one that the challenge came from.
    let id = challenges::take(&tx, token, vessel).await?.intent.account;
    let (account, salt) = owner(app, &tx, id).await?;
    if account.state != rows::State::Active {
        return Err(Error::Unauthenticated(Code::ChallengeNotValid));
    }
    let Some(recovery_email) = verified(app, &tx, (id, &salt)).await? else {
        let event = Event::new(Kind::RecoveryUnavailable, id).refused();
        return tx.commit_refused(event, Error::Conflict(Code::RecoveryUnavailable)).await;
    };
    if let Some(waiting) = recovery::open(&tx, id).await?.filter(|open| open.approval == Approval::Wanted) {
        // Whoever is to approve it has it before them.
        tx.commit(Unrecorded("the recovery that waits for an administrator is recorded")).await?;
        return Ok(Asked { approval: true, not_before: waiting.not_before, expires_at: waiting.expires_at });
    }
    let begun = recovery::begin(&tx, id, terms).await.inspect_err(|refusal| {
        if matches!(refusal, Error::Throttled(_)) {
            app.refusals.count(caller, OPERATION, Code::TooManyRequests);
        }
    })?;
    let Begun { token, stop, not_before, expires_at } = begun;
    let waits_until = (not_before > caller.now()).then_some(not_before);
    let approval = token.is_none();
    let stop = link(app, "recovery/stop", &stop);
    let asked = Letter::Recovery(RecoveryLetter::Asked { waits_until, approval, stop });
    write(app, &tx, (&account, Some(recovery_email.clone())), &asked).await?;
    if let Some(token) = token {
        let link = link(app, "recovery", &token);
        let letter = Letter::Recovery(RecoveryLetter::Link { link, works_from: waits_until, expires_at });
        app.mail.queue(&tx, &recovery_email, &letter).await?;
    }
    let from = not_before.to_rfc3339_opts(SecondsFormat::Secs, true);
    tx.commit(Event::new(Kind::RecoveryRequested, id).with("not_before", from).with("approval", approval)).await?;
    Ok(Asked { approval, not_before, expires_at })
}

/// Completes a recovery: takes every second factor from the account, and ends its sessions and known devices. Until when
/// the person may do without is decided already, where it is.
///
/// # Errors
/// `NotFound` with `recovery_not_valid`; `Conflict` with `recovery_waits`.
pub async fn complete(app: &App, caller: &Caller, token: &SecretString) -> Result<()> {
    let tx = app.db.write(caller).await?;
    let request = recovery::find(&tx, Token::Completes, token).await?.ok_or_else(gone)?;
    let id = request.account_id;
    let (account, salt) = owner(app, &tx, id).await?;
    if account.state != rows::State::Active {
        return Err(gone());
    }
    if request.not_before > caller.now() {
        return Err(Error::Conflict(Code::RecoveryWaits));
    }
    // Of two who use it at the same moment, the second finds it over.
    if !recovery::end(&tx, request.id).await? || !mfa::disable(&tx, id).await? {
        return Err(gone());
    }
    let ended = sessions::end_all_of(&tx, id, "second_factor_recovered").await?;
    devices::forget_all_of(&tx, id).await?;
    let recovery_email = verified(app, &tx, (id, &salt)).await?;
    tell(app, &tx, (&account, recovery_email), FactorChange::Recovered).await?;
    tx.commit(Event::new(Kind::Recovered, id).with("sessions", ended)).await?;
    app.sessions.forget(id);
    Ok(())
}

/// Stops a recovery with what every address was sent.
///
/// # Errors
/// `NotFound` with `recovery_not_valid`.
pub async fn stop(app: &App, caller: &Caller, token: &SecretString) -> Result<()> {
    let tx = app.db.write(caller).await?;
    let request = recovery::find(&tx, Token::Stops, token).await?.ok_or_else(gone)?;
    stop_in(app, tx, request.account_id).await
}

/// Stops the caller's recovery.
///
/// # Errors
/// `NotFound` with `recovery_not_valid`.
pub async fn stop_own(app: &App, caller: &Caller) -> Result<()> {
    stop_in(app, app.db.write(caller).await?, own(caller)?).await
}

/// Ends what was asked for because a factor was lost: it has just been used.
///
/// # Errors
/// When the database fails.
pub(super) async fn found(tx: &WriteTx, id: AccountId) -> Result<()> {
    if recovery::end_all_of(tx, id).await? {
        tx.note(Event::new(Kind::RecoveryStopped, id).with("reason", "factor_used")).await?;
    }
    Ok(())
}

async fn stop_in(app: &App, tx: WriteTx, id: AccountId) -> Result<()> {
    let (account, salt) = owner(app, &tx, id).await?;
    if !recovery::end_all_of(&tx, id).await? {
        return Err(gone());
    }
    let recovery_email = verified(app, &tx, (id, &salt)).await?;
    tell(app, &tx, (&account, recovery_email), FactorChange::RecoveryStopped).await?;
    tx.commit(Event::new(Kind::RecoveryStopped, id).with("reason", "asked")).await
}

/// Approves or refuses a recovery that waits, in a transaction that has found that the caller may. Only now the recovery
/// address is sent what completes it.
///
/// # Errors
/// `NotFound` when it does not wait any more; `Invalid` for a reason that is none.
pub async fn decide_in(
    app: &App,
    tx: WriteTx,
    request: &Request,
    (decision, reason): (RecoveryDecision, &str),
) -> Result<()> {
    let reason = single_line(reason, LONGEST_REASON).ok_or_else(|| {
        Error::field("/reason", "format", format!("must be 1 to {LONGEST_REASON} characters on one line"))
    })?;
    let id = request.account_id;
    let (account, salt) = owner(app, &tx, id).await?;
    let recovery_email = verified(app, &tx, (id, &salt)).await?.ok_or_else(Error::not_found)?;
    let kind = match decision {
        RecoveryDecision::Approved => {
            let (token, not_before, expires_at) = recovery::approve(&tx, request).await?;
            let works_from = (not_before > tx.caller().now()).then_some(not_before);
            let link = link(app, "recovery", &token);
            let letter = Letter::Recovery(RecoveryLetter::Link { link, works_from, expires_at });
            app.mail.queue(&tx, &recovery_email, &letter).await?;
            Kind::RecoveryApproved
        }
        RecoveryDecision::Refused => {
            if !recovery::end(&tx, request.id).await? {
                return Err(Error::not_found());
            }
            Kind::RecoveryRefused
        }
    };
    let told = RecoveryLetter::Decided { decision, reason: reason.clone(), account: page(app) };
    write(app, &tx, (&account, Some(recovery_email)), &Letter::Recovery(told)).await?;
    let event = Event::new(kind, id).with_personal("reason", reason);
    // Whoever manages the account has it in its record by itself; who decided has it too.
    let decider = tx.caller().manager.filter(|organization| account.managed_by != Some(*organization));
    let copy = decider.map(|organization| event.clone().in_organization(organization));
    tx.commit([event].into_iter().chain(copy).collect::<Vec<_>>()).await
}

/// Tells every address of a person that something about their second factor is another now.
async fn tell(app: &App, tx: &WriteTx, whom: (&Account, Option<Email>), change: FactorChange) -> Result<()> {
    write(app, tx, whom, &Letter::SecondFactorChanged { change, account: page(app) }).await
}

async fn write(
    app: &App,
    tx: &WriteTx,
    (account, recovery_email): (&Account, Option<Email>),
    letter: &Letter,
) -> Result<()> {
    for email in [address(account)?].into_iter().chain(recovery_email) {
        app.mail.queue(tx, &email, letter).await?;
    }
    Ok(())
}

fn page(app: &App) -> String {
    format!("{}/account", app.public_url)
}

fn gone() -> Error {
    Error::NotFound(Code::RecoveryNotValid)
}
