//! Who holds what, as of a moment, read from the history: people and service accounts, directly and through teams.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use entity::{AccountId, OrganizationId};
use sea_orm::FromQueryResult;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    custom::{self, CustomGrant},
    history::{self, AT_ONCE, By, moment},
};
use crate::{
    accounts::{self, Person},
    app::App,
    authz::Hierarchy,
    db::Tx,
    error::Result,
    mfa,
    runtime::Timestamp,
    tenancy::seats,
};

/// Whose roles are asked for, and when.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked {
    /// Of one organisation, or of all that the transaction sees.
    pub organization: Option<OrganizationId>,
    /// As of this moment, or as it is.
    pub at: Option<Timestamp>,
    /// Whether the moment is that of whoever asks, also where a document goes on a while later.
    pub present: bool,
    /// After this one, in the order of organisation and id.
    pub after: (Uuid, Uuid),
    /// At most so many.
    pub most: u64,
}

/// Somebody who holds a role.
pub(super) struct Holder {
    pub organization: Uuid,
    pub id: Uuid,
    pub kind: Kind,
    pub account: Option<AccountId>,
    /// What a service account was called.
    pub called: Option<String>,
    /// Who the person is today, where the caller sees that.
    pub person: Option<Shown>,
    pub status: String,
    pub grants: Vec<Grant>,
    /// The custom roles beside those.
    pub custom: Vec<CustomGrant>,
    /// The roles that counted, the highest first.
    pub effective: Vec<String>,
}

/// What holds a role.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Person,
    ServiceAccount,
}

/// What is shown of a person.
#[derive(Clone, Debug, Default)]
pub(super) struct Shown {
    pub name: Option<String>,
    pub email: Option<String>,
    pub erased: bool,
    pub last_sign_in_at: Option<Timestamp>,
    /// The second factors that they can prove today; of an earlier moment nobody knows.
    pub second_factors: Option<Vec<String>>,
}

/// A role, and where it comes from.
pub(super) struct Grant {
    pub role: String,
    /// The team that gives it; none when it is direct.
    pub team: Option<(Uuid, Option<String>)>,
    pub since: Timestamp,
    /// It was so already when the history began.
    pub known: bool,
    pub by: By,
}

#[derive(FromQueryResult)]
struct HolderRow {
    organization_id: Uuid,
    object_id: Uuid,
    kind: String,
    account_id: Option<AccountId>,
    role: Option<String>,
    name: Option<String>,
    status: Option<String>,
    since: Timestamp,
    known: bool,
    by_type: String,
    by_id: Option<Uuid>,
}

/// The last word about each thing, unless that was its end; and since when it has had the role that it has.
const HOLDERS: &str = "
    WITH latest AS (
        SELECT * FROM (
            SELECT DISTINCT ON (organization_id, object_id) * FROM access_history
            WHERE kind IN ('membership', 'service_account') AND ($1::uuid IS NULL OR organization_id = $1)
              AND ($2::timestamptz IS NULL OR at <= $2) AND (organization_id, object_id) > ($3, $4)
            ORDER BY organization_id, object_id, at DESC, id DESC
        ) h WHERE change <> 'ended' LIMIT $5
    )
    SELECT l.organization_id, l.object_id, l.kind, l.account_id, l.role, l.name, l.status, s.at AS since,
           s.change = 'known' AS known, s.actor_type AS by_type, s.actor_id AS by_id
    FROM latest l CROSS JOIN LATERAL (
        SELECT h.at, h.change, h.actor_type, h.actor_id FROM access_history h
        WHERE h.organization_id = l.organization_id AND h.object_id = l.object_id AND h.kind = l.kind AND h.id <= l.id
          AND h.id > coalesce((
              SELECT max(d.id) FROM access_history d
              WHERE d.organization_id = l.organization_id AND d.object_id = l.object_id AND d.kind = l.kind
                AND d.id < l.id AND d.role IS DISTINCT FROM l.role), 0)
        ORDER BY h.id LIMIT 1
    ) s
    ORDER BY l.organization_id, l.object_id";

#[derive(FromQueryResult)]
struct TeamRow {
    membership_id: Uuid,
    team_id: Uuid,
    name: Option<String>,
    role: String,
    since: Timestamp,
    known: bool,
    by_type: String,
    by_id: Option<Uuid>,
}

/// The places of these memberships in teams that gave a role, each since both were so.
const TEAMS: &str = "
    WITH places AS (
        SELECT * FROM (
            SELECT DISTINCT ON (organization_id, object_id, team_id) * FROM access_history
            WHERE kind = 'team_member' AND organization_id = ANY ($1) AND object_id = ANY ($2)
              AND ($3::timestamptz IS NULL OR at <= $3)
            ORDER BY organization_id, object_id, team_id, at DESC, id DESC
        ) h WHERE change <> 'ended'
    ), latest AS (
        SELECT * FROM (
            SELECT DISTINCT ON (organization_id, object_id) * FROM access_history
            WHERE kind = 'team' AND organization_id = ANY ($1) AND object_id IN (SELECT team_id FROM places)
              AND ($3::timestamptz IS NULL OR at <= $3)
            ORDER BY organization_id, object_id, at DESC, id DESC
        ) h WHERE change <> 'ended' AND role IS NOT NULL
    ), teams AS (
        SELECT l.organization_id, l.object_id, l.role, l.name, s.at, s.change FROM latest l CROSS JOIN LATERAL (
            SELECT h.at, h.change FROM access_history h
            WHERE h.organization_id = l.organization_id AND h.object_id = l.object_id AND h.kind = 'team' AND h.id <= l.id
              AND h.id > coalesce((
                  SELECT max(d.id) FROM access_history d
                  WHERE d.organization_id = l.organization_id AND d.object_id = l.object_id AND d.kind = 'team'
                    AND d.id < l.id AND d.role IS DISTINCT FROM l.role), 0)
            ORDER BY h.id LIMIT 1
        ) s
    )
    SELECT p.object_id AS membership_id, p.team_id, t.name, t.role, greatest(p.at, t.at) AS since,
           p.change = 'known' AND t.change = 'known' AS known, p.actor_type AS by_type, p.actor_id AS by_id
    FROM places p JOIN teams t ON t.organization_id = p.organization_id AND t.object_id = p.team_id
    ORDER BY p.object_id, p.team_id";

/// Those who held a role, in the order of organisation and id.
///
/// # Errors
/// When the database fails.
pub(super) async fn list(app: &App, tx: &Tx, asked: Asked, hierarchy: &Hierarchy) -> Result<Vec<Holder>> {
    let most = i64::try_from(asked.most).unwrap_or(i64::MAX);
    let organization = asked.organization.map(Uuid::from);
    let values = [organization.into(), asked.at.into(), asked.after.0.into(), asked.after.1.into(), most.into()];
    let rows: Vec<HolderRow> = tx.query(HOLDERS, values).await?;
    let mut by_teams = through_teams(tx, &rows, asked.at).await?;
    let places = rows.iter().map(|row| row.organization_id).collect::<BTreeSet<Uuid>>().into_iter().collect();
    let mut custom = custom::grants(tx, places, rows.iter().map(|row| row.object_id).collect(), asked.at).await?;
    let mut people = people(app, tx, &rows, asked).await?;
    let holders = rows.into_iter().map(|row| {
        let direct = row.role.unwrap_or_default();
        let by_team = by_teams.remove(&row.object_id).unwrap_or_default();
        let effective = hierarchy.effective(&direct, by_team.iter().map(|grant| grant.role.as_str()));
        let by = By::unnamed(row.by_type, row.by_id);
        let grant = Grant { role: direct.clone(), team: None, since: row.since, known: row.known, by };
        Holder {
            organization: row.organization_id,
            id: row.object_id,
            kind: if row.kind == "membership" { Kind::Person } else { Kind::ServiceAccount },
            person: row.account_id.and_then(|id| people.remove(&(row.organization_id, id))),
            account: row.account_id,
            called: row.name,
            status: row.status.unwrap_or_default(),
            effective: effective.iter().map(ToString::to_string).collect(),
            grants: std::iter::once(grant).chain(by_team).collect(),
            custom: custom.remove(&row.object_id).unwrap_or_default(),
        }
    });
    let mut holders: Vec<Holder> = holders.collect();
    history::name(app, tx, holders.iter_mut().flat_map(Holder::givers)).await?;
    Ok(holders)
}

async fn through_teams(tx: &Tx, rows: &[HolderRow], at: Option<Timestamp>) -> Result<HashMap<Uuid, Vec<Grant>>> {
    let organizations: BTreeSet<Uuid> = rows.iter().map(|row| row.organization_id).collect();
    let members = rows.iter().filter(|row| row.kind == "membership").map(|row| row.object_id);
    let members: Vec<Uuid> = members.collect();
    let organizations: Vec<Uuid> = organizations.into_iter().collect();
    let rows: Vec<TeamRow> = tx.query(TEAMS, [organizations.into(), members.into(), at.into()]).await?;
    let mut grants: HashMap<Uuid, Vec<Grant>> = HashMap::new();
    for row in rows {
        grants.entry(row.membership_id).or_default().push(Grant {
            role: row.role,
            team: Some((row.team_id, row.name)),
            since: row.since,
            known: row.known,
            by: By::unnamed(row.by_type, row.by_id),
        });
    }
    Ok(grants)
}

/// Who the people are. The platform's callers see those of the platform's own organisation by name; of tenants' people
/// they get ids, because they have no silent access to tenants (AZ-2). Of somebody who has left, an organisation sees
/// the name, as its record does, and no address.
async fn people(
    app: &App,
    tx: &Tx,
    rows: &[HolderRow],
    Asked { at, present, .. }: Asked,
) -> Result<HashMap<(Uuid, AccountId), Shown>> {
    let own = history::own(tx);
    let ids = rows.iter().filter(|row| row.organization_id == own).filter_map(|row| row.account_id);
    let ids: Vec<AccountId> = ids.collect();
    let mut shown = HashMap::new();
    for some in ids.chunks(AT_ONCE) {
        let there = match tx.caller().organization() {
            Some(_) => Some(seats::among(tx, some.iter().copied()).await?),
            None => None,
        };
        let mut factors = if present { mfa::methods_of(tx, some).await? } else { HashMap::new() };
        for (id, person) in accounts::people(&app.vault, tx, some.iter().copied()).await? {
            let sees_address = there.as_ref().is_none_or(|there| there.contains(&id));
            let what = match person {
                Person::Erased(_) => Shown { erased: true, ..Shown::default() },
                Person::Known(account) => Shown {
                    name: Some(account.name),
                    email: sees_address.then_some(account.email),
                    erased: false,
                    last_sign_in_at: account.last_sign_in_at.filter(|last| at.is_none_or(|at| *last <= at)),
                    second_factors: factors.remove(&id),
                },
            };
            shown.insert((own, id), what);
        }
    }
    Ok(shown)
}

impl Kind {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::ServiceAccount => "service_account",
        }
    }
}

impl Holder {
    /// What it is called, where the caller sees that.
    pub(super) fn name(&self) -> Option<&str> {
        let person = self.person.as_ref().and_then(|person| person.name.as_deref());
        person.or(self.called.as_deref())
    }

    /// Who gave it what it holds, each with the organisation.
    fn givers(&mut self) -> impl Iterator<Item = (Uuid, &mut By)> {
        let place = self.organization;
        let direct = self.grants.iter_mut().map(|grant| &mut grant.by);
        direct.chain(self.custom.iter_mut().map(|grant| &mut grant.by)).map(move |by| (place, by))
    }

    /// As the export has it.
    pub(super) fn json(&self) -> Value {
        let person = self.person.clone().unwrap_or_default();
        let grants = self.grants.iter().map(|grant| {
            let (team_id, team) = grant.team.clone().map_or((None, None), |(id, name)| (Some(id), name));
            let fields: BTreeMap<&str, Value> = BTreeMap::from([
                ("role", json!(grant.role)),
                ("via", json!(if team_id.is_some() { "team" } else { "direct" })),
                ("team_id", json!(team_id)),
                ("team", json!(team)),
                ("since", json!(moment(grant.since))),
                ("before_history", json!(grant.known.then_some(true))),
                ("by", grant.by.json()),
            ]);
            json!(fields)
        });
        json!({
            "organization_id": self.organization,
            "type": self.kind.as_str(),
            "id": self.id,
            "account_id": self.account,
            "name": self.name(),
            "email": person.email,
            "erased": person.erased.then_some(true),
            "status": self.status,
            "grants": grants.collect::<Vec<_>>(),
            "effective_roles": self.effective,
            "custom_grants": self.custom.iter().map(CustomGrant::json).collect::<Vec<_>>(),
            "last_sign_in_at": person.last_sign_in_at.map(moment),
            "second_factors": person.second_factors,
        })
    }
}
