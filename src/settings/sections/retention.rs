//! How long the record is kept (AUD-7).

use serde::{Deserialize, Serialize};

use super::{Configured, Section};
use crate::settings::field::{Field, Number, Stricter, Unit};

/// How long the record is kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Retention {
    /// Entries of everyday work.
    pub normal_days: u32,
    /// Entries about access and safety.
    pub security_days: u32,
}

/// The longest: ten years, as long as most laws ask for papers to be kept.
const LONGEST: u32 = 10 * 365;

impl Retention {
    /// As short as it can be: a year, and two.
    pub const LEAST: Self = Self { normal_days: 365, security_days: 2 * 365 };
}

impl Section for Retention {
    const NAME: &'static str = "retention";
    const ABOUT: &'static str = "How long the record is kept. What is older is dropped by the month, and its seals stay. An organisation can only keep its own longer.";
    const FIELDS: &'static [Field] = &[
        Field::number(
            "normal_days",
            "How long entries of the class normal are kept.",
            Number { unit: Unit::Days, least: Self::LEAST.normal_days, most: LONGEST, stricter: Stricter::Larger },
        ),
        Field::number(
            "security_days",
            "How long entries of the class security are kept.",
            Number { unit: Unit::Days, least: Self::LEAST.security_days, most: LONGEST, stricter: Stricter::Larger },
        ),
    ];

    fn defaults(_: &Configured) -> Self {
        Self::LEAST
    }
}
