//! The keys of a service account: made and shown once, listed, revoked. To change one is to make another and revoke it.

use std::{collections::BTreeSet, net::IpAddr};

use chrono::TimeDelta;
use entity::{ApiKeyId, ServiceAccountId, api_keys as rows};
use ipnet::IpNet;
use sea_orm::{ActiveValue::Set, ColumnTrait, IntoActiveModel, QueryFilter, QuerySelect};

use super::{allowed, governed, row, token, uses};
use crate::{
    app::App,
    audit::{Event, Kind},
    config::SecretString,
    error::{Code, Error, Fault, Result},
    runtime::Timestamp,
    sessions,
    types::{Caller, Page, PageRequest, single_line},
};

/// The most keys of a service account that are not revoked: enough to change each while it is used.
pub const MOST_KEYS: u64 = 10;
/// The longest name in characters.
pub const LONGEST_KEY_NAME: usize = 100;
/// The most networks that a key can be bound to.
pub const MOST_NETWORKS: usize = 20;
/// How long a key is listed after it was revoked.
const KEPT: TimeDelta = TimeDelta::days(90);

/// A key, without the key.
#[derive(Clone, Debug)]
pub struct Key {
    /// Its row.
    pub row: rows::Model,
    /// From where it was used last.
    pub last_used_address: Option<String>,
}

/// A key that was just made.
pub struct Made {
    /// What is kept of it.
    pub key: Key,
    /// The key itself, which nobody sees again.
    pub secret: SecretString,
}

/// A key to make.
#[derive(Clone, Debug)]
pub struct NewKey {
    /// What it is called.
    pub name: String,
    /// Until when it works.
    pub expires_at: Option<Timestamp>,
    /// From where it may be used: addresses and networks in CIDR notation; none is everywhere.
    pub allowed_networks: Vec<String>,
}

/// The keys of a service account, newest first, with those that were revoked in the last months.
///
/// # Errors
/// `NotFound`.
pub async fn list(app: &App, caller: &Caller, account: ServiceAccountId, page: PageRequest) -> Result<Page<Key>> {
    let tx = app.db.read(caller).await?;
    row(&tx, account).await?;
    let query = tx.find::<rows::Entity>().filter(rows::Column::ServiceAccountId.eq(account));
    let Page { items, next } = tx.page(query, rows::Column::Id, |row| row.id.into(), page).await?;
    let open = |row: rows::Model| Ok(Key { last_used_address: uses::address(&app.vault, &row)?, row });
    Ok(Page { items: items.into_iter().map(open).collect::<Result<_>>()?, next })
}

/// Makes a key for a service account that the caller could have made.
///
/// # Errors
/// `NotFound`; `Forbidden` with `role_above_own`, which is recorded; `Conflict` with `too_many_api_keys`; `Invalid` for a
/// name that is none, a time that is over, or something that is no network.
pub async fn create(app: &App, caller: &Caller, account: ServiceAccountId, new: NewKey) -> Result<Made> {
    let NewKey { name, expires_at, allowed_networks } = new;
    let mut faults = Vec::new();
    let name = single_line(&name, LONGEST_KEY_NAME);
    if name.is_none() {
        faults.push(Fault::body("/name", "format", format!("must be 1 to {LONGEST_KEY_NAME} characters on one line")));
    }
    if expires_at.is_some_and(|end| end <= caller.now()) {
        faults.push(Fault::body("/expires_at", "range", "must be in the future"));
    }
    let allowed_networks = networks(&allowed_networks, &mut faults);
    let (Some(name), true) = (name, faults.is_empty()) else { return Err(Error::Invalid(faults)) };
    let tx = app.db.write(caller).await?;
    let present = governed(app, &tx, account).await?;
    let (tx, present) = allowed(app, tx, present, None).await?;
    let of_account = || rows::Column::ServiceAccountId.eq(account);
    let open = tx.find::<rows::Entity>().filter(of_account()).filter(rows::Column::RevokedAt.is_null());
    if tx.count(open).await? >= MOST_KEYS {
        return Err(Error::Conflict(Code::TooManyApiKeys));
    }
    let old = rows::Column::RevokedAt.lt(caller.now() - KEPT);
    tx.delete(tx.remove::<rows::Entity>().filter(of_account()).filter(old)).await?;
    let secret = token::make(present.organization_id, app.entropy)?;
    let row = rows::Model {
        id: app.ids.next(),
        organization_id: present.organization_id,
        service_account_id: account,
        name,
        prefix: secret.expose().chars().take(token::SHOWN).collect(),
        key_hash: sessions::hash(secret.expose()),
        allowed_networks,
        created_by: caller.account(),
        created_at: caller.now(),
        expires_at,
        last_used_at: None,
        last_used_address: None,
        revoked_at: None,
    };
    let row = tx.insert(rows::ActiveModel::from(row)).await?;
    let event = Event::new(Kind::ApiKeyCreated, row.id)
        .with("service_account", account.to_string())
        .with("expires_at", row.expires_at.map(|end| end.to_rfc3339()))
        .with("bound_to_networks", !row.allowed_networks.is_empty());
    tx.commit(event).await?;
    Ok(Made { key: Key { row, last_used_address: None }, secret })
}

/// Revokes a key for good. It is done already for one that was.
///
/// # Errors
/// `NotFound`; `Forbidden` with `role_above_own`, which is recorded.
pub async fn revoke(app: &App, caller: &Caller, account: ServiceAccountId, id: ApiKeyId) -> Result<()> {
    let tx = app.db.write(caller).await?;
    let present = governed(app, &tx, account).await?;
    let query = tx
        .find::<rows::Entity>()
        .filter(rows::Column::Id.eq(id))
        .filter(rows::Column::ServiceAccountId.eq(account))
        .lock_exclusive();
    let key = tx.one(query).await?.ok_or_else(Error::not_found)?;
    let (tx, _) = allowed(app, tx, present, None).await?;
    if key.revoked_at.is_some() {
        return Ok(());
    }
    let mut key = key.into_active_model();
    key.revoked_at = Set(Some(caller.now()));
    tx.update(key).await?;
    tx.commit(Event::new(Kind::ApiKeyRevoked, id).with("service_account", account.to_string())).await?;
    app.services.forget(account);
    Ok(())
}

/// The networks as they are kept: each once, as its first address and its length.
fn networks(texts: &[String], faults: &mut Vec<Fault>) -> Vec<String> {
    let mut networks = BTreeSet::new();
    for (place, text) in texts.iter().enumerate() {
        match network(text) {
            Some(network) => drop(networks.insert(network)),
            None => faults.push(Fault::body(
                format!("/allowed_networks/{place}"),
                "format",
                "must be an address or a network such as 192.0.2.0/24 or 2001:db8::/32",
            )),
        }
    }
    networks.into_iter().map(|network| network.to_string()).collect()
}

/// An address or a network; one of IPv4 in the clothes of IPv6 (RFC 4291, 2.5.5.2) is one of IPv4.
fn network(text: &str) -> Option<IpNet> {
    let network = text.parse().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))?;
    let plain = match network {
        IpNet::V6(six) => match (six.addr().to_ipv4_mapped(), six.prefix_len().checked_sub(96)) {
            (Some(four), Some(length)) => IpNet::new(four.into(), length).ok()?,
            _ => network,
        },
        IpNet::V4(_) => network,
    };
    Some(plain.trunc())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_are_kept_in_one_spelling() {
        for (text, kept) in [
            ("192.0.2.77", Some("192.0.2.77/32")),
            ("192.0.2.77/24", Some("192.0.2.0/24")),
            ("2001:DB8::1/32", Some("2001:db8::/32")),
            ("::ffff:10.1.2.3", Some("10.1.2.3/32")),
            ("::ffff:10.1.2.3/104", Some("10.0.0.0/8")),
            ("0.0.0.0/0", Some("0.0.0.0/0")),
            ("192.0.2.0/33", None),
            ("example.com", None),
            ("", None),
        ] {
            assert_eq!(network(text).map(|network| network.to_string()).as_deref(), kept, "{text}");
        }
    }
}
