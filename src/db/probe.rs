//! Whether the database answers, and whether it and this server mean the same by "now" (OPS-11).
//!
//! However many ask, the database is asked once a second at most: whoever wants to know whether an instance is well
//! must not be what makes it ill.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use chrono::TimeDelta;
use sea_orm::FromQueryResult;
use tokio::sync::Mutex;

use super::Db;
use crate::{
    error::Result,
    runtime::{Clock, Timestamp},
    types::Caller,
};

/// For how long an answer stands.
const STANDS: Duration = Duration::from_secs(1);
/// How long the database may take to answer.
const PATIENCE: Duration = Duration::from_secs(2);
/// How far the clocks may be apart. Leases and the order of things across instances rely on it.
const APART: TimeDelta = TimeDelta::seconds(1);

/// How the database is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    /// It answers, and its clock is right.
    Good,
    /// It does not answer.
    Away,
    /// It answers, and its clock or this server's is wrong.
    ClockOff,
}

/// Asks the database how it is.
#[derive(Clone)]
pub struct Probe {
    db: Db,
    clock: Clock,
    last: Arc<Mutex<Option<(Instant, Condition)>>>,
}

#[derive(FromQueryResult)]
struct Time {
    now: Timestamp,
}

impl Probe {
    /// A probe that has not asked yet.
    pub fn new(db: Db, clock: Clock) -> Self {
        Self { db, clock, last: Arc::default() }
    }

    /// How the database was within the last second.
    pub async fn condition(&self, caller: &Caller) -> Condition {
        // Whoever comes while it is being asked waits here, for the same answer.
        let mut last = self.last.lock().await;
        if let Some((asked, condition)) = *last
            && asked.elapsed() < STANDS
        {
            return condition;
        }
        let condition = match tokio::time::timeout(PATIENCE, self.ask(caller)).await {
            Ok(Ok(condition)) => condition,
            Ok(Err(error)) => {
                tracing::warn!(%error, "the database can't be asked how it is");
                Condition::Away
            }
            Err(_) => Condition::Away,
        };
        *last = Some((Instant::now(), condition));
        condition
    }

    async fn ask(&self, caller: &Caller) -> Result<Condition> {
        let tx = self.db.read(caller).await?;
        let sent = self.clock.now();
        let times: Vec<Time> = tx.query("SELECT clock_timestamp() AS now", []).await?;
        let under_way = self.clock.now() - sent;
        // The database looked at its clock at some moment in between, and nobody knows at which.
        let apart = |time: &Time| (time.now - (sent + under_way / 2)).abs() - under_way / 2;
        let apart = times.iter().map(apart).max().unwrap_or_default();
        if apart <= APART {
            return Ok(Condition::Good);
        }
        tracing::error!(milliseconds = apart.num_milliseconds(), "the database's clock and this server's are apart");
        Ok(Condition::ClockOff)
    }
}
