//! TLS in the server itself: which certificate, or who issues one. Owns syntax and rules; never reads a key.

use std::path::PathBuf;

use url::{Host, Url};

use super::reader::Reader;
use super::values::Setting;
use super::{Http, Profile};

const CERTIFICATE: &str = "http.tls.certificate";
const KEY: &str = "http.tls.key";
const CONTACT: &str = "http.tls.acme.contact";
const DIRECTORY: &str = "http.tls.acme.directory";
const CA_FILE: &str = "http.tls.acme.ca_file";
pub(super) const REDIRECT: &str = "http.redirect_listen";

/// `[http.tls]`: the server ends TLS itself. Without it, a trusted proxy does.
#[derive(Clone)]
pub enum Tls {
    /// A chain of certificates and its key, in PEM; both are read again when they change.
    Files {
        /// The certificate, with those that lead to the authority after it.
        certificate: PathBuf,
        /// Its private key.
        key: PathBuf,
    },
    /// An authority issues a certificate for the host of `http.public_url`, and renews it.
    Acme(Acme),
}

/// `[http.tls.acme]`: an authority that speaks ACME (RFC 8555), and proves who we are by TLS-ALPN-01 (RFC 8737): it
/// connects to port 443 of the host of `http.public_url`.
#[derive(Clone)]
pub struct Acme {
    /// The e-mail address that the authority writes to. Giving it accepts the authority's terms.
    pub contact: String,
    /// The authority's directory. Default Let's Encrypt's.
    pub directory: AcmeDirectory,
    /// Certificates in PEM to trust the authority's own address by, in the place of the public ones. Default none.
    pub ca_file: Option<PathBuf>,
}

/// The address of an authority's directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AcmeDirectory(String);

impl AcmeDirectory {
    /// The address.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for AcmeDirectory {
    fn default() -> Self {
        Self("https://acme-v02.api.letsencrypt.org/directory".to_owned())
    }
}

impl Setting for AcmeDirectory {
    fn parse(text: &str) -> Result<Self, String> {
        let url = Url::parse(text).ok().filter(|url| url.scheme() == "https" && url.has_host());
        let wrong = "is not the https address of an ACME directory; write for example \
                     https://acme-v02.api.letsencrypt.org/directory";
        url.map(|url| Self(url.into())).ok_or_else(|| wrong.to_owned())
    }
    fn show(&self) -> String {
        self.0.clone()
    }
}

pub(super) fn take(reader: &mut Reader) -> Option<Tls> {
    let certificate: Option<PathBuf> = reader.take_optional(CERTIFICATE);
    let key: Option<PathBuf> = reader.take_optional(KEY);
    let contact: Option<String> = reader.take_optional(CONTACT);
    let directory = reader.take(DIRECTORY, AcmeDirectory::default());
    let ca_file: Option<PathBuf> = reader.take_optional(CA_FILE);
    for (name, path) in [(CERTIFICATE, &certificate), (KEY, &key), (CA_FILE, &ca_file)] {
        if path.as_ref().is_some_and(|path| !path.is_file()) {
            reader.refuse(name, "is not a file; name one in PEM, or leave it out");
        }
    }
    let Some(contact) = contact else {
        for orphan in [DIRECTORY, CA_FILE] {
            if reader.was_given(orphan) {
                reader.refuse(orphan, format!("needs {CONTACT} beside it"));
            }
        }
        return match (certificate, key) {
            (Some(certificate), Some(key)) => Some(Tls::Files { certificate, key }),
            (Some(_), None) => {
                reader.refuse(KEY, format!("is missing; name the private key of {CERTIFICATE}"));
                None
            }
            (None, Some(_)) => {
                reader.refuse(CERTIFICATE, format!("is missing; name the certificate of {KEY}"));
                None
            }
            (None, None) => None,
        };
    };
    for (name, path) in [(CERTIFICATE, certificate), (KEY, key)] {
        if path.is_some() {
            reader.refuse(name, format!("is given beside {CONTACT}; keep the files or the authority, not both"));
        }
    }
    if contact.parse::<lettre::Address>().is_err() {
        reader.refuse(CONTACT, "is not an e-mail address; write the one that the authority can warn you at");
    }
    Some(Tls::Acme(Acme { contact, directory, ca_file }))
}

/// How people speak to the server's own address.
pub(super) fn scheme(tls: Option<&Tls>) -> &'static str {
    if tls.is_some() { "https" } else { "http" }
}

/// What the rest of `[http]` must be for it.
pub(super) fn check(http: &Http, profile: Profile, reader: &mut Reader) {
    let Some(tls) = &http.tls else {
        if http.redirect_listen.is_some() {
            reader.refuse(
                REDIRECT,
                "needs http.tls beside it; without TLS of the server's own, the proxy sends people on",
            );
        }
        return;
    };
    if profile == Profile::Development && !http.public_url.is_https() {
        reader.refuse("http.public_url", "must be an https address when the server ends TLS itself");
    }
    let url = Url::parse(http.public_url.as_str()).ok();
    if matches!(tls, Tls::Acme(_)) && !url.is_some_and(|url| matches!(url.host(), Some(Host::Domain(_)))) {
        reader.refuse("http.public_url", "has an address in the place of a name; an ACME authority certifies names");
    }
}
