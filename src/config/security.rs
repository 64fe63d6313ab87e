//! `[security]`: what `/.well-known/security.txt` tells whoever has found a vulnerability (NET-13, RFC 9116).

use lettre::message::Mailbox;
use url::Url;

use super::reader::Reader;
use super::values::Setting;

/// How to report a vulnerability of this installation.
#[derive(Clone, Debug)]
pub struct Security {
    /// Where to: `mailto:`, `https:` or `tel:` URIs, the preferred one first. Follows from `mail.from`: `security@` its
    /// domain (RFC 2142, 4).
    pub contact: Vec<String>,
    /// Languages that are read there, as tags of RFC 5646. Default `en`.
    pub languages: Vec<String>,
    /// The address of the policy: what researchers may do, and when they hear. Default none.
    pub policy: Option<String>,
}

impl Security {
    pub(super) fn read(reader: &mut Reader, from: &str) -> Self {
        let domain =
            from.parse::<Mailbox>().map_or_else(|_| "localhost".to_owned(), |from| from.email.domain().to_owned());
        let contact = Contacts(vec![format!("mailto:security@{domain}")]);
        Self {
            contact: reader.take_derived("security.contact", contact, "mail.from").0,
            languages: reader.take("security.languages", Languages(vec!["en".to_owned()])).0,
            policy: reader.take_optional::<Page>("security.policy").map(|page| page.0),
        }
    }
}

struct Contacts(Vec<String>);

impl Setting for Contacts {
    fn parse(text: &str) -> Result<Self, String> {
        let wrong = |part: &str| {
            format!(
                "has a part that is no contact ({part}); write for example mailto:security@example.com or \
                 https://example.com/report"
            )
        };
        let parts: Vec<_> = text.split(',').map(str::trim).filter(|part| !part.is_empty()).collect();
        if parts.is_empty() {
            return Err(wrong(text));
        }
        let contact = |part: &&str| {
            let url = parse(part)?;
            let right = match url.scheme() {
                // RFC 9116, 2.5.3: web addresses are https.
                "https" => url.has_host(),
                "mailto" => url.path().parse::<lettre::Address>().is_ok(),
                "tel" => !url.path().is_empty(),
                _ => false,
            };
            right.then(|| url.to_string())
        };
        parts.iter().map(|part| contact(part).ok_or_else(|| wrong(part))).collect::<Result<_, _>>().map(Self)
    }

    fn show(&self) -> String {
        self.0.join(", ")
    }
}

/// An address that is written as it is: the parser of URLs would leave out a line break, which begins another field.
fn parse(text: &str) -> Option<Url> {
    let plain = !text.chars().any(|c| c.is_control() || c.is_whitespace());
    Url::parse(text).ok().filter(|_| plain)
}

struct Languages(Vec<String>);

impl Setting for Languages {
    fn parse(text: &str) -> Result<Self, String> {
        let tags: Vec<_> = text.split(',').map(|tag| tag.trim().to_owned()).collect();
        let subtag =
            |part: &str| (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric());
        match tags.iter().find(|tag| !tag.split('-').all(subtag)) {
            None => Ok(Self(tags)),
            Some(tag) => Err(format!("has a part that is no language tag ({tag}); write for example en, de")),
        }
    }

    fn show(&self) -> String {
        self.0.join(", ")
    }
}

struct Page(String);

impl Setting for Page {
    fn parse(text: &str) -> Result<Self, String> {
        let url = parse(text).filter(|url| url.scheme() == "https" && url.has_host());
        let wrong = || "is no https address; write for example https://example.com/security".to_owned();
        url.map(|url| Self(url.to_string())).ok_or_else(wrong)
    }

    fn show(&self) -> String {
        self.0.clone()
    }
}
