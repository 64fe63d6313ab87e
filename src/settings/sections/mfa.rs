//! From which role on a second factor is demanded, and how long people may do without (MFA-5): enforced by the guard. And
//! what a recovery of a lost one takes beside the recovery address (MFA-7).

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
    /// For whom a code by e-mail, the weak factor, counts as one.
    pub email_codes_count_for: String,
    /// Whether a browser may be trusted in the place of the factor for a while.
    pub trusted_devices: String,
    /// How long a recovery waits before it can be completed.
    pub recovery_wait_hours: u32,
    /// Whether somebody has to approve it, `none` or `administrator`.
    pub recovery_approval: String,
}

/// The word for no role.
const NOBODY: &str = "nobody";
/// What can be said, the laxest first.
const ROLES: &[&str] = &[NOBODY, "platform_admin", "owner", "admin", "manager", "member"];
/// Those for whom codes by e-mail can count, the most first.
const EVERYBODY: &str = "everybody";
const BELOW_ADMIN: &str = "below_admin";
const COUNT_FOR: &[&str] = &[EVERYBODY, BELOW_ADMIN, NOBODY];
/// Whether devices may be trusted, the laxer first.
const ALLOWED: &str = "allowed";
const TRUST: &[&str] = &[ALLOWED, "never"];

/// The word for an administrator's approval, and what can be said, the laxest first.
const ADMINISTRATOR: &str = "administrator";
const APPROVALS: &[&str] = &["none", ADMINISTRATOR];

impl Mfa {
    /// The least role that needs a second factor; `None` when nobody does.
    pub fn least_role(&self) -> Option<&str> {
        Some(self.required_from.as_str()).filter(|role| *role != NOBODY)
    }

    /// Whether a code by e-mail counts for whoever is no administrator, and for one.
    pub fn email_codes_count(&self, administrator: impl FnOnce() -> bool) -> bool {
        match self.email_codes_count_for.as_str() {
            EVERYBODY => true,
            BELOW_ADMIN => !administrator(),
            _ => false,
        }
    }

    /// Whether it counts for anybody.
    pub fn email_codes_count_at_all(&self) -> bool {
        self.email_codes_count_for != NOBODY
    }

    /// Whether devices may be trusted.
    pub fn trusts_devices(&self) -> bool {
        self.trusted_devices == ALLOWED
    }

    /// Whether everybody does, whatever their role.
    pub fn everybody(&self) -> bool {
        self.required_from == "member"
    }

    /// Whether an administrator has to approve a recovery.
    pub fn recovery_needs_approval(&self) -> bool {
        self.recovery_approval == ADMINISTRATOR
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
        Field::choice(
            "email_codes_count_for",
            "For whom a code by e-mail counts as a second factor. Whoever reads the mailbox has it, and can have a new \
             password mailed there too. Where it counts for nobody, nobody can set it up.",
            COUNT_FOR,
        ),
        Field::choice(
            "trusted_devices",
            "Whether people may trust a browser for fourteen days, in which the password is then enough to sign in.",
            TRUST,
        ),
        Field::number(
            "recovery_wait_hours",
            "How long the recovery of a lost second factor waits, so that the owner of the account can stop it.",
            Number { unit: Unit::Hours, least: 0, most: 168, stricter: Stricter::Larger },
        ),
        Field::choice(
            "recovery_approval",
            "Whether an administrator has to approve the recovery of a lost second factor.",
            APPROVALS,
        ),
    ];

    fn defaults(_: &Configured) -> Self {
        Self {
            required_from: "admin".to_owned(),
            grace_days: 7,
            email_codes_count_for: BELOW_ADMIN.to_owned(),
            trusted_devices: ALLOWED.to_owned(),
            recovery_wait_hours: 0,
            recovery_approval: "none".to_owned(),
        }
    }
}
