//! Profile attributes: fields that an organisation declares for its members, and what they say of each (DAT-7).
//!
//! A declaration says who sees and who changes values, and in which scope they are sealed. Key and type never change; the
//! scope does not while there are values, because what once lay in clear stays in a database's files and backups. An
//! attribute with values is archived first: then nobody sees or finds them, and only then can it be removed with them.
//! This module owns `attributes`, `attribute_values` and `attribute_matches`.

mod access;
mod declaration;
mod profile;
mod search;
mod values;

use entity::{AttributeId, attribute_values, attributes as rows};
use sea_orm::{ActiveValue::Set, ColumnTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

pub use declaration::{
    Changes, LONGEST_DESCRIPTION, LONGEST_KEY, LONGEST_LABEL, LONGEST_OPTION, MOST_OPTIONS, NewAttribute, scopes,
};
pub use profile::{Field, Profile, Wanted, get as get_profile, get_own, update as update_profile, update_own};
pub(super) use search::holders;
pub use search::{SEALED, match_anew};
pub use values::Value;

use super::members;
use crate::{
    accounts::expect_version,
    app::App,
    audit::{Event, Kind},
    db::{Tx, WriteTx},
    error::{Code, Error, Result},
    types::Caller,
};
use access::Access;

/// An attribute's row.
pub type Attribute = rows::Model;

/// The most attributes of an organisation, archived ones too: each is a column of every profile.
pub const MOST: usize = 50;

/// The attributes of the caller's organisation whose values they see, in order. Whoever makes them sees all of them.
///
/// # Errors
/// When the database fails.
pub async fn list(app: &App, caller: &Caller) -> Result<Vec<Attribute>> {
    let tx = app.db.read(caller).await?;
    let access = Access::of(&app.policy, caller, None);
    let mut found = all(&tx).await?;
    found.retain(|row| access.sees_all() || access.sees(row) && row.archived_at.is_none());
    Ok(found)
}

/// One attribute of the caller's organisation.
///
/// # Errors
/// `NotFound`.
pub async fn get(app: &App, caller: &Caller, id: AttributeId) -> Result<Attribute> {
    let tx = app.db.read(caller).await?;
    tx.one(tx.find::<rows::Entity>().filter(rows::Column::Id.eq(id))).await?.ok_or_else(Error::not_found)
}

/// Declares an attribute, after those that there are.
///
/// # Errors
/// `Invalid` for a declaration that is none; `Conflict` with `attribute_key_taken` or `too_many_attributes`.
pub async fn create(app: &App, caller: &Caller, new: NewAttribute) -> Result<Attribute> {
    let organization_id = caller.organization().ok_or_else(Error::not_found)?;
    let now = caller.now();
    let row = declaration::checked(
        &app.vault,
        rows::Model {
            id: app.ids.next(),
            organization_id,
            key: new.key,
            label: new.label,
            description: new.description,
            kind: new.kind,
            options: new.options,
            required: new.required,
            visible_to: new.visible_to,
            editable_by: new.editable_by,
            scope: new.scope,
            searchable: new.searchable,
            position: 0,
            archived_at: None,
            version: 1,
            created_at: now,
            updated_at: now,
        },
    )?;
    let tx = app.db.write(caller).await?;
    members::settle(app, &tx).await?;
    let present = all(&tx).await?;
    if present.len() >= MOST {
        return Err(Error::Conflict(Code::TooManyAttributes));
    }
    let row = rows::Model { position: i32::try_from(present.len()).unwrap_or(i32::MAX), ..row };
    let row = tx.insert(rows::ActiveModel::from(row)).await?;
    tx.commit(about(Kind::AttributeCreated, &row)).await?;
    Ok(row)
}

/// Changes an attribute, its place among the others, or whether it is archived.
///
/// # Errors
/// `NotFound`; `Invalid` for a declaration that is none; `Conflict` with `attribute_in_use` when values stand against
/// another scope or being searchable, or with `precondition_failed`.
pub async fn update(app: &App, caller: &Caller, id: AttributeId, changes: Changes) -> Result<Attribute> {
    let tx = app.db.write(caller).await?;
    members::settle(app, &tx).await?;
    let present = locked(&tx, id).await?;
    expect_version(changes.version, present.version)?;
    let position = changes.position;
    let mut next = declaration::checked(&app.vault, changed(&present, changes, caller))?;
    if (&next.scope, next.searchable) != (&present.scope, present.searchable) && values(&tx, id).await? > 0 {
        return Err(Error::Conflict(Code::AttributeInUse));
    }
    if let Some(position) = position {
        next.position = arrange(&tx, &present, position).await?;
    }
    let fields = declaration::differences(&present, &next);
    if fields.is_empty() {
        return Ok(present);
    }
    let mut row = present.clone().into_active_model();
    row.label = Set(next.label);
    row.description = Set(next.description);
    row.options = Set(next.options);
    row.required = Set(next.required);
    row.visible_to = Set(next.visible_to);
    row.editable_by = Set(next.editable_by);
    row.scope = Set(next.scope);
    row.searchable = Set(next.searchable);
    row.position = Set(next.position);
    row.archived_at = Set(next.archived_at);
    row.version = Set(present.version + 1);
    row.updated_at = Set(caller.now());
    let row = tx.update(row).await?;
    tx.commit(about(Kind::AttributeUpdated, &row).with("fields", fields.join(" "))).await?;
    Ok(row)
}

fn changed(present: &Attribute, changes: Changes, caller: &Caller) -> Attribute {
    let mut next = present.clone();
    next.label = changes.label.unwrap_or(next.label);
    next.description = changes.description.unwrap_or(next.description);
    next.options = changes.options.unwrap_or(next.options);
    next.required = changes.required.unwrap_or(next.required);
    next.visible_to = changes.visible_to.unwrap_or(next.visible_to);
    next.editable_by = changes.editable_by.unwrap_or(next.editable_by);
    next.scope = changes.scope.unwrap_or(next.scope);
    next.searchable = changes.searchable.unwrap_or(next.searchable);
    next.archived_at = match changes.archived {
        Some(true) => next.archived_at.or_else(|| Some(caller.now())),
        Some(false) => None,
        None => next.archived_at,
    };
    next
}

/// Removes an attribute, with what it says of anybody.
///
/// # Errors
/// `NotFound`; `Conflict` with `attribute_in_use` when it has values and is not archived, or with `precondition_failed`.
pub async fn delete(app: &App, caller: &Caller, id: AttributeId, version: Option<i32>) -> Result<()> {
    let tx = app.db.write(caller).await?;
    members::settle(app, &tx).await?;
    let present = locked(&tx, id).await?;
    expect_version(version, present.version)?;
    let number = values(&tx, id).await?;
    if number > 0 && present.archived_at.is_none() {
        return Err(Error::Conflict(Code::AttributeInUse));
    }
    tx.delete(tx.remove::<rows::Entity>().filter(rows::Column::Id.eq(id))).await?;
    let left: Vec<_> = all(&tx).await?.iter().map(|row| Uuid::from(row.id)).collect();
    number_by(&tx, left).await?;
    tx.commit(about(Kind::AttributeDeleted, &present).with("values", number)).await
}

/// The attributes of the transaction's organisation, in order.
async fn all(tx: &Tx) -> Result<Vec<Attribute>> {
    let query = tx.find::<rows::Entity>().order_by_asc(rows::Column::Position).order_by_asc(rows::Column::Id);
    tx.all(query).await
}

/// Nobody writes values of an attribute that somebody has locked, and the other way round.
async fn locked(tx: &WriteTx, id: AttributeId) -> Result<Attribute> {
    let query = tx.find::<rows::Entity>().filter(rows::Column::Id.eq(id));
    tx.one(query.lock_exclusive()).await?.ok_or_else(Error::not_found)
}

async fn values(tx: &Tx, id: AttributeId) -> Result<u64> {
    tx.count(tx.find::<attribute_values::Entity>().filter(attribute_values::Column::AttributeId.eq(id))).await
}

/// Moves an attribute among the others, and returns its new place.
async fn arrange(tx: &WriteTx, moved: &Attribute, position: usize) -> Result<i32> {
    let mut order: Vec<_> = all(tx).await?.iter().map(|row| row.id).filter(|id| *id != moved.id).collect();
    let position = position.min(order.len());
    order.insert(position, moved.id);
    number_by(tx, order.into_iter().map(Uuid::from).collect()).await?;
    i32::try_from(position).map_err(Error::internal)
}

/// Numbers the organisation's attributes in this order.
async fn number_by(tx: &WriteTx, order: Vec<Uuid>) -> Result<()> {
    const NUMBER: &str = "
        UPDATE attributes a SET position = u.place - 1
        FROM unnest($1::uuid[]) WITH ORDINALITY AS u (id, place)
        WHERE a.organization_id = $2 AND a.id = u.id AND a.position <> u.place - 1";
    let organization = tx.caller().organization().ok_or_else(Error::not_found)?;
    tx.execute(NUMBER, [order.into(), organization.into()]).await?;
    Ok(())
}

/// What was declared, without anything that anybody filled in.
fn about(kind: Kind, row: &Attribute) -> Event {
    let event = Event::new(kind, row.id).with("key", row.key.as_str()).with("sealed_in", row.scope.clone());
    let audience = |audience| sea_orm::ActiveEnum::to_value(audience);
    event.with("visible_to", audience(&row.visible_to)).with("editable_by", audience(&row.editable_by))
}
