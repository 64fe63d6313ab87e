//! An e-mail address as Freehold keeps and compares it.

use std::{fmt, str::FromStr};

use email_address::{EmailAddress, Options};

use super::nfc;

/// A checked e-mail address in the form that is compared: NFC, lower case.
///
/// RFC 5321 lets the local part be case sensitive; no mail system of note uses that, and people type their
/// address in any case, so the whole address is folded.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Email(String);

impl Email {
    /// The longest address that a mail system carries, in characters (RFC 5321, 4.5.3.1.3, less the angle brackets).
    pub const LONGEST: usize = 254;

    /// The address.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Email {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const WRONG: &str = "must be an e-mail address such as name@example.com";
        let text = nfc(text.trim()).to_lowercase();
        let options = Options::default().without_display_text().without_domain_literal().with_required_tld();
        if text.chars().count() > Self::LONGEST || text.chars().any(char::is_control) {
            return Err(WRONG);
        }
        EmailAddress::parse_with_options(&text, options).map_err(|_| WRONG)?;
        Ok(Self(text))
    }
}

impl fmt::Display for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_folded_and_checked() {
        assert_eq!("  Ada@Example.COM ".parse::<Email>().unwrap().as_str(), "ada@example.com");
        for wrong in [
            "",
            "ada",
            "ada@",
            "@example.com",
            "ada@localhost",
            "a b@example.com",
            "a\0@example.com",
            "Ada <ada@example.com>",
        ] {
            assert!(wrong.parse::<Email>().is_err(), "{wrong:?} was taken");
        }
    }
}
