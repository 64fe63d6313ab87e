//! The leader: stands for election, and while it leads, fills the queue by the schedule and works it off.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use entity::{InstanceId, JobRunId};
use sqlx::postgres::PgConnectOptions;
use tokio::{sync::Notify, task::JoinSet};
use tokio_cron_scheduler::{Job as Alarm, JobScheduler};
use tokio_util::sync::CancellationToken;

use super::{Duty, Jobs, Lead, queue, runner::Runner};
use crate::{
    audit::{Event, Kind},
    db::{Candidate, Db, Term, Unrecorded},
    error::{Error, Result},
    runtime::{Clock, Ids},
    types::{Caller, Origin},
    vault::Vault,
};

/// How often an instance that does not lead tries to.
const TRY: Duration = Duration::from_millis(500);
/// How often the leader says that it is there.
const HOLD: Duration = Duration::from_secs(1);
/// How long to wait after the database was away.
const PAUSE: Duration = Duration::from_millis(500);
/// How long a job may go on when the server stops.
const DRAIN: Duration = Duration::from_secs(10);

/// An instance's part in the leadership.
#[derive(Clone)]
pub struct Leader {
    /// The database.
    pub db: Db,
    /// The vault.
    pub vault: Vault,
    /// The jobs.
    pub jobs: Jobs,
    /// The clock.
    pub clock: Clock,
    /// This instance.
    pub instance: InstanceId,
    /// Told when something was put into the queue. Without, it is found within a second.
    pub wake: Arc<Notify>,
    /// What it does all the time while it leads.
    pub duties: Vec<Duty>,
}

/// A moment of a schedule, seen from now.
#[derive(Clone, Copy)]
enum Moment {
    /// It has just come.
    Come,
    /// It may have passed while nobody led.
    Missed,
}

impl Leader {
    /// Stands for election until `stop`, and leads when elected.
    pub async fn run(self, options: PgConnectOptions, stop: CancellationToken) {
        while !stop.is_cancelled() {
            if let Err(error) = self.stand(&options, &stop).await {
                tracing::warn!(%error, "not leading: the leader's connection was lost");
            }
            pause(&stop, PAUSE).await;
        }
    }

    /// One connection's life: wait for the lead, have it, lose it.
    async fn stand(&self, options: &PgConnectOptions, stop: &CancellationToken) -> Result<()> {
        let mut candidate = Candidate::connect(options).await?;
        let term = loop {
            if stop.is_cancelled() {
                candidate.step_down().await;
                return Ok(());
            }
            if let Some(term) = candidate.stand(self.instance.into()).await? {
                break term;
            }
            pause(stop, TRY).await;
        };
        tracing::info!(term, "this instance leads");
        let end = self.lead(&mut candidate, term, stop).await;
        candidate.step_down().await;
        tracing::info!(term, "this instance leads no more");
        end
    }

    async fn lead(&self, candidate: &mut Candidate, term: Term, stop: &CancellationToken) -> Result<()> {
        // What works for this term ends with it: at once when the lead is lost, or in its own time when we stop.
        let over = stop.child_token();
        let runner = Runner { leader: self.clone(), term, stop: over.clone() };
        let mut working = JoinSet::new();
        working.spawn(runner.run());
        let (leader, until) = (self.clone(), over.clone());
        working.spawn(async move { leader.schedule(term, until).await });
        for duty in &self.duties {
            let lead = Lead { db: self.db.clone(), clock: self.clock.clone(), term, stop: over.clone() };
            working.spawn(duty.take_up(lead));
        }
        let lost = loop {
            tokio::select! {
                () = stop.cancelled() => break None,
                () = tokio::time::sleep(HOLD) => {}
            }
            if let Err(error) = candidate.hold().await {
                break Some(error);
            }
        };
        over.cancel();
        if let Some(error) = lost {
            working.shutdown().await;
            return Err(error);
        }
        self.drain(candidate, working).await
    }

    /// Lets a job under way end its batch, with the lead still held.
    async fn drain(&self, candidate: &mut Candidate, mut working: JoinSet<()>) -> Result<()> {
        let deadline = tokio::time::Instant::now() + DRAIN;
        while !working.is_empty() && tokio::time::Instant::now() < deadline {
            tokio::select! {
                _ = working.join_next() => {}
                () = tokio::time::sleep(HOLD) => candidate.hold().await?,
            }
        }
        working.shutdown().await;
        Ok(())
    }

    /// Fills the queue: at once with what was missed while nobody led, then as time goes by.
    async fn schedule(&self, term: Term, stop: CancellationToken) {
        let elected = self.record_election(term).await;
        if let Err(error) = elected {
            tracing::warn!(%error, "the election could not be recorded");
        }
        for job in self.jobs.all() {
            self.enqueue(term, job.name, Moment::Missed).await;
        }
        match self.alarms(term).await {
            Ok(mut alarms) => {
                stop.cancelled().await;
                if let Err(error) = alarms.shutdown().await {
                    tracing::warn!(%error, "the schedule did not stop cleanly");
                }
            }
            Err(error) => tracing::error!(%error, "the schedule could not be started"),
        }
    }

    /// One alarm a job. An alarm only puts the run into the queue.
    async fn alarms(&self, term: Term) -> Result<JobScheduler> {
        let alarms = JobScheduler::new().await.map_err(Error::internal)?;
        for job in self.jobs.all() {
            let (leader, name) = (self.clone(), job.name);
            let alarm = Alarm::new_async(job.schedule.0, move |_, _| {
                let leader = leader.clone();
                Box::pin(async move { leader.enqueue(term, name, Moment::Come).await })
            });
            alarms.add(alarm.map_err(Error::internal)?).await.map_err(Error::internal)?;
        }
        alarms.start().await.map_err(Error::internal)?;
        Ok(alarms)
    }

    async fn enqueue(&self, term: Term, name: &'static str, moment: Moment) {
        if let Err(error) = self.try_enqueue(term, name, moment).await {
            tracing::warn!(job = name, %error, "a run could not be put into the queue");
        }
    }

    /// Puts the run of the schedule's last moment into the queue. That moment and not the present one: an alarm that
    /// rings late, or on two instances, is the same run.
    async fn try_enqueue(&self, term: Term, name: &'static str, moment: Moment) -> Result<()> {
        let fire_time = self.jobs.find(name).and_then(|job| job.schedule.last(self.clock.now()));
        let Some(fire_time) = fire_time else { return Err(Error::internal("a schedule without a moment")) };
        let tx = self.db.write(&self.caller(term)).await?;
        let id = Ids.next::<JobRunId>();
        let new = match moment {
            Moment::Come => queue::enqueue(&tx, id, name, fire_time).await?,
            Moment::Missed => queue::catch_up(&tx, id, name, fire_time).await?,
        };
        if new {
            tx.commit(Unrecorded("a run of a job is its own record")).await?;
            self.wake.notify_one();
        }
        Ok(())
    }

    async fn record_election(&self, term: Term) -> Result<()> {
        let tx = self.db.write(&self.caller(term)).await?;
        tx.commit(Event::new(Kind::LeaderElected, self.instance).with("term", term)).await
    }

    /// Freehold itself, under this term.
    pub(super) fn caller(&self, term: Term) -> Caller {
        Caller { term: Some(term), ..system(&self.clock) }
    }
}

/// The caller of everything that jobs do by themselves.
pub(super) fn system(clock: &Clock) -> Caller {
    let id: uuid::Uuid = Ids.next();
    let origin = Origin { request_id: id.to_string().into(), address: None, user_agent: None, now: clock.now() };
    Caller::system("jobs", origin)
}

async fn pause(stop: &CancellationToken, how_long: Duration) {
    tokio::select! {
        () = stop.cancelled() => {}
        () = tokio::time::sleep(how_long) => {}
    }
}

/// Keeps the name that the machine has among its network.
pub(super) fn host_name() -> &'static str {
    static NAME: OnceLock<String> = OnceLock::new();
    NAME.get_or_init(|| {
        let name: String = gethostname::gethostname().to_string_lossy().chars().take(253).collect();
        if name.is_empty() { "unnamed".to_owned() } else { name }
    })
}
