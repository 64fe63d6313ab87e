//! The runner: takes one run after the other out of the queue and carries it out, two at a time, while its leader leads.

use std::{
    panic::AssertUnwindSafe,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures_util::FutureExt;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::{
    Job, Leader, Report, Run,
    queue::{self, Taken, Verdict},
};
use crate::{
    audit::{Event, Kind},
    db::{Term, Unrecorded},
    error::{Error, Result},
};

/// How many jobs run at once: clean-ups wait for the database, and people's requests come first.
const ABREAST: usize = 2;
/// How often the queue is looked at without being woken.
const EVERY: Duration = Duration::from_secs(1);

/// Works the queue off, for one term.
pub(super) struct Runner {
    pub(super) leader: Leader,
    pub(super) term: Term,
    pub(super) stop: CancellationToken,
}

impl Runner {
    pub(super) async fn run(self) {
        let this = Arc::new(self);
        let mut running = JoinSet::new();
        while !this.stop.is_cancelled() {
            let taken = if running.len() < ABREAST { this.take().await } else { Ok(None) };
            match taken {
                Ok(Some(taken)) => {
                    let this = this.clone();
                    running.spawn(async move { this.carry_out(taken).await });
                    continue;
                }
                Ok(None) => {}
                Err(error) => tracing::warn!(%error, "the queue of jobs can't be read"),
            }
            tokio::select! {
                () = this.stop.cancelled() => {}
                Some(_) = running.join_next() => {}
                () = this.leader.wake.notified() => {}
                () = tokio::time::sleep(EVERY) => {}
            }
        }
        // Who waits for us decides how long. Dropping the set breaks off what is left.
        while running.join_next().await.is_some() {}
    }

    async fn take(&self) -> Result<Option<Taken>> {
        let names: Vec<_> = self.leader.jobs.all().iter().map(|job| job.name).collect();
        let tx = self.leader.db.write(&self.leader.caller(self.term)).await?;
        let taken = queue::take(&tx, &names, self.leader.instance, self.term).await?;
        if taken.is_some() {
            tx.commit(Unrecorded("a run of a job is its own record")).await?;
        }
        Ok(taken)
    }

    async fn carry_out(&self, taken: Taken) {
        let Some(job) = self.leader.jobs.find(&taken.job) else { return };
        tracing::info!(job = job.name, run = %taken.id, attempt = taken.attempts, "a job begins");
        let run = Run {
            id: taken.id,
            db: self.leader.db.clone(),
            vault: self.leader.vault.clone(),
            caller: self.leader.caller(self.term),
            term: self.term,
            stop: self.stop.clone(),
            finished: Arc::new(AtomicBool::new(false)),
        };
        let finished = run.finished.clone();
        let result = if taken.attempts > queue::ATTEMPTS {
            // It was taken, and nobody lived to say what became of it, again and again.
            Err(Error::internal("given up: every attempt ended without an answer"))
        } else {
            self.attempt(job, run).await
        };
        if finished.load(Ordering::Acquire) {
            return;
        }
        if let Err(error) = self.note(&taken, result).await {
            tracing::warn!(job = job.name, run = %taken.id, %error, "what became of a job could not be written down");
        }
    }

    /// Carries the work out within its time, with its lease renewed. A panic is a fault like others.
    async fn attempt(&self, job: &Job, run: Run) -> Result<Report> {
        let id = run.id;
        let work = AssertUnwindSafe((job.work)(run)).catch_unwind();
        let renewals = async {
            loop {
                tokio::time::sleep(queue::LEASE / 3).await;
                if let Err(error) = self.renew(id).await {
                    tracing::warn!(job = job.name, run = %id, %error, "the lease of a job could not be renewed");
                }
            }
        };
        tokio::select! {
            done = tokio::time::timeout(job.timeout, work) => match done {
                Ok(Ok(result)) => result,
                Ok(Err(_)) => Err(Error::internal("the job panicked")),
                Err(_) => Err(Error::Upstream { reason: "took too long and was broken off".to_owned(), retry_after: EVERY }),
            },
            () = renewals => Err(Error::internal("renewals never end")),
        }
    }

    async fn renew(&self, id: entity::JobRunId) -> Result<()> {
        let tx = self.leader.db.write(&self.leader.caller(self.term)).await?;
        queue::renew(&tx, id, self.term).await?;
        tx.commit(Unrecorded("a run of a job is its own record")).await
    }

    async fn note(&self, taken: &Taken, result: Result<Report>) -> Result<()> {
        let tx = self.leader.db.write(&self.leader.caller(self.term)).await?;
        let error = match result {
            Ok(report) => {
                tracing::info!(job = taken.job, run = %taken.id, "a job is done");
                queue::finish(&tx, taken.id, self.term, &report).await?;
                return tx.commit(Unrecorded("a run of a job is its own record")).await;
            }
            Err(error) => error,
        };
        if self.stop.is_cancelled() {
            tracing::info!(job = taken.job, run = %taken.id, "a job was interrupted and is left to the next leader");
            queue::release(&tx, taken.id, self.term).await?;
            return tx.commit(Unrecorded("a run of a job is its own record")).await;
        }
        let verdict = Verdict::on(&error, taken.attempts);
        queue::fail(&tx, taken.id, self.term, verdict, &error.to_string()).await?;
        match verdict {
            Verdict::Again(pause) => {
                tracing::warn!(job = taken.job, run = %taken.id, %error, ?pause, "a job failed and will be tried again");
                tx.commit(Unrecorded("a run of a job is its own record")).await
            }
            Verdict::Dead => {
                tracing::error!(job = taken.job, run = %taken.id, %error, "a job failed for good");
                tx.commit(Event::new(Kind::JobFailed, taken.id).failed().with("job", taken.job.as_str())).await
            }
        }
    }
}
