//! When a job runs: a cron line with seconds, in UTC.

use chrono::SubsecRound;
use croner::{Cron, parser::CronParser};

use crate::runtime::Timestamp;

/// A cron line: second, minute, hour, day of the month, month, day of the week. In UTC, so that no run is lost or
/// doubled when clocks change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schedule(pub &'static str);

impl Schedule {
    /// Every hour, at this minute.
    pub const HOURLY_AT_7: Self = Self("0 7 * * * *");
    /// Every quarter of an hour.
    pub const QUARTERLY: Self = Self("0 */15 * * * *");
    /// Every night, when most people sleep somewhere else.
    pub const NIGHTLY: Self = Self("0 20 3 * * *");

    fn cron(self) -> Option<Cron> {
        CronParser::builder().seconds(croner::parser::Seconds::Required).build().parse(self.0).ok()
    }

    /// The last moment of the schedule up to `now`.
    pub(super) fn last(self, now: Timestamp) -> Option<Timestamp> {
        // The library carries fractions of a second over into its answer.
        self.cron()?.find_previous_occurrence(&now.trunc_subsecs(0), true).ok()
    }
}

/// The next moment of a schedule after `now`.
pub fn next(schedule: Schedule, now: Timestamp) -> Option<Timestamp> {
    schedule.cron()?.find_next_occurrence(&now.trunc_subsecs(0), false).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_schedule_knows_its_last_and_next_moment() {
        let now = at("2026-03-29T01:30:00.5Z");
        assert_eq!(Schedule::HOURLY_AT_7.last(now), Some(at("2026-03-29T01:07:00Z")));
        assert_eq!(next(Schedule::HOURLY_AT_7, now), Some(at("2026-03-29T02:07:00Z")));
        assert_eq!(next(Schedule::NIGHTLY, now), Some(at("2026-03-29T03:20:00Z")));
        assert_eq!(Schedule::QUARTERLY.last(at("2026-03-29T01:30:00Z")), Some(at("2026-03-29T01:30:00Z")));
        assert_eq!(next(Schedule("nonsense"), now), None);
    }
}
