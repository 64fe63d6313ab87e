//! Trusted devices: browsers in which a right password is enough for fourteen days, because a second factor was proven there
//! (MFA-4). A device has an opaque token, whose hash is stored; with it alone nobody gets anywhere, and a fresh proof of who
//! one is asks for the factor all the same.

use chrono::TimeDelta;
use entity::{AccountId, TrustedDeviceId, trusted_devices as rows};
use sea_orm::{ColumnTrait, FromQueryResult, QueryFilter};
use uuid::Uuid;

use crate::{
    config::SecretString,
    db::{Tx, WriteTx},
    error::Result,
    runtime::{Entropy, Ids, Timestamp},
    sessions::{DEVICE, LONG_AGO, Origins, Seen, WEAK, hash, opaque},
    types::{Page, PageRequest},
    vault::Vault,
};

/// The prefix of tokens, for people and secret scanners.
const PREFIX: &str = "fht_";
/// How long a device is trusted, however often it is used (MFA-4).
pub const LASTS: TimeDelta = TimeDelta::days(14);
/// How many an account has; the oldest gives way.
const MOST: i64 = 20;

const SEEN_ON: Origins = Origins::new("trusted_devices.address", "trusted_devices.user_agent");

/// A trusted device, in clear.
#[derive(Clone)]
pub struct TrustedDevice {
    /// Its id.
    pub id: TrustedDeviceId,
    /// Where the last sign-in on it came from, and what it calls itself.
    pub seen: Seen,
    /// Since when it is trusted.
    pub created_at: Timestamp,
    /// When somebody last signed in on it.
    pub last_used_at: Timestamp,
    /// Until when it is trusted.
    pub expires_at: Timestamp,
}

const BEYOND: &str = "
    DELETE FROM trusted_devices WHERE id IN (
        SELECT id FROM trusted_devices WHERE account_id = $1 ORDER BY id DESC OFFSET $2)";

/// Trusts the device that the caller has just proven a factor on. Returns its token.
///
/// # Errors
/// When the database fails.
pub async fn trust(
    tx: &WriteTx,
    vault: &Vault,
    account: AccountId,
    strong: bool,
) -> Result<(TrustedDeviceId, SecretString)> {
    let (id, now): (TrustedDeviceId, _) = (Ids.next(), tx.caller().now());
    let token = opaque(PREFIX, Entropy)?;
    let (address, user_agent) = SEEN_ON.seal(vault, id, &tx.caller().origin)?;
    tx.execute(BEYOND, [Uuid::from(account).into(), (MOST - 1).into()]).await?;
    let row = rows::Model {
        id,
        account_id: account,
        token_hash: hash(token.expose()),
        address,
        user_agent,
        weak: !strong,
        created_at: now,
        last_used_at: now,
        expires_at: now + LASTS,
    };
    tx.append(vec![rows::ActiveModel::from(row)]).await?;
    Ok((id, token))
}

#[derive(FromQueryResult)]
struct Found {
    id: TrustedDeviceId,
    weak: bool,
    created_at: Timestamp,
}

/// What a session begins with in a trusted device.
pub struct Trusted {
    /// How it is, as `amr` values.
    pub factors: &'static [&'static str],
    /// When the person counts as having proven who they are. That is so long ago that it is never a recent proof (MFA-4),
    /// however lately the device was trusted.
    pub proven_at: Timestamp,
}

const FIND: &str = "
    SELECT id, weak, created_at FROM trusted_devices WHERE account_id = $1 AND token_hash = $2 AND expires_at > $3 FOR UPDATE";
const USED: &str = "UPDATE trusted_devices SET last_used_at = $2, address = $3, user_agent = $4 WHERE id = $1";

/// Whether the account trusts the device with this token; if it does, what a session begins with there after the password.
///
/// # Errors
/// When the database fails.
pub async fn on(tx: &WriteTx, vault: &Vault, account: AccountId, token: &SecretString) -> Result<Option<Trusted>> {
    let now = tx.caller().now();
    let values = [Uuid::from(account).into(), hash(token.expose()).into(), now.into()];
    let found: Vec<Found> = tx.query(FIND, values).await?;
    let Some(Found { id, weak, created_at }) = found.into_iter().next() else { return Ok(None) };
    let (address, user_agent) = SEEN_ON.seal(vault, id, &tx.caller().origin)?;
    tx.execute(USED, [Uuid::from(id).into(), now.into(), address.into(), user_agent.into()]).await?;
    let factors: &[&str] = if weak { &["pwd", DEVICE, WEAK] } else { &["pwd", DEVICE, "mfa"] };
    Ok(Some(Trusted { factors, proven_at: created_at - LONG_AGO }))
}

/// An account's trusted devices, newest first.
///
/// # Errors
/// When the database fails.
pub async fn list(tx: &Tx, vault: &Vault, account: AccountId, page: PageRequest) -> Result<Page<TrustedDevice>> {
    let query = tx.find_identity::<rows::Entity>().filter(rows::Column::AccountId.eq(account));
    let query = query.filter(rows::Column::ExpiresAt.gt(tx.caller().now()));
    let page = tx.page(query, rows::Column::Id, |row| row.id.into(), page).await?;
    let items = page.items.into_iter().map(|row| opened(vault, row)).collect::<Result<_>>()?;
    Ok(Page { items, next: page.next })
}

fn opened(vault: &Vault, row: rows::Model) -> Result<TrustedDevice> {
    Ok(TrustedDevice {
        id: row.id,
        seen: SEEN_ON.open(vault, row.id, (row.address, row.user_agent))?,
        created_at: row.created_at,
        last_used_at: row.last_used_at,
        expires_at: row.expires_at,
    })
}

const ONE: &str = "DELETE FROM trusted_devices WHERE id = $1 AND account_id = $2 AND expires_at > $3";
pub(super) const ALL: &str = "DELETE FROM trusted_devices WHERE account_id = $1";

/// Trusts one of an account's devices no more. Returns whether it was trusted.
///
/// # Errors
/// When the database fails.
pub async fn revoke(tx: &WriteTx, account: AccountId, id: TrustedDeviceId) -> Result<bool> {
    let values = [Uuid::from(id).into(), Uuid::from(account).into(), tx.caller().now().into()];
    Ok(tx.execute(ONE, values).await? > 0)
}

/// Trusts none of an account's devices any more. Returns how many there were.
///
/// # Errors
/// When the database fails.
pub async fn revoke_all(tx: &WriteTx, account: AccountId) -> Result<u64> {
    tx.execute(ALL, [Uuid::from(account).into()]).await
}

/// Removes those whose time is over.
pub(super) const CLEAN_UP: &str = "
    DELETE FROM trusted_devices WHERE id IN (
        SELECT id FROM trusted_devices WHERE expires_at <= $1 ORDER BY expires_at LIMIT 1000)";
