//! The inbox: what alerts there are, and what people make of them.

use entity::{AlertId, alerts as rows};
use sea_orm::{ActiveValue::Set, ColumnTrait, Condition, FromQueryResult, IntoActiveModel, QueryFilter, QuerySelect};
use uuid::Uuid;

use super::{LONGEST_NOTE, NOTE, raise::FORGET, rules::expect};
use crate::{
    alerts::ADDRESS,
    audit::{Event, Kind, Severity},
    db::{Db, Tx, WriteTx},
    error::{Code, Error, Result},
    runtime::Timestamp,
    types::{Actor, Caller, Page, PageRequest, single_line},
    vault::Vault,
};

/// Whether somebody has taken note of an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Nobody has; what comes adds to it.
    Open,
    /// Somebody has; what comes is another alert.
    Acknowledged,
}

impl State {
    /// The stored word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Acknowledged => "acknowledged",
        }
    }
}

/// An alert, with what is personal of it in clear.
#[derive(Clone, Debug)]
pub struct Alert {
    /// What lies in clear.
    pub row: rows::Model,
    /// The address that it is about, if it counts by that; a /64 of IPv6.
    pub address: Option<String>,
    /// What whoever acknowledged or reopened it wrote.
    pub note: Option<String>,
}

/// Which alerts are asked for. Every filter that is set must hold.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// In this state.
    pub state: Option<State>,
    /// Of this severity.
    pub severity: Option<Severity>,
    /// Of this rule.
    pub rule: Option<String>,
    /// Muted at this moment, or not.
    pub muted: Option<bool>,
}

/// How many alerts are open and not muted.
#[derive(Clone, Copy, Debug, Default, FromQueryResult)]
pub struct OpenCounts {
    /// Of low severity.
    pub low: i64,
    /// Of medium severity.
    pub medium: i64,
    /// Of high severity.
    pub high: i64,
    /// Critical ones.
    pub critical: i64,
    /// Open ones that are muted, of any severity.
    pub muted: i64,
}

/// What somebody makes of an alert.
#[derive(Clone, Debug, Default)]
pub struct Decision {
    /// What they write about it.
    pub note: Option<String>,
    /// The version that the client read.
    pub version: Option<i32>,
}

/// The organisation's alerts, newest first.
///
/// # Errors
/// When the database fails, or something can't be opened.
pub async fn list(vault: &Vault, tx: &Tx, filter: &Filter, page: PageRequest) -> Result<Page<Alert>> {
    use rows::Column as C;
    let mut query = tx.find::<rows::Entity>();
    if let Some(state) = filter.state {
        query = query.filter(C::State.eq(state.as_str()));
    }
    if let Some(severity) = filter.severity {
        query = query.filter(C::Severity.eq(severity.as_str()));
    }
    if let Some(rule) = &filter.rule {
        query = query.filter(C::Rule.eq(rule));
    }
    let now = tx.caller().now();
    query = match filter.muted {
        Some(true) => query.filter(C::MutedUntil.gt(now)),
        Some(false) => query.filter(Condition::any().add(C::MutedUntil.is_null()).add(C::MutedUntil.lte(now))),
        None => query,
    };
    let page = tx.page(query, C::Id, |row| row.id.into(), page).await?;
    let items = page.items.into_iter().map(|row| open(vault, row)).collect::<Result<_>>()?;
    Ok(Page { items, next: page.next })
}

/// One alert.
///
/// # Errors
/// `NotFound`.
pub async fn get(vault: &Vault, tx: &Tx, id: AlertId) -> Result<Alert> {
    let row = tx.one(tx.find::<rows::Entity>().filter(rows::Column::Id.eq(id))).await?;
    open(vault, row.ok_or_else(Error::not_found)?)
}

const COUNTS: &str = "
    SELECT count(*) FILTER (WHERE severity = 'low' AND NOT muted) AS low,
        count(*) FILTER (WHERE severity = 'medium' AND NOT muted) AS medium,
        count(*) FILTER (WHERE severity = 'high' AND NOT muted) AS high,
        count(*) FILTER (WHERE severity = 'critical' AND NOT muted) AS critical,
        count(*) FILTER (WHERE muted) AS muted
    FROM (SELECT severity, coalesce(muted_until > $2, false) AS muted FROM alerts
          WHERE organization_id = $1 AND state = 'open') a";

/// How many are open, by severity.
///
/// # Errors
/// When the database fails.
pub async fn counts(tx: &Tx) -> Result<OpenCounts> {
    let organization = tx.caller().organization().ok_or_else(Error::not_found)?;
    let rows: Vec<OpenCounts> = tx.query(COUNTS, [organization.into(), tx.caller().now().into()]).await?;
    Ok(rows.into_iter().next().unwrap_or_default())
}

/// Takes note of an alert. The same again is counted anew, and another alert.
///
/// # Errors
/// `NotFound`; `Conflict` with `alert_state` when somebody was quicker, or with `precondition_failed`; `Invalid` for what
/// is no note.
pub async fn acknowledge(db: &Db, vault: &Vault, caller: &Caller, id: AlertId, decision: Decision) -> Result<Alert> {
    let tx = db.write(caller).await?;
    let alert = decide(vault, &tx, id, decision, State::Acknowledged).await?;
    let key = [alert.row.organization_id.into(), alert.row.rule.as_str().into(), alert.row.subject.clone().into()];
    tx.execute(FORGET, key).await?;
    tx.commit(noted(Kind::AlertAcknowledged, &alert)).await?;
    Ok(alert)
}

/// Opens an alert again.
///
/// # Errors
/// As [`acknowledge`]; `Conflict` with `alert_open_already` when there is a newer one about the same.
pub async fn reopen(db: &Db, vault: &Vault, caller: &Caller, id: AlertId, decision: Decision) -> Result<Alert> {
    let tx = db.write(caller).await?;
    let alert = decide(vault, &tx, id, decision, State::Open).await?;
    tx.commit(noted(Kind::AlertReopened, &alert)).await?;
    Ok(alert)
}

async fn decide(vault: &Vault, tx: &WriteTx, id: AlertId, decision: Decision, state: State) -> Result<Alert> {
    let invalid = || Error::field("/note", "format", format!("must be 1 to {LONGEST_NOTE} characters on one line"));
    let note = decision.note.map(|text| single_line(&text, LONGEST_NOTE).ok_or_else(invalid)).transpose()?;
    let present = locked(tx, id).await?;
    expect(decision.version, present.version)?;
    if present.state == state.as_str() {
        return Err(Error::Conflict(Code::AlertState));
    }
    let sealed = note.as_deref().map(|note| vault.seal(NOTE, id, note.as_bytes())).transpose()?;
    let version = present.version + 1;
    let mut row = present.into_active_model();
    row.state = Set(state.as_str().to_owned());
    row.decided_by = Set(who(tx.caller()));
    row.decided_at = Set(Some(tx.caller().now()));
    row.note = Set(sealed);
    row.version = Set(version);
    open(vault, tx.update(row).await?)
}

/// Who decides: an account or a service account.
pub(super) fn who(caller: &Caller) -> Option<Uuid> {
    match caller.actor {
        Actor::Account { account, .. } => Some(account.into()),
        Actor::Service { account, .. } => Some(account.into()),
        Actor::Anonymous | Actor::System(_) => None,
    }
}

fn noted(kind: Kind, alert: &Alert) -> Event {
    let event = Event::new(kind, alert.row.id).with("rule", alert.row.rule.as_str());
    let event = event.with("severity", alert.row.severity.as_str());
    match &alert.note {
        Some(note) => event.with_personal("note", note.as_str()),
        None => event,
    }
}

/// The alert, which nobody else changes until the end of the transaction.
///
/// # Errors
/// `NotFound`.
pub(super) async fn locked(tx: &WriteTx, id: AlertId) -> Result<rows::Model> {
    let query = tx.find::<rows::Entity>().filter(rows::Column::Id.eq(id));
    tx.one(query.lock_exclusive()).await?.ok_or_else(Error::not_found)
}

/// Opens what is sealed of an alert.
///
/// # Errors
/// When this instance has not the key.
pub(super) fn open(vault: &Vault, row: rows::Model) -> Result<Alert> {
    Ok(Alert {
        address: row.address.as_ref().map(|value| vault.open_text(ADDRESS, row.id, value)).transpose()?,
        note: row.note.as_ref().map(|value| vault.open_text(NOTE, row.id, value)).transpose()?,
        row,
    })
}

impl Alert {
    /// Until when nobody is told of it, if that is so now.
    pub fn muted(&self, now: Timestamp) -> Option<Timestamp> {
        self.row.muted_until.filter(|until| *until > now)
    }
}
