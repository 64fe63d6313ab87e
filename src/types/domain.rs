//! The name of a mail domain as Freehold keeps and compares it.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use url::Host;

use super::Email;

/// A domain name in the form that is compared: lower case, in ASCII (IDNA), without a dot at the end.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Domain(String);

impl Domain {
    /// The longest name in characters (RFC 1035, 2.3.4, less the root's dot and its length).
    pub const LONGEST: usize = 253;

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Domain {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const WRONG: &str = "must be a domain such as example.com";
        let Ok(Host::Domain(name)) = Host::parse(text.trim()) else { return Err(WRONG) };
        let right = name.len() <= Self::LONGEST && name.contains('.') && name.split('.').all(is_label);
        if right { Ok(Self(name)) } else { Err(WRONG) }
    }
}

fn is_label(label: &str) -> bool {
    let letters = label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    (1..=63).contains(&label.len()) && letters && !label.starts_with('-') && !label.ends_with('-')
}

impl Email {
    /// The address's domain; `None` for one that no mail could be routed to.
    pub fn domain(&self) -> Option<Domain> {
        self.as_str().rsplit_once('@')?.1.parse().ok()
    }
}

impl TryFrom<String> for Domain {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Domain> for String {
    fn from(domain: Domain) -> Self {
        domain.0
    }
}

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_folded_and_checked() {
        let folded = |text: &str| text.parse::<Domain>().unwrap().0;
        assert_eq!(folded(" Example.COM "), "example.com");
        assert_eq!(folded("Bücher.example"), "xn--bcher-kva.example");
        let email: Email = "Ada@Bücher.Example".parse().unwrap();
        assert_eq!(email.domain().unwrap().as_str(), "xn--bcher-kva.example");
        let longest = format!("{}.com", vec!["a".repeat(60); 5].join("."));
        for wrong in [
            "",
            "localhost",
            "@example.com",
            "*.example.com",
            "example.com.",
            "-a.com",
            "a_b.com",
            "10.0.0.1",
            &longest,
        ] {
            assert!(wrong.parse::<Domain>().is_err(), "{wrong:?} was taken");
        }
    }
}
