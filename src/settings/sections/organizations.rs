//! What becomes of deleted organisations (AZ-1).

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use super::{Configured, Reach, Section};
use crate::settings::field::{Field, Number, Stricter, Unit};

/// What becomes of deleted organisations.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Organizations {
    /// How long one can be restored.
    pub grace_days: u32,
}

impl Organizations {
    /// How long a deleted organisation can be restored.
    pub fn grace(&self) -> TimeDelta {
        TimeDelta::days(self.grace_days.into())
    }
}

impl Section for Organizations {
    const NAME: &'static str = "organizations";
    const ABOUT: &'static str = "What becomes of deleted organisations.";
    const REACH: Reach = Reach::Platform;
    const FIELDS: &'static [Field] = &[Field::number(
        "grace_days",
        "How long an organisation that is deleted from now on can be restored.",
        Number { unit: Unit::Days, least: 1, most: 365, stricter: Stricter::Smaller },
    )];

    fn defaults(_: &Configured) -> Self {
        Self { grace_days: 30 }
    }
}
