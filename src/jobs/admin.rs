//! What platform administrators see of the jobs and do with them.

use std::collections::HashMap;

use entity::{JobRunId, job_pauses, job_runs as rows};
use sea_orm::{ColumnTrait, FromQueryResult, QueryFilter, QueryOrder, QuerySelect};

use super::{Job, JobRun, Jobs};
use crate::{
    audit::{Event, Kind},
    db::{Db, Tx, Unrecorded, WriteTx},
    error::{Code, Error, Result},
    runtime::{Ids, Timestamp},
    types::{Caller, Page, PageRequest},
};

/// That a job is paused.
pub type Paused = job_pauses::Model;

/// A job and how it is doing.
pub struct Status {
    /// The job.
    pub job: Job,
    /// Whether it is paused, since when and by whom.
    pub paused: Option<Paused>,
    /// Its latest run.
    pub last: Option<JobRun>,
    /// How many of its runs failed for good and wait for a person.
    pub dead: u64,
}

#[derive(FromQueryResult)]
struct Dead {
    job: String,
    dead: i64,
}

/// Every job, and how it is doing.
///
/// # Errors
/// When the database fails.
pub async fn list(db: &Db, jobs: &Jobs, caller: &Caller) -> Result<Vec<Status>> {
    let tx = db.read(caller).await?;
    statuses(&tx, jobs.all()).await
}

/// One job, and how it is doing.
///
/// # Errors
/// `NotFound` for a job that this release does not have.
pub async fn get(db: &Db, jobs: &Jobs, caller: &Caller, name: &str) -> Result<Status> {
    let job = jobs.find(name).ok_or_else(Error::not_found)?;
    let tx = db.read(caller).await?;
    statuses(&tx, std::slice::from_ref(job)).await?.into_iter().next().ok_or_else(Error::not_found)
}

async fn statuses(tx: &Tx, jobs: &[Job]) -> Result<Vec<Status>> {
    let paused = tx.all(tx.find_identity::<job_pauses::Entity>()).await?;
    let mut paused: HashMap<String, Paused> = paused.into_iter().map(|row| (row.job.clone(), row)).collect();
    let dead = "SELECT job, count(*) AS dead FROM job_runs WHERE state = 'dead' GROUP BY job";
    let dead: Vec<Dead> = tx.query(dead, []).await?;
    let mut found = Vec::with_capacity(jobs.len());
    for job in jobs {
        let latest = of(tx, job.name).order_by_desc(rows::Column::Id).limit(1);
        let dead = dead.iter().find(|row| row.job == job.name).map_or(0, |row| row.dead);
        found.push(Status {
            job: job.clone(),
            paused: paused.remove(job.name),
            last: tx.one(latest).await?,
            dead: u64::try_from(dead).unwrap_or(0),
        });
    }
    Ok(found)
}

/// The runs of a job, the latest first.
///
/// # Errors
/// `NotFound` for a job that this release does not have.
pub async fn runs(db: &Db, jobs: &Jobs, caller: &Caller, (name, page): (&str, PageRequest)) -> Result<Page<JobRun>> {
    let job = jobs.find(name).ok_or_else(Error::not_found)?;
    let tx = db.read(caller).await?;
    let mut query = of(&tx, job.name).order_by_desc(rows::Column::Id).limit(page.rows());
    if let Some(after) = page.after {
        query = query.filter(rows::Column::Id.lt(after.0));
    }
    Ok(Page::of(page, tx.all(query).await?, |row| row.id.into()))
}

/// One run.
///
/// # Errors
/// `NotFound`.
pub async fn run(db: &Db, caller: &Caller, id: JobRunId) -> Result<JobRun> {
    let tx = db.read(caller).await?;
    tx.one(by_id(&tx, id)).await?.ok_or_else(Error::not_found)
}

fn of(tx: &Tx, job: &str) -> sea_orm::Select<rows::Entity> {
    tx.find_identity::<rows::Entity>().filter(rows::Column::Job.eq(job))
}

fn by_id(tx: &Tx, id: JobRunId) -> sea_orm::Select<rows::Entity> {
    tx.find_identity::<rows::Entity>().filter(rows::Column::Id.eq(id))
}

/// Asks for a run now. A paused job runs as well: whoever asks means it.
///
/// # Errors
/// `NotFound`; `Conflict` with `operation_in_progress` while a run of the job waits or runs.
pub async fn request(db: &Db, jobs: &Jobs, caller: &Caller, name: &str) -> Result<JobRun> {
    let job = jobs.find(name).ok_or_else(Error::not_found)?;
    let tx = db.write(caller).await?;
    alone(&tx, job.name).await?;
    let open = of(&tx, job.name).filter(rows::Column::State.is_in([rows::State::Queued, rows::State::Running]));
    if tx.one(open.limit(1)).await?.is_some() {
        return Err(Error::Conflict(Code::OperationInProgress));
    }
    let id = Ids.next::<JobRunId>();
    // By the database's clock, as everything in the queue.
    let insert = "INSERT INTO job_runs (id, job, fire_time, cause, requested_by, state, created_at, available_at)
         VALUES ($1, $2, now(), 'person', $3, 'queued', now(), now())";
    tx.execute(insert, [id.into(), job.name.into(), caller.account().into()]).await?;
    let run = tx.one(by_id(&tx, id)).await?.ok_or_else(Error::not_found)?;
    tx.commit(Event::new(Kind::JobRequested, run.id).with("job", job.name)).await?;
    Ok(run)
}

/// Puts a run of a job into the queue in this transaction, which says why, unless one is waiting already.
///
/// # Errors
/// When the database fails.
pub async fn enqueue_now(tx: &WriteTx, job: &'static str) -> Result<()> {
    alone(tx, job).await?;
    let insert = "INSERT INTO job_runs (id, job, fire_time, cause, requested_by, state, created_at, available_at)
         SELECT $1, $2, clock_timestamp(), 'person', $3, 'queued', now(), now()
         WHERE NOT EXISTS (SELECT FROM job_runs WHERE job = $2 AND state = 'queued')";
    tx.execute(insert, [Ids.next::<JobRunId>().into(), job.into(), tx.caller().account().into()]).await?;
    Ok(())
}

/// Puts a run that failed for good into the queue again.
///
/// # Errors
/// `NotFound` when there is no such run that failed for good; `Conflict` while another of its job waits or runs.
pub async fn retry(db: &Db, caller: &Caller, run: JobRunId) -> Result<JobRun> {
    let tx = db.write(caller).await?;
    let row = tx.one(by_id(&tx, run).lock_exclusive()).await?.filter(|row| row.state == rows::State::Dead);
    let row = row.ok_or_else(Error::not_found)?;
    alone(&tx, &row.job).await?;
    let again =
        "UPDATE job_runs SET state = 'queued', attempts = 0, available_at = now(), finished_at = NULL WHERE id = $1";
    tx.execute(again, [run.into()]).await?;
    let (job, row) = (row.job, tx.one(by_id(&tx, run)).await?.ok_or_else(Error::not_found)?);
    tx.commit(Event::new(Kind::JobRequested, run).with("job", job)).await?;
    Ok(row)
}

/// Takes a job off the schedule. A run that waits or runs is not touched.
///
/// # Errors
/// `NotFound` for a job that this release does not have.
pub async fn pause(db: &Db, jobs: &Jobs, caller: &Caller, name: &str) -> Result<()> {
    let job = jobs.find(name).ok_or_else(Error::not_found)?;
    let tx = db.write(caller).await?;
    alone(&tx, job.name).await?;
    if pause_of(&tx, job.name).await?.is_some() {
        return tx.commit(Unrecorded("nothing was changed")).await;
    }
    let row = Paused { job: job.name.to_owned(), paused_by: caller.account(), paused_at: caller.now() };
    tx.insert(job_pauses::ActiveModel::from(row)).await?;
    tx.commit(Event::without_target(Kind::JobPaused).with("job", job.name)).await
}

/// Puts a job on the schedule again, from its next moment on.
///
/// # Errors
/// `NotFound` for a job that this release does not have.
pub async fn resume(db: &Db, jobs: &Jobs, caller: &Caller, name: &str) -> Result<()> {
    let job = jobs.find(name).ok_or_else(Error::not_found)?;
    let tx = db.write(caller).await?;
    alone(&tx, job.name).await?;
    if tx.execute("DELETE FROM job_pauses WHERE job = $1", [job.name.into()]).await? == 0 {
        return tx.commit(Unrecorded("nothing was changed")).await;
    }
    tx.commit(Event::without_target(Kind::JobResumed).with("job", job.name)).await
}

async fn pause_of(tx: &Tx, job: &str) -> Result<Option<Paused>> {
    tx.one(tx.find_identity::<job_pauses::Entity>().filter(job_pauses::Column::Job.eq(job))).await
}

/// Two who change the same job at once: the second is told so (OPS-2).
async fn alone(tx: &WriteTx, job: &str) -> Result<()> {
    tx.try_lock(&format!("job {job}")).await
}

/// Removes some of the runs that succeeded before this, and the instances that were last seen before this.
///
/// # Errors
/// When the database fails.
pub async fn clean_up(tx: &WriteTx, before: Timestamp) -> Result<u64> {
    let runs = "DELETE FROM job_runs WHERE id IN (
             SELECT id FROM job_runs WHERE state = 'succeeded' AND finished_at < $1 ORDER BY finished_at LIMIT 1000)";
    let instances = "DELETE FROM instances WHERE seen_at < $1";
    Ok(tx.execute(runs, [before.into()]).await? + tx.execute(instances, [before.into()]).await?)
}
