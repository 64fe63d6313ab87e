//! Acting in: how a platform administrator gets into an organisation that they are no member of (AZ-2).
//!
//! Never silently: an access has a reason, lasts half an hour, is in the tenant's record and the platform's, and
//! whatever is done through it names it. The session stays in the platform's organisation; the access lies over it
//! and is looked at by whoever loads the session's principal, so that it ends by itself. This module owns the table
//! `platform_access`.

use chrono::{SecondsFormat, TimeDelta};
use entity::{
    AccountId, OrganizationId, Pii, PlatformAccessId, memberships, organizations,
    platform_access::{self as accesses, EndReason},
    sessions as rows,
};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, FromQueryResult, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect, Select,
};
use uuid::Uuid;

use super::{Opened, Sessions, giving_access, live, signed_in};
use crate::{
    audit::{Event, Kind},
    db::{Db, Tx, WriteTx},
    error::{Code, Error, Result},
    runtime::Ids,
    types::{Caller, Page, PageRequest, Role, single_line},
    vault::{Field, Vault},
};

/// An access, for lists.
pub type Access = accesses::Model;

/// Why somebody acted.
pub(super) const REASON: Field<Pii> = Field::new("platform_access.reason");

/// How long an access lasts. It can't be extended, only be asked for again, with a reason.
const LASTS: TimeDelta = TimeDelta::minutes(30);
/// The longest reason in characters.
const LONGEST_REASON: usize = 500;

impl Sessions {
    /// Lets the caller's session act in an organisation.
    ///
    /// # Errors
    /// `Invalid` for a reason that is none; `NotFound` when there is no active tenant of this id; `Conflict` with
    /// `already_member` for one that the caller can switch to, or with `already_acting`; `Forbidden` when the caller
    /// is no platform administrator any more.
    pub async fn act_in(&self, caller: &Caller, organization: OrganizationId, reason: &str) -> Result<Opened> {
        let reason = single_line(reason, LONGEST_REASON).ok_or_else(|| {
            Error::field("/reason", "format", format!("must be 1 to {LONGEST_REASON} characters on one line"))
        })?;
        let (account, id) = signed_in(caller)?;
        let tx = self.db.write(caller).await?;
        let now = caller.now();
        let session = live(&tx, account, now).filter(rows::Column::Id.eq(id)).lock_exclusive();
        let session = tx.one(session).await?.ok_or(Error::Unauthenticated(Code::SessionEnded))?;
        if session.active_organization != Some(OrganizationId::PLATFORM) {
            return Err(Error::Forbidden(Code::Forbidden));
        }
        administers(&tx).await?;
        may_be_entered(&tx, organization).await?;
        let open = tx.find::<accesses::Entity>().filter(accesses::Column::SessionId.eq(id));
        if let Some(open) = tx.one(open.filter(accesses::Column::EndedAt.is_null())).await? {
            if now < open.expires_at {
                return Err(Error::Conflict(Code::AlreadyActing));
            }
            end(&tx, open, EndReason::Expired).await?;
        }
        let access_id = Ids.next::<PlatformAccessId>();
        let row = accesses::Model {
            id: access_id,
            organization_id: organization,
            account_id: Some(account),
            session_id: Some(id),
            reason: Some(tx.seal(REASON.name(), access_id, &reason)?),
            started_at: now,
            expires_at: now + LASTS,
            ended_at: None,
            end_reason: None,
        };
        let access = tx.insert(accesses::ActiveModel::from(row)).await?;
        let event = |home| {
            event(Kind::ActingStarted, &access)
                .in_organization(home)
                .with_personal("reason", reason.as_str())
                .with("expires_at", access.expires_at.to_rfc3339_opts(SecondsFormat::Secs, true))
        };
        tx.commit(vec![event(organization), event(OrganizationId::PLATFORM)]).await?;
        self.principals.forget(account);
        Ok(Opened::again(session))
    }

    /// Ends the access through which the caller acts: the session is back in the platform's organisation.
    ///
    /// # Errors
    /// `NotFound` when the caller acts nowhere.
    pub async fn stop_acting(&self, caller: &Caller) -> Result<Opened> {
        let (account, _) = signed_in(caller)?;
        let tx = self.db.write(caller).await?;
        let access = current(&tx).await?.ok_or_else(Error::not_found)?;
        let session = self.current(&tx).await?;
        let events = end_row(&tx, access, EndReason::Stopped).await?;
        tx.commit(events).await?;
        self.principals.forget(account);
        Ok(Opened::again(session))
    }
}

/// Ends the access of a caller who goes elsewhere, if there is one.
pub(super) async fn leave(tx: &WriteTx) -> Result<()> {
    match current(tx).await? {
        Some(access) => end(tx, access, EndReason::Switched).await,
        None => Ok(()),
    }
}

/// The caller's own access, taken, if it has not ended meanwhile.
async fn current(tx: &WriteTx) -> Result<Option<Access>> {
    let Some(id) = tx.caller().acting else { return Ok(None) };
    let query = tx.find::<accesses::Entity>().filter(accesses::Column::Id.eq(id));
    tx.one(query.filter(accesses::Column::EndedAt.is_null()).lock_exclusive()).await
}

/// Whether the caller's account administers the platform now.
async fn administers(tx: &Tx) -> Result<()> {
    let seat = tx
        .find_own::<memberships::Entity>()
        .filter(memberships::Column::OrganizationId.eq(OrganizationId::PLATFORM))
        .filter(memberships::Column::Role.eq(Role::PLATFORM_ADMIN));
    tx.one(giving_access(seat)).await?.map(|_| ()).ok_or(Error::Forbidden(Code::Forbidden))
}

/// Whether an organisation is a tenant's, in use, and none that the caller can switch to.
async fn may_be_entered(tx: &Tx, organization: OrganizationId) -> Result<()> {
    let own = tx.find_own::<memberships::Entity>().filter(memberships::Column::OrganizationId.eq(organization));
    if tx.one(giving_access(own)).await?.is_some() {
        return Err(Error::Conflict(Code::AlreadyMember));
    }
    let tenant = tx
        .find::<organizations::Entity>()
        .filter(organizations::Column::Id.eq(organization))
        .filter(organizations::Column::Kind.eq(organizations::Kind::Tenant))
        .filter(organizations::Column::Status.eq(organizations::Status::Active));
    tx.one(tenant).await?.map(|_| ()).ok_or_else(Error::not_found)
}

fn event(kind: Kind, access: &Access) -> Event {
    Event::new(kind, access.id)
        .with("organization", access.organization_id.to_string())
        .with("acting", access.id.to_string())
}

async fn end(tx: &WriteTx, access: Access, why: EndReason) -> Result<()> {
    let events = end_row(tx, access, why).await?;
    tx.note(events).await
}

/// Ends an access and says so in both records, the platform's first.
async fn end_row(tx: &WriteTx, access: Access, why: EndReason) -> Result<Vec<Event>> {
    let homes = [OrganizationId::PLATFORM, access.organization_id];
    let event = event(Kind::ActingEnded, &access).with("reason", why.as_str());
    let at = Ord::min(access.expires_at, tx.caller().now());
    let mut row = access.into_active_model();
    row.ended_at = Set(Some(at));
    row.end_reason = Set(Some(why));
    tx.update(row).await?;
    Ok(homes.map(|home| event.clone().in_organization(home)).into())
}

/// Whether the access through which the caller acts still gives what the guard found, now that the transaction has
/// begun.
///
/// # Errors
/// `Forbidden` with `acting_ended`.
pub async fn still_acting(tx: &Tx) -> Result<()> {
    let over = || Error::Forbidden(Code::ActingEnded);
    let (account, session) = signed_in(tx.caller())?;
    let id = tx.caller().acting.ok_or_else(over)?;
    administers(tx).await.map_err(|_| over())?;
    let session = live(tx, account, tx.caller().now()).filter(rows::Column::Id.eq(session));
    tx.one(session).await?.ok_or_else(over)?;
    tx.one(acting(tx, account).filter(accesses::Column::Id.eq(id))).await?.map(|_| ()).ok_or_else(over)
}

/// A query of the running accesses of an account in the transaction's organisation.
pub fn acting(tx: &Tx, account: AccountId) -> Select<accesses::Entity> {
    tx.find::<accesses::Entity>()
        .filter(accesses::Column::AccountId.eq(account))
        .filter(accesses::Column::EndedAt.is_null())
        .filter(accesses::Column::ExpiresAt.gt(tx.caller().now()))
}

/// Whether the caller's session has acted in this organisation.
///
/// # Errors
/// When the database fails.
pub async fn has_acted(db: &Db, caller: &Caller, organization: OrganizationId) -> Result<bool> {
    let Some(session) = caller.session() else { return Ok(false) };
    let tx = db.read(caller).await?;
    let access = tx
        .find_own::<accesses::Entity>()
        .filter(accesses::Column::SessionId.eq(session))
        .filter(accesses::Column::OrganizationId.eq(organization));
    Ok(tx.one(access.limit(1)).await?.is_some())
}

/// The access through which the caller acts, if it is one.
///
/// # Errors
/// When the database fails.
pub async fn find_access(tx: &Tx) -> Result<Option<Access>> {
    match tx.caller().acting {
        Some(id) => tx.one(tx.find::<accesses::Entity>().filter(accesses::Column::Id.eq(id))).await,
        None => Ok(None),
    }
}

/// Why somebody acted, unless they have been erased.
///
/// # Errors
/// `Internal` when it can't be opened.
pub fn reason(vault: &Vault, access: &Access) -> Result<Option<String>> {
    access.reason.as_ref().map(|reason| vault.open_text(REASON, access.id, reason)).transpose()
}

/// The accesses to the caller's organisation, newest first.
///
/// # Errors
/// When the database fails.
pub async fn accesses(tx: &Tx, page: PageRequest) -> Result<Page<Access>> {
    let mut query = tx.find::<accesses::Entity>().order_by_desc(accesses::Column::Id).limit(page.rows());
    if let Some(after) = page.after {
        query = query.filter(accesses::Column::Id.lt(after.0));
    }
    Ok(Page::of(page, tx.all(query).await?, |row| row.id.into()))
}

/// The accesses that give nothing any more and have no end yet, with the reason, of `platform_access.end_reason`.
const FINISHED: &str = "
    SELECT p.id,
           CASE WHEN p.expires_at <= $1 THEN 'expired'
                WHEN s.id IS NULL THEN 'session_ended'
                WHEN o.status <> 'active' THEN 'organization_deleted'
                WHEN s.active_organization IS DISTINCT FROM platform_organization() THEN 'switched'
                ELSE 'authority_lost' END AS reason
    FROM platform_access p
    JOIN organizations o ON o.id = p.organization_id
    LEFT JOIN sessions s ON s.id = p.session_id AND s.ended_at IS NULL AND s.expires_at > $1
    LEFT JOIN memberships m ON m.organization_id = platform_organization() AND m.account_id = p.account_id
         AND m.role = 'platform_admin' AND m.status = 'active'
    WHERE p.ended_at IS NULL AND (p.expires_at <= $1 OR s.id IS NULL OR o.status <> 'active' OR m.id IS NULL
          OR s.active_organization IS DISTINCT FROM platform_organization())
    LIMIT 100";

#[derive(FromQueryResult)]
struct Finished {
    id: Uuid,
    reason: EndReason,
}

/// Writes the end of accesses that are over without anybody having ended them. They give nothing since; this is for
/// the record.
///
/// # Errors
/// When the database fails.
pub async fn close_finished(db: &Db, caller: &Caller) -> Result<()> {
    let finished: Vec<Finished> = db.read(caller).await?.query(FINISHED, [caller.now().into()]).await?;
    for Finished { id, reason } in finished {
        let tx = db.write(caller).await?;
        let open = tx.find::<accesses::Entity>().filter(accesses::Column::Id.eq(PlatformAccessId(id)));
        // Another instance may have been quicker.
        if let Some(open) = tx.one(open.filter(accesses::Column::EndedAt.is_null()).lock_exclusive()).await? {
            let events = end_row(&tx, open, reason).await?;
            tx.commit(events).await?;
        }
    }
    Ok(())
}
