//! How an organisation stands, in a few numbers: what happened lately, and what waits for somebody.

use entity::{alerts, invitations, sign_up_requests};
use sea_orm::{ColumnTrait, QueryFilter, QuerySelect};

use crate::{
    audit::{self, Activity},
    db::Tx,
    error::Result,
};

/// The numbers of an overview. Each is [`audit::MOST`] at most, and stands for that or more then.
#[derive(Clone, Debug)]
pub struct Overview {
    /// The last days, today last.
    pub days: Vec<Activity>,
    /// Alerts that nobody has taken note of.
    pub open_alerts: u64,
    /// People who wait to be let in.
    pub waiting: u64,
    /// Invitations that can be accepted.
    pub pending: u64,
}

/// The overview of the caller's organisation.
///
/// # Errors
/// `NotFound` for a caller without an organisation; when the database fails.
pub async fn overview(tx: &Tx, days: u32) -> Result<Overview> {
    let most = u64::from(audit::MOST.unsigned_abs());
    let open = tx.find::<alerts::Entity>().filter(alerts::Column::State.eq("open"));
    let waiting = tx
        .find::<sign_up_requests::Entity>()
        .filter(sign_up_requests::Column::Status.eq(sign_up_requests::Status::Pending))
        .filter(sign_up_requests::Column::ExpiresAt.gt(tx.caller().now()));
    let pending = tx
        .find::<invitations::Entity>()
        .filter(invitations::Column::Status.eq(invitations::Status::Pending))
        .filter(invitations::Column::ExpiresAt.gt(tx.caller().now()));
    Ok(Overview {
        days: audit::activity(tx, days).await?,
        open_alerts: tx.count(open.limit(most)).await?,
        waiting: tx.count(waiting.limit(most)).await?,
        pending: tx.count(pending.limit(most)).await?,
    })
}
