//! How often somebody may sign up. The counts are of rows, so they hold on every instance and across restarts; the rows
//! have keyed hashes of addresses, which say nothing without the key.

use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use sea_orm::FromQueryResult;
use sha2::Sha256;

use crate::{
    app::App,
    config::Quota,
    db::WriteTx,
    error::{Code, Error, Result},
    runtime::Timestamp,
    types::{Caller, Email, Left, network},
    vault::Vault,
};

/// How many letters one address is sent: the first is lost, the second is late, the third is enough. How many sign-ups one
/// client may begin is a setting (NET-4).
const TO_ONE: Quota = Quota { most: 3, window: Duration::from_secs(60 * 60) };

/// Of the latest that count, how many there are and since when.
const FROM_CLIENT: &str = "
    SELECT count(*) AS counted, min(created_at) AS oldest FROM (
        SELECT created_at FROM sign_ups WHERE client_tag = $1 AND created_at > $2 ORDER BY created_at DESC LIMIT $3
    ) AS latest";
const TO_ADDRESS: &str = "
    SELECT count(*) AS counted, min(created_at) AS oldest FROM (
        SELECT created_at FROM sign_ups WHERE address_tag = $1 AND created_at > $2 ORDER BY created_at DESC LIMIT $3
    ) AS latest";

#[derive(FromQueryResult)]
struct Counted {
    counted: i64,
    oldest: Option<Timestamp>,
}

/// What sign-ups are counted by.
pub(super) struct Tags {
    /// The e-mail address.
    pub(super) address: Vec<u8>,
    /// Where the call comes from.
    pub(super) client: Vec<u8>,
}

impl Tags {
    pub(super) fn of(app: &App, caller: &Caller, email: &Email) -> Result<Self> {
        let client = caller.origin.address.map(|address| network(address).to_string()).unwrap_or_default();
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

/// Refuses what is too often, in a transaction in which nobody else counts. Returns what is left to the client after
/// this one.
///
/// # Errors
/// `Throttled`.
pub(super) async fn hold(app: &App, tx: &WriteTx, tags: &Tags) -> Result<Left> {
    let left = hold_one(app, tx, (FROM_CLIENT, &tags.client, app.limits.sign_up)).await?;
    hold_one(app, tx, (TO_ADDRESS, &tags.address, TO_ONE)).await?;
    Ok(left)
}

async fn hold_one(app: &App, tx: &WriteTx, (of, tag, quota): (&'static str, &[u8], Quota)) -> Result<Left> {
    let name: String = tag.iter().map(|byte| format!("{byte:02x}")).collect();
    tx.lock(&format!("sign-ups {name}")).await?;
    let now = tx.caller().now();
    let values = [tag.into(), (now - quota.window).into(), i64::from(quota.most).into()];
    let found: Vec<Counted> = tx.query(of, values).await?;
    let found = found.into_iter().next();
    let counted = found.as_ref().map_or(0, |found| u32::try_from(found.counted).unwrap_or(u32::MAX));
    let oldest = found.and_then(|found| found.oldest).unwrap_or(now);
    let renewed_in = (oldest + quota.window - now).to_std().unwrap_or_default();
    if counted >= quota.most {
        app.refusals.count(tx.caller(), "sign_ups_create", Code::TooManyRequests);
        return Err(Error::Throttled(renewed_in));
    }
    Ok(Left { calls: quota.most - counted - 1, renewed_in })
}
