//! How often one may call (NET-4).
//!
//! Each limit has a quota for a stretch of time that begins with a client's first call. What is counted here is counted
//! in this process, before anything expensive: no round trip to the database, and each instance for itself. Links to new
//! passwords and sign-ups are counted in the database, on all instances together; the edge only tells what is left of
//! them. Guesses are counted elsewhere, by what failed (`guessing`).
//!
//! The counters lie in a cache that holds so many and no more. It keeps those that are asked for often, so a flood of
//! addresses that each call once pushes out each other and not whoever has spent their quota.

mod answer;
#[cfg(test)]
mod tests;

use std::{
    net::{IpAddr, Ipv4Addr},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use entity::{AccountId, ApiKeyId, SessionId};
use moka::sync::Cache;
use uuid::Uuid;

pub use self::answer::Tally;
use crate::{
    authz::Limit,
    config::{self, Quota},
    error::{Error, Result},
    runtime::{Clock, Timestamp},
    types::{Actor, Caller, Left, network},
};

/// How many clients each limit tells apart at most: some 200 bytes each.
const MOST_CLIENTS: u64 = 50_000;

/// Whom a limit counts. Each limit has one kind of key, so the numbers of different kinds never meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// Where a call comes from: an address of IPv4, a /64 of IPv6.
    Network(IpAddr),
    /// Whose session it is.
    Account(AccountId),
    /// A session.
    Session(SessionId),
    /// The key that a service account calls with.
    ApiKey(ApiKeyId),
}

impl Key {
    /// Where a caller calls from. What comes from nowhere comes from one place.
    pub fn network_of(caller: &Caller) -> Self {
        Self::Network(caller.origin.address.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED)))
    }

    fn number(self) -> u128 {
        match self {
            Self::Network(address) => match network(address) {
                IpAddr::V4(address) => address.to_ipv6_mapped().to_bits(),
                IpAddr::V6(address) => address.to_bits(),
            },
            Self::Account(id) => Uuid::from(id).as_u128(),
            Self::Session(id) => Uuid::from(id).as_u128(),
            Self::ApiKey(id) => Uuid::from(id).as_u128(),
        }
    }
}

/// The limit and the key of whoever has shown a credential: each kind of credential has its own.
pub fn of_credential(actor: &Actor) -> Option<(Limit, Key)> {
    match actor {
        Actor::Account { account, .. } => Some((Limit::Account, Key::Account(*account))),
        Actor::Service { key, .. } => Some((Limit::ServiceKey, Key::ApiKey(*key))),
        Actor::Anonymous | Actor::System(_) => None,
    }
}

/// What a limit says of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The limit.
    pub limit: Limit,
    /// Its quota.
    pub quota: Quota,
    /// How many more calls there can be.
    pub left: u32,
    /// In how long there can be more again.
    pub renewed_in: Duration,
}

/// How a limit has been doing in this process.
#[derive(Clone, Copy, Debug)]
pub struct Metrics {
    /// The limit.
    pub limit: Limit,
    /// Its quota.
    pub quota: Quota,
    /// How many calls it has let pass.
    pub admitted: u64,
    /// How many it has refused.
    pub refused: u64,
}

/// All limits of this process.
pub struct Limits {
    meters: Vec<Meter>,
    clock: Clock,
    since: Timestamp,
}

impl Limits {
    /// The limits as configured, with nothing counted.
    pub fn new(configured: &config::Limits, clock: &Clock) -> Self {
        let meters = Limit::ALL.into_iter().map(|limit| Meter::new(limit, quota(configured, limit)));
        Self { meters: meters.collect(), clock: clock.clone(), since: clock.now() }
    }

    /// Counts a call, unless the quota is spent, and notes in the tally how it stands.
    ///
    /// # Errors
    /// `Throttled` when it is spent.
    pub fn count(&self, tally: &Tally, limit: Limit, key: Key) -> Result<()> {
        let Some(meter) = self.meter(limit) else { return Ok(()) };
        let window = meter.window(key);
        let counted = meter.advance(&mut window.lock().unwrap_or_else(PoisonError::into_inner), self.clock.elapsed());
        meter.settle(tally, &counted);
        counted.map(|_| ()).map_err(Error::Throttled)
    }

    /// Refuses a call when the quota is spent, and counts nothing otherwise.
    ///
    /// # Errors
    /// `Throttled` when it is spent.
    pub fn check(&self, tally: &Tally, limit: Limit, key: Key) -> Result<()> {
        let Some(meter) = self.meter(limit) else { return Ok(()) };
        let spent = meter.windows.get(&key.number()).and_then(|window| {
            let window = window.lock().unwrap_or_else(PoisonError::into_inner);
            window.wait(self.clock.elapsed()).filter(|_| window.used >= meter.quota.most)
        });
        let Some(wait) = spent else { return Ok(()) };
        meter.settle(tally, &Err(wait));
        Err(Error::Throttled(wait))
    }

    /// Notes what the database has counted: what is left, or that it refused. It takes the place of what was noted
    /// before, which was there to keep others away from the database.
    pub fn note(&self, tally: &Tally, limit: Limit, counted: &Result<Left>) {
        let Some(meter) = self.meter(limit) else { return };
        match counted {
            Ok(left) => meter.settle(tally, &Ok(*left)),
            Err(Error::Throttled(wait)) => meter.settle(tally, &Err(*wait)),
            Err(_) => {}
        }
    }

    /// How each limit has been doing.
    pub fn metrics(&self) -> impl Iterator<Item = Metrics> + '_ {
        self.meters.iter().map(|meter| Metrics {
            limit: meter.limit,
            quota: meter.quota,
            admitted: meter.admitted.load(Ordering::Relaxed),
            refused: meter.refused.load(Ordering::Relaxed),
        })
    }

    /// Since when it has been counted.
    pub fn since(&self) -> Timestamp {
        self.since
    }

    fn meter(&self, limit: Limit) -> Option<&Meter> {
        self.meters.iter().find(|meter| meter.limit == limit)
    }
}

fn quota(configured: &config::Limits, limit: Limit) -> Quota {
    match limit {
        Limit::AnonymousRead => configured.anonymous_read,
        Limit::AnonymousWrite => configured.anonymous_write,
        Limit::SignUp => configured.sign_up,
        Limit::PasswordReset => configured.password_reset,
        Limit::TokenRefresh => configured.token_refresh,
        Limit::Account => configured.account,
        Limit::ServiceKey => configured.service_key,
    }
}

/// One limit and what it has counted.
struct Meter {
    limit: Limit,
    quota: Quota,
    windows: Cache<u128, Arc<Mutex<Window>>>,
    admitted: AtomicU64,
    refused: AtomicU64,
}

/// What one client has used.
#[derive(Debug, Default)]
struct Window {
    /// When it ends, by the clock's count. At the beginning: it has not begun.
    ends: Duration,
    used: u32,
}

impl Window {
    /// How long it goes on; `None` when it is over.
    fn wait(&self, now: Duration) -> Option<Duration> {
        self.ends.checked_sub(now).filter(|wait| !wait.is_zero())
    }
}

impl Meter {
    fn new(limit: Limit, quota: Quota) -> Self {
        let windows = Cache::new(MOST_CLIENTS);
        Self { limit, quota, windows, admitted: AtomicU64::new(0), refused: AtomicU64::new(0) }
    }

    fn window(&self, key: Key) -> Arc<Mutex<Window>> {
        let number = key.number();
        self.windows.get(&number).unwrap_or_else(|| self.windows.get_with(number, Arc::default))
    }

    /// Adds a call to the metrics, and to the tally how it stands.
    fn settle(&self, tally: &Tally, counted: &Result<Left, Duration>) {
        let (counter, left) = match counted {
            Ok(left) => (&self.admitted, *left),
            Err(renewed_in) => (&self.refused, Left { calls: 0, renewed_in: *renewed_in }),
        };
        counter.fetch_add(1, Ordering::Relaxed);
        let Left { calls, renewed_in } = left;
        tally.note(Standing { limit: self.limit, quota: self.quota, left: calls, renewed_in });
    }

    /// Counts one call; says in how long there are more when there are none left.
    fn advance(&self, window: &mut Window, now: Duration) -> Result<Left, Duration> {
        let renewed_in = match window.wait(now) {
            Some(wait) => wait,
            None => {
                *window = Window { ends: now + self.quota.window, used: 0 };
                self.quota.window
            }
        };
        if window.used >= self.quota.most {
            return Err(renewed_in);
        }
        window.used += 1;
        Ok(Left { calls: self.quota.most - window.used, renewed_in })
    }
}
