//! What goes in organisations when a person is erased: their memberships with the places in teams, and the invitations
//! that they were sent.

use std::collections::BTreeSet;

use entity::{AccountId, InvitationId, OrganizationId, OutboxId, memberships as seats, organizations};
use sea_orm::{ColumnTrait, FromQueryResult, QueryFilter, QueryOrder, QuerySelect};

use super::{invitations, members};
use crate::{
    audit::{Event, Kind},
    db::{Tx, WriteTx},
    error::Result,
    mail,
    types::Email,
    vault::Vault,
};

/// The organisations of a person, locked: nobody else changes who belongs to them before the end of the transaction.
///
/// # Errors
/// When the database fails.
pub async fn lock_organizations(tx: &WriteTx, account: AccountId) -> Result<BTreeSet<OrganizationId>> {
    let ids: BTreeSet<_> = seats_of(tx, account).await?.into_iter().map(|seat| seat.organization_id).collect();
    // In one order, so that two of them don't wait for each other.
    let query = tx.find::<organizations::Entity>().filter(organizations::Column::Id.is_in(ids.iter().copied()));
    tx.all(query.order_by_asc(organizations::Column::Id).lock_exclusive()).await?;
    Ok(ids)
}

/// The organisations in use that would be without an owner, or the platform without an administrator, if this person
/// left. The caller has locked them.
///
/// # Errors
/// When the database fails.
pub async fn only_owner(tx: &Tx, account: AccountId) -> Result<Vec<OrganizationId>> {
    let mut alone = Vec::new();
    for seat in seats_of(tx, account).await? {
        let open = tx.find::<organizations::Entity>().filter(organizations::Column::Id.eq(seat.organization_id));
        let open = tx.one(open.filter(organizations::Column::Status.eq(organizations::Status::Active))).await?;
        if open.is_some() && members::is_last_at_the_top(tx, &seat).await? {
            alone.push(seat.organization_id);
        }
    }
    Ok(alone)
}

async fn seats_of(tx: &Tx, account: AccountId) -> Result<Vec<seats::Model>> {
    let query = tx.find::<seats::Entity>().filter(seats::Column::AccountId.eq(account));
    tx.all(query.order_by_asc(seats::Column::OrganizationId)).await
}

/// Removes a person's memberships, whatever organisations that leaves without an owner.
///
/// # Errors
/// When the database fails.
pub async fn erase_memberships(tx: &WriteTx, account: AccountId) -> Result<Vec<Event>> {
    let seats = seats_of(tx, account).await?;
    tx.delete(tx.remove::<seats::Entity>().filter(seats::Column::AccountId.eq(account))).await?;
    let event = |seat: seats::Model| {
        let event = Event::new(Kind::MemberRemoved, seat.id).in_organization(seat.organization_id);
        event.with("account", account.to_string()).with("role", seat.role).with("erased", true)
    };
    Ok(seats.into_iter().map(event).collect())
}

#[derive(FromQueryResult)]
struct Sent {
    id: InvitationId,
    organization_id: OrganizationId,
    mail_id: Option<OutboxId>,
}

const SENT: &str = "
    SELECT id, organization_id, mail_id FROM invitations
    WHERE accepted_by = $1 OR id IN (SELECT invitation_id FROM invitation_matches WHERE value = ANY ($2))";

/// Removes the invitations that a person accepted, or that their address was sent, with letters that have not left.
///
/// # Errors
/// When the database fails.
pub async fn erase_invitations(
    tx: &WriteTx,
    vault: &Vault,
    account: AccountId,
    email: Option<&Email>,
) -> Result<Vec<Event>> {
    let addresses = email.map(|email| invitations::addresses(vault, email)).transpose()?.unwrap_or_default();
    let sent: Vec<Sent> = tx.query(SENT, [account.into(), addresses.into()]).await?;
    let ids: Vec<InvitationId> = sent.iter().map(|sent| sent.id).collect();
    let letters: Vec<OutboxId> = sent.iter().filter_map(|sent| sent.mail_id).collect();
    invitations::erase(tx, ids).await?;
    mail::erase(tx, &letters).await?;
    let event = |sent: Sent| Event::new(Kind::InvitationErased, sent.id).in_organization(sent.organization_id);
    Ok(sent.into_iter().map(event).collect())
}
