//! The security headers of every answer (NET-2).
//!
//! It fills in what the handler did not decide; a handler that serves a page or something cacheable sets its own
//! `Content-Security-Policy` and `Cache-Control` first.

use poem::http::{HeaderMap, HeaderName, HeaderValue, header};

use super::context::Scheme;

/// The policy of everything that is not a page: it loads nothing, runs nothing and can't be framed.
pub const API_POLICY: &str = "default-src 'none'; frame-ancestors 'none'";

/// What no answer may be kept by: personal data and tokens are everywhere, so caching is the exception.
pub const NO_STORE: &str = "no-store";

/// One year, subdomains too, and ready for the browsers' preload lists (RFC 6797; hstspreload.org).
const STRICT_TRANSPORT: &str = "max-age=31536000; includeSubDomains; preload";

/// The features of a browser that Freehold has no use for; an injected script shall not have them either.
/// Only names that browsers know: they complain of others in the console.
/// Passkeys (`publickey-credentials-*`) stay available to Freehold's own pages.
const PERMISSIONS: &str = "\
     accelerometer=(), autoplay=(), browsing-topics=(), camera=(), display-capture=(), encrypted-media=(), \
     fullscreen=(), gamepad=(), geolocation=(), gyroscope=(), hid=(), identity-credentials-get=(), \
     idle-detection=(), local-fonts=(), magnetometer=(), microphone=(), midi=(), otp-credentials=(), \
     payment=(), picture-in-picture=(), publickey-credentials-create=(self), publickey-credentials-get=(self), \
     screen-wake-lock=(), serial=(), storage-access=(), usb=(), window-management=(), xr-spatial-tracking=()";

/// The same on every answer, whatever the handler thought.
const FIXED: [(HeaderName, &str); 7] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::X_XSS_PROTECTION, "0"),
    (HeaderName::from_static("permissions-policy"), PERMISSIONS),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

/// Puts the security headers on an answer that goes out over this scheme.
pub fn apply(headers: &mut HeaderMap, scheme: Scheme) {
    for (name, value) in FIXED {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(HeaderValue::from_static(API_POLICY));
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static(NO_STORE));
    match scheme {
        Scheme::Https => headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static(STRICT_TRANSPORT)),
        // RFC 6797, 7.2: never over plain HTTP.
        Scheme::Http => headers.remove(header::STRICT_TRANSPORT_SECURITY),
    };
    headers.remove(header::SERVER);
}

/// The policy of the console's page: its own files, and the style elements that carry this answer's nonce.
pub fn console_policy(nonce: &str) -> String {
    format!(
        "default-src 'none'; script-src 'self'; style-src 'self' 'nonce-{nonce}'; img-src 'self' data:; \
         font-src 'self'; connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; \
         frame-ancestors 'none'"
    )
}

/// Whether the client already has what carries this entity tag (RFC 9110, 13.1.2).
pub fn matches_etag(request: &HeaderMap, etag: &str) -> bool {
    let lines = request.get_all(header::IF_NONE_MATCH).iter().filter_map(|line| line.to_str().ok());
    let mut tags = lines.flat_map(|line| line.split(',')).map(str::trim);
    tags.any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == etag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entity_tags_are_compared_weakly() {
        let mut headers = HeaderMap::new();
        assert!(!matches_etag(&headers, "\"a\""));
        headers.insert(header::IF_NONE_MATCH, HeaderValue::from_static("\"x\", W/\"a\""));
        assert!(matches_etag(&headers, "\"a\""));
        assert!(!matches_etag(&headers, "\"b\""));
    }

    /// Proves NET-2.
    #[test]
    fn the_set_is_complete_and_leaves_the_handlers_choice() {
        let mut headers = HeaderMap::new();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=300"));
        apply(&mut headers, Scheme::Http);
        assert!(!headers.contains_key(header::STRICT_TRANSPORT_SECURITY));
        assert_eq!(headers[header::CACHE_CONTROL], "public, max-age=300");
        assert_eq!(headers[header::CONTENT_SECURITY_POLICY], API_POLICY);
        apply(&mut headers, Scheme::Https);
        assert_eq!(headers[header::STRICT_TRANSPORT_SECURITY], STRICT_TRANSPORT);
        for (name, value) in FIXED {
            assert_eq!(headers[name], value);
        }
    }

    #[test]
    fn the_console_policy_has_nothing_unsafe() {
        let policy = console_policy("abc");
        assert!(policy.contains("style-src 'self' 'nonce-abc'"));
        assert!(!policy.contains("unsafe"));
    }
}
