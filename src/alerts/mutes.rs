//! Muting: nobody is told by mail of an alert, or of those of a rule, for a while. They are raised and listed all the same.
//!
//! What is critical by the installation's rules, and what is about alerts themselves, nobody mutes: whoever takes an
//! administrator's account over would begin with that.

use entity::{AlertId, AlertRuleId, alert_mutes as rows};
use sea_orm::{ActiveValue::Set, ColumnTrait, IntoActiveModel, QueryFilter};
use uuid::Uuid;

use super::{
    Alert, AlertPolicy, BuiltIn, LONGEST_MUTE,
    inbox::{locked, open, who},
    rules::{self, expect},
};
use crate::{
    audit::{Event, Kind},
    db::{Db, Tx},
    error::{Code, Error, Result},
    runtime::Timestamp,
    types::Caller,
    vault::Vault,
};

/// A rule that is muted.
#[derive(Clone, Debug)]
pub struct MutedRule {
    /// The name of one of the installation's, or the id of one of the organisation's own.
    pub rule: String,
    /// Until when.
    pub until: Timestamp,
    /// Who muted it.
    pub by: Option<Uuid>,
    /// When they did.
    pub at: Timestamp,
}

/// The rules that the organisation has muted.
///
/// # Errors
/// When the database fails.
pub async fn muted_rules(tx: &Tx) -> Result<Vec<MutedRule>> {
    let query = tx.find::<rows::Entity>().filter(rows::Column::MutedUntil.gt(tx.caller().now()));
    Ok(tx.all(query).await?.into_iter().map(MutedRule::from).collect())
}

/// Mutes an alert.
///
/// # Errors
/// `NotFound`; `Rule` with `critical_alert_stays`, which is recorded; `Conflict` with `precondition_failed`; `Invalid` for
/// a time that has passed or is too far away.
pub async fn mute(
    (db, vault, policy): (&Db, &Vault, &AlertPolicy),
    caller: &Caller,
    id: AlertId,
    until: Timestamp,
    version: Option<i32>,
) -> Result<Alert> {
    check(caller, until)?;
    let tx = db.write(caller).await?;
    let present = locked(&tx, id).await?;
    expect(version, present.version)?;
    if policy.rule(&present.rule).is_some_and(BuiltIn::is_unmutable) {
        let event = Event::new(Kind::AlertMuteRefused, id).with("rule", present.rule.as_str()).refused();
        return tx.commit_refused(event, Error::Rule(Code::CriticalAlertStays)).await;
    }
    let (rule, version) = (present.rule.clone(), present.version + 1);
    let mut row = present.into_active_model();
    row.muted_until = Set(Some(until));
    row.version = Set(version);
    let alert = open(vault, tx.update(row).await?)?;
    tx.commit(Event::new(Kind::AlertMuted, id).with("rule", rule).with("until", until.to_rfc3339())).await?;
    Ok(alert)
}

/// Lets an alert tell people again.
///
/// # Errors
/// `NotFound`; `Conflict` with `alert_state` when it is not muted, or with `precondition_failed`.
pub async fn unmute(db: &Db, vault: &Vault, caller: &Caller, id: AlertId, version: Option<i32>) -> Result<Alert> {
    let tx = db.write(caller).await?;
    let present = locked(&tx, id).await?;
    expect(version, present.version)?;
    if present.muted_until.is_none_or(|until| until <= caller.now()) {
        return Err(Error::Conflict(Code::AlertState));
    }
    let (rule, version) = (present.rule.clone(), present.version + 1);
    let mut row = present.into_active_model();
    row.muted_until = Set(None);
    row.version = Set(version);
    let alert = open(vault, tx.update(row).await?)?;
    tx.commit(Event::new(Kind::AlertUnmuted, id).with("rule", rule)).await?;
    Ok(alert)
}

const MUTE: &str = "
    INSERT INTO alert_mutes (organization_id, rule, muted_until, muted_by, muted_at) VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (organization_id, rule) DO UPDATE SET muted_until = excluded.muted_until, muted_by = excluded.muted_by,
        muted_at = excluded.muted_at";
const MUTE_OPEN: &str = "
    UPDATE alerts SET muted_until = $3, version = version + 1
    WHERE organization_id = $1 AND rule = $2 AND state = 'open' AND (muted_until IS NULL OR muted_until < $3)";
const UNMUTE_OPEN: &str = "
    UPDATE alerts SET muted_until = NULL, version = version + 1
    WHERE organization_id = $1 AND rule = $2 AND state = 'open' AND muted_until = $3";

/// Mutes a rule, with its open alerts.
///
/// # Errors
/// `Rule` with `critical_alert_stays`, which is recorded; `Invalid` for a rule that there is none of, and for a time that
/// has passed or is too far away.
pub async fn mute_rule(
    db: &Db,
    policy: &AlertPolicy,
    caller: &Caller,
    rule: &str,
    until: Timestamp,
) -> Result<MutedRule> {
    check(caller, until)?;
    let organization = caller.organization().ok_or_else(Error::not_found)?;
    let tx = db.write(caller).await?;
    let target = match (policy.rule(rule), rule.parse::<Uuid>()) {
        (Some(built_in), _) if built_in.is_unmutable() => {
            let event = Event::without_target(Kind::AlertMuteRefused).with("alert_rule", rule).refused();
            return tx.commit_refused(event, Error::Rule(Code::CriticalAlertStays)).await;
        }
        (Some(_), _) => None,
        (None, Ok(id)) if is_own(&tx, id).await? => Some(id),
        (None, _) => return Err(Error::field("/rule", "unknown_rule", "is no rule of this organisation")),
    };
    let muted = MutedRule { rule: rule.to_owned(), until, by: who(caller), at: caller.now() };
    let values = [organization.into(), rule.into(), until.into(), muted.by.into(), muted.at.into()];
    tx.execute(MUTE, values).await?;
    tx.execute(MUTE_OPEN, [organization.into(), rule.into(), until.into()]).await?;
    let event = match target {
        Some(id) => Event::new(Kind::AlertRuleMuted, id),
        None => Event::without_target(Kind::AlertRuleMuted),
    };
    tx.commit(event.with("alert_rule", rule).with("until", until.to_rfc3339())).await?;
    Ok(muted)
}

async fn is_own(tx: &Tx, id: Uuid) -> Result<bool> {
    match rules::get(tx, AlertRuleId(id)).await {
        Ok(_) => Ok(true),
        Err(Error::NotFound(_)) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Lets a rule tell people again, with its open alerts.
///
/// # Errors
/// `NotFound` when it is not muted.
pub async fn unmute_rule(db: &Db, caller: &Caller, rule: &str) -> Result<()> {
    // It comes from a path, where anything can be; PostgreSQL takes no NUL in a text.
    if rule.chars().any(char::is_control) {
        return Err(Error::not_found());
    }
    let organization = caller.organization().ok_or_else(Error::not_found)?;
    let tx = db.write(caller).await?;
    let query = tx.find::<rows::Entity>().filter(rows::Column::Rule.eq(rule));
    let present = tx.one(query).await?.filter(|row| row.muted_until > caller.now()).ok_or_else(Error::not_found)?;
    tx.delete(tx.remove::<rows::Entity>().filter(rows::Column::Rule.eq(rule))).await?;
    tx.execute(UNMUTE_OPEN, [organization.into(), rule.into(), present.muted_until.into()]).await?;
    tx.commit(Event::without_target(Kind::AlertRuleUnmuted).with("alert_rule", rule)).await
}

fn check(caller: &Caller, until: Timestamp) -> Result<()> {
    let now = caller.now();
    if until > now && until <= now + LONGEST_MUTE {
        return Ok(());
    }
    let days = LONGEST_MUTE.num_days();
    Err(Error::field("/until", "range", format!("must be a time within the next {days} days")))
}

impl From<rows::Model> for MutedRule {
    fn from(row: rows::Model) -> Self {
        Self { rule: row.rule, until: row.muted_until, by: row.muted_by, at: row.muted_at }
    }
}
