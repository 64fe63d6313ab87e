//! Who is in a team: seen, added, removed; and which teams members are in.

use std::collections::HashMap;

use entity::{MembershipId, OrganizationId, TeamId, memberships, team_members as rows, teams};
use sea_orm::{ColumnTrait, QueryFilter, QueryOrder};

use super::{Row, given, gives, locked, membership, refuse, roles, row};
use crate::{
    app::App,
    audit::{Event, Kind},
    db::{Tx, WriteTx},
    error::{Error, Result},
    tenancy::custom_roles::{self, Holder},
    types::{Caller, Page, PageRequest},
};

/// The teams of members, by name.
pub type OfMembers = HashMap<MembershipId, Vec<Row>>;

/// The members of a team of the caller's organisation, newest first.
///
/// # Errors
/// `NotFound`.
pub async fn members(app: &App, caller: &Caller, team: TeamId, page: PageRequest) -> Result<Page<membership::Member>> {
    let tx = app.db.read(caller).await?;
    row(&tx, team).await?;
    // The page first and then who they are: how many there are in all costs nothing.
    let inside = tx.find::<rows::Entity>().filter(rows::Column::TeamId.eq(team));
    let page = tx.page(inside, rows::Column::MembershipId, |row| row.membership_id.into(), page).await?;
    let ids = page.items.iter().map(|row| row.membership_id);
    let query = tx.find::<memberships::Entity>().filter(memberships::Column::Id.is_in(ids));
    let items = tx.all(query.order_by_desc(memberships::Column::Id)).await?;
    membership::with_people(app, &tx, Page { items, next: page.next }).await
}

/// The teams that these members of the transaction's organisation are in.
///
/// # Errors
/// When the database fails.
pub async fn of(tx: &Tx, members: impl IntoIterator<Item = MembershipId>) -> Result<OfMembers> {
    let places = tx.all(tx.find::<rows::Entity>().filter(rows::Column::MembershipId.is_in(members))).await?;
    if places.is_empty() {
        return Ok(OfMembers::new());
    }
    let ids = places.iter().map(|place| place.team_id);
    let query = tx.find::<teams::Entity>().filter(teams::Column::Id.is_in(ids)).order_by_asc(teams::Column::NameKey);
    let mut found = OfMembers::new();
    for team in tx.all(query).await? {
        for place in places.iter().filter(|place| place.team_id == team.id) {
            found.entry(place.membership_id).or_default().push(team.clone());
        }
    }
    Ok(found)
}

/// Puts a member into a team. It changes nothing for one who is in it already.
///
/// # Errors
/// `NotFound`; `Forbidden` with `role_above_own` or `own_role`, which are recorded.
pub async fn add(app: &App, caller: &Caller, team: TeamId, member: MembershipId) -> Result<()> {
    let tx = app.db.write(caller).await?;
    membership::settle(app, &tx).await?;
    let team = locked(&tx, team).await?;
    let member = membership::row(&tx, member).await?;
    let custom = custom_roles::direct(&tx, Holder::Team(team.id)).await?;
    if let Err(refusal) = may_add(app, caller, (&team, &custom), &member) {
        return refuse(tx, team.id, refusal).await;
    }
    if tx.count(place(&tx, team.id, member.id)).await? > 0 {
        return Ok(());
    }
    let event = enter(&tx, &team, &member).await?;
    tx.commit(event).await?;
    app.sessions.forget(member.account_id);
    Ok(())
}

/// Takes a member out of a team.
///
/// # Errors
/// `NotFound`; `Forbidden` with `role_above_own`, which is recorded.
pub async fn remove(app: &App, caller: &Caller, team: TeamId, member: MembershipId) -> Result<()> {
    let tx = app.db.write(caller).await?;
    membership::settle(app, &tx).await?;
    let team = locked(&tx, team).await?;
    let member = membership::row(&tx, member).await?;
    tx.one(place(&tx, team.id, member.id)).await?.ok_or_else(Error::not_found)?;
    let custom = custom_roles::direct(&tx, Holder::Team(team.id)).await?;
    if let Err(refusal) = roles::may_grant_all(&app.policy, caller, &gives(app, given(&team), &custom)) {
        return refuse(tx, team.id, refusal).await;
    }
    let removal = tx
        .remove::<rows::Entity>()
        .filter(rows::Column::TeamId.eq(team.id))
        .filter(rows::Column::MembershipId.eq(member.id));
    tx.delete(removal).await?;
    tx.commit(about(Kind::TeamMemberRemoved, &team, &member)).await?;
    app.sessions.forget(member.account_id);
    Ok(())
}

/// Puts a new member into the teams that their invitation names, in the transaction of that.
///
/// # Errors
/// When the database fails.
pub async fn join(tx: &WriteTx, teams: &[Row], member: &memberships::Model) -> Result<()> {
    for team in teams {
        let event = enter(tx, team, member).await?;
        tx.note(event).await?;
    }
    Ok(())
}

/// The ids of teams for the record, where each can be searched for.
pub fn ids(teams: &[Row]) -> String {
    teams.iter().map(|team| team.id.to_string()).collect::<Vec<_>>().join(" ")
}

fn place(tx: &Tx, team: TeamId, member: MembershipId) -> sea_orm::Select<rows::Entity> {
    tx.find::<rows::Entity>().filter(rows::Column::TeamId.eq(team)).filter(rows::Column::MembershipId.eq(member))
}

fn may_add(
    app: &App,
    caller: &Caller,
    (team, custom): (&Row, &[custom_roles::Row]),
    member: &memberships::Model,
) -> Result<()> {
    let gives = gives(app, given(team), custom);
    roles::may_grant_all(&app.policy, caller, &gives)?;
    if caller.membership != Some(member.id) {
        return Ok(());
    }
    team.role.as_ref().map_or(Ok(()), |role| roles::may_take(&app.policy, &member.role, role))?;
    roles::may_take_permissions(&app.policy, &member.role, &gives.permissions)
}

async fn enter(tx: &WriteTx, team: &Row, member: &memberships::Model) -> Result<Event> {
    let organization_id: OrganizationId = team.organization_id;
    let row = rows::Model { organization_id, team_id: team.id, membership_id: member.id };
    tx.append(vec![rows::ActiveModel::from(row)]).await?;
    Ok(about(Kind::TeamMemberAdded, team, member))
}

fn about(kind: Kind, team: &Row, member: &memberships::Model) -> Event {
    let event = Event::new(kind, team.id).in_organization(team.organization_id);
    let event = event.with("member", member.id.to_string()).with("account", member.account_id.to_string());
    event.with("role", team.role.clone())
}
