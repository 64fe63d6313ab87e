//! Where a call comes from: what the edge knows of a request before anybody is recognised.

use std::{
    net::{IpAddr, Ipv6Addr},
    sync::Arc,
};

use crate::runtime::Timestamp;

/// The origin of one request, or of one run of a background worker.
#[derive(Clone, Debug)]
pub struct Origin {
    /// The request's id: in the answer, the log line, the problem document and the audit entry (NET-8).
    pub request_id: Arc<str>,
    /// The client's address, as the trusted proxies tell it. `None` for work without a request.
    pub address: Option<IpAddr>,
    /// The client's `User-Agent`, cut to 256 characters.
    pub user_agent: Option<Arc<str>>,
    /// The request's one moment: asked from the clock once, passed down as a value.
    pub now: Timestamp,
}

/// What one client has of the network: an address of IPv4, also where it is written as IPv6, or all that share 64 bits
/// of IPv6 (RFC 6177: a site has no less).
pub fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_of_ipv6_is_one_client() {
        let of = |text: &str| network(text.parse().unwrap()).to_string();
        assert_eq!(of("192.0.2.7"), "192.0.2.7");
        assert_eq!(of("::ffff:192.0.2.7"), "192.0.2.7");
        assert_eq!(of("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
        assert_eq!(of("2001:db8:1:2:3:4:5:6"), of("2001:db8:1:2:ffff::9"));
        assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
    }
}
