//! Who may make an account and join by themselves (AUT-3). Enforced when signing up, when the address is proven, and when
//! somebody lets them in.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{Configured, Section};
use crate::{
    error::{Code, Error, Result},
    settings::field::Field,
    types::{Domain, Email},
};

/// How people come in without being asked. The later, the stricter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Whoever has an e-mail address.
    Open,
    /// Whoever has an address of one of the domains.
    DomainRestricted,
    /// Whoever an administrator lets in.
    ApprovalRequired,
    /// Nobody.
    InvitationOnly,
}

impl Mode {
    /// The names in documents, the laxest first.
    const NAMES: &'static [&'static str] = &["open", "domain_restricted", "approval_required", "invitation_only"];
}

/// Who may make an account and join by themselves.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SignUp {
    /// How.
    pub mode: Mode,
    /// The domains of those who may; `None` is any.
    pub domains: Option<BTreeSet<Domain>>,
}

impl SignUp {
    /// Whether anybody may sign up at all.
    ///
    /// # Errors
    /// `Forbidden` with `sign_up_by_invitation`.
    pub fn open(&self) -> Result<()> {
        if self.mode == Mode::InvitationOnly { Err(Error::Forbidden(Code::SignUpByInvitation)) } else { Ok(()) }
    }

    /// Whether this address may sign up. Where domains are named they bind in every mode; where only those may and none
    /// is named, nobody may.
    ///
    /// # Errors
    /// `Forbidden` with `sign_up_by_invitation`; `Conflict` with `domain_not_allowed`.
    pub fn admit(&self, email: &Email) -> Result<()> {
        self.open()?;
        self.admit_domain(email)
    }

    /// Whether an address of this domain may sign up, where somebody decides about each.
    ///
    /// # Errors
    /// `Conflict` with `domain_not_allowed`.
    pub fn admit_domain(&self, email: &Email) -> Result<()> {
        let admitted = match &self.domains {
            Some(domains) => email.domain().is_some_and(|domain| domains.contains(&domain)),
            None => self.mode != Mode::DomainRestricted,
        };
        if admitted { Ok(()) } else { Err(Error::Conflict(Code::DomainNotAllowed)) }
    }
}

impl Section for SignUp {
    const NAME: &'static str = "sign_up";
    const ABOUT: &'static str = "Who may make an account, and join, without being invited.";
    const FIELDS: &'static [Field] = &[
        Field::choice(
            "mode",
            "Who may sign up: anybody, addresses of the domains, whoever an administrator lets in, or only who is \
             invited. The platform's value holds for accounts; an organisation that people may join says so itself.",
            Mode::NAMES,
        )
        .opened_by_each(),
        Field::domains("domains", "The domains of the addresses that may sign up, exactly as written; null for any."),
    ];

    fn defaults(_: &Configured) -> Self {
        Self { mode: Mode::InvitationOnly, domains: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(mode: Mode, domains: &[&str]) -> SignUp {
        let domains: BTreeSet<_> = domains.iter().map(|domain| domain.parse().unwrap()).collect();
        SignUp { mode, domains: (!domains.is_empty()).then_some(domains) }
    }

    fn admits(rules: &SignUp, email: &str) -> bool {
        email.parse().is_ok_and(|email: Email| rules.admit(&email).is_ok())
    }

    /// Proves AUT-3.
    #[test]
    fn an_address_is_of_a_domain_exactly() {
        let rules = rules(Mode::DomainRestricted, &["example.com", "b\u{fc}cher.example"]);
        for of in ["ada@example.com", "Ada+list@EXAMPLE.com", "ada@b\u{fc}cher.example", "ada@xn--bcher-kva.example"] {
            assert!(admits(&rules, of), "{of}");
        }
        for not in [
            "ada@evil.example.com",
            "ada@example.com.evil.com",
            "ada@notexample.com",
            "ada@example.com.",
            "ada@ex\u{430}mple.com",
            "\"ada@example.com\"@evil.com",
            "ada@example.co",
        ] {
            assert!(!admits(&rules, not), "{not}");
        }
    }

    /// Proves AUT-3.
    #[test]
    fn the_stricter_of_modes_and_domains_holds() {
        assert!(admits(&rules(Mode::Open, &[]), "ada@example.com"));
        assert!(!admits(&rules(Mode::Open, &["other.example"]), "ada@example.com"));
        assert!(!admits(&rules(Mode::DomainRestricted, &[]), "ada@example.com"));
        assert!(admits(&rules(Mode::ApprovalRequired, &[]), "ada@example.com"));
        assert!(!admits(&rules(Mode::ApprovalRequired, &["other.example"]), "ada@example.com"));
        assert!(!admits(&rules(Mode::InvitationOnly, &["example.com"]), "ada@example.com"));
    }
}
