//! Custom roles: an organisation's own sets of permissions, which members, teams and service accounts hold beside a role of
//! the installation (AZ-10).
//!
//! Nobody composes, changes, gives or takes away a role with a permission that they don't hold themselves, and nobody
//! raises themselves by one that they hold (AZ-8). What a permission lets one do is the registry's to say and the guard's
//! to decide; this module owns who holds which.

mod holders;

use entity::{CustomRoleId, custom_roles as rows, team_members};
use sea_orm::{ActiveValue::Set, ColumnTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect};

pub use holders::{Counts, Given, Holder, holders_of, of, of_members, some};
pub(super) use holders::{by_name, difference, direct, give, ids, rows_of, staying, through, wanted};

use super::{members, roles};
use crate::{
    accounts::expect_version,
    app::App,
    audit::{Event, Kind},
    authz::Policy,
    db::{Tx, WriteTx},
    error::{Code, Error, Fault, Result},
    types::{Caller, Permissions, single_line},
};

/// A custom role's row.
pub type Row = rows::Model;

/// The longest name in characters.
pub const LONGEST_NAME: usize = 100;
/// The longest description in characters.
pub const LONGEST_DESCRIPTION: usize = 500;
/// The most custom roles of an organisation: more than anybody can tell apart, and few enough for one answer.
pub const MOST: u64 = 100;
/// The most permissions of one: more than the registry has.
pub const MOST_PERMISSIONS: usize = 1_000;

/// What is said of a name that [`is_permission`] does not know.
pub const NO_PERMISSION: &str = "is not something that a role can permit";

/// A custom role, and who holds it.
#[derive(Clone, Debug)]
pub struct CustomRole {
    /// The role.
    pub row: Row,
    /// How many hold it.
    pub holders: Counts,
}

/// A custom role to make.
#[derive(Clone, Debug)]
pub struct NewCustomRole {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// The operations that it lets its holders do.
    pub permissions: Vec<String>,
}

/// What to change of a custom role. An inner `None` takes away what was there.
#[derive(Clone, Debug, Default)]
pub struct Changes {
    /// A new name.
    pub name: Option<String>,
    /// A new description.
    pub description: Option<Option<String>>,
    /// Other permissions, in place of those that it had.
    pub permissions: Option<Vec<String>>,
    /// The version that the client read.
    pub version: Option<i32>,
}

/// What becomes of those who hold a role that is deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Held {
    /// While somebody does, it is not deleted.
    Keep,
    /// They lose it.
    Release,
}

/// The custom roles of the caller's organisation, by name.
///
/// # Errors
/// When the database fails.
pub async fn list(app: &App, caller: &Caller) -> Result<Vec<CustomRole>> {
    let tx = app.db.read(caller).await?;
    let all = tx.all(tx.find::<rows::Entity>().order_by_asc(rows::Column::NameKey).limit(MOST)).await?;
    let mut counts = holders::counts(&tx, None).await?;
    Ok(all.into_iter().map(|row| CustomRole { holders: counts.remove(&row.id).unwrap_or_default(), row }).collect())
}

/// One custom role of the caller's organisation.
///
/// # Errors
/// `NotFound`.
pub async fn get(app: &App, caller: &Caller, id: CustomRoleId) -> Result<CustomRole> {
    let tx = app.db.read(caller).await?;
    let row = tx.one(tx.find::<rows::Entity>().filter(rows::Column::Id.eq(id))).await?.ok_or_else(Error::not_found)?;
    counted(&tx, row).await
}

/// Makes a custom role that nobody holds yet.
///
/// # Errors
/// `Forbidden` with `role_above_own`, which is recorded; `Conflict` with `custom_role_name_taken` or
/// `too_many_custom_roles`; `Invalid` for a name, description or permission that is none.
pub async fn create(app: &App, caller: &Caller, new: NewCustomRole) -> Result<CustomRole> {
    let text = checked(&app.policy, Some(&new.name), new.description.as_deref())?;
    let (name, description) = (text.name.unwrap_or_default(), text.description);
    let permissions = composed(&app.policy, new.permissions)?;
    let organization_id = caller.organization().ok_or_else(Error::not_found)?;
    let tx = app.db.write(caller).await?;
    members::settle(app, &tx).await?;
    if let Err(refusal) = roles::may_give(&app.policy, caller, &compiled(&app.policy, &permissions)) {
        let event = Event::without_target(Kind::CustomRoleChangeRefused).refused();
        return tx.commit_refused(event.with("code", refusal.code().as_str()), refusal).await;
    }
    if tx.count(tx.find::<rows::Entity>()).await? >= MOST {
        return Err(Error::Conflict(Code::TooManyCustomRoles));
    }
    let now = caller.now();
    let row = rows::Model {
        id: app.ids.next(),
        organization_id,
        name_key: key(&name),
        name,
        description,
        permissions,
        version: 1,
        created_at: now,
        updated_at: now,
    };
    let row = tx.insert(rows::ActiveModel::from(row)).await?;
    tx.commit(Event::new(Kind::CustomRoleCreated, row.id).with("permissions", row.permissions.join(" "))).await?;
    Ok(CustomRole { row, holders: Counts::default() })
}

/// Changes a custom role's name, description or permissions; those change what everybody who holds it may do at once.
///
/// # Errors
/// `NotFound`; `Forbidden` with `role_above_own` or `own_role`, which are recorded; `Conflict` with
/// `custom_role_name_taken` or `precondition_failed`; `Invalid` for a name, description or permission that is none.
pub async fn update(app: &App, caller: &Caller, id: CustomRoleId, changes: Changes) -> Result<CustomRole> {
    let text = checked(&app.policy, changes.name.as_deref(), changes.description.as_ref().and_then(Option::as_deref))?;
    let permissions = changes.permissions.map(|names| composed(&app.policy, names)).transpose()?;
    let tx = app.db.write(caller).await?;
    members::settle(app, &tx).await?;
    let present = locked(&tx, id).await?;
    expect_version(changes.version, present.version)?;
    if let Err(refusal) = may_change(app, &tx, &present, permissions.as_deref()).await {
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
    if let Some(permissions) = permissions {
        next.permissions = permissions;
    }
    let Some(event) = changed(&present, &next) else { return counted(&tx, present).await };
    let mut row = present.clone().into_active_model();
    row.name = Set(next.name);
    row.name_key = Set(next.name_key);
    row.description = Set(next.description);
    row.permissions = Set(next.permissions);
    row.version = Set(present.version + 1);
    row.updated_at = Set(caller.now());
    let row = tx.update(row).await?;
    let role = counted(&tx, row).await?;
    tx.commit(event).await?;
    forget(app);
    Ok(role)
}

/// Removes a custom role, with what it gave if that is wanted.
///
/// # Errors
/// `NotFound`; `Forbidden` with `role_above_own`, which is recorded; `Conflict` with `custom_role_held` or
/// `precondition_failed`.
pub async fn delete(app: &App, caller: &Caller, id: CustomRoleId, held: Held, version: Option<i32>) -> Result<()> {
    let tx = app.db.write(caller).await?;
    members::settle(app, &tx).await?;
    let present = locked(&tx, id).await?;
    expect_version(version, present.version)?;
    if let Err(refusal) = roles::may_give(&app.policy, caller, &compiled(&app.policy, &present.permissions)) {
        return refuse(tx, id, refusal).await;
    }
    let role = counted(&tx, present).await?;
    if held == Held::Keep && role.holders.total() > 0 {
        return Err(Error::Conflict(Code::CustomRoleHeld));
    }
    tx.delete(tx.remove::<rows::Entity>().filter(rows::Column::Id.eq(id))).await?;
    let event = Event::new(Kind::CustomRoleDeleted, id).with("permissions", role.row.permissions.join(" "));
    let event = event.with("members", role.holders.members).with("teams", role.holders.teams);
    tx.commit(event.with("service_accounts", role.holders.service_accounts)).await?;
    forget(app);
    Ok(())
}

/// What these rows let their holders do, together.
pub(super) fn together<'a>(policy: &Policy, roles: impl IntoIterator<Item = &'a Row>) -> Permissions {
    policy.compile(roles.into_iter().flat_map(|row| row.permissions.iter().map(String::as_str)))
}

/// Drops what this instance keeps of people and services, after it changed what a role gives them.
pub(super) fn forget(app: &App) {
    app.sessions.forget_all();
    app.services.forget_all();
}

fn compiled(policy: &Policy, permissions: &[String]) -> Permissions {
    policy.compile(permissions.iter().map(String::as_str))
}

/// Whether the caller holds what the role gave and what it will give; and if they hold it themselves, whether they don't
/// rise by that.
async fn may_change(app: &App, tx: &Tx, present: &Row, next: Option<&[String]>) -> Result<()> {
    let (policy, caller) = (&app.policy, tx.caller());
    let was = compiled(policy, &present.permissions);
    roles::may_give(policy, caller, &was)?;
    let Some(next) = next else { return Ok(()) };
    let next = compiled(policy, next);
    roles::may_give(policy, caller, &next)?;
    let more = next.without(&was);
    match caller.membership {
        Some(id) if !more.is_empty() && is_held_by_caller(tx, present.id).await? => {
            roles::may_take_permissions(policy, &members::row(tx, id).await?.role, &more)
        }
        _ => Ok(()),
    }
}

/// Whether the caller holds the role, directly or by a team.
async fn is_held_by_caller(tx: &Tx, id: CustomRoleId) -> Result<bool> {
    let Some(membership) = tx.caller().membership else { return Ok(false) };
    let places = tx.find::<team_members::Entity>().filter(team_members::Column::MembershipId.eq(membership));
    let teams = tx.all(places).await?.into_iter().map(|place| Holder::Team(place.team_id));
    let held = of(tx, teams.chain([Holder::Member(membership)]).collect()).await?;
    Ok(held.values().flatten().any(|row| row.id == id))
}

/// Whether custom roles can be composed of it: an operation that the guard asks them about.
pub fn is_permission(policy: &Policy, name: &str) -> bool {
    policy.registry().find(name).is_some_and(|(_, row)| policy.is_composable(row))
}

/// The permissions as they are kept: each once, in the order of their names.
fn composed(policy: &Policy, mut names: Vec<String>) -> Result<Vec<String>> {
    let unknown = names.iter().enumerate().filter(|(_, name)| !is_permission(policy, name));
    let faults: Vec<_> =
        unknown.map(|(at, _)| Fault::body(format!("/permissions/{at}"), "unknown_permission", NO_PERMISSION)).collect();
    if !faults.is_empty() {
        return Err(Error::Invalid(faults));
    }
    names.sort_unstable();
    names.dedup();
    Ok(names)
}

/// The record of what has changed, if anything has.
fn changed(was: &Row, is: &Row) -> Option<Event> {
    let fields = [
        ("name", was.name != is.name),
        ("description", was.description != is.description),
        ("permissions", was.permissions != is.permissions),
    ];
    let names: Vec<_> = fields.iter().filter(|(_, changed)| *changed).map(|(name, _)| *name).collect();
    if names.is_empty() {
        return None;
    }
    let event = Event::new(Kind::CustomRoleUpdated, was.id).with("fields", names.join(" "));
    let only = |one: &Row, other: &Row| {
        let names = one.permissions.iter().filter(|name| !other.permissions.contains(name));
        names.map(String::as_str).collect::<Vec<_>>().join(" ")
    };
    Some(match was.permissions == is.permissions {
        true => event,
        false => event.with("added", only(is, was)).with("removed", only(was, is)),
    })
}

async fn refuse<T>(tx: WriteTx, id: CustomRoleId, refusal: Error) -> Result<T> {
    if matches!(refusal, Error::Internal(_) | Error::Upstream { .. }) {
        return Err(refusal);
    }
    let event = Event::new(Kind::CustomRoleChangeRefused, id).refused().with("code", refusal.code().as_str());
    tx.commit_refused(event, refusal).await
}

async fn locked(tx: &WriteTx, id: CustomRoleId) -> Result<Row> {
    let query = tx.find::<rows::Entity>().filter(rows::Column::Id.eq(id));
    tx.one(query.lock_exclusive()).await?.ok_or_else(Error::not_found)
}

async fn counted(tx: &Tx, row: Row) -> Result<CustomRole> {
    let holders = holders::counts(tx, Some(row.id)).await?.remove(&row.id).unwrap_or_default();
    Ok(CustomRole { row, holders })
}

struct Text {
    name: Option<String>,
    description: Option<String>,
}

/// The texts, clean. Nobody is to take a custom role for one of the installation's.
fn checked(policy: &Policy, name: Option<&str>, description: Option<&str>) -> Result<Text> {
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
    if !faults.is_empty() {
        return Err(Error::Invalid(faults));
    }
    let wanted = text.name.as_deref().map(key);
    let mut known = policy.hierarchy().rows().iter().flat_map(|role| [key(&role.name), key(&role.title)]);
    match known.any(|name| wanted.as_ref() == Some(&name)) {
        true => Err(Error::Conflict(Code::CustomRoleNameTaken)),
        false => Ok(text),
    }
}

/// What is the same of two names that people take for one.
fn key(name: &str) -> String {
    crate::types::nfc(name.trim()).to_lowercase()
}
