//! What somebody proposes to change in an organisation, and who is touched by it: loaded as they are, and changed in
//! memory only.

use std::collections::{BTreeSet, HashMap};

use entity::{AccountId, ServiceAccountId, TeamId, memberships, team_members, teams};
use sea_orm::{ColumnTrait, QueryFilter, QuerySelect, QueryTrait};
use uuid::Uuid;

use super::holdings::{self, Holding, Standing, TeamGrant};
use crate::{
    app::App,
    db::Tx,
    error::{Error, Fault, Result},
    tenancy::{custom_roles::Holder, roles},
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
}

impl Change {
    fn account(&self) -> Option<AccountId> {
        match self {
            Self::MemberRole(account, _)
            | Self::MemberRemoved(account)
            | Self::TeamMemberAdded(_, account)
            | Self::TeamMemberRemoved(_, account) => Some(*account),
            Self::TeamRole(..) | Self::TeamRemoved(_) | Self::ServiceRole(..) => None,
        }
    }

    fn team(&self) -> Option<TeamId> {
        match self {
            Self::TeamRole(team, _)
            | Self::TeamRemoved(team)
            | Self::TeamMemberAdded(team, _)
            | Self::TeamMemberRemoved(team, _) => Some(*team),
            Self::MemberRole(..) | Self::MemberRemoved(_) | Self::ServiceRole(..) => None,
        }
    }

    fn service(&self) -> Option<ServiceAccountId> {
        if let Self::ServiceRole(id, _) = self { Some(*id) } else { None }
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
    let mut all: HashMap<Uuid, Touched> =
        found.holdings.into_iter().map(|(id, before)| (id, Touched::new(before))).collect();
    let mut given: HashMap<TeamId, TeamGrant> = found.teams;
    for change in changes {
        apply(&mut all, &mut given, change);
    }
    Ok(all)
}

struct Found {
    teams: HashMap<TeamId, TeamGrant>,
    holdings: HashMap<Uuid, Holding>,
}

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
        let mut people: BTreeSet<AccountId> = changes.iter().filter_map(Change::account).collect();
        // Who comes into a team or leaves it is named; what changes for a whole team touches all of it.
        let whole = changes.iter().filter(|change| matches!(change, Change::TeamRole(..) | Change::TeamRemoved(_)));
        let whole: Vec<TeamId> = whole.filter_map(Change::team).collect();
        people.extend(members_of(tx, whole).await?);
        if people.len() > MOST_PEOPLE {
            let detail = format!("would touch more than {MOST_PEOPLE} people; look at fewer teams at a time");
            return Err(Error::field("/changes", "too_many_people", detail));
        }
        let people: Vec<AccountId> = people.into_iter().collect();
        let services: Vec<ServiceAccountId> = changes.iter().filter_map(Change::service).collect();
        let people = holdings::of_people(app, tx, &people).await?.into_values();
        let services = holdings::of_services(app, tx, &services).await?.into_values();
        let holdings = people.chain(services).map(|holding| (holding.who.id(), holding)).collect();
        Ok(Self { teams: found, holdings })
    }

    /// The field of a change that is at fault, if one is, and why.
    fn checked(&self, app: &App, tx: &Tx, change: &Change) -> Result<(), (&'static str, &'static str, &'static str)> {
        if change.account().is_some_and(|id| !self.holdings.contains_key(&id.0)) {
            return Err(("account_id", "unknown_account", "is nobody who belongs to this organisation"));
        }
        if change.team().is_some_and(|id| !self.teams.contains_key(&id)) {
            return Err(("team_id", "unknown_team", "is not a team of this organisation"));
        }
        if change.service().is_some_and(|id| !self.holdings.contains_key(&id.0)) {
            return Err(("service_account_id", "unknown_service_account", "is not one of this organisation's"));
        }
        match change {
            Change::MemberRole(_, role) if roles::assignable(&app.policy, tx.caller(), role).is_err() => {
                Err(("role", "unknown_role", "is not a role of this organisation"))
            }
            Change::ServiceRole(_, role) if app.policy.hierarchy().assignable(role).is_none() => {
                Err(("role", "unknown_role", "is not a role that a service account can have"))
            }
            Change::TeamRole(_, Some(role)) if roles::of_team(&app.policy, tx.caller(), role).is_err() => {
                Err(("role", "not_by_team", "is not a role that a team can give"))
            }
            _ => Ok(()),
        }
    }
}

/// Who is in these teams: one more than may be touched, at most.
async fn members_of(tx: &Tx, teams: Vec<TeamId>) -> Result<Vec<AccountId>> {
    if teams.is_empty() {
        return Ok(Vec::new());
    }
    let places = tx.find::<team_members::Entity>().filter(team_members::Column::TeamId.is_in(teams));
    let places = places.select_only().column(team_members::Column::MembershipId).into_query();
    let seats = tx.find::<memberships::Entity>().filter(memberships::Column::Id.in_subquery(places));
    let most = u64::try_from(MOST_PEOPLE).unwrap_or(u64::MAX) + 1;
    Ok(tx.all(seats.limit(most)).await?.into_iter().map(|seat| seat.account_id).collect())
}

fn apply(all: &mut HashMap<Uuid, Touched>, teams: &mut HashMap<TeamId, TeamGrant>, change: &Change) {
    match change {
        Change::MemberRole(account, role) => change_one(all, account.0, |after| after.direct = Some(role.clone())),
        Change::ServiceRole(id, role) => change_one(all, id.0, |after| after.direct = Some(role.clone())),
        Change::MemberRemoved(account) => change_one(all, account.0, |after| {
            after.standing = Standing::NoMember;
            after.direct = None;
            after.custom.clear();
            after.teams.clear();
        }),
        Change::TeamRole(team, role) => {
            if let Some(grant) = teams.get_mut(team) {
                grant.role.clone_from(role);
            }
            let places = all.values_mut().filter_map(|one| one.after.teams.get_mut(team));
            places.for_each(|grant| grant.role.clone_from(role));
        }
        Change::TeamRemoved(team) => all.values_mut().for_each(|one| drop(one.after.teams.remove(team))),
        Change::TeamMemberAdded(team, account) => {
            let grant = teams.get(team).cloned();
            change_one(all, account.0, |after| after.teams.extend(grant.map(|grant| (*team, grant))));
        }
        Change::TeamMemberRemoved(team, account) => {
            change_one(all, account.0, |after| drop(after.teams.remove(team)));
        }
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
