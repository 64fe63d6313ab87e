//! The counts themselves: added up in memory while requests pass, and written every few seconds.
//!
//! They are no record, which is in the audit log: whoever kills an instance loses what it counted in the last seconds, and
//! what does not fit into the bounded memory is left out and said in the log.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use chrono::TimeDelta;
use entity::{AccountId, OrganizationId};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{
    authz::Object,
    db::{Db, Unrecorded, WriteTx},
    error::{Code, Result},
    jobs::{Report, Run},
    runtime::{Clock, Ids, Timestamp},
    types::{Actor, Caller, Origin, Tenancy},
};

/// How long counts are kept.
pub const KEPT: TimeDelta = TimeDelta::days(90);
/// How often what was counted is written.
const EVERY: Duration = Duration::from_secs(5);
/// Into how many parts memory is divided, each with a lock of its own that is held for some ten nanoseconds.
const PARTS: usize = 16;
/// How many different decisions a part tells apart between two writes: together they take some ten megabytes at most.
const MOST: usize = 4_096;
/// How many rows are written at once.
const AT_ONCE: usize = 1_000;
/// The seconds of a day.
const DAY: i64 = 24 * 60 * 60;

/// How a decision came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Outcome {
    /// The call was let through.
    Allowed,
    /// It was not, and why.
    Refused(Code),
}

/// In the order of the table's key, so that two instances that write at once don't wait for each other in a circle.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Key {
    organization: OrganizationId,
    operation: &'static str,
    who: Uuid,
    kind: &'static str,
    outcome: Outcome,
    object: Object,
    /// Days since 1970, in UTC.
    day: i32,
}

#[derive(Default)]
struct Memory {
    parts: [Mutex<HashMap<Key, i64>>; PARTS],
    /// How many did not fit.
    left_out: AtomicU64,
}

/// The counters. Cheap to clone.
#[derive(Clone, Default)]
pub struct Decisions(Arc<Memory>);

const WRITE: &str = "
    INSERT INTO decision_counts (organization_id, operation, who, kind, outcome, own, day, count)
    SELECT u.organization_id, u.operation, u.who, u.kind, u.outcome, u.own, date '1970-01-01' + u.day, u.count
    FROM unnest($1::uuid[], $2::text[], $3::uuid[], $4::text[], $5::text[], $6::boolean[], $7::integer[], $8::bigint[])
        AS u (organization_id, operation, who, kind, outcome, own, day, count)
    JOIN organizations o ON o.id = u.organization_id
    WHERE NOT EXISTS (SELECT FROM erasures e WHERE e.account_id = u.who)
    ORDER BY u.organization_id, u.operation, u.who, u.outcome, u.own, u.day
    ON CONFLICT (organization_id, operation, who, outcome, own, day)
        DO UPDATE SET count = decision_counts.count + excluded.count";

impl Decisions {
    /// Counts one decision about somebody who is known and in an organisation.
    pub fn count(&self, caller: &Caller, operation: &'static str, outcome: Outcome, object: Object) {
        let (kind, who) = match &caller.actor {
            Actor::Account { account, .. } => ("account", account.0),
            Actor::Service { account, .. } => ("service", account.0),
            Actor::Anonymous | Actor::System(_) => return,
        };
        let organization = match caller.tenancy {
            Tenancy::Organization(id) => id,
            Tenancy::Platform => OrganizationId::PLATFORM,
            Tenancy::None => return,
        };
        let day = i32::try_from(caller.now().timestamp().div_euclid(DAY)).unwrap_or(i32::MAX);
        self.add(Key { organization, operation, who, kind, outcome, object, day }, 1);
    }

    fn add(&self, key: Key, count: i64) {
        // The last byte of an id is random.
        let part = key.who.as_bytes().last().map_or(0, |byte| usize::from(*byte) % PARTS);
        let Some(Ok(mut part)) = self.0.parts.get(part).map(Mutex::lock) else { return };
        if let Some(counted) = part.get_mut(&key) {
            *counted += count;
        } else if part.len() < MOST {
            part.insert(key, count);
        } else {
            self.0.left_out.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Writes every few seconds until `stop`, and once more then.
    pub async fn run(self, db: Db, clock: Clock, stop: CancellationToken) {
        loop {
            let last = tokio::select! {
                () = stop.cancelled() => true,
                () = tokio::time::sleep(EVERY) => false,
            };
            if let Err(error) = self.flush(&db, clock.now()).await {
                tracing::warn!(%error, "counts of decisions could not be written; they are kept");
            }
            let left_out = self.0.left_out.swap(0, Ordering::Relaxed);
            if left_out > 0 {
                tracing::warn!(
                    decisions = left_out,
                    "more different decisions than are counted in one go were left out"
                );
            }
            if last {
                return;
            }
        }
    }

    /// Writes what was counted so far.
    ///
    /// # Errors
    /// When the database fails; what was not written is kept.
    pub async fn flush(&self, db: &Db, now: Timestamp) -> Result<()> {
        let mut counted = Vec::new();
        for part in &self.0.parts {
            counted.extend(part.lock().map(|mut part| std::mem::take(&mut *part)).unwrap_or_default());
        }
        counted.sort_unstable();
        let mut rest = counted.as_slice();
        while !rest.is_empty() {
            let (some, others) = rest.split_at(rest.len().min(AT_ONCE));
            if let Err(error) = write(db, some, now).await {
                rest.iter().for_each(|(key, count)| self.add(*key, *count));
                return Err(error);
            }
            rest = others;
        }
        Ok(())
    }
}

async fn write(db: &Db, counted: &[(Key, i64)], now: Timestamp) -> Result<()> {
    let keys = || counted.iter().map(|(key, _)| key);
    let values = [
        keys().map(|key| key.organization.0).collect::<Vec<_>>().into(),
        keys().map(|key| key.operation.to_owned()).collect::<Vec<_>>().into(),
        keys().map(|key| key.who).collect::<Vec<_>>().into(),
        keys().map(|key| key.kind.to_owned()).collect::<Vec<_>>().into(),
        keys().map(|key| key.outcome.as_str().to_owned()).collect::<Vec<_>>().into(),
        keys().map(|key| key.object == Object::Own).collect::<Vec<_>>().into(),
        keys().map(|key| key.day).collect::<Vec<_>>().into(),
        counted.iter().map(|(_, count)| *count).collect::<Vec<_>>().into(),
    ];
    let origin = Origin { request_id: Ids.next::<Uuid>().to_string().into(), address: None, user_agent: None, now };
    let tx = db.write(&Caller::system("guard", origin)).await?;
    tx.execute(WRITE, values).await?;
    tx.commit(Unrecorded("how often something was decided is no act of anybody's")).await
}

impl Outcome {
    /// The word in the table.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::Refused(code) => code.as_str(),
        }
    }
}

/// Removes what was counted of a person.
///
/// # Errors
/// When the database fails.
pub async fn erase(tx: &WriteTx, account: AccountId) -> Result<()> {
    tx.execute("DELETE FROM decision_counts WHERE who = $1", [account.into()]).await?;
    Ok(())
}

const OLD: &str = "
    DELETE FROM decision_counts WHERE ctid IN (
        SELECT ctid FROM decision_counts WHERE day < ($1::timestamptz AT TIME ZONE 'UTC')::date LIMIT 5000)";
/// An instance may have begun to write before somebody was erased and ended after it.
const OF_ERASED: &str = "
    DELETE FROM decision_counts c USING erasures e WHERE c.who = e.account_id AND e.erased_at > $1";

/// Removes counts that are older than they are kept, and what came in while somebody was erased.
///
/// # Errors
/// When the database fails.
pub async fn clean_up(run: Run) -> Result<Report> {
    let now = run.caller().now();
    let old = run.repeat(OLD, &[(now - KEPT).into()]).await?;
    let erased = run.repeat(OF_ERASED, &[(now - TimeDelta::days(7)).into()]).await?;
    Ok(Report::from([("old", old), ("erased", erased)]))
}
