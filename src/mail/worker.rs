//! The worker: takes letters out of the outbox and hands them to the mail server. Every instance runs one.
//!
//! A letter is leased to one worker at a time, by the database's clock, and sent outside of any transaction. A worker
//! that dies leaves its lease to run out, and another one takes over; should the dead one have handed the letter over
//! and not written that down, the repeated message is the same, with the same `Message-ID`. The worker outlives
//! every fault of the database and the mail server. It logs ids, never addresses or text.

use std::{sync::Arc, time::Duration};

use entity::{OutboxId, Sealed, Secrets};
use futures_util::StreamExt;
use sea_orm::FromQueryResult;
use tokio::{sync::Notify, time::Instant};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{KIND, Mail, Transport, retry, transport::Failure};
use crate::{
    db::{Db, Unrecorded},
    error::Result,
    runtime::{Clock, Timestamp},
    types::{Caller, Origin},
};

/// The most letters that are taken at a time.
const BATCH: i64 = 20;
/// How many of them are handed over side by side, so that one slow answer does not hold up the rest.
const ABREAST: usize = 4;
/// How long a letter belongs to the worker that took it, in seconds. Longer than [`FRESH`], opening a connection and
/// sending one message may take together (`smtp.rs`).
const LEASE: i64 = 60;
/// A lease older than this is renewed before the letter is handed over, or else it could run out on the way.
const FRESH: Duration = Duration::from_secs(5);
/// How often the worker looks without being woken.
const EVERY: Duration = Duration::from_secs(5);
/// Pauses while the database is away.
const SHORTEST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// What a worker works with.
pub struct Worker {
    /// Where the outbox is.
    pub db: Db,
    /// Opens what lies in it.
    pub mail: Mail,
    /// Where letters go.
    pub transport: Transport,
    /// The clock.
    pub clock: Clock,
    /// Told when something was put into the outbox. Without, it is found within 5 seconds.
    pub wake: Arc<Notify>,
}

/// A letter that this worker has a lease of.
#[derive(FromQueryResult)]
struct Leased {
    id: OutboxId,
    payload: Sealed<Secrets>,
    created_at: Timestamp,
    attempts: i32,
}

/// One round: what was taken together.
struct Round {
    /// The holder of the leases.
    worker: Uuid,
    /// No later than the leases began.
    began: Instant,
}

impl Worker {
    /// Sends until `stop`, and finishes what it has begun to hand over then.
    pub async fn run(self, stop: CancellationToken) {
        let worker = self.mail.ids.next();
        let mut pause = SHORTEST_PAUSE;
        while !stop.is_cancelled() {
            match self.round(worker, &stop).await {
                Ok(BATCH) => pause = SHORTEST_PAUSE,
                Ok(_) => {
                    pause = SHORTEST_PAUSE;
                    tokio::select! {
                        () = stop.cancelled() => {}
                        () = self.wake.notified() => {}
                        () = tokio::time::sleep(EVERY) => {}
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, ?pause, "mail waits: the outbox can't be reached");
                    tokio::select! {
                        () = stop.cancelled() => {}
                        () = tokio::time::sleep(pause) => {}
                    }
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
            }
        }
    }

    /// Takes what is due and hands it over. Returns how much was taken.
    async fn round(&self, worker: Uuid, stop: &CancellationToken) -> Result<i64> {
        let round = Round { worker, began: Instant::now() };
        let letters = self.take(&round).await?;
        let taken = i64::try_from(letters.len()).unwrap_or(BATCH);
        let done: Vec<Result<()>> = futures_util::stream::iter(letters)
            .map(|letter| self.deliver(&round, letter, stop))
            .buffer_unordered(ABREAST)
            .collect()
            .await;
        if taken > 0 {
            self.transport.rest().await;
        }
        done.into_iter().collect::<Result<()>>().map(|()| taken)
    }

    async fn deliver(&self, round: &Round, letter: Leased, stop: &CancellationToken) -> Result<()> {
        let id = letter.id;
        if stop.is_cancelled() {
            return self.release(round, id).await;
        }
        if round.began.elapsed() > FRESH && !self.renew(round, id).await? {
            tracing::info!(mail = %id, "the lease of a letter ran out; another instance has it");
            return Ok(());
        }
        let handed_over = match self.mail.open(id, &letter.payload) {
            Ok(post) => self.transport.send(id, letter.created_at, &post).await,
            // This instance may have the wrong key, another one the right one.
            Err(error) => Err(Failure::transient(error.to_string())),
        };
        match handed_over {
            Ok(()) => {
                tracing::info!(mail = %id, attempts = letter.attempts + 1, "mail sent");
                self.mark_sent(id, stop).await
            }
            Err(failure) => self.mark_failed(round, &letter, &failure).await,
        }
    }

    /// Leases what is due and nobody else's.
    async fn take(&self, round: &Round) -> Result<Vec<Leased>> {
        let tx = self.db.write(&self.caller()).await?;
        // The lease is measured by the one clock that all instances share. The table expression is materialised,
        // or the planner could run it more than once and take more than the limit.
        let letters: Vec<Leased> = tx
            .query(
                "WITH due AS MATERIALIZED (
                     SELECT id FROM outbox
                     WHERE kind = $1 AND sent_at IS NULL AND failed_at IS NULL AND available_at <= $2
                       AND (leased_until IS NULL OR leased_until <= now())
                     ORDER BY available_at, id LIMIT $3
                     FOR UPDATE SKIP LOCKED
                 )
                 UPDATE outbox SET leased_by = $4, leased_until = now() + $5 * interval '1 second'
                 FROM due WHERE outbox.id = due.id
                 RETURNING outbox.id, outbox.payload, outbox.created_at, outbox.attempts",
                [KIND.into(), self.clock.now().into(), BATCH.into(), round.worker.into(), LEASE.into()],
            )
            .await?;
        if !letters.is_empty() {
            tx.commit(Unrecorded("a lease of a letter says nothing about what anybody did")).await?;
        }
        Ok(letters)
    }

    /// Begins the lease anew. `false` when it is not this worker's any more.
    async fn renew(&self, round: &Round, id: OutboxId) -> Result<bool> {
        let tx = self.db.write(&self.caller()).await?;
        let renewed = tx
            .execute(
                "UPDATE outbox SET leased_until = now() + $1 * interval '1 second'
                 WHERE id = $2 AND leased_by = $3 AND leased_until > now() AND sent_at IS NULL AND failed_at IS NULL",
                [LEASE.into(), id.into(), round.worker.into()],
            )
            .await?;
        tx.commit(Unrecorded("a lease of a letter says nothing about what anybody did")).await?;
        Ok(renewed == 1)
    }

    /// Gives back what was not tried.
    async fn release(&self, round: &Round, id: OutboxId) -> Result<()> {
        let tx = self.db.write(&self.caller()).await?;
        tx.execute(
            "UPDATE outbox SET leased_by = NULL, leased_until = NULL WHERE id = $1 AND leased_by = $2",
            [id.into(), round.worker.into()],
        )
        .await?;
        tx.commit(Unrecorded("a lease of a letter says nothing about what anybody did")).await
    }

    /// Writes down that a letter has left, and destroys its text. Whoever has the lease now: it has left. It does not
    /// give up while the database is away, or the letter would leave again.
    async fn mark_sent(&self, id: OutboxId, stop: &CancellationToken) -> Result<()> {
        let mut pause = SHORTEST_PAUSE;
        loop {
            let error = match self.try_mark_sent(id).await {
                Ok(()) => return Ok(()),
                Err(error) => error,
            };
            tracing::warn!(mail = %id, %error, "a letter was sent and can't be marked yet");
            if stop.is_cancelled() {
                return Err(error);
            }
            tokio::select! {
                // One more time, without waiting.
                () = stop.cancelled() => {}
                () = tokio::time::sleep(pause) => {}
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    async fn try_mark_sent(&self, id: OutboxId) -> Result<()> {
        let tx = self.db.write(&self.caller()).await?;
        tx.execute(
            "UPDATE outbox SET sent_at = $1, failed_at = NULL, payload = NULL, attempts = attempts + 1,
                 leased_by = NULL, leased_until = NULL, last_error = NULL
             WHERE id = $2 AND sent_at IS NULL",
            [self.clock.now().into(), id.into()],
        )
        .await?;
        tx.commit(Unrecorded("the audit entry is that of the operation that queued the letter")).await
    }

    /// Writes down a failed attempt: when to try again, or that the letter is given up, its text destroyed.
    async fn mark_failed(&self, round: &Round, letter: &Leased, failure: &Failure) -> Result<()> {
        let (id, attempts, now) = (letter.id, letter.attempts.saturating_add(1), self.clock.now());
        let due = match failure {
            Failure::Transient(_) => retry::next(id, attempts, letter.created_at, now),
            Failure::Permanent(_) => None,
        };
        let reason = failure.reason();
        match due {
            Some(due) => {
                tracing::warn!(mail = %id, attempts, %due, reason, "mail could not be sent; it will be tried again")
            }
            None => tracing::error!(mail = %id, attempts, reason, "mail could not be sent and was given up"),
        }
        let given_up = due.is_none().then_some(now);
        let tx = self.db.write(&self.caller()).await?;
        tx.execute(
            "UPDATE outbox SET attempts = $1, available_at = $2, failed_at = $3, last_error = $4,
                 payload = CASE WHEN $3::timestamptz IS NULL THEN payload END,
                 leased_by = NULL, leased_until = NULL
             WHERE id = $5 AND leased_by = $6 AND sent_at IS NULL",
            [
                attempts.into(),
                due.unwrap_or(now).into(),
                given_up.into(),
                reason.into(),
                id.into(),
                round.worker.into(),
            ],
        )
        .await?;
        tx.commit(Unrecorded("the audit entry is that of the operation that queued the letter")).await
    }

    fn caller(&self) -> Caller {
        let run: Uuid = self.mail.ids.next();
        let request_id = run.to_string().into();
        Caller::system("mail", Origin { request_id, address: None, user_agent: None, now: self.clock.now() })
    }
}
