//! Who the client is when proxies stand between: `X-Forwarded-For`, `X-Forwarded-Proto` and `Forwarded` (RFC 7239).
//!
//! These headers can be written by anybody; they count only as far as they were written by a trusted proxy. It reads,
//! it never decides who is trusted.

use std::net::{IpAddr, SocketAddr};

use ipnet::IpNet;
use poem::http::{HeaderMap, HeaderName, header};

use super::Scheme;
use crate::config::ForwardedHeader;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// What the trusted proxies say about the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Client {
    /// The nearest address that is not a trusted proxy's.
    pub(super) address: IpAddr,
    /// How the client spoke to the outermost trusted proxy. `None`: nobody said.
    pub(super) scheme: Option<Scheme>,
}

/// One step of the way, as the proxy that received it describes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Hop {
    /// `None` when the proxy hides or does not know it.
    address: Option<IpAddr>,
    scheme: Option<Scheme>,
}

/// Whether the request carries any of the headers that only a proxy should write.
pub(super) fn is_claimed(headers: &HeaderMap) -> bool {
    [FORWARDED_FOR, FORWARDED_PROTO, header::FORWARDED].iter().any(|name| headers.contains_key(name))
}

/// Reads what a trusted peer says. The headers of an untrusted peer must not get here.
///
/// A proxy writes one kind of header and passes the other on as the client sent it. Only the operator knows which is
/// which, so only the configured kind is read; the other is the client's invention.
pub(super) fn client(headers: &HeaderMap, kind: ForwardedHeader, peer: IpAddr, trusted: &[IpNet]) -> Client {
    let hops = match kind {
        ForwardedHeader::XForwarded => listed_hops(headers),
        ForwardedHeader::Forwarded => forwarded_hops(headers),
    };
    resolve(&hops.unwrap_or_default(), peer, trusted)
}

/// Walks from the nearest hop outward, as long as the hop is a trusted proxy.
fn resolve(hops: &[Hop], peer: IpAddr, trusted: &[IpNet]) -> Client {
    let mut client = Client { address: peer, scheme: None };
    for hop in hops.iter().rev() {
        client.scheme = hop.scheme.or(client.scheme);
        let Some(address) = hop.address else { break };
        client.address = address;
        if !is_trusted(address, trusted) {
            break;
        }
    }
    client
}

/// Whether an address is a trusted proxy's.
pub(super) fn is_trusted(address: IpAddr, trusted: &[IpNet]) -> bool {
    trusted.iter().any(|network| network.contains(&address))
}

/// The hops of `X-Forwarded-For`, with the schemes of `X-Forwarded-Proto` beside them.
///
/// Every proxy appends its peer's address. The scheme is appended by some and overwritten by others, so the two lists
/// are laid beside each other from the right, and a shorter list's first scheme stands for the hops before it.
fn listed_hops(headers: &HeaderMap) -> Option<Vec<Hop>> {
    if !headers.contains_key(FORWARDED_FOR) && !headers.contains_key(FORWARDED_PROTO) {
        return None;
    }
    let schemes: Vec<_> = elements(headers, &FORWARDED_PROTO).map(|text| scheme(&text)).collect();
    let addresses: Vec<_> = elements(headers, &FORWARDED_FOR).map(|text| address(&text)).collect();
    let scheme_at = |from_right: usize| {
        let last = schemes.len().checked_sub(1)?;
        schemes.get(last.saturating_sub(from_right)).copied().flatten()
    };
    if addresses.is_empty() {
        return Some(vec![Hop { address: None, scheme: scheme_at(0) }]);
    }
    let hops =
        addresses.iter().rev().enumerate().map(|(place, address)| Hop { address: *address, scheme: scheme_at(place) });
    let mut hops: Vec<_> = hops.collect();
    hops.reverse();
    Some(hops)
}

/// The hops of `Forwarded`; `None` when it breaks the grammar, since a half-read header could hide a hop.
fn forwarded_hops(headers: &HeaderMap) -> Option<Vec<Hop>> {
    let mut hops = Vec::new();
    for value in headers.get_all(header::FORWARDED) {
        for element in split_quoted(value.to_str().ok()?, ',')? {
            let mut hop = Hop { address: None, scheme: None };
            for pair in split_quoted(element, ';')? {
                let Some((name, value)) = pair.split_once('=') else {
                    if pair.trim().is_empty() { continue } else { return None }
                };
                let value = value.trim().trim_matches('"');
                match name.trim().to_ascii_lowercase().as_str() {
                    "for" => hop.address = address(value),
                    "proto" => hop.scheme = scheme(value),
                    _ => {}
                }
            }
            hops.push(hop);
        }
    }
    Some(hops)
}

/// Splits at a separator outside of quoted strings; `None` when a quote stays open.
fn split_quoted(text: &str, separator: char) -> Option<Vec<&str>> {
    let mut quoted = false;
    let parts = text
        .split(|c: char| {
            quoted ^= c == '"';
            c == separator && !quoted
        })
        .collect();
    (!quoted).then_some(parts)
}

/// The comma-separated elements of all lines of a header. A line that is not text counts as one unreadable element.
fn elements(headers: &HeaderMap, name: &HeaderName) -> impl Iterator<Item = String> {
    let lines = headers.get_all(name).iter().map(|value| value.to_str().unwrap_or("?").to_owned());
    lines.flat_map(|line| line.split(',').map(|part| part.trim().to_owned()).collect::<Vec<_>>())
}

/// An address with or without a port, IPv6 with or without brackets. `unknown` and `_hidden` are none.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    let parsed = bare.parse::<IpAddr>().ok();
    parsed.or_else(|| text.parse::<SocketAddr>().ok().map(|socket| socket.ip())).map(|address| address.to_canonical())
}

fn scheme(text: &str) -> Option<Scheme> {
    Some(if text.eq_ignore_ascii_case("https") { Scheme::Https } else { Scheme::Http })
}

#[cfg(test)]
mod tests {
    use poem::http::HeaderValue;

    use super::*;

    const X: ForwardedHeader = ForwardedHeader::XForwarded;
    const STANDARD: ForwardedHeader = ForwardedHeader::Forwarded;

    fn read(kind: ForwardedHeader, lines: &[(&'static str, &str)]) -> Client {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(*name, HeaderValue::from_str(value).unwrap());
        }
        let trusted = ["10.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()];
        client(&headers, kind, "10.0.0.1".parse().unwrap(), &trusted)
    }

    fn expect(lines: &[(&'static str, &str)], address: &str, scheme: Option<Scheme>) {
        let kind = if lines.iter().any(|(name, _)| *name == "forwarded") { STANDARD } else { X };
        assert_eq!(read(kind, lines), Client { address: address.parse().unwrap(), scheme }, "{lines:?}");
    }

    #[test]
    fn the_right_most_untrusted_hop_is_the_client() {
        let https = Some(Scheme::Https);
        expect(&[], "10.0.0.1", None);
        expect(&[("x-forwarded-for", "203.0.113.9"), ("x-forwarded-proto", "https")], "203.0.113.9", https);
        expect(&[("x-forwarded-for", "1.1.1.1, 203.0.113.9, 10.2.2.2")], "203.0.113.9", None);
        expect(&[("x-forwarded-for", "1.1.1.1"), ("x-forwarded-for", "203.0.113.9:4711")], "203.0.113.9", None);
        expect(&[("x-forwarded-for", "10.3.3.3, 10.2.2.2")], "10.3.3.3", None);
        expect(&[("x-forwarded-for", "203.0.113.9, unknown")], "10.0.0.1", None);
        expect(&[("x-forwarded-for", "[2001:db8::1]:443")], "2001:db8::1", None);
        expect(&[("x-forwarded-for", "::ffff:203.0.113.9")], "203.0.113.9", None);
        expect(&[("x-forwarded-proto", "https")], "10.0.0.1", https);
    }

    #[test]
    fn the_scheme_is_the_one_of_the_clients_hop() {
        // Both proxies append: the outer one saw https, the inner one plain HTTP.
        expect(
            &[("x-forwarded-for", "203.0.113.9, 10.2.2.2"), ("x-forwarded-proto", "https, http")],
            "203.0.113.9",
            Some(Scheme::Https),
        );
        // The client invents an https that its own proxy contradicts.
        expect(
            &[("x-forwarded-for", "203.0.113.9"), ("x-forwarded-proto", "https, http")],
            "203.0.113.9",
            Some(Scheme::Http),
        );
        expect(
            &[("x-forwarded-for", "203.0.113.9"), ("x-forwarded-proto", "gopher")],
            "203.0.113.9",
            Some(Scheme::Http),
        );
    }

    #[test]
    fn the_standard_header_is_read_with_its_quotes() {
        let https = Some(Scheme::Https);
        expect(&[("forwarded", "for=203.0.113.9;proto=https;by=10.0.0.1")], "203.0.113.9", https);
        expect(
            &[("forwarded", "for=1.1.1.1, For=\"[2001:db8:cafe::17]:4711\";Proto=https")],
            "2001:db8:cafe::17",
            https,
        );
        expect(&[("forwarded", "for=203.0.113.9;proto=https, for=10.2.2.2;proto=http")], "203.0.113.9", https);
        expect(&[("forwarded", "for=_hidden;proto=https")], "10.0.0.1", https);
        expect(&[("forwarded", "for=\"203.0.113.9")], "10.0.0.1", None);
        expect(&[("forwarded", "nonsense")], "10.0.0.1", None);
    }

    /// Proves NET-1.
    #[test]
    fn only_the_configured_header_counts() {
        let both = [
            ("x-forwarded-for", "203.0.113.9"),
            ("x-forwarded-proto", "http"),
            ("forwarded", "for=198.51.100.1;proto=https"),
        ];
        let client = |address: &str, scheme| Client { address: address.parse().unwrap(), scheme };
        assert_eq!(read(X, &both), client("203.0.113.9", Some(Scheme::Http)));
        assert_eq!(read(STANDARD, &both), client("198.51.100.1", Some(Scheme::Https)));
        // What the proxy does not write, it does not say.
        assert_eq!(read(X, &both[2..]), client("10.0.0.1", None));
        assert_eq!(read(STANDARD, &both[..2]), client("10.0.0.1", None));
    }
}
