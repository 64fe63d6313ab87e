//! Coming in after a right password: by a session, or by a challenge where the person has a second factor (MFA-1, MFA-3).
//! There is no session, no token and no cookie of one before the factor is proven.

use entity::{AccountId, KnownDeviceId, OrganizationId, SessionId, sessions::Delivery};

use super::{Account, SignedIn, credentials, devices, recovery, sign_in::signed_in};
use crate::{
    app::App,
    audit::{Event, Kind},
    config::SecretString,
    db::{Unrecorded, WriteTx},
    error::{Code, Error, Result},
    mail::Letter,
    mfa::{
        self, Method, Place, Proof,
        challenges::{self, Challenge, Device, Intent, Open},
    },
    sessions::{self, NewSession, Opened},
    types::Caller,
};

/// What came of a right password.
pub enum Entered {
    /// The person is in.
    In(Box<SignedIn>),
    /// They have to prove a second factor first.
    Asked(Challenge),
}

/// Who comes in, and how.
pub struct Entering {
    /// Who, whose password was right.
    pub account: Account,
    /// Whether they have a second factor, as of when the password was looked at.
    pub second_factor: bool,
    /// The session's id, if there will be one.
    pub session: SessionId,
    /// How the tokens travel.
    pub delivery: Delivery,
    /// Where the session begins.
    pub organization: Option<OrganizationId>,
}

/// Whether the device that a factor is proven on is trusted from then on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trust {
    /// It is, where that is allowed.
    Begin,
    /// It is as it was.
    Leave,
}

impl Trust {
    /// What somebody asks for.
    pub fn of(wanted: Option<bool>) -> Self {
        if wanted == Some(true) { Self::Begin } else { Self::Leave }
    }
}

/// Opens a session, or the challenge that has to be answered first, in the transaction of a right password.
///
/// # Errors
/// As [`signed_in`].
pub async fn enter(app: &App, tx: &mut WriteTx, entering: Entering, device: Device) -> Result<Entered> {
    let Entering { account, second_factor, session, delivery, organization } = entering;
    if second_factor {
        let methods = mfa::factors(tx, account.id).await?.methods();
        let intent = Intent { account: account.id, delivery, organization, device };
        let challenge = challenges::open(tx, intent, methods).await?;
        tx.note(Event::new(Kind::SecondFactorAsked, account.id)).await?;
        return Ok(Entered::Asked(challenge));
    }
    let account = signed_in(tx, account).await?;
    let new =
        NewSession { id: session, account: account.id, delivery, factors: &["pwd"], proven_at: None, organization };
    let opened = app.sessions.open(tx, new).await?;
    Ok(Entered::In(Box::new(SignedIn { account, opened, device: None, trusted: None })))
}

/// Answers a challenge: opens the session that waited for it. Of the device, the client brings the token again that it is
/// known by, if it is, and says whether it is to be trusted.
///
/// # Errors
/// `Unauthenticated` with `challenge_not_valid`; `Forbidden` with `wrong_code`, which counts; `Throttled` after too many
/// wrong codes of the account, whatever this one is.
pub async fn answer(
    app: &App,
    caller: &Caller,
    (token, vessel): (&SecretString, Delivery),
    proof: &Proof,
    device: (Option<SecretString>, Trust),
) -> Result<SignedIn> {
    let tx = app.db.write(caller).await?;
    let challenge = challenges::take(&tx, token, vessel).await?;
    let id = challenge.intent.account;
    mfa::admit(&tx, id).await.inspect_err(|refusal| throttled(app, caller, refusal, "sessions_second_factor"))?;
    if !mfa::prove(&tx, &app.vault, (id, Place::Challenge(challenge.id)), proof).await? {
        return failed(app, tx, &challenge, (proof.method, Error::Forbidden(Code::WrongCode))).await;
    }
    answered(app, tx, challenge, (proof.method, device)).await
}

/// Counts a wrong answer to a challenge, and refuses it; the last that it takes ends it, and its owner is told.
///
/// # Errors
/// Always: the refusal, or `Unauthenticated` with `challenge_not_valid`.
pub(super) async fn failed<T>(
    app: &App,
    tx: WriteTx,
    challenge: &Open,
    (method, refusal): (Method, Error),
) -> Result<T> {
    let id = challenge.intent.account;
    let over = challenges::failed(&tx, challenge.id).await?;
    let event = wrong(&tx, id, method).await?;
    if !over {
        return tx.commit_refused(event, refusal).await;
    }
    tell_exhausted(app, &tx, id).await?;
    let exhausted = Event::new(Kind::SecondFactorExhausted, id).failed().with("failures", challenges::MOST);
    tx.commit_refused(vec![event, exhausted], Error::Unauthenticated(Code::ChallengeNotValid)).await
}

/// Opens the session that waited for a challenge, which has been answered.
///
/// # Errors
/// As [`signed_in`].
pub(super) async fn answered(
    app: &App,
    mut tx: WriteTx,
    challenge: Open,
    (method, (presented, trust)): (Method, (Option<SecretString>, Trust)),
) -> Result<SignedIn> {
    let Intent { account: id, delivery, organization, device } = challenge.intent;
    challenges::close(&tx, challenge.id).await?;
    let had = mfa::factors(&tx, id).await?;
    let weakly = had.strong() && !method.is_strong();
    if !weakly {
        recovery::found(&tx, id).await?;
    }
    // Beside a strong factor the weak one opens a session, and is no proof for what demands a recent one.
    let proven_at = weakly.then(|| tx.caller().now() - sessions::LONG_AGO);
    let session = app.ids.next();
    tx.identify(id, session).await?;
    let account = super::get(&app.vault, &tx, id).await?;
    let account = signed_in(&tx, account).await?;
    let device = known(app, &tx, (id, device), presented).await?;
    let trusted = match trust {
        Trust::Begin => trusted(app, &tx, id, method).await?,
        Trust::Leave => None,
    };
    let new = NewSession { id: session, account: id, delivery, factors: method.factors(), proven_at, organization };
    let opened: Opened = app.sessions.open(&mut tx, new).await?;
    tx.commit(Unrecorded("opening the session has recorded the sign-in")).await?;
    app.sessions.forget_profile(id);
    Ok(SignedIn { account, opened, device, trusted })
}

/// Trusts the device, where the platform allows that; organisations that don't are asked when somebody is there.
async fn trusted(app: &App, tx: &WriteTx, account: AccountId, method: Method) -> Result<Option<SecretString>> {
    if !app.settings.platform_in(tx).await?.mfa.trusts_devices() {
        return Ok(None);
    }
    let (id, token) = mfa::trusted::trust(tx, &app.vault, account, method.is_strong()).await?;
    tx.note(Event::new(Kind::TrustedDeviceAdded, id)).await?;
    Ok(Some(token))
}

/// What becomes of the device: the token that it is known by, if it is.
async fn known(
    app: &App,
    tx: &WriteTx,
    (account, device): (AccountId, Device),
    presented: Option<SecretString>,
) -> Result<Option<SecretString>> {
    match device {
        Device { known: Some(id), .. } => seen(app, tx, id, presented).await,
        Device { remember: true, .. } => devices::remember(tx, app, account).await.map(Some),
        Device { .. } => Ok(None),
    }
}

async fn seen(
    app: &App,
    tx: &WriteTx,
    id: KnownDeviceId,
    presented: Option<SecretString>,
) -> Result<Option<SecretString>> {
    Ok(devices::seen(tx, &app.vault, id).await?.then_some(presented).flatten())
}

/// Counts a wrong code and says so to the record.
pub(super) async fn wrong(tx: &WriteTx, account: AccountId, method: Method) -> Result<Event> {
    mfa::failed(tx, account).await?;
    Ok(Event::new(Kind::SecondFactorFailed, account).failed().with("method", method.as_str()))
}

/// Counts a refusal of a code that was not looked at.
pub(super) fn throttled(app: &App, caller: &Caller, refusal: &Error, operation: &'static str) {
    if matches!(refusal, Error::Throttled(_)) {
        app.refusals.count(caller, operation, Code::TooManyRequests);
    }
}

/// Somebody knows the password and not the second factor: nobody has to know that more than the owner.
async fn tell_exhausted(app: &App, tx: &WriteTx, account: AccountId) -> Result<()> {
    let account = super::get(&app.vault, tx, account).await?;
    let letter = Letter::SecondFactorGuessed { reset_page: credentials::reset_page(app) };
    app.mail.queue(tx, &credentials::address(&account)?, &letter).await?;
    Ok(())
}
