//! Where the data keys are kept: how an installation gets its first ones, how an instance learns of changes, and how it
//! says that it has.

use std::{sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use entity::{
    DataKeyId, InstanceId, Scope, Secrets,
    data_keys::{self as rows, State},
};
use sea_orm::{FromQueryResult, QueryOrder};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::{
    Beginning, Inner, SCOPES, SYSTEM, Vault,
    key::{DataKey, LENGTH},
    ring::Ring,
    root::{self, Root, Wrapping},
};
use crate::{
    db::{Db, Tx, Unrecorded, WriteTx},
    error::{Error, Result},
    runtime::{Clock, Entropy, Ids, Timestamp},
    types::{Caller, Origin},
};

/// How often the keys are read again without anybody having said that they changed.
const EVERY: Duration = Duration::from_secs(30);
/// How long to wait after a failure.
const PAUSE: Duration = Duration::from_secs(1);

impl Vault {
    /// Opens the keys of an installation, which has these scopes beside the built-in ones.
    ///
    /// # Errors
    /// `Internal` with a text for the operator when a key was wrapped by another root key than those at hand.
    pub async fn unlock(root: Root, scopes: &[String], stored: &[rows::Model]) -> Result<Self> {
        let ring = Ring::of(stored, &root, &Ring::default()).await?;
        let own = scopes.iter().filter(|scope| !SCOPES.contains(&scope.as_str()));
        let scopes = SCOPES.into_iter().map(str::to_owned).chain(own.cloned()).collect();
        let inner = Inner { root, scopes, ring: ArcSwap::from_pointee(ring), entropy: Entropy, unknown: Notify::new() };
        Ok(Self(Arc::new(inner)))
    }

    /// Makes the first key of each scope that has none, to be stored before anything is sealed under it.
    ///
    /// # Errors
    /// When there is no entropy, or the root key's keeper does not answer.
    pub async fn complete(&self, beginning: Beginning) -> Result<Vec<rows::Model>> {
        let mut made = Vec::new();
        let scopes = [SYSTEM].into_iter().chain(self.0.scopes.iter().map(String::as_str));
        for scope in scopes {
            if self.0.ring.load().active(scope).is_err() {
                let (id, secret) = self.first(scope, beginning.legacy)?;
                let key = DataKey::new(id, scope, 1, State::Active, secret)?;
                made.push(self.wrapped(&key, beginning.now).await?);
                self.0.ring.store(Arc::new(self.0.ring.load().with(key)));
            }
        }
        Ok(made)
    }

    /// What the first key of a scope is. The one that others are derived from is made of the root key, because database
    /// roles, whose passwords are derived from it, belong to all databases of a PostgreSQL. An installation from before
    /// there were data keys used the root key itself, and one key derived from it, whose id is in what it sealed.
    fn first(&self, scope: &str, legacy: bool) -> Result<(DataKeyId, Zeroizing<Vec<u8>>)> {
        let derived = |root: &[u8], purpose| {
            let mut secret = Zeroizing::new(vec![0; LENGTH]);
            root::derive(root, purpose, &mut secret).map(|()| secret)
        };
        if legacy && [SYSTEM, Secrets::NAME].contains(&scope) {
            let (root, id) = self.0.root.legacy().ok_or_else(|| {
                Error::internal(
                    "this database has no data keys yet: configure its root key as secrets.previous_root_key",
                )
            })?;
            return match scope {
                SYSTEM => Ok((Ids.next(), Zeroizing::new(root.to_vec()))),
                _ => Ok((DataKeyId(Uuid::from_bytes(id)), derived(root, "seal secrets")?)),
            };
        }
        match (scope, self.0.root.key()) {
            (SYSTEM, Some(root)) => Ok((Ids.next(), derived(root, "system")?)),
            _ => Ok((Ids.next(), Zeroizing::new(self.0.entropy.bytes::<LENGTH>()?.to_vec()))),
        }
    }

    /// The keys that another root key has wrapped, wrapped by the one in use.
    ///
    /// # Errors
    /// As [`Vault::complete`].
    pub async fn wrapped_anew(&self, stored: &[rows::Model]) -> Result<Vec<rows::Model>> {
        let mut anew = Vec::new();
        for row in stored.iter().filter(|row| row.wrapped.is_some() && row.root_key != self.0.root.id()) {
            let ring = self.0.ring.load_full();
            let key = ring.find(row.id.into()).ok_or_else(|| Error::internal("a data key is not in the ring"))?;
            let wrapped = self.wrapped(key, row.created_at).await?;
            anew.push(rows::Model { wrapped: wrapped.wrapped, root_key: wrapped.root_key, ..row.clone() });
        }
        Ok(anew)
    }

    /// The next key of a scope, which instances are to learn of before anything is sealed under it.
    ///
    /// # Errors
    /// As [`Vault::complete`].
    pub async fn next(&self, scope: &str, now: Timestamp) -> Result<rows::Model> {
        let secret = Zeroizing::new(self.0.entropy.bytes::<LENGTH>()?.to_vec());
        let version = self.0.ring.load().next_version(scope);
        self.wrapped(&DataKey::new(Ids.next(), scope, version, State::Pending, secret)?, now).await
    }

    async fn wrapped(&self, key: &DataKey, now: Timestamp) -> Result<rows::Model> {
        let what = Wrapping { id: key.id.into(), scope: &key.scope, version: key.version };
        Ok(rows::Model {
            id: key.id,
            scope: key.scope.clone(),
            version: key.version,
            state: key.state,
            wrapped: Some(self.0.root.wrap(what, key.secret()).await?),
            root_key: self.0.root.id().to_vec(),
            // The database counts.
            revision: 0,
            created_at: now,
            activated_at: (key.state == State::Active).then_some(now),
            retired_at: None,
            destroyed_at: None,
        })
    }

    /// Reads the keys as they are now.
    ///
    /// # Errors
    /// When the database fails, or a key can't be unwrapped; the keys stay as they were.
    pub async fn reload(&self, db: &Db, caller: &Caller) -> Result<()> {
        let stored = stored(&db.read(caller).await?).await?;
        let ring = Ring::of(&stored, &self.0.root, &self.0.ring.load()).await?;
        self.0.ring.store(Arc::new(ring));
        Ok(())
    }
}

/// Every data key, the newest of each scope first.
///
/// # Errors
/// When the database fails.
pub async fn stored(tx: &Tx) -> Result<Vec<rows::Model>> {
    let keys = tx.find_identity::<rows::Entity>().order_by_asc(rows::Column::Scope);
    tx.all(keys.order_by_desc(rows::Column::Version)).await
}

/// Stores a key that was made in this transaction.
///
/// # Errors
/// `Conflict` when the scope has a next key already.
pub async fn add(tx: &WriteTx, key: rows::Model) -> Result<()> {
    tx.append(vec![rows::ActiveModel::from(key)]).await
}

/// How many of the instances that are there know the keys as they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromQueryResult)]
pub struct Acknowledgements {
    /// The instances that are there.
    pub instances: i64,
    /// Those that know.
    pub acknowledged: i64,
}

impl Acknowledgements {
    /// Whether all of them know.
    pub fn complete(&self) -> bool {
        self.acknowledged == self.instances
    }
}

/// An instance that has said nothing for this long is not there: it reads the keys again before it does anything else.
const ACKNOWLEDGED: &str = "
    SELECT count(*) AS instances,
           count(*) FILTER (WHERE keys_revision >= (SELECT coalesce(max(revision), 0) FROM data_keys)) AS acknowledged
    FROM instances WHERE seen_at > now() - interval '20 seconds'";

/// How many of the instances that are there know the keys as they are.
///
/// # Errors
/// When the database fails.
pub async fn acknowledgements(tx: &Tx) -> Result<Acknowledgements> {
    let answer: Vec<Acknowledgements> = tx.query(ACKNOWLEDGED, []).await?;
    answer.into_iter().next().ok_or_else(|| Error::internal("a count without a row"))
}

/// Keeps an instance's keys as they are in the database, and says that it does.
pub struct Keeper {
    /// The keys.
    pub vault: Vault,
    /// The database.
    pub db: Db,
    /// The clock.
    pub clock: Clock,
    /// This instance.
    pub instance: InstanceId,
    /// Rung when a key has changed.
    pub changed: Arc<Notify>,
}

impl Keeper {
    /// Works until `stop`.
    pub async fn run(self, stop: CancellationToken) {
        let mut pause = EVERY;
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.changed.notified() => {}
                () = self.vault.0.unknown.notified() => {}
                () = tokio::time::sleep(pause) => {}
            }
            pause = match self.keep_up().await {
                Ok(()) => EVERY,
                Err(error) => {
                    tracing::warn!(%error, "the data keys could not be read again; trying again");
                    PAUSE
                }
            };
        }
    }

    async fn keep_up(&self) -> Result<()> {
        let run: Uuid = Ids.next();
        let origin =
            Origin { request_id: run.to_string().into(), address: None, user_agent: None, now: self.clock.now() };
        let caller = Caller::system("vault", origin);
        self.vault.reload(&self.db, &caller).await?;
        let tx = self.db.write(&caller).await?;
        let sql = "UPDATE instances SET keys_revision = $2 WHERE id = $1 AND keys_revision < $2";
        tx.execute(sql, [self.instance.into(), self.vault.revision().into()]).await?;
        tx.commit(Unrecorded("a sign of life says nothing about what anybody did")).await
    }
}
