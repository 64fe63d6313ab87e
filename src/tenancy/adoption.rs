//! How many of an organisation's people have a second factor: by role, by method, day by day (MFA-6).
//!
//! A job counts every organisation each hour, and what a day's last count was stays. Today's figures are counted when they
//! are asked for, as long as the organisation is small enough for that.

use std::{cmp::Reverse, collections::BTreeMap};

use chrono::{Days, NaiveDate};
use entity::{OrganizationId, memberships, organizations as rows};
use sea_orm::{ColumnTrait, FromQueryResult, QueryFilter, QueryOrder, QuerySelect};
use serde_json::Value;
use uuid::Uuid;

use crate::{
    accounts::demand,
    app::App,
    authz::Hierarchy,
    db::Unrecorded,
    error::{Error, Result},
    jobs::{Report, Run},
    runtime::Timestamp,
    settings::sections::Mfa,
    types::Caller,
};

/// How many members are counted while somebody waits; of more, the last hour's count is told.
const AT_ONCE: u64 = 10_000;
/// How many organisations the job counts in one transaction.
const BATCH: u64 = 100;
/// Counting the people of a very large organisation may take longer than a page may.
const PATIENCE: &str = "SELECT set_config('statement_timeout', '5min', true)";
/// How long counts are kept, like what the record has of security (AUD-7).
const KEPT: Days = Days::new(730);

/// The people of a role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OfRole {
    /// The highest role that they have, directly or by a team.
    pub role: String,
    /// Whether a second factor is demanded of them.
    pub required: bool,
    /// How many.
    pub people: i64,
    /// How many of them have a second factor.
    pub enrolled: i64,
    /// By method, how many of them have it.
    pub methods: BTreeMap<String, i64>,
}

/// A day's last count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromQueryResult)]
pub struct Day {
    /// Which, in UTC.
    pub day: NaiveDate,
    /// How many people there were.
    pub people: i64,
    /// How many of them had a second factor.
    pub enrolled: i64,
}

/// How it is with second factors in an organisation.
#[derive(Clone, Debug)]
pub struct Adoption {
    /// When the roles were counted; never when nobody has counted yet.
    pub counted_at: Option<Timestamp>,
    /// The roles that somebody has, the highest first.
    pub roles: Vec<OfRole>,
    /// The days that were counted, the oldest first, and today as the roles have it.
    pub days: Vec<Day>,
}

#[derive(FromQueryResult)]
struct Row {
    roles: String,
    people: i64,
    enrolled: i64,
    methods: Value,
    counted_at: Timestamp,
}

/// Counts the active members of the organisations `$1` by what roles they have; `$2` is now.
macro_rules! count {
    () => {
        "WITH held AS MATERIALIZED (
            SELECT m.organization_id, second_factor_methods(m.account_id) AS methods, (
                SELECT string_agg(DISTINCT r.role, ' ' ORDER BY r.role) FROM (
                    SELECT m.role UNION ALL SELECT t.role FROM team_members x
                    JOIN teams t ON t.organization_id = x.organization_id AND t.id = x.team_id
                    WHERE x.organization_id = m.organization_id AND x.membership_id = m.id) r) AS roles
            FROM memberships m WHERE m.organization_id = ANY ($1) AND m.status = 'active'
        ), by_method AS (
            SELECT organization_id, roles, jsonb_object_agg(method, number) AS methods FROM (
                SELECT organization_id, roles, method, count(*) AS number FROM held, unnest(methods) method
                GROUP BY organization_id, roles, method) n
            GROUP BY organization_id, roles
        ), counted AS (
            SELECT organization_id, roles, count(*) AS people, count(*) FILTER (WHERE methods <> '{}') AS enrolled
            FROM held GROUP BY organization_id, roles
        )
        SELECT organization_id, ($2::timestamptz AT TIME ZONE 'UTC')::date AS day, roles, people, enrolled,
               coalesce(methods, '{}') AS methods, $2::timestamptz AS counted_at
        FROM counted LEFT JOIN by_method USING (organization_id, roles)"
    };
}

const COUNT: &str = count!();
/// What of today is counted anew: roles that nobody has any more have no row.
const FORGET: &str = "DELETE FROM second_factor_counts
    WHERE organization_id = ANY ($1) AND day = ($2::timestamptz AT TIME ZONE 'UTC')::date";
const KEEP: &str = concat!(
    "INSERT INTO second_factor_counts (organization_id, day, roles, people, enrolled, methods, counted_at) ",
    count!()
);
const LAST: &str = "
    SELECT roles, people, enrolled, methods, counted_at FROM second_factor_counts
    WHERE organization_id = $1 AND day = (SELECT max(day) FROM second_factor_counts WHERE organization_id = $1)";
const DAYS: &str = "
    SELECT day, sum(people)::bigint AS people, sum(enrolled)::bigint AS enrolled FROM second_factor_counts
    WHERE organization_id = $1 AND day > $2 GROUP BY day ORDER BY day";
const CLEAN_UP: &str = "
    DELETE FROM second_factor_counts WHERE (organization_id, day, roles) IN (
        SELECT organization_id, day, roles FROM second_factor_counts WHERE day <= $1 ORDER BY day LIMIT 1000)";

/// How it is with second factors in the caller's organisation, over the last `days`.
///
/// # Errors
/// `NotFound` for a caller without an organisation; when the database fails.
pub async fn adoption(app: &App, caller: &Caller, days: u64) -> Result<Adoption> {
    let tx = app.db.read(caller).await?;
    let organization: Uuid = tx.caller().organization().ok_or_else(Error::not_found)?.into();
    let now = tx.caller().now();
    let members = tx.find::<memberships::Entity>().filter(memberships::Column::Status.eq(memberships::Status::Active));
    let counted: Vec<Row> = if tx.count(members.limit(AT_ONCE + 1)).await? <= AT_ONCE {
        tx.query(COUNT, [vec![organization].into(), now.into()]).await?
    } else {
        tx.query(LAST, [organization.into()]).await?
    };
    let today = now.date_naive();
    let since = today.checked_sub_days(Days::new(days)).unwrap_or(today);
    let mut past: Vec<Day> = tx.query(DAYS, [organization.into(), since.into()]).await?;
    let counted_at = counted.iter().map(|row| row.counted_at).max();
    let settings = app.settings.effective_in(&tx).await?;
    let roles = by_role(app.policy.hierarchy(), &settings.mfa, counted)?;
    if counted_at.is_some_and(|at| at.date_naive() == today) {
        past.retain(|of| of.day != today);
        let sum = |number: fn(&OfRole) -> i64| roles.iter().map(number).sum();
        past.push(Day { day: today, people: sum(|of| of.people), enrolled: sum(|of| of.enrolled) });
    }
    Ok(Adoption { counted_at, roles, days: past })
}

/// Counts every organisation's people, and removes counts that are over.
///
/// # Errors
/// When the database fails; what was counted stays.
pub async fn count_all(run: Run) -> Result<Report> {
    let (mut after, mut counted) = (OrganizationId(Uuid::nil()), 0);
    while !run.is_stopping() {
        let tx = run.write().await?;
        let open = tx
            .find::<rows::Entity>()
            .filter(rows::Column::Id.gt(after))
            .filter(rows::Column::Status.ne(rows::Status::Deleted))
            .order_by_asc(rows::Column::Id)
            .limit(BATCH);
        let some: Vec<rows::Model> = tx.all(open).await?;
        let Some(last) = some.last() else { break };
        after = last.id;
        let ids: Vec<Uuid> = some.iter().map(|organization| organization.id.into()).collect();
        let now = run.caller().now();
        tx.execute(PATIENCE, []).await?;
        tx.execute(FORGET, [ids.clone().into(), now.into()]).await?;
        tx.execute(KEEP, [ids.into(), now.into()]).await?;
        tx.commit(Unrecorded("a run of a job is its own record")).await?;
        counted += some.len();
    }
    let today = run.caller().now().date_naive();
    let old = today.checked_sub_days(KEPT).unwrap_or(NaiveDate::MIN);
    let removed = run.repeat(CLEAN_UP, &[old.into()]).await?;
    Ok(Report::from([("organizations", u64::try_from(counted).unwrap_or(u64::MAX)), ("removed", removed)]))
}

/// The people by the highest role that they have, the highest first; of two as high, the one that reads what a higher one
/// reads.
fn by_role(hierarchy: &Hierarchy, rules: &Mfa, counted: Vec<Row>) -> Result<Vec<OfRole>> {
    let rank = |name: &str| {
        let reads = hierarchy.rows().iter().any(|row| row.name == name && row.reads_as.is_some());
        Reverse((hierarchy.level(name), reads))
    };
    let mut roles: BTreeMap<_, OfRole> = BTreeMap::new();
    for row in counted {
        let Some(role) = row.roles.split(' ').min_by_key(|name| rank(name)) else { continue };
        let methods: BTreeMap<String, i64> = serde_json::from_value(row.methods).map_err(Error::internal)?;
        let required = demand::demanded_of(hierarchy, rules, role);
        let empty = || OfRole { role: role.to_owned(), required, people: 0, enrolled: 0, methods: BTreeMap::new() };
        let of = roles.entry((rank(role), role.to_owned())).or_insert_with(empty);
        of.people += row.people;
        of.enrolled += row.enrolled;
        for (method, number) in methods {
            *of.methods.entry(method).or_default() += number;
        }
    }
    Ok(roles.into_values().collect())
}
