//! What the guard decides, counted by the day, and what is made of that: why a decision comes out as it does, and what a
//! proposed change of roles or of the policy would do to those who work here (AZ-10).
//!
//! It asks the table that the guard asks and decides nothing. It owns the table `decision_counts`.

mod changes;
mod counts;
mod explain;
mod foresee;
mod holdings;
mod simulate;
mod uses;

pub use changes::{Change, MOST_CHANGES, MOST_PEOPLE};
pub use counts::{Decisions, KEPT, Outcome, clean_up, erase};
pub use explain::{About, Explanation, Gate, KeyGate, Question, Recorded, explain};
pub use foresee::{Foreseen, MOST_RULES, Shift, Tenant, foresee};
pub use holdings::{Holding, Standing, TeamGrant, Who};
pub use simulate::{Affected, Effect, Reach, Simulated, Totals, simulate};
pub use uses::Window;
