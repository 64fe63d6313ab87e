//! The live truth about a session: its account, its organisation and its role there, as they are now (SES-4).
//!
//! It is read from the database once and kept while the notification channel proves that nothing has changed;
//! without that proof every request reads it again.

use std::{
    any::Any,
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use chrono::TimeDelta;
use entity::{
    AccountId, MembershipId, OrganizationId, PlatformAccessId, SessionId,
    sessions::{self as rows, Delivery},
};
use moka::sync::Cache;
use sea_orm::{FromQueryResult, entity::prelude::DateTimeUtc};
use uuid::Uuid;

use crate::{
    authz::Policy,
    db::{Change, Changes, Db, Found},
    error::{Code, Error, Result},
    runtime::Timestamp,
    settings::Settings,
    types::{Caller, Origin, Permissions, Role},
};

/// How many accounts' sessions are kept at most: a few hundred bytes each.
const ACCOUNTS: u64 = 50_000;
/// How long what was read is kept at most, although nothing was told of a change: whatever goes wrong with telling, what
/// the policy and an organisation's own roles say is in force a minute later (AZ-6).
pub const REREAD: TimeDelta = TimeDelta::seconds(60);
/// How many sessions of one account are kept at most.
const SESSIONS: usize = 64;

/// What is true of a session now.
#[derive(Clone, Debug)]
pub struct Principal {
    /// Whose it is.
    pub account: AccountId,
    /// The session.
    pub session: SessionId,
    /// How its tokens travel.
    pub delivery: Delivery,
    /// How the person signed in, as `amr` values.
    pub factors: Vec<String>,
    /// When the person signed in.
    pub authenticated_at: Timestamp,
    /// When the person last proved who they are, at sign-in or since.
    pub reauthenticated_at: Timestamp,
    /// Whether the person has a second factor.
    pub has_second_factor: bool,
    /// Whether they have one besides codes by e-mail.
    pub has_strong_factor: bool,
    /// Until when they may do without one where their role demands it, once that was the case.
    pub second_factor_due: Option<Timestamp>,
    /// When the session ends at the latest.
    pub expires_at: Timestamp,
    /// The organisation it is in, and what the person is there. `None` when they have lost it, and when the session
    /// is too old for it.
    pub seat: Option<Seat>,
    /// The organisation that it is in and too old for: its settings ask for a newer sign-in.
    pub too_old_for: Option<OrganizationId>,
    /// When it was read.
    pub read_at: Timestamp,
    /// What was made of it.
    pub shelf: Shelf,
}

/// Room for one thing that somebody has made of a principal and of what is told together with it. It is dropped with
/// the principal, and stale when the account's profile has changed.
#[derive(Default)]
pub struct Shelf(Mutex<Shelved>);

#[derive(Default)]
struct Shelved {
    thing: Option<Arc<dyn Any + Send + Sync>>,
    /// Whether the account's profile has changed since it was made.
    stale: bool,
    /// Grows with each such change, so that what was made from before it is not put here afterwards.
    changes: u64,
}

/// The state of a shelf when somebody began to make something for it.
#[derive(Clone, Copy)]
pub struct Mark(u64);

impl Shelf {
    /// What was put here, if it is still true and of this type.
    pub fn get<T: Send + Sync + 'static>(&self) -> Option<Arc<T>> {
        let shelved = self.0.lock().ok().filter(|shelved| !shelved.stale)?;
        shelved.thing.clone()?.downcast().ok()
    }

    /// The same, with an account's profile in it that may have changed since; the rest is true.
    pub fn last<T: Send + Sync + 'static>(&self) -> Option<Arc<T>> {
        let thing = self.0.lock().ok()?.thing.clone()?;
        thing.downcast().ok()
    }

    /// To be asked before anything is read for what will be put here.
    pub fn mark(&self) -> Mark {
        Mark(self.0.lock().map_or(u64::MAX, |shelved| shelved.changes))
    }

    /// Puts something here, unless the profile has changed since the mark.
    pub fn put<T: Send + Sync + 'static>(&self, mark: Mark, thing: Arc<T>) {
        if let Ok(mut shelved) = self.0.lock()
            && shelved.changes == mark.0
        {
            shelved.thing = Some(thing);
            shelved.stale = false;
        }
    }

    fn profile_changed(&self) {
        if let Ok(mut shelved) = self.0.lock() {
            shelved.changes += 1;
            shelved.stale = true;
        }
    }
}

/// A copy is another principal, of which nothing was made yet.
impl Clone for Shelf {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl std::fmt::Debug for Shelf {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Shelf")
    }
}

/// A person's place in the organisation that a session is in.
#[derive(Clone, Debug)]
pub struct Seat {
    /// The organisation.
    pub organization: OrganizationId,
    /// The membership; a platform administrator who acts there has none.
    pub membership: Option<MembershipId>,
    /// The role: the highest of the direct one and those by teams (AZ-3).
    pub role: Role,
    /// What teams give beside it and it does not cover; nearly always nothing.
    pub other_roles: Vec<Role>,
    /// What custom roles give beside them, directly and by teams; nearly always nothing.
    pub permissions: Permissions,
    /// What a platform administrator acts through.
    pub acting: Option<Acting>,
}

impl Seat {
    /// The roles, the highest first.
    pub fn roles(&self) -> impl Iterator<Item = &Role> {
        std::iter::once(&self.role).chain(&self.other_roles)
    }
}

/// A platform administrator's running access to a tenant's organisation.
#[derive(Clone, Copy, Debug)]
pub struct Acting {
    /// The access.
    pub access: PlatformAccessId,
    /// When it ends by itself.
    pub expires_at: Timestamp,
}

impl Principal {
    /// That of a session that was just opened, with the seat that was found for it.
    pub(super) fn begun(session: &rows::Model, seat: Option<Seat>) -> Self {
        Self {
            account: session.account_id,
            session: session.id,
            delivery: session.delivery,
            factors: session.factors.split(' ').map(str::to_owned).collect(),
            authenticated_at: session.authenticated_at,
            reauthenticated_at: session.reauthenticated_at,
            // It makes a token, and is not asked about factors.
            has_second_factor: false,
            has_strong_factor: false,
            second_factor_due: None,
            expires_at: session.expires_at,
            seat,
            too_old_for: None,
            read_at: session.authenticated_at,
            shelf: Shelf::default(),
        }
    }

    /// Whether what it says of its seat is still true at this moment, as far as time alone can change it; and whether it
    /// is young enough to be taken as read.
    fn holds(&self, now: Timestamp) -> bool {
        let acting = self.seat.as_ref().and_then(|seat| seat.acting).is_none_or(|acting| now < acting.expires_at);
        acting && now < self.read_at + REREAD
    }
}

#[derive(FromQueryResult)]
struct Row {
    account_id: Uuid,
    delivery: Delivery,
    factors: String,
    authenticated_at: DateTimeUtc,
    reauthenticated_at: DateTimeUtc,
    has_second_factor: bool,
    has_strong_factor: bool,
    second_factor_due: Option<DateTimeUtc>,
    expires_at: DateTimeUtc,
    organization_id: Option<Uuid>,
    membership_id: Option<Uuid>,
    role: Option<String>,
    /// The roles by teams, with spaces between.
    team_roles: Option<String>,
    /// What custom roles give, with spaces between.
    permissions: Option<String>,
    access_id: Option<Uuid>,
    access_organization: Option<Uuid>,
    access_expires_at: Option<DateTimeUtc>,
}

/// A person's own place in an organisation.
#[derive(FromQueryResult)]
pub(super) struct Place {
    organization_id: Uuid,
    membership_id: Uuid,
    role: String,
    /// The roles by teams, with spaces between.
    team_roles: Option<String>,
    /// What custom roles give, with spaces between.
    permissions: Option<String>,
}

/// One join over identity and tenant tables, because it is on the path of every request that finds no cached answer.
const LOAD: &str = "
    SELECT s.account_id, s.delivery, s.factors, s.authenticated_at, s.reauthenticated_at, s.expires_at,
           has_second_factor(s.account_id) AS has_second_factor, has_strong_factor(s.account_id) AS has_strong_factor,
           (SELECT due_at FROM second_factor_deadlines d WHERE d.account_id = s.account_id) AS second_factor_due,
           m.organization_id, m.id AS membership_id, m.role,
           p.id AS access_id, p.organization_id AS access_organization, p.expires_at AS access_expires_at,
           own_team_roles(m.organization_id, m.id) AS team_roles,
           own_custom_permissions(m.organization_id, m.id) AS permissions
    FROM sessions s
    JOIN accounts a ON a.id = s.account_id AND a.state = 'active'
    LEFT JOIN organizations o ON o.id = s.active_organization AND o.status = 'active'
    LEFT JOIN memberships m ON m.organization_id = o.id AND m.account_id = s.account_id AND m.status = 'active'
    LEFT JOIN platform_access p ON p.session_id = s.id AND p.account_id = s.account_id AND p.ended_at IS NULL
         AND p.expires_at > $3 AND m.organization_id = platform_organization() AND m.role = 'platform_admin'
         AND EXISTS (SELECT 1 FROM organizations t WHERE t.id = p.organization_id AND t.status = 'active')
    WHERE s.id = $1 AND s.account_id = $2 AND s.ended_at IS NULL AND NOT EXISTS (
        SELECT FROM session_floors f WHERE f.id IN (s.active_organization, '00000000-0000-0000-0000-000000000000')
          AND s.began < f.number AND f.kept IS DISTINCT FROM s.id)";

type Kept = Arc<Mutex<HashMap<SessionId, Arc<Principal>>>>;

/// The principals of live sessions.
#[derive(Clone)]
pub struct Principals {
    db: Db,
    policy: Policy,
    changes: Changes,
    cache: Cache<AccountId, Kept>,
    pub(super) settings: Settings,
    /// Grows with every change, so that an answer that was read before one is not kept after it.
    generation: Arc<AtomicU64>,
}

impl Principals {
    /// An empty cache that listens to `changes`. The settings say how long a sign-in lasts.
    pub fn new(db: Db, policy: Policy, changes: Changes, settings: Settings) -> Self {
        let cache: Cache<AccountId, Kept> = Cache::new(ACCOUNTS);
        let generation = Arc::new(AtomicU64::new(0));
        let (dropped, counted) = (cache.clone(), generation.clone());
        changes.on_change(move |change| {
            if matches!(
                change,
                Change::Keys
                    | Change::DataKeys
                    | Change::Outbox
                    | Change::Imports
                    | Change::Jobs
                    | Change::Settings(_)
                    | Change::Service(_)
            ) {
                return;
            }
            if let Change::Profile(id) = change {
                profile_changed(&dropped, AccountId(id));
                return;
            }
            // Counted first: who keeps an older answer after this sees the count, or is dropped below.
            counted.fetch_add(1, Ordering::SeqCst);
            match change {
                Change::Account(id) => dropped.invalidate(&AccountId(id)),
                _ => dropped.invalidate_all(),
            }
        });
        Self { db, policy, changes, cache, settings, generation }
    }

    /// The principal of a live session of this account.
    ///
    /// # Errors
    /// `Unauthenticated` when the session has ended or the account may not sign in; `Upstream` when the database is away.
    pub async fn get(&self, account: AccountId, session: SessionId, origin: &Origin) -> Result<Arc<Principal>> {
        let kept = if self.changes.trusted() { self.kept(account, session) } else { None };
        let principal = match kept.filter(|principal| principal.holds(origin.now)) {
            Some(principal) => principal,
            None => Box::pin(self.load(account, session, origin)).await?,
        };
        let ends = self.ends(&principal, origin).await?;
        Ok(if origin.now < ends.seat { principal } else { Arc::new(without_seat(&principal)) })
    }

    /// The principal of a session if it is kept and still true; nothing is read.
    pub fn standing(&self, account: AccountId, session: SessionId, now: Timestamp) -> Option<Arc<Principal>> {
        let kept = if self.changes.trusted() { self.kept(account, session) } else { None };
        kept.filter(|principal| principal.holds(now) && now < principal.expires_at)
    }

    /// Drops what is kept of an account, after this instance itself committed a change to it: its own notification
    /// comes back a moment later, and the answer to the change must not be made from before it.
    pub fn forget(&self, account: AccountId) {
        self.generation.fetch_add(1, Ordering::SeqCst);
        self.cache.invalidate(&account);
    }

    /// Marks what was made of an account's principals as stale, after this instance itself committed a change of the
    /// account's profile.
    pub fn forget_profile(&self, account: AccountId) {
        profile_changed(&self.cache, account);
    }

    /// Drops everything that is kept, after this instance itself committed a change to several people's places.
    pub fn forget_all(&self) {
        self.generation.fetch_add(1, Ordering::SeqCst);
        self.cache.invalidate_all();
    }

    /// The principal as the database has it at this moment: what a token is made of. It ends when the session does,
    /// or before that when it will be too old for the organisation.
    ///
    /// # Errors
    /// As [`Principals::get`].
    pub async fn fresh(&self, account: AccountId, session: SessionId, origin: &Origin) -> Result<Principal> {
        self.ending(self.load(account, session, origin).await?.as_ref(), origin).await
    }

    /// The principal with its end as the settings are now.
    ///
    /// # Errors
    /// As [`Principals::get`].
    pub async fn ending(&self, principal: &Principal, origin: &Origin) -> Result<Principal> {
        let ends = self.ends(principal, origin).await?;
        Ok(if origin.now < ends.seat {
            Principal { expires_at: Ord::min(ends.session, ends.seat), ..principal.clone() }
        } else {
            Principal { expires_at: ends.session, ..without_seat(principal) }
        })
    }

    /// When the session ends, and when for the organisation that it is in, as the settings are now.
    async fn ends(&self, principal: &Principal, origin: &Origin) -> Result<Ends> {
        let lifetime = self.settings.platform(origin).await?.sessions.lifetime();
        let session = Ord::min(principal.expires_at, principal.authenticated_at + lifetime);
        if session <= origin.now {
            return Err(ended());
        }
        let seat = match &principal.seat {
            Some(seat) => {
                let settings = self.settings.effective(seat.organization, origin).await?;
                if settings.sign_in.admits(principal.factors.iter().map(String::as_str)) {
                    principal.authenticated_at + settings.sessions.lifetime()
                } else {
                    // However new the sign-in is, it is not one that the organisation takes.
                    principal.authenticated_at
                }
            }
            None => session,
        };
        Ok(Ends { session, seat })
    }

    fn kept(&self, account: AccountId, session: SessionId) -> Option<Arc<Principal>> {
        self.cache.get(&account)?.lock().ok()?.get(&session).cloned()
    }

    async fn load(&self, account: AccountId, session: SessionId, origin: &Origin) -> Result<Arc<Principal>> {
        let before = self.generation.load(Ordering::SeqCst);
        let caller = Caller::anonymous(origin.clone()).acting_as(account, session);
        let tx = self.db.read(&caller).await?;
        let values = [Uuid::from(session).into(), Uuid::from(account).into(), origin.now.into()];
        let rows: Vec<Row> = tx.query(LOAD, values).await?;
        let row = rows.into_iter().next().ok_or_else(ended)?;
        let principal = Arc::new(row.into_principal(session, origin.now, &self.policy));
        self.keep(&principal, before);
        Ok(principal)
    }

    /// The seat that this place gives.
    pub(super) fn seat(&self, place: Place) -> Option<Seat> {
        place.into_seat(&self.policy)
    }

    fn keep(&self, principal: &Arc<Principal>, before: u64) {
        let sessions = self.cache.get_with(principal.account, Kept::default);
        if let Ok(mut sessions) = sessions.lock() {
            if sessions.len() >= SESSIONS {
                sessions.clear();
            }
            sessions.insert(principal.session, principal.clone());
        }
        // A change that came in meanwhile may have been too early to find this entry.
        if self.generation.load(Ordering::SeqCst) != before {
            self.cache.invalidate(&principal.account);
        }
    }
}

fn profile_changed(cache: &Cache<AccountId, Kept>, account: AccountId) {
    let Some(sessions) = cache.get(&account) else { return };
    if let Ok(sessions) = sessions.lock() {
        sessions.values().for_each(|principal| principal.shelf.profile_changed());
    }
}

impl Found for Place {
    fn organization(&self) -> OrganizationId {
        OrganizationId(self.organization_id)
    }
}

impl Row {
    /// The seat of a platform administrator who acts in an organisation: it lies over the one that the session has.
    fn acting(&self) -> Option<Seat> {
        let (access, organization) = self.access_id.zip(self.access_organization)?;
        let acting = Acting { access: PlatformAccessId(access), expires_at: self.access_expires_at? };
        Some(Seat {
            organization: OrganizationId(organization),
            membership: None,
            role: Role::named(Role::PLATFORM_ADMIN),
            other_roles: Vec::new(),
            permissions: Permissions::NONE,
            acting: Some(acting),
        })
    }

    fn into_principal(self, session: SessionId, read_at: Timestamp, policy: &Policy) -> Principal {
        let acting = self.acting();
        let seat = match (self.organization_id, self.membership_id, self.role) {
            (Some(organization_id), Some(membership_id), Some(role)) => {
                let (team_roles, permissions) = (self.team_roles, self.permissions);
                Place { organization_id, membership_id, role, team_roles, permissions }.into_seat(policy)
            }
            _ => None,
        };
        Principal {
            account: AccountId(self.account_id),
            session,
            delivery: self.delivery,
            factors: self.factors.split(' ').map(str::to_owned).collect(),
            authenticated_at: self.authenticated_at,
            reauthenticated_at: self.reauthenticated_at,
            has_second_factor: self.has_second_factor,
            has_strong_factor: self.has_strong_factor,
            second_factor_due: self.second_factor_due,
            expires_at: self.expires_at,
            seat: acting.or(seat),
            too_old_for: None,
            read_at,
            shelf: Shelf::default(),
        }
    }
}

impl Place {
    fn into_seat(self, policy: &Policy) -> Option<Seat> {
        let by_teams = self.team_roles.as_deref().unwrap_or_default();
        let mut roles = policy.hierarchy().effective(&self.role, by_teams.split_whitespace()).into_iter();
        roles.next().map(|role| Seat {
            organization: OrganizationId(self.organization_id),
            membership: Some(MembershipId(self.membership_id)),
            role,
            other_roles: roles.collect(),
            permissions: policy.compile(self.permissions.as_deref().unwrap_or_default().split_whitespace()),
            acting: None,
        })
    }
}

/// When a session ends.
struct Ends {
    session: Timestamp,
    seat: Timestamp,
}

fn without_seat(principal: &Principal) -> Principal {
    let too_old_for = principal.seat.as_ref().map(|seat| seat.organization);
    Principal { seat: None, too_old_for, ..principal.clone() }
}

fn ended() -> Error {
    Error::Unauthenticated(Code::SessionEnded)
}
