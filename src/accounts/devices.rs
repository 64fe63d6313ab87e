//! Known devices: browsers and programs that a person has signed in on. Each has a counter of failures of its own, so
//! that strangers who guess don't lock the owner out there (AUT-6). It proves nothing: a password is still asked for.
//!
//! A device has an opaque token for 180 days from its last sign-in; its hash is stored.

use chrono::TimeDelta;
use entity::{AccountId, KnownDeviceId, known_devices as rows};
use sea_orm::{ColumnTrait, QueryFilter};
use uuid::Uuid;

use crate::{
    app::App,
    audit::{Event, Kind},
    config::SecretString,
    db::WriteTx,
    error::{Code, Error, Result},
    jobs::{Report, Run},
    runtime::Timestamp,
    sessions::{Origins, Seen, hash, opaque},
    types::{Caller, Page, PageRequest},
    vault::Vault,
};

/// The prefix of device tokens, for people and secret scanners.
const PREFIX: &str = "fhd_";
/// How long a device is known after a sign-in on it (AUT-6).
pub const LASTS: TimeDelta = TimeDelta::days(180);
/// How many devices of an account are known; the one that was not used for longest is forgotten (AUT-6).
const MOST: i64 = 20;

const SEEN_ON: Origins = Origins::new("known_devices.address", "known_devices.user_agent");

/// A known device, in clear.
#[derive(Clone, PartialEq, Eq)]
pub struct KnownDevice {
    /// Its id.
    pub id: KnownDeviceId,
    /// Where the last sign-in on it came from, and what it calls itself.
    pub seen: Seen,
    /// When the person first signed in on it.
    pub created_at: Timestamp,
    /// When they last did.
    pub last_seen_at: Timestamp,
    /// Until when it is known.
    pub expires_at: Timestamp,
}

const BEYOND: &str = "
    DELETE FROM known_devices WHERE id IN (
        SELECT id FROM known_devices WHERE account_id = $1 ORDER BY last_seen_at DESC, id DESC OFFSET $2)";

/// Remembers the device that a person signs in on, and returns its token.
///
/// # Errors
/// When the database fails.
pub(super) async fn remember(tx: &WriteTx, app: &App, account: AccountId) -> Result<SecretString> {
    let (id, now) = (app.ids.next(), tx.caller().now());
    let token = opaque(PREFIX, app.entropy)?;
    let (address, user_agent) = SEEN_ON.seal(&app.vault, id, &tx.caller().origin)?;
    tx.execute(BEYOND, [Uuid::from(account).into(), (MOST - 1).into()]).await?;
    let row = rows::Model {
        id,
        account_id: account,
        token_hash: hash(token.expose()),
        address,
        user_agent,
        created_at: now,
        last_seen_at: now,
        expires_at: now + LASTS,
    };
    tx.append(vec![rows::ActiveModel::from(row)]).await?;
    Ok(token)
}

const SEEN: &str = "
    UPDATE known_devices SET last_seen_at = $2, expires_at = $3, address = $4, user_agent = $5 WHERE id = $1";

/// Notes that a person has signed in on a known device. Returns whether it still is one.
///
/// # Errors
/// When the database fails.
pub(super) async fn seen(tx: &WriteTx, vault: &Vault, id: KnownDeviceId) -> Result<bool> {
    let now = tx.caller().now();
    let (address, user_agent) = SEEN_ON.seal(vault, id, &tx.caller().origin)?;
    let values = [Uuid::from(id).into(), now.into(), (now + LASTS).into(), address.into(), user_agent.into()];
    Ok(tx.execute(SEEN, values).await? > 0)
}

const ALL: &str = "DELETE FROM known_devices WHERE account_id = $1";

fn own(caller: &Caller) -> Result<AccountId> {
    caller.account().ok_or(Error::Unauthenticated(Code::Unauthenticated))
}

/// The caller's known devices, newest first.
///
/// # Errors
/// When the database fails.
pub async fn list(app: &App, caller: &Caller, page: PageRequest) -> Result<Page<KnownDevice>> {
    let tx = app.db.read(caller).await?;
    let query = tx.find_identity::<rows::Entity>().filter(rows::Column::AccountId.eq(own(caller)?));
    let query = query.filter(rows::Column::ExpiresAt.gt(caller.now()));
    let page = tx.page(query, rows::Column::Id, |row| row.id.into(), page).await?;
    let items = page.items.into_iter().map(|row| opened(&app.vault, row)).collect::<Result<_>>()?;
    Ok(Page { items, next: page.next })
}

fn opened(vault: &Vault, row: rows::Model) -> Result<KnownDevice> {
    Ok(KnownDevice {
        id: row.id,
        seen: SEEN_ON.open(vault, row.id, (row.address, row.user_agent))?,
        created_at: row.created_at,
        last_seen_at: row.last_seen_at,
        expires_at: row.expires_at,
    })
}

/// Forgets one of the caller's known devices.
///
/// # Errors
/// `NotFound` when the caller has no known device of this id.
pub async fn forget(app: &App, caller: &Caller, id: KnownDeviceId) -> Result<()> {
    let tx = app.db.write(caller).await?;
    let one = "DELETE FROM known_devices WHERE id = $1 AND account_id = $2 AND expires_at > $3";
    let values = [Uuid::from(id).into(), Uuid::from(own(caller)?).into(), caller.now().into()];
    if tx.execute(one, values).await? == 0 {
        return Err(Error::not_found());
    }
    tx.commit(Event::new(Kind::KnownDeviceForgotten, id)).await
}

/// Forgets all of the caller's known devices.
///
/// # Errors
/// When the database fails.
pub async fn forget_all(app: &App, caller: &Caller) -> Result<()> {
    let account = own(caller)?;
    let tx = app.db.write(caller).await?;
    let forgotten = forget_all_of(&tx, account).await?;
    tx.commit(Event::new(Kind::KnownDevicesForgotten, account).with("devices", forgotten)).await
}

/// Forgets all known devices of an account whose password has become another one: whoever knew the old one may have
/// signed in on one of them, and would keep a counter of their own there.
///
/// # Errors
/// When the database fails.
pub(super) async fn forget_all_of(tx: &WriteTx, account: AccountId) -> Result<u64> {
    tx.execute(ALL, [Uuid::from(account).into()]).await
}

/// Removes devices that are not known any more.
///
/// # Errors
/// When the database fails.
pub async fn clean_up(run: Run) -> Result<Report> {
    let old = "DELETE FROM known_devices WHERE id IN (
             SELECT id FROM known_devices WHERE expires_at <= $1 ORDER BY expires_at LIMIT 1000)";
    let removed = run.repeat(old, &[run.caller().now().into()]).await?;
    Ok(Report::from([("devices", removed)]))
}
