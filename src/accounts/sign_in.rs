//! Signing in with a password. Known and unknown people get the same answer in the same time.

use entity::{KnownDeviceId, accounts as rows, sessions::Delivery};
use sea_orm::{ColumnTrait, FromQueryResult, QueryFilter, sea_query::Expr};

use super::{
    Account,
    credentials::upgrade,
    devices,
    entering::{Entered, Entering, enter},
    lockout, profile,
};
use crate::{
    app::App,
    config::SecretString,
    db::{Unrecorded, WriteTx},
    error::{Code, Error, Result},
    guessing::{self, Attempt},
    mfa::challenges,
    sessions::{Opened, hash},
    settings::sections::Way,
    types::{Caller, Email},
};

/// What somebody presents to sign in.
pub struct Credentials<'a> {
    /// The address of the account.
    pub email: &'a Email,
    /// The password.
    pub password: SecretString,
    /// The token of a device that may be known.
    pub device: Option<SecretString>,
}

/// What becomes of the device that somebody signs in on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Device {
    /// It is known from now on.
    Remember,
    /// It is known afterwards if it was before.
    Leave,
}

/// What a sign-in brings.
pub struct SignedIn {
    /// Who signed in.
    pub account: Account,
    /// The session.
    pub opened: Opened,
    /// The token that the device is known by.
    pub device: Option<SecretString>,
}

/// A person who has just proven who they are. The attempt is counted until it is [`lockout::settled`].
pub struct Proven {
    /// Who it is.
    pub account: Account,
    /// What was counted.
    pub attempt: Attempt,
    /// Whether they have a second factor, which they have not proven.
    pub second_factor: bool,
    device: Option<KnownDeviceId>,
}

/// Opens a session for the person with this address and password, or asks for their second factor.
///
/// # Errors
/// `Unauthenticated` with `invalid_credentials`, whatever was wrong; `Throttled` after too many of those.
pub async fn sign_in(
    app: &App,
    caller: &Caller,
    credentials: Credentials<'_>,
    delivery: Delivery,
    device: Device,
) -> Result<Entered> {
    let presented = credentials.device.clone();
    let proven = authenticate(app, caller, credentials).await?;
    let (known, id) = (proven.device, app.ids.next());
    let mut tx = app.db.write(&caller.acting_as(proven.account.id, id)).await?;
    let account = proven.account.id;
    lockout::settled(&tx, &proven.attempt, account).await?;
    let Proven { account: person, second_factor, .. } = proven;
    let entering = Entering { account: person, second_factor, session: id, delivery, organization: None };
    let remember = known.is_none() && device == Device::Remember;
    let entered = enter(app, &mut tx, entering, challenges::Device { known, remember }).await?;
    let entered = match (entered, known) {
        (Entered::In(signed_in), Some(known)) => {
            let device = devices::seen(&tx, &app.vault, known).await?.then_some(presented).flatten();
            Entered::In(Box::new(SignedIn { device, ..*signed_in }))
        }
        (Entered::In(signed_in), None) if remember => {
            let device = Some(devices::remember(&tx, app, account).await?);
            Entered::In(Box::new(SignedIn { device, ..*signed_in }))
        }
        (entered, _) => entered,
    };
    tx.commit(Unrecorded("opening the session has recorded the sign-in")).await?;
    Ok(entered)
}

/// Notes that a person signs in, in the transaction that opens the session. The account can't be blocked before its
/// end.
///
/// # Errors
/// `Unauthenticated` when the account was blocked since its password was checked: the session goes with the
/// transaction.
pub async fn signed_in(tx: &WriteTx, account: Account) -> Result<Account> {
    let now = tx.caller().now();
    let seen = tx
        .change_identity::<rows::Entity>()
        .col_expr(rows::Column::LastSignInAt, Expr::value(now))
        .filter(rows::Column::Id.eq(account.id))
        .filter(rows::Column::State.eq(rows::State::Active));
    if tx.apply(seen).await? == 0 {
        return Err(Error::Unauthenticated(Code::InvalidCredentials));
    }
    Ok(Account { last_sign_in_at: Some(now), ..account })
}

/// One statement, whether or not there is such a person, and whether or not the device is theirs.
const FIND: &str = "
    SELECT a.*, c.hash, d.id AS device, has_second_factor(a.id) AS second_factor FROM account_matches m JOIN accounts a ON a.id = m.account_id
    LEFT JOIN password_credentials c ON c.account_id = a.id
    LEFT JOIN known_devices d ON d.account_id = a.id AND d.token_hash = $2 AND d.expires_at > $3
    WHERE m.field = 'email' AND m.value = ANY ($1) LIMIT 1";

#[derive(FromQueryResult)]
struct Found {
    #[sea_orm(nested)]
    account: rows::Model,
    hash: Option<String>,
    device: Option<KnownDeviceId>,
    second_factor: bool,
}

/// The account with this address, if the password is its own and it may sign in. A failure is recorded, and counted.
///
/// # Errors
/// `Unauthenticated` with `invalid_credentials`, whatever was wrong; `Throttled` after too many of those; `Forbidden` with
/// `way_not_allowed` where passwords are switched off, for everybody.
pub async fn authenticate(app: &App, caller: &Caller, credentials: Credentials<'_>) -> Result<Proven> {
    if !app.settings.platform(&caller.origin).await?.sign_in.ways.contains(&Way::Password) {
        return Err(Error::Forbidden(Code::WayNotAllowed));
    }
    let (found, attempt) = begin(app, caller, &credentials).await?;
    let hash = found.as_ref().and_then(|found| found.hash.as_deref());
    let right = match app.passwords.verify(credentials.password.clone(), hash).await {
        Ok(right) => right,
        Err(busy) => return lockout::not_looked_at(app, caller, &attempt, busy).await,
    };
    let reason = match &found {
        Some(found) if right && found.account.state == rows::State::Active => {
            if let Some(hash) = &found.hash {
                upgrade(app, caller, found.account.id, (hash.clone(), credentials.password));
            }
            let account = profile::open(&app.vault, found.account.clone())?;
            return Ok(Proven { account, attempt, second_factor: found.second_factor, device: found.device });
        }
        // It counts as any other failure: whoever guesses does not learn that they have guessed right.
        Some(_) if right => "blocked",
        Some(_) => "wrong_password",
        None => "unknown_account",
    };
    lockout::failed(app, caller, &attempt, (found.map(|found| found.account), reason)).await
}

/// Finds the account and counts the attempt, in one transaction. The connection must not wait for the hashing pool.
async fn begin(app: &App, caller: &Caller, credentials: &Credentials<'_>) -> Result<(Option<Found>, Attempt)> {
    let tx = app.db.write(caller).await?;
    let addresses = profile::addresses(&app.vault, credentials.email.as_str())?;
    let token = credentials.device.as_ref().map(|token| hash(token.expose())).unwrap_or_default();
    let found: Vec<Found> = tx.query(FIND, [addresses.into(), token.into(), caller.now().into()]).await?;
    let found = found.into_iter().next();
    let account = found.as_ref().map(|found| found.account.id);
    let attempt = match found.as_ref().and_then(|found| found.device).zip(account) {
        Some((device, account)) => Attempt::on_device(&app.vault, device, account)?,
        None => Attempt::by_email(&app.vault, credentials.email, account, caller.origin.address)?,
    };
    let rules = app.settings.platform_in(&tx).await?;
    let admitted = match guessing::admit(&tx, &rules.lockout, &attempt).await {
        Ok(admitted) => admitted,
        Err(refusal) => {
            if matches!(refusal, Error::Throttled(_)) {
                app.refusals.count(caller, lockout::operation(caller), Code::TooManyRequests);
            }
            return Err(refusal);
        }
    };
    match account.filter(|_| admitted.lock_ended) {
        Some(account) => tx.commit(lockout::ended(account, attempt.kind(), "time")).await?,
        None => tx.commit(Unrecorded("what came of an attempt is recorded when it is known")).await?,
    }
    Ok((found, attempt))
}
