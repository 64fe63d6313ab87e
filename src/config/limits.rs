//! `[limits]`: how often one may call (NET-4). Each limit is a quota and the time that it is for; what is counted, and
//! by what, is the limit's meaning and no setting.

use std::time::Duration;

use super::reader::Reader;
use super::{DAY, MINUTE, SECOND};

/// The most that a quota can be: more than a server answers in a day, and so no limit at all.
const MOST: u32 = 1_000_000_000;
/// The most links to new passwords in a window: the times of all that count lie in one row.
const MOST_RESETS: u32 = 1_000;

/// So many in so long. The time begins with the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// How many.
    pub most: u32,
    /// In how long.
    pub window: Duration,
}

/// How often one may call. The defaults are those of NET-4.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Reads without a sign-in, by network address (a /64 of IPv6). Default 600 in 10 min.
    pub anonymous_read: Quota,
    /// Writes without a sign-in, by network address. Default 300 in 10 min.
    pub anonymous_write: Quota,
    /// Sign-ups, by network address. Default 10 in 1 h.
    pub sign_up: Quota,
    /// Links to new passwords, by network address and by e-mail address, on all instances together. Default 5 in 1 h.
    pub password_reset: Quota,
    /// Refreshes, by session. Default 30 in 1 min.
    pub token_refresh: Quota,
    /// Calls of a signed-in person, in whatever sessions. Default 100 in 1 min.
    pub account: Quota,
    /// Calls with a service's key. Default 6,000 in 1 min.
    pub service_key: Quota,
}

impl Default for Limits {
    fn default() -> Self {
        let quota = |most, window| Quota { most, window };
        Self {
            anonymous_read: quota(600, 10 * MINUTE),
            anonymous_write: quota(300, 10 * MINUTE),
            sign_up: quota(10, 60 * MINUTE),
            password_reset: quota(5, 60 * MINUTE),
            token_refresh: quota(30, MINUTE),
            account: quota(100, MINUTE),
            service_key: quota(6_000, MINUTE),
        }
    }
}

impl Limits {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let own = Self::default();
        let mut quota = |keys: [&'static str; 2], default: Quota, most: u32| {
            let [quota, window] = keys;
            Quota {
                most: reader.take_within(quota, default.most, 1..=most),
                window: reader.take_within(window, default.window, SECOND..=DAY),
            }
        };
        Self {
            anonymous_read: quota(
                ["limits.anonymous_read_quota", "limits.anonymous_read_window"],
                own.anonymous_read,
                MOST,
            ),
            anonymous_write: quota(
                ["limits.anonymous_write_quota", "limits.anonymous_write_window"],
                own.anonymous_write,
                MOST,
            ),
            sign_up: quota(["limits.sign_up_quota", "limits.sign_up_window"], own.sign_up, MOST),
            password_reset: quota(
                ["limits.password_reset_quota", "limits.password_reset_window"],
                own.password_reset,
                MOST_RESETS,
            ),
            token_refresh: quota(
                ["limits.token_refresh_quota", "limits.token_refresh_window"],
                own.token_refresh,
                MOST,
            ),
            account: quota(["limits.account_quota", "limits.account_window"], own.account, MOST),
            service_key: quota(["limits.service_key_quota", "limits.service_key_window"], own.service_key, MOST),
        }
    }
}
