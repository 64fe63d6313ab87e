//! Where the keys of creating calls are kept. [`WriteTx`] marks a key in the transaction of the work itself, so that
//! the work is done once or not at all; here is what happens before and after. What an answer is, the edge knows.

use entity::{AccountId, IdempotencyId, Sealed, Secrets, idempotency_keys as rows};
use sea_orm::{ColumnTrait, QueryFilter};
use uuid::Uuid;

use super::WriteTx;
use crate::{
    error::{Code, Error, Result},
    runtime::Timestamp,
    types::IdempotencyKey,
};

/// What is known of a key.
pub enum Claim {
    /// Nothing: it is this call's now.
    Claimed,
    /// It was used for another request.
    Reused,
    /// The first call with it is still running.
    Running,
    /// The first call was carried out, but its answer was not kept.
    Lost,
    /// The first call's answer.
    Answered {
        /// The row that the answer is sealed for.
        row: IdempotencyId,
        /// The sealed answer.
        answer: Sealed<Secrets>,
    },
}

/// Until when a key is kept, and since when a call that has not finished is given up.
pub struct Bounds {
    /// A new key is forgotten after this.
    pub expires_at: Timestamp,
    /// A call that began before this and did nothing may be taken over.
    pub stale_before: Timestamp,
}

/// Claims a key, or says what it was used for.
///
/// # Errors
/// When the database fails.
pub async fn claim(tx: &WriteTx, id: IdempotencyId, key: &IdempotencyKey, bounds: &Bounds) -> Result<Claim> {
    let now = tx.caller().now();
    let forget = "DELETE FROM idempotency_keys WHERE key = $1 AND expires_at <= $2";
    tx.execute(forget, [key.key.to_vec().into(), now.into()]).await?;
    let claimed = tx
        .execute(
            "INSERT INTO idempotency_keys (id, key, fingerprint, created_at, expires_at, account_id)
             VALUES ($1, $2, $3, $4, $5, $7)
             ON CONFLICT (key) DO UPDATE SET created_at = excluded.created_at
             WHERE idempotency_keys.status IS NULL AND idempotency_keys.created_at < $6
               AND idempotency_keys.fingerprint = excluded.fingerprint",
            [
                Uuid::from(id).into(),
                key.key.to_vec().into(),
                key.fingerprint.to_vec().into(),
                now.into(),
                bounds.expires_at.into(),
                bounds.stale_before.into(),
                tx.caller().account().map(Uuid::from).into(),
            ],
        )
        .await?;
    if claimed == 1 {
        return Ok(Claim::Claimed);
    }
    let Some(row) = find(tx, key).await? else { return Ok(Claim::Running) };
    Ok(match (row.status, row.answer) {
        _ if row.fingerprint != key.fingerprint => Claim::Reused,
        (None, _) => Claim::Running,
        // The work is committed before its answer is kept: the call may be in between.
        (Some(_), None) if row.created_at >= bounds.stale_before => Claim::Running,
        (Some(_), None) => Claim::Lost,
        (Some(_), Some(answer)) => Claim::Answered { row: row.id, answer },
    })
}

/// The row of a key that this call has claimed.
///
/// # Errors
/// When the database fails.
pub async fn find(tx: &WriteTx, key: &IdempotencyKey) -> Result<Option<rows::Model>> {
    tx.one(tx.find_identity::<rows::Entity>().filter(rows::Column::Key.eq(key.key.to_vec()))).await
}

/// Keeps the sealed answer of a call that was carried out.
///
/// # Errors
/// When the database fails.
pub async fn keep(tx: &WriteTx, row: IdempotencyId, answer: Sealed<Secrets>) -> Result<()> {
    let keep = "UPDATE idempotency_keys SET status = 1, answer = $2 WHERE id = $1";
    tx.execute(keep, [Uuid::from(row).into(), answer.into()]).await?;
    Ok(())
}

/// Forgets the key of a call that was refused: it can be used again.
///
/// # Errors
/// When the database fails.
pub async fn forget(tx: &WriteTx, key: &IdempotencyKey) -> Result<()> {
    let forget = "DELETE FROM idempotency_keys WHERE key = $1 AND answer IS NULL";
    tx.execute(forget, [key.key.to_vec().into()]).await?;
    Ok(())
}

/// Forgets whatever somebody who is erased has called, with the answers.
///
/// # Errors
/// When the database fails.
pub async fn erase(tx: &WriteTx, account: AccountId) -> Result<u64> {
    tx.execute("DELETE FROM idempotency_keys WHERE account_id = $1", [Uuid::from(account).into()]).await
}

/// The statement that removes some of the keys whose time was over at a moment.
pub const CLEAN_UP: &str = "DELETE FROM idempotency_keys WHERE id IN (
    SELECT id FROM idempotency_keys WHERE expires_at <= $1 ORDER BY expires_at LIMIT 1000)";

/// Marks the key of the transaction's caller: from here on the work is part of this transaction.
pub(super) async fn mark(tx: &WriteTx) -> Result<()> {
    let Some(claim) = &tx.caller().idempotency else { return Ok(()) };
    let mark = "UPDATE idempotency_keys SET status = 0 WHERE key = $1 AND status IS NULL";
    let marked = tx.execute(mark, [claim.key.to_vec().into()]).await?;
    if marked == 1 { Ok(()) } else { Err(Error::Conflict(Code::IdempotencyInProgress)) }
}
