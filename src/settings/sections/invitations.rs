//! Who may be invited, and how long an invitation is open (AUT-4). Enforced when inviting, sending again, accepting.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use super::{Configured, Section};
use crate::{
    error::{Code, Error, Result},
    settings::field::{Field, Number, Stricter, Unit},
    types::{Domain, Email},
};

/// Who may be invited, and how long an invitation is open.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Invitations {
    /// How long an invitation can be accepted.
    pub lifetime_days: u32,
    /// The domains of those who may be invited; `None` is any.
    pub allowed_domains: Option<BTreeSet<Domain>>,
}

impl Invitations {
    /// How long an invitation can be accepted.
    pub fn lifetime(&self) -> TimeDelta {
        TimeDelta::days(self.lifetime_days.into())
    }

    /// Whether this address may be invited, and join.
    ///
    /// # Errors
    /// `Conflict` with `domain_not_allowed`.
    pub fn admit(&self, email: &Email) -> Result<()> {
        let Some(allowed) = &self.allowed_domains else { return Ok(()) };
        let admitted = email.domain().is_some_and(|domain| allowed.contains(&domain));
        if admitted { Ok(()) } else { Err(Error::Conflict(Code::DomainNotAllowed)) }
    }
}

impl Section for Invitations {
    const NAME: &'static str = "invitations";
    const ABOUT: &'static str = "Who may be invited, and how long an invitation is open.";
    const FIELDS: &'static [Field] = &[
        Field::number(
            "lifetime_days",
            "How long an invitation can be accepted.",
            Number { unit: Unit::Days, least: 1, most: 30, stricter: Stricter::Smaller },
        ),
        Field::domains(
            "allowed_domains",
            "The domains of the addresses that may be invited and may join, exactly as written; null for any.",
        ),
    ];

    fn defaults(_: &Configured) -> Self {
        Self { lifetime_days: 7, allowed_domains: None }
    }
}
