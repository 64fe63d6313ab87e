//! How long the record is kept (AUD-7): its parts are made ahead, and dropped when their time is over.
//!
//! A part is a month of one class. What an organisation keeps longer, or has to because a hold stands, is copied aside
//! when its part is dropped and takes its place, so whoever reads the record finds it as before. What is dropped leaves its
//! seals behind, and an entry in the organisation's own record that says how many there were, which is never dropped: with
//! the two, evidence of what remains verifies. PostgreSQL itself refuses to drop what is younger than a year, held, or not
//! sealed, whoever asks (`audit_drop`).

mod holds;

use std::time::Duration;

use chrono::{SecondsFormat, TimeDelta};
use entity::OrganizationId;
use sea_orm::FromQueryResult;
use uuid::Uuid;

use crate::{
    audit::{Event, Kind},
    db::Unrecorded,
    error::Result,
    jobs::{Report, Run},
    runtime::Timestamp,
    settings::{self, sections::Retention},
};
pub use holds::{Hold, SEALED, get, list, place, reason, release};

/// How many months ahead parts are made. Nothing fails when the job does not run for as long: what finds no part goes
/// where all that is without one does, and an alert says so.
const AHEAD: i32 = 3;

/// How long copying aside what stays of one part may take.
pub const LONGEST: Duration = Duration::from_secs(3600);

/// A month of the record may take long to copy; but whoever waits for a table makes all others wait, so not long.
const PATIENCE: &str = "SELECT set_config('statement_timeout', '30min', true), set_config('lock_timeout', '2s', true)";

#[derive(FromQueryResult)]
struct Number {
    number: i64,
}

/// Makes parts of the record for the months to come, and tells when something was written that has none.
///
/// # Errors
/// When the database fails; the next run goes on.
pub async fn make_parts(run: Run) -> Result<Report> {
    let tx = run.write().await?;
    tx.execute("SELECT set_config('lock_timeout', '2s', true)", []).await?;
    let number = |rows: Vec<Number>| rows.first().map_or(0, |row| u64::try_from(row.number).unwrap_or(0));
    let made = number(tx.query("SELECT audit_make_parts($1) AS number", [AHEAD.into()]).await?);
    let strays = number(tx.query("SELECT audit_strays() AS number", []).await?);
    let report = Report::from([("parts", made), ("strays", strays)]);
    if strays > 0 {
        let event = Event::new(Kind::AuditUnparted, OrganizationId::PLATFORM).failed().with("strays", strays);
        return run.commit(tx, report, event).await;
    }
    run.commit(tx, report, Unrecorded("a run of a job is its own record")).await
}

/// A part of the record.
#[derive(FromQueryResult)]
struct Part {
    part: String,
    class: String,
    since: Option<Timestamp>,
    until: Timestamp,
}

/// Parts that are sealed whole, the oldest first.
const PARTS: &str = "
    SELECT p.part, p.class, p.since, p.until FROM audit_parts p CROSS JOIN audit_sealing s
    WHERE p.until <= s.settled AND p.until <= $1 ORDER BY p.until, p.class";

/// How much went of whose record; nobody's is what stays.
#[derive(FromQueryResult)]
struct Dropped {
    organization_id: Option<OrganizationId>,
    entries: i64,
}

const DROP: &str = "SELECT organization_id, entries FROM audit_drop($1, $2, $3)";

/// Drops the parts of the record whose time is over, each in one transaction: a crash leaves a part as it was.
///
/// # Errors
/// When the database fails, or something was written into a part that nobody sealed; the parts before it are dropped.
pub async fn apply(run: Run) -> Result<Report> {
    let now = run.caller().now();
    let parts: Vec<Part> = run.read().await?.query(PARTS, [now.into()]).await?;
    let (mut dropped, mut kept, mut parted) = (0, 0, 0);
    for part in parts {
        if run.is_stopping() {
            break;
        }
        let tx = run.write().await?;
        // As they are in the transaction that drops it.
        let wishes = settings::retention(&tx).await?;
        if part.until + wishes.platform.of(&part.class) > now {
            continue;
        }
        let longer = wishes.organizations.iter().filter(|(_, own)| part.until + own.of(&part.class) > now);
        let keep: Vec<Uuid> = longer.map(|(organization, _)| Uuid::from(*organization)).collect();
        tx.execute(PATIENCE, []).await?;
        let gone: Vec<Dropped> =
            tx.query(DROP, [part.part.clone().into(), part.class.clone().into(), keep.into()]).await?;
        let Some(stays) = gone.iter().find(|row| row.organization_id.is_none()) else { continue };
        kept += u64::try_from(stays.entries).unwrap_or(0);
        parted += 1;
        dropped +=
            gone.iter().filter(|row| row.organization_id.is_some()).map(|row| row.entries.unsigned_abs()).sum::<u64>();
        let events: Vec<Event> = gone.iter().filter_map(|row| part.event(row)).collect();
        tx.commit(events).await?;
    }
    Ok(Report::from([("parts", parted), ("dropped", dropped), ("kept", kept)]))
}

impl Part {
    /// What the record of an organisation says of what it has lost.
    fn event(&self, row: &Dropped) -> Option<Event> {
        let organization = row.organization_id?;
        let text = |moment: Timestamp| moment.to_rfc3339_opts(SecondsFormat::Secs, true);
        let event = Event::new(Kind::AuditRetentionApplied, organization)
            .in_organization(organization)
            .with("class", self.class.as_str())
            .with("until", text(self.until))
            .with("dropped", row.entries);
        Some(self.since.into_iter().fold(event, |event, since| event.with("since", text(since))))
    }
}

impl Retention {
    /// How long entries of a part are kept. One with both classes is kept as long as the longer.
    fn of(&self, class: &str) -> TimeDelta {
        let days = if class == "normal" { self.normal_days } else { self.security_days.max(self.normal_days) };
        TimeDelta::days(days.into())
    }
}
