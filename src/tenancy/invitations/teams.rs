//! The teams that an invitation names: the invited person joins them with the organisation.

use std::collections::HashMap;

use entity::{InvitationId, OrganizationId, TeamId, invitation_teams as rows, teams};
use sea_orm::{ColumnTrait, QueryFilter, QueryOrder, QuerySelect};

use crate::{
    db::{Tx, WriteTx},
    error::{Error, Fault, Result},
    tenancy::teams::Row,
};

/// The teams of invitations, by name.
pub(super) type OfInvitations = HashMap<InvitationId, Vec<Row>>;

/// The teams with these ids, as they stay until the transaction ends.
///
/// # Errors
/// `Invalid` with a pointer to each that is no team of this organisation.
pub(super) async fn wanted(tx: &WriteTx, ids: &[TeamId]) -> Result<Vec<Row>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let found = staying(tx, ids.iter().copied()).await?;
    let unknown = ids.iter().enumerate().filter(|(_, id)| found.iter().all(|team| team.id != **id));
    let faults: Vec<_> = unknown
        .map(|(at, _)| Fault::body(format!("/team_ids/{at}"), "unknown_team", "is not a team of this organisation"))
        .collect();
    if faults.is_empty() { Ok(found) } else { Err(Error::Invalid(faults)) }
}

/// Remembers which teams an invitation names.
///
/// # Errors
/// When the database fails.
pub(super) async fn keep(
    tx: &WriteTx,
    organization_id: OrganizationId,
    invitation_id: InvitationId,
    teams: &[Row],
) -> Result<()> {
    let row = |team: &Row| rows::Model { organization_id, invitation_id, team_id: team.id };
    tx.append(teams.iter().map(|team| rows::ActiveModel::from(row(team))).collect()).await
}

/// The teams that these invitations name.
///
/// # Errors
/// When the database fails.
pub(super) async fn of(tx: &Tx, ids: impl IntoIterator<Item = InvitationId>) -> Result<OfInvitations> {
    let named = tx.all(tx.find::<rows::Entity>().filter(rows::Column::InvitationId.is_in(ids))).await?;
    if named.is_empty() {
        return Ok(OfInvitations::new());
    }
    let mut found = OfInvitations::new();
    for team in tx.all(by_name(tx, named.iter().map(|row| row.team_id))).await? {
        for row in named.iter().filter(|row| row.team_id == team.id) {
            found.entry(row.invitation_id).or_default().push(team.clone());
        }
    }
    Ok(found)
}

/// The teams that an invitation names, as they stay until the transaction ends.
///
/// # Errors
/// When the database fails.
pub(super) async fn staying_of(tx: &WriteTx, id: InvitationId) -> Result<Vec<Row>> {
    let named = tx.all(tx.find::<rows::Entity>().filter(rows::Column::InvitationId.eq(id))).await?;
    if named.is_empty() {
        return Ok(Vec::new());
    }
    staying(tx, named.into_iter().map(|row| row.team_id)).await
}

async fn staying(tx: &WriteTx, ids: impl IntoIterator<Item = TeamId>) -> Result<Vec<Row>> {
    tx.all(by_name(tx, ids).lock_shared()).await
}

fn by_name(tx: &Tx, ids: impl IntoIterator<Item = TeamId>) -> sea_orm::Select<teams::Entity> {
    tx.find::<teams::Entity>().filter(teams::Column::Id.is_in(ids)).order_by_asc(teams::Column::NameKey)
}
