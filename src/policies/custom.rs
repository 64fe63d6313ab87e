//! Custom roles in the history: what each permitted at a moment, and who held it, directly and through teams.

use std::collections::HashMap;

use sea_orm::FromQueryResult;
use serde_json::{Value, json};
use uuid::Uuid;

use super::history::{self, By, moment};
use crate::{app::App, db::Tx, error::Result, runtime::Timestamp};

/// A custom role, as it was, and who made it so.
pub(super) struct CustomRole {
    row: RoleRow,
    by: By,
}

#[derive(FromQueryResult)]
struct RoleRow {
    organization_id: Uuid,
    id: Uuid,
    name: String,
    permissions: Vec<String>,
    since: Timestamp,
    known: bool,
    by_type: String,
    by_id: Option<Uuid>,
}

/// The last word about each role, unless that was its end.
const ROLES: &str = "
    SELECT organization_id, object_id AS id, coalesce(name, '') AS name, permissions, at AS since, change = 'known' AS known,
           actor_type AS by_type, actor_id AS by_id
    FROM (
        SELECT DISTINCT ON (organization_id, object_id) * FROM access_history
        WHERE kind = 'custom_role' AND ($1::uuid IS NULL OR organization_id = $1) AND ($2::uuid[] IS NULL OR object_id = ANY ($2))
          AND ($3::timestamptz IS NULL OR at <= $3)
        ORDER BY organization_id, object_id, at DESC, id DESC
    ) h WHERE change <> 'ended' ORDER BY organization_id, object_id";

/// The custom roles of an organisation; of all organisations, those that are named.
///
/// # Errors
/// When the database fails.
pub(super) async fn roles(
    app: &App,
    tx: &Tx,
    organization: Option<Uuid>,
    named: Vec<Uuid>,
    at: Option<Timestamp>,
) -> Result<Vec<CustomRole>> {
    let named = if organization.is_some() { None } else { Some(named) };
    let rows: Vec<RoleRow> = tx.query(ROLES, [organization.into(), named.into(), at.into()]).await?;
    let role = |row: RoleRow| CustomRole { by: By::unnamed(row.by_type.clone(), row.by_id), row };
    let mut roles: Vec<CustomRole> = rows.into_iter().map(role).collect();
    history::name(app, tx, roles.iter_mut().map(|role| (role.row.organization_id, &mut role.by))).await?;
    Ok(roles)
}

impl CustomRole {
    /// As the export has it.
    pub(super) fn json(&self) -> Value {
        json!({
            "organization_id": self.row.organization_id,
            "id": self.row.id,
            "name": self.row.name,
            "permissions": self.row.permissions,
            "since": moment(self.row.since),
            "before_history": self.row.known.then_some(true),
            "by": self.by.json(),
        })
    }
}

/// A custom role that somebody held.
pub(super) struct CustomGrant {
    pub id: Uuid,
    pub name: String,
    /// The team that gave it; none when it was held directly.
    pub team: Option<(Uuid, Option<String>)>,
    pub since: Timestamp,
    /// It was so already when the history began.
    pub known: bool,
    pub by: By,
}

impl CustomGrant {
    /// As the export has it.
    pub(super) fn json(&self) -> Value {
        let (team_id, team) = self.team.clone().map_or((None, None), |(id, name)| (Some(id), name));
        json!({
            "custom_role_id": self.id,
            "custom_role": self.name,
            "via": if team_id.is_some() { "team" } else { "direct" },
            "team_id": team_id,
            "team": team,
            "since": moment(self.since),
            "before_history": self.known.then_some(true),
            "by": self.by.json(),
        })
    }
}

#[derive(FromQueryResult)]
struct Row {
    holder_id: Uuid,
    custom_role_id: Uuid,
    name: String,
    team_id: Option<Uuid>,
    team: Option<String>,
    since: Timestamp,
    known: bool,
    by_type: String,
    by_id: Option<Uuid>,
}

/// What these memberships and service accounts held: directly, and by their places in teams, each since both were so.
const GRANTS: &str = "
    WITH places AS (
        SELECT * FROM (
            SELECT DISTINCT ON (organization_id, object_id, team_id) * FROM access_history
            WHERE kind = 'team_member' AND organization_id = ANY ($1) AND object_id = ANY ($2)
              AND ($3::timestamptz IS NULL OR at <= $3)
            ORDER BY organization_id, object_id, team_id, at DESC, id DESC
        ) h WHERE change <> 'ended'
    ), held AS (
        SELECT * FROM (
            SELECT DISTINCT ON (organization_id, object_id, custom_role_id) * FROM access_history
            WHERE kind IN ('membership_custom_role', 'service_account_custom_role', 'team_custom_role')
              AND organization_id = ANY ($1) AND (object_id = ANY ($2) OR object_id IN (SELECT team_id FROM places))
              AND ($3::timestamptz IS NULL OR at <= $3)
            ORDER BY organization_id, object_id, custom_role_id, at DESC, id DESC
        ) h WHERE change <> 'ended'
    ), given AS (
        SELECT organization_id, object_id AS holder_id, custom_role_id, NULL::uuid AS team_id, at AS since,
               change = 'known' AS known, actor_type, actor_id
        FROM held WHERE kind <> 'team_custom_role'
        UNION ALL
        SELECT p.organization_id, p.object_id, h.custom_role_id, p.team_id, greatest(p.at, h.at),
               p.change = 'known' AND h.change = 'known',
               CASE WHEN p.at >= h.at THEN p.actor_type ELSE h.actor_type END,
               CASE WHEN p.at >= h.at THEN p.actor_id ELSE h.actor_id END
        FROM held h JOIN places p ON p.organization_id = h.organization_id AND p.team_id = h.object_id
        WHERE h.kind = 'team_custom_role'
    )
    SELECT g.holder_id, g.custom_role_id, coalesce(r.name, '') AS name, g.team_id, t.name AS team, g.since, g.known,
           g.actor_type AS by_type, g.actor_id AS by_id
    FROM given g
    CROSS JOIN LATERAL (
        SELECT r.name, r.change FROM access_history r
        WHERE r.organization_id = g.organization_id AND r.object_id = g.custom_role_id AND r.kind = 'custom_role'
          AND ($3::timestamptz IS NULL OR r.at <= $3)
        ORDER BY r.at DESC, r.id DESC LIMIT 1
    ) r
    LEFT JOIN LATERAL (
        SELECT t.name FROM access_history t
        WHERE t.organization_id = g.organization_id AND t.object_id = g.team_id AND t.kind = 'team'
          AND ($3::timestamptz IS NULL OR t.at <= $3)
        ORDER BY t.at DESC, t.id DESC LIMIT 1
    ) t ON true
    WHERE r.change <> 'ended'
    ORDER BY g.holder_id, g.custom_role_id, g.team_id NULLS FIRST";

/// The custom roles that these memberships and service accounts held.
///
/// # Errors
/// When the database fails.
pub(super) async fn grants(
    tx: &Tx,
    organizations: Vec<Uuid>,
    holders: Vec<Uuid>,
    at: Option<Timestamp>,
) -> Result<HashMap<Uuid, Vec<CustomGrant>>> {
    let rows: Vec<Row> = tx.query(GRANTS, [organizations.into(), holders.into(), at.into()]).await?;
    let mut grants: HashMap<Uuid, Vec<CustomGrant>> = HashMap::new();
    for row in rows {
        grants.entry(row.holder_id).or_default().push(CustomGrant {
            id: row.custom_role_id,
            name: row.name,
            team: row.team_id.map(|id| (id, row.team)),
            since: row.since,
            known: row.known,
            by: By::unnamed(row.by_type, row.by_id),
        });
    }
    Ok(grants)
}
