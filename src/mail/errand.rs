//! Errands: what is to be done after a commit and is no letter yet, because even finding out whom to write to must not
//! be noticed by whoever asks. They lie in the outbox like letters, sealed, and are done exactly once: whatever an
//! errand does is in the transaction that takes it out.

use chrono::TimeDelta;
use entity::{OutboxId, Sealed, Secrets, outbox};
use sea_orm::FromQueryResult;
use zeroize::Zeroizing;

use super::{Mail, PAYLOAD};
use crate::{
    db::{Unrecorded, WriteTx},
    error::Result,
};

/// How often an errand is tried.
const MOST_ATTEMPTS: i32 = 5;

/// An errand that was taken out of the outbox.
pub struct Errand {
    /// Its id.
    pub id: OutboxId,
    payload: Sealed<Secrets>,
}

#[derive(FromQueryResult)]
struct Row {
    id: OutboxId,
    payload: Sealed<Secrets>,
}

/// Takes the oldest that nobody else is at. It is done with the end of the transaction, or there again without it.
const TAKE: &str = "
    WITH due AS MATERIALIZED (
        SELECT id, payload FROM outbox
        WHERE kind = $1 AND sent_at IS NULL AND failed_at IS NULL AND available_at <= $2
        ORDER BY available_at, id LIMIT 1 FOR UPDATE SKIP LOCKED
    )
    UPDATE outbox SET sent_at = $2, payload = NULL, attempts = attempts + 1, last_error = NULL
    FROM due WHERE outbox.id = due.id RETURNING due.id, due.payload";

/// Tries it later, or gives it up and destroys what it says.
const POSTPONE: &str = "
    UPDATE outbox SET attempts = attempts + 1, available_at = $2, last_error = $3,
        failed_at = CASE WHEN attempts + 1 >= $4 THEN $5 END,
        payload = CASE WHEN attempts + 1 >= $4 THEN NULL ELSE payload END
    WHERE id = $1 AND sent_at IS NULL";

impl Mail {
    /// Puts an errand of a kind into the outbox.
    ///
    /// # Errors
    /// When the database fails or there is no entropy to seal with.
    pub async fn put_errand(&self, tx: &WriteTx, kind: &'static str, clear: &[u8]) -> Result<()> {
        let (id, now): (OutboxId, _) = (self.ids.next(), tx.caller().now());
        let row = outbox::Model {
            id,
            kind: kind.to_owned(),
            payload: Some(self.vault.seal(PAYLOAD, id, clear)?),
            created_at: now,
            available_at: now,
            attempts: 0,
            leased_by: None,
            leased_until: None,
            sent_at: None,
            failed_at: None,
            last_error: None,
        };
        tx.append(vec![outbox::ActiveModel::from(row)]).await
    }

    /// The next errand of a kind, which is done when `tx` commits.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn take_errand(&self, tx: &WriteTx, kind: &'static str) -> Result<Option<Errand>> {
        let rows: Vec<Row> = tx.query(TAKE, [kind.into(), tx.caller().now().into()]).await?;
        Ok(rows.into_iter().next().map(|Row { id, payload }| Errand { id, payload }))
    }

    /// What an errand says.
    ///
    /// # Errors
    /// When this instance has not the key that it is sealed under.
    pub fn read_errand(&self, errand: &Errand) -> Result<Zeroizing<Vec<u8>>> {
        self.vault.open(PAYLOAD, errand.id, &errand.payload)
    }

    /// Leaves an errand that failed for later, in a transaction of its own.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn postpone_errand(&self, tx: WriteTx, id: OutboxId, reason: &str) -> Result<()> {
        let now = tx.caller().now();
        let due = now + TimeDelta::seconds(10);
        let values = [id.into(), due.into(), reason.into(), MOST_ATTEMPTS.into(), now.into()];
        tx.execute(POSTPONE, values).await?;
        tx.commit(Unrecorded("the audit entry is that of the operation that queued the letter")).await
    }
}
