//! The outside world that tests want to hold still: the clock, the entropy and the ids made of both.
//!
//! This is the one home of the wall clock and of randomness; `clippy.toml` bans them elsewhere. A request
//! asks for the time once and passes it down as a value.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, Instant},
};

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use uuid::Uuid;

/// A point in time, in UTC, at PostgreSQL's resolution of a microsecond.
pub type Timestamp = DateTime<Utc>;

/// The wall clock. Tests move it; nothing else does.
#[derive(Clone, Debug)]
pub struct Clock {
    /// Microseconds that the clock is ahead of the machine's.
    offset: Arc<AtomicI64>,
    /// When it was made.
    made: Instant,
}

impl Default for Clock {
    fn default() -> Self {
        Self { offset: Arc::default(), made: Instant::now() }
    }
}

impl Clock {
    /// The present, cut to the microsecond that PostgreSQL stores.
    #[expect(clippy::disallowed_methods, reason = "this is the clock's one home")]
    pub fn now(&self) -> Timestamp {
        let offset = TimeDelta::microseconds(self.offset.load(Ordering::Relaxed));
        (Utc::now() + offset).trunc_subsecs(6)
    }

    /// How long ago the clock was made. Setting the machine's clock does not change it; moving this one does.
    pub fn elapsed(&self) -> Duration {
        let offset = self.offset.load(Ordering::Relaxed);
        let moved = Duration::from_micros(offset.unsigned_abs());
        let elapsed = self.made.elapsed();
        if offset < 0 { elapsed.saturating_sub(moved) } else { elapsed + moved }
    }

    /// Moves the clock ahead, for tests.
    pub fn advance(&self, by: TimeDelta) {
        self.offset.fetch_add(by.num_microseconds().unwrap_or(0), Ordering::Relaxed);
    }
}

/// The source of unpredictable bytes: the operating system.
#[derive(Clone, Copy, Debug, Default)]
pub struct Entropy;

impl Entropy {
    /// `N` unpredictable bytes.
    ///
    /// # Errors
    /// When the operating system has none to give; nothing can go on then.
    #[expect(clippy::disallowed_methods, reason = "this is entropy's one home")]
    pub fn bytes<const N: usize>(self) -> crate::error::Result<[u8; N]> {
        let mut bytes = [0; N];
        getrandom::fill(&mut bytes).map_err(crate::error::Error::internal)?;
        Ok(bytes)
    }
}

/// Makes ids: UUIDv7 (RFC 9562), so that they sort by time and index well.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ids;

impl Ids {
    /// The next id.
    #[expect(clippy::disallowed_methods, reason = "this is the ids' one home")]
    pub fn next<T: From<Uuid>>(self) -> T {
        T::from(Uuid::now_v7())
    }
}
