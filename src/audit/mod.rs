//! The record: what happened, who did it, and how it came out.
//!
//! Entries are written in the transaction of what they record ([`crate::db::WriteTx::commit`]), never changed and
//! never removed. What is personal of them lies beside them, sealed, and goes when its person is erased. This module owns
//! the catalogue of event types, the writing and the searching. It decides nothing.

mod activity;
mod catalog;
pub mod commitment;
mod details;
mod event;
pub mod export;
pub mod feed;
mod personal;
pub mod product;
mod refusals;
mod search;
mod upgrade;
mod words;

pub use activity::{Day as Activity, MOST, activity};
pub use catalog::{Class, Home, Kind, Severity};
pub use details::{Detail, Kept};
pub use event::{Event, LikeACopy, Outcome};
pub use personal::{Disclosed, Entry, Personal, SEALED, disclosed, erase};
pub use refusals::Refusals;
pub use search::{Filter, get, list, rows};
pub use upgrade::seal_clear;
