//! Managed accounts: what the organisation that manages an account may do to it as a whole (AZ-12).
//!
//! An account is a person's and belongs to no organisation. A platform administrator puts it under the management of
//! one; that organisation's administrators may then unlock it, block it and end its sessions, unless the person is above
//! them. To every other organisation there is nothing here, whether or not the person is a member there.

use std::collections::HashMap;

use entity::{AccountId, MembershipId, OrganizationId, memberships, organizations as orgs};
use sea_orm::{ColumnTrait, QueryFilter};

use super::{members, roles, teams};
use crate::{
    accounts::{self, Account, Person, Search, factors},
    app::App,
    audit::{Event, Kind},
    db::{Tx, Unrecorded, WriteTx},
    error::{Code, Error, Result},
    guessing,
    runtime::Timestamp,
    types::{Caller, Page, PageRequest, Role},
};

/// An account, as its manager sees it.
#[derive(Clone)]
pub struct Managed {
    /// The account.
    pub account: Account,
    /// Until when its sign-in is locked.
    pub locked_until: Option<Timestamp>,
    /// The membership in the organisation, and the roles that count there, the highest first.
    pub seat: Option<(MembershipId, Vec<Role>)>,
}

/// An account, as the platform sees it.
pub struct Overseen {
    /// Whose it is.
    pub person: Person,
    /// Until when its sign-in is locked.
    pub locked_until: Option<Timestamp>,
    /// The organisation that manages it, and its name.
    pub manager: Option<(OrganizationId, String)>,
}

/// The accounts of the installation, newest first.
///
/// # Errors
/// When the database fails.
pub async fn accounts(app: &App, caller: &Caller, search: &Search, page: PageRequest) -> Result<Page<Overseen>> {
    let tx = app.db.read(caller).await?;
    let page = accounts::list_in(&tx, app, search, page).await?;
    let known =
        || page.items.iter().filter_map(|person| if let Person::Known(known) = person { Some(known) } else { None });
    let locks = guessing::locks(&tx, known().map(|account| account.id)).await?;
    let managers: Vec<_> = known().filter_map(|account| account.managed_by).collect();
    let query = tx.find::<orgs::Entity>().filter(orgs::Column::Id.is_in(managers));
    let names: HashMap<_, _> = tx.all(query).await?.into_iter().map(|row| (row.id, row.name)).collect();
    Ok(page.map(|person| match &person {
        Person::Known(account) => Overseen {
            locked_until: locks.get(&account.id).copied(),
            manager: account.managed_by.and_then(|id| Some((id, names.get(&id)?.clone()))),
            person,
        },
        Person::Erased(_) => Overseen { person, locked_until: None, manager: None },
    }))
}

/// The accounts that the caller's organisation manages, newest first.
///
/// # Errors
/// `NotFound` for a caller in no organisation.
pub async fn list(app: &App, caller: &Caller, text: Option<String>, page: PageRequest) -> Result<Page<Managed>> {
    let organization = caller.organization().ok_or_else(Error::not_found)?;
    let tx = app.db.read(caller).await?;
    let search = Search { managed_by: Some(organization), text, ..Search::default() };
    let page = accounts::list_in(&tx, app, &search, page).await?;
    // Nobody manages what is left of an erased person's account.
    let items: Vec<_> = page.items.into_iter().filter_map(Person::known).collect();
    let page = Page { items, next: page.next };
    let ids: Vec<_> = page.items.iter().map(|account| account.id).collect();
    let locks = guessing::locks(&tx, ids.iter().copied()).await?;
    let query = tx.find::<memberships::Entity>().filter(memberships::Column::AccountId.is_in(ids));
    let seats = tx.all(query).await?;
    let mut teams = teams::of(&tx, seats.iter().map(|seat| seat.id)).await?;
    let mut seats: HashMap<_, _> = seats
        .into_iter()
        .map(|seat| {
            let teams = teams.remove(&seat.id).unwrap_or_default();
            (seat.account_id, (seat.id, members::effective(app, &seat, &teams)))
        })
        .collect();
    Ok(page.map(|account| Managed {
        locked_until: locks.get(&account.id).copied(),
        seat: seats.remove(&account.id),
        account,
    }))
}

/// Blocks an account that the caller's organisation manages, everywhere.
///
/// # Errors
/// `NotFound`; `Forbidden` with `role_above_own`, which is recorded; as [`accounts::block_in`].
pub async fn block(app: &App, caller: &Caller, id: AccountId, reason: &str) -> Result<Account> {
    accounts::block_in(app, reach(app, caller, id).await?, id, reason).await
}

/// Lets an account that the caller's organisation manages, and has blocked, sign in again.
///
/// # Errors
/// `NotFound`; `Forbidden` with `role_above_own`, which is recorded; `Conflict` with `blocked_by_platform`.
pub async fn unblock(app: &App, caller: &Caller, id: AccountId) -> Result<Account> {
    accounts::unblock_in(app, reach(app, caller, id).await?, id).await
}

/// Ends the lock of an account that the caller's organisation manages.
///
/// # Errors
/// `NotFound`; `Forbidden` with `role_above_own`, which is recorded.
pub async fn unlock(app: &App, caller: &Caller, id: AccountId) -> Result<()> {
    accounts::unlock_in(reach(app, caller, id).await?, id).await
}

/// Ends every session of an account that the caller's organisation manages, wherever it is.
///
/// # Errors
/// `NotFound`; `Forbidden` with `role_above_own`, which is recorded.
pub async fn end_sessions(app: &App, caller: &Caller, id: AccountId) -> Result<()> {
    accounts::end_sessions_in(app, reach(app, caller, id).await?, id).await
}

/// Takes every second factor from an account that the caller's organisation manages, and ends its sessions.
///
/// # Errors
/// `NotFound`; `Forbidden` with `role_above_own`, which is recorded.
pub async fn disable_second_factors(app: &App, caller: &Caller, id: AccountId) -> Result<()> {
    factors::disable_in(app, reach(app, caller, id).await?, id).await
}

/// Gives the person of an account that the caller's organisation manages time again to set up a second factor.
///
/// # Errors
/// `NotFound`; `Forbidden` with `role_above_own`, which is recorded.
pub async fn reset_grace(app: &App, caller: &Caller, id: AccountId) -> Result<Timestamp> {
    factors::reset_grace_in(app, reach(app, caller, id).await?, id).await
}

/// A transaction that may act on an account as a whole, because the caller's organisation manages it and the person is
/// not above the caller, as things are now.
async fn reach(app: &App, caller: &Caller, id: AccountId) -> Result<WriteTx> {
    let (organization, manager) = caller.organization().zip(caller.as_manager()).ok_or_else(Error::not_found)?;
    let tx = app.db.write(&manager).await?;
    // Of two who block each other, the second finds itself blocked.
    tx.lock(&format!("managed accounts {organization}")).await?;
    members::still(app, &tx).await?;
    let account = accounts::locked(&tx, id).await?;
    if account.managed_by != Some(organization) {
        return Err(Error::not_found());
    }
    match is_within(app, &tx, organization, id).await {
        Ok(()) => Ok(tx),
        Err(refusal @ Error::Forbidden(code)) => {
            let event = Event::new(Kind::AccountChangeRefused, id).with("code", code.as_str());
            tx.commit_refused(event.refused(), refusal).await
        }
        Err(fault) => Err(fault),
    }
}

/// Whether the person has no role that the caller could not grant, here or on the platform.
pub(super) async fn is_within(app: &App, tx: &Tx, organization: OrganizationId, id: AccountId) -> Result<()> {
    if tx.caller().account() == Some(id) {
        return Ok(());
    }
    // The transaction sees every organisation's rows: what is looked at is named.
    let query = tx
        .find::<memberships::Entity>()
        .filter(memberships::Column::AccountId.eq(id))
        .filter(memberships::Column::OrganizationId.is_in([organization, OrganizationId::PLATFORM]));
    for seat in tx.all(query).await? {
        if seat.organization_id == OrganizationId::PLATFORM {
            return Err(Error::Forbidden(Code::RoleAboveOwn));
        }
        let theirs = members::held(app, tx, &seat).await?;
        roles::may_grant_all(&app.policy, tx.caller(), &theirs)?;
    }
    Ok(())
}

/// Puts an account under the management of an organisation, or under nobody's.
///
/// # Errors
/// `NotFound` when there is no such account; `Invalid` at `/organization_id` when there is no such tenant.
pub async fn change_manager(
    app: &App,
    caller: &Caller,
    id: AccountId,
    organization: Option<OrganizationId>,
) -> Result<Overseen> {
    let tx = app.db.write(caller).await?;
    let manager = match organization {
        Some(organization) => Some(tenant(&tx, organization).await?),
        None => None,
    };
    let (account, before) = accounts::manage(&tx, app, id, organization).await?;
    let locked_until = guessing::locks(&tx, [id]).await?.remove(&id);
    let manager = manager.map(|row| (row.id, row.name));
    let overseen = Overseen { person: Person::Known(account), locked_until, manager };
    if before == organization {
        tx.commit(Unrecorded("nothing was changed")).await?;
        return Ok(overseen);
    }
    let named = |event: Event, key, id: Option<OrganizationId>| match id {
        Some(id) => event.with(key, id.to_string()),
        None => event,
    };
    let event = named(Event::new(Kind::AccountManagerChanged, id), "from", before);
    let event = named(event, "to", organization);
    // The new one has it in its record as the manager; the old one is none any more.
    let farewell = before.map(|before| event.clone().in_organization(before));
    tx.commit([event].into_iter().chain(farewell).collect::<Vec<_>>()).await?;
    Ok(overseen)
}

async fn tenant(tx: &WriteTx, id: OrganizationId) -> Result<orgs::Model> {
    let query = tx
        .find::<orgs::Entity>()
        .filter(orgs::Column::Id.eq(id))
        .filter(orgs::Column::Kind.eq(orgs::Kind::Tenant))
        .filter(orgs::Column::Status.eq(orgs::Status::Active));
    let missing = || Error::field("/organization_id", "unknown_organization", "is no active tenant");
    tx.one(query).await?.ok_or_else(missing)
}
