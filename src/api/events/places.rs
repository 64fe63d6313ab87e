//! How many streams are open, of whom, and why others were closed. No names: an account is an id in memory only.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use poem::web::websocket::CloseCode;
use uuid::Uuid;

use crate::{
    config,
    edge::ApiProblem,
    error::Error,
    types::{Actor, Caller},
};

/// When to try again after there was no place.
const LATER: Duration = Duration::from_secs(10);

/// Why a stream has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closed {
    /// The client left, or its connection broke.
    Left,
    /// The server stops.
    Stopped,
    /// The client said something.
    Spoke,
    /// What it said was too long, or no WebSocket.
    Broken,
    /// Something went wrong on our side, or nobody could say whether the caller may still see this.
    Failed,
    /// The session or the API key is over.
    SignedOut,
    /// The caller has left the organisation, or may not see its record any more.
    NotAllowed,
    /// The client did not answer a ping.
    Unanswered,
    /// The client did not take what it was sent.
    Slow,
}

impl Closed {
    /// Every reason.
    pub const ALL: [Self; 9] = [
        Self::Left,
        Self::Stopped,
        Self::Spoke,
        Self::Broken,
        Self::Failed,
        Self::SignedOut,
        Self::NotAllowed,
        Self::Unanswered,
        Self::Slow,
    ];

    /// Its name, in the close frame and in metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Left => "left",
            Self::Stopped => "stopped",
            Self::Spoke => "spoke",
            Self::Broken => "broken",
            Self::Failed => "failed",
            Self::SignedOut => "signed_out",
            Self::NotAllowed => "not_allowed",
            Self::Unanswered => "unanswered",
            Self::Slow => "slow",
        }
    }

    /// What the client is told (RFC 6455, 7.4; from 4000 on they are ours). `None` when nobody is there to be told.
    pub(super) fn code(self) -> Option<CloseCode> {
        Some(CloseCode::from(match self {
            Self::Left => return None,
            Self::Stopped => 1001,
            Self::Spoke => 1003,
            Self::Broken => 1009,
            Self::Failed => 1013,
            Self::SignedOut => 4401,
            Self::NotAllowed => 4403,
            Self::Unanswered => 4408,
            Self::Slow => 4409,
        }))
    }
}

/// How many streams there are.
#[derive(Clone, Copy, Debug)]
pub struct Open {
    /// Open now.
    pub now: usize,
    /// The most there may be.
    pub most: usize,
    /// The most of one account.
    pub most_per_account: usize,
}

/// The places of an instance.
pub(super) struct Places {
    bounds: config::Events,
    taken: Mutex<HashMap<Uuid, usize>>,
    /// In the order of [`Closed::ALL`].
    closed: [AtomicU64; Closed::ALL.len()],
}

/// One stream's place, free again when it is dropped.
pub(in crate::api) struct Place {
    places: Arc<Places>,
    whose: Uuid,
}

/// Why there is no place.
#[derive(Clone, Copy, Debug)]
pub(in crate::api) enum Full {
    /// The caller has as many as one may have.
    Account,
    /// There are as many as there may be.
    Instance,
    /// Nobody may have one.
    Nobody,
}

impl From<Full> for ApiProblem {
    fn from(full: Full) -> Self {
        match full {
            Full::Account => {
                let detail = "This account has as many live streams open as it may have; close one";
                Self::with_detail(Error::Throttled(LATER), detail)
            }
            Full::Instance => {
                let reason = "as many live streams are open as there may be (events.max_streams)".to_owned();
                Error::Upstream { reason, retry_after: LATER }.into()
            }
            Full::Nobody => Error::internal("a stream of nobody's").into(),
        }
    }
}

impl Places {
    pub(super) fn new(bounds: config::Events) -> Arc<Self> {
        Arc::new(Self { bounds, taken: Mutex::default(), closed: Default::default() })
    }

    /// A place for a caller.
    ///
    /// # Errors
    /// Why there is none.
    pub(super) fn take(self: &Arc<Self>, caller: &Caller) -> Result<Place, Full> {
        let whose = match caller.actor {
            Actor::Account { account, .. } => account.into(),
            Actor::Service { account, .. } => account.into(),
            Actor::Anonymous | Actor::System(_) => return Err(Full::Nobody),
        };
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if taken.values().sum::<usize>() >= self.bounds.max_streams {
            return Err(Full::Instance);
        }
        let own = taken.entry(whose).or_default();
        if *own >= self.bounds.max_streams_per_account {
            return Err(Full::Account);
        }
        *own += 1;
        Ok(Place { places: self.clone(), whose })
    }

    pub(super) fn count(&self, closed: Closed) {
        let place = Closed::ALL.iter().position(|known| *known == closed);
        if let Some(counter) = place.and_then(|place| self.closed.get(place)) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(super) fn open(&self) -> Open {
        let taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let config::Events { max_streams: most, max_streams_per_account: most_per_account, .. } = self.bounds;
        Open { now: taken.values().sum(), most, most_per_account }
    }

    pub(super) fn closed(&self) -> impl Iterator<Item = (Closed, u64)> + '_ {
        Closed::ALL.into_iter().zip(&self.closed).map(|(reason, count)| (reason, count.load(Ordering::Relaxed)))
    }

    pub(super) fn ping_interval(&self) -> Duration {
        self.bounds.ping_interval
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = taken.get_mut(&self.whose) {
            *count -= 1;
            if *count == 0 {
                taken.remove(&self.whose);
            }
        }
    }
}
