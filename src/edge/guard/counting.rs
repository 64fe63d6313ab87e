//! Which limit a request counts towards (NET-4), and by what. It decides no quota and counts nothing itself.

use poem::{Request, http::Method};

use super::Guard;
use crate::{
    authz::Limit,
    edge::limits::{self, Key, Tally},
    error::Result,
    types::Caller,
};

impl Guard {
    /// Counts a call to an operation that is open to anybody, by where it comes from. What the database counts later is
    /// counted as a write first, which keeps floods away from it. A refresh is its session's (see `sessions_refresh`): an
    /// office that carries on its sessions floods nobody, so only what was no session's counts as a write.
    pub(super) fn count_visitor(&self, request: &Request, visitor: &Caller) -> Result<()> {
        let limit = match self.policy.limit {
            None => return Ok(()),
            Some(Limit::TokenRefresh) => {
                let (tally, key) = (Tally::of(request), Key::network_of(visitor));
                let checked = self.gate.limits.check(&tally, Limit::AnonymousWrite, key);
                return self.or_recorded(visitor, checked);
            }
            Some(Limit::SignUp | Limit::PasswordReset) => Limit::AnonymousWrite,
            Some(limit) => limit,
        };
        self.count(request, visitor, (limit, Key::network_of(visitor)))
    }

    /// Counts a call of somebody who shows no good credential where one is needed.
    pub(super) fn count_stranger(&self, request: &Request, stranger: &Caller) -> Result<()> {
        self.count(request, stranger, (of_strangers(request), Key::network_of(stranger)))
    }

    /// Refuses a call that somebody has to be looked up for, when where it comes from has shown no good credential too
    /// often.
    pub(super) fn check_stranger(&self, request: &Request, stranger: &Caller) -> Result<()> {
        let checked = self.gate.limits.check(&Tally::of(request), of_strangers(request), Key::network_of(stranger));
        self.or_recorded(stranger, checked)
    }

    /// Counts a call of somebody who is recognised, wherever they call from.
    pub(super) fn count_caller(&self, request: &Request, caller: &Caller) -> Result<()> {
        limits::of_credential(&caller.actor).map_or(Ok(()), |of| self.count(request, caller, of))
    }

    /// Counts a request once, however often it is looked at.
    fn count(&self, request: &Request, caller: &Caller, (limit, key): (Limit, Key)) -> Result<()> {
        let tally = Tally::of(request);
        if tally.is_empty() { self.or_recorded(caller, self.gate.limits.count(&tally, limit, key)) } else { Ok(()) }
    }

    fn or_recorded(&self, caller: &Caller, counted: Result<()>) -> Result<()> {
        counted.inspect_err(|refusal| self.gate.app.refusals.count(caller, self.operation, refusal.code()))
    }

    /// Counts, once it is answered, a refresh that no session was found for. It has been answered, so nobody is refused.
    pub(super) fn count_unknown_refresh(&self, tally: &Tally, key: Key) {
        if tally.is_empty() {
            // Whether it was the last one, the next one hears.
            let _ = self.gate.limits.count(tally, Limit::AnonymousWrite, key);
        }
    }
}

/// What a call without a good credential counts towards.
fn of_strangers(request: &Request) -> Limit {
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    if reads { Limit::AnonymousRead } else { Limit::AnonymousWrite }
}
