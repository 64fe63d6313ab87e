//! An e-mail address as Freehold keeps and compares it.

use std::{fmt, str::FromStr};

use email_address::{EmailAddress, Options};

use super::nfc;

/// A checked e-mail address in the form that is compared: NFC, lower case, the domain in ASCII (RFC 5891), so that
/// `ada@bücher.example` and `ada@xn--bcher-kva.example` are one address.
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
        let (local, domain) = text.rsplit_once('@').ok_or(WRONG)?;
        let text = format!("{local}@{}", ascii_domain(domain).ok_or(WRONG)?);
        let options = Options::default().without_display_text().without_domain_literal().with_required_tld();
        if text.chars().count() > Self::LONGEST || text.chars().any(char::is_control) {
            return Err(WRONG);
        }
        EmailAddress::parse_with_options(&text, options).map_err(|_| WRONG)?;
        Ok(Self(text))
    }
}

/// A domain in ASCII, or `None` when it is none (UTS 46).
pub fn ascii_domain(domain: &str) -> Option<String> {
    match url::Host::parse(domain) {
        // The parser of URLs would also take `ex%61mple.com`.
        Ok(url::Host::Domain(ascii)) if !domain.contains('%') => Some(ascii),
        _ => None,
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
        // One address in four spellings: the domain in Unicode, in two forms of it, in ASCII, in capitals.
        for same in
            ["zo\u{eb}@b\u{fc}cher.example", "zoe\u{308}@bu\u{308}cher.example", "zo\u{eb}@xn--bcher-kva.example"]
        {
            assert_eq!(same.parse::<Email>().unwrap().as_str(), "zo\u{eb}@xn--bcher-kva.example", "{same}");
            assert_eq!(same.to_uppercase().parse::<Email>().unwrap().as_str(), "zo\u{eb}@xn--bcher-kva.example");
        }
        let long = format!("ada@{}.example", "\u{fc}".repeat(80));
        for wrong in [
            &long,
            "ada@192.0.2.7",
            "ada@ex%61mple.com",
            "ada@xn--\u{fc}.example",
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
