//! When everything that was written before is seen.
//!
//! An entry gets its id a moment before PostgreSQL numbers its transaction, and is seen when that commits, which may be
//! much later: behind others with higher ids that were sealed long ago. So what is to be sealed is not asked by id.
//! What is sealed is whatever is seen, is not sealed yet, and belongs to a transaction numbered below the oldest one that
//! still runs; a late one is sealed when it has ended, after those that came before it. The order is that of the seals.
//!
//! Ids only bound where to look. At some moment PostgreSQL was about to give the number `next`. Once every transaction
//! below that number has ended, whatever is still not seen was numbered after that moment, and its id is not older than
//! that by more than [`BEFORE`].

use std::collections::VecDeque;

use chrono::TimeDelta;

use crate::runtime::Timestamp;

/// How long before PostgreSQL numbers its transaction an entry may get its id. What lies between is one statement, which
/// PostgreSQL waits 30 s for and gives up after 15 s (`db::tx`); and the clocks are less than a second apart.
const BEFORE: TimeDelta = TimeDelta::seconds(60);

/// How many moments are remembered while something runs for long. Forgetting some only makes the answer older.
const MOST: usize = 1024;

/// Moments of which transactions may still be running.
#[derive(Debug, Default)]
pub(super) struct Moments(VecDeque<(i64, Timestamp)>);

impl Moments {
    /// Takes note of a moment: the oldest number that runs, the next number to be given, and the time. Says before which
    /// time nothing was written that is not seen and below the oldest number, if that is known.
    pub fn note(&mut self, (oldest, next): (i64, i64), at: Timestamp) -> Option<Timestamp> {
        self.0.push_back((next, at));
        while self.0.get(1).is_some_and(|(next, _)| *next <= oldest) {
            self.0.pop_front();
        }
        if self.0.len() > MOST {
            let mut place = 0_usize;
            // The first is what everything waits for; of the others every second goes.
            self.0.retain(|_| {
                place += 1;
                place == 1 || place.is_multiple_of(2)
            });
        }
        self.0.front().filter(|(next, _)| *next <= oldest).map(|(_, then)| *then - BEFORE)
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;

    fn at(seconds: i64) -> Timestamp {
        DateTime::from_timestamp(1_800_000_000 + seconds, 0).unwrap_or_default()
    }

    /// Proves AUD-4.
    #[test]
    fn it_waits_for_the_oldest_transaction_however_long_that_runs() {
        let mut moments = Moments::default();
        // Something runs since nobody knows when.
        assert_eq!(moments.note((5, 10), at(0)), None);
        assert_eq!(moments.note((5, 12), at(1)), None);
        // It has ended; what runs now began after the first moment.
        assert_eq!(moments.note((10, 12), at(2)), Some(at(0) - BEFORE));
        assert_eq!(moments.note((12, 20), at(3)), Some(at(2) - BEFORE));
        assert_eq!(moments.note((20, 20), at(4)), Some(at(4) - BEFORE));
        // One goes on for hours: nothing after its beginning is taken for complete.
        for second in 5..20_000 {
            assert_eq!(moments.note((20, 30 + second), at(second)), Some(at(4) - BEFORE));
        }
        assert!(moments.0.len() <= MOST + 1, "{}", moments.0.len());
        // When it has ended, so is what was remembered since.
        let after = moments.note((20_030, 20_030), at(20_000));
        assert_eq!(after, Some(at(20_000) - BEFORE));
    }
}
