//! Rules of an organisation's own: what it wants to be alerted of beside what the installation's rules find.

use entity::{AlertRuleId, alert_rules as rows};
use sea_orm::{ActiveValue::Set, ColumnTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect};

use super::{Grouping, LONGEST_WINDOW, MOST_COUNT, is_about_alerts};
use crate::{
    audit::{Event, Kind, Severity},
    db::{Db, Tx, WriteTx},
    error::{Code, Error, Fault, Result},
    runtime::{Ids, Timestamp},
    types::{Caller, nfc, single_line},
};

/// The most rules of its own that an organisation has: each is held against every entry of its record.
pub const MOST_RULES: u64 = 50;
/// The longest name in characters.
const LONGEST_NAME: usize = 100;

/// What a rule waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// Entries of this type.
    Event(Kind),
    /// Entries of a type of the product's own, by its code.
    Product(String),
    /// Entries that matter at least so much.
    AtLeast(Severity),
}

/// A rule of an organisation's own.
#[derive(Clone, Debug)]
pub struct OwnRule {
    /// Its id.
    pub id: AlertRuleId,
    /// Its name.
    pub name: String,
    /// The code of the events that it waits for, if it waits for one type.
    pub event: Option<String>,
    /// How much entries matter at least that it waits for, if it waits for all such.
    pub at_least: Option<String>,
    /// How many of them make an alert.
    pub count: i32,
    /// Within how many minutes.
    pub minutes: i32,
    /// What is counted together.
    pub by: String,
    /// How much the alert matters.
    pub severity: String,
    /// Whether it counts.
    pub enabled: bool,
    /// Grows with every change.
    pub version: i32,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// A rule to make.
#[derive(Clone, Debug)]
pub struct NewRule {
    /// Its name.
    pub name: String,
    /// What it waits for.
    pub wanted: Wanted,
    /// How many of them make an alert.
    pub count: i64,
    /// Within how many minutes.
    pub minutes: i64,
    /// What is counted together.
    pub by: Grouping,
    /// How much the alert matters.
    pub severity: Severity,
}

/// What to change of a rule.
#[derive(Clone, Debug, Default)]
pub struct Changes {
    /// A new name.
    pub name: Option<String>,
    /// Something else to wait for.
    pub wanted: Option<Wanted>,
    /// Another number.
    pub count: Option<i64>,
    /// Another window.
    pub minutes: Option<i64>,
    /// Something else to count by.
    pub by: Option<Grouping>,
    /// Another severity.
    pub severity: Option<Severity>,
    /// Whether it counts.
    pub enabled: Option<bool>,
    /// The version that the client read.
    pub version: Option<i32>,
}

/// The organisation's own rules, by name.
///
/// # Errors
/// When the database fails.
pub async fn list(tx: &Tx) -> Result<Vec<OwnRule>> {
    let all = tx.find::<rows::Entity>().order_by_asc(rows::Column::NameKey).limit(MOST_RULES);
    Ok(tx.all(all).await?.into_iter().map(OwnRule::from).collect())
}

/// One of them.
///
/// # Errors
/// `NotFound`.
pub async fn get(tx: &Tx, id: AlertRuleId) -> Result<OwnRule> {
    let row = tx.one(tx.find::<rows::Entity>().filter(rows::Column::Id.eq(id))).await?;
    row.map(OwnRule::from).ok_or_else(Error::not_found)
}

/// Makes a rule, which counts from now on.
///
/// # Errors
/// `Conflict` with `alert_rule_name_taken` or `too_many_alert_rules`; `Invalid` for what is no name, count or window, and
/// for events that no rule may wait for.
pub async fn create(db: &Db, caller: &Caller, new: NewRule) -> Result<OwnRule> {
    let organization_id = caller.organization().ok_or_else(Error::not_found)?;
    let mut faults = Vec::new();
    let name = checked_name(&new.name, &mut faults);
    check(&mut faults, Some(&new.wanted), Some(new.count), Some(new.minutes));
    done(faults)?;
    let tx = db.write(caller).await?;
    // Two at once don't both become the last one.
    tx.lock(&format!("alert rules of {organization_id}")).await?;
    if tx.count(tx.find::<rows::Entity>()).await? >= MOST_RULES {
        return Err(Error::Conflict(Code::TooManyAlertRules));
    }
    let (event, at_least) = new.wanted.columns();
    let now = caller.now();
    let row = rows::Model {
        id: Ids.next(),
        organization_id,
        name_key: key(&name),
        name,
        event,
        at_least,
        count: small(new.count),
        minutes: small(new.minutes),
        by: new.by.as_str().to_owned(),
        severity: new.severity.as_str().to_owned(),
        enabled: true,
        version: 1,
        created_at: now,
        updated_at: now,
    };
    let row = tx.insert(rows::ActiveModel::from(row)).await?;
    tx.commit(described(Event::new(Kind::AlertRuleCreated, row.id), &row)).await?;
    Ok(row.into())
}

/// Changes a rule. What it has counted so far still counts.
///
/// # Errors
/// As [`create`]; `NotFound`; `Conflict` with `precondition_failed`.
pub async fn update(db: &Db, caller: &Caller, id: AlertRuleId, changes: Changes) -> Result<OwnRule> {
    let mut faults = Vec::new();
    let name = changes.name.as_deref().map(|name| checked_name(name, &mut faults));
    check(&mut faults, changes.wanted.as_ref(), changes.count, changes.minutes);
    done(faults)?;
    let tx = db.write(caller).await?;
    let present = locked(&tx, id).await?;
    expect(changes.version, present.version)?;
    let mut next = present.clone();
    if let Some(name) = name {
        (next.name_key, next.name) = (key(&name), name);
    }
    if let Some(wanted) = changes.wanted {
        (next.event, next.at_least) = wanted.columns();
    }
    next.count = changes.count.map_or(next.count, small);
    next.minutes = changes.minutes.map_or(next.minutes, small);
    next.by = changes.by.map_or(next.by, |by| by.as_str().to_owned());
    next.severity = changes.severity.map_or(next.severity, |severity| severity.as_str().to_owned());
    next.enabled = changes.enabled.unwrap_or(next.enabled);
    if next == present {
        return Ok(present.into());
    }
    let mut row = present.into_active_model();
    row.name = Set(next.name);
    row.name_key = Set(next.name_key);
    row.event = Set(next.event);
    row.at_least = Set(next.at_least);
    row.count = Set(next.count);
    row.minutes = Set(next.minutes);
    row.by = Set(next.by);
    row.severity = Set(next.severity);
    row.enabled = Set(next.enabled);
    row.version = Set(next.version + 1);
    row.updated_at = Set(caller.now());
    let row = tx.update(row).await?;
    tx.commit(described(Event::new(Kind::AlertRuleUpdated, row.id), &row)).await?;
    Ok(row.into())
}

/// Removes a rule. Its alerts stay.
///
/// # Errors
/// `NotFound`; `Conflict` with `precondition_failed`.
pub async fn delete(db: &Db, caller: &Caller, id: AlertRuleId, version: Option<i32>) -> Result<()> {
    let tx = db.write(caller).await?;
    let present = locked(&tx, id).await?;
    expect(version, present.version)?;
    tx.delete(tx.remove::<rows::Entity>().filter(rows::Column::Id.eq(id))).await?;
    tx.execute(FORGET, [present.organization_id.into(), id.to_string().into()]).await?;
    tx.commit(described(Event::new(Kind::AlertRuleDeleted, id), &present)).await
}

/// What was counted for a rule that is no more.
const FORGET: &str = "DELETE FROM alert_counts WHERE organization_id = $1 AND rule = $2";

async fn locked(tx: &WriteTx, id: AlertRuleId) -> Result<rows::Model> {
    let query = tx.find::<rows::Entity>().filter(rows::Column::Id.eq(id));
    tx.one(query.lock_exclusive()).await?.ok_or_else(Error::not_found)
}

pub(super) fn expect(wanted: Option<i32>, present: i32) -> Result<()> {
    match wanted {
        Some(wanted) if wanted != present => Err(Error::Conflict(Code::PreconditionFailed)),
        _ => Ok(()),
    }
}

/// An event with what the rule waits for.
fn described(event: Event, row: &rows::Model) -> Event {
    let waits = row.event.as_deref().or(row.at_least.as_deref()).unwrap_or_default();
    let event = event.with("waits_for", waits).with("number", row.count).with("minutes", row.minutes);
    event.with("by", row.by.as_str()).with("severity", row.severity.as_str()).with("enabled", row.enabled)
}

fn checked_name(name: &str, faults: &mut Vec<Fault>) -> String {
    single_line(name, LONGEST_NAME).unwrap_or_else(|| {
        faults.push(Fault::body("/name", "format", format!("must be 1 to {LONGEST_NAME} characters on one line")));
        String::new()
    })
}

fn check(faults: &mut Vec<Fault>, wanted: Option<&Wanted>, count: Option<i64>, minutes: Option<i64>) {
    if let Some(Wanted::Event(kind)) = wanted
        && is_about_alerts(*kind)
    {
        faults.push(Fault::body("/event", "event_about_alerts", "no rule waits for what happens to alerts"));
    }
    for (place, number, most) in [("/count", count, MOST_COUNT), ("/window_minutes", minutes, LONGEST_WINDOW)] {
        if number.is_some_and(|number| !(1..=most).contains(&number)) {
            faults.push(Fault::body(place, "range", format!("must be between 1 and {most}")));
        }
    }
}

fn done(faults: Vec<Fault>) -> Result<()> {
    if faults.is_empty() { Ok(()) } else { Err(Error::Invalid(faults)) }
}

fn small(number: i64) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

/// What is the same of two names that people take for one.
fn key(name: &str) -> String {
    nfc(name.trim()).to_lowercase()
}

impl Wanted {
    fn columns(self) -> (Option<String>, Option<String>) {
        match self {
            Self::Event(kind) => (Some(kind.code().to_owned()), None),
            Self::Product(code) => (Some(code), None),
            Self::AtLeast(severity) => (None, Some(severity.as_str().to_owned())),
        }
    }
}

impl From<rows::Model> for OwnRule {
    fn from(row: rows::Model) -> Self {
        Self {
            id: row.id,
            name: row.name,
            event: row.event,
            at_least: row.at_least,
            count: row.count,
            minutes: row.minutes,
            by: row.by,
            severity: row.severity,
            enabled: row.enabled,
            version: row.version,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}
