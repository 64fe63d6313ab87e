//! What other rules of the policy would do in every organisation, in numbers: the platform learns how many would gain or
//! lose an operation where, and how much they use it, and of nobody who it is. Nothing is changed.

use std::collections::BTreeMap;

use entity::OrganizationId;
use sea_orm::FromQueryResult;

use super::{
    simulate::{Reach, reach},
    uses::Window,
};
use crate::{
    app::App,
    authz::{Decision, Hierarchy, Object, Party, Policy, Proposal, ProposedRule},
    db::Tx,
    error::{Error, Result},
    types::{Caller, Page, PageRequest, Role},
};

/// The most rules of one proposal.
pub const MOST_RULES: usize = 20;

/// What a proposal would do.
pub struct Foreseen {
    /// The days that were looked at.
    pub window: Window,
    /// A page of the organisations, of which those are left out in which nothing would be different.
    pub tenants: Page<Tenant>,
}

/// What a proposal would do in one organisation.
#[derive(Clone, Debug)]
pub struct Tenant {
    /// The organisation.
    pub organization: OrganizationId,
    /// What it is called.
    pub name: String,
    /// By operation.
    pub operations: BTreeMap<String, Shift>,
}

/// What a proposal would do to one operation in one organisation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Shift {
    /// How many people would lose some of it.
    pub losing: i64,
    /// How many would gain some of it.
    pub gaining: i64,
    /// How many service accounts would lose it.
    pub services_losing: i64,
    /// How many would gain it.
    pub services_gaining: i64,
    /// How many people and services used in the window what they could do no more.
    pub losing_what_they_use: i64,
    /// How often they did.
    pub uses_lost: i64,
    /// How often somebody was refused in the window what they could do then.
    pub refusals_lifted: i64,
}

#[derive(FromQueryResult)]
struct Place {
    id: OrganizationId,
    name: String,
}

/// Those who hold the same in an organisation.
#[derive(FromQueryResult)]
struct Group {
    organization_id: OrganizationId,
    kind: String,
    role: String,
    /// The roles by teams, with spaces between.
    team_roles: String,
    /// Which of the operations custom roles give, with spaces between.
    permissions: String,
    people: i64,
}

#[derive(FromQueryResult)]
struct Use {
    organization_id: OrganizationId,
    kind: String,
    role: String,
    team_roles: String,
    permissions: String,
    operation: String,
    own: bool,
    users: i64,
    allowed: i64,
    refused: i64,
}

const PLACES: &str = "SELECT id, name FROM organizations
    WHERE status = 'active' AND ($1::uuid IS NULL OR id > $1) ORDER BY id LIMIT $2";

/// Who holds what of some operations, `$2`, in some organisations, `$1`, in front of a query of it.
macro_rules! held {
    ($rest:literal) => {
        concat!(
            "WITH held AS (
                SELECT m.organization_id, 'account' AS kind, m.account_id AS who, m.role, coalesce((
                    SELECT string_agg(DISTINCT t.role, ' ' ORDER BY t.role) FROM team_members x
                    JOIN teams t ON t.organization_id = x.organization_id AND t.id = x.team_id
                    WHERE x.organization_id = m.organization_id AND x.membership_id = m.id), '') AS team_roles, coalesce((
                    SELECT string_agg(DISTINCT p.operation, ' ' ORDER BY p.operation) FROM custom_role_grants g
                    JOIN custom_roles r ON r.organization_id = g.organization_id AND r.id = g.custom_role_id
                    CROSS JOIN unnest(r.permissions) AS p (operation)
                    WHERE g.organization_id = m.organization_id AND p.operation = ANY ($2) AND (
                        g.membership_id = m.id OR g.team_id IN (
                            SELECT x.team_id FROM team_members x
                            WHERE x.organization_id = m.organization_id AND x.membership_id = m.id))), '') AS permissions
                FROM memberships m JOIN accounts a ON a.id = m.account_id AND a.state = 'active'
                WHERE m.organization_id = ANY ($1) AND m.status = 'active'
                UNION ALL
                SELECT s.organization_id, 'service', s.id, s.role, '', coalesce((
                    SELECT string_agg(DISTINCT p.operation, ' ' ORDER BY p.operation) FROM custom_role_grants g
                    JOIN custom_roles r ON r.organization_id = g.organization_id AND r.id = g.custom_role_id
                    CROSS JOIN unnest(r.permissions) AS p (operation)
                    WHERE g.organization_id = s.organization_id AND p.operation = ANY ($2)
                      AND g.service_account_id = s.id), '')
                FROM service_accounts s WHERE s.organization_id = ANY ($1) AND s.state = 'active'
            ) ",
            $rest
        )
    };
}

const GROUPS: &str = held!(
    "SELECT organization_id, kind, role, team_roles, permissions, count(*) AS people FROM held
     GROUP BY organization_id, kind, role, team_roles, permissions"
);

const USES: &str = held!(
    "SELECT h.organization_id, h.kind, h.role, h.team_roles, h.permissions, c.operation, c.own,
            count(DISTINCT c.who) FILTER (WHERE c.outcome = 'allowed') AS users,
            coalesce(sum(c.count) FILTER (WHERE c.outcome = 'allowed'), 0)::bigint AS allowed,
            coalesce(sum(c.count) FILTER (WHERE c.outcome = 'forbidden'), 0)::bigint AS refused
     FROM decision_counts c JOIN held h ON h.organization_id = c.organization_id AND h.who = c.who
     WHERE c.organization_id = ANY ($1) AND c.operation = ANY ($2) AND c.day BETWEEN $3 AND $4
       AND c.outcome IN ('allowed', 'forbidden')
     GROUP BY h.organization_id, h.kind, h.role, h.team_roles, h.permissions, c.operation, c.own"
);

/// Says what other rules would do, in a page of the organisations.
///
/// # Errors
/// `Invalid` for days that are none, and for rules that can't be looked at.
pub async fn foresee(
    app: &App,
    caller: &Caller,
    rules: &[ProposedRule],
    days: u32,
    page: PageRequest,
) -> Result<Foreseen> {
    let window = Window::of(days, caller.now())?;
    if !(1..=MOST_RULES).contains(&rules.len()) {
        return Err(Error::field("/changes", "size", format!("must be 1 to {MOST_RULES} changes")));
    }
    let proposal = Proposal::of(&app.policy, &app.map.files.model, rules).await?;
    let tx = app.db.read(caller).await?;
    let after = page.after.map(|after| after.0);
    let rows = i64::try_from(page.rows()).unwrap_or(i64::MAX);
    let places: Vec<Place> = tx.query(PLACES, [after.into(), rows.into()]).await?;
    let places = Page::of(page, places, |place| place.id.0);
    let ids: Vec<uuid::Uuid> = places.items.iter().map(|place| place.id.0).collect();
    let mut shifts = shifts(&app.policy, &proposal, &tx, ids, window).await?;
    let next = places.next;
    let tenants = places.items.into_iter().filter_map(|place| {
        let operations = shifts.remove(&place.id)?;
        Some(Tenant { organization: place.id, name: place.name, operations })
    });
    Ok(Foreseen { window, tenants: Page { items: tenants.collect(), next } })
}

type Shifts = BTreeMap<OrganizationId, BTreeMap<String, Shift>>;

async fn shifts(
    policy: &Policy,
    proposal: &Proposal,
    tx: &Tx,
    organizations: Vec<uuid::Uuid>,
    window: Window,
) -> Result<Shifts> {
    let comparison = Comparison { policy, proposal };
    let mut shifts = Shifts::new();
    let operations: Vec<String> = proposal.rows().iter().map(|row| row.operation.clone()).collect();
    let groups: Vec<Group> = tx.query(GROUPS, [organizations.clone().into(), operations.clone().into()]).await?;
    for group in groups {
        let held = held(policy.hierarchy(), [&group.role, &group.team_roles, &group.permissions]);
        for (at, row) in proposal.rows().iter().enumerate() {
            let (before, after) = comparison.reaches(party(group.organization_id, &group.kind), &held, at);
            if before == after {
                continue;
            }
            let shift = shifts.entry(group.organization_id).or_default().entry(row.operation.clone()).or_default();
            match (group.kind.as_str(), after < before) {
                ("service", true) => shift.services_losing += group.people,
                ("service", false) => shift.services_gaining += group.people,
                (_, true) => shift.losing += group.people,
                (_, false) => shift.gaining += group.people,
            }
        }
    }
    let values = [organizations.into(), operations.into(), window.from.into(), window.to.into()];
    let uses: Vec<Use> = tx.query(USES, values).await?;
    for used in uses {
        let Some(at) = proposal.rows().iter().position(|row| row.operation == used.operation) else { continue };
        let held = held(policy.hierarchy(), [&used.role, &used.team_roles, &used.permissions]);
        let (before, after) = comparison.reaches(party(used.organization_id, &used.kind), &held, at);
        let object = if used.own { Object::Own } else { Object::Any };
        if within(before, object) == within(after, object) {
            continue;
        }
        let shift = shifts.entry(used.organization_id).or_default().entry(used.operation).or_default();
        if after < before {
            // Whoever uses it on their own and on others' objects counts once for each.
            shift.losing_what_they_use += used.users;
            shift.uses_lost += used.allowed;
        } else {
            shift.refusals_lifted += used.refused;
        }
    }
    Ok(shifts)
}

/// Whether somebody who reaches so far reaches an object of this kind.
fn within(reach: Reach, object: Object) -> bool {
    match object {
        Object::Own => reach >= Reach::Own,
        Object::Any => reach == Reach::Any,
    }
}

struct Comparison<'a> {
    policy: &'a Policy,
    proposal: &'a Proposal,
}

impl Comparison<'_> {
    /// How far somebody who holds this reaches with the operation at this position of the proposal, and how far they
    /// would. What a custom role can't be composed of any more it does not give.
    fn reaches(&self, party: Party, (roles, custom): &(Vec<Role>, Vec<String>), at: usize) -> (Reach, Reach) {
        let Some(proposed) = self.proposal.rows().get(at) else { return (Reach::None, Reach::None) };
        let Some((position, row)) = self.policy.registry().find(&proposed.operation) else {
            return (Reach::None, Reach::None);
        };
        let permissions = self.policy.compile(custom.iter().map(String::as_str));
        let before = reach(row, party, self.policy.decide_any(roles, &permissions, position));
        let by_custom = custom.contains(&proposed.operation) && self.policy.is_composable(proposed);
        let by_role = self.proposal.decide_any(self.policy.hierarchy(), roles, at);
        let after = reach(proposed, party, if by_custom { Decision::Allow } else { by_role });
        (before, after)
    }
}

/// The roles that count, and what custom roles give.
fn held(hierarchy: &Hierarchy, [direct, by_teams, custom]: [&str; 3]) -> (Vec<Role>, Vec<String>) {
    let custom = custom.split_whitespace().map(str::to_owned).collect();
    (hierarchy.effective(direct, by_teams.split_whitespace()), custom)
}

fn party(organization: OrganizationId, kind: &str) -> Party {
    match (kind, organization) {
        ("service", _) => Party::Service,
        (_, OrganizationId::PLATFORM) => Party::PlatformPerson,
        _ => Party::Person,
    }
}
