//! What somebody proposes to change in an organisation, and who is touched by it: loaded as they are, and changed in
//! memory only.

use std::collections::{BTreeSet, HashMap};

use entity::{AccountId, CustomRoleId, MembershipId, ServiceAccountId, TeamId, memberships, team_members, teams};
use sea_orm::{ColumnTrait, QueryFilter, QuerySelect, QueryTrait, sea_query::ExprTrait};
use uuid::Uuid;

use super::holdings::{self, CustomGrant, Holding, Standing, TeamGrant};
use crate::{
    app::App,
    db::Tx,
    error::{Error, Fault, Result},
    tenancy::{
        custom_roles::{self, Holder},
        roles,
    },
};

/// The most changes of one proposal.
pub const MOST_CHANGES: usize = 50;
/// The most people that one proposal may touch: it bounds the answer's time and memory.
pub const MOST_PEOPLE: usize = 5_000;

/// A change that somebody proposes.
#[derive(Clone, Debug)]
pub enum Change {
    /// A member has another direct role.
    MemberRole(AccountId, String),
    /// A member is one no more.
    MemberRemoved(AccountId),
    /// A team gives another role, or none.
    TeamRole(TeamId, Option<String>),
    /// A team is no more.
    TeamRemoved(TeamId),
    /// A member comes into a team.
    TeamMemberAdded(TeamId, AccountId),
    /// A member leaves a team.
    TeamMemberRemoved(TeamId, AccountId),
    /// A service account has another role.
    ServiceRole(ServiceAccountId, String),
    /// A member has these custom roles directly, and no others.
    MemberCustomRoles(AccountId, Vec<CustomRoleId>),
    /// A team gives these custom roles, and no others.
    TeamCustomRoles(TeamId, Vec<CustomRoleId>),
    /// A service account has these custom roles, and no others.
    ServiceCustomRoles(ServiceAccountId, Vec<CustomRoleId>),
    /// A custom role permits these operations, and no others.
    CustomRolePermissions(CustomRoleId, Vec<String>),
    /// A custom role is no more.
    CustomRoleRemoved(CustomRoleId),
}

impl Change {
    fn account(&self) -> Option<AccountId> {
        match self {
            Self::MemberRole(account, _)
            | Self::MemberRemoved(account)
            | Self::MemberCustomRoles(account, _)
            | Self::TeamMemberAdded(_, account)
            | Self::TeamMemberRemoved(_, account) => Some(*account),
            _ => None,
        }
    }

    fn team(&self) -> Option<TeamId> {
        match self {
            Self::TeamRole(team, _)
            | Self::TeamRemoved(team)
            | Self::TeamCustomRoles(team, _)
            | Self::TeamMemberAdded(team, _)
            | Self::TeamMemberRemoved(team, _) => Some(*team),
            _ => None,
        }
    }

    /// The team of which everybody is touched. Who comes into one or leaves it is named.
    fn whole_team(&self) -> Option<TeamId> {
        match self {
            Self::TeamRole(team, _) | Self::TeamRemoved(team) | Self::TeamCustomRoles(team, _) => Some(*team),
            _ => None,
        }
    }

    fn service(&self) -> Option<ServiceAccountId> {
        match self {
            Self::ServiceRole(id, _) | Self::ServiceCustomRoles(id, _) => Some(*id),
            _ => None,
        }
    }

    /// The custom role that is another afterwards, or none.
    fn custom_role(&self) -> Option<CustomRoleId> {
        match self {
            Self::CustomRolePermissions(id, _) | Self::CustomRoleRemoved(id) => Some(*id),
            _ => None,
        }
    }

    /// The custom roles that somebody has afterwards.
    fn custom_roles(&self) -> &[CustomRoleId] {
        match self {
            Self::MemberCustomRoles(_, ids) | Self::TeamCustomRoles(_, ids) | Self::ServiceCustomRoles(_, ids) => ids,
            _ => &[],
        }
    }
}

/// Somebody who is touched: as they are, and as they would be.
pub(super) struct Touched {
    pub before: Holding,
    pub after: Holding,
}

/// Those who are touched by a proposal, by the ids that decisions are counted by.
///
/// # Errors
/// `Invalid` at `/changes` for somebody, a team or a role that there is none of here, for none or too many changes, and
/// for changes that touch too many people.
pub(super) async fn touched(app: &App, tx: &Tx, changes: &[Change]) -> Result<HashMap<Uuid, Touched>> {
    if !(1..=MOST_CHANGES).contains(&changes.len()) {
        let detail = format!("must be 1 to {MOST_CHANGES} changes");
        return Err(Error::field("/changes", "size", detail));
    }
    let found = Found::load(app, tx, changes).await?;
    let mut faults = Vec::new();
    for (at, change) in changes.iter().enumerate() {
        if let Err((field, code, detail)) = found.checked(app, tx, change) {
            faults.push(Fault::body(format!("/changes/{at}/{field}"), code, detail));
        }
    }
    if !faults.is_empty() {
        return Err(Error::Invalid(faults));
    }
    let mut proposal = Proposal {
        all: found.holdings.into_iter().map(|(id, before)| (id, Touched::new(before))).collect(),
        teams: found.teams,
        roles: found.roles,
    };
    for change in changes {
        proposal.apply(app, change);
    }
    Ok(proposal.all)
}

struct Found {
    teams: HashMap<TeamId, TeamGrant>,
    roles: HashMap<CustomRoleId, CustomGrant>,
    holdings: HashMap<Uuid, Holding>,
}

/// What is at fault in a change: the field, the code and the detail.
type Mistake = (String, &'static str, &'static str);

impl Found {
    async fn load(app: &App, tx: &Tx, changes: &[Change]) -> Result<Self> {
        let ids: BTreeSet<TeamId> = changes.iter().filter_map(Change::team).collect();
        let query = tx.find::<teams::Entity>().filter(teams::Column::Id.is_in(ids.iter().copied()));
        let found = tx.all(query).await?;
        let mut custom = holdings::custom(app, tx, found.iter().map(|team| Holder::Team(team.id)).collect()).await?;
        let grant = |team: teams::Model| {
            let custom = custom.remove(&Holder::Team(team.id)).unwrap_or_default();
            (team.id, TeamGrant { name: team.name, role: team.role, custom })
        };
        let found = found.into_iter().map(grant).collect();
        let named = changes.iter().flat_map(|change| change.custom_roles().iter().copied());
        let named: BTreeSet<_> = named.chain(changes.iter().filter_map(Change::custom_role)).collect();
        let roles = custom_roles::some(tx, named).await?.into_iter();
        let roles = roles.map(|row| (row.id, CustomGrant::of(app, row))).collect();
        let (people, services) = Self::concerned(tx, changes).await?;
        let people = holdings::of_people(app, tx, &people).await?.into_values();
        let services = holdings::of_services(app, tx, &services).await?.into_values();
        let holdings = people.chain(services).map(|holding| (holding.who.id(), holding)).collect();
        Ok(Self { teams: found, roles, holdings })
    }

    /// Who may be touched: whoever is named, and whoever holds something that changes.
    async fn concerned(tx: &Tx, changes: &[Change]) -> Result<(Vec<AccountId>, Vec<ServiceAccountId>)> {
        let most = u64::try_from(MOST_PEOPLE).unwrap_or(u64::MAX) + 1;
        let mut people: BTreeSet<AccountId> = changes.iter().filter_map(Change::account).collect();
        let mut services: BTreeSet<ServiceAccountId> = changes.iter().filter_map(Change::service).collect();
        let mut teams: BTreeSet<TeamId> = changes.iter().filter_map(Change::whole_team).collect();
        let mut members = Vec::new();
        let changed: BTreeSet<_> = changes.iter().filter_map(Change::custom_role).collect();
        let holders = custom_roles::holders_of(tx, changed, most).await?;
        // What was not read touches people too.
        let whole = holders.len() <= MOST_PEOPLE;
        for holder in holders {
            match holder {
                Holder::Member(id) => members.push(id),
                Holder::Team(id) => drop(teams.insert(id)),
                Holder::Service(id) => drop(services.insert(id)),
                Holder::Invitation(_) => (),
            }
        }
        people.extend(accounts_of(tx, members, teams, most).await?);
        if !whole || people.len() + services.len() > MOST_PEOPLE {
            let detail = format!("would touch more than {MOST_PEOPLE} people; look at fewer teams or roles at a time");
            return Err(Error::field("/changes", "too_many_people", detail));
        }
        Ok((people.into_iter().collect(), services.into_iter().collect()))
    }

    /// The field of a change that is at fault, if one is, and why.
    fn checked(&self, app: &App, tx: &Tx, change: &Change) -> Result<(), Mistake> {
        let mistake = |field: &str, code, detail| Err((field.to_owned(), code, detail));
        if change.account().is_some_and(|id| !self.holdings.contains_key(&id.0)) {
            return mistake("account_id", "unknown_account", "is nobody who belongs to this organisation");
        }
        if change.team().is_some_and(|id| !self.teams.contains_key(&id)) {
            return mistake("team_id", "unknown_team", "is not a team of this organisation");
        }
        if change.service().is_some_and(|id| !self.holdings.contains_key(&id.0)) {
            return mistake("service_account_id", "unknown_service_account", "is not one of this organisation's");
        }
        let not_own = "is not a role of this organisation's own";
        if change.custom_role().is_some_and(|id| !self.roles.contains_key(&id)) {
            return mistake("custom_role_id", "unknown_custom_role", not_own);
        }
        if let Some(at) = change.custom_roles().iter().position(|id| !self.roles.contains_key(id)) {
            return mistake(&format!("custom_role_ids/{at}"), "unknown_custom_role", not_own);
        }
        match change {
            Change::MemberRole(_, role) if roles::assignable(&app.policy, tx.caller(), role).is_err() => {
                mistake("role", "unknown_role", "is not a role of this organisation")
            }
            Change::ServiceRole(_, role) if app.policy.hierarchy().assignable(role).is_none() => {
                mistake("role", "unknown_role", "is not a role that a service account can have")
            }
            Change::TeamRole(_, Some(role)) if roles::of_team(&app.policy, tx.caller(), role).is_err() => {
                mistake("role", "not_by_team", "is not a role that a team can give")
            }
            Change::CustomRolePermissions(_, names) => {
                match names.iter().position(|name| !custom_roles::is_permission(&app.policy, name)) {
                    None => Ok(()),
                    Some(at) => {
                        let field = format!("permissions/{at}");
                        mistake(&field, "unknown_permission", custom_roles::NO_PERMISSION)
                    }
                }
            }
            _ => Ok(()),
        }
    }
}

/// The accounts of these memberships and of everybody in these teams: so many at most.
async fn accounts_of(
    tx: &Tx,
    members: Vec<MembershipId>,
    teams: BTreeSet<TeamId>,
    most: u64,
) -> Result<Vec<AccountId>> {
    if members.is_empty() && teams.is_empty() {
        return Ok(Vec::new());
    }
    let places = tx.find::<team_members::Entity>().filter(team_members::Column::TeamId.is_in(teams));
    let places = places.select_only().column(team_members::Column::MembershipId).into_query();
    let whose = memberships::Column::Id.in_subquery(places).or(memberships::Column::Id.is_in(members));
    let seats = tx.find::<memberships::Entity>().filter(whose);
    Ok(tx.all(seats.limit(most)).await?.into_iter().map(|seat| seat.account_id).collect())
}

/// What is there, as it becomes change by change.
struct Proposal {
    all: HashMap<Uuid, Touched>,
    teams: HashMap<TeamId, TeamGrant>,
    roles: HashMap<CustomRoleId, CustomGrant>,
}

impl Proposal {
    fn apply(&mut self, app: &App, change: &Change) {
        let Self { all, teams, .. } = self;
        match change {
            Change::MemberRole(account, role) => change_one(all, account.0, |after| after.direct = Some(role.clone())),
            Change::ServiceRole(id, role) => change_one(all, id.0, |after| after.direct = Some(role.clone())),
            Change::MemberRemoved(account) => change_one(all, account.0, |after| {
                after.standing = Standing::NoMember;
                after.direct = None;
                after.custom.clear();
                after.teams.clear();
            }),
            Change::TeamRole(team, role) => self.in_team(*team, |grant| grant.role.clone_from(role)),
            Change::TeamRemoved(team) => all.values_mut().for_each(|one| drop(one.after.teams.remove(team))),
            Change::TeamMemberAdded(team, account) => {
                let grant = teams.get(team).cloned();
                change_one(all, account.0, |after| after.teams.extend(grant.map(|grant| (*team, grant))));
            }
            Change::TeamMemberRemoved(team, account) => {
                change_one(all, account.0, |after| drop(after.teams.remove(team)));
            }
            Change::MemberCustomRoles(account, ids) => {
                let held = self.held(ids);
                change_one(&mut self.all, account.0, |after| after.custom = held);
            }
            Change::ServiceCustomRoles(id, ids) => {
                let held = self.held(ids);
                change_one(&mut self.all, id.0, |after| after.custom = held);
            }
            Change::TeamCustomRoles(team, ids) => {
                let held = self.held(ids);
                self.in_team(*team, |grant| grant.custom.clone_from(&held));
            }
            Change::CustomRolePermissions(id, names) => {
                let permissions = app.policy.compile(names.iter().map(String::as_str));
                if let Some(role) = self.roles.get_mut(id) {
                    role.permissions = permissions.clone();
                }
                self.in_grants(|grants| {
                    let of_role = grants.iter_mut().filter(|grant| grant.id == *id);
                    of_role.for_each(|grant| grant.permissions = permissions.clone());
                });
            }
            Change::CustomRoleRemoved(id) => {
                self.roles.remove(id);
                self.in_grants(|grants| grants.retain(|grant| grant.id != *id));
            }
        }
    }

    /// Changes what a team gives, to everybody in it and to whoever comes into it later.
    fn in_team(&mut self, team: TeamId, change: impl Fn(&mut TeamGrant)) {
        let places = self.all.values_mut().filter_map(|one| one.after.teams.get_mut(&team));
        places.chain(self.teams.get_mut(&team)).for_each(change);
    }

    /// Changes the custom roles of everybody, and of each team.
    fn in_grants(&mut self, change: impl Fn(&mut Vec<CustomGrant>)) {
        self.teams.values_mut().for_each(|team| change(&mut team.custom));
        for one in self.all.values_mut() {
            change(&mut one.after.custom);
            one.after.teams.values_mut().for_each(|team| change(&mut team.custom));
        }
    }

    /// What somebody holds who has these roles: one that an earlier change took away gives nothing.
    fn held(&self, ids: &[CustomRoleId]) -> Vec<CustomGrant> {
        ids.iter().filter_map(|id| self.roles.get(id).cloned()).collect()
    }
}

fn change_one(all: &mut HashMap<Uuid, Touched>, id: Uuid, change: impl FnOnce(&mut Holding)) {
    if let Some(one) = all.get_mut(&id) {
        change(&mut one.after);
    }
}

impl Touched {
    fn new(before: Holding) -> Self {
        Self { after: before.clone(), before }
    }
}
