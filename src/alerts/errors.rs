//! Errors: how many of which kind all instances answer, by the minute, and the alerts of the platform about them. Each
//! instance counts in memory and writes every few seconds, so that a storm of errors is no storm of writes.

use chrono::TimeDelta;
use entity::{AlertId, OrganizationId};
use sea_orm::FromQueryResult;

use super::{BuiltIn, matching::WHOLE, news};
use crate::{
    alerts::AlertPolicy,
    audit::{Event, Kind},
    db::{Db, Unrecorded},
    error::{Code, Result},
    runtime::{Ids, Timestamp},
    types::Caller,
};

/// The windows that are counted, in minutes: five minutes, an hour, a day, a week.
pub const WINDOWS: [i32; 4] = [5, 60, 1_440, 10_080];
/// How long the counts are kept.
pub(super) const KEPT: TimeDelta = TimeDelta::days(30);

/// By the database's clock, in the order of the key, so that instances that write at once don't wait in a circle.
const WRITE: &str = "
    INSERT INTO error_counts (minute, code, status, count)
    SELECT date_trunc('minute', statement_timestamp()), u.code, u.status, u.count
    FROM unnest($1::text[], $2::integer[], $3::bigint[]) AS u (code, status, count) ORDER BY u.code
    ON CONFLICT (minute, code) DO UPDATE SET count = error_counts.count + excluded.count";

/// Adds what an instance counted in the last seconds.
///
/// # Errors
/// When the database fails; nothing was written then.
pub async fn count_errors(db: &Db, caller: &Caller, counted: &[(Code, u64)]) -> Result<()> {
    if counted.is_empty() {
        return Ok(());
    }
    let values = [
        counted.iter().map(|(code, _)| code.as_str().to_owned()).collect::<Vec<_>>().into(),
        counted.iter().map(|(code, _)| i32::from(code.status())).collect::<Vec<_>>().into(),
        counted.iter().map(|(_, count)| i64::try_from(*count).unwrap_or(i64::MAX)).collect::<Vec<_>>().into(),
    ];
    let tx = db.write(caller).await?;
    tx.execute(WRITE, values).await?;
    tx.commit(Unrecorded("how often an error was answered is no act of anybody's")).await
}

/// How often one kind of error was answered.
#[derive(Clone, Debug, FromQueryResult)]
pub struct Counted {
    /// The stable code.
    pub code: String,
    /// The status that goes with it.
    pub status: i16,
    /// In the last five minutes.
    pub five_minutes: i64,
    /// In the last hour.
    pub hour: i64,
    /// In the last day.
    pub day: i64,
    /// In the last week.
    pub week: i64,
    /// In which minute last.
    pub last_at: Timestamp,
}

const STATS: &str = "
    SELECT code, status,
        coalesce(sum(count) FILTER (WHERE minute > statement_timestamp() - $1 * interval '1 minute'), 0)::bigint AS five_minutes,
        coalesce(sum(count) FILTER (WHERE minute > statement_timestamp() - $2 * interval '1 minute'), 0)::bigint AS hour,
        coalesce(sum(count) FILTER (WHERE minute > statement_timestamp() - $3 * interval '1 minute'), 0)::bigint AS day,
        sum(count)::bigint AS week, max(minute) AS last_at
    FROM error_counts WHERE minute > statement_timestamp() - $4 * interval '1 minute' AND status = ANY ($5)
    GROUP BY code, status ORDER BY status DESC, week DESC, code";

/// The errors of the last week, on all instances, the gravest first.
///
/// # Errors
/// When the database fails.
pub async fn errors(db: &Db, caller: &Caller) -> Result<Vec<Counted>> {
    let [five, hour, day, week] = WINDOWS;
    let statuses: Vec<i32> = (400..600).collect();
    let tx = db.read(caller).await?;
    tx.query(STATS, [five.into(), hour.into(), day.into(), week.into(), statuses.into()]).await
}

#[derive(FromQueryResult)]
struct Standing {
    recent: i64,
    first: Option<Timestamp>,
    last: Option<Timestamp>,
    open: Option<AlertId>,
    open_count: Option<i64>,
    total: Option<i64>,
}

/// How it is with the errors of a status: those within the window and since the last alert about them was acknowledged,
/// and those since the open one began. Minutes are whole.
const STANDING: &str = "
    WITH open AS (
        SELECT id, count, first_at FROM alerts
        WHERE organization_id = $1 AND rule = $2 AND subject = $3 AND state = 'open'
    ), after AS (
        SELECT greatest(date_trunc('minute', statement_timestamp()) - $5 * interval '1 minute',
            (SELECT date_trunc('minute', max(decided_at)) FROM alerts
             WHERE organization_id = $1 AND rule = $2 AND subject = $3 AND state = 'acknowledged')) AS minute
    )
    SELECT coalesce(sum(e.count) FILTER (WHERE e.minute > a.minute), 0)::bigint AS recent,
        min(e.minute) FILTER (WHERE e.minute > a.minute) AS first, max(e.minute) AS last,
        (SELECT id FROM open) AS open, (SELECT count FROM open) AS open_count,
        (sum(e.count) FILTER (WHERE e.minute >= date_trunc('minute', (SELECT first_at FROM open))))::bigint AS total
    FROM error_counts e CROSS JOIN after a
    WHERE e.status = $4 AND e.minute > least(a.minute, (SELECT first_at FROM open) - interval '1 minute')";

const GROW: &str = "UPDATE alerts SET count = $2, last_at = $3 WHERE id = $1 AND state = 'open'";

const RAISE: &str = "
    INSERT INTO alerts (id, organization_id, rule, title, severity, by, subject, count, first_at, last_at, raised_at,
        entries, state, muted_until)
    VALUES ($1, $2, $3, $4, $5, 'organization', $6, $7, $8, $9, clock_timestamp(), '{}', 'open',
        (SELECT muted_until FROM alert_mutes
         WHERE organization_id = $2 AND rule = $3 AND muted_until > clock_timestamp()))
    ON CONFLICT (organization_id, rule, subject) WHERE state = 'open' DO NOTHING";

/// Raises what the counts say in the platform's own organisation. Returns how many alerts are new.
///
/// # Errors
/// When the database fails or another instance leads.
pub async fn look_at_errors(db: &Db, policy: &AlertPolicy, caller: &Caller) -> Result<usize> {
    let mut raised = 0;
    for (status, rule) in policy.of_answers() {
        let values = [
            OrganizationId::PLATFORM.into(),
            rule.name.as_str().into(),
            WHOLE.to_vec().into(),
            i32::from(status).into(),
            rule.minutes.into(),
        ];
        let standing: Vec<Standing> = db.read(caller).await?.query(STANDING, values).await?;
        let Some(standing) = standing.into_iter().next() else { continue };
        match standing {
            Standing { open: Some(id), open_count, total: Some(total), last: Some(last), .. }
                if open_count != Some(total) =>
            {
                let tx = db.write(caller).await?;
                tx.execute(GROW, [id.into(), total.into(), last.into()]).await?;
                tx.commit(Unrecorded("what is counted for alerts is in the record already")).await?;
            }
            Standing { open: None, recent, first: Some(first), last: Some(last), .. } if recent >= rule.count => {
                raised += usize::from(raise(db, caller, rule, (recent, first, last)).await?);
            }
            _ => {}
        }
    }
    Ok(raised)
}

async fn raise(
    db: &Db,
    caller: &Caller,
    rule: &BuiltIn,
    (count, first, last): (i64, Timestamp, Timestamp),
) -> Result<bool> {
    let id: AlertId = Ids.next();
    let severity = rule.severity.as_str();
    let values = [
        id.into(),
        OrganizationId::PLATFORM.into(),
        rule.name.as_str().into(),
        rule.title.as_str().into(),
        severity.into(),
        WHOLE.to_vec().into(),
        count.into(),
        first.into(),
        last.into(),
    ];
    let tx = db.write(caller).await?;
    // Alerts are raised one after the other, so that digests know which they have seen.
    news::alone(&tx).await?;
    if tx.execute(RAISE, values).await? == 0 {
        return Ok(false);
    }
    let event = Event::new(Kind::AlertRaised, id).in_organization(OrganizationId::PLATFORM);
    let event = event.with("rule", rule.name.as_str()).with("severity", severity).with("by", rule.by.as_str());
    tx.commit(event).await?;
    Ok(true)
}
