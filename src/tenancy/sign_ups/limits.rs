//! How often somebody may sign up. The counts are of rows, so they hold on every instance and across restarts; the rows
//! have keyed hashes of addresses, which say nothing without the key.

use std::net::IpAddr;

use chrono::TimeDelta;
use entity::sign_ups as rows;
use hmac::{Hmac, KeyInit, Mac};
use sea_orm::{ColumnTrait, QueryFilter, QueryOrder, QuerySelect};
use sha2::Sha256;

use crate::{
    app::App,
    db::WriteTx,
    error::{Code, Error, Result},
    types::{Caller, Email},
    vault::Vault,
};

/// How many sign-ups one client may begin in an [`HOUR`] (NET-4).
const MOST_FROM: usize = 10;
/// How many letters one address is sent in an [`HOUR`]: the first is lost, the second is late, the third is enough.
const MOST_TO: usize = 3;
const HOUR: TimeDelta = TimeDelta::hours(1);

/// What sign-ups are counted by.
pub(super) struct Tags {
    /// The e-mail address.
    pub(super) address: Vec<u8>,
    /// Where the call comes from.
    pub(super) client: Vec<u8>,
}

impl Tags {
    pub(super) fn of(app: &App, caller: &Caller, email: &Email) -> Result<Self> {
        let client = caller.origin.address.map(network).unwrap_or_default();
        Ok(Self { address: address(&app.vault, email)?, client: tag(&app.vault, &format!("client {client}"))? })
    }
}

/// The tag of an address.
pub(super) fn address(vault: &Vault, email: &Email) -> Result<Vec<u8>> {
    tag(vault, &format!("address {email}"))
}

fn tag(vault: &Vault, text: &str) -> Result<Vec<u8>> {
    let key = vault.derive::<32>("sign-up tags")?;
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_ref()).map_err(Error::internal)?;
    mac.update(text.as_bytes());
    Ok(mac.finalize().into_bytes().to_vec())
}

/// What one client has for itself: an address of version 4, or a network of version 6, of which whoever has one address
/// has all (RFC 6177).
fn network(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            let network = address.to_bits() >> 64;
            format!("{network:016x}/64")
        }
    }
}

/// Refuses what is too often, in a transaction in which nobody else counts.
///
/// # Errors
/// `Throttled`.
pub(super) async fn hold(app: &App, tx: &WriteTx, tags: &Tags) -> Result<()> {
    let of_client = (rows::Column::ClientTag, &tags.client, MOST_FROM);
    let of_address = (rows::Column::AddressTag, &tags.address, MOST_TO);
    for (column, tag, most) in [of_client, of_address] {
        let name: String = tag.iter().map(|byte| format!("{byte:02x}")).collect();
        tx.lock(&format!("sign-ups {name}")).await?;
        let now = tx.caller().now();
        let recent = tx
            .find_identity::<rows::Entity>()
            .filter(column.eq(tag.as_slice()))
            .filter(rows::Column::CreatedAt.gt(now - HOUR))
            .order_by_desc(rows::Column::CreatedAt)
            .limit(u64::try_from(most).unwrap_or(u64::MAX));
        if let Some(blocking) = tx.all(recent).await?.get(most - 1) {
            app.refusals.count(tx.caller(), "sign_ups_create", Code::TooManyRequests);
            return Err(Error::Throttled((blocking.created_at + HOUR - now).to_std().unwrap_or_default()));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_is_an_address_or_a_whole_network() {
        let of = |text: &str| network(text.parse().unwrap());
        assert_ne!(of("192.0.2.1"), of("192.0.2.2"));
        assert_eq!(of("::ffff:192.0.2.1"), of("192.0.2.1"));
        assert_eq!(of("2001:db8:0:7::1"), of("2001:db8:0:7:ffff::2"));
        assert_ne!(of("2001:db8:0:7::1"), of("2001:db8:0:8::1"));
    }
}
