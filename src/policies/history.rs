//! The history's edges and its words: since when it is kept, which moments can be asked about, who did something.

use entity::OrganizationId;
use sea_orm::FromQueryResult;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    db::Tx,
    error::{Error, Fault, Result},
    runtime::Timestamp,
};

/// Who did something, as the history has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct By {
    /// `account`, `service`, `anonymous`, `system`, or `database` for what was done around the server.
    pub kind: String,
    /// The account or service account.
    pub id: Option<Uuid>,
}

impl By {
    pub(super) fn json(&self) -> Value {
        json!({"type": self.kind, "id": self.id})
    }
}

/// A time as the API writes it (RFC 3339).
pub(super) fn moment(at: Timestamp) -> String {
    at.to_rfc3339_opts(chrono::SecondsFormat::Micros, true)
}

#[derive(FromQueryResult)]
struct Beginning {
    there: bool,
    policy: Option<Timestamp>,
    people: Option<Timestamp>,
}

const BEGINNING: &str = "SELECT $1::uuid IS NULL OR EXISTS (SELECT FROM organizations WHERE id = $1) AS there,
    (SELECT since FROM policy_revisions ORDER BY number LIMIT 1) AS policy,
    (SELECT at FROM access_history WHERE organization_id = $1 ORDER BY at, id LIMIT 1) AS people";

/// Since when the history of an organisation, or of the installation, is kept.
///
/// # Errors
/// `NotFound` when there is no such organisation.
pub(super) async fn beginning(tx: &Tx, organization: Option<OrganizationId>) -> Result<Timestamp> {
    let rows: Vec<Beginning> = tx.query(BEGINNING, [organization.map(Uuid::from).into()]).await?;
    if !rows.iter().all(|row| row.there) {
        return Err(Error::not_found());
    }
    let edges = rows.into_iter().flat_map(|row| [row.policy, row.people]).flatten();
    edges.max().ok_or_else(|| Error::internal("the policy has no revision"))
}

/// Insists that a moment is in the history.
///
/// # Errors
/// `Invalid` at the parameter: `in_the_future`, or `before_history` with when it begins.
pub(super) fn within(name: &str, at: Timestamp, beginning: Timestamp, now: Timestamp) -> Result<()> {
    let fault = if at > now {
        Fault::parameter(name, "in_the_future", "must not be in the future")
    } else if at < beginning {
        Fault::parameter(name, "before_history", format!("the history is kept since {}", moment(beginning)))
    } else {
        return Ok(());
    };
    Err(Error::Invalid(vec![fault]))
}
