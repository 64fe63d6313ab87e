//! A person's passkeys: adding, naming and removing them (MFA-9). The first second factor brings backup codes; whoever's
//! passkeys change is told by mail.

use entity::{AccountId, PasskeyId};

use super::{
    factors::{may_change, tell},
    reauthentication::own,
};
use crate::{
    app::App,
    audit::{Event, Kind},
    config::SecretString,
    db::Unrecorded,
    error::{Code, Error, Result},
    mail::FactorChange,
    mfa::{
        self, Method,
        passkeys::{self, LONGEST_NAME, MOST, Made, OwnPasskey, Purpose},
    },
    runtime::Timestamp,
    sessions,
    types::{Caller, Page, PageRequest, single_line},
};

/// A question for an authenticator, on its way to a browser.
pub struct Question {
    /// The options, as browsers take them.
    pub options: serde_json::Value,
    /// Until when it can be answered.
    pub expires_at: Timestamp,
}

/// A passkey that has just been added.
pub struct Added {
    /// The passkey.
    pub passkey: OwnPasskey,
    /// The backup codes that came with it, which nobody sees again; none where there were some.
    pub backup_codes: Vec<SecretString>,
}

/// The caller's passkeys, newest first.
///
/// # Errors
/// When the database fails.
pub async fn list(app: &App, caller: &Caller, page: PageRequest) -> Result<Page<OwnPasskey>> {
    let tx = app.db.read(caller).await?;
    passkeys::list(&tx, &app.vault, own(caller)?.0, page).await
}

/// One of the caller's passkeys.
///
/// # Errors
/// `NotFound`.
pub async fn get(app: &App, caller: &Caller, passkey: PasskeyId) -> Result<OwnPasskey> {
    let tx = app.db.read(caller).await?;
    passkeys::get(&tx, &app.vault, own(caller)?.0, passkey).await
}

/// Begins to add a passkey, in this session.
///
/// # Errors
/// `Conflict` with `passkeys_unavailable`, or `too_many_passkeys`; `Reauthenticate` when there is a strong factor that
/// this session has not used.
pub async fn begin(app: &App, caller: &Caller) -> Result<Question> {
    let (tx, (id, session)) = (app.db.write(caller).await?, own(caller)?);
    let account = super::get(&app.vault, &tx, id).await?;
    room(passkeys::count(&tx, id).await?)?;
    may_change(app, &tx, mfa::factors(&tx, id).await?).await?;
    let asked = passkeys::register(&tx, &app.passkeys, id, (&account.email, &account.name)).await?;
    let expires_at = passkeys::begin(&tx, Purpose::Register(session), Some(id), &asked).await?;
    tx.commit(Unrecorded("a passkey that is only asked for proves nothing")).await?;
    Ok(Question { options: asked.options, expires_at })
}

/// Adds the passkey that an authenticator made. This session has used it then.
///
/// # Errors
/// `Conflict` with `passkey_ceremony_not_valid`, `passkey_known` or `too_many_passkeys`; `Forbidden` with
/// `wrong_passkey` when it was not made for what was asked, or elsewhere; `Invalid` for a name that is none.
pub async fn register(app: &App, caller: &Caller, name: &str, made: &Made) -> Result<Added> {
    let name = named(name)?;
    let (tx, (id, session)) = (app.db.write(caller).await?, own(caller)?);
    // However many are added at once, they are counted one after the other.
    tx.lock(&format!("passkeys {id}")).await?;
    let state = passkeys::take(&tx, Purpose::Register(session)).await?;
    room(passkeys::count(&tx, id).await?)?;
    let had = mfa::factors(&tx, id).await?;
    may_change(app, &tx, had).await?;
    let Some(passkey) = passkeys::add(&tx, &app.vault, (&app.passkeys, &state), (id, &name), made).await? else {
        let event = Event::new(Kind::SecondFactorFailed, id).failed().with("method", Method::Passkey.as_str());
        return tx.commit_refused(event, Error::Forbidden(Code::WrongPasskey)).await;
    };
    let mut events = vec![Event::new(Kind::PasskeyAdded, passkey.id)];
    if !had.any() {
        events.push(Event::new(Kind::SecondFactorEnrolled, id).with("method", Method::Passkey.as_str()));
    }
    let mut backup_codes = Vec::new();
    // Codes that were made beside the weak factor alone stand in for no strong one.
    if !had.strong() || had.backup_codes == 0 {
        backup_codes = mfa::renew_backup_codes(&tx, &app.vault, id).await?;
        events.push(Event::new(Kind::BackupCodesCreated, id));
    }
    app.sessions.proven_with(&tx, Method::Passkey.factors()).await?;
    tell(app, &tx, id, FactorChange::PasskeyAdded).await?;
    tx.commit(events).await?;
    app.sessions.forget(id);
    Ok(Added { passkey, backup_codes })
}

/// Calls one of the caller's passkeys something else.
///
/// # Errors
/// `NotFound`; `Invalid` for a name that is none.
pub async fn rename(app: &App, caller: &Caller, passkey: PasskeyId, name: &str) -> Result<OwnPasskey> {
    let name = named(name)?;
    let (tx, (id, _)) = (app.db.write(caller).await?, own(caller)?);
    if !passkeys::rename(&tx, &app.vault, (id, passkey), &name).await? {
        return Err(Error::not_found());
    }
    let renamed = passkeys::get(&tx, &app.vault, id, passkey).await?;
    tx.commit(Event::new(Kind::PasskeyRenamed, passkey)).await?;
    Ok(renamed)
}

/// Removes one of the caller's passkeys. If it was their last factor, the backup codes go with it, and their sessions
/// count as without one.
///
/// # Errors
/// `NotFound`; `Reauthenticate` when this session has used no strong factor.
pub async fn remove(app: &App, caller: &Caller, passkey: PasskeyId) -> Result<()> {
    let (tx, (id, _)) = (app.db.write(caller).await?, own(caller)?);
    mfa::held(&tx, id).await?;
    may_change(app, &tx, mfa::factors(&tx, id).await?).await?;
    if !passkeys::remove(&tx, id, passkey).await? {
        return Err(Error::not_found());
    }
    let mut events = vec![Event::new(Kind::PasskeyRemoved, passkey)];
    if mfa::removed(&tx, id).await? {
        sessions::without_second_factor(&tx, id).await?;
        events.push(Event::new(Kind::SecondFactorRemoved, id).with("method", Method::Passkey.as_str()));
    }
    tell(app, &tx, id, FactorChange::PasskeyRemoved).await?;
    tx.commit(events).await?;
    app.sessions.forget(id);
    Ok(())
}

fn room(passkeys: usize) -> Result<()> {
    if passkeys < MOST { Ok(()) } else { Err(Error::Conflict(Code::TooManyPasskeys)) }
}

fn named(name: &str) -> Result<String> {
    let fault = || Error::field("/name", "format", format!("must be one line of 1 to {LONGEST_NAME} characters"));
    single_line(name, LONGEST_NAME).ok_or_else(fault)
}

/// The event of a passkey of which there are two, after whose account it is has been told.
///
/// # Errors
/// When the database fails.
pub(super) async fn cloned(
    app: &App,
    tx: &crate::db::WriteTx,
    (account, passkey): (AccountId, PasskeyId),
) -> Result<Event> {
    tell(app, tx, account, FactorChange::PasskeyCloned).await?;
    let event = Event::new(Kind::PasskeyCloned, passkey).about(account).failed();
    Ok(event.with("account", account.to_string()))
}
