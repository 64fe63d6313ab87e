//! Service accounts: an organisation's own programs, and the keys with which they call (SES-6).
//!
//! A service account belongs to its organisation, not to whoever made it: it stays with its keys when they leave. It is
//! governed as members are: nobody makes, changes or gives a key to one with a role above their own (AZ-8). What a key
//! opens is decided on every call by what is true then ([`ApiKeys`]).

mod keys;
mod live;
mod token;
mod uses;

use std::collections::HashMap;

use entity::{CustomRoleId, ServiceAccountId, api_keys, service_accounts as rows};
use sea_orm::{ActiveValue::Set, ColumnTrait, FromQueryResult, IntoActiveModel, QueryFilter, QuerySelect};
use uuid::Uuid;

pub use entity::service_accounts::State;
pub use keys::{
    Key, LONGEST_KEY_NAME, MOST_KEYS, MOST_NETWORKS, Made, NewKey, create as create_key, list as list_keys, revoke,
};
pub use live::{ApiKeys, Known};
pub use token::PREFIX;
pub use uses::SEALED;

use super::{
    custom_roles::{self, Holder},
    members, roles,
};
use crate::{
    accounts::expect_version,
    app::App,
    audit::{Event, Kind},
    authz::Held,
    db::{Tx, WriteTx},
    error::{Code, Error, Fault, Result},
    runtime::Timestamp,
    types::{Caller, Page, PageRequest, Role, single_line},
};

/// A service account's row.
pub type Row = rows::Model;

/// The longest name in characters.
pub const LONGEST_NAME: usize = 100;
/// The longest description in characters.
pub const LONGEST_DESCRIPTION: usize = 500;
/// The most service accounts of an organisation.
pub const MOST: u64 = 100;

/// A service account, and what there is to say of its keys.
#[derive(Clone, Debug)]
pub struct ServiceAccount {
    /// The account.
    pub row: Row,
    /// How many keys it has that are not revoked.
    pub keys: u64,
    /// When one of its keys was used last, to the minute.
    pub last_used_at: Option<Timestamp>,
    /// Its custom roles, by name.
    pub custom_roles: Vec<custom_roles::Row>,
}

/// A service account to make.
#[derive(Clone, Debug)]
pub struct NewServiceAccount {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// What it may.
    pub role: String,
    /// Its custom roles.
    pub custom_roles: Vec<CustomRoleId>,
}

/// What to change of a service account. An inner `None` takes away what was there.
#[derive(Clone, Debug, Default)]
pub struct Changes {
    /// A new name.
    pub name: Option<String>,
    /// A new description.
    pub description: Option<Option<String>>,
    /// Another role.
    pub role: Option<String>,
    /// The custom roles to have, in place of those that it has.
    pub custom_roles: Option<Vec<CustomRoleId>>,
    /// The version that the client read.
    pub version: Option<i32>,
}

/// The service accounts of the caller's organisation, newest first.
///
/// # Errors
/// When the database fails.
pub async fn list(app: &App, caller: &Caller, page: PageRequest) -> Result<Page<ServiceAccount>> {
    let tx = app.db.read(caller).await?;
    let page = tx.page(tx.find::<rows::Entity>(), rows::Column::Id, |row| row.id.into(), page).await?;
    let summaries = summaries(&tx, page.items.iter().map(|row| row.id)).await?;
    let mut custom = custom_roles::of(&tx, page.items.iter().map(|row| Holder::Service(row.id)).collect()).await?;
    Ok(page.map(|row| {
        let custom = custom.remove(&Holder::Service(row.id)).unwrap_or_default();
        with_keys(row, &summaries, custom)
    }))
}

/// One service account of the caller's organisation.
///
/// # Errors
/// `NotFound`.
pub async fn get(app: &App, caller: &Caller, id: ServiceAccountId) -> Result<ServiceAccount> {
    let tx = app.db.read(caller).await?;
    let row = row(&tx, id).await?;
    summarized(&tx, row).await
}

/// What these service accounts of the transaction's organisation are called; one that is gone is left out.
///
/// # Errors
/// When the database fails.
pub async fn names(
    tx: &Tx,
    ids: impl IntoIterator<Item = ServiceAccountId>,
) -> Result<HashMap<ServiceAccountId, String>> {
    let found = tx.all(tx.find::<rows::Entity>().filter(rows::Column::Id.is_in(ids))).await?;
    Ok(found.into_iter().map(|row| (row.id, row.name)).collect())
}

/// Makes a service account without keys.
///
/// # Errors
/// `Forbidden` with `role_above_own`, which is recorded; `Conflict` with `service_account_name_taken` or
/// `too_many_service_accounts`; `Invalid` for a name, description or role that is none.
pub async fn create(app: &App, caller: &Caller, new: NewServiceAccount) -> Result<ServiceAccount> {
    let role = role(app, &new.role)?;
    let text = checked(Some(&new.name), new.description.as_deref())?;
    let (name, description) = (text.name.unwrap_or_default(), text.description);
    let organization_id = caller.organization().ok_or_else(Error::not_found)?;
    let tx = app.db.write(caller).await?;
    members::settle(app, &tx).await?;
    let custom = custom_roles::wanted(&tx, &new.custom_roles).await?;
    if let Err(refusal) = roles::may_grant_all(&app.policy, caller, &gives(app, role.as_str(), &custom)) {
        let event = Event::without_target(Kind::ServiceAccountChangeRefused).refused();
        return tx.commit_refused(event.with("code", refusal.code().as_str()), refusal).await;
    }
    if tx.count(tx.find::<rows::Entity>()).await? >= MOST {
        return Err(Error::Conflict(Code::TooManyServiceAccounts));
    }
    let now = caller.now();
    let row = rows::Model {
        id: app.ids.next(),
        organization_id,
        name_key: key(&name),
        name,
        description,
        role: role.to_string(),
        state: State::Active,
        version: 1,
        created_by: caller.account(),
        created_at: now,
        updated_at: now,
    };
    let row = tx.insert(rows::ActiveModel::from(row)).await?;
    custom_roles::give(&tx, app, Holder::Service(row.id), &[], &custom).await?;
    let event = Event::new(Kind::ServiceAccountCreated, row.id).with("role", row.role.as_str());
    tx.commit(custom_roles::difference(event, &[], &custom)).await?;
    Ok(ServiceAccount { row, keys: 0, last_used_at: None, custom_roles: custom })
}

/// Changes a service account's name, description or role; the role changes what its keys may at once.
///
/// # Errors
/// `NotFound`; `Forbidden` with `role_above_own`, which is recorded; `Conflict` with `service_account_name_taken` or
/// `precondition_failed`; `Invalid` for a name, description or role that is none.
pub async fn update(app: &App, caller: &Caller, id: ServiceAccountId, changes: Changes) -> Result<ServiceAccount> {
    let role = changes.role.as_deref().map(|name| role(app, name)).transpose()?;
    let text = checked(changes.name.as_deref(), changes.description.as_ref().and_then(Option::as_deref))?;
    let tx = app.db.write(caller).await?;
    let present = governed(app, &tx, id).await?;
    expect_version(changes.version, present.version)?;
    let custom = custom_roles::direct(&tx, Holder::Service(id)).await?;
    let wanted = match &changes.custom_roles {
        Some(ids) => custom_roles::wanted(&tx, ids).await?,
        None => custom.clone(),
    };
    let gives = gives(app, role.as_ref().map_or(present.role.as_str(), Role::as_str), &wanted);
    let (tx, present) = allowed(app, tx, present, Some(gives)).await?;
    let mut next = present.clone();
    if let Some(name) = text.name {
        next.name_key = key(&name);
        next.name = name;
    }
    if changes.description.is_some() {
        next.description = text.description;
    }
    if let Some(role) = role {
        next.role = role.to_string();
    }
    let (had, has) = (custom.iter().map(|role| role.id), wanted.iter().map(|role| role.id));
    let event = difference(&present, &next, if had.eq(has) { None } else { Some((&custom, &wanted)) });
    let Some(event) = event else { return summarized(&tx, present).await };
    custom_roles::give(&tx, app, Holder::Service(id), &custom, &wanted).await?;
    let mut row = present.clone().into_active_model();
    row.name = Set(next.name);
    row.name_key = Set(next.name_key);
    row.description = Set(next.description);
    row.role = Set(next.role);
    row.version = Set(present.version + 1);
    row.updated_at = Set(caller.now());
    let row = tx.update(row).await?;
    let account = summarized(&tx, row).await?;
    tx.commit(event).await?;
    app.services.forget(id);
    Ok(account)
}

/// Lets a service account's keys open nothing, or something again. It is done already where it is so.
///
/// # Errors
/// `NotFound`; `Forbidden` with `role_above_own`, which is recorded.
pub async fn set_state(app: &App, caller: &Caller, id: ServiceAccountId, state: State) -> Result<ServiceAccount> {
    let tx = app.db.write(caller).await?;
    let present = governed(app, &tx, id).await?;
    let (tx, present) = allowed(app, tx, present, None).await?;
    if present.state == state {
        return summarized(&tx, present).await;
    }
    let mut row = present.clone().into_active_model();
    row.state = Set(state);
    row.version = Set(present.version + 1);
    row.updated_at = Set(caller.now());
    let row = tx.update(row).await?;
    let account = summarized(&tx, row).await?;
    let kind = match state {
        State::Active => Kind::ServiceAccountEnabled,
        State::Disabled => Kind::ServiceAccountDisabled,
    };
    tx.commit(Event::new(kind, id)).await?;
    app.services.forget(id);
    Ok(account)
}

/// Removes a service account with its keys. What it invited people to is worth nothing any more.
///
/// # Errors
/// `NotFound`; `Forbidden` with `role_above_own`, which is recorded; `Conflict` with `precondition_failed`.
pub async fn delete(app: &App, caller: &Caller, id: ServiceAccountId, version: Option<i32>) -> Result<()> {
    let tx = app.db.write(caller).await?;
    let present = governed(app, &tx, id).await?;
    expect_version(version, present.version)?;
    let (tx, present) = allowed(app, tx, present, None).await?;
    tx.delete(tx.remove::<rows::Entity>().filter(rows::Column::Id.eq(id))).await?;
    let event = Event::new(Kind::ServiceAccountDeleted, id).with("role", present.role);
    tx.commit(event.with_personal("name", present.name)).await?;
    app.services.forget(id);
    Ok(())
}

/// Whether a service account that calls is still what the guard found it to be, now that the transaction has begun.
///
/// # Errors
/// `Forbidden` when it, its role or its key have changed since.
pub(super) async fn still(app: &App, tx: &Tx, id: ServiceAccountId) -> Result<()> {
    let key = api_keys::Column::Id.eq(tx.caller().api_key().map(Uuid::from));
    let keys = tx.find::<api_keys::Entity>().filter(key).filter(api_keys::Column::RevokedAt.is_null());
    let (held, key) = (held_by(app, tx, id).await?, tx.one(keys).await?);
    let caller = tx.caller();
    let same = held.roles.iter().eq(caller.roles()) && held.permissions == caller.permissions;
    if same && key.is_some() { Ok(()) } else { Err(Error::Forbidden(Code::Forbidden)) }
}

/// Whether this service account could grant all of this in the transaction's organisation today.
///
/// # Errors
/// When the database fails.
pub(super) async fn could_grant(app: &App, tx: &Tx, id: ServiceAccountId, given: &Held) -> Result<bool> {
    let own = held_by(app, tx, id).await?;
    Ok(app.policy.has_all(&own.roles, &own.permissions, given))
}

/// What a service account holds today; nothing if its keys open nothing.
async fn held_by(app: &App, tx: &Tx, id: ServiceAccountId) -> Result<Held> {
    let active =
        tx.find::<rows::Entity>().filter(rows::Column::Id.eq(id)).filter(rows::Column::State.eq(State::Active));
    let Some(row) = tx.one(active).await? else { return Ok(Held::default()) };
    Ok(gives(app, &row.role, &custom_roles::direct(tx, Holder::Service(id)).await?))
}

/// The row, in a transaction beside which nobody changes what its caller may; it stays as it is until the end.
async fn governed(app: &App, tx: &WriteTx, id: ServiceAccountId) -> Result<Row> {
    members::settle(app, tx).await?;
    let query = tx.find::<rows::Entity>().filter(rows::Column::Id.eq(id));
    tx.one(query.lock_exclusive()).await?.ok_or_else(Error::not_found)
}

/// Gives the transaction back if its caller holds what the account gives and what it will; otherwise ends it with the
/// record of that.
async fn allowed(app: &App, tx: WriteTx, present: Row, next: Option<Held>) -> Result<(WriteTx, Row)> {
    let custom = custom_roles::direct(&tx, Holder::Service(present.id)).await?;
    let was = gives(app, &present.role, &custom);
    let granted = |given: &Held| roles::may_grant_all(&app.policy, tx.caller(), given);
    match granted(&was).and_then(|()| next.as_ref().map_or(Ok(()), granted)) {
        Ok(()) => Ok((tx, present)),
        Err(refusal) => {
            let event = Event::new(Kind::ServiceAccountChangeRefused, present.id).refused();
            tx.commit_refused(event.with("code", refusal.code().as_str()), refusal).await
        }
    }
}

/// What a service account with this role and these custom roles may.
fn gives(app: &App, role: &str, custom: &[custom_roles::Row]) -> Held {
    Held { roles: vec![Role::named(role)], permissions: custom_roles::together(&app.policy, custom) }
}

/// The role of this name that a service account can have: none of the platform's, also in the platform's organisation.
fn role(app: &App, name: &str) -> Result<Role> {
    let role = app.policy.hierarchy().assignable(name);
    role.ok_or_else(|| Error::field("/role", "unknown_role", "is not a role that a service account can have"))
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
    let event = Event::new(Kind::ServiceAccountUpdated, was.id).with("fields", changed.join(" "));
    let roles = |event: Event| event.with("from", was.role.as_str()).with("to", is.role.as_str());
    let event = if was.role == is.role { event } else { roles(event) };
    Some(match custom {
        Some((had, has)) => custom_roles::difference(event, had, has),
        None => event,
    })
}

async fn row(tx: &Tx, id: ServiceAccountId) -> Result<Row> {
    tx.one(tx.find::<rows::Entity>().filter(rows::Column::Id.eq(id))).await?.ok_or_else(Error::not_found)
}

/// What there is to say of an account's keys.
#[derive(FromQueryResult)]
struct Summary {
    service_account_id: ServiceAccountId,
    keys: i64,
    last_used_at: Option<Timestamp>,
}

async fn summaries(
    tx: &Tx,
    ids: impl IntoIterator<Item = ServiceAccountId>,
) -> Result<HashMap<ServiceAccountId, Summary>> {
    let open = sea_orm::sea_query::Func::count(
        sea_orm::sea_query::CaseStatement::new()
            .case(api_keys::Column::RevokedAt.is_null(), sea_orm::sea_query::Expr::val(1)),
    );
    let query = tx
        .find::<api_keys::Entity>()
        .filter(api_keys::Column::ServiceAccountId.is_in(ids))
        .select_only()
        .column(api_keys::Column::ServiceAccountId)
        .column_as(sea_orm::sea_query::SimpleExpr::from(open), "keys")
        .column_as(api_keys::Column::LastUsedAt.max(), "last_used_at")
        .group_by(api_keys::Column::ServiceAccountId);
    let found = tx.rows(query.into_model::<Summary>()).await?;
    Ok(found.into_iter().map(|summary| (summary.service_account_id, summary)).collect())
}

async fn summarized(tx: &Tx, row: Row) -> Result<ServiceAccount> {
    let summaries = summaries(tx, [row.id]).await?;
    let custom = custom_roles::direct(tx, Holder::Service(row.id)).await?;
    Ok(with_keys(row, &summaries, custom))
}

fn with_keys(
    row: Row,
    summaries: &HashMap<ServiceAccountId, Summary>,
    custom_roles: Vec<custom_roles::Row>,
) -> ServiceAccount {
    let summary = summaries.get(&row.id);
    let keys = summary.map_or(0, |summary| summary.keys.unsigned_abs());
    ServiceAccount { keys, last_used_at: summary.and_then(|summary| summary.last_used_at), custom_roles, row }
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
