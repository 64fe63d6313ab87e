//! What a service that is presented a token may know of it (RFC 7662), and its end (RFC 7009).
//!
//! A token is told about as its session is now, not as the token says; and only to a caller in the organisation that
//! both are in. To everybody else it is no token.

use entity::{AccountId, OrganizationId, PlatformAccessId, SessionId, refresh_tokens, sessions as rows};
use sea_orm::{ColumnTrait, QueryFilter, QuerySelect};

use super::{REFRESH_PREFIX, Sessions, end_row, hash};
use crate::{
    audit::{Event, Kind},
    error::{Error, Result},
    runtime::Timestamp,
    types::Caller,
};

/// Which token it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Token {
    /// An access token.
    Access,
    /// A refresh token.
    Refresh,
}

/// A token that is good, and what is true of its session.
#[derive(Clone, Debug)]
pub struct Presented {
    /// Which it is.
    pub token: Token,
    /// Whose.
    pub account: AccountId,
    /// Of which session.
    pub session: SessionId,
    /// Where the session is: the caller's organisation.
    pub organization: OrganizationId,
    /// What the person may there, the highest role first.
    pub roles: Vec<String>,
    /// The access of a platform administrator who acts there without belonging to it.
    pub acting: Option<PlatformAccessId>,
    /// How the person signed in (RFC 8176).
    pub factors: Vec<String>,
    /// When the person last proved who they are.
    pub authenticated_at: Timestamp,
    /// When the token was made, in seconds since 1970.
    pub issued_at: i64,
    /// When the token ends, or its session before that, in seconds since 1970.
    pub expires_at: i64,
    /// Who made it.
    pub issuer: String,
    /// Whom it is for.
    pub audience: String,
    /// The access token's own id.
    pub id: Option<uuid::Uuid>,
}

/// What a token says of itself.
struct Read {
    token: Token,
    account: AccountId,
    session: SessionId,
    organization: Option<OrganizationId>,
    issued_at: i64,
    expires_at: i64,
    id: Option<uuid::Uuid>,
}

impl Sessions {
    /// What is true of a token that is good now and belongs to a session in the caller's organisation.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn introspect(&self, caller: &Caller, token: &str) -> Result<Option<Presented>> {
        let organization = caller.organization().ok_or_else(Error::not_found)?;
        let Some(read) = self.read(caller, token).await? else { return Ok(None) };
        let principal = match self.principals.get(read.account, read.session, &caller.origin).await {
            Ok(principal) => principal,
            Err(Error::Unauthenticated(_)) => return Ok(None),
            Err(error) => return Err(error),
        };
        let seat = principal.seat.as_ref().filter(|seat| seat.organization == organization);
        let Some(seat) = seat.filter(|_| read.organization.is_none_or(|own| own == organization)) else {
            return Ok(None);
        };
        let ends = seat.acting.map_or(principal.expires_at, |acting| acting.expires_at.min(principal.expires_at));
        Ok(Some(Presented {
            token: read.token,
            account: read.account,
            session: read.session,
            organization,
            roles: seat.roles().map(ToString::to_string).collect(),
            acting: seat.acting.map(|acting| acting.access),
            factors: principal.factors.clone(),
            authenticated_at: principal.reauthenticated_at,
            issued_at: read.issued_at,
            expires_at: read.expires_at.min(ends.timestamp()),
            issuer: self.issuer.to_string(),
            audience: self.settings.audience.clone(),
            id: read.id,
        }))
    }

    /// Ends the session of a token that is good now and belongs to a session in the caller's organisation. Nothing
    /// happens for any other token, and nobody is told.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn revoke(&self, caller: &Caller, token: &str) -> Result<()> {
        let Some(presented) = self.introspect(caller, token).await? else { return Ok(()) };
        let tx = self.db.write(caller).await?;
        let by_id = tx.find_identity::<rows::Entity>().filter(rows::Column::Id.eq(presented.session));
        let live = by_id.filter(rows::Column::EndedAt.is_null());
        let Some(row) = tx.one(live.lock_exclusive()).await? else { return Ok(()) };
        end_row(&tx, row, "token_revoked").await?;
        // In the record of whoever did it, and in the platform's, where sessions are.
        let ended = Event::new(Kind::SessionEnded, presented.session).about(presented.account);
        let revoked = Event::new(Kind::TokenRevoked, presented.session);
        tx.commit(vec![revoked, ended.with("reason", "token_revoked")]).await?;
        self.principals.forget(presented.account);
        Ok(())
    }

    /// What a token of ours that is not too old says; `None` for anything else.
    async fn read(&self, caller: &Caller, token: &str) -> Result<Option<Read>> {
        if token.starts_with(REFRESH_PREFIX) {
            return self.read_refresh_token(caller, token).await;
        }
        let claims = match self.verified(token, &caller.origin).await {
            Ok(claims) => claims,
            Err(Error::Unauthenticated(_)) => return Ok(None),
            Err(error) => return Err(error),
        };
        // One without an organisation is in none, whatever its session has become since.
        let Some(organization) = claims.org else { return Ok(None) };
        Ok(Some(Read {
            token: Token::Access,
            account: claims.sub,
            session: claims.sid,
            organization: Some(organization),
            issued_at: claims.iat,
            expires_at: claims.exp,
            id: Some(claims.jti),
        }))
    }

    /// A refresh token as it would be taken: used once and not left lying for too long. To ask about one does not use
    /// it, and is no sign that it was stolen.
    async fn read_refresh_token(&self, caller: &Caller, token: &str) -> Result<Option<Read>> {
        let tx = self.db.read(caller).await?;
        let by_hash =
            tx.find_identity::<refresh_tokens::Entity>().filter(refresh_tokens::Column::TokenHash.eq(hash(token)));
        let Some(row) = tx.one(by_hash).await? else { return Ok(None) };
        let idle = self.policy.effective_in(&tx).await?.sessions.idle();
        let ends = row.expires_at.min(row.created_at + idle);
        if row.used_at.is_some() || ends <= caller.now() {
            return Ok(None);
        }
        let by_id = tx.find_identity::<rows::Entity>().filter(rows::Column::Id.eq(row.session_id));
        Ok(tx.one(by_id).await?.map(|session| Read {
            token: Token::Refresh,
            account: session.account_id,
            session: session.id,
            organization: None,
            issued_at: row.created_at.timestamp(),
            expires_at: ends.timestamp(),
            id: None,
        }))
    }
}
