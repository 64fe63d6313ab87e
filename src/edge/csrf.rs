//! Whether a write comes from Freehold's own pages (NET-11).
//!
//! A browser adds cookies to whatever request a foreign page makes it send. A write that is authenticated by cookie
//! must therefore come from our own origin by the browser's word (`Sec-Fetch-Site`, `Origin`), and must repeat a token
//! that only our own pages can read. The token is bound to the session by a MAC, so that a token of another session,
//! planted in the cookie, is of no use. Calls with a bearer token need none of this and never get here.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use entity::SessionId;
use hmac::{Hmac, KeyInit, Mac};
use poem::http::{HeaderMap, HeaderName, Method, Uri, header};
use sha2::Sha256;
use uuid::Uuid;
use zeroize::ZeroizeOnDrop;

use crate::error::{Code, Error, Result};

/// The header in which the console repeats the token.
pub const TOKEN: HeaderName = HeaderName::from_static("x-csrf-token");

const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Keeps the MACs of this purpose apart from any other use of the key.
const PURPOSE: &[u8] = b"freehold csrf token 1\0";

/// The bytes of the session id at the token's beginning.
const ID_LENGTH: usize = 16;

/// The key of the tokens.
#[derive(ZeroizeOnDrop)]
pub struct CsrfKey(
    /// Padded with zeros to SHA-256's block, as HMAC does it (RFC 2104, 2).
    [u8; 64],
);

impl CsrfKey {
    /// A key of 32 secret bytes. All instances share it.
    pub fn new(bytes: [u8; 32]) -> Self {
        let mut block = [0; 64];
        block.iter_mut().zip(bytes).for_each(|(place, byte)| *place = byte);
        Self(block)
    }
}

/// Which origins are Freehold's own pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OwnOrigins {
    /// The public address only.
    Public,
    /// Also the address that the request was sent to, if that is this machine: `development`, where people use
    /// `localhost`, `127.0.0.1` and the console's own development server alike.
    PublicOrLoopback,
}

/// Checks writes, and makes the tokens for them.
pub struct Csrf {
    key: CsrfKey,
    public_origin: String,
    own: OwnOrigins,
}

impl Csrf {
    /// For the address that people use.
    ///
    /// # Errors
    /// `Internal`, when the address is not an absolute URL.
    pub fn new(key: CsrfKey, public_url: &str, own: OwnOrigins) -> Result<Self> {
        let public_origin = origin_of(public_url).ok_or_else(|| Error::internal("the public URL has no origin"))?;
        Ok(Self { key, public_origin, own })
    }

    /// The token for a session: its id and a MAC of it.
    pub fn token_for(&self, session: SessionId) -> String {
        let mut token = session.0.as_bytes().to_vec();
        token.extend_from_slice(&self.mac(session).finalize().into_bytes());
        URL_SAFE_NO_PAD.encode(token)
    }

    /// Checks a call that is authenticated by cookie. Reading calls pass. Without a `session`, when the cookie does
    /// not tell which one it is for, the token must be valid for any; see [`Csrf::session`].
    ///
    /// # Errors
    /// `Forbidden` with `cross_site_request`.
    pub fn check(&self, method: &Method, headers: &HeaderMap, session: Option<SessionId>) -> Result<()> {
        if is_safe(method) {
            return Ok(());
        }
        let site = fetch_site(headers);
        let origin = origin(headers);
        let somebody_said = site.is_some() || origin != OriginHeader::Absent;
        let token_session = self.session(headers);
        let token_fits = token_session.is_some() && session.is_none_or(|session| token_session == Some(session));
        if somebody_said && is_own_site(site) && self.is_own_origin(&origin, headers) && token_fits {
            return Ok(());
        }
        Err(Error::Forbidden(Code::CrossSiteRequest))
    }

    /// Checks the beginning of a WebSocket that is authenticated by cookie. It is a GET, and yet whoever begins it can read
    /// all that follows: no CORS stands before it. Browsers say with each where it comes from (RFC 6455, 4.1), so it has
    /// to be said.
    ///
    /// # Errors
    /// `Forbidden` with `cross_site_request`.
    pub fn check_handshake(&self, headers: &HeaderMap) -> Result<()> {
        let origin = origin(headers);
        let said = matches!(origin, OriginHeader::Is(_));
        if said && is_own_site(fetch_site(headers)) && self.is_own_origin(&origin, headers) {
            return Ok(());
        }
        Err(Error::Forbidden(Code::CrossSiteRequest))
    }

    /// Checks a call without any credentials: a foreign page must not sign somebody in as somebody else. What is no
    /// browser says neither where it comes from nor where it goes, and passes.
    ///
    /// # Errors
    /// `Forbidden` with `cross_site_request`.
    pub fn check_unauthenticated(&self, method: &Method, headers: &HeaderMap) -> Result<()> {
        if is_safe(method) || (is_own_site(fetch_site(headers)) && self.is_own_origin(&origin(headers), headers)) {
            return Ok(());
        }
        Err(Error::Forbidden(Code::CrossSiteRequest))
    }

    /// The session that the request's token is for, if the token is genuine.
    pub fn session(&self, headers: &HeaderMap) -> Option<SessionId> {
        let token = URL_SAFE_NO_PAD.decode(headers.get(TOKEN)?).ok()?;
        let (id, mac) = token.split_at_checked(ID_LENGTH)?;
        let session = SessionId(Uuid::from_slice(id).ok()?);
        // In constant time.
        self.mac(session).verify_slice(mac).ok()?;
        Some(session)
    }

    fn mac(&self, session: SessionId) -> Hmac<Sha256> {
        let mut mac = <Hmac<Sha256> as KeyInit>::new(&self.key.0.into());
        mac.update(PURPOSE);
        mac.update(session.0.as_bytes());
        mac
    }

    fn is_own_origin(&self, origin: &OriginHeader, headers: &HeaderMap) -> bool {
        match origin {
            OriginHeader::Absent => true,
            OriginHeader::Unreadable => false,
            OriginHeader::Is(origin) => {
                *origin == self.public_origin
                    || (self.own == OwnOrigins::PublicOrLoopback && loopback_origin(headers).as_ref() == Some(origin))
            }
        }
    }
}

/// What the request says about the page that sent it.
#[derive(Debug, PartialEq, Eq)]
enum OriginHeader {
    Absent,
    /// `null`, several of them, or not an origin.
    Unreadable,
    Is(String),
}

fn origin(headers: &HeaderMap) -> OriginHeader {
    let mut values = headers.get_all(header::ORIGIN).iter();
    match (values.next(), values.next()) {
        (None, _) => OriginHeader::Absent,
        (Some(value), None) => {
            value.to_str().ok().and_then(origin_of).map_or(OriginHeader::Unreadable, OriginHeader::Is)
        }
        (Some(_), Some(_)) => OriginHeader::Unreadable,
    }
}

/// Scheme, host and port of a URL, in the form to compare: lower case, without the scheme's own port (RFC 6454, 4).
fn origin_of(url: &str) -> Option<String> {
    let uri: Uri = url.parse().ok()?;
    let scheme = uri.scheme_str()?.to_ascii_lowercase();
    let host = uri.host()?.to_ascii_lowercase();
    let default = match scheme.as_str() {
        "https" => 443,
        "http" => 80,
        _ => return None,
    };
    Some(match uri.port_u16().filter(|port| *port != default) {
        Some(port) => format!("{scheme}://{host}:{port}"),
        None => format!("{scheme}://{host}"),
    })
}

/// The origin of the address that the request was sent to, if that names this machine. Another name could be an
/// attacker's that resolves to this machine.
fn loopback_origin(headers: &HeaderMap) -> Option<String> {
    let origin = origin_of(&format!("http://{}", headers.get(header::HOST)?.to_str().ok()?))?;
    let host = origin.parse::<Uri>().ok()?.host()?.to_owned();
    matches!(host.as_str(), "localhost" | "127.0.0.1" | "[::1]").then_some(origin)
}

fn fetch_site(headers: &HeaderMap) -> Option<&str> {
    headers.get(FETCH_SITE).map(|value| value.to_str().unwrap_or("unreadable"))
}

/// `none` is what people do themselves: an address typed, a bookmark (Fetch Metadata, 2.4).
fn is_own_site(site: Option<&str>) -> bool {
    matches!(site, None | Some("same-origin" | "none"))
}

fn is_safe(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

#[cfg(test)]
mod tests {
    use poem::http::HeaderValue;

    use super::*;

    fn csrf(own: OwnOrigins) -> Csrf {
        Csrf::new(CsrfKey::new([7; 32]), "https://ID.example.com:443/", own).unwrap()
    }

    fn session(number: u128) -> SessionId {
        SessionId(Uuid::from_u128(number))
    }

    fn headers(lines: &[(&'static str, &str)]) -> HeaderMap {
        lines
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_str(value).unwrap()))
            .collect()
    }

    const OWN: (&str, &str) = ("origin", "https://id.example.com");

    /// Proves NET-11.
    #[test]
    fn a_write_with_cookies_needs_every_proof() {
        let csrf = csrf(OwnOrigins::Public);
        let token = csrf.token_for(session(1));
        let token = ("x-csrf-token", token.as_str());
        let post = |lines: &[(&'static str, &str)], of| csrf.check(&Method::POST, &headers(lines), of).is_ok();
        let one = Some(session(1));
        assert!(post(&[OWN, token], one));
        assert!(post(&[("sec-fetch-site", "same-origin"), token], one));
        assert!(post(&[OWN, ("sec-fetch-site", "same-origin"), token], None));
        assert!(!post(&[token], one), "nobody says where it comes from");
        assert!(!post(&[OWN], one), "no token");
        assert!(!post(&[OWN, token], Some(session(2))), "another session's token");
        assert!(!post(&[OWN, ("sec-fetch-site", "same-site"), token], one));
        assert!(!post(&[("origin", "https://evil.example"), token], one));
        assert!(!post(&[("origin", "http://id.example.com"), token], one));
        assert!(!post(&[("origin", "null"), ("sec-fetch-site", "same-origin"), token], one));
        assert!(!post(&[OWN, ("x-csrf-token", &"A".repeat(64))], None), "a made-up token");
        assert!(!post(&[OWN, ("x-csrf-token", "é")], None));
        assert!(csrf.check(&Method::GET, &HeaderMap::new(), one).is_ok());
        let other = Csrf::new(CsrfKey::new([8; 32]), "https://id.example.com", OwnOrigins::Public).unwrap();
        assert!(other.check(&Method::POST, &headers(&[OWN, token]), one).is_err());
    }

    /// Proves NET-12.
    #[test]
    fn a_socket_with_cookies_begins_on_our_own_pages_only() {
        let csrf = csrf(OwnOrigins::Public);
        let open = |lines: &[(&'static str, &str)]| csrf.check_handshake(&headers(lines)).is_ok();
        assert!(open(&[OWN]));
        assert!(open(&[OWN, ("sec-fetch-site", "same-origin")]));
        assert!(!open(&[]), "nobody says where it comes from");
        assert!(!open(&[("sec-fetch-site", "same-origin")]));
        assert!(!open(&[OWN, ("sec-fetch-site", "same-site")]));
        let mut two = headers(&[OWN]);
        two.append("origin", HeaderValue::from_static("https://evil.example"));
        assert!(csrf.check_handshake(&two).is_err(), "two origins are none");
        for foreign in ["https://evil.example", "http://id.example.com", "https://id.example.com:8443", "null", ""] {
            assert!(!open(&[("origin", foreign)]), "{foreign}");
        }
    }

    /// Proves NET-11.
    #[test]
    fn nobody_is_signed_in_from_a_foreign_page() {
        let csrf = csrf(OwnOrigins::Public);
        let post = |lines: &[(&'static str, &str)]| csrf.check_unauthenticated(&Method::POST, &headers(lines)).is_ok();
        assert!(post(&[]), "no browser");
        assert!(post(&[OWN]));
        assert!(post(&[("sec-fetch-site", "none")]));
        assert!(!post(&[("sec-fetch-site", "cross-site")]));
        assert!(!post(&[("sec-fetch-site", "same-site"), OWN]));
        assert!(!post(&[("origin", "https://evil.example")]));
        assert!(!post(&[("origin", "http://localhost:8080"), ("host", "localhost:8080")]));
    }

    #[test]
    fn in_development_this_machine_has_many_names() {
        let csrf = csrf(OwnOrigins::PublicOrLoopback);
        let post = |lines: &[(&'static str, &str)]| csrf.check_unauthenticated(&Method::POST, &headers(lines)).is_ok();
        for host in ["localhost:8080", "127.0.0.1:8080", "[::1]:8080"] {
            assert!(post(&[("origin", &format!("http://{host}")), ("host", host)]), "{host}");
        }
        assert!(!post(&[("origin", "http://rebound.example:8080"), ("host", "rebound.example:8080")]));
        assert!(!post(&[("origin", "http://localhost:9"), ("host", "localhost:8080")]));
    }
}
