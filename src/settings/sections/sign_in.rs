//! The ways to sign in that may be used (AUT-10). Enforced where a session begins, when switching, and on every request.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{Configured, Section};
use crate::settings::field::Field;

/// A way to sign in. A new one says here what it is called and which factors its sessions have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// The account's password.
    Password,
    /// A passkey of the account's, without a password.
    Passkey,
}

impl Way {
    /// Every way, by the names in documents.
    const NAMES: &'static [&'static str] = &["password", "passkey"];

    /// The way that a session's factors (RFC 8176) tell of; `None` when they are of none.
    pub fn of<'a>(factors: impl Iterator<Item = &'a str>) -> Option<Self> {
        // Beside a password, a passkey is a second factor.
        factors.fold(None, |way, factor| match factor {
            "pwd" => Some(Self::Password),
            "pop" => way.or(Some(Self::Passkey)),
            _ => way,
        })
    }
}

/// The ways to sign in that may be used.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SignIn {
    /// The ways; never none.
    pub ways: BTreeSet<Way>,
}

impl SignIn {
    /// Whether somebody may be here who signed in with these factors.
    pub fn admits<'a>(&self, factors: impl Iterator<Item = &'a str>) -> bool {
        Way::of(factors).is_some_and(|way| self.ways.contains(&way))
    }
}

impl Section for SignIn {
    const NAME: &'static str = "sign_in";
    const ABOUT: &'static str = "The ways to sign in.";
    const FIELDS: &'static [Field] = &[Field::words(
        "ways",
        "The ways to sign in that may be used; at least one. An organisation narrows those of the platform.",
        Way::NAMES,
    )];

    fn defaults(_: &Configured) -> Self {
        Self { ways: BTreeSet::from([Way::Password, Way::Passkey]) }
    }
}
