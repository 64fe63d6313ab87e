//! Teams: some members of an organisation together, and the role that a team gives each of them beside their own
//! (AZ-3). It gives custom roles just so.
//!
//! Whoever changes a team, or who is in it, holds what the team gives, before and after; nobody raises themselves by a
//! team (AZ-8). A team gives no more than an administrator's role: an owner is one directly.

mod people;

use std::collections::HashMap;

use entity::{CustomRoleId, TeamId, team_members, teams as rows};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, ExprTrait},
};

pub use people::{OfMembers, add, members, of, remove};
pub(super) use people::{ids, join};

use super::{
    custom_roles::{self, Holder},
    members as membership, roles,
};
use crate::{
    accounts::expect_version,
    app::App,
    audit::{Event, Kind},
    authz::Held,
    db::{Tx, WriteTx},
    error::{Code, Error, Fault, Result},
    types::{Caller, Page, PageRequest, Role, single_line},
};

/// A team's row.
pub type Row = rows::Model;

/// The longest name in characters.
pub const LONGEST_NAME: usize = 100;
/// The longest description in characters.
pub const LONGEST_DESCRIPTION: usize = 500;
/// The most teams of an organisation: it bounds what an answer about a member can hold.
pub const MOST: u64 = 500;

/// A team and how many are in it.
#[derive(Clone, Debug)]
pub struct Team {
    /// The team.
    pub row: Row,
    /// How many members it has.
    pub members: u64,
    /// The custom roles that it gives, by name.
    pub custom_roles: Vec<custom_roles::Row>,
}

/// A team to make.
#[derive(Clone, Debug)]
pub struct NewTeam {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// The role that it gives.
    pub role: Option<String>,
    /// The custom roles that it gives.
    pub custom_roles: Vec<CustomRoleId>,
}

/// What to change of a team. An inner `None` takes away what was there.
#[derive(Clone, Debug, Default)]
pub struct Changes {
    /// A new name.
    pub name: Option<String>,
    /// A new description.
    pub description: Option<Option<String>>,
    /// Another role.
    pub role: Option<Option<String>>,
    /// The custom roles to give, in place of those that it gives.
    pub custom_roles: Option<Vec<CustomRoleId>>,
    /// The version that the client read.
    pub version: Option<i32>,
}

/// The teams of the caller's organisation whose name begins like this, newest first.
///
/// # Errors
/// When the database fails.
pub async fn list(app: &App, caller: &Caller, search: Option<&str>, page: PageRequest) -> Result<Page<Team>> {
    let tx = app.db.read(caller).await?;
    let mut query = tx.find::<rows::Entity>().order_by_desc(rows::Column::Id).limit(page.rows());
    if let Some(text) = search {
        let escaped = key(text).replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
        query = query.filter(Expr::col(rows::Column::NameKey).like(format!("{escaped}%")));
    }
    if let Some(after) = page.after {
        query = query.filter(rows::Column::Id.lt(after.0));
    }
    let page = Page::of(page, tx.all(query).await?, |row| row.id.into());
    let counts = counts(&tx, page.items.iter().map(|row| row.id)).await?;
    let mut custom = custom_roles::of(&tx, page.items.iter().map(|row| Holder::Team(row.id)).collect()).await?;
    Ok(page.map(|row| Team {
        members: counts.get(&row.id).copied().unwrap_or(0),
        custom_roles: custom.remove(&Holder::Team(row.id)).unwrap_or_default(),
        row,
    }))
}

/// One team of the caller's organisation.
///
/// # Errors
/// `NotFound`.
pub async fn get(app: &App, caller: &Caller, id: TeamId) -> Result<Team> {
    let tx = app.db.read(caller).await?;
    let row = row(&tx, id).await?;
    counted(&tx, row).await
}

/// Makes a team without members.
///
/// # Errors
/// `Forbidden` with `role_above_own`, which is recorded; `Conflict` with `team_name_taken` or `too_many_teams`;
/// `Invalid` for a name, description or role that is none.
pub async fn create(app: &App, caller: &Caller, new: NewTeam) -> Result<Team> {
    let role = new.role.as_deref().map(|name| roles::of_team(&app.policy, caller, name)).transpose()?;
    let text = checked(Some(&new.name), new.description.as_deref())?;
    let (name, description) = (text.name.unwrap_or_default(), text.description);
    let organization_id = caller.organization().ok_or_else(Error::not_found)?;
    let tx = app.db.write(caller).await?;
    membership::settle(app, &tx).await?;
    let custom = custom_roles::wanted(&tx, &new.custom_roles).await?;
    if let Err(refusal) = roles::may_grant_all(&app.policy, caller, &gives(app, role.clone(), &custom)) {
        let event = Event::without_target(Kind::TeamChangeRefused).refused().with("code", refusal.code().as_str());
        return tx.commit_refused(event, refusal).await;
    }
    if tx.count(tx.find::<rows::Entity>()).await? >= MOST {
        return Err(Error::Conflict(Code::TooManyTeams));
    }
    let now = caller.now();
    let row = rows::Model {
        id: app.ids.next(),
        organization_id,
        name_key: key(&name),
        name,
        description,
        role: role.as_ref().map(ToString::to_string),
        version: 1,
        created_at: now,
        updated_at: now,
    };
    let row = tx.insert(rows::ActiveModel::from(row)).await?;
    custom_roles::give(&tx, app, Holder::Team(row.id), &[], &custom).await?;
    let event = Event::new(Kind::TeamCreated, row.id).with("role", row.role.clone());
    tx.commit(custom_roles::difference(event, &[], &custom)).await?;
    Ok(Team { row, members: 0, custom_roles: custom })
}

/// Changes a team's name, description or role.
///
/// # Errors
/// `NotFound`; `Forbidden` with `role_above_own` or `own_role`, which are recorded; `Conflict` with
/// `team_name_taken` or `precondition_failed`; `Invalid` for a name, description or role that is none.
pub async fn update(app: &App, caller: &Caller, id: TeamId, changes: Changes) -> Result<Team> {
    let role = match &changes.role {
        Some(Some(name)) => Some(Some(roles::of_team(&app.policy, caller, name)?.to_string())),
        Some(None) => Some(None),
        None => None,
    };
    let text = checked(changes.name.as_deref(), changes.description.as_ref().and_then(Option::as_deref))?;
    let tx = app.db.write(caller).await?;
    membership::settle(app, &tx).await?;
    let present = locked(&tx, id).await?;
    expect_version(changes.version, present.version)?;
    let custom = custom_roles::direct(&tx, Holder::Team(id)).await?;
    let wanted = match &changes.custom_roles {
        Some(ids) => custom_roles::wanted(&tx, ids).await?,
        None => custom.clone(),
    };
    let next_role = role.clone().unwrap_or_else(|| present.role.clone());
    let next_role = next_role.as_deref().map(Role::named);
    let (was, is) = (gives(app, given(&present), &custom), gives(app, next_role, &wanted));
    if let Err(refusal) = may_change(app, &tx, &present, (&was, &is)).await {
        return refuse(tx, id, refusal).await;
    }
    let mut next = present.clone();
    if let Some(name) = text.name {
        next.name_key = key(&name);
        next.name = name;
    }
    if changes.description.is_some() {
        next.description = text.description;
    }
    if let Some(role) = role {
        next.role = role;
    }
    let (had, has) = (custom.iter().map(|role| role.id), wanted.iter().map(|role| role.id));
    let event = difference(&present, &next, if had.eq(has) { None } else { Some((&custom, &wanted)) });
    let Some(event) = event else { return counted(&tx, present).await };
    custom_roles::give(&tx, app, Holder::Team(id), &custom, &wanted).await?;
    let mut row = present.clone().into_active_model();
    row.name = Set(next.name);
    row.name_key = Set(next.name_key);
    row.description = Set(next.description);
    row.role = Set(next.role);
    row.version = Set(present.version + 1);
    row.updated_at = Set(caller.now());
    let row = tx.update(row).await?;
    let team = counted(&tx, row).await?;
    tx.commit(event).await?;
    app.sessions.forget_all();
    Ok(team)
}

/// Removes a team. Its members stay members, without what the team gave.
///
/// # Errors
/// `NotFound`; `Forbidden` with `role_above_own`, which is recorded; `Conflict` with `precondition_failed`.
pub async fn delete(app: &App, caller: &Caller, id: TeamId, version: Option<i32>) -> Result<()> {
    let tx = app.db.write(caller).await?;
    membership::settle(app, &tx).await?;
    let present = locked(&tx, id).await?;
    expect_version(version, present.version)?;
    let team = counted(&tx, present).await?;
    let given = gives(app, given(&team.row), &team.custom_roles);
    if let Err(refusal) = roles::may_grant_all(&app.policy, caller, &given) {
        return refuse(tx, id, refusal).await;
    }
    tx.delete(tx.remove::<rows::Entity>().filter(rows::Column::Id.eq(id))).await?;
    let event = Event::new(Kind::TeamDeleted, id).with("role", team.row.role).with("members", team.members);
    tx.commit(custom_roles::difference(event, &team.custom_roles, &[])).await?;
    app.sessions.forget_all();
    Ok(())
}

/// The role of a team.
fn given(team: &Row) -> Option<Role> {
    team.role.as_deref().map(Role::named)
}

/// What a team with this role and these custom roles gives.
fn gives(app: &App, role: Option<Role>, custom: &[custom_roles::Row]) -> Held {
    Held { roles: role.into_iter().collect(), permissions: custom_roles::together(&app.policy, custom) }
}

/// Whether the caller may let the team give this in place of that: they hold what it gave and what it will give, and if
/// they are in it, they don't rise by that.
async fn may_change(app: &App, tx: &WriteTx, present: &Row, (was, is): (&Held, &Held)) -> Result<()> {
    let caller = tx.caller();
    roles::may_grant_all(&app.policy, caller, was)?;
    roles::may_grant_all(&app.policy, caller, is)?;
    let covered = |role: &Role| was.roles.iter().any(|was| app.policy.hierarchy().covers(was.as_str(), role.as_str()));
    let role = is.roles.iter().find(|role| !covered(role));
    let more = is.permissions.without(&was.permissions);
    let Some(id) = caller.membership.filter(|_| role.is_some() || !more.is_empty()) else { return Ok(()) };
    let own = tx
        .find::<team_members::Entity>()
        .filter(team_members::Column::TeamId.eq(present.id))
        .filter(team_members::Column::MembershipId.eq(id));
    if tx.count(own).await? == 0 {
        return Ok(());
    }
    let direct = membership::row(tx, id).await?.role;
    role.map_or(Ok(()), |role| roles::may_take(&app.policy, &direct, role.as_str()))?;
    roles::may_take_permissions(&app.policy, &direct, &more)
}

/// The record of what has changed, if anything has.
fn difference(was: &Row, is: &Row, custom: Option<(&[custom_roles::Row], &[custom_roles::Row])>) -> Option<Event> {
    let fields = [
        ("name", was.name != is.name),
        ("description", was.description != is.description),
        ("role", was.role != is.role),
        ("custom_roles", custom.is_some()),
    ];
    let changed: Vec<_> = fields.iter().filter(|(_, changed)| *changed).map(|(name, _)| *name).collect();
    if changed.is_empty() {
        return None;
    }
    let event = Event::new(Kind::TeamUpdated, was.id).with("fields", changed.join(" "));
    let roles = |event: Event| event.with("from", was.role.clone()).with("to", is.role.clone());
    let event = if was.role == is.role { event } else { roles(event) };
    Some(match custom {
        Some((had, has)) => custom_roles::difference(event, had, has),
        None => event,
    })
}

async fn refuse<T>(tx: WriteTx, id: TeamId, refusal: Error) -> Result<T> {
    if matches!(refusal, Error::Internal(_) | Error::Upstream { .. }) {
        return Err(refusal);
    }
    let event = Event::new(Kind::TeamChangeRefused, id).refused().with("code", refusal.code().as_str());
    tx.commit_refused(event, refusal).await
}

async fn row(tx: &Tx, id: TeamId) -> Result<Row> {
    tx.one(tx.find::<rows::Entity>().filter(rows::Column::Id.eq(id))).await?.ok_or_else(Error::not_found)
}

async fn locked(tx: &WriteTx, id: TeamId) -> Result<Row> {
    let query = tx.find::<rows::Entity>().filter(rows::Column::Id.eq(id));
    tx.one(query.lock_exclusive()).await?.ok_or_else(Error::not_found)
}

async fn counted(tx: &Tx, row: Row) -> Result<Team> {
    let members = counts(tx, [row.id]).await?.get(&row.id).copied().unwrap_or(0);
    Ok(Team { members, custom_roles: custom_roles::direct(tx, Holder::Team(row.id)).await?, row })
}

/// How many members teams have; one without any is left out.
async fn counts(tx: &Tx, ids: impl IntoIterator<Item = TeamId>) -> Result<HashMap<TeamId, u64>> {
    let query = tx
        .find::<team_members::Entity>()
        .filter(team_members::Column::TeamId.is_in(ids))
        .select_only()
        .column(team_members::Column::TeamId)
        .column_as(team_members::Column::MembershipId.count(), "members")
        .group_by(team_members::Column::TeamId);
    let rows: Vec<(TeamId, i64)> = tx.rows(query.into_tuple()).await?;
    Ok(rows.into_iter().map(|(id, members)| (id, members.unsigned_abs())).collect())
}

struct Text {
    name: Option<String>,
    description: Option<String>,
}

fn checked(name: Option<&str>, description: Option<&str>) -> Result<Text> {
    let mut faults = Vec::new();
    let mut line = |place: &str, text: Option<&str>, longest: usize| {
        let clean = text.and_then(|text| single_line(text, longest));
        if text.is_some() && clean.is_none() {
            faults.push(Fault::body(place, "format", format!("must be 1 to {longest} characters on one line")));
        }
        clean
    };
    let text = Text {
        name: line("/name", name, LONGEST_NAME),
        description: line("/description", description, LONGEST_DESCRIPTION),
    };
    if faults.is_empty() { Ok(text) } else { Err(Error::Invalid(faults)) }
}

/// What is the same of two names that people take for one.
fn key(name: &str) -> String {
    crate::types::nfc(name.trim()).to_lowercase()
}
