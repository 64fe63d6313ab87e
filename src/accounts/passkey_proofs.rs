//! Proving who one is by a passkey: alone at a sign-in, beside the password that a challenge came of, and again in a session
//! (MFA-9). The authenticator has verified its person each time, so that one proof is two factors.
//!
//! Nobody guesses a signature. What fails in a session or for a challenge counts as any wrong code does; what strangers
//! fail with counts for nobody, because it would shut the owner out and protect nothing.

use entity::{AccountId, accounts as rows, sessions::Delivery};
use sea_orm::{ColumnTrait, QueryFilter};

use super::{
    SignedIn,
    entering::{self, Trust, answered},
    lockout,
    passkeys::{Question, cloned},
    reauthentication::own,
    recovery,
    sign_in::signed_in,
};
use crate::{
    app::App,
    audit::{Event, Kind},
    config::SecretString,
    db::{Unrecorded, WriteTx},
    error::{Code, Error, Result},
    mfa::{
        self, Method, challenges,
        passkeys::{self, ALONE, Assertion, Outcome, Purpose},
    },
    runtime::Entropy,
    sessions::{NewSession, Opened, opaque},
    settings::sections::Way,
    types::Caller,
};

/// The prefix of what a sign-in by a passkey is bound to, for people and secret scanners.
const PREFIX: &str = "fhw_";
/// Why a question leaves no entry.
const ASKED: Unrecorded = Unrecorded("a passkey that is only asked for proves nothing");

/// A question to whoever comes, with what its answer is to be brought with.
pub struct OpenQuestion {
    /// What to bring.
    pub token: SecretString,
    /// The question.
    pub question: Question,
}

/// Asks whoever comes for a passkey of theirs.
///
/// # Errors
/// `Conflict` with `passkeys_unavailable`; `Forbidden` with `way_not_allowed`.
pub async fn begin_sign_in(app: &App, caller: &Caller, delivery: Delivery) -> Result<OpenQuestion> {
    allowed(app, caller).await?;
    let (asked, token) = (passkeys::ask_anybody(&app.passkeys)?, opaque(PREFIX, Entropy)?);
    let tx = app.db.write(caller).await?;
    let expires_at = passkeys::begin(&tx, Purpose::SignIn(&token, delivery), None, &asked).await?;
    tx.commit(ASKED).await?;
    Ok(OpenQuestion { token, question: Question { options: asked.options, expires_at } })
}

async fn allowed(app: &App, caller: &Caller) -> Result<()> {
    let rules = app.settings.platform(&caller.origin).await?;
    let allowed = rules.sign_in.ways.contains(&Way::Passkey);
    if allowed { Ok(()) } else { Err(Error::Forbidden(Code::WayNotAllowed)) }
}

/// Opens a session for whoever has a passkey, without a password.
///
/// # Errors
/// `Unauthenticated` with `passkey_not_accepted`, whatever was wrong; `Conflict` with `passkey_ceremony_not_valid`;
/// `Forbidden` with `way_not_allowed`.
pub async fn sign_in(
    app: &App,
    caller: &Caller,
    (token, delivery): (&SecretString, Delivery),
    assertion: &Assertion,
) -> Result<SignedIn> {
    allowed(app, caller).await?;
    let mut tx = app.db.write(caller).await?;
    let state = passkeys::take(&tx, Purpose::SignIn(token, delivery)).await?;
    let id = match passkeys::prove(&tx, (&app.passkeys, &state), assertion, None).await? {
        Outcome::Right(id) => id,
        Outcome::Wrong(whose) => return refuse(app, tx, whose, "wrong_passkey").await,
        Outcome::Cloned(id, passkey) => {
            let event = cloned(app, &tx, (id, passkey)).await?;
            tx.note(event).await?;
            return refuse(app, tx, Some(id), "cloned_passkey").await;
        }
    };
    let session = app.ids.next();
    let account = match find(&tx, id).await? {
        Some(account) if account.state == rows::State::Active => super::profile::open(&app.vault, account)?,
        _ => return refuse(app, tx, Some(id), "blocked").await,
    };
    tx.identify(id, session).await?;
    let account = signed_in(&tx, account).await.map_err(alike)?;
    recovery::found(&tx, id).await?;
    let new = NewSession { id: session, account: id, delivery, factors: ALONE, proven_at: None, organization: None };
    let opened = app.sessions.open(&mut tx, new).await?;
    tx.commit(Unrecorded("opening the session has recorded the sign-in")).await?;
    app.sessions.forget_profile(id);
    Ok(SignedIn { account, opened, device: None, trusted: None })
}

/// An account that was blocked at this moment is refused as every other.
fn alike(error: Error) -> Error {
    match error {
        Error::Unauthenticated(_) => Error::Unauthenticated(Code::PasskeyNotAccepted),
        other => other,
    }
}

async fn find(tx: &WriteTx, id: AccountId) -> Result<Option<rows::Model>> {
    tx.one(tx.find_identity::<rows::Entity>().filter(rows::Column::Id.eq(id))).await
}

/// Records that a passkey did not sign in, in the same time whether or not anybody has it.
async fn refuse<T>(app: &App, tx: WriteTx, whose: Option<AccountId>, reason: &'static str) -> Result<T> {
    let refusal = Error::Unauthenticated(Code::PasskeyNotAccepted);
    let account = find(&tx, whose.unwrap_or(AccountId(uuid::Uuid::nil()))).await?;
    lockout::record(&tx, account.as_ref(), reason).await?;
    if account.is_none() {
        app.refusals.count_failed(tx.caller(), Kind::SessionFailed, "unknown_passkey");
    }
    tx.commit_refused(Unrecorded("the failure is recorded already"), refusal).await
}

/// Asks whoever gave the right password for a passkey of theirs.
///
/// # Errors
/// `Unauthenticated` with `challenge_not_valid`; `NotFound` when they have none; `Conflict` with `passkeys_unavailable`.
pub async fn begin_answer(app: &App, caller: &Caller, (token, vessel): (&SecretString, Delivery)) -> Result<Question> {
    let tx = app.db.write(caller).await?;
    let challenge = challenges::take(&tx, token, vessel).await?;
    ask(app, tx, Purpose::SecondFactor(challenge.id), challenge.intent.account).await
}

/// Answers a challenge by a passkey: opens the session that waited for it, as [`entering::answer`] does.
///
/// # Errors
/// `Unauthenticated` with `challenge_not_valid`; `Conflict` with `passkey_ceremony_not_valid`; `Forbidden` with
/// `wrong_passkey`, which counts; `Throttled` after too much that was wrong, whatever this is.
pub async fn answer(
    app: &App,
    caller: &Caller,
    (token, vessel): (&SecretString, Delivery),
    assertion: &Assertion,
    device: (Option<SecretString>, Trust),
) -> Result<SignedIn> {
    const OPERATION: &str = "sessions_second_factor_passkey";
    let tx = app.db.write(caller).await?;
    let challenge = challenges::take(&tx, token, vessel).await?;
    let id = challenge.intent.account;
    mfa::admit(&tx, id).await.inspect_err(|refusal| entering::throttled(app, caller, refusal, OPERATION))?;
    let state = passkeys::take(&tx, Purpose::SecondFactor(challenge.id)).await?;
    let wrong = (Method::Passkey, Error::Forbidden(Code::WrongPasskey));
    match passkeys::prove(&tx, (&app.passkeys, &state), assertion, Some(id)).await? {
        Outcome::Right(_) => answered(app, tx, challenge, (Method::Passkey, device)).await,
        Outcome::Wrong(_) => entering::failed(app, tx, &challenge, wrong).await,
        Outcome::Cloned(_, passkey) => {
            let event = cloned(app, &tx, (id, passkey)).await?;
            tx.note(event).await?;
            entering::failed(app, tx, &challenge, wrong).await
        }
    }
}

/// Asks who is signed in for a passkey of theirs.
///
/// # Errors
/// `NotFound` when they have none; `Conflict` with `passkeys_unavailable`.
pub async fn begin_reauthentication(app: &App, caller: &Caller) -> Result<Question> {
    let (account, session) = own(caller)?;
    ask(app, app.db.write(caller).await?, Purpose::Reauthenticate(session), account).await
}

async fn ask(app: &App, tx: WriteTx, purpose: Purpose<'_>, account: AccountId) -> Result<Question> {
    let asked = passkeys::ask(&tx, &app.passkeys, account).await?.ok_or_else(Error::not_found)?;
    let expires_at = passkeys::begin(&tx, purpose, Some(account), &asked).await?;
    tx.commit(ASKED).await?;
    Ok(Question { options: asked.options, expires_at })
}

/// Takes a passkey of the caller's as proof that they are who the session says, without their password.
///
/// # Errors
/// `Conflict` with `passkey_ceremony_not_valid`; `Forbidden` with `wrong_passkey`, which counts; `Throttled` after too
/// much that was wrong; `Unauthenticated` when the session has ended meanwhile.
pub async fn reauthenticate(app: &App, caller: &Caller, assertion: &Assertion) -> Result<Opened> {
    const OPERATION: &str = "session_reauthenticate_passkey";
    let (tx, (account, session)) = (app.db.write(caller).await?, own(caller)?);
    mfa::admit(&tx, account).await.inspect_err(|refusal| entering::throttled(app, caller, refusal, OPERATION))?;
    let state = passkeys::take(&tx, Purpose::Reauthenticate(session)).await?;
    let outcome = passkeys::prove(&tx, (&app.passkeys, &state), assertion, Some(account)).await?;
    if let Outcome::Cloned(_, passkey) = &outcome {
        let event = cloned(app, &tx, (account, *passkey)).await?;
        tx.note(event).await?;
    }
    if !matches!(outcome, Outcome::Right(_)) {
        let event = entering::wrong(&tx, account, Method::Passkey).await?;
        return tx.commit_refused(event, Error::Forbidden(Code::WrongPasskey)).await;
    }
    let opened = app.sessions.proven_with(&tx, Method::Passkey.factors()).await?;
    recovery::found(&tx, account).await?;
    let method = Method::Passkey.as_str();
    tx.commit(Event::new(Kind::SessionReauthenticated, session).with("method", method)).await?;
    app.sessions.forget(account);
    Ok(opened)
}
