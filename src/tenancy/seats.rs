//! Memberships by the many: made by whoever runs the installation, read by an export. A few statements, however many
//! people they are about.

use std::collections::{HashMap, HashSet};

use entity::{AccountId, MembershipId, memberships as rows, team_members, teams as team_rows};
use sea_orm::{ColumnTrait, QueryFilter, QueryOrder, QuerySelect};

use super::{
    custom_roles::{self, Holder, Row as CustomRole},
    members::{self, Member},
    organizations,
    teams::{self, Row as Team},
};
use crate::{
    app::App,
    audit::{Event, Kind},
    db::{Tx, WriteTx},
    error::{Error, Result},
    types::{Page, Role},
};

/// A place in an organisation for a person who has none there.
pub struct NewSeat {
    /// Whose.
    pub account: AccountId,
    /// The direct role.
    pub role: Role,
    /// Whether it gives access.
    pub status: rows::Status,
    /// The custom roles to hold directly.
    pub custom_roles: Vec<CustomRole>,
    /// The teams to join.
    pub teams: Vec<Team>,
}

/// What a file names of an organisation's own: its teams and custom roles, by the keys of their names.
pub struct Names {
    /// The teams.
    pub teams: HashMap<String, Team>,
    /// The custom roles.
    pub custom_roles: HashMap<String, CustomRole>,
}

/// The teams and custom roles of the transaction's organisation, as they stay until its end.
///
/// # Errors
/// When the database fails.
pub async fn names(tx: &WriteTx) -> Result<Names> {
    let teams = tx.find::<team_rows::Entity>().order_by_asc(team_rows::Column::Id).limit(teams::MOST).lock_shared();
    let teams = tx.all(teams).await?.into_iter().map(|team| (team.name_key.clone(), team)).collect();
    Ok(Names { teams, custom_roles: custom_roles::by_name(tx).await? })
}

/// Who of these people is a member of the transaction's organisation.
///
/// # Errors
/// When the database fails.
pub async fn among(tx: &Tx, accounts: impl IntoIterator<Item = AccountId>) -> Result<HashSet<AccountId>> {
    let seats = tx.find::<rows::Entity>().filter(rows::Column::AccountId.is_in(accounts));
    Ok(tx.all(seats).await?.into_iter().map(|seat| seat.account_id).collect())
}

/// Lets nobody else change who belongs to the transaction's organisation until its end.
///
/// # Errors
/// `NotFound` when it was deleted.
pub async fn settle(tx: &WriteTx) -> Result<()> {
    organizations::open(tx).await.map(|_| ())
}

/// Makes people members, each with its entry in the record. Who runs the installation asks for it; there is nobody whose
/// role would bound what they give.
///
/// # Errors
/// `Conflict` with `already_member`; nobody becomes one then.
pub async fn add_all(app: &App, tx: &WriteTx, seats: Vec<NewSeat>) -> Result<()> {
    let organization_id = tx.caller().organization().ok_or_else(Error::not_found)?;
    let now = tx.caller().now();
    let (mut members, mut places, mut gifts, mut events) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for seat in seats {
        let id: MembershipId = app.ids.next();
        let event = Event::new(Kind::MemberAdded, id).with("role", seat.role.as_str());
        let event = event.with("account", seat.account.to_string());
        let event = if seat.teams.is_empty() { event } else { event.with("teams", teams::ids(&seat.teams)) };
        events.push(custom_roles::difference(event, &[], &seat.custom_roles));
        gifts.extend(custom_roles::rows_of(app, organization_id, Holder::Member(id), &seat.custom_roles));
        for team in &seat.teams {
            let place = team_members::Model { organization_id, team_id: team.id, membership_id: id };
            places.push(team_members::ActiveModel::from(place));
        }
        members.push(rows::ActiveModel::from(rows::Model {
            id,
            organization_id,
            account_id: seat.account,
            role: seat.role.to_string(),
            status: seat.status,
            version: 1,
            joined_at: now,
            updated_at: now,
        }));
    }
    tx.append(members).await?;
    tx.append(places).await?;
    tx.append(gifts).await?;
    tx.note(events).await
}

/// How many members there are before one.
///
/// # Errors
/// When the database fails.
pub async fn count(tx: &Tx, before: MembershipId) -> Result<u64> {
    tx.count(tx.find::<rows::Entity>().filter(rows::Column::Id.lt(before))).await
}

/// Some members of the transaction's organisation in the order of their ids, those after one and before another.
///
/// # Errors
/// When the database fails.
pub async fn after(
    app: &App,
    tx: &Tx,
    (after, before): (Option<MembershipId>, MembershipId),
    most: u64,
) -> Result<Vec<Member>> {
    let mut query = tx.find::<rows::Entity>().filter(rows::Column::Id.lt(before));
    if let Some(after) = after {
        query = query.filter(rows::Column::Id.gt(after));
    }
    let items = tx.all(query.order_by_asc(rows::Column::Id).limit(most)).await?;
    Ok(members::with_people(app, tx, Page { items, next: None }).await?.items)
}
