//! Who holds custom roles: members, teams, service accounts, and whoever accepts an invitation. It decides nothing about
//! who may give them.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use entity::{
    CustomRoleId, InvitationId, MembershipId, OrganizationId, ServiceAccountId, TeamId, custom_role_grants as grants,
    custom_roles as roles, invitations,
};
use sea_orm::{
    ColumnTrait, Condition, FromQueryResult, QueryFilter, QueryOrder, QuerySelect, QueryTrait,
    sea_query::{Expr, ExprTrait},
};

use super::{MOST, Row};
use crate::{
    app::App,
    audit::Event,
    db::{Tx, WriteTx},
    error::{Error, Fault, Result},
    tenancy::teams,
};

/// What can hold a custom role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Holder {
    /// A member, directly.
    Member(MembershipId),
    /// Everybody in a team.
    Team(TeamId),
    /// A service account.
    Service(ServiceAccountId),
    /// Whoever will accept an invitation.
    Invitation(InvitationId),
}

/// A custom role that a member holds.
#[derive(Clone, Debug)]
pub struct Given {
    /// The role.
    pub role: Row,
    /// The team that gives it; none when it is held directly.
    pub team: Option<TeamId>,
}

/// How many hold a role.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Members, directly.
    pub members: u64,
    /// Teams.
    pub teams: u64,
    /// Service accounts.
    pub service_accounts: u64,
    /// Invitations that can still be accepted or sent again.
    pub invitations: u64,
}

impl Counts {
    /// All together.
    pub fn total(&self) -> u64 {
        self.members + self.teams + self.service_accounts + self.invitations
    }
}

/// The custom roles that these hold themselves, by name; who holds none is left out.
///
/// # Errors
/// When the database fails.
pub async fn of(tx: &Tx, holders: Vec<Holder>) -> Result<HashMap<Holder, Vec<Row>>> {
    let mut found: HashMap<Holder, Vec<Row>> = HashMap::new();
    if holders.is_empty() {
        return Ok(found);
    }
    let held = tx.all(tx.find::<grants::Entity>().filter(among(&holders))).await?;
    if held.is_empty() {
        return Ok(found);
    }
    let ids = held.iter().map(|grant| grant.custom_role_id);
    let query = tx.find::<roles::Entity>().filter(roles::Column::Id.is_in(ids));
    for role in tx.all(query.order_by_asc(roles::Column::NameKey)).await? {
        for grant in held.iter().filter(|grant| grant.custom_role_id == role.id) {
            if let Some(holder) = holder(grant) {
                found.entry(holder).or_default().push(role.clone());
            }
        }
    }
    Ok(found)
}

/// Who holds these roles themselves: so many grants at most.
///
/// # Errors
/// When the database fails.
pub async fn holders_of(tx: &Tx, roles: BTreeSet<CustomRoleId>, most: u64) -> Result<Vec<Holder>> {
    if roles.is_empty() {
        return Ok(Vec::new());
    }
    let query = tx.find::<grants::Entity>().filter(grants::Column::CustomRoleId.is_in(roles));
    Ok(tx.all(query.limit(most)).await?.iter().filter_map(holder).collect())
}

/// Those of these custom roles that are there, by name.
///
/// # Errors
/// When the database fails.
pub async fn some(tx: &Tx, ids: BTreeSet<CustomRoleId>) -> Result<Vec<Row>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let query = tx.find::<roles::Entity>().filter(roles::Column::Id.is_in(ids));
    tx.all(query.order_by_asc(roles::Column::NameKey)).await
}

/// The custom roles of one holder, by name.
///
/// # Errors
/// When the database fails.
pub async fn direct(tx: &Tx, holder: Holder) -> Result<Vec<Row>> {
    Ok(of(tx, vec![holder]).await?.remove(&holder).unwrap_or_default())
}

/// The custom roles of members with these teams: first what they hold directly, then what teams give.
///
/// # Errors
/// When the database fails.
pub async fn of_members(
    tx: &Tx,
    members: impl IntoIterator<Item = MembershipId>,
    by_teams: &teams::OfMembers,
) -> Result<HashMap<MembershipId, Vec<Given>>> {
    let members: Vec<_> = members.into_iter().collect();
    let mut holders: Vec<_> = by_teams.values().flatten().map(|team| Holder::Team(team.id)).collect();
    holders.sort_unstable_by_key(|holder| if let Holder::Team(id) = holder { Some(*id) } else { None });
    holders.dedup();
    holders.extend(members.iter().map(|id| Holder::Member(*id)));
    let held = of(tx, holders).await?;
    if held.is_empty() {
        return Ok(HashMap::new());
    }
    let given = |holder: Holder, team: Option<TeamId>| {
        let roles = held.get(&holder).into_iter().flatten();
        roles.map(move |role| Given { role: role.clone(), team })
    };
    let of_one = |id: MembershipId| {
        let teams = by_teams.get(&id).into_iter().flatten();
        let by_teams = teams.flat_map(|team| given(Holder::Team(team.id), Some(team.id)));
        (id, given(Holder::Member(id), None).chain(by_teams).collect())
    };
    Ok(members.into_iter().map(of_one).collect())
}

/// The custom roles that these teams give, some perhaps twice.
///
/// # Errors
/// When the database fails.
pub async fn through(tx: &Tx, teams: &[teams::Row]) -> Result<Vec<Row>> {
    let held = of(tx, teams.iter().map(|team| Holder::Team(team.id)).collect()).await?;
    Ok(held.into_values().flatten().collect())
}

/// The custom roles with these ids, as they stay until the transaction ends.
///
/// # Errors
/// `Invalid` with a pointer to each that is no role of this organisation.
pub async fn wanted(tx: &WriteTx, ids: &[CustomRoleId]) -> Result<Vec<Row>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let found = staying(tx, ids.to_vec()).await?;
    let unknown = ids.iter().enumerate().filter(|(_, id)| found.iter().all(|role| role.id != **id));
    let fault = |at: usize| {
        let place = format!("/custom_role_ids/{at}");
        Fault::body(place, "unknown_custom_role", "is not a role of this organisation's own")
    };
    let faults: Vec<_> = unknown.map(|(at, _)| fault(at)).collect();
    if faults.is_empty() { Ok(found) } else { Err(Error::Invalid(faults)) }
}

/// Those of these custom roles that are there, by name, as they stay until the transaction ends.
///
/// # Errors
/// When the database fails.
pub async fn staying(tx: &WriteTx, ids: Vec<CustomRoleId>) -> Result<Vec<Row>> {
    let query = tx.find::<roles::Entity>().filter(roles::Column::Id.is_in(ids));
    tx.all(query.order_by_asc(roles::Column::NameKey).lock_shared()).await
}

/// All custom roles of the transaction's organisation by the key of their names, as they stay until its end.
///
/// # Errors
/// When the database fails.
pub async fn by_name(tx: &WriteTx) -> Result<HashMap<String, Row>> {
    let all = tx.find::<roles::Entity>().order_by_asc(roles::Column::Id).limit(MOST).lock_shared();
    Ok(tx.all(all).await?.into_iter().map(|role| (role.name_key.clone(), role)).collect())
}

/// Lets a holder have these roles and no others.
///
/// # Errors
/// When the database fails.
pub async fn give(tx: &WriteTx, app: &App, holder: Holder, present: &[Row], wanted: &[Row]) -> Result<()> {
    let Some(organization_id) = tx.caller().organization() else { return Err(Error::not_found()) };
    let lost = present.iter().filter(|role| wanted.iter().all(|other| other.id != role.id)).map(|role| role.id);
    let lost: Vec<_> = lost.collect();
    if !lost.is_empty() {
        let removal = tx.remove::<grants::Entity>().filter(among(&[holder]));
        tx.delete(removal.filter(grants::Column::CustomRoleId.is_in(lost))).await?;
    }
    let new = wanted.iter().filter(|role| present.iter().all(|other| other.id != role.id));
    tx.append(rows_of(app, organization_id, holder, new)).await
}

/// The rows that let a holder have these roles.
pub fn rows_of<'a>(
    app: &App,
    organization_id: OrganizationId,
    holder: Holder,
    roles: impl IntoIterator<Item = &'a Row>,
) -> Vec<grants::ActiveModel> {
    let row = |role: &Row| {
        let mut row = grants::Model {
            id: app.ids.next(),
            organization_id,
            custom_role_id: role.id,
            membership_id: None,
            team_id: None,
            service_account_id: None,
            invitation_id: None,
        };
        match holder {
            Holder::Member(id) => row.membership_id = Some(id),
            Holder::Team(id) => row.team_id = Some(id),
            Holder::Service(id) => row.service_account_id = Some(id),
            Holder::Invitation(id) => row.invitation_id = Some(id),
        }
        grants::ActiveModel::from(row)
    };
    roles.into_iter().map(row).collect()
}

/// The ids of roles for the record, where each can be searched for.
pub fn ids<'a>(roles: impl IntoIterator<Item = &'a Row>) -> String {
    roles.into_iter().map(|role| role.id.to_string()).collect::<Vec<_>>().join(" ")
}

/// The event with which roles a holder got and lost, if any.
pub fn difference(event: Event, present: &[Row], wanted: &[Row]) -> Event {
    let only =
        |one: &[Row], other: &[Row]| ids(one.iter().filter(|role| other.iter().all(|known| known.id != role.id)));
    let with = |event: Event, key, ids: String| if ids.is_empty() { event } else { event.with(key, ids) };
    let event = with(event, "custom_roles_added", only(wanted, present));
    with(event, "custom_roles_removed", only(present, wanted))
}

fn among(holders: &[Holder]) -> Condition {
    let (mut members, mut teams, mut services, mut invitations) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for holder in holders {
        match holder {
            Holder::Member(id) => members.push(*id),
            Holder::Team(id) => teams.push(*id),
            Holder::Service(id) => services.push(*id),
            Holder::Invitation(id) => invitations.push(*id),
        }
    }
    let mut any = Condition::any();
    if !members.is_empty() {
        any = any.add(grants::Column::MembershipId.is_in(members));
    }
    if !teams.is_empty() {
        any = any.add(grants::Column::TeamId.is_in(teams));
    }
    if !services.is_empty() {
        any = any.add(grants::Column::ServiceAccountId.is_in(services));
    }
    if !invitations.is_empty() {
        any = any.add(grants::Column::InvitationId.is_in(invitations));
    }
    // `is_in` of nothing is false; a condition of nothing would be true.
    if holders.is_empty() { any.add(grants::Column::Id.is_in(Vec::<uuid::Uuid>::new())) } else { any }
}

fn holder(grant: &grants::Model) -> Option<Holder> {
    let member = grant.membership_id.map(Holder::Member);
    let team = grant.team_id.map(Holder::Team);
    let service = grant.service_account_id.map(Holder::Service);
    member.or(team).or(service).or(grant.invitation_id.map(Holder::Invitation))
}

#[derive(FromQueryResult)]
struct Count {
    custom_role_id: CustomRoleId,
    members: i64,
    teams: i64,
    service_accounts: i64,
    invitations: i64,
}

/// How many hold each custom role, or this one; one that nobody holds is left out.
///
/// # Errors
/// When the database fails.
pub(super) async fn counts(tx: &Tx, role: Option<CustomRoleId>) -> Result<BTreeMap<CustomRoleId, Counts>> {
    let open = tx
        .find::<invitations::Entity>()
        .filter(invitations::Column::Status.is_in([invitations::Status::Pending, invitations::Status::Expired]))
        .select_only()
        .column(invitations::Column::Id)
        .into_query();
    let open = grants::Column::InvitationId.is_null().or(grants::Column::InvitationId.in_subquery(open));
    let mut query = tx.find::<grants::Entity>().filter(open);
    if let Some(id) = role {
        query = query.filter(grants::Column::CustomRoleId.eq(id));
    }
    let count = |column: grants::Column| Expr::col((grants::Entity, column)).count();
    let query = query
        .select_only()
        .column(grants::Column::CustomRoleId)
        .column_as(count(grants::Column::MembershipId), "members")
        .column_as(count(grants::Column::TeamId), "teams")
        .column_as(count(grants::Column::ServiceAccountId), "service_accounts")
        .column_as(count(grants::Column::InvitationId), "invitations")
        .group_by(grants::Column::CustomRoleId);
    let rows = tx.rows(query.into_model::<Count>()).await?;
    let counts = |row: Count| {
        let counts = Counts {
            members: row.members.unsigned_abs(),
            teams: row.teams.unsigned_abs(),
            service_accounts: row.service_accounts.unsigned_abs(),
            invitations: row.invitations.unsigned_abs(),
        };
        (row.custom_role_id, counts)
    };
    Ok(rows.into_iter().map(counts).collect())
}
