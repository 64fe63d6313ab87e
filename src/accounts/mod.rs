//! Accounts: people, whatever organisations they belong to, and how they prove who they are.
//!
//! This module owns the tables `accounts`, `account_matches`, `password_credentials`, `password_history`,
//! `password_resets`, `password_reset_limits`, `email_links`, `known_devices` and `reauthentication_attempts`. It knows
//! nothing of organisations but which one manages an account: an account is a person, not a tenant's property.

mod admin;
mod bulk;
mod credentials;
pub mod demand;
mod devices;
pub mod email;
pub mod email_codes;
mod entering;
mod erasure;
pub mod factors;
mod lockout;
mod mill;
pub mod passkey_proofs;
pub mod passkeys;
mod passwords;
mod profile;
mod reauthentication;
pub mod recovery;
pub mod recovery_address;
pub mod resets;
mod sign_in;
mod stored;
pub mod trusted_devices;

use std::collections::HashMap;

use entity::{AccountId, Salt, accounts as rows, password_credentials};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, IntoActiveModel, QueryFilter, QuerySelect, QueryTrait, sea_query::SelectStatement,
};

pub use admin::{
    ADMINISTRATORS, Search, block, block_in, end_session, end_sessions, end_sessions_in, list_in, list_sessions,
    locked, manage, unblock, unblock_in, unlock, unlock_in,
};
pub use bulk::{NewPerson, count, create_all, hashes, kept_after, with_addresses};
pub use credentials::{change_password, password_since};
pub use devices::{
    KnownDevice, LASTS as DEVICE_LASTS, clean_up as clean_up_devices, forget, forget_all, list as known_devices,
};
pub use entering::{Entered, Entering, Trust, answer, enter};
pub use erasure::{Taken, erase, readable, take};
pub use lockout::end_locks;
pub use passwords::{LONGEST, Passwords, Rules, STRONGEST, Verdict};
pub use profile::{Account, Erased, Person, SEALED, find_by_email, is_known, match_anew, seal_clear, searched};
use profile::{EMAIL, NAME};
pub use reauthentication::{PASSWORD, reauthenticate};
pub use sign_in::{Credentials, Device, Proven, Right, SignedIn, authenticate, settled, sign_in, signed_in};
pub use stored::{HashFault, check_hash};

use crate::{
    app::App,
    audit::{Event, Kind},
    db::{Tx, WriteTx},
    error::{Code, Error, Result},
    runtime::Timestamp,
    types::{Caller, Email, single_line},
    vault::Vault,
};

/// The longest name in characters.
pub const LONGEST_NAME: usize = 200;

/// A person who gets an account.
pub struct NewAccount {
    /// The address they sign in with.
    pub email: Email,
    /// How they are called.
    pub name: String,
    /// Their password's hash.
    pub password_hash: String,
    /// When they proved that the address is theirs, if they have.
    pub email_verified_at: Option<Timestamp>,
}

/// The account with this id.
///
/// # Errors
/// `NotFound` when there is none, or its person has been erased.
pub async fn get(vault: &Vault, tx: &Tx, id: AccountId) -> Result<Account> {
    let query = tx.find_identity::<rows::Entity>().filter(rows::Column::Id.eq(id));
    profile::open(vault, tx.one(query).await?.ok_or_else(Error::not_found)?)
}

/// The accounts with these ids, without those of people who have been erased. Whoever asks has found the ids in rows
/// that the caller may see.
///
/// # Errors
/// When the database fails.
pub async fn profiles(
    vault: &Vault,
    tx: &Tx,
    ids: impl IntoIterator<Item = AccountId>,
) -> Result<HashMap<AccountId, Account>> {
    let people = people(vault, tx, ids).await?.into_iter();
    Ok(people.filter_map(|(id, person)| Some((id, person.known()?))).collect())
}

/// Whoever these accounts are of, and those who have been erased. Whoever asks has found the ids in rows that the caller
/// may see.
///
/// # Errors
/// When the database fails.
pub async fn people(
    vault: &Vault,
    tx: &Tx,
    ids: impl IntoIterator<Item = AccountId>,
) -> Result<HashMap<AccountId, Person>> {
    let query = tx.find_identity::<rows::Entity>().filter(rows::Column::Id.is_in(ids));
    let opened = |row: rows::Model| Ok((row.id, profile::person(vault, row)?));
    tx.all(query).await?.into_iter().map(opened).collect()
}

/// What is sealed for this person is under a key that needs this salt.
///
/// # Errors
/// `NotFound` when there is no such account, or it has been erased.
pub async fn salt(tx: &Tx, id: AccountId) -> Result<Salt> {
    let query = tx.find_identity::<rows::Entity>().filter(rows::Column::Id.eq(id));
    tx.one(query).await?.and_then(|row| row.salt).ok_or_else(Error::not_found)
}

/// A subquery of the ids of those who may sign in, for a list that is bounded by something else.
pub fn active(tx: &Tx) -> SelectStatement {
    tx.find_identity::<rows::Entity>()
        .select_only()
        .column(rows::Column::Id)
        .filter(rows::Column::State.eq(rows::State::Active))
        .into_query()
}

/// Makes an account, in the transaction of the reason for it.
///
/// # Errors
/// `Conflict` when the address has an account already.
pub async fn create(tx: &WriteTx, app: &App, new: NewAccount) -> Result<Account> {
    let now = tx.caller().now();
    let (id, salt) = (app.ids.next::<AccountId>(), app.vault.salt()?);
    let row = rows::Model {
        id,
        email: Some(app.vault.seal_for(&salt, EMAIL, id, new.email.as_str().as_bytes())?),
        name: Some(app.vault.seal_for(&salt, NAME, id, new.name.as_bytes())?),
        salt: Some(salt),
        state: rows::State::Active,
        version: 1,
        created_at: now,
        updated_at: now,
        last_sign_in_at: None,
        managed_by: None,
        blocked_by: None,
        erased_at: None,
        email_verified_at: new.email_verified_at,
    };
    let account = tx.insert(rows::ActiveModel::from(row)).await?;
    profile::keep_matches(tx, &app.vault, id, &new.email, &new.name).await?;
    let credential = password_credentials::Model { account_id: account.id, hash: new.password_hash, updated_at: now };
    tx.insert(password_credentials::ActiveModel::from(credential)).await?;
    tx.note(Event::new(Kind::AccountCreated, account.id)).await?;
    profile::open(&app.vault, account)
}

/// Changes the caller's own name.
///
/// # Errors
/// `Invalid` when the name is none; `Conflict` when the account is not the version that the caller read.
pub async fn rename(app: &App, caller: &Caller, name: &str, version: Option<i32>) -> Result<Account> {
    let name = checked_name(name)?;
    let account = caller.account().ok_or(Error::Unauthenticated(Code::Unauthenticated))?;
    let tx = app.db.write(caller).await?;
    let query = tx.find_identity::<rows::Entity>().filter(rows::Column::Id.eq(account));
    let row = tx.one(query.lock_exclusive()).await?.ok_or_else(Error::not_found)?;
    expect_version(version, row.version)?;
    let present = profile::open(&app.vault, row.clone())?;
    let salt = row.salt.as_ref().ok_or_else(Error::not_found)?;
    let sealed = app.vault.seal_for(salt, NAME, account, name.as_bytes())?;
    let mut row = row.into_active_model();
    row.name = Set(Some(sealed));
    row.version = Set(present.version + 1);
    row.updated_at = Set(caller.now());
    let row = tx.update(row).await?;
    profile::change_words(&tx, &app.vault, account, &present.email, &name).await?;
    tx.commit(Event::new(Kind::AccountUpdated, account).with("fields", "name")).await?;
    app.sessions.forget_profile(account);
    profile::open(&app.vault, row)
}

/// A name as it is kept.
///
/// # Errors
/// `Invalid` at `/name`.
pub fn checked_name(name: &str) -> Result<String> {
    single_line(name, LONGEST_NAME)
        .ok_or_else(|| Error::field("/name", "format", format!("must be 1 to {LONGEST_NAME} characters on one line")))
}

/// Whether what the client read is what is there (RFC 9110, 13.1.1).
///
/// # Errors
/// `Conflict` with `precondition_failed`.
pub fn expect_version(read: Option<i32>, present: i32) -> Result<()> {
    if read.is_none_or(|read| read == present) { Ok(()) } else { Err(Error::Conflict(Code::PreconditionFailed)) }
}
