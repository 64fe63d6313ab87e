//! Proposed changes, and what they would do.

use chrono::NaiveDate;
use entity::{AccountId, CustomRoleId, ServiceAccountId, TeamId};
use poem_openapi::{Enum, Object};
use uuid::Uuid;

use super::explained::Party;
use crate::{
    authz::ProposedRule,
    decisions::{self, Change, Effect, Reach},
    error::{Error, Fault, Place, Result},
    types::PageRequest,
};

/// The days that are looked at when nobody says.
const DAYS: u32 = 30;
/// The people of an answer when nobody says.
const LIMIT: u32 = 50;

/// What is proposed.
#[derive(Object)]
#[oai(deny_unknown_fields)]
pub struct SimulateChanges {
    /// The changes, in their order.
    #[oai(validator(min_items = 1, max_items = 50))]
    changes: Vec<ProposedChange>,
    /// Of how many days up to today uses are counted: 30 without it.
    #[oai(validator(minimum(value = "1"), maximum(value = "90")), skip_serializing_if_is_none)]
    days: Option<u32>,
    /// The most people and services that are told one by one: 50 without it. Totals are of all.
    #[oai(validator(minimum(value = "1"), maximum(value = "200")), skip_serializing_if_is_none)]
    limit: Option<u32>,
}

/// A change that is proposed.
#[derive(Object)]
#[oai(deny_unknown_fields)]
struct ProposedChange {
    /// What changes; it says which of the other fields there must be.
    change: ChangeKind,
    /// The member, of `member_…` and `team_member_…`.
    #[oai(skip_serializing_if_is_none)]
    account_id: Option<Uuid>,
    /// The team, of `team_…`.
    #[oai(skip_serializing_if_is_none)]
    team_id: Option<Uuid>,
    /// The service account, of `service_…`.
    #[oai(skip_serializing_if_is_none)]
    service_account_id: Option<Uuid>,
    /// The role, of `…_role`. A `team_role` without one lets the team give none.
    #[oai(validator(min_length = 1, max_length = 63), skip_serializing_if_is_none)]
    role: Option<String>,
    /// The custom role, of `custom_role_…`.
    #[oai(skip_serializing_if_is_none)]
    custom_role_id: Option<Uuid>,
    /// The custom roles, all of them, of `…_custom_roles`.
    #[oai(validator(max_items = 100), skip_serializing_if_is_none)]
    custom_role_ids: Option<Vec<Uuid>>,
    /// The operations that a role permits, all of them, of `custom_role_permissions`.
    #[oai(validator(max_items = 1000), skip_serializing_if_is_none)]
    permissions: Option<Vec<String>>,
}

/// A kind of change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
enum ChangeKind {
    /// A member has another direct role.
    MemberRole,
    /// A member is one no more.
    MemberRemoved,
    /// A team gives another role, or none.
    TeamRole,
    /// A team is no more.
    TeamRemoved,
    /// A member comes into a team.
    TeamMemberAdded,
    /// A member leaves a team.
    TeamMemberRemoved,
    /// A service account has another role.
    ServiceRole,
    /// A member has these custom roles directly, and no others.
    MemberCustomRoles,
    /// A team gives these custom roles, and no others.
    TeamCustomRoles,
    /// A service account has these custom roles, and no others.
    ServiceCustomRoles,
    /// A custom role permits these operations, and no others.
    CustomRolePermissions,
    /// A custom role is no more.
    CustomRoleRemoved,
}

/// What proposed changes would do.
#[derive(Object)]
pub struct Simulated {
    /// The first day that was looked at, in UTC.
    from: NaiveDate,
    /// The last one.
    to: NaiveDate,
    /// Everybody together.
    totals: SimulatedTotals,
    /// Who would gain or lose something, those who would lose what they use most first.
    items: Vec<AffectedParty>,
    /// How many more there are.
    left_out: u64,
}

/// Everybody together.
#[derive(Object)]
struct SimulatedTotals {
    /// How many would lose something.
    losing: u64,
    /// How many of them used it in these days.
    losing_what_they_use: u64,
    /// How many would gain something.
    gaining: u64,
    /// How often they did in these days what they could do no more.
    uses_lost: i64,
    /// How often they were refused in these days what they could do then.
    refusals_lifted: i64,
}

/// Somebody who would gain or lose something.
#[derive(Object)]
struct AffectedParty {
    /// Who.
    who: Party,
    /// The roles that count, the highest first.
    roles_before: Vec<String>,
    /// Those that would count.
    roles_after: Vec<String>,
    /// How often they did in these days what they could do no more.
    uses_lost: i64,
    /// What they would lose, that which they use most first.
    loses: Vec<OperationEffect>,
    /// What they would gain, that which they were refused most often first.
    gains: Vec<OperationEffect>,
}

/// What becomes of an operation for somebody.
#[derive(Object)]
#[oai(skip_serializing_if_is_none)]
struct OperationEffect {
    /// The operation.
    operation: String,
    /// How far they reach.
    before: OperationReach,
    /// How far they would reach.
    after: OperationReach,
    /// Of what is lost: how often they did it in these days.
    uses: i64,
    /// The last day on which they did.
    last_used_on: Option<NaiveDate>,
    /// Of what is gained: how often they were refused it in these days.
    refused: i64,
}

/// How far somebody reaches with an operation.
#[derive(Clone, Copy, Debug, Enum)]
#[oai(rename_all = "snake_case")]
enum OperationReach {
    /// Not at all.
    None,
    /// To what is their own.
    Own,
    /// To any object.
    Any,
}

/// Rules that are proposed.
#[derive(Object)]
#[oai(deny_unknown_fields)]
pub struct SimulateRules {
    /// The rules, each for another operation.
    #[oai(validator(min_items = 1, max_items = 20))]
    changes: Vec<ProposedRuleChange>,
    /// Of how many days up to today uses are counted: 30 without it.
    #[oai(validator(minimum(value = "1"), maximum(value = "90")), skip_serializing_if_is_none)]
    days: Option<u32>,
    /// The most organisations of the page: 50 without it.
    #[oai(validator(minimum(value = "1"), maximum(value = "200")), skip_serializing_if_is_none)]
    limit: Option<u64>,
    /// Where the last page ended.
    #[oai(validator(min_length = 1, max_length = 100), skip_serializing_if_is_none)]
    cursor: Option<String>,
}

/// Another rule for an operation. What is left out stays.
#[derive(Object)]
#[oai(deny_unknown_fields)]
struct ProposedRuleChange {
    /// The operation.
    #[oai(validator(min_length = 1, max_length = 63))]
    operation: String,
    /// Another least role for any object.
    #[oai(validator(min_length = 1, max_length = 63), skip_serializing_if_is_none)]
    minimum_role: Option<String>,
    /// Another least role for what is one's own.
    #[oai(validator(min_length = 1, max_length = 63), skip_serializing_if_is_none)]
    own_role: Option<String>,
}

/// What other rules would do, organisation by organisation.
#[derive(Object)]
#[oai(skip_serializing_if_is_none)]
pub struct Foreseen {
    /// The first day that was looked at, in UTC.
    from: NaiveDate,
    /// The last one.
    to: NaiveDate,
    /// The organisations in which something would be different.
    items: Vec<ForeseenOrganization>,
    /// Pass this as `cursor` to get the next page; absent on the last.
    next_cursor: Option<String>,
}

/// What other rules would do in an organisation.
#[derive(Object)]
struct ForeseenOrganization {
    /// The organisation.
    organization_id: Uuid,
    /// What it is called.
    name: String,
    /// By operation.
    operations: Vec<ForeseenOperation>,
}

/// What another rule would do to an operation in an organisation.
#[derive(Object)]
struct ForeseenOperation {
    /// The operation.
    operation: String,
    /// How many people would lose some of it.
    losing: i64,
    /// How many would gain some of it.
    gaining: i64,
    /// How many service accounts would lose it.
    services_losing: i64,
    /// How many would gain it.
    services_gaining: i64,
    /// How many people and services used in these days what they could do no more.
    losing_what_they_use: i64,
    /// How often they did.
    uses_lost: i64,
    /// How often somebody was refused in these days what they could do then.
    refusals_lifted: i64,
}

impl SimulateChanges {
    /// The changes, the days, and how many people are told.
    ///
    /// # Errors
    /// `Invalid` for a field that its kind of change needs and has not, or has and does not know.
    pub fn parse(self) -> Result<(Vec<Change>, u32, usize)> {
        let (mut changes, mut faults) = (Vec::new(), Vec::new());
        for (at, change) in self.changes.into_iter().enumerate() {
            match change.parse(at) {
                Ok(change) => changes.push(change),
                Err(found) => faults.extend(found),
            }
        }
        if !faults.is_empty() {
            return Err(Error::Invalid(faults));
        }
        let most = usize::try_from(self.limit.unwrap_or(LIMIT)).unwrap_or(usize::MAX);
        Ok((changes, self.days.unwrap_or(DAYS), most))
    }
}

impl ProposedChange {
    fn parse(self, at: usize) -> Result<Change, Vec<Fault>> {
        let faults = self.mistaken_parts(at);
        if faults.is_empty() { Ok(self.into()) } else { Err(faults) }
    }

    /// What its kind of change needs and has not, or has and does not know.
    fn mistaken_parts(&self, at: usize) -> Vec<Fault> {
        use ChangeKind as K;
        let kind = self.change;
        let account = matches!(
            kind,
            K::MemberRole | K::MemberRemoved | K::MemberCustomRoles | K::TeamMemberAdded | K::TeamMemberRemoved
        );
        let team = matches!(
            kind,
            K::TeamRole | K::TeamRemoved | K::TeamCustomRoles | K::TeamMemberAdded | K::TeamMemberRemoved
        );
        let service = matches!(kind, K::ServiceRole | K::ServiceCustomRoles);
        let role = matches!(kind, K::MemberRole | K::ServiceRole);
        let custom = matches!(kind, K::CustomRolePermissions | K::CustomRoleRemoved);
        let customs = matches!(kind, K::MemberCustomRoles | K::TeamCustomRoles | K::ServiceCustomRoles);
        let permissions = kind == K::CustomRolePermissions;
        let fields = [
            ("account_id", self.account_id.is_some(), account, account),
            ("team_id", self.team_id.is_some(), team, team),
            ("service_account_id", self.service_account_id.is_some(), service, service),
            ("role", self.role.is_some(), role, role || kind == K::TeamRole),
            ("custom_role_id", self.custom_role_id.is_some(), custom, custom),
            ("custom_role_ids", self.custom_role_ids.is_some(), customs, customs),
            ("permissions", self.permissions.is_some(), permissions, permissions),
        ];
        let faults = fields.into_iter().filter_map(|(name, there, needed, known)| {
            let place = format!("/changes/{at}/{name}");
            match (there, needed, known) {
                (false, true, _) => Some(Fault::body(place, "required", "is needed for this change")),
                (true, _, false) => Some(Fault::body(place, "unexpected", "is not a part of this change")),
                _ => None,
            }
        });
        faults.collect()
    }
}

/// Of a change that has the parts that its kind needs.
impl From<ProposedChange> for Change {
    fn from(proposed: ProposedChange) -> Self {
        use ChangeKind as K;
        let account = AccountId(proposed.account_id.unwrap_or_default());
        let team = TeamId(proposed.team_id.unwrap_or_default());
        let service = ServiceAccountId(proposed.service_account_id.unwrap_or_default());
        let custom = CustomRoleId(proposed.custom_role_id.unwrap_or_default());
        let customs = proposed.custom_role_ids.unwrap_or_default().into_iter().map(CustomRoleId).collect();
        let role = proposed.role;
        match proposed.change {
            K::MemberRole => Self::MemberRole(account, role.unwrap_or_default()),
            K::MemberRemoved => Self::MemberRemoved(account),
            K::TeamRole => Self::TeamRole(team, role),
            K::TeamRemoved => Self::TeamRemoved(team),
            K::TeamMemberAdded => Self::TeamMemberAdded(team, account),
            K::TeamMemberRemoved => Self::TeamMemberRemoved(team, account),
            K::ServiceRole => Self::ServiceRole(service, role.unwrap_or_default()),
            K::MemberCustomRoles => Self::MemberCustomRoles(account, customs),
            K::TeamCustomRoles => Self::TeamCustomRoles(team, customs),
            K::ServiceCustomRoles => Self::ServiceCustomRoles(service, customs),
            K::CustomRolePermissions => Self::CustomRolePermissions(custom, proposed.permissions.unwrap_or_default()),
            K::CustomRoleRemoved => Self::CustomRoleRemoved(custom),
        }
    }
}

impl SimulateRules {
    /// The rules, the days and the page.
    ///
    /// # Errors
    /// `Invalid` for a cursor that no page gave.
    pub fn parse(self) -> Result<(Vec<ProposedRule>, u32, PageRequest)> {
        let page = PageRequest::parse(self.limit, self.cursor.as_deref()).map_err(in_body)?;
        let rule = |change: ProposedRuleChange| ProposedRule {
            operation: change.operation,
            minimum_role: change.minimum_role,
            own_role: change.own_role,
        };
        Ok((self.changes.into_iter().map(rule).collect(), self.days.unwrap_or(DAYS), page))
    }
}

/// The same faults, of fields that are in the body here and parameters elsewhere.
fn in_body(error: Error) -> Error {
    let Error::Invalid(faults) = error else { return error };
    let moved = faults.into_iter().map(|fault| match fault.place {
        Place::Parameter(name) => Fault { place: Place::Body(format!("/{name}")), ..fault },
        Place::Body(_) => fault,
    });
    Error::Invalid(moved.collect())
}

impl From<decisions::Simulated> for Simulated {
    fn from(simulated: decisions::Simulated) -> Self {
        let totals = simulated.totals;
        let item = |one: decisions::Affected| AffectedParty {
            who: Party::of(&one.holding),
            roles_before: one.roles_before.iter().map(ToString::to_string).collect(),
            roles_after: one.roles_after.iter().map(ToString::to_string).collect(),
            uses_lost: one.uses_lost(),
            loses: one.loses.into_iter().map(OperationEffect::from).collect(),
            gains: one.gains.into_iter().map(OperationEffect::from).collect(),
        };
        Self {
            from: simulated.window.from,
            to: simulated.window.to,
            totals: SimulatedTotals {
                losing: totals.losing,
                losing_what_they_use: totals.losing_what_they_use,
                gaining: totals.gaining,
                uses_lost: totals.uses_lost,
                refusals_lifted: totals.refusals_lifted,
            },
            items: simulated.affected.into_iter().map(item).collect(),
            left_out: u64::try_from(simulated.left_out).unwrap_or(u64::MAX),
        }
    }
}

impl From<Effect> for OperationEffect {
    fn from(effect: Effect) -> Self {
        Self {
            operation: effect.operation,
            before: effect.before.into(),
            after: effect.after.into(),
            uses: effect.uses,
            last_used_on: effect.last_used,
            refused: effect.refused,
        }
    }
}

impl From<Reach> for OperationReach {
    fn from(reach: Reach) -> Self {
        match reach {
            Reach::None => Self::None,
            Reach::Own => Self::Own,
            Reach::Any => Self::Any,
        }
    }
}

impl From<decisions::Foreseen> for Foreseen {
    fn from(foreseen: decisions::Foreseen) -> Self {
        let operation = |(operation, shift): (String, decisions::Shift)| ForeseenOperation {
            operation,
            losing: shift.losing,
            gaining: shift.gaining,
            services_losing: shift.services_losing,
            services_gaining: shift.services_gaining,
            losing_what_they_use: shift.losing_what_they_use,
            uses_lost: shift.uses_lost,
            refusals_lifted: shift.refusals_lifted,
        };
        let item = |tenant: decisions::Tenant| ForeseenOrganization {
            organization_id: tenant.organization.into(),
            name: tenant.name,
            operations: tenant.operations.into_iter().map(operation).collect(),
        };
        Self {
            from: foreseen.window.from,
            to: foreseen.window.to,
            next_cursor: foreseen.tenants.next.map(|cursor| cursor.encode()),
            items: foreseen.tenants.items.into_iter().map(item).collect(),
        }
    }
}
