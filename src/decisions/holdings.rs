//! What somebody holds in the caller's organisation: directly, through teams, or while acting there. Loaded for those who
//! are asked about, and changed in memory by whoever proposes something.

use std::collections::{BTreeMap, HashMap, HashSet};

use entity::{
    AccountId, CustomRoleId, MembershipId, ServiceAccountId, TeamId, accounts::State, memberships,
    service_accounts as services,
};
use sea_orm::{ColumnTrait, QueryFilter, QuerySelect};
use uuid::Uuid;

use crate::{
    accounts::{self, Person},
    app::App,
    authz::{Hierarchy, Party},
    db::Tx,
    error::Result,
    runtime::Timestamp,
    sessions,
    tenancy::{
        custom_roles::{self, Holder},
        teams,
    },
    types::{Permissions, Role},
};

/// Somebody, and what they hold.
#[derive(Clone)]
pub struct Holding {
    /// Who.
    pub who: Who,
    /// What they are called; nothing once they are erased.
    pub name: Option<String>,
    /// A person's address, if they are a member.
    pub email: Option<String>,
    /// Whether they can call at all, and if not, why.
    pub standing: Standing,
    /// The role that they have directly.
    pub direct: Option<String>,
    /// The custom roles that they have directly.
    pub custom: Vec<CustomGrant>,
    /// The teams that they are in, with what each gives.
    pub teams: BTreeMap<TeamId, TeamGrant>,
    /// Until when a platform administrator acts here.
    pub acting_until: Option<Timestamp>,
}

/// Who holds something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    /// A person, and their membership if they have one.
    Person(AccountId, Option<MembershipId>),
    /// A service account.
    Service(ServiceAccountId),
}

/// A team that somebody is in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TeamGrant {
    /// What it is called.
    pub name: String,
    /// The role that it gives.
    pub role: Option<String>,
    /// The custom roles that it gives.
    pub custom: Vec<CustomGrant>,
}

/// A custom role that somebody or a team has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustomGrant {
    /// Which.
    pub id: CustomRoleId,
    /// What it is called.
    pub name: String,
    /// What it lets its holders do.
    pub permissions: Permissions,
}

/// Whether somebody can call in this organisation at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// They can.
    Active,
    /// They are no member, and do not act here.
    NoMember,
    /// The membership is blocked.
    MembershipBlocked,
    /// The account is blocked, or its person erased.
    AccountBlocked,
    /// The service account is disabled.
    ServiceDisabled,
}

impl CustomGrant {
    /// A custom role, compiled.
    pub(super) fn of(app: &App, row: custom_roles::Row) -> Self {
        let permissions = app.policy.compile(row.permissions.iter().map(String::as_str));
        Self { id: row.id, name: row.name, permissions }
    }
}

impl Who {
    /// The id that decisions are counted by.
    pub fn id(self) -> Uuid {
        match self {
            Self::Person(account, _) => account.0,
            Self::Service(id) => id.0,
        }
    }
}

impl Holding {
    /// The roles that count, the highest first; none for somebody who can't call.
    pub fn roles(&self, hierarchy: &Hierarchy) -> Vec<Role> {
        if self.standing != Standing::Active {
            return Vec::new();
        }
        match (&self.direct, self.acting_until) {
            (Some(direct), None) => {
                hierarchy.effective(direct, self.teams.values().filter_map(|team| team.role.as_deref()))
            }
            (_, Some(_)) => vec![Role::named(Role::PLATFORM_ADMIN)],
            (None, None) => Vec::new(),
        }
    }

    /// What custom roles let them do, directly and by teams; nothing for somebody who can't call or acts here.
    pub fn permissions(&self) -> Permissions {
        let mut all = Permissions::NONE;
        self.custom_grants().for_each(|(grant, _)| all.add(&grant.permissions));
        all
    }

    /// The custom roles that count, each with the team that gives it.
    pub fn custom_grants(&self) -> impl Iterator<Item = (&CustomGrant, Option<(TeamId, &TeamGrant)>)> {
        let counts = self.standing == Standing::Active && self.direct.is_some() && self.acting_until.is_none();
        let direct = self.custom.iter().map(|grant| (grant, None));
        let by_team =
            self.teams.iter().flat_map(|(id, team)| team.custom.iter().map(move |grant| (grant, Some((*id, team)))));
        direct.chain(by_team).filter(move |_| counts)
    }

    /// As what they call in the transaction's organisation.
    pub fn party(&self, tx: &Tx) -> Party {
        match self.who {
            Who::Service(_) => Party::Service,
            Who::Person(..) if tx.caller().organization() == Some(entity::OrganizationId::PLATFORM) => {
                Party::PlatformPerson
            }
            Who::Person(..) => Party::Person,
        }
    }
}

/// What these people hold; those who are no members are left out.
///
/// # Errors
/// When the database fails.
pub(super) async fn of_people(app: &App, tx: &Tx, ids: &[AccountId]) -> Result<HashMap<AccountId, Holding>> {
    let query = tx.find::<memberships::Entity>();
    let seats = tx.all(query.filter(memberships::Column::AccountId.is_in(ids.iter().copied()))).await?;
    let mut teams = teams::of(tx, seats.iter().map(|seat| seat.id)).await?;
    let holders = seats.iter().map(|seat| Holder::Member(seat.id));
    let holders = holders.chain(teams.values().flatten().map(|team| Holder::Team(team.id)));
    let custom = custom(app, tx, holders.collect()).await?;
    let mut people = accounts::people(&app.vault, tx, seats.iter().map(|seat| seat.account_id)).await?;
    let holdings = seats.into_iter().map(|seat| {
        let person = people.remove(&seat.account_id).and_then(Person::known);
        let standing = match (&person, seat.status) {
            (Some(person), _) if person.state != State::Active => Standing::AccountBlocked,
            (None, _) => Standing::AccountBlocked,
            (Some(_), memberships::Status::Blocked) => Standing::MembershipBlocked,
            (Some(_), memberships::Status::Active) => Standing::Active,
        };
        let (name, email) = person.map_or((None, None), |person| (Some(person.name), Some(person.email)));
        let grant = |team: teams::Row| {
            let custom = custom.get(&Holder::Team(team.id)).cloned().unwrap_or_default();
            (team.id, TeamGrant { name: team.name, role: team.role, custom })
        };
        let holding = Holding {
            who: Who::Person(seat.account_id, Some(seat.id)),
            name,
            email,
            standing,
            direct: Some(seat.role),
            custom: custom.get(&Holder::Member(seat.id)).cloned().unwrap_or_default(),
            teams: teams.remove(&seat.id).unwrap_or_default().into_iter().map(grant).collect(),
            acting_until: None,
        };
        (seat.account_id, holding)
    });
    Ok(holdings.collect())
}

/// What somebody holds who acts here as a platform administrator at the moment, if they do.
///
/// # Errors
/// When the database fails.
pub(super) async fn of_acting(tx: &Tx, id: AccountId) -> Result<Option<Holding>> {
    let access = tx.one(sessions::acting(tx, id).limit(1)).await?;
    Ok(access.map(|access| Holding { acting_until: Some(access.expires_at), standing: Standing::Active, ..nobody(id) }))
}

/// Somebody of whom no more is known here than that they are no member.
pub(super) fn nobody(id: AccountId) -> Holding {
    Holding {
        who: Who::Person(id, None),
        name: None,
        email: None,
        standing: Standing::NoMember,
        direct: None,
        custom: Vec::new(),
        teams: BTreeMap::new(),
        acting_until: None,
    }
}

/// What these service accounts hold.
///
/// # Errors
/// When the database fails.
pub(super) async fn of_services(
    app: &App,
    tx: &Tx,
    ids: &[ServiceAccountId],
) -> Result<HashMap<ServiceAccountId, Holding>> {
    let mut custom = custom(app, tx, ids.iter().map(|id| Holder::Service(*id)).collect()).await?;
    let query = tx.find::<services::Entity>().filter(services::Column::Id.is_in(ids.iter().copied()));
    let holding = |row: services::Model| {
        let standing = match row.state {
            services::State::Active => Standing::Active,
            services::State::Disabled => Standing::ServiceDisabled,
        };
        let holding = Holding {
            who: Who::Service(row.id),
            name: Some(row.name),
            email: None,
            standing,
            direct: Some(row.role),
            custom: custom.remove(&Holder::Service(row.id)).unwrap_or_default(),
            teams: BTreeMap::new(),
            acting_until: None,
        };
        (row.id, holding)
    };
    Ok(tx.all(query).await?.into_iter().map(holding).collect())
}

/// The custom roles of these, compiled.
///
/// # Errors
/// When the database fails.
pub(super) async fn custom(app: &App, tx: &Tx, mut holders: Vec<Holder>) -> Result<HashMap<Holder, Vec<CustomGrant>>> {
    let mut known = HashSet::new();
    holders.retain(|holder| known.insert(*holder));
    let found = custom_roles::of(tx, holders).await?;
    let grants = |rows: Vec<custom_roles::Row>| rows.into_iter().map(|row| CustomGrant::of(app, row)).collect();
    Ok(found.into_iter().map(|(holder, rows)| (holder, grants(rows))).collect())
}
