//! What nobody comes back to: uploads that wait, and reports that are old.

use chrono::TimeDelta;
use entity::{ImportId, OrganizationId};
use sea_orm::FromQueryResult;
use uuid::Uuid;

use crate::{
    audit::{Event, Kind},
    error::Result,
    jobs::{Report, Run},
};

/// How long an upload may wait for somebody to go on with it. It holds people's addresses.
const WAITS: TimeDelta = TimeDelta::hours(24);
/// How long a report is kept.
const KEPT: TimeDelta = TimeDelta::days(30);

#[derive(FromQueryResult)]
struct Abandoned {
    id: ImportId,
    organization_id: OrganizationId,
}

const ABANDON: &str = "
    UPDATE imports SET state = 'cancelled', paused = false, salt = NULL, finished_at = $2, updated_at = $2
    WHERE id IN (SELECT id FROM imports WHERE updated_at < $1 AND finished_at IS NULL
                 AND (state IN ('receiving', 'checked') OR paused) ORDER BY updated_at LIMIT 100 FOR UPDATE SKIP LOCKED)
    RETURNING id, organization_id";
/// One at a time: a report can have a line for each of many people.
const FORGET: &str = "DELETE FROM imports WHERE id IN (SELECT id FROM imports WHERE finished_at < $1 LIMIT 1)";

/// Ends imports that nobody has gone on with for a day, and removes reports after 30 days.
///
/// # Errors
/// When the database fails; what was done before stays.
pub async fn clean_up(run: Run) -> Result<Report> {
    let now = run.caller().now();
    let mut cancelled = 0;
    while !run.is_stopping() {
        let tx = run.write().await?;
        let gone: Vec<Abandoned> = tx.query(ABANDON, [(now - WAITS).into(), now.into()]).await?;
        if gone.is_empty() {
            break;
        }
        let ids: Vec<Uuid> = gone.iter().map(|import| import.id.into()).collect();
        tx.execute("DELETE FROM import_parts WHERE import_id = ANY ($1)", [ids.into()]).await?;
        let event = |import: &Abandoned| {
            let event = Event::new(Kind::ImportCancelled, import.id).in_organization(import.organization_id);
            event.with("reason", "abandoned")
        };
        cancelled += u64::try_from(gone.len()).unwrap_or_default();
        tx.commit(gone.iter().map(event).collect::<Vec<_>>()).await?;
    }
    let removed = run.repeat(FORGET, &[(now - KEPT).into()]).await?;
    Ok(Report::from([("cancelled", cancelled), ("removed", removed)]))
}
