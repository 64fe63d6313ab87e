//! What runs by itself: which jobs there are, who runs them, and what became of each run (OPS-1, OPS-3).
//!
//! One instance leads ([`Leader`]). Its schedule only puts runs into the queue; the queue runs them one by one, each
//! under a lease and under the leader's term, and keeps what became of them. This module knows how to run a job and
//! never what a job does: whoever owns the rows brings the work.

mod admin;
mod duty;
mod instances;
mod leader;
mod queue;
mod runner;
mod schedule;

use std::{
    collections::BTreeMap,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use entity::{JobRunId, job_runs};
use sea_orm::Value;
use tokio_util::sync::CancellationToken;

pub use admin::{Paused, Status, clean_up, enqueue_now, get, list, pause, request, resume, retry, run, runs};
pub use duty::{Duty, Lead};
pub use instances::{Instances, Seen, present};
pub use leader::Leader;
pub use schedule::{Schedule, next};

use crate::{
    db::{Db, Record, Term, Unrecorded, WriteTx},
    error::Result,
    types::Caller,
    vault::Vault,
};

/// One run of a job, as it is kept.
pub type JobRun = job_runs::Model;

/// What a run did, by name: how many rows it removed, for example. Never personal data.
pub type Report = BTreeMap<&'static str, u64>;

type Work = Arc<dyn Fn(Run) -> Pin<Box<dyn Future<Output = Result<Report>> + Send>> + Send + Sync>;

/// Something that runs by itself.
#[derive(Clone)]
pub struct Job {
    /// Its stable name.
    pub name: &'static str,
    /// A few words for a list.
    pub title: &'static str,
    /// What it does, in a sentence.
    pub purpose: &'static str,
    /// When it runs.
    pub schedule: Schedule,
    /// After how long a run is broken off.
    pub timeout: Duration,
    work: Work,
}

impl Job {
    /// A job that does this at those times, for at most ten minutes.
    pub fn new<F, W>(name: &'static str, schedule: Schedule, work: W) -> Self
    where
        F: Future<Output = Result<Report>> + Send + 'static,
        W: Fn(Run) -> F + Send + Sync + 'static,
    {
        let work: Work = Arc::new(move |run| Box::pin(work(run)));
        Self { name, title: name, purpose: "", schedule, timeout: Duration::from_secs(600), work }
    }

    /// The same, for at most this long.
    #[must_use]
    pub fn within(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// The same, with words for people.
    #[must_use]
    pub fn described(mut self, title: &'static str, purpose: &'static str) -> Self {
        (self.title, self.purpose) = (title, purpose);
        self
    }
}

/// The jobs of this release. Cheap to clone.
#[derive(Clone)]
pub struct Jobs(Arc<[Job]>);

impl Jobs {
    /// These jobs.
    pub fn new(jobs: Vec<Job>) -> Self {
        Self(jobs.into())
    }

    /// The job with this name.
    pub fn find(&self, name: &str) -> Option<&Job> {
        self.0.iter().find(|job| job.name == name)
    }

    /// All of them, in their order.
    pub fn all(&self) -> &[Job] {
        &self.0
    }
}

/// One run of a job under way: what its work is handed.
#[derive(Clone)]
pub struct Run {
    /// The run.
    pub id: JobRunId,
    db: Db,
    vault: Vault,
    caller: Caller,
    term: Term,
    stop: CancellationToken,
    finished: Arc<AtomicBool>,
}

impl Run {
    /// Who acts: Freehold itself, under the leader's term.
    pub fn caller(&self) -> &Caller {
        &self.caller
    }

    /// The vault.
    pub fn vault(&self) -> &Vault {
        &self.vault
    }

    /// A transaction that reads.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn read(&self) -> Result<crate::db::Tx> {
        self.db.read(&self.caller).await
    }

    /// A transaction that writes. It commits only while this instance leads.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn write(&self) -> Result<WriteTx> {
        self.db.write(&self.caller).await
    }

    /// Whether the server is stopping or leads no more: a long job ends after the batch that it is at, and the rest is
    /// left to the next run.
    pub fn is_stopping(&self) -> bool {
        self.stop.is_cancelled()
    }

    /// Repeats a statement, each time in a transaction of its own, until it touches no row or the server stops. Returns
    /// how many rows it has touched. The statement bounds itself; it is for what needs no audit entry.
    ///
    /// # Errors
    /// When the database fails or another instance leads; what was done before stays.
    pub async fn repeat(&self, sql: &'static str, values: &[Value]) -> Result<u64> {
        let mut touched = 0;
        while !self.is_stopping() {
            let tx = self.write().await?;
            let some = tx.execute(sql, values.iter().cloned()).await?;
            tx.commit(Unrecorded("a run of a job is its own record")).await?;
            touched += some;
            if some == 0 {
                break;
            }
        }
        Ok(touched)
    }

    /// Commits the work together with the end of the run, for work that must be done exactly once: were the two apart,
    /// a crash in between would repeat the work.
    ///
    /// # Errors
    /// When the database fails or another instance leads; nothing was done then.
    pub async fn commit(&self, tx: WriteTx, report: Report, record: impl Record) -> Result<Report> {
        queue::finish(&tx, self.id, self.term, &report).await?;
        tx.commit(record).await?;
        self.finished.store(true, Ordering::Release);
        Ok(report)
    }
}
