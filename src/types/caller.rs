//! Who calls, for which organisation, with which role, and when. The guard makes it; everything below asks it.

use entity::{AccountId, ApiKeyId, MembershipId, OrganizationId, PlatformAccessId, ServiceAccountId, SessionId};

use super::{Origin, Permissions, Role};
use crate::runtime::Timestamp;

/// The caller of one operation.
#[derive(Clone, Debug)]
pub struct Caller {
    /// Where the call comes from and when.
    pub origin: Origin,
    /// Who it is.
    pub actor: Actor,
    /// Whose rows the call may see: the organisation that row-level security is set to.
    pub tenancy: Tenancy,
    /// The role in that organisation: the highest of the direct one and those by teams.
    pub role: Option<Role>,
    /// What teams give beside it and it does not cover; nearly always nothing.
    pub other_roles: Vec<Role>,
    /// What custom roles give beside them, directly and by teams.
    pub permissions: Permissions,
    /// The membership that gives the role.
    pub membership: Option<MembershipId>,
    /// The leadership that the call acts under: it commits nothing once another has begun.
    pub term: Option<i64>,
    /// The organisation in whose name the caller acts on an account that it manages, beyond its own rows.
    pub manager: Option<OrganizationId>,
    /// The access that gives the role, of a platform administrator who acts in the organisation without a membership.
    pub acting: Option<PlatformAccessId>,
    /// The key of a creating call that must not happen twice, set by the edge.
    pub idempotency: Option<IdempotencyKey>,
}

/// Who acts.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Actor {
    /// Nobody yet: sign-in, setup, an invitation.
    Anonymous,
    /// A signed-in person.
    Account {
        /// The person's account.
        account: AccountId,
        /// The session that the call belongs to.
        session: SessionId,
    },
    /// A program of an organisation's own, in that organisation.
    Service {
        /// The service account.
        account: ServiceAccountId,
        /// The key that it called with.
        key: ApiKeyId,
    },
    /// Freehold itself: the name of a worker or command.
    System(&'static str),
}

/// Which rows a call may reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tenancy {
    /// No organisation: identity tables and the caller's own memberships only.
    None,
    /// One organisation.
    Organization(OrganizationId),
    /// All organisations, through the platform's own database role. Only platform operations get it.
    Platform,
}

/// A hash of the caller, the operation and the client's `Idempotency-Key`, and of the request itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdempotencyKey {
    /// SHA-256 of caller, operation and key.
    pub key: [u8; 32],
    /// SHA-256 of query and body; the path is part of what the key is for.
    pub fingerprint: [u8; 32],
}

impl Caller {
    /// Nobody in particular, from there.
    pub fn anonymous(origin: Origin) -> Self {
        Self {
            origin,
            actor: Actor::Anonymous,
            tenancy: Tenancy::None,
            role: None,
            other_roles: Vec::new(),
            permissions: Permissions::NONE,
            membership: None,
            term: None,
            manager: None,
            acting: None,
            idempotency: None,
        }
    }

    /// A background worker or command of Freehold itself, with the platform's reach.
    pub fn system(name: &'static str, origin: Origin) -> Self {
        Self { actor: Actor::System(name), tenancy: Tenancy::Platform, ..Self::anonymous(origin) }
    }

    /// The same caller, whose transactions see this organisation only.
    ///
    /// For the calls that carry their own authority for it, such as an invitation's token.
    #[must_use]
    pub fn within(&self, organization: OrganizationId) -> Self {
        Self { tenancy: Tenancy::Organization(organization), ..self.clone() }
    }

    /// The same caller, in the name of the organisation that they are in, beyond its rows: an account belongs to no
    /// organisation, and what is done to one that an organisation manages reaches further. Whoever opens a transaction
    /// with it sees everybody's rows and answers for the scope of every query.
    ///
    /// `None` for a caller in no organisation.
    #[must_use]
    pub fn as_manager(&self) -> Option<Self> {
        let manager = self.organization()?;
        Some(Self { tenancy: Tenancy::Platform, manager: Some(manager), ..self.clone() })
    }

    /// The same call, now made by this account through this session.
    #[must_use]
    pub fn acting_as(&self, account: AccountId, session: SessionId) -> Self {
        Self { actor: Actor::Account { account, session }, ..self.clone() }
    }

    /// The roles in that organisation, the highest first.
    pub fn roles(&self) -> impl Iterator<Item = &Role> {
        self.role.iter().chain(&self.other_roles)
    }

    /// The request's moment.
    pub fn now(&self) -> Timestamp {
        self.origin.now
    }

    /// The account that calls, if it is one.
    pub fn account(&self) -> Option<AccountId> {
        match self.actor {
            Actor::Account { account, .. } => Some(account),
            Actor::Anonymous | Actor::Service { .. } | Actor::System(_) => None,
        }
    }

    /// The service account that calls, if it is one.
    pub fn service(&self) -> Option<ServiceAccountId> {
        match self.actor {
            Actor::Service { account, .. } => Some(account),
            Actor::Anonymous | Actor::Account { .. } | Actor::System(_) => None,
        }
    }

    /// The key that a service account calls with, if one calls.
    pub fn api_key(&self) -> Option<ApiKeyId> {
        match self.actor {
            Actor::Service { key, .. } => Some(key),
            Actor::Anonymous | Actor::Account { .. } | Actor::System(_) => None,
        }
    }

    /// The session that the call belongs to, if any.
    pub fn session(&self) -> Option<SessionId> {
        match self.actor {
            Actor::Account { session, .. } => Some(session),
            Actor::Anonymous | Actor::Service { .. } | Actor::System(_) => None,
        }
    }

    /// The organisation that the call is about, if it is about one.
    pub fn organization(&self) -> Option<OrganizationId> {
        match self.tenancy {
            Tenancy::Organization(id) => Some(id),
            Tenancy::None | Tenancy::Platform => None,
        }
    }
}
