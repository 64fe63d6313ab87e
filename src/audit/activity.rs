//! How much happened on each of the last days, for an overview: counted from the index of an organisation's events, up to a
//! bound for each day, so that a busy organisation costs no more than a thousand steps of the index a number.

use chrono::{DateTime, Days, NaiveTime, Utc};
use sea_orm::FromQueryResult;
use uuid::Uuid;

use crate::{
    db::Tx,
    error::{Error, Result},
    runtime::Timestamp,
};

/// A number of a day that is this stands for this or more.
pub const MOST: i32 = 1000;

/// What happened on a day, in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromQueryResult)]
pub struct Day {
    /// Its beginning.
    pub day: Timestamp,
    /// How often somebody signed in, or switched, to the organisation.
    pub entered: i64,
    /// How many people did.
    pub people: i64,
    /// How often somebody failed to sign in to an account that the organisation manages.
    pub failed: i64,
    /// How many people became members.
    pub joined: i64,
}

/// Ids begin with their milliseconds (RFC 9562, 5.7). The bounds of all days are there as well, because PostgreSQL then
/// knows before it begins which parts of the record it needs.
const ACTIVITY: &str = "
    SELECT d.day, i.entered, i.people, f.failed, j.joined
    FROM (SELECT day, audit_first_id(day) AS low, audit_first_id(day + interval '24 hours') AS high
          FROM unnest($2::timestamptz[]) day) d
    CROSS JOIN LATERAL (SELECT count(*) AS entered, count(DISTINCT actor_id) AS people FROM (
        SELECT e.actor_id FROM audit_entries e WHERE e.organization_id = $1 AND e.event = 'organization.entered'
          AND e.id >= d.low AND e.id < d.high AND e.id >= $3 LIMIT $4) e) i
    CROSS JOIN LATERAL (SELECT count(*) AS failed FROM (
        SELECT FROM audit_entries e WHERE e.organization_id = $1 AND e.event = 'session.failed'
          AND e.id >= d.low AND e.id < d.high AND e.id >= $3 LIMIT $4) e) f
    CROSS JOIN LATERAL (SELECT count(*) AS joined FROM (
        SELECT FROM audit_entries e WHERE e.organization_id = $1 AND e.event = 'member.added'
          AND e.id >= d.low AND e.id < d.high AND e.id >= $3 LIMIT $4) e) j
    ORDER BY d.day";

/// What happened in the caller's organisation on each of the last days, today last.
///
/// # Errors
/// `NotFound` for a caller without an organisation; when the database fails.
pub async fn activity(tx: &Tx, days: u32) -> Result<Vec<Day>> {
    let organization: Uuid = tx.caller().organization().ok_or_else(Error::not_found)?.into();
    let today = tx.caller().now().date_naive();
    let begin = |back| today.checked_sub_days(Days::new(back)).map(|day| day.and_time(NaiveTime::MIN).and_utc());
    let starts: Vec<DateTime<Utc>> = (0..u64::from(days)).rev().filter_map(begin).collect();
    let first =
        starts.first().map(|day| day.timestamp_millis()).and_then(|at| u128::try_from(at).ok()).unwrap_or_default();
    let values = [organization.into(), starts.into(), Uuid::from_u128(first << 80).into(), MOST.into()];
    tx.query(ACTIVITY, values).await
}
