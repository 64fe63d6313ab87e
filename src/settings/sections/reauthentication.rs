//! How fresh a sign-in must be for sensitive operations (AUT-7).

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use super::{Configured, Section};
use crate::settings::field::{Field, Number, Stricter, Unit};

/// How fresh a sign-in must be for sensitive operations.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reauthentication {
    /// How long the last proof counts.
    pub window_minutes: u32,
}

impl Reauthentication {
    /// How long the last proof of who one is counts as fresh.
    pub fn window(&self) -> TimeDelta {
        TimeDelta::minutes(self.window_minutes.into())
    }
}

impl Section for Reauthentication {
    const NAME: &'static str = "reauthentication";
    const ABOUT: &'static str = "How fresh the proof of who one is must be for sensitive operations.";
    const FIELDS: &'static [Field] = &[Field::number(
        "window_minutes",
        "How long after proving who one is sensitive operations are open.",
        Number { unit: Unit::Minutes, least: 1, most: 60, stricter: Stricter::Smaller },
    )];

    fn defaults(configured: &Configured) -> Self {
        // A configuration that is stricter than this holds as well (`Sessions::reauthentication_window`).
        let minutes = configured.reauthentication_window.as_secs().div_ceil(60).clamp(5, 60);
        Self { window_minutes: u32::try_from(minutes).unwrap_or(5) }
    }
}
