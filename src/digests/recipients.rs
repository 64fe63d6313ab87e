//! Who may read an organisation's alerts, and what they want to be told.

use std::collections::HashSet;

use entity::{AccountId, OrganizationId, memberships};
use sea_orm::{ColumnTrait, FromQueryResult, QueryFilter};
use uuid::Uuid;

use crate::{
    accounts,
    alerts::Preferences,
    app::App,
    authz::Decision,
    db::Tx,
    error::{Error, Result},
    runtime::Timestamp,
    types::Email,
};

/// The operation that whoever is told must be allowed.
const OPERATION: &str = "alerts_list";
/// How many people of an organisation are told at most: those who have been there longest.
const MOST: i64 = 500;

/// Somebody who may be told.
pub(super) struct Recipient {
    pub account: AccountId,
    pub email: Email,
    pub wants: Preferences,
    /// Up to which alert they have been told in digests.
    pub told_until: Option<Timestamp>,
}

#[derive(FromQueryResult)]
struct Row {
    account_id: AccountId,
    digest: Option<String>,
    minimum_severity: Option<String>,
    critical_at_once: Option<bool>,
    told_until: Option<Timestamp>,
}

/// Those whose role allows it, directly, by a team or by a role of the organisation's own.
const READERS: &str = "
    SELECT m.account_id, p.digest, p.minimum_severity, p.critical_at_once, d.told_until
    FROM memberships m
    LEFT JOIN alert_preferences p ON p.organization_id = m.organization_id AND p.account_id = m.account_id
    LEFT JOIN alert_digests d ON d.organization_id = m.organization_id AND d.account_id = m.account_id
    WHERE m.organization_id = $1 AND m.status = 'active' AND (
        m.role = ANY ($2)
        OR EXISTS (
            SELECT FROM team_members x JOIN teams t ON t.organization_id = x.organization_id AND t.id = x.team_id
            WHERE x.organization_id = m.organization_id AND x.membership_id = m.id AND t.role = ANY ($2))
        OR EXISTS (
            SELECT FROM custom_role_grants g
            JOIN custom_roles r ON r.organization_id = g.organization_id AND r.id = g.custom_role_id
            WHERE g.organization_id = m.organization_id AND $3 = ANY (r.permissions) AND (
                g.membership_id = m.id OR g.team_id IN (
                    SELECT x.team_id FROM team_members x
                    WHERE x.organization_id = m.organization_id AND x.membership_id = m.id))))
    ORDER BY m.id LIMIT $4";

/// Everybody who may read the organisation's alerts now.
///
/// # Errors
/// When the database fails.
pub(super) async fn list(app: &App, tx: &Tx, organization: OrganizationId) -> Result<Vec<Recipient>> {
    let operation = app.policy.registry().find(OPERATION).map(|(at, _)| at);
    let operation = operation.ok_or_else(|| Error::internal("the registry has no line for the list of alerts"))?;
    let roles = app.policy.hierarchy().rows().iter().map(|role| role.name.clone());
    let roles: Vec<String> = roles.filter(|role| app.policy.decide(role, operation) == Decision::Allow).collect();
    let values = [organization.into(), roles.into(), OPERATION.into(), MOST.into()];
    let rows: Vec<Row> = tx.query(READERS, values).await?;
    let ids: Vec<AccountId> = rows.iter().map(|row| row.account_id).collect();
    let active = active(tx, organization, &ids).await?;
    let ids = ids.into_iter().filter(|id| active.contains(id));
    let mut people = accounts::profiles(&app.vault, tx, ids).await?;
    let mut recipients = Vec::new();
    for row in rows {
        let Some(account) = people.remove(&row.account_id) else { continue };
        let default = Preferences::default();
        let wants = Preferences::of(
            row.digest.as_deref().unwrap_or(default.digest.as_str()),
            row.minimum_severity.as_deref().unwrap_or(default.minimum_severity.as_str()),
            row.critical_at_once.unwrap_or(default.critical_at_once),
        );
        let email = account.email.parse().map_err(Error::internal)?;
        recipients.push(Recipient { account: row.account_id, email, wants, told_until: row.told_until });
    }
    Ok(recipients)
}

/// Whose accounts are not blocked.
async fn active(tx: &Tx, organization: OrganizationId, ids: &[AccountId]) -> Result<HashSet<AccountId>> {
    let seats = tx
        .find::<memberships::Entity>()
        .filter(memberships::Column::OrganizationId.eq(organization))
        .filter(memberships::Column::AccountId.is_in(ids.iter().copied()))
        .filter(memberships::Column::AccountId.in_subquery(accounts::active(tx)));
    Ok(tx.all(seats).await?.into_iter().map(|seat| seat.account_id).collect())
}

/// An organisation as letters name it.
#[derive(FromQueryResult)]
pub(super) struct Named {
    pub name: String,
    pub slug: String,
}

/// The organisation, unless it was closed.
///
/// # Errors
/// When the database fails.
pub(super) async fn organization(tx: &Tx, id: OrganizationId) -> Result<Option<Named>> {
    let sql = "SELECT name, slug FROM organizations WHERE id = $1 AND status = 'active'";
    Ok(tx.query(sql, [Uuid::from(id).into()]).await?.into_iter().next())
}
