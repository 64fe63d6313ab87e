//! What a call leaves of a quota that is counted in the database, for the edge to tell.

use std::time::Duration;

/// What is left of a quota.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Left {
    /// How many more calls there can be now.
    pub calls: u32,
    /// In how long there can be more.
    pub renewed_in: Duration,
}
