//! Sessions: one sign-in on one device, its tokens, and its end.
//!
//! This module owns the tables `sessions`, `session_floors`, `refresh_tokens`, `signing_keys` and `platform_access`. It
//! does not know how a person proved who they are; whoever calls [`Sessions::open`] has checked that.

mod acting;
mod ends;
mod factors;
mod introspection;
mod keys;
mod opening;
mod principal;
mod rotation;
mod seen;
mod token;
mod verified;

use std::{sync::Arc, time::Duration};

use chrono::TimeDelta;
use entity::{
    AccountId, OrganizationId, RefreshTokenId, SessionId, memberships, organizations, refresh_tokens, sessions as rows,
};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QuerySelect,
    sea_query::{Expr, ExprTrait},
};

pub use acting::{Access, accesses, acting, close_finished, find_access, has_acted, reason, still_acting};
pub use ends::{Own, Whose, end_all_of, end_all_within, end_begun, end_one_of, end_others_of, of_account, write_ends};
pub use factors::{DEVICE, LONG_AGO, WEAK, without_second_factor};
pub use introspection::{Presented, Token};
pub use keys::Keys;
pub use principal::{Acting, Principal, Principals, REREAD, Seat};
pub use rotation::{CACHE_SECONDS, Previous, SigningKey};
pub use seen::{Origins, SEALED, Seen, seal_clear, seal_clear_reasons};
pub use token::{Claims, hash, opaque};
use verified::Verified;

use crate::{
    audit::{Event, Kind},
    config::{SecretString, Tokens},
    db::{Db, Tx, Unrecorded, WriteTx},
    error::{Code, Error, Result},
    jobs::{Report, Run},
    runtime::{Entropy, Ids, Timestamp},
    settings::Settings,
    types::{Caller, Origin, Page, PageRequest},
};

/// A session's row, for lists.
pub type Session = rows::Model;

/// How long a session that is over is kept.
const KEPT: TimeDelta = TimeDelta::days(30);

/// The prefix of refresh tokens, for people and secret scanners.
const REFRESH_PREFIX: &str = "fhr_";

/// Everything that sessions need.
#[derive(Clone)]
pub struct Sessions {
    db: Db,
    keys: Keys,
    principals: Principals,
    verified: Verified,
    settings: Arc<Tokens>,
    policy: Settings,
    issuer: Arc<str>,
    entropy: Entropy,
}

/// What a sign-in brings.
pub struct NewSession {
    /// The new session's id.
    pub id: SessionId,
    /// Who signed in.
    pub account: AccountId,
    /// How the tokens travel.
    pub delivery: rows::Delivery,
    /// How the person proved it (RFC 8176), such as `pwd`.
    pub factors: &'static [&'static str],
    /// When the person counts as having proven who they are, if not now.
    pub proven_at: Option<Timestamp>,
    /// The organisation to be in; otherwise the one the person was in last, or their first.
    pub organization: Option<OrganizationId>,
}

/// A session that was opened or carried on, with what its client needs.
pub struct Opened {
    /// The session.
    pub session: Session,
    /// The refresh token, unless the one the client has is still the one.
    pub refresh_token: Option<SecretString>,
    /// What is true of a session that was just opened.
    pub principal: Option<Principal>,
}

impl Opened {
    /// A session that goes on with the refresh token that its client has.
    fn again(session: Session) -> Self {
        Self { session, refresh_token: None, principal: None }
    }
}

/// A signed access token.
pub struct AccessToken {
    /// The token.
    pub token: SecretString,
    /// How long it is valid.
    pub expires_in: Duration,
    /// The organisation that it is for.
    pub organization: Option<OrganizationId>,
}

impl Sessions {
    /// Sessions over these keys. `issuer` is the public URL.
    pub fn new(db: Db, keys: Keys, principals: Principals, settings: Tokens, issuer: &str) -> Self {
        let policy = principals.settings.clone();
        let (settings, verified) = (Arc::new(settings), Verified::new());
        Self { db, keys, principals, verified, settings, policy, issuer: issuer.into(), entropy: Entropy }
    }

    /// The signing keys.
    pub fn keys(&self) -> &Keys {
        &self.keys
    }

    /// How long a session's cookies are kept: as long as it lives at most without being carried on.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn lifetime(&self, origin: &Origin) -> Result<Duration> {
        Ok(self.policy.platform(origin).await?.sessions.idle().to_std().unwrap_or_default())
    }

    /// How long after an authentication operations that demand a recent one are open in this organisation: the settings
    /// decide, and the configuration where it is stricter.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn reauthentication_window(
        &self,
        organization: Option<OrganizationId>,
        origin: &Origin,
    ) -> Result<Duration> {
        let settings = self.policy.effective(organization.unwrap_or(OrganizationId::PLATFORM), origin).await?;
        let window = settings.reauthentication.window().to_std().unwrap_or_default();
        Ok(window.min(self.settings.reauthentication_window))
    }

    /// A refresh token and its row, which is to be inserted.
    async fn next_refresh_token(
        &self,
        tx: &WriteTx,
        session: &Session,
        now: Timestamp,
    ) -> Result<(SecretString, refresh_tokens::Model)> {
        let secret = opaque(REFRESH_PREFIX, self.entropy)?;
        // An organisation's stricter limit is held against the token's age when it is used.
        let idle = self.policy.platform_in(tx).await?.sessions.idle();
        let row = refresh_tokens::Model {
            id: Ids.next::<RefreshTokenId>(),
            session_id: session.id,
            token_hash: hash(secret.expose()),
            created_at: now,
            expires_at: Ord::min(now + idle, session.expires_at),
            used_at: None,
        };
        Ok((secret, row))
    }

    /// Carries a session on: the presented refresh token is used up and a new one takes its place. A token that was
    /// used before ends the whole session: one of the two who presented it is not its owner (RFC 9700, 4.14). One that
    /// comes in another `vessel` than it was given in is refused and stays as it is: it leaked from there. Before anything
    /// is done about the session, `admit` says whether it is not carried on too often.
    ///
    /// # Errors
    /// What `admit` says; `Unauthenticated` for a token that is unknown, used, misplaced, or too old for where its session is, or whose
    /// session has ended.
    pub async fn refresh(
        &self,
        caller: &Caller,
        token: &str,
        vessel: rows::Delivery,
        admit: impl FnOnce(SessionId) -> Result<()>,
    ) -> Result<Opened> {
        let refused = || Error::Unauthenticated(Code::SessionEnded);
        let mut tx = self.db.write(caller).await?;
        let by_hash =
            tx.find_identity::<refresh_tokens::Entity>().filter(refresh_tokens::Column::TokenHash.eq(hash(token)));
        let presented = tx.one(by_hash.lock_exclusive()).await?.ok_or_else(refused)?;
        let by_id = tx.find_identity::<rows::Entity>().filter(rows::Column::Id.eq(presented.session_id));
        let session = tx.one(by_id.filter(ends::standing()).lock_exclusive()).await?.ok_or_else(refused)?;
        admit(session.id)?;
        let now = caller.now();
        if session.ended_at.is_some() {
            return Err(refused());
        }
        if presented.used_at.is_some() {
            let event = Event::new(Kind::RefreshTokenReused, session.id).about(session.account_id).refused();
            let account = session.account_id;
            end_row(&tx, session, "refresh_token_reused").await?;
            let refusal = tx.commit_refused(event, refused()).await;
            self.principals.forget(account);
            return refusal;
        }
        if presented.expires_at <= now || session.expires_at <= now {
            return Err(refused());
        }
        if session.delivery != vessel {
            let event = Event::new(Kind::RefreshTokenMisplaced, session.id).about(session.account_id).refused();
            return tx.commit_refused(event, refused()).await;
        }
        tx.identify(session.account_id, session.id).await?;
        let lifetime = self.policy.platform_in(&tx).await?.sessions.lifetime();
        let idle = self.idle_in(&mut tx, session.active_organization).await?;
        if presented.created_at + idle <= now || session.authenticated_at + lifetime <= now {
            return Err(refused());
        }
        let mut used = presented.into_active_model();
        used.used_at = Set(Some(now));
        tx.update(used).await?;
        let mut seen = session.into_active_model();
        seen.last_seen_at = Set(now);
        let session = tx.update(seen).await?;
        let (refresh_token, next) = self.next_refresh_token(&tx, &session, now).await?;
        tx.append(vec![refresh_tokens::ActiveModel::from(next)]).await?;
        tx.commit(Unrecorded("a refresh only carries on what session.created recorded")).await?;
        Ok(Opened { session, refresh_token: Some(refresh_token), principal: None })
    }

    /// How long a session that is in this organisation may go without being carried on.
    async fn idle_in(&self, tx: &mut WriteTx, organization: Option<OrganizationId>) -> Result<TimeDelta> {
        let Some(organization) = organization else { return Ok(self.policy.platform_in(tx).await?.sessions.idle()) };
        // Whether the person still belongs there is the token's business, which is made of what is true then.
        tx.enter(organization).await?;
        Ok(self.policy.effective_in(tx).await?.sessions.idle())
    }

    /// An access token for a session as it is now.
    ///
    /// # Errors
    /// `Unauthenticated` when the session or its account has lost access meanwhile.
    pub async fn issue(&self, opened: &Opened, origin: &Origin) -> Result<AccessToken> {
        let principal = match &opened.principal {
            Some(found) => self.principals.ending(found, origin).await?,
            None => self.principals.fresh(opened.session.account_id, opened.session.id, origin).await?,
        };
        let expires = Ord::min(origin.now + self.settings.access_lifetime, principal.expires_at);
        let acting = principal.seat.as_ref().and_then(|seat| seat.acting);
        let expires = acting.map_or(expires, |acting| Ord::min(expires, acting.expires_at));
        let claims = Claims {
            iss: self.issuer.to_string(),
            aud: self.settings.audience.clone(),
            sub: principal.account,
            sid: principal.session,
            jti: Ids.next(),
            org: principal.seat.as_ref().map(|seat| seat.organization),
            role: principal.seat.as_ref().map(|seat| seat.role.to_string()),
            acting: acting.map(|acting| acting.access),
            amr: principal.factors.clone(),
            auth_time: principal.reauthenticated_at.timestamp(),
            iat: origin.now.timestamp(),
            exp: expires.timestamp(),
        };
        let expires_in = (expires - origin.now).to_std().unwrap_or_default();
        let token = SecretString::new(self.keys.sign(&claims, origin).await?);
        Ok(AccessToken { token, expires_in, organization: claims.org })
    }

    /// Who presents an access token, as they are now.
    ///
    /// # Errors
    /// `Unauthenticated` for a token that is not ours, too old, or whose session has ended.
    pub async fn recognise(&self, token: &str, origin: &Origin) -> Result<Arc<Principal>> {
        let claims = self.verified(token, origin).await?;
        self.principals.get(claims.sub, claims.sid, origin).await
    }

    /// What an access token says, if it is ours and not too old.
    async fn verified(&self, token: &str, origin: &Origin) -> Result<Arc<Claims>> {
        let fingerprint = hash(token);
        let claims = match self.verified.get(&fingerprint, &self.keys, origin).await? {
            Some(claims) => claims,
            None => {
                let claims = Box::pin(self.keys.verify(token, &self.issuer, &self.settings.audience, origin)).await?;
                self.verified.keep(fingerprint, token, claims)
            }
        };
        if claims.exp <= origin.now.timestamp() {
            return Err(Error::Unauthenticated(Code::Unauthenticated));
        }
        Ok(claims)
    }

    /// The principal of a session whose token was recognised before, as it is now. What began with a token and goes on
    /// after it asks this again and again.
    ///
    /// # Errors
    /// `Unauthenticated` when the session has ended.
    pub async fn present(&self, account: AccountId, session: SessionId, origin: &Origin) -> Result<Arc<Principal>> {
        self.principals.get(account, session, origin).await
    }

    /// Whether [`Sessions::present`] has the answer without reading it.
    pub fn trusts(&self, account: AccountId, session: SessionId, now: Timestamp) -> bool {
        self.principals.standing(account, session, now).is_some()
    }

    /// Marks what was made of an account's profile as stale, once a change that gives and takes nothing is committed.
    pub fn forget_profile(&self, account: AccountId) {
        self.principals.forget_profile(account);
    }

    /// Drops what this instance keeps of everybody, after it has changed what an organisation or several of its people
    /// are: the next answer must not be from before.
    pub fn forget_all(&self) {
        self.principals.forget_all();
    }

    /// The caller's principal if this instance has it and it is true without asking. One whose seat the caller has not,
    /// because the session has become too old for the organisation, says more than is true.
    pub fn standing(&self, caller: &Caller) -> Option<Arc<Principal>> {
        let (account, session) = signed_in(caller).ok()?;
        let principal = self.principals.standing(account, session, caller.now())?;
        let seat = principal.seat.as_ref().map(|seat| seat.organization);
        (seat == caller.organization()).then_some(principal)
    }

    /// Notes in the caller's session that its person has just proven again who they are.
    ///
    /// # Errors
    /// `Unauthenticated` when the session has ended meanwhile.
    pub async fn reauthenticated(&self, tx: &WriteTx) -> Result<Opened> {
        let mut row = self.current(tx).await?.into_active_model();
        row.reauthenticated_at = Set(tx.caller().now());
        let session = tx.update(row).await?;
        Ok(Opened::again(session))
    }

    /// Notes in the caller's session that its person has just proven who they are, and with which factors (RFC 8176): it
    /// is as good from now on as one that began with them. One that began without a password stays one, because an
    /// organisation may not allow the other way.
    ///
    /// # Errors
    /// `Unauthenticated` when the session has ended meanwhile.
    pub async fn proven_with(&self, tx: &WriteTx, factors: &[&str]) -> Result<Opened> {
        let mut row = self.current(tx).await?.into_active_model();
        row.reauthenticated_at = Set(tx.caller().now());
        row.factors = Set(factors::proven(&row.factors.take().unwrap_or_default(), factors));
        let session = tx.update(row).await?;
        Ok(Opened::again(session))
    }

    /// Drops what is kept of an account, once a change of it, its sessions or its places is committed.
    pub fn forget(&self, account: AccountId) {
        self.principals.forget(account);
    }

    /// Moves the caller's session into another organisation of theirs.
    ///
    /// # Errors
    /// `NotFound` when the caller is no active member of an active organisation of this id; `Forbidden` with
    /// `sign_in_again` when they signed in longer ago than it allows or before it ended its sessions, with
    /// `way_not_allowed` when in a way that it does not.
    pub async fn switch(&self, caller: &Caller, organization: OrganizationId) -> Result<Opened> {
        let (account, _) = signed_in(caller)?;
        let mut tx = self.db.write(caller).await?;
        let seats = tx.find_own::<memberships::Entity>().filter(memberships::Column::OrganizationId.eq(organization));
        let seat = tx.one(giving_access(seats)).await?.ok_or_else(Error::not_found)?;
        acting::leave(&tx).await?;
        tx.enter(seat.organization_id).await?;
        let row = self.current(&tx).await?;
        let settings = self.policy.effective_in(&tx).await?;
        let too_old = row.authenticated_at + settings.sessions.lifetime() <= caller.now();
        if too_old || ends::began_before_floor(&tx, row.id, organization).await? {
            return Err(Error::Forbidden(Code::SignInAgain));
        }
        if !settings.sign_in.admits(row.factors.split(' ')) {
            return Err(Error::Forbidden(Code::WayNotAllowed));
        }
        let mut row = row.into_active_model();
        row.active_organization = Set(Some(organization));
        let session = tx.update(row).await?;
        tx.commit(entered(account, organization)).await?;
        self.principals.forget(account);
        Ok(Opened::again(session))
    }

    /// The caller's live sessions, newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list(&self, caller: &Caller, page: PageRequest) -> Result<Page<Session>> {
        let (account, _) = signed_in(caller)?;
        let tx = self.db.read(caller).await?;
        tx.page(live(&tx, account, caller.now()), rows::Column::Id, |row| row.id.into(), page).await
    }

    /// One of the caller's live sessions.
    ///
    /// # Errors
    /// `NotFound` when the caller has no live session of this id.
    pub async fn get(&self, caller: &Caller, session: SessionId) -> Result<Session> {
        let (account, _) = signed_in(caller)?;
        let tx = self.db.read(caller).await?;
        let query = live(&tx, account, caller.now()).filter(rows::Column::Id.eq(session));
        tx.one(query).await?.ok_or_else(Error::not_found)
    }

    /// The caller's own session.
    ///
    /// # Errors
    /// `Unauthenticated` when it has ended meanwhile.
    pub async fn current(&self, tx: &Tx) -> Result<Session> {
        let (account, session) = signed_in(tx.caller())?;
        let query = live(tx, account, tx.caller().now()).filter(rows::Column::Id.eq(session));
        tx.one(query).await?.ok_or(Error::Unauthenticated(Code::SessionEnded))
    }

    /// Ends one of the caller's sessions.
    ///
    /// # Errors
    /// `NotFound` when the caller has no live session of this id.
    pub async fn end(&self, caller: &Caller, session: SessionId) -> Result<()> {
        let (account, _) = signed_in(caller)?;
        let tx = self.db.write(caller).await?;
        let query = live(&tx, account, caller.now()).filter(rows::Column::Id.eq(session));
        let row = tx.one(query.lock_exclusive()).await?.ok_or_else(Error::not_found)?;
        end_row(&tx, row, "signed_out").await?;
        tx.commit(Event::new(Kind::SessionEnded, session)).await?;
        self.principals.forget(account);
        Ok(())
    }

    /// Ends all of the caller's sessions, this one included.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn end_all(&self, caller: &Caller) -> Result<()> {
        let (account, _) = signed_in(caller)?;
        let tx = self.db.write(caller).await?;
        let ended = end_all_of(&tx, account, "signed_out_everywhere").await?;
        tx.commit(Event::new(Kind::SessionsEnded, account).with("sessions", ended)).await?;
        self.principals.forget(account);
        Ok(())
    }
}

/// Removes every session of a person who is erased, with its tokens, and what they wrote about their accesses to
/// organisations. Returns how many sessions there were.
///
/// # Errors
/// When the database fails.
pub async fn erase(tx: &WriteTx, account: AccountId) -> Result<u64> {
    tx.execute("UPDATE platform_access SET reason = NULL WHERE account_id = $1", [account.into()]).await?;
    tx.execute("DELETE FROM sessions WHERE account_id = $1", [account.into()]).await
}

/// Removes refresh tokens that are too old to be presented, and sessions that are over for so long that nobody asks
/// about them.
///
/// # Errors
/// When the database fails.
pub async fn clean_up(run: Run) -> Result<Report> {
    let now = run.caller().now();
    let tokens = "DELETE FROM refresh_tokens WHERE id IN (
             SELECT id FROM refresh_tokens WHERE expires_at < $1 ORDER BY expires_at LIMIT 1000)";
    let tokens = run.repeat(tokens, &[now.into()]).await?;
    // With them go their tokens.
    let over = "DELETE FROM sessions WHERE id IN (
             SELECT id FROM sessions WHERE ended_at < $1 OR expires_at < $1 LIMIT 1000)";
    let sessions = run.repeat(over, &[(now - KEPT).into()]).await?;
    let tx = run.write().await?;
    let report = Report::from([("refresh_tokens", tokens), ("sessions", sessions)]);
    if sessions == 0 {
        return run.commit(tx, report, Unrecorded("nobody's session was removed")).await;
    }
    run.commit(tx, report, Event::without_target(Kind::SessionsCleanedUp).with("sessions", sessions)).await
}

async fn end_row(tx: &WriteTx, row: Session, reason: &'static str) -> Result<()> {
    let mut row = row.into_active_model();
    row.ended_at = Set(Some(tx.caller().now()));
    row.end_reason = Set(Some(reason.to_owned()));
    tx.update(row).await?;
    Ok(())
}

fn live(tx: &Tx, account: AccountId, now: Timestamp) -> sea_orm::Select<rows::Entity> {
    tx.find_identity::<rows::Entity>()
        .filter(rows::Column::AccountId.eq(account))
        .filter(rows::Column::EndedAt.is_null())
        .filter(rows::Column::ExpiresAt.gt(now))
        .filter(ends::standing())
}

/// Those of some memberships that give access: active ones in active organisations.
pub fn giving_access(seats: sea_orm::Select<memberships::Entity>) -> sea_orm::Select<memberships::Entity> {
    let open = Expr::col((organizations::Entity, organizations::Column::Status)).eq("active");
    seats
        .filter(memberships::Column::Status.eq(memberships::Status::Active))
        .join(
            sea_orm::JoinType::InnerJoin,
            memberships::Entity::belongs_to(organizations::Entity)
                .from(memberships::Column::OrganizationId)
                .to(organizations::Column::Id)
                .into(),
        )
        .filter(open)
}

fn entered(account: AccountId, organization: OrganizationId) -> Event {
    Event::new(Kind::OrganizationEntered, account).in_organization(organization)
}

fn signed_in(caller: &Caller) -> Result<(AccountId, SessionId)> {
    caller.account().zip(caller.session()).ok_or(Error::Unauthenticated(Code::Unauthenticated))
}
