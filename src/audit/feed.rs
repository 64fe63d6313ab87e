//! What has come into the record since, for those who watch it (NET-12).
//!
//! An entry gets its id when it is written and is seen when its transaction commits, so one can appear behind others that
//! were read long ago. What is new is therefore not asked by id: PostgreSQL says which transactions a moment sees, and new
//! between two moments is what the later one sees and the earlier one did not. Whoever asks, on whichever instance, nothing
//! is missing between two moments and nothing is there twice; and those who write pay nothing for it.
//!
//! Ids only bound where to look. A moment carries the time before which no entry was written that it does not see, which
//! follows from the moments before it: a transaction that an older moment did not know of began to write after that one.
//!
//! An entry that stays must not be written below a savepoint, because PostgreSQL's snapshots do not list the numbers of
//! subtransactions. What is written below the one that there is (`WriteTx::note_alike`) is taken back.

use std::collections::{HashMap, VecDeque};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, TimeDelta};
use entity::{AuditEntryId, OrganizationId, audit_entries as entries};
use sea_orm::{ColumnTrait, FromQueryResult, QueryFilter, QueryOrder};
use uuid::Uuid;

use super::personal::{self, Entry};
use crate::{db::Tx, error::Result, runtime::Timestamp, vault::Vault};

/// How long before PostgreSQL numbers its transaction an entry may get its id. What lies between is one statement, which
/// PostgreSQL waits 30 s for and gives up after 15 s (`db::tx`); and the clocks are less than a second apart.
const BEFORE: TimeDelta = TimeDelta::seconds(60);

/// How long a transaction that writes entries may take and still be followed. One that takes longer leaves its entries in
/// the record without having been told of.
const LONGEST: TimeDelta = TimeDelta::minutes(10);

/// How long a moment is good for going on from.
const KEPT: TimeDelta = TimeDelta::minutes(15);

/// How many entries of one organisation are told of at once. More are a gap.
const MOST: usize = 1000;

/// A moment in the life of the database: which transactions are seen at it. It can be sent to clients and come back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moment {
    /// Before this, no entry was written that is not seen.
    since: Timestamp,
    snapshot: Snapshot,
}

/// PostgreSQL's `pg_snapshot`: every transaction numbered below `low` is seen, none from `high` on, and of those between
/// all but the ones that are listed.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Snapshot {
    low: i64,
    high: i64,
    text: String,
}

impl Snapshot {
    /// Reads `low:high:number,number`; `None` for what PostgreSQL would not take.
    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.splitn(3, ':');
        let (low, high, running) = (number(parts.next()?)?, number(parts.next()?)?, parts.next()?);
        let mut last = low - 1;
        if !running.is_empty() {
            for part in running.split(',') {
                let next = number(part)?;
                if next <= last || next >= high {
                    return None;
                }
                last = next;
            }
        }
        (low <= high).then(|| Self { low, high, text: text.to_owned() })
    }
}

/// The number of a transaction, written as PostgreSQL writes it.
fn number(text: &str) -> Option<i64> {
    let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|number| plain && *number > 0)
}

impl Moment {
    /// Reads what [`Moment::cursor`] wrote. It is no secret and no proof: a forged one finds other entries of the same
    /// organisation.
    pub fn parse(cursor: &str) -> Option<Self> {
        let text = String::from_utf8(URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()?;
        let (since, snapshot) = text.split_once(' ')?;
        let since = DateTime::from_timestamp_millis(number(since)?)?;
        Some(Self { since, snapshot: Snapshot::parse(snapshot)? })
    }

    /// The moment as a client keeps it.
    pub fn cursor(&self) -> String {
        URL_SAFE_NO_PAD.encode(format!("{} {}", self.since.timestamp_millis(), self.snapshot.text))
    }

    /// The least id that an entry can have which is not seen. Ids begin with their milliseconds (RFC 9562, 5.7).
    fn least(&self) -> Uuid {
        Uuid::from_u128(u128::try_from(self.since.timestamp_millis()).unwrap_or_default() << 80)
    }

    /// Whether one can go on from this moment to another. Not when it is too long ago; nor when it is of another database,
    /// or of this one before a restore, whose numbers were higher.
    fn leads_to(&self, other: &Self) -> bool {
        self.snapshot.high <= other.snapshot.high && self.since >= other.since - KEPT
    }
}

/// What is new of an organisation.
#[derive(Debug, PartialEq, Eq)]
pub enum News {
    /// These entries, by id; perhaps none.
    Entries(Vec<AuditEntryId>),
    /// More than are told of at once, or nobody knows what.
    TooMuch,
}

impl News {
    fn of(ids: Vec<AuditEntryId>) -> Self {
        if ids.len() > MOST { Self::TooMuch } else { Self::Entries(ids) }
    }
}

/// Follows the record from moment to moment.
#[derive(Debug, Default)]
pub struct Follower {
    last: Option<Moment>,
    /// Moments of which transactions may still be running: the first number that each did not know, and when it was.
    past: VecDeque<(i64, Timestamp)>,
}

#[derive(FromQueryResult)]
struct Row {
    snapshot: String,
    at: Timestamp,
    organization_id: Option<OrganizationId>,
    id: Option<AuditEntryId>,
}

/// Entries keep the lower half of their transaction's number; the upper follows from the next number to be given.
const STEP: &str = "
    WITH moment AS MATERIALIZED (
        SELECT pg_current_snapshot() AS snapshot, pg_snapshot_xmax(pg_current_snapshot())::text::bigint AS next,
               $3::text::pg_snapshot AS before)
    SELECT m.snapshot::text AS snapshot, statement_timestamp() AS at, n.organization_id, n.id
    FROM moment m LEFT JOIN LATERAL (
        SELECT w.organization_id, e.id FROM unnest($1::uuid[]) AS w (organization_id)
        CROSS JOIN LATERAL (
            SELECT a.id FROM audit_entries a
            WHERE a.organization_id = w.organization_id AND a.id >= $2 AND NOT pg_visible_in_snapshot(
                (m.next - ((m.next - a.xmin::text::bigint) & 4294967295))::text::xid8, m.before)
            ORDER BY a.id LIMIT 1001) e
    ) n ON true";

/// The same for one organisation between two moments.
const BETWEEN: &str = "
    WITH moment AS MATERIALIZED (
        SELECT $1::text::pg_snapshot AS before, $2::text::pg_snapshot AS after,
               pg_snapshot_xmax(pg_current_snapshot())::text::bigint AS next)
    SELECT e.id FROM moment m CROSS JOIN LATERAL (
        SELECT a.id, (m.next - ((m.next - a.xmin::text::bigint) & 4294967295))::text::xid8 AS number
        FROM audit_entries a WHERE a.organization_id = $3 AND a.id >= $4) e
    WHERE NOT pg_visible_in_snapshot(e.number, m.before) AND pg_visible_in_snapshot(e.number, m.after)
    ORDER BY e.id LIMIT 1001";

impl Follower {
    /// The present moment, and what is new of each of these organisations since the last one. The transaction sees them
    /// all: no content is read here.
    ///
    /// # Errors
    /// When the database fails; the next step then tells what this one would have.
    pub async fn step(
        &mut self,
        tx: &Tx,
        organizations: &[OrganizationId],
    ) -> Result<(Moment, HashMap<OrganizationId, News>)> {
        let (least, before) = match &self.last {
            Some(last) => (last.least(), last.snapshot.text.clone()),
            // There is nothing before the first moment: nobody has been told anything yet.
            None => (Uuid::max(), "1:1:".to_owned()),
        };
        let ids: Vec<Uuid> = organizations.iter().map(|id| Uuid::from(*id)).collect();
        let rows: Vec<Row> = tx.query(STEP, [ids.into(), least.into(), before.into()]).await?;
        let now = rows.first().and_then(|row| Some((Snapshot::parse(&row.snapshot)?, row.at)));
        let (snapshot, at) = now.ok_or_else(|| crate::error::Error::internal("PostgreSQL gave no snapshot"))?;
        let moment = self.moment(snapshot, at);
        let mut found: HashMap<OrganizationId, Vec<AuditEntryId>> =
            organizations.iter().map(|organization| (*organization, Vec::new())).collect();
        for (organization, id) in rows.into_iter().filter_map(|row| row.organization_id.zip(row.id)) {
            found.entry(organization).or_default().push(id);
        }
        let known = self.last.as_ref().is_none_or(|last| last.snapshot.high <= moment.snapshot.high);
        let news = |ids| if known { News::of(ids) } else { News::TooMuch };
        let news = found.into_iter().map(|(organization, ids)| (organization, news(ids))).collect();
        self.last = Some(moment.clone());
        Ok((moment, news))
    }

    /// Forgets everything: nobody watches any more.
    pub fn rest(&mut self) {
        *self = Self::default();
    }

    fn moment(&mut self, snapshot: Snapshot, at: Timestamp) -> Moment {
        self.past.push_back((snapshot.high, at));
        // The youngest moment all of whose transactions have ended: what is not seen now began to write after it.
        while self.past.get(1).is_some_and(|(high, _)| *high <= snapshot.low) {
            self.past.pop_front();
        }
        while self.past.len() > 1 && self.past.front().is_some_and(|(_, then)| *then < at - LONGEST) {
            self.past.pop_front();
        }
        let settled = self.past.front().filter(|(high, _)| *high <= snapshot.low).map(|(_, then)| *then);
        Moment { since: settled.unwrap_or(at - LONGEST).max(at - LONGEST) - BEFORE, snapshot }
    }
}

/// What is new of the caller's organisation between two moments.
///
/// # Errors
/// When the database fails.
pub async fn between(tx: &Tx, before: &Moment, after: &Moment) -> Result<News> {
    let Some(organization) = tx.caller().organization().filter(|_| before.leads_to(after)) else {
        return Ok(News::TooMuch);
    };
    let values = [
        before.snapshot.text.clone().into(),
        after.snapshot.text.clone().into(),
        Uuid::from(organization).into(),
        before.least().into(),
    ];
    let rows: Vec<Id> = tx.query(BETWEEN, values).await?;
    Ok(News::of(rows.into_iter().map(|row| row.id).collect()))
}

#[derive(FromQueryResult)]
struct Id {
    id: AuditEntryId,
}

/// These entries of the caller's organisation, the oldest first.
///
/// # Errors
/// When the database fails, or something can't be opened.
pub async fn of_ids(vault: &Vault, tx: &Tx, ids: Vec<AuditEntryId>) -> Result<Vec<Entry>> {
    let query = tx.find::<entries::Entity>().filter(entries::Column::Id.is_in(ids));
    let rows = tx.all(query.order_by_asc(entries::Column::Id)).await?;
    personal::whole(vault, tx, rows).await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        DateTime::from_timestamp(1_800_000_000 + seconds, 0).unwrap()
    }

    fn snapshot(text: &str) -> Snapshot {
        Snapshot::parse(text).unwrap()
    }

    /// Proves NET-12.
    #[test]
    fn a_cursor_comes_back_as_it_was_and_nonsense_is_refused() {
        for text in ["7:7:", "7:9:7,8", "1:9223372036854775807:5"] {
            let moment = Moment { since: at(0), snapshot: snapshot(text) };
            assert_eq!(Moment::parse(&moment.cursor()), Some(moment));
        }
        for text in [
            "", "1", "1:2", "0:1:", "2:1:", "1:3:3", "5:9:4", "1:9:3,3", "1:9:4,3", "1:9:,", "1:9:+3", "a:b:",
            "1:9:3:4",
        ] {
            assert_eq!(Snapshot::parse(text), None, "{text}");
            assert_eq!(Moment::parse(&URL_SAFE_NO_PAD.encode(format!("1800000000000 {text}"))), None, "{text}");
        }
        for cursor in ["", "!", "AAAA", &URL_SAFE_NO_PAD.encode("9223372036854775807 1:1:")] {
            assert_eq!(Moment::parse(cursor), None, "{cursor}");
        }
    }

    #[test]
    fn it_looks_back_as_far_as_the_oldest_transaction_that_is_running() {
        let mut follower = Follower::default();
        // Somebody was writing before anybody watched: nobody knows since when.
        assert_eq!(follower.moment(snapshot("5:10:5"), at(0)).since, at(0) - LONGEST - BEFORE);
        // Still; and then they have ended, but one began between the first moment and the second.
        assert_eq!(follower.moment(snapshot("5:12:5,10"), at(1)).since, at(1) - LONGEST - BEFORE);
        assert_eq!(follower.moment(snapshot("10:12:10"), at(2)).since, at(0) - BEFORE);
        assert_eq!(follower.moment(snapshot("12:20:12"), at(3)).since, at(2) - BEFORE);
        assert_eq!(follower.moment(snapshot("20:20:"), at(4)).since, at(4) - BEFORE);
        // One goes on for ever: it is followed for a while.
        for second in 5..2000 {
            let since = follower.moment(snapshot("20:30:20"), at(second)).since;
            assert_eq!(since, at(4.max(second - LONGEST.num_seconds())) - BEFORE, "{second}");
        }
        assert!(follower.past.len() < 700);
    }

    #[test]
    fn nobody_goes_on_from_long_ago_or_from_another_database() {
        let moment = |since, text| Moment { since: at(since), snapshot: snapshot(text) };
        assert!(moment(0, "5:9:").leads_to(&moment(60, "9:9:")));
        assert!(!moment(0, "5:9:").leads_to(&moment(16 * 60, "9:9:")));
        assert!(!moment(0, "5:10:").leads_to(&moment(60, "9:9:")));
    }
}
