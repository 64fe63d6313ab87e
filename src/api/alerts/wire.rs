//! How alerts look.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use entity::{AccountId, ServiceAccountId};
use poem_openapi::{Enum, Object};
use uuid::Uuid;

use crate::{
    accounts::{self, Person},
    alerts::{self, AlertPolicy, BuiltIn, Grouping, OpenCounts},
    audit::Severity,
    db::Tx,
    error::Result,
    tenancy::service_accounts,
    vault::Vault,
};

/// How much an alert matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub(super) enum AlertSeverity {
    /// Everyday work.
    Low,
    /// Worth a look in a review.
    Medium,
    /// Worth a look today.
    High,
    /// Worth a look now.
    Critical,
}

/// Whether somebody has taken note of an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub(super) enum AlertState {
    /// Nobody has.
    Open,
    /// Somebody has.
    Acknowledged,
}

/// What is counted together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub(super) enum AlertGrouping {
    /// What one person or service account did.
    Actor,
    /// What came from one network address; a /64 of IPv6 is one.
    Address,
    /// Everything in the organisation.
    Organization,
}

/// Somebody whom an alert is about, or who did something with it.
#[derive(Clone, Debug, Object)]
#[oai(skip_serializing_if_is_none)]
pub(super) struct AlertPerson {
    /// The account or service account; absent for nobody in particular.
    id: Option<Uuid>,
    /// What it is called today.
    name: Option<String>,
    /// That the person has been erased since.
    erased: Option<bool>,
}

/// An alert.
#[derive(Debug, Object)]
#[oai(skip_serializing_if_is_none)]
pub(super) struct Alert {
    /// Its id.
    id: Uuid,
    /// The name of a rule of the installation's, or the id of one of the organisation's own.
    rule: String,
    /// What the rule was called.
    title: String,
    /// How much it matters.
    severity: String,
    /// `actor`, `address` or `organization`; or `rest`, which is everything beyond the 100 open alerts of a rule.
    by: String,
    /// With `actor`: `account`, `service`, `anonymous` or `system`.
    actor_type: Option<String>,
    /// With `actor`: who.
    actor: Option<AlertPerson>,
    /// With `address`: from where.
    address: Option<String>,
    /// How many times it has happened.
    count: u64,
    /// When first.
    first_at: DateTime<Utc>,
    /// When last.
    last_at: DateTime<Utc>,
    /// When the alert was raised.
    raised_at: DateTime<Utc>,
    /// The latest entries of the record that it is made of, at most ten, the oldest first.
    entry_ids: Vec<Uuid>,
    /// The code of the events that the rule waits for, if it waits for one type.
    event: Option<String>,
    /// Whether somebody has taken note of it: `open` or `acknowledged`.
    state: String,
    /// Who acknowledged it, or opened it again.
    decided_by: Option<AlertPerson>,
    /// When they did.
    decided_at: Option<DateTime<Utc>>,
    /// What they wrote.
    note: Option<String>,
    /// Until when nobody is told of it, if that is so now.
    muted_until: Option<DateTime<Utc>>,
    /// Whether it can be muted.
    mutable: bool,
    /// Grows with whatever people do to it.
    version: i32,
}

/// How many alerts are open and not muted, by severity.
#[derive(Debug, Object)]
pub(super) struct OpenAlerts {
    /// Of low severity.
    low: u64,
    /// Of medium severity.
    medium: u64,
    /// Of high severity.
    high: u64,
    /// Critical ones.
    critical: u64,
    /// All of these together.
    total: u64,
    /// Open ones that are muted, of any severity.
    muted: u64,
}

/// What people and service accounts are called today.
pub(super) struct People {
    people: HashMap<AccountId, Person>,
    services: HashMap<ServiceAccountId, String>,
}

impl People {
    pub async fn of(vault: &Vault, tx: &Tx, alerts: &[alerts::Alert]) -> Result<Self> {
        let ids: Vec<Uuid> = alerts.iter().flat_map(|a| [a.row.actor_id, a.row.decided_by]).flatten().collect();
        Self::named(vault, tx, ids).await
    }

    pub async fn named(vault: &Vault, tx: &Tx, ids: Vec<Uuid>) -> Result<Self> {
        Ok(Self {
            people: accounts::people(vault, tx, ids.iter().map(|id| AccountId(*id))).await?,
            services: service_accounts::names(tx, ids.into_iter().map(ServiceAccountId)).await?,
        })
    }

    pub fn person(&self, id: Option<Uuid>) -> AlertPerson {
        let person = id.and_then(|id| self.people.get(&AccountId(id)));
        let (name, erased) = match person {
            Some(Person::Known(account)) => (Some(account.name.clone()), None),
            Some(Person::Erased(_)) => (None, Some(true)),
            None => (id.and_then(|id| self.services.get(&ServiceAccountId(id)).cloned()), None),
        };
        AlertPerson { id, name, erased }
    }
}

impl Alert {
    pub fn of(alert: alerts::Alert, people: &People, policy: &AlertPolicy, now: DateTime<Utc>) -> Self {
        let muted_until = alert.muted(now);
        let alerts::Alert { row, address, note } = alert;
        let built_in = policy.rule(&row.rule);
        Self {
            id: row.id.into(),
            mutable: !built_in.is_some_and(BuiltIn::is_unmutable),
            event: built_in.and_then(|rule| match rule.waits {
                alerts::Waits::Event(kind) => Some(kind.code().to_owned()),
                alerts::Waits::Status(_) => None,
            }),
            actor: row.actor_type.as_ref().map(|_| people.person(row.actor_id)),
            actor_type: row.actor_type,
            rule: row.rule,
            title: row.title,
            severity: row.severity,
            by: row.by,
            address,
            count: u64::try_from(row.count).unwrap_or_default(),
            first_at: row.first_at,
            last_at: row.last_at,
            raised_at: row.raised_at,
            entry_ids: row.entries,
            state: row.state,
            decided_by: row.decided_at.map(|_| people.person(row.decided_by)),
            decided_at: row.decided_at,
            note,
            muted_until,
            version: row.version,
        }
    }
}

impl From<OpenCounts> for OpenAlerts {
    fn from(counts: OpenCounts) -> Self {
        let number = |count: i64| u64::try_from(count).unwrap_or_default();
        let OpenCounts { low, medium, high, critical, muted } = counts;
        Self {
            low: number(low),
            medium: number(medium),
            high: number(high),
            critical: number(critical),
            total: number(low + medium + high + critical),
            muted: number(muted),
        }
    }
}

impl From<AlertSeverity> for Severity {
    fn from(severity: AlertSeverity) -> Self {
        match severity {
            AlertSeverity::Low => Self::Low,
            AlertSeverity::Medium => Self::Medium,
            AlertSeverity::High => Self::High,
            AlertSeverity::Critical => Self::Critical,
        }
    }
}

impl From<AlertState> for alerts::State {
    fn from(state: AlertState) -> Self {
        match state {
            AlertState::Open => Self::Open,
            AlertState::Acknowledged => Self::Acknowledged,
        }
    }
}

impl From<AlertGrouping> for Grouping {
    fn from(grouping: AlertGrouping) -> Self {
        match grouping {
            AlertGrouping::Actor => Self::Actor,
            AlertGrouping::Address => Self::Address,
            AlertGrouping::Organization => Self::Organization,
        }
    }
}
