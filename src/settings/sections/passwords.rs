//! What a password must be (AUT-2). Enforced where one is chosen.
//!
//! Every rule is a field of its own, and a profile is nothing but values for all of them. Two profiles need not be
//! comparable: one asks for more characters, the other for more kinds of them. Field by field the stricter is always
//! clear, and what meets the stricter of each field meets both profiles.

use serde::{Deserialize, Serialize};

use super::{Configured, Section};
use crate::settings::field::{Field, Number, Stricter, Unit};

/// What a password must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Passwords {
    /// The fewest characters.
    pub minimum_length: u32,
    /// Whether it must have an upper-case letter.
    pub require_upper_case: bool,
    /// Whether it must have a lower-case letter.
    pub require_lower_case: bool,
    /// Whether it must have a digit.
    pub require_digit: bool,
    /// Whether it must have a character that is neither letter nor digit.
    pub require_special: bool,
    /// The least strength, as zxcvbn estimates it: 0 is any, 4 is the strongest.
    pub minimum_strength: u32,
    /// How many of the last passwords, the present one among them, can't be chosen again.
    pub history: u32,
}

/// Values for all fields that belong together.
#[derive(Debug)]
pub struct Profile {
    /// Its name, which never changes.
    pub name: &'static str,
    /// What people call it.
    pub title: &'static str,
    /// What it is, in a sentence or two.
    pub about: &'static str,
    /// The values.
    pub values: Passwords,
}

/// The built-in profiles. Whatever the profile, a password has at most 256 characters, is not among the commonest, and
/// does not contain its owner's name or address; and none ever expires.
pub const PROFILES: &[Profile] = &[
    Profile {
        name: "classic",
        title: "Classic",
        about: "At least 12 characters of four kinds, hard to guess, and none of the last 10 passwords.",
        values: USUAL,
    },
    Profile {
        name: "nist",
        title: "NIST SP 800-63B-4",
        about: "At least 15 characters of any kind, held against a list of the commonest passwords. Length is what \
                counts, as NIST SP 800-63B-4, 3.1.1.2 has it for a password without a second factor.",
        values: Passwords {
            minimum_length: 15,
            require_upper_case: false,
            require_lower_case: false,
            require_digit: false,
            require_special: false,
            minimum_strength: 0,
            history: 1,
        },
    },
];

/// What holds while nobody has set anything, but for the length, which the server's configuration says.
const USUAL: Passwords = Passwords {
    minimum_length: 12,
    require_upper_case: true,
    require_lower_case: true,
    require_digit: true,
    require_special: true,
    minimum_strength: 3,
    history: 10,
};

impl Section for Passwords {
    const NAME: &'static str = "passwords";
    const ABOUT: &'static str = "What a new password must be. Somebody in several organisations meets the strictest.";
    const FIELDS: &'static [Field] = &[
        Field::number(
            "minimum_length",
            "The fewest characters of a password; never fewer than the server's configuration asks for.",
            // 8 is the least that NIST SP 800-63B-4 allows, 256 the longest password there is (AUT-2).
            Number { unit: Unit::Characters, least: 8, most: 256, stricter: Stricter::Larger },
        )
        .never_laxer_than_configured(),
        Field::demand("require_upper_case", "Whether a password must have an upper-case letter."),
        Field::demand("require_lower_case", "Whether a password must have a lower-case letter."),
        Field::demand("require_digit", "Whether a password must have a digit."),
        Field::demand("require_special", "Whether a password must have a character that is neither letter nor digit."),
        Field::number(
            "minimum_strength",
            "How hard to guess a password must be by zxcvbn's estimate: from 0, which is any, to 4.",
            Number { unit: Unit::Points, least: 0, most: 4, stricter: Stricter::Larger },
        ),
        Field::number(
            "history",
            "How many of the last passwords can't be chosen again, the present one among them.",
            // PCI DSS 4.0.1, 8.3.7 asks for 4, the CIS benchmarks for 24: more is asked for nowhere.
            Number { unit: Unit::Passwords, least: 1, most: 24, stricter: Stricter::Larger },
        ),
    ];

    fn defaults(configured: &Configured) -> Self {
        Self { minimum_length: configured.minimum_length, ..USUAL }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    /// Proves AUT-2.
    #[test]
    fn a_profile_has_a_value_that_can_be_set_for_every_field() {
        for profile in PROFILES {
            let values = serde_json::to_value(profile.values).unwrap();
            for field in Passwords::FIELDS {
                assert!(field.kind.check(&values[field.name]).is_ok(), "{}: {}", profile.name, field.name);
            }
        }
    }

    /// Proves AUT-2.
    #[test]
    fn what_meets_the_stricter_of_each_field_meets_both_profiles() {
        let of = |profile: &Profile| serde_json::to_value(profile.values).unwrap();
        let (classic, nist) = (of(&PROFILES[0]), of(&PROFILES[1]));
        for field in Passwords::FIELDS {
            let both: Value = field.kind.combine(&classic[field.name], &nist[field.name]);
            for one in [&classic, &nist] {
                assert_eq!(field.kind.laxer(&both, &one[field.name]), None, "{}", field.name);
            }
        }
        assert_eq!((PROFILES[1].values.minimum_length, PROFILES[1].values.require_special), (15, false));
    }
}
