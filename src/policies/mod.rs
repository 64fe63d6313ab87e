//! The policy as evidence: what is enforced, what was enforced at any past moment, and who holds what by it (AZ-5).
//!
//! It describes what the guard does by asking the table that the guard asks, keeps the revisions of the policy, reads the
//! history of roles that the database's triggers write, and signs what leaves. It decides nothing.

mod canonical;
mod changes;
mod custom;
mod export;
mod history;
mod holders;
mod map;
mod revisions;
mod sheet;

pub use changes::{Between, Change, Changes, Difference, Differences, between};
pub use export::{Document, Format, InForce, Part, Wanted, export, in_force};
pub use map::Map;
pub use revisions::{keep, run};
