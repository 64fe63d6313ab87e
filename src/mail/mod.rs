//! Mail: letters are written when they are queued, lie sealed in the outbox, and leave after the commit.
//!
//! [`Mail::queue`] puts a letter into the caller's own transaction; [`Worker`] sends what lies there, on every
//! instance, with leases, so that each letter leaves once. No text of a mail and no
//! address is ever logged or kept in clear, and a letter's text is destroyed as soon as it has left or failed.
//! This module never decides who is written to.

mod alerts;
mod eml;
mod errand;
pub mod files;
mod letter;
mod notice;
mod post;
mod recovery;
mod retry;
mod smtp;
mod transport;
mod worker;

use std::collections::HashMap;

use chrono::TimeDelta;
use entity::{OutboxId, Sealed, Secrets, outbox};
use sea_orm::{ColumnTrait, QueryFilter, QuerySelect};
use uuid::Uuid;

pub use alerts::{AlertLine, Occasion};
pub use errand::Errand;
pub use letter::{FactorChange, Letter, LockScope};
pub use recovery::{AddressChange, RecoveryDecision, RecoveryLetter};
pub use transport::Transport;
pub use worker::Worker;

use crate::{
    db::{Tx, WriteTx},
    error::{Error, Result},
    jobs::{Report, Run},
    runtime::{Ids, Timestamp},
    types::Email,
    vault::{Field, Table, Vault},
};

use post::Post;

/// How long it can be seen what became of a letter.
const KEPT: TimeDelta = TimeDelta::days(30);

/// A letter as it lies in the outbox.
const PAYLOAD: Field<Secrets> = Field::new("outbox.payload");

/// What of them is sealed.
pub const SEALED: &[Table] = &[crate::vault::sealed_table!("outbox", Secrets, ["payload"])];

/// The outbox's word for mail.
const KIND: &str = "mail";

/// The way into the outbox. Cheap to clone.
#[derive(Clone)]
pub struct Mail {
    vault: Vault,
    ids: Ids,
}

/// What became of a letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// It waits for its first or its next attempt.
    Waiting,
    /// The mail server took it at this time. It says nothing about the recipient's inbox.
    Sent(Timestamp),
    /// It was given up at this time.
    Failed(Timestamp),
}

impl Mail {
    /// An outbox that is sealed with this vault.
    pub fn new(vault: Vault, ids: Ids) -> Self {
        Self { vault, ids }
    }

    /// Writes the letter now and lets it leave if and when `tx` commits.
    ///
    /// # Errors
    /// When the database fails or there is no entropy to seal with.
    pub async fn queue(&self, tx: &WriteTx, to: &Email, letter: &Letter) -> Result<OutboxId> {
        self.queue_for(tx, to, letter, tx.caller().now()).await
    }

    /// The same for a letter that leaves no earlier than at a time.
    ///
    /// # Errors
    /// As [`Mail::queue`].
    pub async fn queue_for(&self, tx: &WriteTx, to: &Email, letter: &Letter, at: Timestamp) -> Result<OutboxId> {
        let id: OutboxId = self.ids.next();
        let clear = Post::new(to, letter)?.to_bytes()?;
        let now = tx.caller().now();
        let row = outbox::Model {
            id,
            kind: KIND.to_owned(),
            payload: Some(self.vault.seal(PAYLOAD, id, &clear)?),
            created_at: now,
            available_at: at,
            attempts: 0,
            leased_by: None,
            leased_until: None,
            sent_at: None,
            failed_at: None,
            last_error: None,
        };
        // The application's role may add to the outbox but not read what lies in it.
        tx.append(vec![outbox::ActiveModel::from(row)]).await?;
        Ok(id)
    }

    fn open(&self, id: OutboxId, payload: &Sealed<Secrets>) -> Result<Post> {
        Post::from_bytes(&self.vault.open(PAYLOAD, id, payload)?)
    }
}

/// Takes letters back that have not left, and forgets what became of the others.
///
/// # Errors
/// When the database fails.
pub async fn erase(tx: &WriteTx, ids: &[OutboxId]) -> Result<()> {
    let ids: Vec<Uuid> = ids.iter().map(|id| Uuid::from(*id)).collect();
    tx.execute("DELETE FROM outbox WHERE id = ANY ($1)", [ids.into()]).await?;
    Ok(())
}

/// What became of these letters. One that is not in the outbox any more is not in the answer.
///
/// # Errors
/// When the database fails.
pub async fn delivery(tx: &Tx, ids: &[OutboxId]) -> Result<HashMap<OutboxId, Delivery>> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    // These three columns are all that the application's role may read.
    let query = tx
        .find_identity::<outbox::Entity>()
        .select_only()
        .columns([outbox::Column::Id, outbox::Column::SentAt, outbox::Column::FailedAt])
        .filter(outbox::Column::Id.is_in(ids.iter().copied()))
        .into_tuple::<(OutboxId, Option<Timestamp>, Option<Timestamp>)>();
    let rows = tx.rows(query).await?;
    Ok(rows.into_iter().map(|(id, sent, failed)| (id, Delivery::of(sent, failed))).collect())
}

/// Removes what is left of letters that were sent or given up long ago.
///
/// # Errors
/// When the database fails.
pub async fn clean_up(run: Run) -> Result<Report> {
    let old = "DELETE FROM outbox WHERE id IN (
             SELECT id FROM outbox WHERE sent_at < $1 OR failed_at < $1 LIMIT 1000)";
    let before = run.caller().now() - KEPT;
    let removed = run.repeat(old, &[before.into()]).await?;
    Ok(Report::from([("letters", removed)]))
}

impl Delivery {
    fn of(sent: Option<Timestamp>, failed: Option<Timestamp>) -> Self {
        match (sent, failed) {
            (Some(at), _) => Self::Sent(at),
            (None, Some(at)) => Self::Failed(at),
            (None, None) => Self::Waiting,
        }
    }
}

fn internal(what: &str, error: impl std::fmt::Display) -> Error {
    Error::internal(format!("{what}: {error}"))
}
