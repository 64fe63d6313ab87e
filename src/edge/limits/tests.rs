//! Counting, by hand.

use std::net::Ipv6Addr;

use chrono::TimeDelta;
use poem::http::HeaderMap;

use super::*;

fn limits(most: u32, window: Duration) -> (Limits, Clock) {
    let clock = Clock::default();
    let quota = Quota { most, window };
    let configured = config::Limits { anonymous_read: quota, account: quota, ..config::Limits::default() };
    (Limits::new(&configured, &clock), clock)
}

fn network(text: &str) -> Key {
    Key::Network(text.parse().unwrap())
}

/// What a call is told: whether it passes, and the two headers.
fn call(limits: &Limits, limit: Limit, key: Key) -> (bool, String, String) {
    let tally = Tally::default();
    let passed = limits.count(&tally, limit, key).is_ok();
    let mut headers = HeaderMap::new();
    tally.write(&mut headers);
    let text = |name: &str| headers[name].to_str().unwrap().to_owned();
    (passed, text("ratelimit-policy"), text("ratelimit"))
}

const MINUTE: Duration = Duration::from_secs(60);

/// Proves NET-4.
#[test]
fn a_quota_is_spent_and_comes_back_when_its_time_is_over() {
    let (limits, clock) = limits(3, MINUTE);
    let client = network("192.0.2.1");
    for left in [2, 1, 0] {
        let (passed, policy, state) = call(&limits, Limit::AnonymousRead, client);
        assert!(passed);
        assert_eq!(policy, r#""anonymous-read";q=3;w=60"#);
        assert_eq!(state, format!(r#""anonymous-read";r={left};t=60"#));
    }
    clock.advance(TimeDelta::milliseconds(19_500));
    let (passed, _, state) = call(&limits, Limit::AnonymousRead, client);
    assert!(!passed);
    assert_eq!(state, r#""anonymous-read";r=0;t=41"#);
    // Whoever is refused does not wait longer for having asked.
    clock.advance(TimeDelta::seconds(41));
    assert!(call(&limits, Limit::AnonymousRead, client).0);
    let metrics = limits.metrics().find(|metrics| metrics.limit == Limit::AnonymousRead).unwrap();
    assert_eq!((metrics.admitted, metrics.refused), (4, 1));
}

/// Proves NET-4.
#[test]
fn clients_and_limits_do_not_share() {
    let (limits, _) = limits(1, MINUTE);
    let take = |limit, key| call(&limits, limit, key).0;
    assert!(take(Limit::AnonymousRead, network("2001:db8:0:7::1")));
    assert!(!take(Limit::AnonymousRead, network("2001:db8:0:7:ffff::2")), "a /64 is one client");
    assert!(take(Limit::AnonymousRead, network("2001:db8:0:8::1")));
    assert!(take(Limit::AnonymousRead, network("192.0.2.1")));
    assert!(!take(Limit::AnonymousRead, network("::ffff:192.0.2.1")), "the same in another spelling");
    assert!(take(Limit::AnonymousRead, network("192.0.2.2")));
    assert!(take(Limit::AnonymousWrite, network("192.0.2.1")));
    let account = AccountId::from(Uuid::from_u128(7));
    assert!(take(Limit::Account, Key::Account(account)));
    assert!(!take(Limit::Account, Key::Account(account)));
}

#[test]
fn a_check_counts_nothing_and_refuses_when_all_is_spent() {
    let (limits, clock) = limits(1, MINUTE);
    let client = network("192.0.2.1");
    let check = || limits.check(&Tally::default(), Limit::AnonymousRead, client).is_ok();
    assert!(check() && check());
    assert!(call(&limits, Limit::AnonymousRead, client).0);
    assert!(!check());
    clock.advance(TimeDelta::seconds(60));
    assert!(check());
}

/// Proves NET-4.
#[test]
fn a_million_addresses_fill_no_memory_and_free_nobody() {
    let (limits, _) = limits(5, Duration::from_secs(86_400));
    let meter = limits.meter(Limit::AnonymousRead).unwrap();
    let spender = network("192.0.2.1");
    for _ in 0..100 {
        call(&limits, Limit::AnonymousRead, spender);
    }
    let tally = Tally::default();
    let mut largest = 0;
    for number in 0..1_000_000_u128 {
        let address = Ipv6Addr::from_bits((0x2001_0db8 << 96) | (number << 64) | number);
        let _ = limits.count(&tally, Limit::AnonymousRead, Key::Network(address.into()));
        if number % 100_000 == 0 {
            largest = largest.max(meter.windows.iter().count());
        }
        if number % 10_000 == 0 {
            assert!(limits.count(&tally, Limit::AnonymousRead, spender).is_err(), "freed after {number} addresses");
        }
    }
    meter.windows.run_pending_tasks();
    let most = usize::try_from(MOST_CLIENTS).unwrap();
    assert!(meter.windows.iter().count() <= most);
    // What is being inserted has room beside it for a moment.
    assert!(largest <= most + most / 10, "{largest} at once");
}
