//! Refusals that anybody can bring about again and again, counted and written down every few seconds: a flood of
//! refused calls makes a few entries with a number, not a flood of entries. They are the guard's own, and those of links
//! that are not good any more.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use entity::{OrganizationId, PlatformAccessId};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{Event, Home, Kind};
use crate::{
    db::Db,
    error::{Code, Result},
    types::{Actor, Caller, Origin},
};

/// How often what was counted is written.
const EVERY: Duration = Duration::from_secs(2);
/// How many different refusals are told apart between two writes; more are not counted one by one.
const MOST: usize = 10_000;

#[derive(Clone, PartialEq, Eq, Hash)]
struct Key {
    organization: OrganizationId,
    actor: Actor,
    acting: Option<PlatformAccessId>,
    attempt: Attempt,
}

/// What was refused.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Attempt {
    /// A call to an operation.
    Call(&'static str, Code),
    /// The use of something that is there, and why not.
    Use(Kind, Uuid, &'static str),
    /// What failed on something that is not there, and why.
    Failure(Kind, &'static str),
}

/// The counters. Cheap to clone.
#[derive(Clone, Default)]
pub struct Refusals(Arc<Mutex<HashMap<Key, (u64, Origin)>>>);

impl Refusals {
    /// Counts one refused call.
    pub fn count(&self, caller: &Caller, operation: &'static str, code: Code) {
        self.add(caller, Attempt::Call(operation, code));
    }

    /// Counts one refused use of something of the caller's organisation, with the reason.
    pub fn count_use(&self, caller: &Caller, kind: Kind, target: impl Into<Uuid>, reason: &'static str) {
        self.add(caller, Attempt::Use(kind, target.into(), reason));
    }

    /// Counts one failure that has no target.
    pub fn count_failed(&self, caller: &Caller, kind: Kind, reason: &'static str) {
        self.add(caller, Attempt::Failure(kind, reason));
    }

    fn add(&self, caller: &Caller, attempt: Attempt) {
        let actor = match &caller.actor {
            Actor::System(_) => Actor::Anonymous,
            somebody => somebody.clone(),
        };
        let organization = match attempt {
            Attempt::Failure(kind, _) if kind.home() == Home::Platform => OrganizationId::PLATFORM,
            _ => caller.organization().unwrap_or(OrganizationId::PLATFORM),
        };
        let Ok(mut counts) = self.0.lock() else { return };
        let key = Key { organization, actor, acting: caller.acting, attempt };
        if counts.len() < MOST || counts.contains_key(&key) {
            counts.entry(key).or_insert_with(|| (0, caller.origin.clone())).0 += 1;
        }
    }

    /// Writes every few seconds until `stop`, and once more then.
    pub async fn run(self, db: Db, stop: CancellationToken) {
        loop {
            let last = tokio::select! {
                () = stop.cancelled() => true,
                () = tokio::time::sleep(EVERY) => false,
            };
            if let Err(error) = self.flush(&db).await {
                tracing::warn!(%error, "refusals could not be recorded; they are kept");
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
    pub async fn flush(&self, db: &Db) -> Result<()> {
        let counted = self.0.lock().map(|mut counts| std::mem::take(&mut *counts)).unwrap_or_default();
        let mut rest = counted.into_iter();
        while let Some((key, (count, origin))) = rest.next() {
            if let Err(error) = write(db, &key, count, origin.clone()).await {
                if let Ok(mut counts) = self.0.lock() {
                    for (key, (count, origin)) in std::iter::once((key, (count, origin))).chain(rest) {
                        counts.entry(key).or_insert((0, origin)).0 += count;
                    }
                }
                return Err(error);
            }
        }
        Ok(())
    }
}

async fn write(db: &Db, key: &Key, count: u64, origin: Origin) -> Result<()> {
    // The platform's reach, because a refused caller's transaction may not see the organisation; their name.
    let mut caller = Caller::system("guard", origin);
    caller.acting = key.acting;
    caller.actor = key.actor.clone();
    let event = match key.attempt {
        Attempt::Call(operation, code) => Event::without_target(Kind::AccessRefused)
            .with("operation", operation)
            .with("code", code.as_str())
            .refused(),
        Attempt::Use(kind, target, reason) => Event::new(kind, target).with("reason", reason).refused(),
        Attempt::Failure(kind, reason) => Event::without_target(kind).with("reason", reason).failed(),
    };
    let event = event.in_organization(key.organization).with("count", count);
    db.write(&caller).await?.commit(event).await
}
