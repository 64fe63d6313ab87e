//! What happens to counters besides attempts: locks are seen, ended and recorded as ended, and what nobody needs any
//! more is removed.

use std::collections::HashMap;

use chrono::TimeDelta;
use entity::AccountId;
use sea_orm::FromQueryResult;
use uuid::Uuid;

use crate::{
    db::{Tx, WriteTx},
    error::Result,
    jobs::{Report, Run},
    runtime::Timestamp,
};

/// How many counters of a kind are kept of what belongs to no account.
const MOST: i64 = 100_000;
/// How often a person is told about locks at most.
const TELL_EVERY: TimeDelta = TimeDelta::hours(1);

const LOCKS: &str = "
    SELECT account_id, max(locked_until) AS locked_until FROM guesses
    WHERE account_id = ANY ($1) AND kind = 'identifier' AND announced AND locked_until > $2 GROUP BY account_id";

#[derive(FromQueryResult)]
struct Locked {
    account_id: Uuid,
    locked_until: Timestamp,
}

/// Until when the sign-ins of these accounts are locked, of those that are.
///
/// # Errors
/// When the database fails.
pub async fn locks(tx: &Tx, accounts: impl IntoIterator<Item = AccountId>) -> Result<HashMap<AccountId, Timestamp>> {
    let accounts: Vec<Uuid> = accounts.into_iter().map(Uuid::from).collect();
    let rows: Vec<Locked> = tx.query(LOCKS, [accounts.into(), tx.caller().now().into()]).await?;
    Ok(rows.into_iter().map(|row| (AccountId(row.account_id), row.locked_until)).collect())
}

const RELEASE: &str = "
    WITH old AS (SELECT subject, announced AND locked_until > $2 AS locked FROM guesses WHERE account_id = $1 ORDER BY subject FOR UPDATE)
    UPDATE guesses g SET failures = 0, forget_at = $2,
        -- A lock that has ended by time is recorded as such.
        locked_until = CASE WHEN g.announced AND NOT old.locked THEN g.locked_until END,
        announced = g.announced AND NOT old.locked
    FROM old WHERE g.subject = old.subject RETURNING old.locked";

#[derive(FromQueryResult)]
struct Released {
    locked: bool,
}

/// Ends every lock of an account, and forgets its failures. Returns whether there was a lock.
///
/// # Errors
/// When the database fails.
pub async fn release(tx: &WriteTx, account: AccountId) -> Result<bool> {
    let released: Vec<Released> = tx.query(RELEASE, [Uuid::from(account).into(), tx.caller().now().into()]).await?;
    Ok(released.iter().any(|released| released.locked))
}

const TELL: &str = "
    UPDATE guesses SET told_at = $3 WHERE subject = $1 AND NOT EXISTS (
        SELECT FROM guesses WHERE account_id = $2 AND told_at > $4)";

/// Whether the account's person is to be told now of a lock by this attempt: nobody fills their inbox.
///
/// # Errors
/// When the database fails.
pub async fn may_tell(tx: &WriteTx, attempt: &super::Attempt) -> Result<bool> {
    let (now, account) = (tx.caller().now(), attempt.account.map(Uuid::from));
    let values = [attempt.subject.clone().into(), account.into(), now.into(), (now - TELL_EVERY).into()];
    Ok(tx.execute(TELL, values).await? > 0)
}

/// Forgets everything about an account.
///
/// # Errors
/// When the database fails.
pub async fn forget(tx: &WriteTx, account: AccountId) -> Result<()> {
    tx.execute("DELETE FROM guesses WHERE account_id = $1", [Uuid::from(account).into()]).await?;
    Ok(())
}

/// A lock that has ended by time.
#[derive(Clone, Debug, FromQueryResult)]
pub struct Ended {
    /// Whose; nobody's, of an address without an account.
    pub account_id: Option<AccountId>,
    /// `identifier` or `device`.
    pub kind: String,
}

const END: &str = "
    UPDATE guesses SET locked_until = NULL, announced = false WHERE subject IN (
        SELECT subject FROM guesses WHERE announced AND locked_until <= $1
        ORDER BY locked_until LIMIT 100 FOR UPDATE SKIP LOCKED)
    RETURNING account_id, kind";

/// Takes some locks that have ended by time: whoever calls records their end in the same transaction. They have locked
/// nothing since their time; this is for the record.
///
/// # Errors
/// When the database fails.
pub async fn end(tx: &WriteTx) -> Result<Vec<Ended>> {
    tx.query(END, [tx.caller().now().into()]).await
}

/// Removes what has been forgotten, and bounds what belongs to no account.
///
/// # Errors
/// When the database fails.
pub async fn clean_up(run: Run) -> Result<Report> {
    clean_up_to(run, MOST).await
}

const FORGOTTEN: &str = "
    DELETE FROM guesses WHERE subject IN (
        SELECT subject FROM guesses WHERE forget_at <= $1 AND NOT announced AND (told_at IS NULL OR told_at <= $2)
        ORDER BY forget_at LIMIT 1000)";
/// Those that would be forgotten first go first. What belongs to an account is never among them.
const BEYOND: &str = "
    DELETE FROM guesses WHERE subject IN (
        SELECT subject FROM guesses WHERE kind = $1 AND account_id IS NULL ORDER BY forget_at
        LIMIT (SELECT least(greatest(count(*) - $2, 0), 1000) FROM guesses WHERE kind = $1 AND account_id IS NULL))";

/// The same, keeping at most so many counters of a kind of what belongs to no account: a million made-up addresses
/// must not fill the database.
///
/// # Errors
/// When the database fails.
pub async fn clean_up_to(run: Run, most: i64) -> Result<Report> {
    let now = run.caller().now();
    let mut removed = run.repeat(FORGOTTEN, &[now.into(), (now - TELL_EVERY).into()]).await?;
    for kind in ["identifier", "address"] {
        removed += run.repeat(BEYOND, &[kind.into(), most.into()]).await?;
    }
    Ok(Report::from([("counters", removed)]))
}
