//! The counts, read: how often somebody used an operation, or was refused it, in a window of days.

use std::collections::HashMap;

use chrono::{NaiveDate, TimeDelta};
use entity::OrganizationId;
use sea_orm::FromQueryResult;
use uuid::Uuid;

use super::counts::KEPT;
use crate::{
    authz::Object,
    db::Tx,
    error::{Error, Result},
    runtime::Timestamp,
};

/// Some days up to today, in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// The first day.
    pub from: NaiveDate,
    /// Today.
    pub to: NaiveDate,
}

impl Window {
    /// So many days up to today.
    ///
    /// # Errors
    /// `Invalid` at `/days` for fewer than one or more than counts are kept for.
    pub fn of(days: u32, now: Timestamp) -> Result<Self> {
        let most = u32::try_from(KEPT.num_days()).unwrap_or(u32::MAX);
        if !(1..=most).contains(&days) {
            return Err(Error::field("/days", "range", format!("must be between 1 and {most}")));
        }
        let to = now.date_naive();
        Ok(Self { from: to - TimeDelta::days(i64::from(days) - 1), to })
    }
}

/// How often somebody did something, or was refused it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Use {
    /// How often they did.
    pub allowed: i64,
    /// The last day on which they did.
    pub last: Option<NaiveDate>,
    /// How often they were refused for want of a role.
    pub refused: i64,
}

/// Uses by who, operation and object.
#[derive(Default)]
pub(super) struct Uses(HashMap<(Uuid, String, Object), Use>);

#[derive(FromQueryResult)]
struct Row {
    who: Uuid,
    operation: String,
    own: bool,
    allowed: i64,
    last: Option<NaiveDate>,
    refused: i64,
}

/// The sums are of numbers that stay far below what a bigint holds.
const USES: &str = "
    SELECT who, operation, own,
           coalesce(sum(count) FILTER (WHERE outcome = 'allowed'), 0)::bigint AS allowed,
           max(day) FILTER (WHERE outcome = 'allowed') AS last,
           coalesce(sum(count) FILTER (WHERE outcome = 'forbidden'), 0)::bigint AS refused
    FROM decision_counts
    WHERE organization_id = $1 AND operation = ANY ($2) AND who = ANY ($3) AND day BETWEEN $4 AND $5
      AND outcome IN ('allowed', 'forbidden')
    GROUP BY who, operation, own";

impl Uses {
    /// What these people and services of the caller's organisation did of these operations.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn of(tx: &Tx, who: Vec<Uuid>, operations: Vec<String>, window: Window) -> Result<Self> {
        let organization = tx.caller().organization().unwrap_or(OrganizationId::PLATFORM);
        let values = [organization.into(), operations.into(), who.into(), window.from.into(), window.to.into()];
        let rows: Vec<Row> = tx.query(USES, values).await?;
        let entry = |row: Row| {
            let object = if row.own { Object::Own } else { Object::Any };
            let of = Use { allowed: row.allowed, last: row.last, refused: row.refused };
            ((row.who, row.operation, object), of)
        };
        Ok(Self(rows.into_iter().map(entry).collect()))
    }

    /// What one of them did with an object of this kind.
    pub fn get(&self, who: Uuid, operation: &str, object: Object) -> Use {
        self.0.get(&(who, operation.to_owned(), object)).copied().unwrap_or_default()
    }
}
