//! How long a sign-in lasts (SES-1, SES-5). Enforced on every request, when switching, and when refreshing.

use std::time::Duration;

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use super::{Configured, Section};
use crate::settings::field::{Field, Number, Stricter, Unit};

/// How long a sign-in lasts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sessions {
    /// The longest, however active the person is.
    pub lifetime_minutes: u32,
    /// The longest without being carried on.
    pub idle_minutes: u32,
}

impl Sessions {
    /// How long after a sign-in the organisation can be worked in.
    pub fn lifetime(&self) -> TimeDelta {
        TimeDelta::minutes(self.lifetime_minutes.into())
    }

    /// How long a session may go without being carried on.
    pub fn idle(&self) -> TimeDelta {
        TimeDelta::minutes(self.idle_minutes.into())
    }
}

impl Section for Sessions {
    const NAME: &'static str = "sessions";
    const ABOUT: &'static str = "How long a sign-in lasts. An organisation's own limits hold while working in it.";
    const FIELDS: &'static [Field] = &[
        Field::number(
            "lifetime_minutes",
            "How long after signing in one has to sign in again, however active one is.",
            // A year, as for the configuration.
            Number { unit: Unit::Minutes, least: 15, most: 365 * 24 * 60, stricter: Stricter::Smaller },
        ),
        Field::number(
            "idle_minutes",
            "How long a session may go without being carried on with its refresh token.",
            // Twice the usual life of an access token: an active client is back before that.
            Number { unit: Unit::Minutes, least: 30, most: 90 * 24 * 60, stricter: Stricter::Smaller },
        ),
    ];

    fn defaults(configured: &Configured) -> Self {
        Self {
            lifetime_minutes: whole_minutes(configured.session_lifetime),
            idle_minutes: whole_minutes(configured.refresh_lifetime),
        }
    }
}

fn whole_minutes(duration: Duration) -> u32 {
    u32::try_from(duration.as_secs() / 60).unwrap_or(u32::MAX).max(1)
}
