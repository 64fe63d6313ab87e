//! The instances that share the database: each says every few seconds that it is there.

use std::time::Duration;

use entity::{InstanceId, instances as rows};
use sea_orm::{FromQueryResult, QueryOrder, QuerySelect};
use tokio_util::sync::CancellationToken;

use super::leader::{host_name, system};
use crate::{
    db::{Db, Tx, Unrecorded},
    error::Result,
    runtime::{Clock, Timestamp},
    vault::Vault,
};

/// How often an instance says that it is there.
const EVERY: Duration = Duration::from_secs(5);
/// The most instances that are listed.
const MOST: u64 = 500;

/// The part of an instance that says so.
pub struct Instances {
    /// The database.
    pub db: Db,
    /// The data keys, of which it says how far it knows them.
    pub vault: Vault,
    /// The clock.
    pub clock: Clock,
    /// This instance.
    pub instance: InstanceId,
    /// SHA-256 of the policy that it enforces.
    pub policy: [u8; 32],
}

/// The instances, and which of them leads.
pub struct Seen {
    /// Those that were there in the last day, the latest first.
    pub instances: Vec<rows::Model>,
    /// Who leads, if anybody ever has.
    pub leader: Option<InstanceId>,
    /// The number of the leadership.
    pub term: i64,
    /// When it began.
    pub taken_at: Option<Timestamp>,
}

#[derive(FromQueryResult)]
struct Lead {
    term: i64,
    instance_id: Option<InstanceId>,
    taken_at: Option<Timestamp>,
}

/// The instances of this installation.
///
/// # Errors
/// When the database fails.
pub async fn present(tx: &Tx) -> Result<Seen> {
    let latest = tx.find_identity::<rows::Entity>().order_by_desc(rows::Column::SeenAt).limit(MOST);
    let instances = tx.all(latest).await?;
    let lead: Vec<Lead> = tx.query("SELECT term, instance_id, taken_at FROM leadership", []).await?;
    let lead = lead.into_iter().next();
    Ok(Seen {
        instances,
        leader: lead.as_ref().and_then(|lead| lead.instance_id),
        term: lead.as_ref().map_or(0, |lead| lead.term),
        taken_at: lead.and_then(|lead| lead.taken_at),
    })
}

impl Instances {
    /// Says so until `stop`, and takes itself off the list then.
    pub async fn run(self, stop: CancellationToken) {
        let started = self.clock.now();
        while !stop.is_cancelled() {
            if let Err(error) = self.say(started).await {
                tracing::debug!(%error, "this instance could not say that it is there");
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(EVERY) => {}
            }
        }
        if let Err(error) = self.leave().await {
            tracing::debug!(%error, "this instance could not take itself off the list");
        }
    }

    async fn say(&self, started: Timestamp) -> Result<()> {
        let tx = self.db.write(&system(&self.clock)).await?;
        let sql = "INSERT INTO instances (id, name, version, started_at, seen_at, keys_revision, policy_digest)
             VALUES ($1, $2, $3, $4, now(), $5, $6)
             ON CONFLICT (id) DO UPDATE SET seen_at = excluded.seen_at, keys_revision = excluded.keys_revision";
        let (name, version, revision) = (host_name(), env!("CARGO_PKG_VERSION"), self.vault.revision());
        let policy = self.policy.to_vec().into();
        let values = [self.instance.into(), name.into(), version.into(), started.into(), revision.into(), policy];
        tx.execute(sql, values).await?;
        tx.commit(Unrecorded("a sign of life says nothing about what anybody did")).await
    }

    async fn leave(&self) -> Result<()> {
        let tx = self.db.write(&system(&self.clock)).await?;
        tx.execute("DELETE FROM instances WHERE id = $1", [self.instance.into()]).await?;
        tx.commit(Unrecorded("a sign of life says nothing about what anybody did")).await
    }
}
