//! From which role on a second factor is demanded, and how long people may do without (MFA-5). Enforced by the guard.

use serde::{Deserialize, Serialize};

use super::{Configured, Section};
use crate::settings::field::{Field, Number, Stricter, Unit};

/// Who needs a second factor.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Mfa {
    /// The least role that needs one, or `nobody`.
    pub required_from: String,
    /// How long a person may do without, from when it was first demanded.
    pub grace_days: u32,
}

/// The word for no role.
const NOBODY: &str = "nobody";
/// What can be said, the laxest first.
const ROLES: &[&str] = &[NOBODY, "platform_admin", "owner", "admin", "manager", "member"];

impl Mfa {
    /// The least role that needs a second factor; `None` when nobody does.
    pub fn least_role(&self) -> Option<&str> {
        Some(self.required_from.as_str()).filter(|role| *role != NOBODY)
    }

    /// Whether everybody does, whatever their role.
    pub fn everybody(&self) -> bool {
        self.required_from == "member"
    }
}

impl Section for Mfa {
    const NAME: &'static str = "mfa";
    const ABOUT: &'static str = "Who needs a second factor, whichever way they sign in.";
    const FIELDS: &'static [Field] = &[
        Field::choice(
            "required_from",
            "The least role that needs a second factor; whoever has more needs one too.",
            ROLES,
        ),
        Field::number(
            "grace_days",
            "How long somebody may do without a second factor, counted once from when their role first demanded it.",
            Number { unit: Unit::Days, least: 0, most: 90, stricter: Stricter::Smaller },
        ),
    ];

    fn defaults(_: &Configured) -> Self {
        Self { required_from: "admin".to_owned(), grace_days: 7 }
    }
}
