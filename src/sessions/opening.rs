//! A session begins.

use entity::{OrganizationId, refresh_tokens, sessions as rows};
use uuid::Uuid;

use super::{NewSession, Opened, Principal, Sessions, entered, principal::Place, seen};
use crate::{
    audit::{Event, Kind},
    db::{Found, WriteTx},
    error::Result,
};

/// A new session, its first refresh token, and the place that it begins in: the one that gives access and is wanted, that
/// of the last session, or the oldest. All in one round trip, and PostgreSQL is told the organisation on the way: a sign-in
/// has few to spend (PERF-2).
const OPEN: &str = "
    WITH place AS MATERIALIZED (
        SELECT m.organization_id, m.id AS membership_id, m.role,
               own_team_roles(m.organization_id, m.id) AS team_roles,
               own_custom_permissions(m.organization_id, m.id) AS permissions
        FROM memberships m
        JOIN organizations o ON o.id = m.organization_id AND o.status = 'active'
        WHERE m.account_id = $2 AND m.status = 'active'
        ORDER BY m.organization_id = $3 DESC NULLS LAST,
                 m.organization_id = (SELECT s.active_organization FROM sessions s
                                      WHERE s.account_id = $2 AND s.active_organization IS NOT NULL
                                      ORDER BY s.id DESC LIMIT 1) DESC NULLS LAST,
                 m.id
        LIMIT 1),
    session AS (
        INSERT INTO sessions (id, account_id, active_organization, delivery, factors, address, user_agent,
            authenticated_at, reauthenticated_at, created_at, last_seen_at, expires_at)
        VALUES ($1, $2, (SELECT organization_id FROM place), $4, $5, $6, $7, $8, $13, $8, $8, $9)),
    token AS (
        INSERT INTO refresh_tokens (id, session_id, token_hash, created_at, expires_at) VALUES ($10, $1, $11, $8, $12))
    SELECT place.*, set_config('freehold.organization', place.organization_id::text, true) FROM place";

impl Sessions {
    /// Opens a session for a person who has just proven who they are, in the transaction that found so. The transaction is
    /// in the session's organisation afterwards.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn open(&self, tx: &mut WriteTx, new: NewSession) -> Result<Opened> {
        let id = new.id;
        if tx.caller().session() != Some(id) {
            tx.identify(new.account, id).await?;
        }
        let (now, lifetime) = (tx.caller().now(), self.policy.platform_in(tx).await?.sessions.lifetime());
        let (address, user_agent) = seen::OPENED.seal(self.keys.vault(), id, &tx.caller().origin)?;
        let mut session = rows::Model {
            id,
            account_id: new.account,
            active_organization: None,
            delivery: new.delivery,
            factors: new.factors.join(" "),
            address,
            user_agent,
            authenticated_at: now,
            reauthenticated_at: new.proven_at.unwrap_or(now),
            created_at: now,
            last_seen_at: now,
            expires_at: now + lifetime,
            ended_at: None,
            end_reason: None,
        };
        let (refresh_token, first) = self.next_refresh_token(tx, &session, now).await?;
        let place = begin(tx, &session, first, new.organization).await?;
        session.active_organization = place.as_ref().map(Found::organization);
        let created = Event::new(Kind::SessionCreated, id).with("factors", session.factors.clone());
        let entered = session.active_organization.map(|organization| entered(new.account, organization));
        tx.note([created].into_iter().chain(entered).collect::<Vec<_>>()).await?;
        let seat = place.and_then(|place| self.principals.seat(place));
        let principal = Principal::begun(&session, seat);
        Ok(Opened { session, refresh_token: Some(refresh_token), principal: Some(principal) })
    }
}

/// Stores a session with its first refresh token, in the place that it begins in.
async fn begin(
    tx: &mut WriteTx,
    row: &rows::Model,
    token: refresh_tokens::Model,
    wanted: Option<OrganizationId>,
) -> Result<Option<Place>> {
    let values: [sea_orm::Value; 13] = [
        Uuid::from(row.id).into(),
        Uuid::from(row.account_id).into(),
        wanted.map(Uuid::from).into(),
        row.delivery.into(),
        row.factors.clone().into(),
        row.address.clone().into(),
        row.user_agent.clone().into(),
        row.created_at.into(),
        row.expires_at.into(),
        Uuid::from(token.id).into(),
        token.token_hash.into(),
        token.expires_at.into(),
        row.reauthenticated_at.into(),
    ];
    tx.enter_found(OPEN, values).await
}
