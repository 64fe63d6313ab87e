//! What runs by itself, and the instances that run it.

use chrono::{DateTime, Utc};
use entity::{JobRunId, job_runs};
use poem::Request;
use poem_openapi::{
    Enum, Object, OpenApi,
    param::{Header, Path, Query},
    payload::Json,
};
use uuid::Uuid;

use super::{
    Face, Tag,
    wire::{Created, Listed},
};
use crate::{
    edge::ApiResult,
    jobs::{self, JobRun, Status},
    types::{Caller, PageRequest},
};

/// The operations.
pub struct Operations(pub Face);

/// How far a run is.
#[derive(Debug, Enum)]
#[oai(rename_all = "snake_case")]
enum JobRunState {
    /// It waits, for its first or its next attempt.
    Queued,
    /// The leader is at it.
    Running,
    /// It did what it should.
    Succeeded,
    /// It failed for good and waits for a person.
    Dead,
}

/// Why there is a run.
#[derive(Debug, Enum)]
#[oai(rename_all = "snake_case")]
enum JobRunCause {
    /// Its time had come.
    Schedule,
    /// Somebody asked for it.
    Person,
}

/// One run of a job.
#[derive(Debug, Object)]
#[oai(rename = "JobRun", skip_serializing_if_is_none)]
struct WireRun {
    /// Its id.
    id: Uuid,
    /// The job.
    job: String,
    /// The moment of the schedule that it is for, or when it was asked for.
    fire_time: DateTime<Utc>,
    /// Why there is this run.
    cause: JobRunCause,
    /// The account that asked for it.
    requested_by: Option<Uuid>,
    /// How far it is.
    state: JobRunState,
    /// How often it was tried.
    attempts: i32,
    /// The leadership under which it was tried last.
    term: Option<i64>,
    /// The instance that tried it last.
    instance_id: Option<Uuid>,
    /// When it is tried next, while it waits.
    available_at: Option<DateTime<Utc>>,
    /// When the last attempt began.
    started_at: Option<DateTime<Utc>>,
    /// When it ended.
    finished_at: Option<DateTime<Utc>>,
    /// How long the last attempt took, in milliseconds.
    duration_ms: Option<i64>,
    /// What it did, by name.
    result: Option<serde_json::Value>,
    /// Why the last attempt failed.
    error: Option<String>,
}

/// Something that runs by itself.
#[derive(Debug, Object)]
#[oai(skip_serializing_if_is_none)]
struct Job {
    /// Its stable name.
    name: String,
    /// For people.
    title: String,
    /// What it does.
    purpose: String,
    /// When it runs: a cron line with seconds, in UTC.
    schedule: String,
    /// Since when it is paused; nothing when it is not.
    paused_at: Option<DateTime<Utc>>,
    /// The account that paused it.
    paused_by: Option<Uuid>,
    /// When it runs next; nothing while it is paused.
    next_run: Option<DateTime<Utc>>,
    /// Its latest run.
    last_run: Option<WireRun>,
    /// How many of its runs failed for good and wait for a person.
    dead_runs: u64,
}

/// The jobs of this release.
#[derive(Debug, Object)]
struct JobList {
    /// In their order.
    items: Vec<Job>,
}

/// A running server.
#[derive(Debug, Object)]
struct Instance {
    /// Its id, new at each start.
    id: Uuid,
    /// The name of its machine.
    name: String,
    /// Its release.
    version: String,
    /// When it started.
    started_at: DateTime<Utc>,
    /// When it last said that it is there; it does so every 5 seconds.
    seen_at: DateTime<Utc>,
    /// Whether it runs the jobs.
    leads: bool,
    /// Whether it is the one that answers.
    answers: bool,
}

/// The servers that share this database.
#[derive(Debug, Object)]
#[oai(skip_serializing_if_is_none)]
struct InstanceList {
    /// The number of the leadership.
    term: i64,
    /// When the leadership began.
    led_since: Option<DateTime<Utc>>,
    /// Those that were there in the last days, the latest first.
    items: Vec<Instance>,
}

#[OpenApi(prefix_path = "/v1", tag = "Tag::Operations")]
impl Operations {
    /// What runs by itself, and how each is doing.
    #[oai(path = "/jobs", method = "get", operation_id = "jobs_list")]
    async fn list(&self, caller: Caller) -> ApiResult<Json<JobList>> {
        let app = &self.0.gate.app;
        let items = jobs::list(&app.db, &app.jobs, &caller).await?;
        Ok(Json(JobList { items: items.into_iter().map(|status| Job::of(status, &caller)).collect() }))
    }

    /// One job.
    #[oai(path = "/jobs/:job_name", method = "get", operation_id = "jobs_get")]
    async fn get(&self, caller: Caller, job_name: Path<String>) -> ApiResult<Json<Job>> {
        let app = &self.0.gate.app;
        Ok(Json(Job::of(jobs::get(&app.db, &app.jobs, &caller, &job_name.0).await?, &caller)))
    }

    /// The runs of a job, the latest first.
    #[expect(clippy::too_many_arguments, reason = "one argument a parameter of the contract")]
    #[oai(path = "/jobs/:job_name/runs", method = "get", operation_id = "job_runs_list")]
    async fn runs(
        &self,
        caller: Caller,
        request: &Request,
        job_name: Path<String>,
        /// The most items of the page.
        #[oai(validator(minimum(value = "1"), maximum(value = "200")))]
        limit: Query<Option<u64>>,
        /// Where the last page ended.
        cursor: Query<Option<String>>,
    ) -> ApiResult<Listed<WireRun>> {
        let app = &self.0.gate.app;
        let page = PageRequest::parse(limit.0, cursor.0.as_deref())?;
        let page = jobs::runs(&app.db, &app.jobs, &caller, (&job_name.0, page)).await?;
        Ok(Listed::page(request, page, WireRun::from))
    }

    /// Run a job now, also when it is paused. 409 while a run of it waits or runs.
    #[oai(path = "/jobs/:job_name/runs", method = "post", operation_id = "job_runs_create")]
    async fn request(
        &self,
        caller: Caller,
        job_name: Path<String>,
        /// The same key does the work once.
        #[oai(name = "Idempotency-Key")]
        _idempotency_key: Header<Option<String>>,
    ) -> ApiResult<Created<WireRun>> {
        let app = &self.0.gate.app;
        let run = jobs::request(&app.db, &app.jobs, &caller, &job_name.0).await?;
        let place = format!("/v1/job-runs/{}", run.id);
        Ok(Created::Created(Json(run.into()), place))
    }

    /// One run of a job.
    #[oai(path = "/job-runs/:run_id", method = "get", operation_id = "job_runs_get")]
    async fn run(&self, caller: Caller, run_id: Path<Uuid>) -> ApiResult<Json<WireRun>> {
        Ok(Json(jobs::run(&self.0.gate.app.db, &caller, JobRunId(run_id.0)).await?.into()))
    }

    /// Try a run again that failed for good.
    #[oai(path = "/job-runs/:run_id/retry", method = "post", operation_id = "job_runs_retry")]
    async fn retry(&self, caller: Caller, run_id: Path<Uuid>) -> ApiResult<Json<WireRun>> {
        Ok(Json(jobs::retry(&self.0.gate.app.db, &caller, JobRunId(run_id.0)).await?.into()))
    }

    /// Take a job off its schedule. A run that waits or runs is not touched.
    #[oai(path = "/jobs/:job_name/pause", method = "post", operation_id = "jobs_pause")]
    async fn pause(&self, caller: Caller, job_name: Path<String>) -> ApiResult<Json<Job>> {
        let app = &self.0.gate.app;
        jobs::pause(&app.db, &app.jobs, &caller, &job_name.0).await?;
        Ok(Json(Job::of(jobs::get(&app.db, &app.jobs, &caller, &job_name.0).await?, &caller)))
    }

    /// Put a job on its schedule again.
    #[oai(path = "/jobs/:job_name/resume", method = "post", operation_id = "jobs_resume")]
    async fn resume(&self, caller: Caller, job_name: Path<String>) -> ApiResult<Json<Job>> {
        let app = &self.0.gate.app;
        jobs::resume(&app.db, &app.jobs, &caller, &job_name.0).await?;
        Ok(Json(Job::of(jobs::get(&app.db, &app.jobs, &caller, &job_name.0).await?, &caller)))
    }

    /// The servers that share this database, and which of them runs the jobs.
    #[oai(path = "/instances", method = "get", operation_id = "instances_list")]
    async fn instances(&self, caller: Caller) -> ApiResult<Json<InstanceList>> {
        let app = &self.0.gate.app;
        let seen = jobs::present(&app.db.read(&caller).await?).await?;
        let items = seen.instances.into_iter().map(|row| Instance {
            id: row.id.into(),
            leads: seen.leader == Some(row.id),
            answers: app.instance == row.id,
            name: row.name,
            version: row.version,
            started_at: row.started_at,
            seen_at: row.seen_at,
        });
        Ok(Json(InstanceList { term: seen.term, led_since: seen.taken_at, items: items.collect() }))
    }
}

impl Job {
    fn of(status: Status, caller: &Caller) -> Self {
        let Status { job, paused, last, dead } = status;
        let next_run = if paused.is_some() { None } else { jobs::next(job.schedule, caller.now()) };
        Self {
            name: job.name.to_owned(),
            title: job.title.to_owned(),
            purpose: job.purpose.to_owned(),
            schedule: job.schedule.0.to_owned(),
            paused_at: paused.as_ref().map(|paused| paused.paused_at),
            paused_by: paused.and_then(|paused| paused.paused_by).map(Into::into),
            next_run,
            last_run: last.map(Into::into),
            dead_runs: dead,
        }
    }
}

impl From<JobRun> for WireRun {
    fn from(row: JobRun) -> Self {
        let waits = row.state == job_runs::State::Queued;
        let took = row.finished_at.zip(row.started_at).map(|(end, begin)| (end - begin).num_milliseconds().max(0));
        Self {
            id: row.id.into(),
            job: row.job,
            fire_time: row.fire_time,
            cause: match row.cause {
                job_runs::Cause::Schedule => JobRunCause::Schedule,
                job_runs::Cause::Person => JobRunCause::Person,
            },
            requested_by: row.requested_by.map(Into::into),
            state: match row.state {
                job_runs::State::Queued => JobRunState::Queued,
                job_runs::State::Running => JobRunState::Running,
                job_runs::State::Succeeded => JobRunState::Succeeded,
                job_runs::State::Dead => JobRunState::Dead,
            },
            attempts: row.attempts,
            term: row.term,
            instance_id: row.instance_id.map(Into::into),
            available_at: waits.then_some(row.available_at),
            started_at: row.started_at,
            finished_at: row.finished_at,
            duration_ms: took,
            result: row.result,
            error: row.error,
        }
    }
}
