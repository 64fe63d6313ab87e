//! Until when an account may do without a second factor where its role demands one (MFA-5).
//!
//! A deadline is written once in an account's life, by the database's clock. Another role, or a factor that was taken
//! away, finds the one that is there.

use entity::AccountId;
use sea_orm::FromQueryResult;
use uuid::Uuid;

use crate::{
    db::{Tx, WriteTx},
    error::{Error, Result},
    runtime::Timestamp,
};

pub(super) const FORGET: &str = "DELETE FROM second_factor_deadlines WHERE account_id = $1";

const BEGIN: &str = "
    INSERT INTO second_factor_deadlines (account_id, due_at, created_at)
    VALUES ($1, clock_timestamp() + make_interval(days => $2), clock_timestamp())
    ON CONFLICT (account_id) DO NOTHING RETURNING due_at";
const FIND: &str = "SELECT due_at FROM second_factor_deadlines WHERE account_id = $1";
const RESET: &str = "
    INSERT INTO second_factor_deadlines (account_id, due_at, created_at)
    VALUES ($1, clock_timestamp() + make_interval(days => $2), clock_timestamp())
    ON CONFLICT (account_id) DO UPDATE SET due_at = excluded.due_at RETURNING due_at";

#[derive(FromQueryResult)]
struct Deadline {
    due_at: Timestamp,
}

/// An account's deadline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begun {
    /// It was written just now.
    Now(Timestamp),
    /// It was there.
    Before(Timestamp),
}

/// The deadline, written now unless there is one.
///
/// # Errors
/// When the database fails.
pub async fn begin(tx: &WriteTx, account: AccountId, days: u32) -> Result<Begun> {
    let begun: Vec<Deadline> = tx.query(BEGIN, [Uuid::from(account).into(), whole(days).into()]).await?;
    if let Some(Deadline { due_at }) = begun.first() {
        return Ok(Begun::Now(*due_at));
    }
    find(tx, account).await?.map(Begun::Before).ok_or_else(|| Error::internal("a deadline went away while it was read"))
}

/// The deadline, if there is one.
///
/// # Errors
/// When the database fails.
pub async fn find(tx: &Tx, account: AccountId) -> Result<Option<Timestamp>> {
    let found: Vec<Deadline> = tx.query(FIND, [Uuid::from(account).into()]).await?;
    Ok(found.first().map(|row| row.due_at))
}

/// A new deadline in the place of the one there is.
///
/// # Errors
/// When the database fails.
pub async fn reset(tx: &WriteTx, account: AccountId, days: u32) -> Result<Timestamp> {
    let reset: Vec<Deadline> = tx.query(RESET, [Uuid::from(account).into(), whole(days).into()]).await?;
    reset.first().map(|row| row.due_at).ok_or_else(|| Error::internal("a deadline was not written"))
}

fn whole(days: u32) -> i32 {
    i32::try_from(days).unwrap_or(i32::MAX)
}
