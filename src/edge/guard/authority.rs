//! The authority of what begins as a request and goes on after it: the guard's decision, to be asked for again and again
//! (NET-12).
//!
//! A socket lives as long as the session or the API key that opened it, and what the policy says of it: the access token
//! only has to be good when it begins. Each answer is that of the moment, by the same caches as a request's.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use entity::{AccountId, OrganizationId, SessionId};
use poem::{Request, http::header};
use zeroize::Zeroizing;

use super::{Gate, Guard};
use crate::{
    accounts::demand,
    authz::Decision,
    error::{Code, Error, Result},
    types::{Actor, Caller, Origin, Permissions, Role},
};

/// How often the database is asked while nothing that is kept can be trusted. With what it takes until it is not trusted,
/// 800 ms (`db::changes`), it stays below the second of SES-4.
const PACE: Duration = Duration::from_millis(400);

/// The resources whose reading goes on after the request: a file of the record, or of its evidence, may take long to leave.
const FILES: [&str; 2] = ["audit_file", "audit_evidence"];

/// Who opened something, with what, and where.
#[derive(Clone)]
pub struct Authority {
    gate: Arc<Gate>,
    /// The operation's line of the registry.
    position: usize,
    organization: OrganizationId,
    credential: Credential,
    origin: Origin,
    /// When the database was asked last.
    read: Option<Instant>,
}

#[derive(Clone)]
enum Credential {
    Session(AccountId, SessionId),
    Key(Arc<Zeroizing<String>>),
}

impl Guard {
    /// The authority of a request that was let through and wants to go on as something else.
    pub(super) fn authority(&self, request: &Request, caller: &Caller) -> Option<Authority> {
        if !request.headers().contains_key(header::UPGRADE) && !FILES.contains(&&*self.policy.resource) {
            return None;
        }
        let credential = match caller.actor {
            Actor::Account { account, session } => Credential::Session(account, session),
            Actor::Service { .. } => Credential::Key(Arc::new(self.api_key(request)?)),
            Actor::Anonymous | Actor::System(_) => return None,
        };
        Some(Authority {
            gate: self.gate.clone(),
            position: self.position,
            organization: caller.organization()?,
            credential,
            origin: caller.origin.clone(),
            read: None,
        })
    }
}

impl Authority {
    /// Where it holds.
    pub fn organization(&self) -> OrganizationId {
        self.organization
    }

    /// Whether it still holds.
    ///
    /// # Errors
    /// `Unauthenticated` when the session or the key is over; `Forbidden` when it is elsewhere now, or its role may not do
    /// this any more; `Upstream` when nobody can say.
    pub async fn holds(&mut self) -> Result<()> {
        let app = &self.gate.app;
        let origin = Origin { now: app.clock.now(), ..self.origin.clone() };
        let known = match &self.credential {
            Credential::Session(account, session) => app.sessions.trusts(*account, *session, origin.now),
            Credential::Key(key) => app.services.trusts(key),
        };
        if !known {
            if self.read.is_some_and(|last| last.elapsed() < PACE) {
                return Ok(());
            }
            self.read = Some(Instant::now());
        }
        match &self.credential {
            Credential::Session(account, session) => {
                let principal = app.sessions.present(*account, *session, &origin).await?;
                demand::expect(app, &principal, &origin).await?;
                match principal.seat.as_ref().filter(|seat| seat.organization == self.organization) {
                    Some(seat) => self.allows(seat.roles(), &seat.permissions),
                    None => Err(Error::Forbidden(Code::OrganizationNotActive)),
                }
            }
            Credential::Key(key) => {
                let known = app.services.recognise(key, &origin).await?;
                self.allows([&known.role], &known.permissions)
            }
        }
    }

    fn allows<'a>(&self, roles: impl IntoIterator<Item = &'a Role>, permissions: &Permissions) -> Result<()> {
        match self.gate.app.policy.decide_any(roles, permissions, self.position) {
            Decision::Allow => Ok(()),
            Decision::IfOwner | Decision::Deny => Err(Error::Forbidden(Code::Forbidden)),
        }
    }
}
