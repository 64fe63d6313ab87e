//! Notifications: what another instance changed, and the proof that none was missed.
//!
//! One connection of its own listens. It also sends a heartbeat through the channel to itself every
//! [`HEARTBEAT`]; PostgreSQL delivers notifications in the order of their commits, so a heartbeat that came back
//! proves that everything committed before it was sent has been heard. Caches are trusted only while such a proof
//! is younger than [`TRUST`] (SES-4). When the connection is lost or hangs, they are not trusted, and are emptied
//! when it comes back.

use std::{
    sync::{
        Arc, RwLock,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use sqlx::postgres::{PgConnectOptions, PgListener, PgPoolOptions};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::error::{Error, Result};

/// How often the channel is proven.
const HEARTBEAT: Duration = Duration::from_millis(200);
/// How old the last proof may be. Less than the second that SES-4 grants, so that a request that is decided at the
/// last moment still ends in time.
const TRUST: Duration = Duration::from_millis(800);
/// How long the connection may take to answer before it is given up.
const HANGS: Duration = Duration::from_millis(700);
/// How long to wait before the first try to connect again.
const SHORTEST_PAUSE: Duration = Duration::from_millis(50);
/// How long to wait at most between tries.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

const CHANGES: &str = "freehold_changes";
const PROOF: &str = "freehold_heartbeat";

/// Something cached may be stale.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// An account, one of its memberships, or one of its sessions.
    Account(Uuid),
    /// What is told about an account, but nothing of what it may do.
    Profile(Uuid),
    /// An organisation.
    Organization(Uuid),
    /// An organisation's settings; the platform's hold everywhere.
    Settings(Uuid),
    /// A service account, or one of its keys.
    Service(Uuid),
    /// The signing keys.
    Keys,
    /// The data keys.
    DataKeys,
    /// There is something in the outbox.
    Outbox,
    /// There is an import to work off.
    Imports,
    /// There is something in the queue of jobs.
    Jobs,
    /// Notifications may have been missed: everything.
    Everything,
}

type Listener = Box<dyn Fn(Change) + Send + Sync>;

/// The channel's state: who wants to hear, and how fresh it is.
#[derive(Clone)]
pub struct Changes {
    shared: Arc<Shared>,
}

struct Shared {
    started: Instant,
    /// When the last heartbeat that came back was sent, in milliseconds since `started`; 0 is never.
    proven: AtomicU64,
    listeners: RwLock<Vec<Listener>>,
    instance: Uuid,
}

impl Changes {
    /// A channel that nobody has proven yet. `instance` tells this process's heartbeats from others'.
    pub fn new(instance: Uuid) -> Self {
        let shared =
            Shared { started: Instant::now(), proven: AtomicU64::new(0), listeners: RwLock::default(), instance };
        Self { shared: Arc::new(shared) }
    }

    /// Calls `listener` for each change, in order, before a later heartbeat counts. It must not block.
    pub fn on_change(&self, listener: impl Fn(Change) + Send + Sync + 'static) {
        if let Ok(mut listeners) = self.shared.listeners.write() {
            listeners.push(Box::new(listener));
        }
    }

    /// Whether what was cached and not called back is still true.
    pub fn trusted(&self) -> bool {
        let proven = self.shared.proven.load(Ordering::Acquire);
        proven != 0 && self.elapsed().saturating_sub(proven) < u64::try_from(TRUST.as_millis()).unwrap_or(0)
    }

    /// Listens until `stop`, reconnecting for ever.
    pub async fn run(self, options: PgConnectOptions, stop: CancellationToken) {
        let mut pause = SHORTEST_PAUSE;
        loop {
            let session = tokio::select! {
                () = stop.cancelled() => return,
                ended = self.listen(&options) => ended,
            };
            if let Err(error) = session {
                tracing::warn!(%error, "lost the notification channel; caches are not trusted until it is back");
            }
            // Anything may have been missed.
            if self.shared.proven.swap(0, Ordering::AcqRel) != 0 {
                // It did work meanwhile: a new trouble, not the old one going on.
                pause = SHORTEST_PAUSE;
            }
            self.tell(Change::Everything);
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(pause) => {}
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    async fn listen(&self, options: &PgConnectOptions) -> Result<()> {
        let pool = PgPoolOptions::new()
            .max_connections(1)
            .acquire_timeout(Duration::from_secs(5))
            .connect_lazy_with(super::tuned(options.clone(), false));
        let mut listener = PgListener::connect_with(&pool).await?;
        listener.ignore_pool_close_event(true);
        listener.eager_reconnect(false);
        listener.listen_all([CHANGES, PROOF]).await?;
        // What changed between the loss and now was not heard.
        self.tell(Change::Everything);
        loop {
            let beat = format!("{}:{}", self.shared.instance, self.elapsed());
            let sent = sqlx::query("SELECT pg_notify($1, $2)").bind(PROOF).bind(beat).execute(&mut listener);
            tokio::time::timeout(HANGS, sent).await.map_err(|_| Error::internal("the channel hangs"))??;
            let next = Instant::now() + HEARTBEAT;
            while let Ok(heard) = tokio::time::timeout_at(next.into(), listener.try_recv()).await {
                let Some(heard) = heard? else { return Err(Error::internal("the connection was lost")) };
                self.hear(heard.channel(), heard.payload());
            }
        }
    }

    fn hear(&self, channel: &str, payload: &str) {
        let Some((kind, value)) = payload.split_once(':') else { return };
        if channel == PROOF {
            if kind == self.shared.instance.to_string()
                && let Ok(sent) = value.parse()
            {
                self.shared.proven.store(sent, Ordering::Release);
            }
            return;
        }
        let Ok(id) = Uuid::parse_str(value) else { return };
        match kind {
            "account" => self.tell(Change::Account(id)),
            "profile" => self.tell(Change::Profile(id)),
            "organization" => self.tell(Change::Organization(id)),
            "service" => self.tell(Change::Service(id)),
            "settings" => self.tell(Change::Settings(id)),
            "keys" => self.tell(Change::Keys),
            "data_keys" => self.tell(Change::DataKeys),
            "outbox" => self.tell(Change::Outbox),
            "imports" => self.tell(Change::Imports),
            "jobs" => self.tell(Change::Jobs),
            _ => tracing::debug!(kind, "a notification of a kind that this release does not know"),
        }
    }

    fn tell(&self, change: Change) {
        if let Ok(listeners) = self.shared.listeners.read() {
            listeners.iter().for_each(|listener| listener(change));
        }
    }

    /// Milliseconds since the start, never 0.
    fn elapsed(&self) -> u64 {
        u64::try_from(self.shared.started.elapsed().as_millis()).unwrap_or(u64::MAX).max(1)
    }
}
