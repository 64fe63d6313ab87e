//! Wrong codes of an account, over all challenges and instances: fresh challenges don't give fresh guesses (MFA-1).
//!
//! Whoever looks at a code holds the account's lock until the end of the transaction in which the failure is written, so
//! that any number of attempts at the same moment are looked at one after the other.

use chrono::TimeDelta;
use entity::AccountId;
use sea_orm::FromQueryResult;
use uuid::Uuid;

use crate::{
    db::WriteTx,
    error::{Error, Result},
    runtime::{Ids, Timestamp},
};

/// How many wrong codes of an account are looked at in a [`SPAN`].
pub const ACCOUNT_MOST: i64 = 10;
/// How long a wrong code counts.
pub(super) const SPAN: TimeDelta = TimeDelta::hours(1);

pub(super) const FORGET: &str = "DELETE FROM second_factor_failures WHERE account_id = $1";
pub(super) const CLEAN_UP: &str = "
    DELETE FROM second_factor_failures WHERE id IN (
        SELECT id FROM second_factor_failures WHERE failed_at <= $1 ORDER BY failed_at LIMIT 1000)";
/// The failure that has to pass before another code may be looked at.
const BLOCKING: &str = "
    SELECT failed_at FROM second_factor_failures WHERE account_id = $1 AND failed_at > $2
    ORDER BY failed_at DESC OFFSET $3 LIMIT 1";
const ADD: &str = "INSERT INTO second_factor_failures (id, account_id, failed_at) VALUES ($1, $2, $3)";

#[derive(FromQueryResult)]
struct Failure {
    failed_at: Timestamp,
}

/// Takes the account's lock, and says whether a code may be looked at.
///
/// # Errors
/// `Throttled` until one may, whatever the code.
pub async fn admit(tx: &WriteTx, account: AccountId) -> Result<()> {
    let now = tx.caller().now();
    super::held(tx, account).await?;
    let values = [Uuid::from(account).into(), (now - SPAN).into(), (ACCOUNT_MOST - 1).into()];
    let blocking: Vec<Failure> = tx.query(BLOCKING, values).await?;
    match blocking.first() {
        Some(Failure { failed_at }) => Err(Error::Throttled((*failed_at + SPAN - now).to_std().unwrap_or_default())),
        None => Ok(()),
    }
}

/// Counts a wrong code.
///
/// # Errors
/// When the database fails.
pub async fn failed(tx: &WriteTx, account: AccountId) -> Result<()> {
    let id: Uuid = Ids.next();
    tx.execute(ADD, [id.into(), Uuid::from(account).into(), tx.caller().now().into()]).await?;
    Ok(())
}
