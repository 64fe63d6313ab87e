//! Generated coverage: what must hold for every operation of the contract, asked of every operation of the contract.
//!
//! `cases.rs` says how to build one valid request for each operation; the checks derive everything else from
//! `openapi/openapi.json` and the registry's line in it. A check goes through all operations and then reports every
//! one that failed, by name.

mod answers;
mod before;
mod cases;
mod contract;
mod decided;
mod export;
mod inputs;
mod lists;
mod performances;
mod reauthentication;
mod recovering;
mod registry;
mod roles;
mod second_factors;
mod stage;
mod strangers;
mod tenants;

pub use contract::{Operation, operations};
pub use stage::Stage;

/// What went wrong, operation by operation.
#[derive(Default)]
struct Failures(Vec<String>);

impl Failures {
    /// Notes a failure of an operation.
    fn note(&mut self, operation: &str, failure: impl std::fmt::Display) {
        self.0.push(format!("{operation}: {failure}"));
    }

    /// Notes the failure of a check of an operation, if it failed.
    fn check(&mut self, operation: &str, outcome: Result<(), String>) {
        if let Err(failure) = outcome {
            self.note(operation, failure);
        }
    }

    /// Fails the test with everything that was noted.
    #[track_caller]
    fn report(self) {
        assert!(self.0.is_empty(), "{} failures:\n  {}", self.0.len(), self.0.join("\n  "));
    }
}

/// Operations for which a check does not hold, each with the reason. One that is no operation any more, or for which
/// the check does hold, has to go.
type Exceptions = [(&'static str, &'static str)];

/// Splits the outcome of a check that has exceptions.
fn except(exceptions: &Exceptions, operation: &str, outcome: Result<(), String>) -> Result<(), String> {
    match (exceptions.iter().find(|(name, _)| *name == operation), outcome) {
        (None, outcome) => outcome,
        (Some(_), Err(_)) => Ok(()),
        (Some((_, reason)), Ok(())) => Err(format!("the exception is stale, remove it: {reason}")),
    }
}

/// Every exception must be about an operation that there is.
fn known(exceptions: &Exceptions, failures: &mut Failures) {
    for (operation, _) in exceptions {
        if contract::operations().iter().all(|known| known.id != *operation) {
            failures.note(operation, "is the name of an exception and of no operation; remove the exception");
        }
    }
}
