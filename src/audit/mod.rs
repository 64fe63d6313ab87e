//! The record: what happened, who did it, and how it came out.
//!
//! Entries are written in the transaction of what they record ([`crate::db::WriteTx::commit`]), never changed and
//! never removed. This module owns the catalogue of event types, the writing and the searching. It decides nothing.

mod catalog;
mod event;
mod refusals;
mod search;

pub use catalog::{Class, Home, Kind, Severity};
pub use event::{Event, Outcome};
pub use refusals::Refusals;
pub use search::{Filter, get, list};

/// The words of a text as the record's search knows them: lower case, of letters, digits and hyphens.
fn words(text: &str) -> impl Iterator<Item = String> {
    text.split(|c: char| !(c.is_alphanumeric() || c == '-')).filter(|word| !word.is_empty()).map(str::to_lowercase)
}
