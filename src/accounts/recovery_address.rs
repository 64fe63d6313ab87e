//! A person's recovery address: another mailbox than that of the account, which helps when the second factor is lost
//! (MFA-7). Nobody signs in with it, and nobody is found by it.
//!
//! As with the account's own address, a link proves it only to the account that asked for it, in one of its sessions. What
//! is changed is told to the account's address and to the recovery address before.

use entity::{AccountId, Pii, Salt, accounts as rows};

use super::{
    Account,
    admin::locked,
    credentials::address,
    email::{self, own},
    factors::may_change,
    profile,
};
use crate::{
    app::App,
    audit::{Event, Kind},
    config::SecretString,
    db::{Tx, WriteTx},
    error::{Code, Error, Result},
    mail::{AddressChange, Letter, RecoveryLetter},
    mfa::{
        self,
        recovery::{self, Request},
        recovery_addresses::{self as addresses, Address},
    },
    runtime::Timestamp,
    types::{Caller, Email},
    vault::Field,
};

const EMAIL: Field<Pii> = Field::new("recovery_addresses.email");
/// The operation, as refusals are recorded under it.
const OPERATION: &str = "recovery_address_update";

/// How it is with a person's recovery.
#[derive(Clone)]
pub struct RecoveryState {
    /// The address in use, and when it was proven.
    pub address: Option<(String, Timestamp)>,
    /// The address that waits for its proof.
    pub pending: Option<PendingAddress>,
    /// What was asked for and is not over.
    pub recovery: Option<Request>,
}

/// A recovery address that waits for its proof.
#[derive(Clone)]
pub struct PendingAddress {
    /// The address.
    pub email: String,
    /// When it was asked for.
    pub requested_at: Timestamp,
    /// Until when its link works.
    pub expires_at: Timestamp,
}

/// How it is with the caller's recovery.
///
/// # Errors
/// When the database fails.
pub async fn state(app: &App, caller: &Caller) -> Result<RecoveryState> {
    state_in(app, &app.db.read(caller).await?, own(caller)?).await
}

async fn state_in(app: &App, tx: &Tx, id: AccountId) -> Result<RecoveryState> {
    let salt = super::salt(tx, id).await?;
    let found = addresses::of(tx, id).await?;
    let pending = found.pending.map(|pending| {
        Ok::<_, Error>(PendingAddress {
            email: open(app, &salt, &pending)?,
            requested_at: pending.created_at,
            expires_at: pending.expires_at,
        })
    });
    let address = match &found.verified {
        Some(verified) => {
            verified.verified_at.map(|at| open(app, &salt, verified).map(|email| (email, at))).transpose()?
        }
        None => None,
    };
    Ok(RecoveryState { address, pending: pending.transpose()?, recovery: recovery::open(tx, id).await? })
}

/// Asks for a recovery address: a link goes there, and word of it to the addresses before. Another that was asked for
/// before is forgotten; one that is in use stays so until this one is proven.
///
/// # Errors
/// `Invalid` when it is the account's own, or to become that, or in use already; `Throttled` after too many letters;
/// `Reauthenticate` when there is a strong factor that this session has not used.
pub async fn update(app: &App, caller: &Caller, email: &Email) -> Result<RecoveryState> {
    let (tx, id) = (app.db.write(caller).await?, own(caller)?);
    may_change(app, &tx, mfa::factors(&tx, id).await?).await?;
    let (account, salt) = owner(app, &tx, id).await?;
    let pending = email::state_in(app, &tx, account.clone()).await?.pending;
    if account.email == email.as_str() || pending.is_some_and(|pending| pending.email == email.as_str()) {
        return Err(Error::field("/email", "same", "must be another address than that of the account"));
    }
    let present = verified(app, &tx, (id, &salt)).await?;
    if present.as_ref() == Some(email) {
        return Err(Error::field("/email", "same", "is your recovery address already"));
    }
    let row = app.ids.next();
    let sealed = app.vault.seal_for(&salt, EMAIL, row, email.as_str().as_bytes())?;
    let token = addresses::begin(&tx, id, (row, sealed)).await.inspect_err(|refusal| {
        if matches!(refusal, Error::Throttled(_)) {
            app.refusals.count(caller, OPERATION, Code::TooManyRequests);
        }
    })?;
    let expires_at = caller.now() + addresses::LASTS;
    let link = link(app, "recovery-address", &token);
    app.mail.queue(&tx, email, &Letter::Recovery(RecoveryLetter::VerifyAddress { link, expires_at })).await?;
    tell(app, &tx, (&account, present), AddressChange::Requested(email.to_string())).await?;
    let state = state_in(app, &tx, id).await?;
    tx.commit(Event::new(Kind::RecoveryAddressRequested, id)).await?;
    Ok(state)
}

/// Proves the caller's recovery address with the token of a link that was sent there. The one before is told, and what was
/// asked for through it ends.
///
/// # Errors
/// `NotFound` with `email_link_not_valid`.
pub async fn verify(app: &App, caller: &Caller, token: &SecretString) -> Result<RecoveryState> {
    let (tx, id) = (app.db.write(caller).await?, own(caller)?);
    let (account, salt) = owner(app, &tx, id).await?;
    let not_valid = || Error::NotFound(Code::EmailLinkNotValid);
    let proven = addresses::provable(&tx, id, token).await?.ok_or_else(not_valid)?;
    let email = open(app, &salt, &proven)?;
    if account.email == email {
        return Err(not_valid());
    }
    let before = verified(app, &tx, (id, &salt)).await?;
    addresses::verify(&tx, id, proven.id).await?;
    recovery::end_all_of(&tx, id).await?;
    tell(app, &tx, (&account, before), AddressChange::Set(email)).await?;
    let state = state_in(app, &tx, id).await?;
    tx.commit(Event::new(Kind::RecoveryAddressSet, id)).await?;
    Ok(state)
}

/// Forgets the caller's recovery address, and one that waits for its proof. What was asked for through it ends.
///
/// # Errors
/// `NotFound` when there is neither.
pub async fn remove(app: &App, caller: &Caller) -> Result<()> {
    let (tx, id) = (app.db.write(caller).await?, own(caller)?);
    let (account, salt) = owner(app, &tx, id).await?;
    let before = verified(app, &tx, (id, &salt)).await?;
    if !addresses::remove(&tx, id).await? {
        return Err(Error::not_found());
    }
    recovery::end_all_of(&tx, id).await?;
    tell(app, &tx, (&account, before), AddressChange::Removed).await?;
    tx.commit(Event::new(Kind::RecoveryAddressRemoved, id)).await
}

/// Whether an address is a person's recovery address, or waits to become that.
///
/// # Errors
/// When the database fails.
pub(super) async fn is_own(app: &App, tx: &Tx, id: AccountId, email: &Email) -> Result<bool> {
    let state = state_in(app, tx, id).await?;
    let all = state.address.map(|(email, _)| email).into_iter().chain(state.pending.map(|pending| pending.email));
    Ok(all.into_iter().any(|own| own == email.as_str()))
}

/// Forgets a person's recovery address, which has become that of their account: one mailbox is no second one.
///
/// # Errors
/// When the database fails.
pub(super) async fn drop_of(tx: &WriteTx, id: AccountId) -> Result<()> {
    addresses::remove(tx, id).await?;
    recovery::end_all_of(tx, id).await?;
    tx.note(Event::new(Kind::RecoveryAddressRemoved, id)).await
}

/// A person's account, which nobody else changes before the transaction ends, and what its values are sealed with.
pub(super) async fn owner(app: &App, tx: &WriteTx, id: AccountId) -> Result<(Account, Salt)> {
    let row: rows::Model = locked(tx, id).await?;
    let salt = row.salt.clone().ok_or_else(Error::not_found)?;
    Ok((profile::open(&app.vault, row)?, salt))
}

/// The recovery address that a person has proven.
pub(super) async fn verified(app: &App, tx: &Tx, (id, salt): (AccountId, &Salt)) -> Result<Option<Email>> {
    let found = addresses::of(tx, id).await?.verified;
    found.map(|address| open(app, salt, &address)?.parse().map_err(Error::internal)).transpose()
}

fn open(app: &App, salt: &Salt, address: &Address) -> Result<String> {
    app.vault.open_for(salt, EMAIL, address.id, &address.email)
}

/// Tells a person that something about their recovery address is another now.
async fn tell(
    app: &App,
    tx: &WriteTx,
    (account, before): (&Account, Option<Email>),
    change: AddressChange,
) -> Result<()> {
    let letter = Letter::Recovery(RecoveryLetter::Address { change, account: format!("{}/account", app.public_url) });
    for email in [address(account)?].into_iter().chain(before) {
        app.mail.queue(tx, &email, &letter).await?;
    }
    Ok(())
}

/// A link with a token in its fragment, which no log and no `Referer` has.
pub(super) fn link(app: &App, page: &str, token: &SecretString) -> SecretString {
    SecretString::new(format!("{}/{page}#token={}", app.public_url, token.expose()))
}
