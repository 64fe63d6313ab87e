//! Reading how far sealing is, and which checkpoints there are.

use entity::audit_checkpoints as checkpoints;
use sea_orm::{ColumnTrait, FromQueryResult, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use super::form::{Checkpoint, least};
use super::signed::Claimed;
use crate::{
    db::Tx,
    error::{Error, Result},
    runtime::Timestamp,
    types::{Page, PageRequest},
};

/// The most entries that are counted as waiting.
pub const MOST_WAITING: i64 = 1000;

/// A checkpoint as it is kept.
#[derive(Clone, Debug)]
pub struct Kept {
    /// What it says.
    pub checkpoint: Checkpoint,
    /// The JWS that says it.
    pub jws: String,
}

impl Kept {
    fn of(row: checkpoints::Model) -> Result<Self> {
        let claimed = Claimed::parse(&row.jws).ok_or_else(|| Error::internal("a stored checkpoint is none"))?;
        Ok(Self { checkpoint: claimed.checkpoint, jws: row.jws })
    }
}

/// How far the sealing of an organisation's record is.
#[derive(Clone, Debug)]
pub struct State {
    /// The last checkpoint; none before the first.
    pub last: Option<Kept>,
    /// How many entries wait to be sealed, up to [`MOST_WAITING`].
    pub waiting: i64,
    /// Since when the oldest of them does, if fewer than that wait.
    pub waiting_since: Option<Timestamp>,
}

#[derive(FromQueryResult)]
struct Waiting {
    waiting: i64,
    since: Option<Timestamp>,
}

/// Newest first: while there is a backlog they are found at once, and without one only the last minute is looked through.
const WAITING: &str = "
    SELECT count(*) AS waiting, min(w.occurred_at) AS since FROM (
        SELECT e.occurred_at FROM audit_entries e
        WHERE e.organization_id = $1 AND e.id >= $2
          AND NOT EXISTS (SELECT FROM audit_seals s WHERE s.entry_id = e.id)
        ORDER BY e.id DESC LIMIT $3) w";

#[derive(FromQueryResult)]
struct Settled {
    settled: Option<Timestamp>,
}

/// How far the sealing of the caller's organisation is.
///
/// # Errors
/// `NotFound` for a caller without an organisation; when the database fails.
pub async fn state(tx: &Tx) -> Result<State> {
    let organization: Uuid = tx.caller().organization().ok_or_else(Error::not_found)?.into();
    let last = tx.find::<checkpoints::Entity>().order_by_desc(checkpoints::Column::Number).limit(1);
    let last = tx.one(last).await?.map(Kept::of).transpose()?;
    let settled: Option<Settled> = tx.query("SELECT settled FROM audit_sealing", []).await?.into_iter().next();
    let from = settled.and_then(|row| row.settled).map(least).unwrap_or_default();
    let waiting = tx.query::<Waiting>(WAITING, [organization.into(), from.into(), MOST_WAITING.into()]).await?;
    let waiting = waiting.into_iter().next();
    let count = waiting.as_ref().map_or(0, |row| row.waiting);
    let since = waiting.and_then(|row| row.since).filter(|_| count < MOST_WAITING);
    Ok(State { last, waiting: count, waiting_since: since })
}

/// The checkpoints of the caller's organisation, newest first.
///
/// # Errors
/// When the database fails.
pub async fn list(tx: &Tx, page: PageRequest) -> Result<Page<Kept>> {
    let mut query = tx.find::<checkpoints::Entity>();
    // A cursor is a number in the form of an id.
    if let Some(after) = page.after.map(|cursor| i64::try_from(cursor.0.as_u128()).unwrap_or(i64::MAX)) {
        query = query.filter(checkpoints::Column::Number.lt(after));
    }
    let rows = tx.all(query.order_by_desc(checkpoints::Column::Number).limit(page.rows())).await?;
    let number = |row: &checkpoints::Model| Uuid::from_u128(u128::try_from(row.number).unwrap_or_default());
    let Page { items, next } = Page::of(page, rows, number);
    Ok(Page { items: items.into_iter().map(Kept::of).collect::<Result<_>>()?, next })
}
