//! The queue: how a run gets in, is taken, and ends. Every statement is one that two instances may make at once.
//!
//! Times are the database's, the one clock that all instances share.

use std::time::Duration;

use entity::{InstanceId, JobRunId, job_runs::State};
use sea_orm::FromQueryResult;
use serde_json::json;
use uuid::Uuid;

use super::Report;
use crate::{
    db::{Term, WriteTx},
    error::{Error, Result},
    runtime::Timestamp,
};

/// How long a run belongs to the leader that took it, unless it renews that. Longer than a leader may be silent.
pub(super) const LEASE: Duration = Duration::from_secs(15);
/// How often a run is tried in all.
pub(super) const ATTEMPTS: i32 = 6;
/// How long a run waits before it is tried again, by the number of attempts before.
const PAUSES: [Duration; 5] = [
    Duration::from_secs(5),
    Duration::from_secs(30),
    Duration::from_secs(120),
    Duration::from_secs(600),
    Duration::from_secs(1800),
];

/// A run that this leader has taken.
#[derive(Debug, FromQueryResult)]
pub(super) struct Taken {
    pub(super) id: JobRunId,
    pub(super) job: String,
    pub(super) attempts: i32,
}

#[derive(FromQueryResult)]
struct Latest {
    fire_time: Option<Timestamp>,
}

/// What is to become of a run that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Tried again after this.
    Again(Duration),
    /// Given up.
    Dead,
}

impl Verdict {
    /// Faults of the surroundings pass; ours don't, and another try would only repeat them.
    pub(super) fn on(error: &Error, attempts: i32) -> Self {
        let passing = matches!(error, Error::Upstream { .. } | Error::Throttled(_) | Error::Conflict(_));
        let pause = usize::try_from(attempts.saturating_sub(1)).ok().and_then(|at| PAUSES.get(at));
        match pause {
            Some(pause) if passing => Self::Again(*pause),
            _ => Self::Dead,
        }
    }
}

/// Puts the scheduled run of a moment into the queue, unless it is there or the job is paused.
pub(super) async fn enqueue(tx: &WriteTx, id: JobRunId, job: &'static str, fire_time: Timestamp) -> Result<bool> {
    let sql = "INSERT INTO job_runs (id, job, fire_time, cause, state, created_at, available_at)
         SELECT $1, $2, $3, 'schedule', 'queued', now(), now()
         WHERE NOT EXISTS (SELECT 1 FROM job_pauses WHERE job = $2)
         ON CONFLICT ON CONSTRAINT job_runs_fire_time_key DO NOTHING";
    Ok(tx.execute(sql, [id.into(), job.into(), fire_time.into()]).await? == 1)
}

/// The same for a moment that may have passed while nobody led: it is one if the job has run before that moment, and
/// not since. A job that has never run waits for its next moment.
pub(super) async fn catch_up(tx: &WriteTx, id: JobRunId, job: &'static str, fire_time: Timestamp) -> Result<bool> {
    let latest: Vec<Latest> =
        tx.query("SELECT max(fire_time) AS fire_time FROM job_runs WHERE job = $1", [job.into()]).await?;
    let missed = latest.iter().filter_map(|row| row.fire_time).any(|latest| latest < fire_time);
    Ok(missed && enqueue(tx, id, job, fire_time).await?)
}

/// Takes the next run that is due, also one that a former leader has left behind.
pub(super) async fn take(tx: &WriteTx, names: &[&'static str], by: InstanceId, term: Term) -> Result<Option<Taken>> {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let sql = "WITH due AS MATERIALIZED (
             SELECT r.id FROM job_runs r
             WHERE r.state IN ('queued', 'running') AND r.job = ANY ($1)
               AND CASE r.state WHEN 'queued' THEN r.available_at <= now() ELSE r.term < $2 OR r.leased_until <= now() END
               AND NOT EXISTS (SELECT 1 FROM job_runs o WHERE o.job = r.job AND o.state = 'running' AND o.id <> r.id)
             ORDER BY r.available_at, r.id LIMIT 1
             FOR UPDATE SKIP LOCKED
         )
         UPDATE job_runs SET state = 'running', attempts = attempts + 1, term = $2, instance_id = $3,
             started_at = clock_timestamp(), leased_until = now() + $4 * interval '1 second', error = NULL
         FROM due WHERE job_runs.id = due.id
         RETURNING job_runs.id, job_runs.job, job_runs.attempts";
    let values = [names.into(), term.into(), by.into(), seconds(LEASE).into()];
    Ok(tx.query(sql, values).await?.into_iter().next())
}

/// Begins the lease of a run anew.
pub(super) async fn renew(tx: &WriteTx, id: JobRunId, term: Term) -> Result<()> {
    let sql = "UPDATE job_runs SET leased_until = now() + $3 * interval '1 second'
         WHERE id = $1 AND term = $2 AND state = 'running'";
    still(tx.execute(sql, [id.into(), term.into(), seconds(LEASE).into()]).await?)
}

/// Writes down that a run has done what it should.
pub(super) async fn finish(tx: &WriteTx, id: JobRunId, term: Term, report: &Report) -> Result<()> {
    let sql =
        "UPDATE job_runs SET state = 'succeeded', finished_at = clock_timestamp(), leased_until = NULL, result = $3
         WHERE id = $1 AND term = $2 AND state = 'running'";
    still(tx.execute(sql, [id.into(), term.into(), json!(report).into()]).await?)
}

/// Writes down that a run has failed, and what is to become of it.
pub(super) async fn fail(tx: &WriteTx, id: JobRunId, term: Term, verdict: Verdict, reason: &str) -> Result<()> {
    let (state, pause) = match verdict {
        Verdict::Again(pause) => (State::Queued, pause),
        Verdict::Dead => (State::Dead, Duration::ZERO),
    };
    let sql = "UPDATE job_runs SET state = $3, error = $4, leased_until = NULL,
             available_at = now() + $5 * interval '1 second',
             finished_at = CASE $3 WHEN 'dead' THEN clock_timestamp() END
         WHERE id = $1 AND term = $2 AND state = 'running'";
    // The reason is for operators; a long one is cut.
    let reason: String = reason.chars().take(500).collect();
    let values = [id.into(), term.into(), state.into(), reason.into(), seconds(pause).into()];
    still(tx.execute(sql, values).await?)
}

/// Gives back a run that was not finished because the server stops: the next leader takes it at once.
pub(super) async fn release(tx: &WriteTx, id: JobRunId, term: Term) -> Result<()> {
    let sql = "UPDATE job_runs SET state = 'queued', leased_until = NULL, attempts = attempts - 1
         WHERE id = $1 AND term = $2 AND state = 'running'";
    still(tx.execute(sql, [Uuid::from(id).into(), term.into()]).await?)
}

fn still(rows: u64) -> Result<()> {
    let lost = || Error::Upstream { reason: "the run is not this leader's any more".to_owned(), retry_after: LEASE };
    if rows == 1 { Ok(()) } else { Err(lost()) }
}

fn seconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_secs()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Proves OPS-3.
    #[test]
    fn passing_faults_are_tried_again_and_ours_are_not() {
        let away = Error::Upstream { reason: "away".to_owned(), retry_after: LEASE };
        let pauses: Vec<_> = (1..=ATTEMPTS).map(|attempts| Verdict::on(&away, attempts)).collect();
        assert!(
            matches!(pauses.as_slice(), [Verdict::Again(first), .., Verdict::Again(last), Verdict::Dead] if first < last)
        );
        assert_eq!(Verdict::on(&Error::internal("a bug"), 1), Verdict::Dead);
    }
}
