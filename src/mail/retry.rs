//! When a letter that could not leave is tried again. Pure arithmetic.

use chrono::TimeDelta;
use entity::OutboxId;
use uuid::Uuid;

use crate::runtime::Timestamp;

/// After the first failure, in seconds.
const FIRST: i64 = 10;
/// The longest pause, in seconds.
const LONGEST: i64 = 3600;
/// How long a letter is tried. A mail server that was away for longer is an outage that people know of, and the
/// invitation can be sent again; RFC 5321, 4.5.4.1 asks relays, not us, for four to five days.
const GIVE_UP: TimeDelta = TimeDelta::days(1);

/// When the next attempt is due after the `attempts`th failed at `now`; `None` when the letter is given up.
pub(super) fn next(id: OutboxId, attempts: i32, written_at: Timestamp, now: Timestamp) -> Option<Timestamp> {
    let due = now + pause(id, attempts);
    (due <= written_at + GIVE_UP).then_some(due)
}

/// 10 s, 20 s, 40 s … 1 h, each up to a fifth more or less, so that what failed together does not return together.
/// The id's random bits spread it.
fn pause(id: OutboxId, attempts: i32) -> TimeDelta {
    let doublings = u32::try_from(attempts.saturating_sub(1)).unwrap_or(0).min(16);
    let seconds = FIRST.saturating_mul(1 << doublings).min(LONGEST);
    let chance = Uuid::from(id).as_u128().rotate_right(doublings * 7) & 0xFFFF_FFFF;
    let spread = i64::try_from(chance % 401).unwrap_or(200) - 200;
    TimeDelta::milliseconds(seconds * (1000 + spread))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn pauses_double_up_to_an_hour(id: u128, attempts in 1i32..=i32::MAX) {
            let id = OutboxId(Uuid::from_u128(id));
            let plain = f64::from(10) * 2f64.powi((attempts - 1).min(20));
            let seconds = pause(id, attempts).as_seconds_f64() / plain.min(3600.0);
            prop_assert!((0.8..=1.2).contains(&seconds), "{seconds}");
        }
    }

    #[test]
    fn a_letter_is_tried_for_a_day() {
        let id = OutboxId(Uuid::from_u128(7));
        let written_at = chrono::DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let mut now = written_at;
        let mut attempts = 0;
        loop {
            attempts += 1;
            match next(id, attempts, written_at, now) {
                Some(due) => now = due,
                None => break,
            }
        }
        let tried = now - written_at;
        assert!(tried > TimeDelta::hours(22) && tried <= TimeDelta::days(1), "{tried}");
        assert!((25..50).contains(&attempts), "{attempts}");
    }
}
