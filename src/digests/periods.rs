//! When a digest is due: as soon as an hour, a day or a week has ended since an alert in it was raised.

use crate::{alerts::Digest, runtime::Timestamp};

const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;
/// Days and weeks begin at six in the morning, UTC, when Europe goes to work and America sleeps.
const MORNING: i64 = 6 * HOUR;
/// 1970 began on a Thursday; weeks begin on Mondays.
const MONDAY: i64 = 4 * DAY;

/// The hour since 1970 that a moment is in.
pub(super) fn hour(at: Timestamp) -> i64 {
    at.timestamp().div_euclid(HOUR)
}

/// The period since 1970 that a moment is in; `None` for whoever gets no digest.
fn period(digest: Digest, at: Timestamp) -> Option<i64> {
    let at = at.timestamp();
    Some(match digest {
        Digest::Off => return None,
        Digest::Hourly => at.div_euclid(HOUR),
        Digest::Daily => (at - MORNING).div_euclid(DAY),
        Digest::Weekly => (at - MORNING - MONDAY).div_euclid(7 * DAY),
    })
}

/// Whether a period has ended between two moments.
pub(super) fn has_ended(digest: Digest, since: Timestamp, now: Timestamp) -> bool {
    period(digest, since) < period(digest, now)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    /// Proves AUD-6.
    #[test]
    fn a_period_ends_at_the_hour_in_the_morning_or_on_monday() {
        let ended = |digest, since, now| has_ended(digest, at(since), at(now));
        let (raised, later) = ("2026-11-26T08:15:00Z", "2026-11-26T08:59:59Z");
        for digest in [Digest::Off, Digest::Hourly, Digest::Daily, Digest::Weekly] {
            assert!(!ended(digest, raised, later), "{digest:?}");
        }
        assert!(ended(Digest::Hourly, raised, "2026-11-26T09:00:00Z"));
        assert!(!ended(Digest::Daily, raised, "2026-11-27T05:59:59Z"));
        assert!(ended(Digest::Daily, raised, "2026-11-27T06:00:00Z"));
        // The 26th was a Thursday.
        assert!(!ended(Digest::Weekly, raised, "2026-11-30T05:59:59Z"));
        assert!(ended(Digest::Weekly, raised, "2026-11-30T06:00:00Z"));
        assert!(!ended(Digest::Off, raised, "2027-11-30T06:00:00Z"));
    }
}
