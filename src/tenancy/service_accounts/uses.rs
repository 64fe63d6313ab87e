//! When keys were used last, and from where: to the minute, and written off the request's path.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use entity::{ApiKeyId, Pii, Sealed, api_keys as rows};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{
    db::{Db, Unrecorded},
    error::Result,
    runtime::{Clock, Ids, Timestamp},
    types::{Caller, Origin},
    vault::{Field, Table, Vault, sealed_table},
};

const ADDRESS: Field<Pii> = Field::new("api_keys.last_used_address");

/// The columns of this module that are sealed.
pub const SEALED: &[Table] = &[sealed_table!("api_keys", Pii, ["last_used_address"])];

/// How often what was noted is written.
const EVERY: Duration = Duration::from_secs(2);
/// How often at most the use of one key is written, in seconds.
const APART: i64 = 60;

/// When the use of a key was noted last, in seconds since 1970.
#[derive(Debug)]
pub(super) struct Throttle(AtomicI64);

impl Throttle {
    /// Last noted then.
    pub(super) fn since(last: Option<Timestamp>) -> Self {
        Self(AtomicI64::new(last.map_or(i64::MIN, |last| last.timestamp())))
    }

    /// Whether it is time to note a use again; who is told so does it.
    fn is_due(&self, now: i64) -> bool {
        let last = self.0.load(Ordering::Relaxed);
        now.saturating_sub(last) >= APART
            && self.0.compare_exchange(last, now, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }
}

/// Uses that are not written yet. Cheap to clone.
#[derive(Clone, Default)]
pub(super) struct Uses(Arc<Mutex<HashMap<ApiKeyId, Origin>>>);

const WRITE: &str = "
    UPDATE api_keys k SET last_used_at = u.at, last_used_address = nullif(u.address, '')
    FROM unnest($1::uuid[], $2::timestamptz[], $3::bytea[]) AS u (id, at, address)
    WHERE k.id = u.id AND (k.last_used_at IS NULL OR k.last_used_at <= u.at - make_interval(secs => $4))";

impl Uses {
    /// Notes a use, unless one was noted a moment ago.
    pub(super) fn note(&self, key: ApiKeyId, noted: &Throttle, origin: &Origin) {
        if noted.is_due(origin.now.timestamp())
            && let Ok(mut uses) = self.0.lock()
        {
            uses.insert(key, origin.clone());
        }
    }

    /// Writes what was noted, every few seconds until `stop`, and once more then.
    pub(super) async fn run(self, db: Db, vault: Vault, clock: Clock, stop: CancellationToken) {
        loop {
            let last = tokio::select! {
                () = stop.cancelled() => true,
                () = tokio::time::sleep(EVERY) => false,
            };
            if let Err(error) = self.write(&db, &vault, clock.now()).await {
                // The next use notes it again.
                tracing::warn!(%error, "when API keys were used last was not written");
            }
            if last {
                return;
            }
        }
    }

    async fn write(&self, db: &Db, vault: &Vault, now: Timestamp) -> Result<()> {
        let uses = self.0.lock().map(|mut uses| std::mem::take(&mut *uses)).unwrap_or_default();
        if uses.is_empty() {
            return Ok(());
        }
        let (mut ids, mut times, mut addresses) = (Vec::new(), Vec::new(), Vec::new());
        for (key, origin) in uses {
            let address =
                origin.address.map(|address| vault.seal(ADDRESS, key, address.to_canonical().to_string().as_bytes()));
            ids.push(Uuid::from(key));
            times.push(origin.now);
            // What is not there is nothing, which no sealed value is.
            addresses.push(address.transpose()?.map(|sealed| sealed.as_bytes().to_vec()).unwrap_or_default());
        }
        let origin = Origin { request_id: Ids.next::<Uuid>().to_string().into(), address: None, user_agent: None, now };
        let tx = db.write(&Caller::system("service accounts", origin)).await?;
        tx.execute(WRITE, [ids.into(), times.into(), addresses.into(), APART.into()]).await?;
        tx.commit(Unrecorded("when a key was used last says nothing that the record of what it did does not")).await
    }
}

/// From where a key was used last.
///
/// # Errors
/// `Internal` when it can't be opened.
pub(super) fn address(vault: &Vault, row: &rows::Model) -> Result<Option<String>> {
    let open = |sealed: &Sealed<Pii>| vault.open_text(ADDRESS, row.id, sealed);
    row.last_used_address.as_ref().map(open).transpose()
}
