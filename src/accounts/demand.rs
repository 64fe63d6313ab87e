//! Whether a second factor is demanded of somebody, and what they may do without (MFA-5). The guard asks this of every
//! call that the registry does not open; it reads nothing but what is kept of the session and the settings.

use entity::OrganizationId;

use crate::{
    app::App,
    audit::{Event, Kind},
    authz::Hierarchy,
    db::Unrecorded,
    error::{Code, Error, Result},
    mfa::deadlines::{self, Begun},
    runtime::Timestamp,
    sessions::{DEVICE, Principal, Seat, WEAK},
    settings::sections::Mfa,
    types::{Caller, Origin, Role},
};

/// How it is with a session and second factors.
#[derive(Clone, Copy, Debug)]
pub struct Standing {
    /// Whether the role in the session's organisation demands one.
    pub required: bool,
    /// Whether the person has one that counts there.
    pub enrolled: bool,
    /// Whether this session has used one that counts there.
    pub proven: bool,
    /// Until when the person may do without, if that has been decided.
    pub due_at: Option<Timestamp>,
    /// Whether a code by e-mail counts for them there.
    pub email_codes_count: bool,
}

fn used(principal: &Principal, what: &str) -> bool {
    principal.factors.iter().any(|factor| factor == what)
}

/// Whether a session has used a second factor that counts wherever one is demanded, in no trusted device.
fn proven_anywhere(principal: &Principal) -> bool {
    used(principal, "mfa") && !used(principal, DEVICE)
}

/// Whether a code by e-mail counts for whoever has these roles (MFA-2).
fn weak_counts(app: &App, rules: &Mfa, seat: &Seat) -> bool {
    let hierarchy = app.policy.hierarchy();
    rules.email_codes_count(|| seat.roles().any(|role| hierarchy.includes(role.as_str(), Role::ADMIN)))
}

/// Whether one is demanded of whoever has this role.
pub fn demanded_of(hierarchy: &Hierarchy, rules: &Mfa, role: &str) -> bool {
    rules.least_role().is_some_and(|least| rules.everybody() || hierarchy.includes(role, least))
}

/// Whether what somebody is there demands one.
fn demands(app: &App, rules: &Mfa, seat: &Seat) -> bool {
    seat.roles().any(|role| demanded_of(app.policy.hierarchy(), rules, role.as_str()))
}

/// How it is with this session. What is decided for the first time, until when the person may do without, is written.
///
/// # Errors
/// When the database fails.
pub async fn standing(app: &App, principal: &Principal, origin: &Origin) -> Result<Standing> {
    let (strong, weak) = (used(principal, "mfa"), used(principal, WEAK));
    let mut standing = Standing {
        required: false,
        enrolled: principal.has_second_factor,
        proven: strong || weak,
        due_at: principal.second_factor_due,
        email_codes_count: true,
    };
    if let Some(seat) = &principal.seat {
        let rules = &app.settings.effective(seat.organization, origin).await?.mfa;
        let weak_counts = weak_counts(app, rules, seat);
        standing.required = demands(app, rules, seat);
        standing.enrolled = principal.has_strong_factor || principal.has_second_factor && weak_counts;
        standing.email_codes_count = weak_counts;
        let trusted = !used(principal, DEVICE) || rules.trusts_devices();
        standing.proven = trusted && (strong || weak && weak_counts);
        if standing.required && standing.due_at.is_none() {
            standing.due_at = Some(Box::pin(begin(app, principal, (rules.grace_days, origin))).await?);
        }
    }
    Ok(standing)
}

/// Lets a call through, or says what has to be done first.
///
/// # Errors
/// `Forbidden` with `mfa_enrolment_required` or `mfa_required`.
pub async fn expect(app: &App, principal: &Principal, origin: &Origin) -> Result<()> {
    if proven_anywhere(principal) {
        return Ok(());
    }
    let standing = standing(app, principal, origin).await?;
    if standing.proven {
        return Ok(());
    }
    // A deadline of no days is written after the request began.
    let overdue = standing.due_at.is_some_and(|due| due <= app.clock.now());
    match (standing.required, standing.enrolled, overdue) {
        // Whoever has one uses it from the first day on.
        (true, true, _) => Err(Error::Forbidden(Code::MfaRequired)),
        (true, false, true) => Err(Error::Forbidden(Code::MfaEnrolmentRequired)),
        (true, false, false) | (false, ..) => Ok(()),
    }
}

/// Writes down until when a person may do without.
async fn begin(app: &App, principal: &Principal, (days, origin): (u32, &Origin)) -> Result<Timestamp> {
    let caller = Caller::anonymous(origin.clone()).acting_as(principal.account, principal.session);
    let tx = app.db.write(&caller.within(OrganizationId::PLATFORM)).await?;
    let due_at = match deadlines::begin(&tx, principal.account, days).await? {
        Begun::Now(due_at) => {
            let until = due_at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
            tx.commit(Event::new(Kind::GraceStarted, principal.account).with("until", until)).await?;
            due_at
        }
        Begun::Before(due_at) => {
            tx.commit(Unrecorded("another call has written and recorded the deadline")).await?;
            due_at
        }
    };
    app.sessions.forget(principal.account);
    Ok(due_at)
}
