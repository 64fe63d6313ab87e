//! Privacy: erasing a person, and keeping them erased when a backup is restored (DAT-10).
//!
//! What says who somebody is is destroyed in one transaction, first of all their salt, without which no copy of their
//! sealed fields can be opened. That it was done is written into a ledger outside the database before it is done, and
//! every start does it again to whoever is in the ledger and can be read. This module owns the table `erasures` and the
//! order of things; what is destroyed is in the modules whose rows it is.

mod ledger;

use std::collections::{BTreeMap, BTreeSet};

use entity::{AccountId, accounts::State, erasures as rows};
use sea_orm::QueryOrder;

pub use ledger::{Erasure, Ledger};

use crate::{
    accounts::{self, ADMINISTRATORS, Person, Taken},
    alerts,
    app::App,
    audit::{self, Event, Kind},
    db::{Db, Unrecorded, WriteTx, idempotency},
    decisions,
    error::{Code, Error, Result},
    runtime::Timestamp,
    sessions,
    tenancy::{erasure as tenancy, sign_ups},
    types::Caller,
    vault::Vault,
};

/// Erases a person. It changes nothing of one who has been erased already.
///
/// # Errors
/// `NotFound`; `Conflict` for the caller's own account, or while the person joins another organisation; `OnlyOwner`.
pub async fn erase(app: &App, caller: &Caller, id: AccountId) -> Result<Person> {
    if caller.account() == Some(id) {
        // Another administrator can, who is there afterwards.
        return Err(Error::Conflict(Code::Conflict));
    }
    let tx = app.db.write(caller).await?;
    tx.lock(ADMINISTRATORS).await?;
    // Two administrators who erase each other: the second finds itself erased.
    let own = caller.account().ok_or(Error::Unauthenticated(Code::Unauthenticated))?;
    let own = accounts::people(&app.vault, &tx, [own]).await?.remove(&own).and_then(Person::known);
    if own.is_none_or(|own| own.state != State::Active) {
        return Err(Error::Forbidden(Code::Forbidden));
    }
    let organizations = tenancy::lock_organizations(&tx, id).await?;
    let taken = accounts::take(&app.vault, &tx, id).await?;
    if taken.erased {
        return left_of(&tx, &app.vault, id).await;
    }
    if tenancy::lock_organizations(&tx, id).await? != organizations {
        return Err(Error::Conflict(Code::OperationInProgress));
    }
    let alone = tenancy::only_owner(&tx, id).await?;
    if !alone.is_empty() {
        return Err(Error::OnlyOwner(alone));
    }
    let erasure = Erasure { account: id, erased_at: caller.now() };
    let events = destroy(&tx, &app.vault, &taken, erasure).await?;
    tx.note(events).await?;
    note(&tx, &[erasure]).await?;
    let left = left_of(&tx, &app.vault, id).await?;
    // From here on it will be done, now or at the next start.
    app.ledger.add(vec![erasure]).await?;
    tx.commit(Unrecorded("an erasure is recorded before it is written into the ledger")).await?;
    app.sessions.forget(id);
    Ok(left)
}

async fn left_of(tx: &WriteTx, vault: &Vault, id: AccountId) -> Result<Person> {
    accounts::people(vault, tx, [id]).await?.remove(&id).ok_or_else(Error::not_found)
}

/// Destroys whatever says who a person is, and says in which records that is to be read.
async fn destroy(tx: &WriteTx, vault: &Vault, taken: &Taken, erasure: Erasure) -> Result<Vec<Event>> {
    let id = erasure.account;
    accounts::erase(tx, id, erasure.erased_at).await?;
    let sessions = sessions::erase(tx, id).await?;
    let mut events = tenancy::erase_memberships(tx, id).await?;
    events.extend(tenancy::erase_invitations(tx, vault, id, taken.email.as_ref()).await?);
    sign_ups::erase(tx, vault, id, taken.email.as_ref()).await?;
    idempotency::erase(tx, id).await?;
    alerts::erase(tx, id).await?;
    audit::erase(tx, id).await?;
    decisions::erase(tx, id).await?;
    events.push(Event::new(Kind::AccountErased, id).with("sessions", sessions));
    Ok(events)
}

const NOTE: &str = "
    INSERT INTO erasures (account_id, erased_at) SELECT * FROM unnest($1::uuid[], $2::timestamptz[])
    ON CONFLICT (account_id) DO NOTHING";

async fn note(tx: &WriteTx, erasures: &[Erasure]) -> Result<u64> {
    let ids: Vec<uuid::Uuid> = erasures.iter().map(|erasure| erasure.account.into()).collect();
    let times: Vec<Timestamp> = erasures.iter().map(|erasure| erasure.erased_at).collect();
    tx.execute(NOTE, [ids.into(), times.into()]).await
}

/// What a replay did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Replayed {
    /// How many people have been erased, as ledger and database know.
    pub known: usize,
    /// How many of them could be read or found, and were erased again.
    pub erased: usize,
}

/// Erases again whoever has been erased and can be read: a backup has brought them back. Ledger and database know the
/// same afterwards.
///
/// # Errors
/// `Internal` with a text for the operator when the ledger can't be read or written, or has a line that is not this
/// installation's; when the database fails.
pub async fn replay(db: &Db, vault: &Vault, ledger: &Ledger, caller: &Caller) -> Result<Replayed> {
    let (written, noted) = (ledger.read()?, noted(db, caller).await?);
    let known: BTreeMap<AccountId, Timestamp> =
        noted.iter().chain(&written).map(|e| (e.account, e.erased_at)).collect();
    let all: Vec<Erasure> =
        known.iter().map(|(account, erased_at)| Erasure { account: *account, erased_at: *erased_at }).collect();
    if all.is_empty() {
        return Ok(Replayed::default());
    }
    if all.len() > written.len() {
        ledger.add(all.clone()).await?;
    }
    if all.len() > noted.len() {
        let tx = db.write(caller).await?;
        note(&tx, &all).await?;
        tx.commit(Unrecorded("what the ledger says was recorded when it was done")).await?;
    }
    let ids: Vec<AccountId> = known.keys().copied().collect();
    let back = accounts::readable(&db.read(caller).await?, &ids).await?;
    let mut erased = 0;
    for erasure in all.iter().filter(|erasure| back.contains(&erasure.account)) {
        erased += usize::from(erase_again(db, vault, caller, *erasure).await?);
    }
    Ok(Replayed { known: known.len(), erased })
}

async fn erase_again(db: &Db, vault: &Vault, caller: &Caller, erasure: Erasure) -> Result<bool> {
    let tx = db.write(caller).await?;
    tenancy::lock_organizations(&tx, erasure.account).await?;
    let taken = accounts::take(vault, &tx, erasure.account).await?;
    // Another instance that starts at the same time may have been quicker.
    if accounts::readable(&tx, &[erasure.account]).await?.is_empty() {
        return Ok(false);
    }
    let mut events = destroy(&tx, vault, &taken, erasure).await?;
    if let Some(last) = events.pop() {
        events.push(last.with("replayed", true));
    }
    tx.commit(events).await?;
    tracing::warn!(account = %erasure.account, "somebody who had been erased was in the database again, and is erased again");
    Ok(true)
}

/// An erasure, and where it is known.
#[derive(Clone, Copy, Debug)]
pub struct Known {
    /// Who, and when.
    pub erasure: Erasure,
    /// Whether the ledger has it.
    pub in_ledger: bool,
    /// Whether the database has it.
    pub in_database: bool,
}

/// Everybody who has been erased, the first first.
///
/// # Errors
/// As [`replay`].
pub async fn list(db: &Db, ledger: &Ledger, caller: &Caller) -> Result<Vec<Known>> {
    let (written, noted) = (ledger.read()?, noted(db, caller).await?);
    let ids = |erasures: &[Erasure]| erasures.iter().map(|erasure| erasure.account).collect::<BTreeSet<_>>();
    let (in_ledger, in_database) = (ids(&written), ids(&noted));
    let all: BTreeMap<_, _> = noted.iter().chain(&written).map(|erasure| (erasure.account, *erasure)).collect();
    let mut all: Vec<Known> = all
        .into_iter()
        .map(|(id, erasure)| Known {
            erasure,
            in_ledger: in_ledger.contains(&id),
            in_database: in_database.contains(&id),
        })
        .collect();
    all.sort_by_key(|known| known.erasure.erased_at);
    Ok(all)
}

async fn noted(db: &Db, caller: &Caller) -> Result<Vec<Erasure>> {
    let tx = db.read(caller).await?;
    let rows = tx.all(tx.find_identity::<rows::Entity>().order_by_asc(rows::Column::AccountId)).await?;
    Ok(rows.into_iter().map(|row| Erasure { account: row.account_id, erased_at: row.erased_at }).collect())
}
