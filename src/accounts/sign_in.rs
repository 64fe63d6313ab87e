//! Signing in with a password. Known and unknown people get the same answer in the same time.

use entity::{AccountId, KnownDeviceId, accounts as rows, sessions::Delivery};
use sea_orm::{ColumnTrait, FromQueryResult, QueryFilter, sea_query::Expr};
use uuid::Uuid;

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
    mfa::{
        challenges,
        trusted::{self, Trusted},
    },
    sessions::{NewSession, Opened, hash},
    settings::sections::{Lockout, Way},
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
    /// The token of a device that may be trusted.
    pub trusted: Option<SecretString>,
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
    /// The token that it is trusted by from now on.
    pub trusted: Option<SecretString>,
}

/// A right password, as of when it was looked at. The attempt is counted until it is [`settled`].
pub struct Right {
    /// What was counted.
    attempt: Attempt,
    /// How often what the account is proven with had changed.
    proofs: i64,
}

/// A person who has just proven who they are.
pub struct Proven {
    /// Who it is.
    pub account: Account,
    /// What they gave.
    pub right: Right,
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
    let (presented, trusted) = (credentials.device.clone(), credentials.trusted.clone());
    let proven = authenticate(app, caller, credentials).await?;
    let (known, id) = (proven.device, app.ids.next());
    let mut tx = app.db.write(&caller.acting_as(proven.account.id, id)).await?;
    let trusted = match trusted.filter(|_| proven.second_factor) {
        Some(token) => trusted_on(app, &tx, proven.account.id, &token).await?,
        None => None,
    };
    if proven.second_factor && trusted.is_none() {
        settled(&tx, &proven.right, proven.account.id).await?;
        let remember = known.is_none() && device == Device::Remember;
        let (account, device) = (proven.account, challenges::Device { known, remember });
        let entering = Entering { account, second_factor: true, session: id, delivery, organization: None };
        let asked = enter(app, &mut tx, entering, device).await?;
        tx.commit(Unrecorded("that a second factor was asked for is recorded")).await?;
        return Ok(asked);
    }
    let account = settle(&tx, proven.account, &proven.right).await?;
    let device = match (known, device) {
        (Some(known), _) => devices::seen(&tx, &app.vault, known).await?.then_some(presented).flatten(),
        (None, Device::Remember) => Some(devices::remember(&tx, app, account.id).await?),
        (None, Device::Leave) => None,
    };
    let (factors, proven_at) = match &trusted {
        Some(trusted) => (trusted.factors, Some(trusted.proven_at)),
        None => (["pwd"].as_slice(), None),
    };
    let new = NewSession { id, account: account.id, delivery, factors, proven_at, organization: None };
    let opened = app.sessions.open(&mut tx, new).await?;
    tx.commit(Unrecorded("opening the session has recorded the sign-in")).await?;
    app.sessions.forget_profile(account.id);
    Ok(Entered::In(Box::new(SignedIn { account, opened, device, trusted: None })))
}

/// What a session begins with in a device that is trusted in the place of the factor; `None` when it is not.
async fn trusted_on(app: &App, tx: &WriteTx, account: AccountId, token: &SecretString) -> Result<Option<Trusted>> {
    if app.settings.platform_in(tx).await?.mfa.trusts_devices() {
        return trusted::on(tx, &app.vault, account, token).await;
    }
    Ok(None)
}

/// What [`signed_in`] and [`settled`] do, in one statement: `$3` is the account, `$4` how often what it is proven with had
/// changed. It is held first, as by whoever blocks it or gives it another password.
const SETTLE: &str = concat!(
    "WITH seen AS (
        UPDATE accounts SET last_sign_in_at = $2 WHERE id = $3 AND state = 'active' AND proofs = $4 RETURNING true), ",
    guessing::emptied!("EXISTS (SELECT FROM seen)"),
    " SELECT EXISTS (SELECT FROM seen) AS seen, EXISTS (SELECT FROM emptied WHERE announced) AS announced"
);

#[derive(FromQueryResult)]
struct Settled {
    seen: bool,
    announced: bool,
}

/// Notes that a person signs in, and that their attempt was right.
async fn settle(tx: &WriteTx, account: Account, Right { attempt, proofs }: &Right) -> Result<Account> {
    let (now, [subject, _]) = (tx.caller().now(), attempt.subjects());
    let values = [subject, now.into(), Uuid::from(account.id).into(), (*proofs).into()];
    let settled: Vec<Settled> = tx.query(SETTLE, values).await?;
    let settled = settled.into_iter().next().filter(|settled| settled.seen);
    let settled = settled.ok_or(Error::Unauthenticated(Code::InvalidCredentials))?;
    if settled.announced {
        tx.note(lockout::ended(account.id, attempt.kind(), "signed_in")).await?;
    }
    Ok(Account { last_sign_in_at: Some(now), ..account })
}

/// Held as firmly as by [`signed_in`], which may follow: of two at once neither waits for the other to let go.
const STILL: &str =
    "SELECT true AS seen, false AS announced FROM accounts WHERE id = $1 AND proofs = $2 FOR NO KEY UPDATE";

/// Takes a counted attempt back that was right, in the transaction of what it opens.
///
/// # Errors
/// `Unauthenticated` when the account has another password since, or another second factor.
pub async fn settled(tx: &WriteTx, Right { attempt, proofs }: &Right, account: AccountId) -> Result<()> {
    let still: Vec<Settled> = tx.query(STILL, [Uuid::from(account).into(), (*proofs).into()]).await?;
    if still.is_empty() {
        return Err(Error::Unauthenticated(Code::InvalidCredentials));
    }
    lockout::settled(tx, attempt, account).await
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

/// One statement, whether or not there is such a person, and whether or not the device is theirs: `$1` are the addresses
/// to look for, `$2` is now, `$3` the hash of the device's token.
macro_rules! find {
    () => {
        "SELECT a.*, c.hash, d.id AS device FROM account_matches m JOIN accounts a ON a.id = m.account_id
        LEFT JOIN password_credentials c ON c.account_id = a.id
        LEFT JOIN known_devices d ON d.account_id = a.id AND d.token_hash = $3 AND d.expires_at > $2
        WHERE m.field = 'email' AND m.value = ANY ($1) LIMIT 1"
    };
}

/// Nobody is asked for a second factor just as somebody is: whether there is an account must not be seen in the time.
macro_rules! or_nobody {
    ($found:literal) => {
        concat!(
            "SELECT found.*, has_second_factor(coalesce(found.id, '00000000-0000-0000-0000-000000000000')) AS second_factor
            FROM ",
            $found
        )
    };
}

const FIND: &str =
    concat!("WITH found AS MATERIALIZED (", find!(), ") ", or_nobody!("(SELECT) one LEFT JOIN found ON true"));

#[derive(FromQueryResult)]
struct Found {
    #[sea_orm(nested)]
    account: rows::Model,
    proofs: i64,
    hash: Option<String>,
    device: Option<KnownDeviceId>,
    second_factor: bool,
}

#[derive(FromQueryResult)]
struct Begun {
    #[sea_orm(nested)]
    found: Option<Found>,
}

/// The account with this address, if the password is its own and it may sign in. A failure is recorded, and counted.
///
/// # Errors
/// `Unauthenticated` with `invalid_credentials`, whatever was wrong; `Throttled` after too many of those; `Forbidden` with
/// `way_not_allowed` where passwords are switched off, for everybody.
pub async fn authenticate(app: &App, caller: &Caller, credentials: Credentials<'_>) -> Result<Proven> {
    let rules = app.settings.platform(&caller.origin).await?;
    if !rules.sign_in.ways.contains(&Way::Password) {
        return Err(Error::Forbidden(Code::WayNotAllowed));
    }
    let (found, attempt) = begin(app, caller, &credentials, &rules.lockout).await?;
    let hash = found.as_ref().and_then(|found| found.hash.as_deref());
    let right = lockout::verified(app, caller, &attempt, (credentials.password.clone(), hash)).await?;
    let reason = match &found {
        Some(found) if right && found.account.state == rows::State::Active => {
            if let Some(hash) = &found.hash {
                upgrade(app, caller, found.account.id, (hash.clone(), credentials.password));
            }
            let account = profile::open(&app.vault, found.account.clone())?;
            let right = Right { attempt, proofs: found.proofs };
            return Ok(Proven { account, right, second_factor: found.second_factor, device: found.device });
        }
        // It counts as any other failure: whoever guesses does not learn that they have guessed right.
        Some(_) if right => "blocked",
        Some(_) => "wrong_password",
        None => "unknown_account",
    };
    lockout::failed(app, caller, &attempt, (found.map(|found| found.account), reason)).await
}

/// Finds and counts in one statement, for as long as there is no more to it. `$4` is the subject
/// of the address that somebody signs in with, `$9` that of their network address, `$10` that of their device.
const BEGIN: &str = concat!(
    "WITH bounds AS MATERIALIZED (
        SELECT set_config('lock_timeout', '5s', true), set_config('synchronous_commit', 'off', true)),
    found AS MATERIALIZED (",
    find!(),
    "),
    attempt AS MATERIALIZED (
        SELECT CASE WHEN f.device IS NULL THEN $4::bytea ELSE $10::bytea END AS subject,
               CASE WHEN f.device IS NULL THEN 'identifier' ELSE 'device' END AS kind,
               CASE WHEN f.device IS NULL THEN $9::bytea END AS address, f.id AS account_id
        FROM bounds LEFT JOIN found f ON true),
    counted AS (
        INSERT INTO guesses AS g (subject, kind, account_id, failures, forget_at)
        SELECT a.subject, a.kind, a.account_id, 1, $2::timestamptz + make_interval(secs => $8::double precision)
        FROM attempt a
        WHERE NOT EXISTS (SELECT FROM guesses other WHERE other.subject = a.address AND other.locked_until > $2) ",
    guessing::counted!(),
    " AND NOT g.announced RETURNING true) ",
    or_nobody!("counted LEFT JOIN found ON true")
);

/// Finds the account and counts the attempt, before anything is looked at.
async fn begin(
    app: &App,
    caller: &Caller,
    credentials: &Credentials<'_>,
    rules: &Lockout,
) -> Result<(Option<Found>, Attempt)> {
    let token = credentials.device.as_ref().map(|token| hash(token.expose()));
    let by_email = Attempt::by_email(&app.vault, credentials.email, None, caller.origin.address)?;
    let on_device = token.as_ref().map(|token| Attempt::on_device(&app.vault, token, None)).transpose()?;
    let addresses = profile::addresses(&app.vault, credentials.email.as_str())?;
    let attempted = |found: Option<&Found>| {
        let known = found.and_then(|found| found.device).and(on_device.clone());
        known.unwrap_or_else(|| by_email.clone()).of(found.map(|found| found.account.id))
    };
    let [email, address] = by_email.subjects();
    let device = on_device.as_ref().map(|attempt| attempt.subjects());
    let mut values =
        vec![addresses.clone().into(), caller.now().into(), token.clone().unwrap_or_default().into(), email];
    values.extend(guessing::bounds(rules));
    values.extend([address, device.map_or_else(|| None::<Vec<u8>>.into(), |[subject, _]| subject)]);
    // A row says that it is counted. Otherwise there is a lock, or one that has ended.
    let counted = app.db.alone::<Begun>(caller, BEGIN, values).await?;
    if let Some(Begun { found }) = counted.into_iter().flatten().next() {
        let attempt = attempted(found.as_ref());
        return Ok((found, attempt));
    }
    let tx = app.db.write(caller).await?;
    let values = [addresses.into(), caller.now().into(), token.unwrap_or_default().into()];
    let found = tx.query::<Begun>(FIND, values).await?.into_iter().find_map(|begun| begun.found);
    let attempt = attempted(found.as_ref());
    let admitted = match guessing::admit(&tx, rules, &attempt).await {
        Ok(admitted) => admitted,
        Err(refusal) => {
            if matches!(refusal, Error::Throttled(_)) {
                app.refusals.count(caller, lockout::operation(caller), Code::TooManyRequests);
            }
            return Err(refusal);
        }
    };
    match found.as_ref().filter(|_| admitted.lock_ended) {
        Some(found) => tx.commit(lockout::ended(found.account.id, attempt.kind(), "time")).await?,
        None => tx.commit(Unrecorded("what came of an attempt is recorded when it is known")).await?,
    }
    Ok((found, attempt))
}
