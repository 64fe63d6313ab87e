//! How questions about decisions and their answers look.

mod explained;
mod simulated;

pub(super) use explained::{ExplainDecision, Explained};
pub(super) use simulated::{Foreseen, SimulateChanges, SimulateRules, Simulated};
