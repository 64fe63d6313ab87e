//! The history's edges and its words: since when it is kept, which moments can be asked about, who did something.

use std::collections::{BTreeSet, HashMap};

use entity::{AccountId, OrganizationId, ServiceAccountId};
use sea_orm::FromQueryResult;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    accounts::{self, Person},
    app::App,
    db::Tx,
    error::{Error, Fault, Result},
    runtime::Timestamp,
    tenancy::service_accounts,
};

/// How many people are looked up at once.
pub(super) const AT_ONCE: usize = 1_000;

/// Who did something, as the history has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct By {
    /// `account`, `service`, `anonymous`, `system`, or `database` for what was done around the server.
    pub kind: String,
    /// The account or service account.
    pub id: Option<Uuid>,
    /// What it is called today, where the caller sees that.
    pub name: Option<String>,
}

impl By {
    /// Somebody whose name is not known yet.
    pub(super) fn unnamed(kind: String, id: Option<Uuid>) -> Self {
        Self { kind, id, name: None }
    }

    pub(super) fn json(&self) -> Value {
        json!({"type": self.kind, "id": self.id, "name": self.name})
    }
}

/// Whose people the caller sees by name: an organisation its own, the platform those of its own organisation (AZ-2).
pub(super) fn own(tx: &Tx) -> Uuid {
    tx.caller().organization().unwrap_or(OrganizationId::PLATFORM).0
}

/// Names those who did something in the organisation whose people the caller sees by name.
///
/// # Errors
/// When the database fails.
pub(super) async fn name<'a>(app: &App, tx: &Tx, actors: impl Iterator<Item = (Uuid, &'a mut By)>) -> Result<()> {
    let own = own(tx);
    let mut actors: Vec<&mut By> = actors.filter(|(place, _)| *place == own).map(|(_, by)| by).collect();
    let of = |kind: &str, actors: &[&mut By]| -> Vec<Uuid> {
        let ids: BTreeSet<Uuid> = actors.iter().filter(|by| by.kind == kind).filter_map(|by| by.id).collect();
        ids.into_iter().collect()
    };
    let mut names = HashMap::new();
    for some in of("account", &actors).chunks(AT_ONCE) {
        for (id, person) in accounts::people(&app.vault, tx, some.iter().copied().map(AccountId)).await? {
            if let Person::Known(account) = person {
                names.insert(id.0, account.name);
            }
        }
    }
    let services = of("service", &actors).into_iter().map(ServiceAccountId);
    names.extend(service_accounts::names(tx, services).await?.into_iter().map(|(id, name)| (id.0, name)));
    for by in &mut actors {
        by.name = by.id.and_then(|id| names.get(&id).cloned());
    }
    Ok(())
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
