//! Proxies that nobody has told the server of (NET-4): forwarded headers from a peer that is not trusted. They are not
//! read, so all clients of such a proxy are one client, with one share of every limit. The log says so, the platform's
//! administrators see it. Anybody can write such headers, so it stays a hint, and changes nothing.

use std::{
    net::IpAddr,
    sync::{Mutex, PoisonError},
};

use chrono::TimeDelta;
use ipnet::IpNet;

use crate::runtime::Timestamp;

/// How often the log says it: anybody can bring it about.
const AGAIN: TimeDelta = TimeDelta::hours(1);

/// What was seen of them.
#[derive(Debug, Default)]
pub struct UnknownProxies {
    seen: Mutex<Option<Seen>>,
    any_trusted: bool,
}

/// How many such requests there were.
#[derive(Clone, Copy, Debug)]
pub struct Seen {
    /// How many since the start of this process.
    pub requests: u64,
    /// When the last one came.
    pub last_at: Timestamp,
    warned_at: Timestamp,
}

impl UnknownProxies {
    /// Nothing seen yet, beside these networks of trusted proxies.
    pub fn beside(trusted: &[IpNet]) -> Self {
        Self { seen: Mutex::default(), any_trusted: !trusted.is_empty() }
    }

    /// Whether there is a proxy that is trusted.
    pub fn is_any_trusted(&self) -> bool {
        self.any_trusted
    }

    /// Remembers a request with forwarded headers from a peer that is not trusted, and warns of it now and then.
    pub fn note(&self, peer: Option<IpAddr>, now: Timestamp) {
        if self.count(now) {
            let peer = peer.map(|peer| peer.to_string()).unwrap_or_default();
            tracing::warn!(
                peer,
                "forwarded headers from a peer that is not a trusted proxy are ignored: if it is your proxy, add it to \
                 http.trusted_proxies, otherwise all its clients count as one and share every limit"
            );
        }
    }

    /// What was seen, if anything was.
    pub fn seen(&self) -> Option<Seen> {
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts one; says whether it is time to warn.
    fn count(&self, now: Timestamp) -> bool {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let (requests, warned_at) = seen.map_or((0, None), |seen| (seen.requests, Some(seen.warned_at)));
        let due = warned_at.is_none_or(|warned_at| now - warned_at >= AGAIN);
        let warned_at = warned_at.filter(|_| !due).unwrap_or(now);
        *seen = Some(Seen { requests: requests + 1, last_at: now, warned_at });
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::Clock;

    /// Proves NET-4.
    #[test]
    fn each_is_counted_and_the_log_hears_once_an_hour() {
        let (proxies, clock) = (UnknownProxies::default(), Clock::default());
        let begun = clock.now();
        assert!(proxies.seen().is_none());
        let warned = |minutes| proxies.count(begun + TimeDelta::minutes(minutes));
        assert_eq!([0, 1, 59, 60, 61, 119, 120].map(warned), [true, false, false, true, false, false, true]);
        let seen = proxies.seen().unwrap();
        assert_eq!((seen.requests, seen.last_at), (7, begun + TimeDelta::minutes(120)));
    }
}
