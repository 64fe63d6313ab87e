//! Members: who belongs to an organisation, with which role, and the rules about changing that (AZ-8).

use entity::{AccountId, CustomRoleId, MembershipId, OrganizationId, memberships as rows, platform_access};
use sea_orm::{ActiveValue::Set, ColumnTrait, IntoActiveModel, QueryFilter, QuerySelect};

use super::{
    attributes,
    custom_roles::{self, Given, Holder},
    organizations, roles, service_accounts, teams,
};
use crate::{
    accounts::{self, Account, expect_version},
    app::App,
    audit::{Event, Kind},
    authz::Held,
    db::{Tx, WriteTx},
    error::{Code, Error, Result},
    sessions,
    types::{Caller, Page, PageRequest, Role},
};

/// A member and the person behind it.
#[derive(Clone, Debug)]
pub struct Member {
    /// The membership, with the direct role.
    pub membership: rows::Model,
    /// The person.
    pub account: Account,
    /// The teams, by name.
    pub teams: Vec<teams::Row>,
    /// The custom roles: those held directly, then those by teams.
    pub custom_roles: Vec<Given>,
    /// The roles that count, the highest first (AZ-3).
    pub roles: Vec<Role>,
}

/// Which members are asked for.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// With this direct role.
    pub role: Option<String>,
    /// `active` or `blocked`.
    pub status: Option<rows::Status>,
    /// Whose name or address has this text.
    pub search: Option<String>,
    /// Who have this value of a profile attribute: `key:value`.
    pub attribute: Option<String>,
}

/// What to change of a member.
#[derive(Clone, Debug, Default)]
pub struct Changes {
    /// A new direct role.
    pub role: Option<String>,
    /// The custom roles to hold directly, in place of those that are.
    pub custom_roles: Option<Vec<CustomRoleId>>,
    /// Whether the membership gives access.
    pub status: Option<rows::Status>,
    /// The version that the client read.
    pub version: Option<i32>,
}

/// The members of the caller's organisation, newest first.
///
/// # Errors
/// `Invalid` for a search with too many words, or by an attribute or value that there is none of.
pub async fn list(app: &App, caller: &Caller, filter: &Filter, page: PageRequest) -> Result<Page<Member>> {
    let tx = app.db.read(caller).await?;
    let mut query = tx.find::<rows::Entity>();
    if let Some(role) = &filter.role {
        query = query.filter(rows::Column::Role.eq(role));
    }
    if let Some(status) = filter.status {
        query = query.filter(rows::Column::Status.eq(status));
    }
    if let Some(text) = &filter.search {
        let id = (rows::Entity, rows::Column::AccountId);
        query = query.filter(accounts::searched(&app.vault, &tx, id, text).await?);
    }
    if let Some(wanted) = &filter.attribute {
        query = query.filter(rows::Column::Id.in_subquery(attributes::holders(app, &tx, wanted).await?));
    }
    let page = tx.page(query, rows::Column::Id, |row| row.id.into(), page).await?;
    with_people(app, &tx, page).await
}

/// The members of a page of memberships.
///
/// # Errors
/// When the database fails.
pub(super) async fn with_people(app: &App, tx: &Tx, page: Page<rows::Model>) -> Result<Page<Member>> {
    let mut people = accounts::profiles(&app.vault, tx, page.items.iter().map(|row| row.account_id)).await?;
    let mut teams = teams::of(tx, page.items.iter().map(|row| row.id)).await?;
    let mut custom = custom_roles::of_members(tx, page.items.iter().map(|row| row.id), &teams).await?;
    let items = page.items.into_iter().filter_map(|membership| {
        let account = people.remove(&membership.account_id)?;
        let custom = custom.remove(&membership.id).unwrap_or_default();
        Some(made(app, membership, account, (&mut teams, custom)))
    });
    Ok(Page { items: items.collect(), next: page.next })
}

/// A member, with what they are by teams.
///
/// # Errors
/// When the database fails.
pub(super) async fn with_teams(app: &App, tx: &Tx, membership: rows::Model, account: Account) -> Result<Member> {
    let mut teams = teams::of(tx, [membership.id]).await?;
    let mut custom = custom_roles::of_members(tx, [membership.id], &teams).await?;
    let custom = custom.remove(&membership.id).unwrap_or_default();
    Ok(made(app, membership, account, (&mut teams, custom)))
}

fn made(
    app: &App,
    membership: rows::Model,
    account: Account,
    (teams, custom_roles): (&mut teams::OfMembers, Vec<Given>),
) -> Member {
    let teams = teams.remove(&membership.id).unwrap_or_default();
    let roles = effective(app, &membership, &teams);
    Member { membership, account, teams, custom_roles, roles }
}

/// The roles that count of a membership with these teams.
pub(super) fn effective(app: &App, membership: &rows::Model, teams: &[teams::Row]) -> Vec<Role> {
    let by_teams = teams.iter().filter_map(|team| team.role.as_deref());
    app.policy.hierarchy().effective(&membership.role, by_teams)
}

/// What a membership holds: the roles that count, and what custom roles give.
///
/// # Errors
/// When the database fails.
pub(super) async fn held(app: &App, tx: &Tx, membership: &rows::Model) -> Result<Held> {
    let mut teams = teams::of(tx, [membership.id]).await?;
    let custom = custom_roles::of_members(tx, [membership.id], &teams).await?;
    let custom = custom.values().flatten().map(|given| &given.role);
    Ok(Held {
        permissions: custom_roles::together(&app.policy, custom),
        roles: effective(app, membership, &teams.remove(&membership.id).unwrap_or_default()),
    })
}

/// One member of the caller's organisation.
///
/// # Errors
/// `NotFound`.
pub async fn get(app: &App, caller: &Caller, id: MembershipId) -> Result<Member> {
    let tx = app.db.read(caller).await?;
    let membership = row(&tx, id).await?;
    let account = accounts::get(&app.vault, &tx, membership.account_id).await?;
    with_teams(app, &tx, membership, account).await
}

/// Whether the caller could be in this organisation, whichever one their session is in: as an active member of an
/// active organisation.
///
/// # Errors
/// When the database fails.
pub async fn belongs(app: &App, caller: &Caller, organization: OrganizationId) -> Result<bool> {
    let tx = app.db.read(caller).await?;
    let seats = tx.find_own::<rows::Entity>().filter(rows::Column::OrganizationId.eq(organization));
    Ok(tx.one(sessions::giving_access(seats)).await?.is_some())
}

/// Whether the caller is still what the guard found them to be, now that the transaction has begun.
///
/// # Errors
/// `Forbidden` when their membership, roles or account have changed since, or what they act through has ended.
pub(super) async fn still(app: &App, tx: &Tx) -> Result<()> {
    let caller = tx.caller();
    let gone = || Error::Forbidden(Code::Forbidden);
    if caller.acting.is_some() {
        return sessions::still_acting(tx).await;
    }
    if let Some(service) = caller.service() {
        return service_accounts::still(app, tx, service).await;
    }
    let id = caller.membership.ok_or_else(gone)?;
    let seat = tx
        .find::<rows::Entity>()
        .filter(rows::Column::Id.eq(id))
        .filter(rows::Column::Status.eq(rows::Status::Active))
        .filter(rows::Column::AccountId.in_subquery(accounts::active(tx)));
    let seat = tx.one(seat).await?.ok_or_else(gone)?;
    let now = held(app, tx, &seat).await?;
    let same = now.roles.iter().eq(caller.roles()) && now.permissions == caller.permissions;
    if same { Ok(()) } else { Err(gone()) }
}

/// Whether this person could grant all of this in the transaction's organisation today.
///
/// # Errors
/// When the database fails.
pub(super) async fn could_grant(app: &App, tx: &Tx, account: AccountId, given: &Held) -> Result<bool> {
    let own = held_by(app, tx, account).await?;
    Ok(app.policy.has_all(&own.roles, &own.permissions, given))
}

/// What this person holds in the transaction's organisation today, the highest role first; nothing if they have no
/// access. For what goes on without them: it ends with their authority.
///
/// # Errors
/// When the database fails.
pub async fn held_by(app: &App, tx: &Tx, account: AccountId) -> Result<Held> {
    let seat = tx
        .find::<rows::Entity>()
        .filter(rows::Column::AccountId.eq(account))
        .filter(rows::Column::Status.eq(rows::Status::Active))
        .filter(rows::Column::AccountId.in_subquery(accounts::active(tx)));
    if let Some(seat) = tx.one(seat).await? {
        return held(app, tx, &seat).await;
    }
    // What a platform administrator grants while acting here is worth something as long as they do.
    let acting = sessions::acting(tx, account);
    let acting = acting.filter(platform_access::Column::AccountId.in_subquery(accounts::active(tx)));
    let acts = tx.one(acting.limit(1)).await?;
    let roles = acts.map(|_| Role::named(Role::PLATFORM_ADMIN)).into_iter().collect();
    Ok(Held { roles, ..Held::default() })
}

/// Makes a person a member, in the transaction of the reason for it.
///
/// # Errors
/// `Conflict` with `already_member`.
pub async fn add(
    tx: &WriteTx,
    app: &App,
    organization: OrganizationId,
    account: AccountId,
    role: &Role,
) -> Result<rows::Model> {
    let now = tx.caller().now();
    let row = rows::Model {
        id: app.ids.next(),
        organization_id: organization,
        account_id: account,
        role: role.to_string(),
        status: rows::Status::Active,
        version: 1,
        joined_at: now,
        updated_at: now,
    };
    let membership = tx.insert(rows::ActiveModel::from(row)).await?;
    let event = Event::new(Kind::MemberAdded, membership.id).in_organization(organization);
    tx.note(event.with("role", role.as_str()).with("account", account.to_string())).await?;
    Ok(membership)
}

/// Changes a member's role, their custom roles, or whether they have access.
///
/// # Errors
/// `NotFound`; `Forbidden` with `role_above_own` or `own_role`; `Conflict` with `last_owner` or
/// `precondition_failed`; `Invalid` for a role that does not exist. A refusal by rule is recorded.
pub async fn update(app: &App, caller: &Caller, id: MembershipId, changes: Changes) -> Result<Member> {
    let role = changes.role.as_deref().map(|name| roles::assignable(&app.policy, caller, name)).transpose()?;
    let tx = app.db.write(caller).await?;
    settle(app, &tx).await?;
    let present = row(&tx, id).await?;
    expect_version(changes.version, present.version)?;
    let custom = custom_roles::direct(&tx, Holder::Member(id)).await?;
    let wanted = match &changes.custom_roles {
        Some(ids) => custom_roles::wanted(&tx, ids).await?,
        None => custom.clone(),
    };
    let allowed = match may_change(app, &tx, &present, role.as_ref(), changes.status).await {
        Ok(()) => may_give(app, caller, &present, (&custom, &wanted)),
        Err(refusal) => Err(refusal),
    };
    if let Err(refusal) = allowed {
        return refuse(tx, &present, refusal).await;
    }
    let (was, next) = (present.role.clone(), present.version + 1);
    let account = accounts::get(&app.vault, &tx, present.account_id).await?;
    let mut events = Vec::new();
    let mut row = present.clone().into_active_model();
    if let Some(role) = role.filter(|role| role.as_str() != was) {
        row.role = Set(role.to_string());
        events.push(Event::new(Kind::MemberRoleChanged, id).with("from", was).with("to", role.as_str()));
    }
    if let Some(status) = changes.status.filter(|status| *status != present.status) {
        row.status = Set(status);
        let kind = if status == rows::Status::Active { Kind::MemberUnblocked } else { Kind::MemberBlocked };
        events.push(Event::new(kind, id));
    }
    if !custom.iter().map(|role| role.id).eq(wanted.iter().map(|role| role.id)) {
        custom_roles::give(&tx, app, Holder::Member(id), &custom, &wanted).await?;
        events.push(custom_roles::difference(Event::new(Kind::MemberCustomRolesChanged, id), &custom, &wanted));
    }
    if events.is_empty() {
        return with_teams(app, &tx, present, account).await;
    }
    row.version = Set(next);
    row.updated_at = Set(caller.now());
    let membership = tx.update(row).await?;
    let member = with_teams(app, &tx, membership, account).await?;
    tx.commit(events).await?;
    app.sessions.forget(member.account.id);
    Ok(member)
}

/// Removes a member. Members may remove themselves.
///
/// # Errors
/// `NotFound`; `Forbidden` with `role_above_own`; `Conflict` with `last_owner`. A refusal by rule is recorded.
pub async fn remove(app: &App, caller: &Caller, id: MembershipId) -> Result<()> {
    let tx = app.db.write(caller).await?;
    settle(app, &tx).await?;
    let present = row(&tx, id).await?;
    let teams = teams::of(&tx, [id]).await?.remove(&id).unwrap_or_default();
    let allowed = match caller.membership == Some(id) {
        true => Ok(()),
        false => roles::may_grant_all(&app.policy, caller, &held(app, &tx, &present).await?),
    };
    let allowed = match allowed {
        Ok(()) => keeps_an_owner(&tx, &present, None, None).await,
        Err(refusal) => Err(refusal),
    };
    if let Err(refusal) = allowed {
        return refuse(tx, &present, refusal).await;
    }
    tx.delete(tx.remove::<rows::Entity>().filter(rows::Column::Id.eq(id))).await?;
    let mut event = Event::new(Kind::MemberRemoved, id).with("account", present.account_id.to_string());
    if !teams.is_empty() {
        event = event.with("teams", teams::ids(&teams));
    }
    tx.commit(event.with("role", present.role)).await?;
    app.sessions.forget(present.account_id);
    Ok(())
}

/// Lets what depends on all members happen one after the other, by callers who may still do it.
pub(super) async fn settle(app: &App, tx: &WriteTx) -> Result<()> {
    let organization = tx.caller().organization();
    if organization == Some(OrganizationId::PLATFORM) {
        tx.lock(accounts::ADMINISTRATORS).await?;
    }
    organizations::open(tx).await?;
    still(app, tx).await
}

/// A membership of the caller's organisation.
///
/// # Errors
/// `NotFound`.
pub(super) async fn row(tx: &Tx, id: MembershipId) -> Result<rows::Model> {
    tx.one(tx.find::<rows::Entity>().filter(rows::Column::Id.eq(id))).await?.ok_or_else(Error::not_found)
}

async fn refuse<T>(tx: WriteTx, present: &rows::Model, refusal: Error) -> Result<T> {
    if matches!(refusal, Error::Internal(_) | Error::Upstream { .. }) {
        return Err(refusal);
    }
    let event = Event::new(Kind::MemberChangeRefused, present.id).refused().with("code", refusal.code().as_str());
    tx.commit_refused(event, refusal).await
}

async fn may_change(
    app: &App,
    tx: &Tx,
    present: &rows::Model,
    role: Option<&Role>,
    status: Option<rows::Status>,
) -> Result<()> {
    let caller = tx.caller();
    let own = caller.membership == Some(present.id);
    if own && status == Some(rows::Status::Blocked) {
        // Nobody locks themselves out; they can leave.
        return Err(Error::Conflict(Code::Conflict));
    }
    match role {
        Some(role) if own => roles::may_take(&app.policy, &present.role, role.as_str())?,
        Some(role) => roles::may_grant(&app.policy, caller, role.as_str())?,
        None => {}
    }
    // Whoever is above the caller is out of the caller's reach.
    roles::may_grant_all(&app.policy, caller, &held(app, tx, present).await?)?;
    keeps_an_owner(tx, present, Some(role.map_or(present.role.as_str(), Role::as_str)), status.or(Some(present.status)))
        .await
}

/// Whether the caller may let a member hold these custom roles in place of others. Who reaches the member holds what the
/// others give.
fn may_give(
    app: &App,
    caller: &Caller,
    present: &rows::Model,
    (was, is): (&[custom_roles::Row], &[custom_roles::Row]),
) -> Result<()> {
    let new = is.iter().filter(|role| was.iter().all(|other| other.id != role.id));
    let new = custom_roles::together(&app.policy, new);
    match caller.membership == Some(present.id) {
        true => roles::may_take_permissions(&app.policy, &present.role, &new),
        false => roles::may_give(&app.policy, caller, &new),
    }
}

/// Whether somebody with access stays at the top when this member becomes that. The caller has locked the
/// organisation, so that two owners can't go at the same moment.
async fn keeps_an_owner(
    tx: &Tx,
    present: &rows::Model,
    role: Option<&str>,
    status: Option<rows::Status>,
) -> Result<()> {
    let stays_top = role == Some(top_of(present)) && status == Some(rows::Status::Active);
    if stays_top || !is_last_at_the_top(tx, present).await? { Ok(()) } else { Err(Error::Conflict(Code::LastOwner)) }
}

/// The role without which an organisation is nobody's.
fn top_of(seat: &rows::Model) -> &'static str {
    if seat.organization_id == OrganizationId::PLATFORM { Role::PLATFORM_ADMIN } else { Role::OWNER }
}

/// Whether this member, with access and at the top, is the only one. The caller has locked the organisation.
pub(super) async fn is_last_at_the_top(tx: &Tx, present: &rows::Model) -> Result<bool> {
    let (top, active) = (top_of(present), rows::Status::Active);
    if present.role != top || present.status != active {
        return Ok(false);
    }
    let others = tx
        .find::<rows::Entity>()
        .filter(rows::Column::OrganizationId.eq(present.organization_id))
        .filter(rows::Column::Role.eq(top))
        .filter(rows::Column::Status.eq(active))
        .filter(rows::Column::Id.ne(present.id))
        .filter(rows::Column::AccountId.in_subquery(accounts::active(tx)));
    Ok(tx.count(others).await? == 0)
}
