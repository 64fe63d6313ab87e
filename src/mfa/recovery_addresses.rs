//! Recovery addresses: one that is proven, and one that waits for its proof, of each person (MFA-7). What they are is
//! sealed by whoever stores them; here they are rows with a token.

use chrono::TimeDelta;
use entity::{AccountId, Pii, RecoveryAddressId, Sealed, recovery_addresses as rows};
use sea_orm::{ColumnTrait, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use crate::{
    config::SecretString,
    db::{Tx, WriteTx},
    error::{Error, Result},
    runtime::{Entropy, Timestamp},
    sessions::{hash, opaque},
};

/// The prefix of the tokens that prove an address, for people and secret scanners.
const PREFIX: &str = "fhv_";
/// How long such a token works.
pub const LASTS: TimeDelta = TimeDelta::hours(24);
/// The most letters that an account has sent to addresses to be proven in an [`HOUR`].
const MOST: usize = 5;
/// How long one that is over counts.
pub(super) const HOUR: TimeDelta = TimeDelta::hours(1);

pub(super) const FORGET: &str = "DELETE FROM recovery_addresses WHERE account_id = $1";
pub(super) const CLEAN_UP: &str = "
    DELETE FROM recovery_addresses WHERE id IN (
        SELECT id FROM recovery_addresses
        WHERE expires_at <= $1 AND (verified_at IS NULL OR ended_at <= $2) ORDER BY expires_at LIMIT 1000)";

/// An address of a person's that is in use, or is to be.
pub struct Address {
    /// Its id, which it is sealed for.
    pub id: RecoveryAddressId,
    /// The address.
    pub email: Sealed<Pii>,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// Until when its link works.
    pub expires_at: Timestamp,
    /// When it was proven.
    pub verified_at: Option<Timestamp>,
}

/// What an account has.
#[derive(Default)]
pub struct Addresses {
    /// The one that is proven.
    pub verified: Option<Address>,
    /// The one that waits for its proof, and can still be proven.
    pub pending: Option<Address>,
}

/// What an account has.
///
/// # Errors
/// When the database fails.
pub async fn of(tx: &Tx, account: AccountId) -> Result<Addresses> {
    let now = tx.caller().now();
    let query = tx.find_identity::<rows::Entity>().filter(rows::Column::AccountId.eq(account));
    let mut found = Addresses::default();
    for row in tx.all(query.filter(rows::Column::EndedAt.is_null())).await? {
        let Some(address) = Address::read(row) else { continue };
        match address.verified_at {
            Some(_) => found.verified = Some(address),
            None if address.expires_at > now => found.pending = Some(address),
            None => {}
        }
    }
    Ok(found)
}

const END_PENDING: &str = "
    UPDATE recovery_addresses SET ended_at = $2, email = NULL
    WHERE account_id = $1 AND ended_at IS NULL AND verified_at IS NULL";
const END: &str =
    "UPDATE recovery_addresses SET ended_at = $2, email = NULL WHERE account_id = $1 AND ended_at IS NULL";

/// Stores an address that is to be proven, in the place of one that was not. Returns what proves it. Whoever asks holds
/// the account's row.
///
/// # Errors
/// `Throttled` after too many.
pub async fn begin(
    tx: &WriteTx,
    account: AccountId,
    (id, email): (RecoveryAddressId, Sealed<Pii>),
) -> Result<SecretString> {
    let now = tx.caller().now();
    let recent = tx
        .find_identity::<rows::Entity>()
        .filter(rows::Column::AccountId.eq(account))
        .filter(rows::Column::CreatedAt.gt(now - HOUR))
        .order_by_desc(rows::Column::CreatedAt)
        .limit(u64::try_from(MOST).unwrap_or(u64::MAX));
    if let Some(blocking) = tx.all(recent).await?.get(MOST - 1) {
        return Err(Error::Throttled((blocking.created_at + HOUR - now).to_std().unwrap_or_default()));
    }
    tx.execute(END_PENDING, [Uuid::from(account).into(), now.into()]).await?;
    let token = opaque(PREFIX, Entropy)?;
    let row = rows::Model {
        id,
        account_id: account,
        email: Some(email),
        token_hash: hash(token.expose()),
        created_at: now,
        expires_at: now + LASTS,
        verified_at: None,
        ended_at: None,
    };
    tx.append(vec![rows::ActiveModel::from(row)]).await?;
    Ok(token)
}

const END_VERIFIED: &str = "
    UPDATE recovery_addresses SET ended_at = $2, email = NULL
    WHERE account_id = $1 AND ended_at IS NULL AND verified_at IS NOT NULL";
const VERIFY: &str = "
    UPDATE recovery_addresses SET verified_at = $2 WHERE id = $1 AND verified_at IS NULL AND ended_at IS NULL";

/// The address of an account that a token proves, before that is written.
///
/// # Errors
/// When the database fails.
pub async fn provable(tx: &Tx, account: AccountId, token: &SecretString) -> Result<Option<Address>> {
    let query = tx
        .find_identity::<rows::Entity>()
        .filter(rows::Column::AccountId.eq(account))
        .filter(rows::Column::TokenHash.eq(hash(token.expose())))
        .filter(rows::Column::VerifiedAt.is_null())
        .filter(rows::Column::EndedAt.is_null())
        .filter(rows::Column::ExpiresAt.gt(tx.caller().now()));
    Ok(tx.one(query).await?.and_then(Address::read))
}

/// Puts an address that was proven in the place of the one before. Whoever asks holds the account's row.
///
/// # Errors
/// When the database fails.
pub async fn verify(tx: &WriteTx, account: AccountId, id: RecoveryAddressId) -> Result<()> {
    let now = tx.caller().now();
    tx.execute(END_VERIFIED, [Uuid::from(account).into(), now.into()]).await?;
    tx.execute(VERIFY, [Uuid::from(id).into(), now.into()]).await?;
    Ok(())
}

/// Ends what an account has. Returns whether there was anything.
///
/// # Errors
/// When the database fails.
pub async fn remove(tx: &WriteTx, account: AccountId) -> Result<bool> {
    Ok(tx.execute(END, [Uuid::from(account).into(), tx.caller().now().into()]).await? > 0)
}

impl Address {
    fn read(row: rows::Model) -> Option<Self> {
        let rows::Model { id, email, created_at, expires_at, verified_at, .. } = row;
        Some(Self { id, email: email?, created_at, expires_at, verified_at })
    }
}
