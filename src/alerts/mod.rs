//! Alerts: what rules find in the record, and what becomes of it (AUD-5, NET-10).
//!
//! The leader looks at what is new in the record ([`look`]), each entry once, counts by the rules of the installation
//! (`policies/severities.csv`) and of the organisations, and raises an alert when there is as much as a rule waits for.
//! What comes after it adds to the alert while that is open. Errors are counted in memory and raised from their counts
//! ([`count_errors`], [`look_at_errors`]). This module owns the tables `alerts`, `alert_…` and `error_counts`. It never decides who is written
//! to, and changes nothing of the record.

mod clean_up;
mod errors;
mod inbox;
mod matching;
mod mutes;
mod news;
mod policy;
mod preferences;
mod raise;
mod rules;
mod watch;

use chrono::TimeDelta;
use entity::Pii;
use serde::{Deserialize, Serialize};

pub use clean_up::{clean_up, erase};
pub use errors::{Counted, WINDOWS, count_errors, errors, look_at_errors};
pub use inbox::{Alert, Decision, Filter, OpenCounts, State, acknowledge, counts, get, list, reopen};
pub use mutes::{MutedRule, mute, mute_rule, muted_rules, unmute, unmute_rule};
pub use policy::{AlertPolicy, BuiltIn, Waits, is_about_alerts};
pub use preferences::{Digest, Preferences, preferences, set_preferences};
pub use rules::{
    Changes, MOST_RULES, NewRule, OwnRule, Wanted, create, delete, get as get_rule, list as rules, update,
};
pub use watch::{Seen, look};

use crate::vault::{Field, Table, sealed_table};

/// The most that a rule counts to.
pub const MOST_COUNT: i64 = 100_000;
/// The longest window of a rule in minutes: a day. What is kept for counting is bounded by it.
pub const LONGEST_WINDOW: i64 = 1_440;
/// How long a mute lasts at most: longer, and it is forgotten.
pub const LONGEST_MUTE: TimeDelta = TimeDelta::days(30);
/// How many alerts of one rule are open at once in an organisation; what goes beyond is one alert together, so that
/// nobody buries an alert under others.
pub const MOST_OPEN: usize = 100;
/// The longest note in characters.
pub const LONGEST_NOTE: usize = 1_000;

const ADDRESS: Field<Pii> = Field::new("alerts.address");
const NOTE: Field<Pii> = Field::new("alerts.note");

/// The columns that are sealed.
pub const SEALED: &[Table] = &[sealed_table!("alerts", Pii, ["address", "note"])];

/// What a rule counts together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Grouping {
    /// What one person or service account did.
    Actor,
    /// What came from one network address.
    Address,
    /// All of the organisation.
    Organization,
}

impl Grouping {
    /// The stored word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Actor => "actor",
            Self::Address => "address",
            Self::Organization => "organization",
        }
    }

    /// The grouping with this stored word.
    pub fn find(word: &str) -> Option<Self> {
        [Self::Actor, Self::Address, Self::Organization].into_iter().find(|grouping| grouping.as_str() == word)
    }
}
