//! A question about a decision, and its explanation.

use chrono::{DateTime, Utc};
use entity::{AccountId, ServiceAccountId};
use poem_openapi::{Enum, Object};
use uuid::Uuid;

use crate::{
    authz::{Grant, Link, Object as Whose, OperationPolicy, Reauthentication, Rule, Scope},
    decisions::{About, Explanation, Gate, Holding, Question, Standing, Who},
    error::{Error, Fault},
};

/// What is asked: about a person, a service account, or whoever was refused in a request; exactly one of them.
#[derive(Object)]
#[oai(deny_unknown_fields)]
pub struct ExplainDecision {
    /// A member's account, or that of a platform administrator who acts in the organisation.
    #[oai(skip_serializing_if_is_none)]
    account_id: Option<Uuid>,
    /// A service account of the organisation.
    #[oai(skip_serializing_if_is_none)]
    service_account_id: Option<Uuid>,
    /// The id of a refused request.
    #[oai(validator(min_length = 1, max_length = 200), skip_serializing_if_is_none)]
    request_id: Option<String>,
    /// The operation; a refused request has its own.
    #[oai(validator(min_length = 1, max_length = 63), skip_serializing_if_is_none)]
    operation: Option<String>,
    /// Whose object; anybody's, without it.
    #[oai(skip_serializing_if_is_none)]
    object: Option<ObjectKind>,
}

/// Whose object an operation is about.
#[derive(Clone, Copy, Debug, Enum)]
#[oai(rename_all = "snake_case")]
pub enum ObjectKind {
    /// Anybody's.
    Any,
    /// The caller's own.
    Own,
}

/// How a decision comes out, and why.
#[derive(Object)]
#[oai(skip_serializing_if_is_none)]
pub struct Explained {
    /// `allowed` or `refused`.
    decision: ExplainedDecision,
    /// The code of the refusal, as the call would be answered.
    code: Option<String>,
    /// What the code means.
    title: Option<String>,
    /// The operation's line of the registry.
    operation: ExplainedOperation,
    /// Whose object.
    object: ObjectKind,
    /// Who calls.
    who: Party,
    /// What they hold, and where from.
    holds: Vec<HeldRole>,
    /// The roles that count, the highest first.
    effective_roles: Vec<String>,
    /// The rule by which one of the roles has the operation; absent when none has, or when it asks for no role.
    granted_by: Option<GrantedBy>,
    /// The roles that would be let through.
    roles_allowed: Vec<String>,
    /// What else a call has to pass.
    gates: Vec<ExplainedGate>,
    /// The revision of the policy.
    revision: ExplainedRevision,
    /// The refusal that was asked about.
    recorded: Option<RecordedRefusal>,
}

/// How a decision comes out.
#[derive(Clone, Copy, Debug, Enum)]
#[oai(rename_all = "snake_case")]
pub enum ExplainedDecision {
    /// The call is let through, if it passes the gates that only the call itself can pass.
    Allowed,
    /// It is not.
    Refused,
}

/// An operation's line of the registry.
#[derive(Object)]
#[oai(skip_serializing_if_is_none)]
struct ExplainedOperation {
    /// Its id.
    operation: String,
    /// Who it is for: `public`, `self`, `organization`, `current`, `platform` or `service`.
    scope: String,
    /// What is done something to.
    resource: String,
    /// What is done to it.
    action: String,
    /// The least role that may do it to any object; absent when it asks for no role.
    minimum_role: Option<String>,
    /// The least role that may do it to what is its own; absent when there is no rule for that.
    own_role: Option<String>,
    /// Whether it asks for a fresh proof of who calls.
    reauthentication: bool,
}

/// Who is asked about.
#[derive(Clone, Debug, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct Party {
    /// `person` or `service_account`.
    #[oai(rename = "type")]
    kind: PartyKind,
    /// A person's account.
    account_id: Option<Uuid>,
    /// Their membership.
    member_id: Option<Uuid>,
    /// A service account.
    service_account_id: Option<Uuid>,
    /// What they are called; absent for whoever is no member.
    name: Option<String>,
    /// A member's address.
    email: Option<String>,
}

/// A kind of who calls.
#[derive(Clone, Copy, Debug, Enum)]
#[oai(rename_all = "snake_case")]
pub enum PartyKind {
    /// A person.
    Person,
    /// A program of the organisation's.
    ServiceAccount,
}

/// A role that somebody holds.
#[derive(Object)]
#[oai(skip_serializing_if_is_none)]
struct HeldRole {
    /// The role of the installation; absent for a team that gives none, and for a role of the organisation's own.
    role: Option<String>,
    /// The role of the organisation's own.
    custom_role_id: Option<Uuid>,
    /// What that role is called.
    custom_role: Option<String>,
    /// Where it comes from.
    via: HeldVia,
    /// The team that gives it.
    team_id: Option<Uuid>,
    /// What that team is called.
    team: Option<String>,
    /// When it ends by itself.
    until: Option<DateTime<Utc>>,
}

/// Where a role comes from.
#[derive(Clone, Copy, Debug, Enum)]
#[oai(rename_all = "snake_case")]
enum HeldVia {
    /// From the membership or the service account itself.
    Direct,
    /// From a team.
    Team,
    /// From a platform administrator's reasoned access.
    Acting,
}

/// A rule that gives an operation, and the way to it.
#[derive(Object)]
struct GrantedBy {
    /// The column of the registry.
    rule: GrantRule,
    /// From the role that is held to the one that the column names.
    path: Vec<GrantStep>,
}

/// A column of the registry.
#[derive(Clone, Copy, Debug, Enum)]
#[oai(rename_all = "snake_case")]
#[expect(clippy::enum_variant_names, reason = "the columns are called so")]
enum GrantRule {
    /// The least role for any object.
    MinimumRole,
    /// The least role for what is one's own.
    OwnRole,
    /// None: a role of the organisation's own is composed of the operation, and the path is that role.
    CustomRole,
}

/// A role on the way.
#[derive(Object)]
#[oai(skip_serializing_if_is_none)]
struct GrantStep {
    /// The role.
    role: String,
    /// How the role before it comes to it; absent for the first.
    link: Option<GrantLink>,
}

/// How a role has what another has.
#[derive(Clone, Copy, Debug, Enum)]
#[oai(rename_all = "snake_case")]
enum GrantLink {
    /// It inherits it.
    Inherits,
    /// It reads what that one reads.
    ReadsAs,
}

/// What a call has to pass beside the policy's decision.
#[derive(Object)]
#[oai(skip_serializing_if_is_none)]
struct ExplainedGate {
    /// Which one.
    gate: GateKind,
    /// Whether it stands in the way.
    state: GateState,
    /// The seconds within which somebody must have proven who they are, or signed in.
    seconds: Option<u64>,
    /// When what lets them in ends by itself.
    until: Option<DateTime<Utc>>,
    /// The key.
    api_key_id: Option<Uuid>,
    /// The networks that a key is bound to; everywhere, when there is none.
    allowed_networks: Option<Vec<String>>,
}

/// What a call has to pass.
#[derive(Clone, Copy, Debug, Enum)]
#[oai(rename_all = "snake_case")]
enum GateKind {
    /// The account is neither blocked nor erased.
    Account,
    /// The person is a member here, and the membership is not blocked.
    Membership,
    /// The service account is not disabled.
    ServiceAccount,
    /// The person has proven who they are a moment ago.
    Reauthentication,
    /// The sign-in is not too old.
    SignInAge,
    /// The platform administrator's access has not ended.
    Acting,
    /// A key is good, and used from where it may be.
    ApiKey,
}

/// Whether a gate stands in the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
enum GateState {
    /// It does.
    Closed,
    /// It does not.
    Open,
    /// It depends on the call.
    Asks,
}

/// A revision of the policy.
#[derive(Object)]
struct ExplainedRevision {
    /// Its number.
    number: i32,
    /// SHA-256 of its map.
    sha256: String,
    /// Since when it is in force.
    since: DateTime<Utc>,
}

/// A refusal in the record.
#[derive(Object)]
struct RecordedRefusal {
    /// Its entry.
    entry_id: Uuid,
    /// When it was.
    occurred_at: DateTime<Utc>,
    /// Its code.
    code: String,
    /// How many alike there were within two seconds.
    count: i64,
}

impl TryFrom<ExplainDecision> for Question {
    type Error = Error;

    fn try_from(asked: ExplainDecision) -> Result<Self, Error> {
        let about = match (asked.account_id, asked.service_account_id, asked.request_id) {
            (Some(id), None, None) => About::Person(AccountId(id)),
            (None, Some(id), None) => About::Service(ServiceAccountId(id)),
            (None, None, Some(id)) => About::Request(id),
            _ => {
                let detail = "must have exactly one of account_id, service_account_id and request_id";
                return Err(Error::Invalid(vec![Fault::body("", "exactly_one", detail)]));
            }
        };
        let object = asked.object.map_or(Whose::Any, Whose::from);
        Ok(Self { about, operation: asked.operation, object })
    }
}

impl From<ObjectKind> for Whose {
    fn from(kind: ObjectKind) -> Self {
        match kind {
            ObjectKind::Any => Self::Any,
            ObjectKind::Own => Self::Own,
        }
    }
}

impl Explained {
    /// An explanation as the client reads it.
    pub fn of(why: Explanation) -> Self {
        Self {
            decision: why.refusal.map_or(ExplainedDecision::Allowed, |_| ExplainedDecision::Refused),
            code: why.refusal.map(|code| code.as_str().to_owned()),
            title: why.refusal.map(|code| code.title().to_owned()),
            object: if why.object == Whose::Own { ObjectKind::Own } else { ObjectKind::Any },
            who: Party::of(&why.holding),
            holds: held(&why.holding),
            effective_roles: why.roles.iter().map(ToString::to_string).collect(),
            granted_by: why.grant.map(GrantedBy::from),
            roles_allowed: why.would,
            gates: why.gates.into_iter().map(ExplainedGate::from).collect(),
            revision: ExplainedRevision {
                number: why.revision.number,
                sha256: why.revision.sha256,
                since: why.revision.since,
            },
            recorded: why.recorded.map(|recorded| RecordedRefusal {
                entry_id: recorded.entry.into(),
                occurred_at: recorded.at,
                code: recorded.code,
                count: recorded.count,
            }),
            operation: why.operation.into(),
        }
    }
}

impl From<OperationPolicy> for ExplainedOperation {
    fn from(row: OperationPolicy) -> Self {
        let scope = match row.scope {
            Scope::Public => "public",
            Scope::Own => "self",
            Scope::Organization => "organization",
            Scope::Current => "current",
            Scope::Platform => "platform",
            Scope::Service => "service",
        };
        Self {
            operation: row.operation,
            scope: scope.to_owned(),
            resource: row.resource,
            action: row.action,
            minimum_role: row.minimum_role,
            own_role: row.own_role,
            reauthentication: row.reauthentication == Reauthentication::Required,
        }
    }
}

impl Party {
    /// Who holds something.
    pub fn of(holding: &Holding) -> Self {
        let (account_id, member_id, service_account_id) = match holding.who {
            Who::Person(account, member) => (Some(account.0), member.map(|member| member.0), None),
            Who::Service(id) => (None, None, Some(id.0)),
        };
        Self {
            kind: if service_account_id.is_some() { PartyKind::ServiceAccount } else { PartyKind::Person },
            account_id,
            member_id,
            service_account_id,
            name: holding.name.clone(),
            email: holding.email.clone(),
        }
    }
}

fn held(holding: &Holding) -> Vec<HeldRole> {
    let direct = holding.direct.clone().map(|role| HeldRole {
        role: Some(role),
        custom_role_id: None,
        custom_role: None,
        via: HeldVia::Direct,
        team_id: None,
        team: None,
        until: None,
    });
    let acting = holding.acting_until.map(|until| HeldRole {
        role: Some(crate::types::Role::PLATFORM_ADMIN.to_owned()),
        custom_role_id: None,
        custom_role: None,
        via: HeldVia::Acting,
        team_id: None,
        team: None,
        until: Some(until),
    });
    let teams = holding.teams.iter().map(|(id, team)| HeldRole {
        role: team.role.clone(),
        custom_role_id: None,
        custom_role: None,
        via: HeldVia::Team,
        team_id: Some(id.0),
        team: Some(team.name.clone()),
        until: None,
    });
    let custom = holding.custom_grants().map(|(grant, team)| HeldRole {
        role: None,
        custom_role_id: Some(grant.id.0),
        custom_role: Some(grant.name.clone()),
        via: team.map_or(HeldVia::Direct, |_| HeldVia::Team),
        team_id: team.map(|(id, _)| id.0),
        team: team.map(|(_, team)| team.name.clone()),
        until: None,
    });
    direct.into_iter().chain(acting).chain(teams).chain(custom).collect()
}

impl From<Grant> for GrantedBy {
    fn from(grant: Grant) -> Self {
        let step = |step: crate::authz::Step| GrantStep {
            role: step.role,
            link: step.link.map(|link| match link {
                Link::Inherits => GrantLink::Inherits,
                Link::ReadsAs => GrantLink::ReadsAs,
            }),
        };
        Self {
            rule: match grant.rule {
                Rule::MinimumRole => GrantRule::MinimumRole,
                Rule::OwnRole => GrantRule::OwnRole,
                Rule::CustomRole => GrantRule::CustomRole,
            },
            path: grant.path.into_iter().map(step).collect(),
        }
    }
}

impl From<Gate> for ExplainedGate {
    fn from(gate: Gate) -> Self {
        let of =
            |gate, state| Self { gate, state, seconds: None, until: None, api_key_id: None, allowed_networks: None };
        match gate {
            Gate::Standing(standing) => match standing {
                Standing::Active => of(GateKind::Membership, GateState::Open),
                Standing::NoMember | Standing::MembershipBlocked => of(GateKind::Membership, GateState::Closed),
                Standing::AccountBlocked => of(GateKind::Account, GateState::Closed),
                Standing::ServiceDisabled => of(GateKind::ServiceAccount, GateState::Closed),
            },
            Gate::Reauthentication(seconds) => {
                Self { seconds: Some(seconds), ..of(GateKind::Reauthentication, GateState::Asks) }
            }
            Gate::SignInAge(minutes) => {
                Self { seconds: Some(u64::from(minutes) * 60), ..of(GateKind::SignInAge, GateState::Asks) }
            }
            Gate::Acting(until) => Self { until: Some(until), ..of(GateKind::Acting, GateState::Open) },
            Gate::Key(key) => {
                let state = match (key.expired, key.networks.is_empty()) {
                    (true, _) => GateState::Closed,
                    (false, true) => GateState::Open,
                    (false, false) => GateState::Asks,
                };
                Self {
                    api_key_id: Some(key.id.into()),
                    until: key.expires_at,
                    allowed_networks: Some(key.networks),
                    ..of(GateKind::ApiKey, state)
                }
            }
        }
    }
}
