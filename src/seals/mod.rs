//! Seals: what makes it show when somebody changes the record around the server (AUD-4).
//!
//! Whoever leads hashes each organisation's entries into a chain and signs where it ends, a few seconds after they were
//! written ([`Sealing`]). This module owns the forms of entries, chains and checkpoints, the sealing, the evidence that
//! leaves ([`export`]), and its verification ([`verify()`]), which needs neither database nor server. It never writes or
//! changes an entry.

mod evidence;
mod form;
mod list;
mod moments;
mod publish;
mod sealer;
mod signed;
mod verify;

pub use evidence::{Evidence, Wanted, export};
pub use form::Checkpoint;
pub use list::{Kept, MOST_WAITING, State, list, state};
pub use publish::publish;
pub use sealer::Sealing;
pub use verify::{Fault, KeyRing, Report, verify};
