//! The end of invitations by time, as a job.

use entity::{InvitationId, OrganizationId};
use sea_orm::FromQueryResult;

use crate::{
    audit::{Event, Kind},
    error::Result,
    jobs::{Report, Run},
};

/// Closes the invitations that nobody accepted in their time, each in its organisation's record.
///
/// # Errors
/// When the database fails.
pub async fn expire_all(run: Run) -> Result<Report> {
    let mut expired = 0;
    while !run.is_stopping() {
        let tx = run.write().await?;
        let some = "UPDATE invitations SET status = 'expired' WHERE id IN (
                 SELECT id FROM invitations WHERE status = 'pending' AND expires_at <= $1
                 ORDER BY expires_at LIMIT 200 FOR UPDATE SKIP LOCKED)
             RETURNING id, organization_id";
        let over: Vec<Expired> = tx.query(some, [run.caller().now().into()]).await?;
        if over.is_empty() {
            break;
        }
        expired += u64::try_from(over.len()).unwrap_or(0);
        let event = |row: Expired| Event::new(Kind::InvitationExpired, row.id).in_organization(row.organization_id);
        tx.commit(over.into_iter().map(event).collect::<Vec<_>>()).await?;
    }
    Ok(Report::from([("invitations", expired)]))
}

#[derive(FromQueryResult)]
struct Expired {
    id: InvitationId,
    organization_id: OrganizationId,
}
