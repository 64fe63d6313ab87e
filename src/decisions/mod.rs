//! What the guard decides, counted by the day, and what is made of that: why a decision comes out as it does, and what a
//! proposed change of roles or of the policy would do to those who work here (AZ-10).
//!
//! It asks the table that the guard asks and decides nothing. It owns the table `decision_counts`.

mod counts;

pub use counts::{Decisions, KEPT, Outcome, clean_up, erase};
