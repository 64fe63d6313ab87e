//! The three cookies of a browser's session, the two by which a browser is known that somebody has signed in on and trusted
//! in the place of a second factor, and the two that a sign-in waits with for a second factor or a passkey: how they are named, set, read and cleared.
//!
//! `freehold_access` is `SameSite=Lax`, so that a link from a mail opens a page that is signed in. `freehold_refresh`
//! is `Strict`: only Freehold's own pages ever refresh; `freehold_device` is too, and outlives the session. None of them can be read by a script. `freehold_csrf` can: the
//! console repeats its value in the `X-CSRF-Token` header. Over https all have the prefix `__Host-`, which browsers
//! tie to Secure, to this host and to the whole path, so that a neighbouring subdomain can't plant one (RFC 6265bis,
//! 4.1.3.2). This module knows nothing of what the values mean.

use std::time::Duration;

use poem::http::{HeaderMap, HeaderValue, header};

use crate::error::{Error, Result};

/// One of the cookies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CookieKind {
    /// The access token.
    Access,
    /// The refresh token.
    Refresh,
    /// The proof that a write comes from Freehold's own page.
    Csrf,
    /// The token of a known device.
    Device,
    /// The token of a trusted device.
    Trust,
    /// What a second factor is to be proven for.
    Challenge,
    /// What a passkey is to sign in for.
    Passkey,
}

/// The cookies' names and attributes in this deployment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CookieNames {
    secure: bool,
}

impl CookieNames {
    /// `secure` is true wherever the browser reaches Freehold by https, false in development on loopback only.
    pub fn new(secure: bool) -> Self {
        Self { secure }
    }

    /// The cookie's name.
    pub fn name(self, kind: CookieKind) -> &'static str {
        match (self.secure, kind) {
            (true, CookieKind::Access) => "__Host-freehold_access",
            (true, CookieKind::Refresh) => "__Host-freehold_refresh",
            (true, CookieKind::Csrf) => "__Host-freehold_csrf",
            (true, CookieKind::Device) => "__Host-freehold_device",
            (true, CookieKind::Trust) => "__Host-freehold_trust",
            (true, CookieKind::Challenge) => "__Host-freehold_challenge",
            (true, CookieKind::Passkey) => "__Host-freehold_passkey",
            (false, CookieKind::Access) => "freehold_access",
            (false, CookieKind::Refresh) => "freehold_refresh",
            (false, CookieKind::Csrf) => "freehold_csrf",
            (false, CookieKind::Device) => "freehold_device",
            (false, CookieKind::Trust) => "freehold_trust",
            (false, CookieKind::Challenge) => "freehold_challenge",
            (false, CookieKind::Passkey) => "freehold_passkey",
        }
    }

    /// The cookie's value in a request.
    pub fn read(self, headers: &HeaderMap, kind: CookieKind) -> Option<String> {
        read(headers, self.name(kind))
    }

    /// A `Set-Cookie` header for a value that lives for `max_age`.
    ///
    /// # Errors
    /// `Internal`, when the value has characters that a cookie can't carry (RFC 6265, 4.1.1).
    pub fn set(self, kind: CookieKind, value: &str, max_age: Duration) -> Result<HeaderValue> {
        if value.is_empty() || !value.bytes().all(is_cookie_octet) {
            return Err(Error::internal("a cookie's value has characters that a cookie can't carry"));
        }
        self.build(kind, value, max_age.as_secs())
    }

    /// The `Set-Cookie` headers that remove the session's three.
    ///
    /// # Errors
    /// Never in practice: the values are fixed.
    pub fn clear(self) -> Result<Vec<HeaderValue>> {
        let kinds = [CookieKind::Access, CookieKind::Refresh, CookieKind::Csrf];
        kinds.into_iter().map(|kind| self.build(kind, "", 0)).collect()
    }

    /// The `Set-Cookie` header that removes one.
    ///
    /// # Errors
    /// Never in practice: the values are fixed.
    pub fn forget(self, kind: CookieKind) -> Result<HeaderValue> {
        self.build(kind, "", 0)
    }

    fn build(self, kind: CookieKind, value: &str, max_age: u64) -> Result<HeaderValue> {
        let name = self.name(kind);
        let same_site = match kind {
            CookieKind::Access => "Lax",
            CookieKind::Refresh
            | CookieKind::Csrf
            | CookieKind::Device
            | CookieKind::Trust
            | CookieKind::Challenge
            | CookieKind::Passkey => "Strict",
        };
        let http_only = if kind == CookieKind::Csrf { "" } else { "; HttpOnly" };
        let secure = if self.secure { "; Secure" } else { "" };
        let text = format!("{name}={value}; Path=/; Max-Age={max_age}; SameSite={same_site}{http_only}{secure}");
        let mut header = HeaderValue::try_from(text).map_err(Error::internal)?;
        header.set_sensitive(true);
        Ok(header)
    }
}

/// Reads one cookie of a request.
///
/// A name that is there twice counts as absent: the second one was tossed in by somebody, and nobody can tell which
/// of the two it is.
pub fn read(headers: &HeaderMap, name: &str) -> Option<String> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
    let pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.split_once('='));
    let mut values = pairs.filter(|(found, _)| found.trim() == name).map(|(_, value)| value.trim());
    match (values.next(), values.next()) {
        (Some(value), None) if !value.is_empty() => Some(value.to_owned()),
        _ => None,
    }
}

fn is_cookie_octet(byte: u8) -> bool {
    byte.is_ascii_graphic() && !matches!(byte, b'"' | b',' | b';' | b'\\')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cookies(lines: &[&str]) -> HeaderMap {
        let lines = lines.iter().map(|line| (header::COOKIE, HeaderValue::from_str(line).unwrap()));
        let mut headers = HeaderMap::new();
        lines.for_each(|(name, value)| {
            headers.append(name, value);
        });
        headers
    }

    #[test]
    fn a_cookie_is_read_once_or_not_at_all() {
        let headers = cookies(&["a=1; freehold_access=x.y.z; b", "freehold_refresh=r=="]);
        assert_eq!(read(&headers, "freehold_access").as_deref(), Some("x.y.z"));
        assert_eq!(read(&headers, "freehold_refresh").as_deref(), Some("r=="));
        assert_eq!(read(&headers, "access"), None);
        assert_eq!(read(&cookies(&["a=1; a=2"]), "a"), None);
        assert_eq!(read(&cookies(&["a=1", "a=1"]), "a"), None);
        assert_eq!(read(&cookies(&["a="]), "a"), None);
    }

    /// Proves SES-1.
    #[test]
    fn cookies_have_the_attributes_of_their_kind() {
        let week = Duration::from_secs(604_800);
        let set = |secure, kind| CookieNames::new(secure).set(kind, "v", week).unwrap().to_str().unwrap().to_owned();
        assert_eq!(
            set(true, CookieKind::Access),
            "__Host-freehold_access=v; Path=/; Max-Age=604800; SameSite=Lax; HttpOnly; Secure"
        );
        assert_eq!(
            set(true, CookieKind::Refresh),
            "__Host-freehold_refresh=v; Path=/; Max-Age=604800; SameSite=Strict; HttpOnly; Secure"
        );
        assert_eq!(
            set(true, CookieKind::Device),
            "__Host-freehold_device=v; Path=/; Max-Age=604800; SameSite=Strict; HttpOnly; Secure"
        );
        assert_eq!(set(false, CookieKind::Csrf), "freehold_csrf=v; Path=/; Max-Age=604800; SameSite=Strict");
        assert!(CookieNames::new(true).set(CookieKind::Access, "a;b", week).is_err());
        assert!(
            CookieNames::new(true)
                .clear()
                .unwrap()
                .iter()
                .all(|one| one.to_str().unwrap().contains("=; Path=/; Max-Age=0;"))
        );
    }
}
