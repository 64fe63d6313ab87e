//! What a setting can be: how each type is read from text and shown again. Owns the syntax of
//! durations (`15m`), sizes (`1MiB`), networks and URLs; knows neither keys nor sources.
//!
//! An error is a sentence that begins after the quoted value and ends with what would be right:
//! `is not a duration; write a number and a unit (ms, s, m, h, d), for example 15m`.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use ipnet::IpNet;
use url::{Host, Url};

/// A type that a setting can have.
pub(super) trait Setting: Sized {
    /// Reads the value; the error says what would be right.
    fn parse(text: &str) -> Result<Self, String>;
    /// The value as it would be written in a configuration file.
    fn show(&self) -> String;
}

/// Which rules hold: see [`Profile::Production`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    /// One person's machine: plain HTTP on loopback, secrets made on first start, mail in files.
    Development,
    /// Everything else: https only, no default, short or missing secret.
    Production,
}

/// The algorithm that signs access tokens (RFC 7518, RFC 8037).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// Ed25519.
    EdDsa,
}

/// What stands between this server and PostgreSQL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pooler {
    /// Nothing: connections keep their session.
    None,
    /// PgBouncer in transaction mode: no prepared statements, no session state between transactions.
    Transaction,
}

/// Which header a trusted proxy writes about the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ForwardedHeader {
    /// `X-Forwarded-For` and `X-Forwarded-Proto`.
    XForwarded,
    /// `Forwarded` (RFC 7239).
    Forwarded,
}

/// How log lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// One JSON object a line.
    Json,
    /// For people.
    Text,
}

/// Which bodies are logged, for debugging.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogBodies {
    /// None.
    Off,
    /// Those of requests.
    Request,
    /// Those of answers too.
    Both,
}

/// A word that is none of those that a setting can be.
#[derive(Debug, thiserror::Error)]
#[error("is not known; write one of: {0}")]
pub struct UnknownWord(String);

/// A setting that is one of a few words.
macro_rules! words {
    ($type:ty { $($variant:path => $word:literal),+ $(,)? }) => {
        impl $type {
            /// The word for it, as in the configuration.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $($variant => $word),+ }
            }
        }
        impl FromStr for $type {
            type Err = UnknownWord;

            fn from_str(text: &str) -> Result<Self, UnknownWord> {
                match text {
                    $($word => Ok($variant),)+
                    _ => Err(UnknownWord([$($word),+].join(", "))),
                }
            }
        }
        impl Setting for $type {
            fn parse(text: &str) -> Result<Self, String> {
                text.parse().map_err(|unknown: UnknownWord| unknown.to_string())
            }
            fn show(&self) -> String {
                self.as_str().to_owned()
            }
        }
    };
}
words!(Profile { Profile::Development => "development", Profile::Production => "production" });
words!(Algorithm { Algorithm::Es256 => "ES256", Algorithm::Rs256 => "RS256", Algorithm::EdDsa => "EdDSA" });
words!(Pooler { Pooler::None => "none", Pooler::Transaction => "transaction" });
words!(ForwardedHeader { ForwardedHeader::XForwarded => "x-forwarded", ForwardedHeader::Forwarded => "forwarded" });
words!(LogFormat { LogFormat::Json => "json", LogFormat::Text => "text" });
words!(LogBodies { LogBodies::Off => "off", LogBodies::Request => "request", LogBodies::Both => "both" });

/// A setting that is a number without a unit.
macro_rules! numbers {
    ($($type:ty),+) => {$(
        impl Setting for $type {
            fn parse(text: &str) -> Result<Self, String> {
                text.parse().map_err(|_| format!("is not a whole number from 0 to {}", Self::MAX))
            }
            fn show(&self) -> String {
                self.to_string()
            }
        }
    )+};
}
numbers!(u32, usize);

impl Setting for String {
    fn parse(text: &str) -> Result<Self, String> {
        match text.chars().any(char::is_control) {
            true => Err("contains a control character; write plain text on one line".to_owned()),
            false => Ok(text.to_owned()),
        }
    }
    fn show(&self) -> String {
        self.clone()
    }
}

impl Setting for bool {
    fn parse(text: &str) -> Result<Self, String> {
        text.parse().map_err(|_| "is neither true nor false".to_owned())
    }
    fn show(&self) -> String {
        self.to_string()
    }
}

impl Setting for PathBuf {
    fn parse(text: &str) -> Result<Self, String> {
        Ok(Self::from(text))
    }
    fn show(&self) -> String {
        self.display().to_string()
    }
}

impl Setting for SocketAddr {
    fn parse(text: &str) -> Result<Self, String> {
        let wrong = |_| "is not an address with a port; write for example 127.0.0.1:8080 or [::1]:8080".to_owned();
        text.parse().map_err(wrong)
    }
    fn show(&self) -> String {
        self.to_string()
    }
}

/// Networks, separated by commas, or `none`; a bare address is a network of one.
impl Setting for Vec<IpNet> {
    fn parse(text: &str) -> Result<Self, String> {
        if text.trim() == NO_NETWORKS {
            return Ok(Self::new());
        }
        let network = |part: &str| {
            part.parse::<IpNet>().or_else(|_| part.parse::<IpAddr>().map(IpNet::from)).map_err(|_| {
                format!("has a part that is not a network ({part}); write for example 10.0.0.0/8, 192.0.2.7")
            })
        };
        text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(network).collect()
    }
    fn show(&self) -> String {
        match self.is_empty() {
            true => NO_NETWORKS.to_owned(),
            false => self.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
        }
    }
}

/// The word for no network, for whoever has to choose.
const NO_NETWORKS: &str = "none";

const DURATION_UNITS: [(&str, u64); 5] = [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];

/// Names of scopes of protected values.
#[derive(Clone, Debug, Default)]
pub(super) struct Scopes(pub(super) Vec<String>);

/// What other scopes may not be called: the built-in ones, and the one that is not for values.
const TAKEN: [&str; 5] = ["pii", "mfa", "hipaa", "secrets", "system"];

impl Setting for Scopes {
    fn parse(text: &str) -> Result<Self, String> {
        let names = text.split(',').map(str::trim).filter(|name| !name.is_empty());
        let names: Vec<_> = names.map(str::to_owned).collect();
        let fits = |name: &String| {
            let first = name.starts_with(|c: char| c.is_ascii_lowercase());
            let rest = name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
            first && rest && name.len() <= 31 && !TAKEN.contains(&name.as_str())
        };
        match names.iter().find(|name| !fits(name)) {
            None => Ok(Self(names)),
            Some(name) => Err(format!(
                "has {name:?}, which is no name of another scope; write up to 31 of a-z, 0-9 and _, beginning with a \
                 letter, and none of {}",
                TAKEN.join(", ")
            )),
        }
    }
    fn show(&self) -> String {
        self.0.join(", ")
    }
}

/// A number with a unit, or several that add up (`1h30m`).
impl Setting for Duration {
    fn parse(text: &str) -> Result<Self, String> {
        let wrong = || "is not a duration; write a number and a unit (ms, s, m, h, d), for example 15m".to_owned();
        let mut rest = text.trim();
        let mut total: u64 = 0;
        while !rest.is_empty() {
            let (number, after) = split_number(rest).ok_or_else(wrong)?;
            let unit_end = after.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(after.len());
            let (unit, next) = after.split_at(unit_end);
            let (_, scale) = DURATION_UNITS.iter().find(|(name, _)| *name == unit).ok_or_else(wrong)?;
            total = number.checked_mul(*scale).and_then(|part| total.checked_add(part)).ok_or_else(wrong)?;
            rest = next.trim_start();
        }
        match text.trim().is_empty() {
            true => Err(wrong()),
            false => Ok(Self::from_millis(total)),
        }
    }
    fn show(&self) -> String {
        let millis = u64::try_from(self.as_millis()).unwrap_or(u64::MAX);
        let (unit, scale) = largest_unit(millis, &DURATION_UNITS).unwrap_or(("ms", 1));
        format!("{}{unit}", millis / scale)
    }
}

/// A number of bytes.
#[derive(Clone, Copy, PartialEq, PartialOrd)]
pub(super) struct Size(pub(super) usize);

const SIZE_UNITS: [(&str, u64); 4] = [("B", 1), ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30)];

impl Setting for Size {
    fn parse(text: &str) -> Result<Self, String> {
        let wrong = || "is not a size; write a number and a unit (B, KiB, MiB, GiB), for example 64KiB".to_owned();
        let (number, unit) = split_number(text.trim()).ok_or_else(wrong)?;
        let (_, scale) = SIZE_UNITS.iter().find(|(name, _)| *name == unit.trim_start()).ok_or_else(wrong)?;
        let bytes = number.checked_mul(*scale).and_then(|bytes| usize::try_from(bytes).ok());
        bytes.map(Self).ok_or_else(wrong)
    }
    fn show(&self) -> String {
        let bytes = u64::try_from(self.0).unwrap_or(u64::MAX);
        let (unit, scale) = largest_unit(bytes, &SIZE_UNITS).unwrap_or(("B", 1));
        format!("{}{unit}", bytes / scale)
    }
}

/// The digits at the start of the text, and what follows them.
fn split_number(text: &str) -> Option<(u64, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    digits.parse().ok().map(|number| (number, rest))
}

/// The largest unit that divides the value.
fn largest_unit(value: u64, units: &[(&'static str, u64)]) -> Option<(&'static str, u64)> {
    units.iter().rev().find(|(_, scale)| value > 0 && value.is_multiple_of(*scale)).copied()
}

/// Where people reach this server: scheme, host and port, nothing else. Links in mail, the token
/// issuer and the origin check are made from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicUrl(String);

impl PublicUrl {
    /// The origin without a slash at the end: `https://id.example.com`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether browsers come by https; cookies get `__Host-` and `Secure` then.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.0.starts_with("https:")
    }

    /// The name or address of the host, without its port.
    #[must_use]
    pub fn host(&self) -> String {
        let url = Url::parse(&self.0).ok();
        url.and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default()
    }

    /// The address of a path of this server; the path begins with a slash and may have a query
    /// and a fragment: `join("/setup#token=…")`.
    #[must_use]
    pub fn join(&self, path: &str) -> String {
        format!("{self}{path}")
    }

    /// The address of a server that listens here on this machine, by its scheme.
    pub(super) fn of_listener(listen: SocketAddr, scheme: &str) -> Self {
        match listen.ip() {
            IpAddr::V4(ip) if ip.is_loopback() => Self(format!("{scheme}://localhost:{}", listen.port())),
            _ => Self(format!("{scheme}://{listen}")),
        }
    }
}

impl fmt::Display for PublicUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Setting for PublicUrl {
    fn parse(text: &str) -> Result<Self, String> {
        bare(text, "https://id.example.com").map(|url| Self(url.origin().ascii_serialization()))
    }
    fn show(&self) -> String {
        self.0.clone()
    }
}

/// Where a service that this server uses is reached: scheme, host and port, nothing else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceUrl(Url);

impl ServiceUrl {
    /// The origin without a slash at the end: `https://vault.example.com:8200`.
    #[must_use]
    pub fn origin(&self) -> String {
        self.0.origin().ascii_serialization()
    }

    /// The address of a path of the service, given by its names, which are escaped as needed.
    #[must_use]
    pub fn join<'a>(&self, names: impl IntoIterator<Item = &'a str>) -> Url {
        let mut url = self.0.clone();
        // Only addresses without a host have no path to extend, and those are none of ours.
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(names);
        }
        url
    }

    pub(super) fn is_https(&self) -> bool {
        self.0.scheme() == "https"
    }

    pub(super) fn is_this_host(&self) -> bool {
        self.0.host().is_some_and(|host| is_this_host(&host))
    }
}

impl Setting for ServiceUrl {
    fn parse(text: &str) -> Result<Self, String> {
        bare(text, "https://vault.example.com:8200").map(Self)
    }
    fn show(&self) -> String {
        self.origin()
    }
}

/// An http(s) address that is nothing but an origin.
fn bare(text: &str, example: &str) -> Result<Url, String> {
    let wrong = || format!("is not an http(s) address without path, query and user; write for example {example}");
    let url = Url::parse(text).map_err(|_| wrong())?;
    let bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
    let anonymous = url.username().is_empty() && url.password().is_none();
    match matches!(url.scheme(), "http" | "https") && bare && anonymous {
        true => Ok(url),
        false => Err(wrong()),
    }
}

/// Whether the host of a URL is this machine: a loopback address or `localhost`.
pub(super) fn is_this_host(host: &Host<&str>) -> bool {
    match host {
        Host::Ipv4(ip) => ip.is_loopback(),
        Host::Ipv6(ip) => ip.is_loopback(),
        // A scheme other than http leaves addresses unparsed, and `/` (escaped) begins a socket path.
        Host::Domain(name) => {
            let name = name.trim_start_matches('[').trim_end_matches(']');
            name.eq_ignore_ascii_case("localhost")
                || name.get(..3).is_some_and(|start| start.eq_ignore_ascii_case("%2f"))
                || name.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
        }
    }
}
