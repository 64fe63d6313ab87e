//! What is new in the record since it was last looked at, every entry once (as `audit::feed` tells streams, but of all
//! organisations, and from where the leader before left off).
//!
//! PostgreSQL numbers transactions. Whatever is numbered below the oldest that is running has ended, so the entries of all
//! transactions from the number that was reached last up to that one are new, complete, and never come again. The row
//! `alert_progress` keeps the number, and is moved on in the transaction that counts the entries: a leader that is killed
//! leaves both or neither. A transaction that nobody ends holds alerts up, and nothing is lost by it.
//!
//! Ids only bound where to look: they begin with their time, and the row keeps a time before which no transaction with
//! that number or a higher one began to write. It follows from the looks before: what is numbered from `ahead` on began
//! after `ahead_at`.
//!
//! An entry that stays must not be written below a savepoint, for the reason that `audit::feed` gives.

use chrono::TimeDelta;
use entity::{AuditEntryId, OrganizationId};
use sea_orm::FromQueryResult;
use uuid::Uuid;

use crate::{
    db::{Tx, WriteTx},
    error::{Error, Result},
    runtime::Timestamp,
};

/// How many entries are taken at once, but for those of one transaction, which are never parted: some megabytes.
const MOST: i64 = 10_000;

/// How long before PostgreSQL numbers its transaction an entry may get its id, as `audit::feed` reckons.
const BEFORE: TimeDelta = TimeDelta::seconds(60);

/// An entry as rules see it.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub id: AuditEntryId,
    pub organization: OrganizationId,
    pub event: String,
    /// How much it says that it matters.
    pub severity: String,
    pub actor_type: String,
    pub actor_id: Option<Uuid>,
    pub at: Timestamp,
    /// How many times it happened: entries that stand for several say so.
    pub number: i64,
}

/// How far the record has been looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Progress {
    below: i64,
    since: Timestamp,
    ahead: i64,
    ahead_at: Timestamp,
}

/// A look at the record.
pub(super) struct News {
    pub entries: Vec<Entry>,
    /// Whether there is more.
    pub more: bool,
    /// How far it is when these are done.
    pub next: Progress,
    /// Whether it is worth writing that down although nothing is new.
    pub is_stale: bool,
}

#[derive(FromQueryResult)]
struct Row {
    below: i64,
    since: Timestamp,
    ahead: i64,
    ahead_at: Timestamp,
    low: i64,
    high: i64,
    at: Timestamp,
    upto: i64,
    id: Option<AuditEntryId>,
    organization_id: Option<OrganizationId>,
    event: Option<String>,
    severity: Option<String>,
    actor_type: Option<String>,
    actor_id: Option<Uuid>,
    occurred_at: Option<Timestamp>,
    number: Option<i64>,
}

#[derive(FromQueryResult)]
struct Reached {
    since: Timestamp,
}

impl Reached {
    /// The least id that an entry can have that is not counted yet: ids begin with their milliseconds (RFC 9562, 5.7), and
    /// one may be made a minute before its transaction is numbered (`audit::feed`).
    fn least(&self) -> Uuid {
        let begin = (self.since - BEFORE).timestamp_millis();
        Uuid::from_u128(u128::try_from(begin).unwrap_or_default() << 80)
    }
}

/// Entries keep the lower half of their transaction's number; the upper follows from the next number to be given. Entries
/// that stand for several were refused or failed, and say how many.
const NEWS: &str = "
    WITH moment AS MATERIALIZED (
        SELECT p.below, p.since, p.ahead, p.ahead_at, statement_timestamp() AS at,
               pg_snapshot_xmin(s.now)::text::bigint AS low, pg_snapshot_xmax(s.now)::text::bigint AS high
        FROM alert_progress p CROSS JOIN (SELECT pg_current_snapshot() AS now) s
    ), fresh AS MATERIALIZED (
        SELECT e.* FROM moment m CROSS JOIN LATERAL (
            SELECT a.id, a.organization_id, a.event, a.severity, a.actor_type, a.actor_id, a.occurred_at,
                   CASE WHEN a.outcome <> 'success' AND jsonb_typeof(a.metadata -> 'count') = 'number'
                        THEN least(greatest((a.metadata ->> 'count')::numeric, 1), 1000000)::bigint ELSE 1 END AS number,
                   m.high - ((m.high - a.xmin::text::bigint) & 4294967295) AS transaction
            FROM audit_entries a WHERE a.id >= $2) e
        WHERE e.transaction >= m.below AND e.transaction < m.low
    ), cut AS (
        SELECT coalesce((
            SELECT CASE f.transaction WHEN (SELECT min(transaction) FROM fresh) THEN f.transaction + 1 ELSE f.transaction END
            FROM fresh f ORDER BY f.transaction OFFSET $1 LIMIT 1), m.low) AS upto FROM moment m
    )
    SELECT m.below, m.since, m.ahead, m.ahead_at, m.low, m.high, m.at, c.upto,
           f.id, f.organization_id, f.event, f.severity, f.actor_type, f.actor_id, f.occurred_at, f.number
    FROM moment m CROSS JOIN cut c LEFT JOIN fresh f ON f.transaction < c.upto
    ORDER BY f.id";

const MOVE: &str = "UPDATE alert_progress SET below = $1, since = $2, ahead = $3, ahead_at = $4";

/// Nobody else looks until the end of the transaction.
///
/// # Errors
/// When the database fails.
pub(super) async fn alone(tx: &WriteTx) -> Result<()> {
    tx.execute("SELECT FROM alert_progress FOR UPDATE", []).await?;
    Ok(())
}

/// What is new.
///
/// # Errors
/// When the database fails.
pub(super) async fn read(tx: &Tx) -> Result<News> {
    // A value that the planner knows: only then does it know that the index leads to a few entries.
    let progress: Vec<Reached> = tx.query("SELECT since FROM alert_progress", []).await?;
    let least = progress.first().map_or_else(Uuid::max, Reached::least);
    let rows: Vec<Row> = tx.query(NEWS, [MOST.into(), least.into()]).await?;
    let first = rows.first().ok_or_else(|| Error::internal("nobody knows how far the record has been looked at"))?;
    let (next, more) = (first.next(), first.upto < first.low);
    let is_stale = first.at - first.since > TimeDelta::minutes(1) && next.since > first.since;
    let is_back = first.is_of_another_database();
    let entries = rows.into_iter().filter(|_| !is_back).filter_map(Row::entry).collect();
    Ok(News { entries, more, next, is_stale: is_stale || is_back })
}

/// Writes down how far it is.
///
/// # Errors
/// When the database fails.
pub(super) async fn move_on(tx: &WriteTx, next: Progress) -> Result<()> {
    let Progress { below, since, ahead, ahead_at } = next;
    tx.execute(MOVE, [below.into(), since.into(), ahead.into(), ahead_at.into()]).await?;
    Ok(())
}

impl Row {
    /// After a restore, numbers may begin below those that have been seen: what is there is no news then.
    fn is_of_another_database(&self) -> bool {
        self.high < self.below
    }

    fn next(&self) -> Progress {
        if self.is_of_another_database() {
            return Progress { below: self.low, since: self.at, ahead: self.high, ahead_at: self.at };
        }
        let below = self.upto.max(self.below);
        match below >= self.ahead {
            true => Progress { below, since: self.ahead_at.max(self.since), ahead: self.high, ahead_at: self.at },
            false => Progress { below, since: self.since, ahead: self.ahead, ahead_at: self.ahead_at },
        }
    }

    fn entry(self) -> Option<Entry> {
        Some(Entry {
            id: self.id?,
            organization: self.organization_id?,
            event: self.event?,
            severity: self.severity?,
            actor_type: self.actor_type?,
            actor_id: self.actor_id,
            at: self.occurred_at?,
            number: self.number?,
        })
    }
}

#[cfg(test)]
mod tests {
    use chrono::{TimeZone, Utc};

    use super::*;

    fn at(second: i64) -> Timestamp {
        Utc.timestamp_opt(1_800_000_000 + second, 0).unwrap()
    }

    fn row(progress: Progress, (low, high, upto): (i64, i64, i64), second: i64) -> Row {
        let Progress { below, since, ahead, ahead_at } = progress;
        let none = (None, None, None, None, None, None);
        let (id, organization_id, event, severity, actor_type, actor_id) = none;
        let (occurred_at, number) = (None, None);
        let at = at(second);
        Row {
            below,
            since,
            ahead,
            ahead_at,
            low,
            high,
            at,
            upto,
            id,
            organization_id,
            event,
            severity,
            actor_type,
            actor_id,
            occurred_at,
            number,
        }
    }

    /// Proves AUD-5.
    #[test]
    fn it_looks_back_to_when_the_oldest_that_may_still_come_began() {
        let start = Progress { below: 10, since: at(0), ahead: 10, ahead_at: at(0) };
        // Somebody writes: what is numbered from 20 on begins after this look.
        let next = row(start, (12, 20, 12), 2).next();
        assert_eq!(next, Progress { below: 12, since: at(0), ahead: 20, ahead_at: at(2) });
        // They still do, for long: the time stays where it is.
        let waits = row(next, (12, 30, 12), 600).next();
        assert_eq!(waits, next);
        // They are done.
        let done = row(next, (40, 40, 40), 602).next();
        assert_eq!(done, Progress { below: 40, since: at(2), ahead: 40, ahead_at: at(602) });
        // A part only: never further than what was taken.
        let part = row(done, (90, 100, 60), 604).next();
        assert_eq!((part.below, part.since), (60, at(602)));
    }

    #[test]
    fn a_restored_database_has_no_news() {
        let start = Progress { below: 1_000, since: at(0), ahead: 1_000, ahead_at: at(0) };
        let back = row(start, (50, 60, 50), 5);
        assert!(back.is_of_another_database());
        assert_eq!(back.next(), Progress { below: 50, since: at(5), ahead: 60, ahead_at: at(5) });
    }
}
