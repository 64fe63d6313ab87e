//! How often links to new passwords are asked for: by one e-mail address, and from one address on the network (NET-4).
//! The counters lie in the database, so that they are the same on every instance and after a restart; counting is one
//! statement each, the same whether or not there is such an account. What is counted is found by an HMAC.

use std::net::{IpAddr, Ipv6Addr};

use chrono::TimeDelta;
use sea_orm::FromQueryResult;

use crate::{
    db::WriteTx,
    error::{Error, Result},
    runtime::Timestamp,
    types::Email,
    vault::Vault,
};

/// How many are answered in a [`SPAN`] (NET-4).
const MOST: i32 = 5;
/// How long one counts (NET-4).
const SPAN: TimeDelta = TimeDelta::hours(1);

/// Counts one more, unless there are too many: then it touches no row.
const COUNT: &str = "
    INSERT INTO password_reset_limits AS l (key, recent, expires_at) VALUES ($1, ARRAY[$2::timestamptz], $3)
    ON CONFLICT (key) DO UPDATE
    SET recent = ARRAY(SELECT t FROM unnest(l.recent) t WHERE t > $4) || $2::timestamptz, expires_at = $3
    WHERE (SELECT count(*) FROM unnest(l.recent) t WHERE t > $4) < $5";
const OLDEST: &str = "
    SELECT min(t) AS oldest FROM password_reset_limits l, unnest(l.recent) t WHERE l.key = $1 AND t > $2";
/// A few that are over go with each new one, so that the table is never larger than an hour makes it.
const FORGET_SOME: &str = "
    DELETE FROM password_reset_limits WHERE key IN (
        SELECT key FROM password_reset_limits WHERE expires_at < $1 LIMIT 10 FOR UPDATE SKIP LOCKED)";
/// Removes those that are over.
pub(super) const CLEAN_UP: &str = "
    DELETE FROM password_reset_limits WHERE key IN (
        SELECT key FROM password_reset_limits WHERE expires_at < $1 LIMIT 1000)";

#[derive(FromQueryResult)]
struct Oldest {
    oldest: Option<Timestamp>,
}

/// Counts a request, unless it is one too many; nothing is counted then.
///
/// # Errors
/// `Throttled` until another is answered.
pub(super) async fn count(tx: &WriteTx, vault: &Vault, email: &Email) -> Result<()> {
    tx.execute(FORGET_SOME, [tx.caller().now().into()]).await?;
    // Addresses before identifiers, everywhere: so nobody waits for each other.
    if let Some(address) = tx.caller().origin.address {
        count_one(tx, vault, &format!("address {}", network(address))).await?;
    }
    count_one(tx, vault, &format!("identifier {email}")).await
}

async fn count_one(tx: &WriteTx, vault: &Vault, of: &str) -> Result<()> {
    let now = tx.caller().now();
    let key = vault.derive::<32>(&format!("password reset limit, {of}"))?.to_vec();
    let values = [key.clone().into(), now.into(), (now + SPAN).into(), (now - SPAN).into(), MOST.into()];
    if tx.execute(COUNT, values).await? > 0 {
        return Ok(());
    }
    let oldest: Vec<Oldest> = tx.query(OLDEST, [key.into(), (now - SPAN).into()]).await?;
    let oldest = oldest.into_iter().next().and_then(|row| row.oldest).unwrap_or(now);
    Err(Error::Throttled((oldest + SPAN - now).to_std().unwrap_or_default()))
}

/// What one client has: an address of IPv4, or all that share 64 bits of IPv6 (RFC 6177: a site has no less).
fn network(address: IpAddr) -> IpAddr {
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
        assert_eq!(of("2001:db8:1:2:3:4:5:6"), of("2001:db8:1:2:ffff::1"));
        assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
    }
}
