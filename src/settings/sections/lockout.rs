//! How many wrong passwords lock a sign-in, and for how long (NET-5, AUT-6). Enforced when signing in.
//!
//! The platform's alone: a number of an organisation's own would tell strangers who belongs to it.

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use super::{Configured, Reach, Section};
use crate::settings::field::{Field, Number, Stricter, Unit};

/// What stops guessing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Lockout {
    /// The failures that lock an identifier or a known device.
    pub failures: u32,
    /// How long the first lock lasts.
    pub lock_minutes: u32,
    /// How long a lock lasts at most.
    pub longest_lock_minutes: u32,
    /// The failures that close a network address.
    pub address_failures: u32,
    /// How long such a failure counts.
    pub address_minutes: u32,
}

impl Lockout {
    /// How long the first lock lasts; each further failure doubles it.
    pub fn lock(&self) -> TimeDelta {
        TimeDelta::minutes(self.lock_minutes.into())
    }

    /// How long a lock lasts at most.
    pub fn longest_lock(&self) -> TimeDelta {
        TimeDelta::minutes(self.longest_lock_minutes.max(self.lock_minutes).into())
    }

    /// How long a failure counts against its network address.
    pub fn address_window(&self) -> TimeDelta {
        TimeDelta::minutes(self.address_minutes.into())
    }
}

impl Section for Lockout {
    const NAME: &'static str = "lockout";
    const ABOUT: &'static str = "What stops people from guessing passwords.";
    const REACH: Reach = Reach::Platform;
    const FIELDS: &'static [Field] = &[
        Field::number(
            "failures",
            "How many wrong passwords lock the sign-in with an address.",
            // NIST SP 800-63B-4, 3.2.2 allows up to 100; OWASP ASVS 5 asks for a limit that stops guessing.
            Number { unit: Unit::Attempts, least: 3, most: 20, stricter: Stricter::Smaller },
        ),
        Field::number(
            "lock_minutes",
            "How long the first lock lasts; each further failure doubles it.",
            Number { unit: Unit::Minutes, least: 5, most: 24 * 60, stricter: Stricter::Larger },
        ),
        Field::number(
            "longest_lock_minutes",
            "How long a lock lasts at most.",
            Number { unit: Unit::Minutes, least: 15, most: 7 * 24 * 60, stricter: Stricter::Larger },
        ),
        Field::number(
            "address_failures",
            "How many wrong passwords from one network address close it for a while.",
            Number { unit: Unit::Attempts, least: 5, most: 1000, stricter: Stricter::Smaller },
        ),
        Field::number(
            "address_minutes",
            "How long a wrong password counts against its network address.",
            Number { unit: Unit::Minutes, least: 5, most: 24 * 60, stricter: Stricter::Larger },
        ),
    ];

    fn defaults(_: &Configured) -> Self {
        Self { failures: 5, lock_minutes: 15, longest_lock_minutes: 24 * 60, address_failures: 20, address_minutes: 15 }
    }
}
