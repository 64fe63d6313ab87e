//! What somebody holds in the caller's organisation: directly, through teams, or while acting there. Loaded for those who
//! are asked about, and changed in memory by whoever proposes something.

use std::collections::{BTreeMap, HashMap};

use entity::{
    AccountId, MembershipId, ServiceAccountId, TeamId, accounts::State, memberships, service_accounts as services,
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
    tenancy::teams,
    types::Role,
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
        let grant = |team: teams::Row| (team.id, TeamGrant { name: team.name, role: team.role });
        let holding = Holding {
            who: Who::Person(seat.account_id, Some(seat.id)),
            name,
            email,
            standing,
            direct: Some(seat.role),
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
        teams: BTreeMap::new(),
        acting_until: None,
    }
}

/// What these service accounts hold.
///
/// # Errors
/// When the database fails.
pub(super) async fn of_services(tx: &Tx, ids: &[ServiceAccountId]) -> Result<HashMap<ServiceAccountId, Holding>> {
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
            teams: BTreeMap::new(),
            acting_until: None,
        };
        (row.id, holding)
    };
    Ok(tx.all(query).await?.into_iter().map(holding).collect())
}
