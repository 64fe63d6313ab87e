//! Codes by e-mail, the weak second factor: setting it up, removing it, and sending a code to the account's address (MFA-2).

use entity::{AccountId, sessions::Delivery};

use super::{
    credentials::address,
    entering,
    factors::{may_change, tell},
    reauthentication::own,
};
use crate::{
    app::App,
    audit::{Event, Kind},
    config::SecretString,
    db::WriteTx,
    error::{Code, Error, Result},
    mail::{FactorChange, Letter},
    mfa::{
        self, Method, Place, challenges,
        email_codes::{self, LASTS},
    },
    runtime::Timestamp,
    sessions,
    types::Caller,
};

/// A code that is on its way.
pub struct OnItsWay {
    /// Until when it can be used.
    pub expires_at: Timestamp,
    /// When another can be had.
    pub again_at: Timestamp,
}

/// Begins to set up codes by e-mail: sends the first.
///
/// # Errors
/// `Reauthenticate` when there is a strong factor that this session has not used;
/// `Conflict` with `second_factor_enrolled` when they are set up; `Forbidden` with `email_codes_not_allowed` where they
/// count for nobody; `Throttled` a minute after the last code, and after five in an hour.
pub async fn begin(app: &App, caller: &Caller) -> Result<OnItsWay> {
    const OPERATION: &str = "email_codes_begin";
    let (tx, (id, session)) = (app.db.write(caller).await?, own(caller)?);
    allowed(app, &tx).await?;
    mfa::admit(&tx, id).await.inspect_err(|refusal| entering::throttled(app, caller, refusal, OPERATION))?;
    let had = mfa::factors(&tx, id).await?;
    if had.email_codes_since.is_some() {
        return Err(Error::Conflict(Code::SecondFactorEnrolled));
    }
    may_change(app, &tx, had).await?;
    send(app, tx, id, Place::Session(session)).await
}

async fn allowed(app: &App, tx: &WriteTx) -> Result<()> {
    let rules = match tx.caller().organization() {
        Some(_) => app.settings.effective_in(tx).await?,
        None => app.settings.platform_in(tx).await?,
    };
    let allowed = rules.mfa.email_codes_count_at_all();
    if allowed { Ok(()) } else { Err(Error::Forbidden(Code::EmailCodesNotAllowed)) }
}

/// Takes the code that was sent as proof that the person gets them. From then on one can be asked for at every sign-in, and
/// this session has used it.
///
/// # Errors
/// `Conflict` with `second_factor_enrolled`; `Forbidden` with `email_codes_not_allowed`, or with `wrong_code`, which
/// counts; `Throttled` after too many of those; `Reauthenticate` as [`begin`].
pub async fn confirm(app: &App, caller: &Caller, code: &SecretString) -> Result<()> {
    const OPERATION: &str = "email_codes_confirm";
    let (tx, (id, session)) = (app.db.write(caller).await?, own(caller)?);
    allowed(app, &tx).await?;
    mfa::admit(&tx, id).await.inspect_err(|refusal| entering::throttled(app, caller, refusal, OPERATION))?;
    let had = mfa::factors(&tx, id).await?;
    if had.email_codes_since.is_some() {
        return Err(Error::Conflict(Code::SecondFactorEnrolled));
    }
    may_change(app, &tx, had).await?;
    if !mfa::confirm_email_code(&tx, &app.vault, (id, session), code).await? {
        let event = entering::wrong(&tx, id, Method::EmailCode).await?;
        return tx.commit_refused(event, Error::Forbidden(Code::WrongCode)).await;
    }
    email_codes::enable(&tx, id).await?;
    // Of whoever has a strong one, this session may have used that: it stays as good as it is.
    if !had.any() {
        app.sessions.proven_with(&tx, Method::EmailCode.factors()).await?;
    }
    tell(app, &tx, id, FactorChange::EmailCodesOn).await?;
    tx.commit(Event::new(Kind::SecondFactorEnrolled, id).with("method", Method::EmailCode.as_str())).await?;
    app.sessions.forget(id);
    Ok(())
}

/// Has no codes mailed to the caller any more.
///
/// # Errors
/// `NotFound` when there are none.
pub async fn remove(app: &App, caller: &Caller) -> Result<()> {
    let (tx, (id, _)) = (app.db.write(caller).await?, own(caller)?);
    mfa::held(&tx, id).await?;
    if !email_codes::disable(&tx, id).await? {
        return Err(Error::not_found());
    }
    if mfa::removed(&tx, id).await? {
        sessions::without_second_factor(&tx, id).await?;
    }
    tell(app, &tx, id, FactorChange::EmailCodesOff).await?;
    tx.commit(Event::new(Kind::SecondFactorRemoved, id).with("method", Method::EmailCode.as_str())).await?;
    app.sessions.forget(id);
    Ok(())
}

/// Sends a code to whoever gave the right password and has them mailed.
///
/// # Errors
/// `Unauthenticated` with `challenge_not_valid`; `NotFound` when they have none mailed; `Throttled` a minute after the last,
/// after five in an hour, and after too many wrong codes.
pub async fn send_for_challenge(
    app: &App,
    caller: &Caller,
    (token, vessel): (&SecretString, Delivery),
) -> Result<OnItsWay> {
    let tx = app.db.write(caller).await?;
    let challenge = challenges::take(&tx, token, vessel).await?;
    let place = (challenge.intent.account, Place::Challenge(challenge.id));
    send_if_enabled(app, tx, place, "sessions_second_factor_email_code").await
}

/// Sends a code to whoever is signed in and has them mailed, for a fresh proof.
///
/// # Errors
/// As [`send_for_challenge`], without a challenge; `NotFound` also for whoever has a strong factor to prove it with.
pub async fn send_for_session(app: &App, caller: &Caller) -> Result<OnItsWay> {
    let (id, session) = own(caller)?;
    let tx = app.db.write(caller).await?;
    send_if_enabled(app, tx, (id, Place::Session(session)), "session_email_code").await
}

async fn send_if_enabled(
    app: &App,
    tx: WriteTx,
    (id, place): (AccountId, Place),
    operation: &'static str,
) -> Result<OnItsWay> {
    let admitted = mfa::admit(&tx, id).await;
    admitted.inspect_err(|refusal| entering::throttled(app, tx.caller(), refusal, operation))?;
    let factors = mfa::factors(&tx, id).await?;
    let ways = match place {
        Place::Challenge(_) => factors.methods(),
        Place::Session(_) => factors.methods_again(),
    };
    if !ways.contains(&Method::EmailCode) {
        return Err(Error::not_found());
    }
    send(app, tx, id, place).await
}

async fn send(app: &App, tx: WriteTx, id: AccountId, place: Place) -> Result<OnItsWay> {
    let account = super::get(&app.vault, &tx, id).await?;
    let sent = email_codes::make(&tx, &app.vault, id, place).await?;
    let letter = Letter::SecondFactorCode { code: sent.code, minutes: LASTS.num_minutes() };
    app.mail.queue(&tx, &address(&account)?, &letter).await?;
    tx.commit(Event::new(Kind::SecondFactorCodeSent, id)).await?;
    Ok(OnItsWay { expires_at: sent.expires_at, again_at: sent.again_at })
}
