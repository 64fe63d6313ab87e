//! Whom a request is for: the one valid `Host` that HTTP asks for (RFC 9112, 3.2).
//!
//! Two of them, or one that is no authority, are how a request is smuggled past whatever stands in front. It says
//! whether there is one and which; whether the name is ours is for those to ask who rely on it.

use std::net::Ipv6Addr;

use poem::{
    Request,
    http::{HeaderMap, Version, header},
};

/// Whether a request names its host as it must. Before HTTP/1.1 it need not.
pub(super) fn is_named(request: &Request) -> bool {
    name(request.headers()).is_some()
        || (request.version() < Version::HTTP_11 && !request.headers().contains_key(header::HOST))
}

/// The host that a request is for, without its port, if it names exactly one. IPv6 addresses are in brackets.
pub fn name(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(header::HOST).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => host_of(value.to_str().ok()?),
        _ => None,
    }
}

/// The host of `host[:port]` (RFC 3986, 3.2): an IPv6 address in brackets, an IPv4 address or a name.
fn host_of(authority: &str) -> Option<&str> {
    let end = if authority.starts_with('[') {
        authority.find(']')? + 1
    } else {
        authority.find(':').unwrap_or(authority.len())
    };
    let (host, port) = authority.split_at_checked(end)?;
    let port = port.strip_prefix(':').unwrap_or(port);
    let is_port = port.is_empty() || (port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<u16>().is_ok());
    let is_host = match host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(address) => address.parse::<Ipv6Addr>().is_ok(),
        None => !host.is_empty() && host.bytes().all(is_name_byte),
    };
    (is_host && is_port).then_some(host)
}

/// A character of a registered name (RFC 3986, 3.2.2).
fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~%!$&'()*+,;=".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_authority_has_a_host_and_perhaps_a_port() {
        for (right, host) in [
            ("id.example.com", "id.example.com"),
            ("id.example.com:8443", "id.example.com"),
            ("localhost:", "localhost"),
            ("127.0.0.1:80", "127.0.0.1"),
            ("[::1]:8080", "[::1]"),
            ("my_service", "my_service"),
        ] {
            assert_eq!(host_of(right), Some(host));
        }
        let wrong = [
            "",
            ":80",
            "a b",
            "a/b",
            "user@host",
            "a:99999",
            "a:+1",
            "a:80:80",
            "[::1",
            "[nonsense]",
            "[::1]x",
            "::1",
            "http://a",
            "a#b",
            "a?b",
            "a\\b",
            "[]",
        ];
        for wrong in wrong {
            assert_eq!(host_of(wrong), None, "{wrong}");
        }
    }
}
