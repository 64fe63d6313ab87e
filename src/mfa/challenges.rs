//! Challenges: a right password that waits for a second factor. Whoever has the token goes on; a browser has it in a
//! cookie that no script reads, so that it is worth nothing in another, and only its hash is stored.

use chrono::TimeDelta;
use entity::{AccountId, ChallengeId, KnownDeviceId, OrganizationId, sessions::Delivery};
use sea_orm::FromQueryResult;
use uuid::Uuid;

use super::Method;
use crate::{
    config::SecretString,
    db::{Tx, WriteTx},
    error::{Code, Error, Result},
    runtime::{Entropy, Ids, Timestamp},
    sessions::{hash, opaque},
};

/// The prefix of challenges, for people and secret scanners.
const PREFIX: &str = "fhc_";
/// How long one waits.
pub const LASTS: TimeDelta = TimeDelta::minutes(5);
/// How many wrong codes end it, whatever they are of (MFA-1).
pub const MOST: i32 = 5;
/// How many wait for an account; the oldest gives way.
const WAITING: i64 = 10;

/// What becomes of the device when the sign-in is done.
#[derive(Clone, Copy, Debug)]
pub struct Device {
    /// It is known already.
    pub known: Option<KnownDeviceId>,
    /// It is known from then on.
    pub remember: bool,
}

/// What a sign-in goes on with once the factor is proven.
#[derive(Clone, Copy, Debug)]
pub struct Intent {
    /// Whose.
    pub account: AccountId,
    /// How the tokens travel; the challenge's own too.
    pub delivery: Delivery,
    /// Where the session begins.
    pub organization: Option<OrganizationId>,
    /// The device.
    pub device: Device,
}

/// A challenge, for whoever is to answer it.
pub struct Challenge {
    /// What to answer it with.
    pub token: SecretString,
    /// How that travels.
    pub delivery: Delivery,
    /// In which ways.
    pub methods: Vec<Method>,
    /// Until when.
    pub expires_at: Timestamp,
}

/// One that is being answered.
pub struct Open {
    /// Its id.
    pub id: ChallengeId,
    /// What to go on with.
    pub intent: Intent,
}

const CLEAR_OLD: &str = "
    DELETE FROM second_factor_challenges WHERE id IN (
        SELECT id FROM second_factor_challenges WHERE account_id = $1 ORDER BY created_at DESC OFFSET $2)";
const OPEN: &str = "
    INSERT INTO second_factor_challenges
        (id, account_id, token_hash, delivery, wanted_organization, known_device, remember, created_at, expires_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";

/// Opens a challenge.
///
/// # Errors
/// When the database fails.
pub async fn open(tx: &WriteTx, intent: Intent, methods: Vec<Method>) -> Result<Challenge> {
    let (token, now) = (opaque(PREFIX, Entropy)?, tx.caller().now());
    let Intent { account, delivery, organization, device } = intent;
    let id: ChallengeId = Ids.next();
    tx.execute(CLEAR_OLD, [Uuid::from(account).into(), (WAITING - 1).into()]).await?;
    let values: [sea_orm::Value; 9] = [
        Uuid::from(id).into(),
        Uuid::from(account).into(),
        hash(token.expose()).into(),
        delivery.into(),
        organization.map(Uuid::from).into(),
        device.known.map(Uuid::from).into(),
        device.remember.into(),
        now.into(),
        (now + LASTS).into(),
    ];
    tx.execute(OPEN, values).await?;
    Ok(Challenge { token, delivery, methods, expires_at: now + LASTS })
}

#[derive(FromQueryResult)]
struct Row {
    id: Uuid,
    account_id: Uuid,
    delivery: Delivery,
    wanted_organization: Option<Uuid>,
    known_device: Option<Uuid>,
    remember: bool,
}

const TAKE: &str = "
    SELECT id, account_id, delivery, wanted_organization, known_device, remember FROM second_factor_challenges
    WHERE token_hash = $1 AND expires_at > $2 AND delivery = $3 FOR UPDATE";

/// The challenge with this token, which nobody else answers before the transaction ends. A token stays in the vessel that
/// it was given in: one from a cookie is nothing in a body.
///
/// # Errors
/// `Unauthenticated` with `challenge_not_valid`.
pub async fn take(tx: &WriteTx, token: &SecretString, vessel: Delivery) -> Result<Open> {
    let values = [hash(token.expose()).into(), tx.caller().now().into(), vessel.into()];
    let rows: Vec<Row> = tx.query(TAKE, values).await?;
    let row = rows.into_iter().next().ok_or(Error::Unauthenticated(Code::ChallengeNotValid))?;
    let device = Device { known: row.known_device.map(KnownDeviceId), remember: row.remember };
    let intent = Intent {
        account: AccountId(row.account_id),
        delivery: row.delivery,
        organization: row.wanted_organization.map(OrganizationId),
        device,
    };
    Ok(Open { id: ChallengeId(row.id), intent })
}

#[derive(FromQueryResult)]
struct Whose {
    account_id: AccountId,
}

const WHOSE: &str = "
    SELECT account_id FROM second_factor_challenges WHERE token_hash = $1 AND expires_at > $2 AND delivery = $3";

/// Whose challenge has this token.
///
/// # Errors
/// `Unauthenticated` with `challenge_not_valid`.
pub async fn whose(tx: &Tx, token: &SecretString, vessel: Delivery) -> Result<AccountId> {
    let values = [hash(token.expose()).into(), tx.caller().now().into(), vessel.into()];
    let rows: Vec<Whose> = tx.query(WHOSE, values).await?;
    rows.first().map(|row| row.account_id).ok_or(Error::Unauthenticated(Code::ChallengeNotValid))
}

#[derive(FromQueryResult)]
struct Failed {
    failures: i32,
}

const FAIL: &str = "UPDATE second_factor_challenges SET failures = failures + 1 WHERE id = $1 RETURNING failures";
const CLOSE: &str = "DELETE FROM second_factor_challenges WHERE id = $1";

/// Counts a wrong code against a challenge. Returns whether that was the last one that it takes: then it is over.
///
/// # Errors
/// When the database fails.
pub async fn failed(tx: &WriteTx, id: ChallengeId) -> Result<bool> {
    let failed: Vec<Failed> = tx.query(FAIL, [Uuid::from(id).into()]).await?;
    let over = failed.first().is_none_or(|row| row.failures >= MOST);
    if over {
        close(tx, id).await?;
    }
    Ok(over)
}

/// Ends a challenge.
///
/// # Errors
/// When the database fails.
pub async fn close(tx: &WriteTx, id: ChallengeId) -> Result<()> {
    tx.execute(CLOSE, [Uuid::from(id).into()]).await?;
    Ok(())
}

const ALL: &str = "DELETE FROM second_factor_challenges WHERE account_id = $1";

/// Ends all of an account's: the password that they came from is another, or there is nothing left to prove.
///
/// # Errors
/// When the database fails.
pub async fn forget_all_of(tx: &WriteTx, account: AccountId) -> Result<u64> {
    tx.execute(ALL, [Uuid::from(account).into()]).await
}

/// Removes those that nobody has answered in time.
pub(super) const CLEAN_UP: &str = "
    DELETE FROM second_factor_challenges WHERE id IN (
        SELECT id FROM second_factor_challenges WHERE expires_at <= $1 ORDER BY expires_at LIMIT 1000)";
