//! What goes by time, and what goes with a person.

use chrono::TimeDelta;
use entity::AccountId;

use super::errors;
use crate::{
    db::WriteTx,
    error::Result,
    jobs::{Report, Run},
};

/// How long an alert is kept after it was acknowledged. The entries that it is made of are kept as the record is.
const KEPT: TimeDelta = TimeDelta::days(365);

const COUNTS: &str = "
    DELETE FROM alert_counts WHERE ctid IN (SELECT ctid FROM alert_counts WHERE until < statement_timestamp() LIMIT 5000)";
const ACKNOWLEDGED: &str = "
    DELETE FROM alerts WHERE id IN (
        SELECT id FROM alerts WHERE state = 'acknowledged' AND decided_at < $1 LIMIT 1000)";
const MUTES: &str = "
    DELETE FROM alert_mutes WHERE ctid IN (
        SELECT ctid FROM alert_mutes WHERE muted_until < statement_timestamp() LIMIT 1000)";
const ERRORS: &str = "
    DELETE FROM error_counts WHERE ctid IN (SELECT ctid FROM error_counts WHERE minute < $1 LIMIT 5000)";

/// Removes counts that count no more, mutes that are over, and alerts that were acknowledged long ago.
///
/// # Errors
/// When the database fails.
pub async fn clean_up(run: Run) -> Result<Report> {
    let now = run.caller().now();
    let counts = run.repeat(COUNTS, &[]).await?;
    let mutes = run.repeat(MUTES, &[]).await?;
    let alerts = run.repeat(ACKNOWLEDGED, &[(now - KEPT).into()]).await?;
    let errors = run.repeat(ERRORS, &[(now - errors::KEPT).into()]).await?;
    Ok(Report::from([("counts", counts), ("mutes", mutes), ("alerts", alerts), ("errors", errors)]))
}

/// The address of an alert that has an entry of theirs, and what somebody wrote about one of which they are the subject.
const ERASE: &str = "
    UPDATE alerts a SET address = NULL, note = NULL
    WHERE (a.address IS NOT NULL OR a.note IS NOT NULL) AND (a.actor_id = $1 OR a.decided_by = $1 OR EXISTS (
        SELECT FROM audit_personal p WHERE p.id = ANY (a.entries) AND (p.account_id = $1 OR p.about_id = $1)))";

/// Destroys what alerts keep of a person. To be called while it is known yet which entries are theirs.
///
/// # Errors
/// When the database fails.
pub async fn erase(tx: &WriteTx, account: AccountId) -> Result<()> {
    tx.execute(ERASE, [account.into()]).await?;
    tx.execute("DELETE FROM alert_preferences WHERE account_id = $1", [account.into()]).await?;
    tx.execute("DELETE FROM alert_digests WHERE account_id = $1", [account.into()]).await?;
    Ok(())
}
