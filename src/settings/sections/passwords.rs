//! What a password must be (AUT-2). Enforced where one is chosen.

use serde::{Deserialize, Serialize};

use super::{Configured, Section};
use crate::settings::field::{Field, Number, Stricter, Unit};

/// What a password must be.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Passwords {
    /// The fewest characters.
    pub minimum_length: u32,
}

impl Section for Passwords {
    const NAME: &'static str = "passwords";
    const ABOUT: &'static str = "What a new password must be. Somebody in several organisations meets the strictest.";
    const FIELDS: &'static [Field] = &[Field::number(
        "minimum_length",
        "The fewest characters of a password; never fewer than the server's configuration asks for.",
        // 8 is the least that NIST SP 800-63B-4 allows, 256 the longest password there is (AUT-2).
        Number { unit: Unit::Characters, least: 8, most: 256, stricter: Stricter::Larger },
    )
    .never_laxer_than_configured()];

    fn defaults(configured: &Configured) -> Self {
        Self { minimum_length: configured.minimum_length }
    }
}
