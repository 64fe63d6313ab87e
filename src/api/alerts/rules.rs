//! The rules that raise alerts: those of the installation, and an organisation's own.

use chrono::{DateTime, Utc};
use entity::AlertRuleId;
use poem_openapi::{
    Object, OpenApi,
    param::{Header, Path},
    payload::Json,
};
use uuid::Uuid;

use super::wire::{AlertGrouping, AlertPerson, AlertSeverity, People};
use crate::{
    alerts::{self, BuiltIn, MutedRule, OwnRule, Waits, Wanted},
    api::{
        Face, Tag,
        wire::{Created, Done, Versioned, version},
    },
    audit::{Kind, product},
    edge::ApiResult,
    error::{Error, Result},
    types::Caller,
};

/// The operations.
pub struct AlertRules(pub Face);

/// A rule that every organisation has.
#[derive(Debug, Object)]
#[oai(skip_serializing_if_is_none)]
struct StandardAlertRule {
    /// Its stable name.
    name: String,
    /// A few words for people.
    title: String,
    /// The code of the events that it waits for.
    event: Option<String>,
    /// The status of the answers that it waits for, on all instances together; the platform's alone.
    status: Option<u16>,
    /// How many make an alert.
    count: u64,
    /// Within how many minutes.
    window_minutes: u64,
    /// What is counted together: `actor`, `address` or `organization`.
    by: String,
    /// How much the alert matters.
    severity: String,
    /// Whether it can be muted.
    mutable: bool,
}

/// A rule of an organisation's own.
#[derive(Debug, Object)]
#[oai(skip_serializing_if_is_none)]
struct AlertRule {
    /// Its id.
    id: Uuid,
    /// Its name.
    name: String,
    /// The code of the events that it waits for, if it waits for one type.
    event: Option<String>,
    /// How much entries matter at least that it waits for, if it waits for all such.
    at_least: Option<String>,
    /// How many make an alert.
    count: u64,
    /// Within how many minutes.
    window_minutes: u64,
    /// What is counted together: `actor`, `address` or `organization`.
    by: String,
    /// How much the alert matters.
    severity: String,
    /// Whether it counts.
    enabled: bool,
    /// When it was made.
    created_at: DateTime<Utc>,
    /// When it last changed.
    updated_at: DateTime<Utc>,
    /// Grows with every change.
    version: i32,
}

/// A rule that is muted.
#[derive(Debug, Object)]
#[oai(skip_serializing_if_is_none)]
struct AlertMute {
    /// The name of a rule of the installation's, or the id of one of the organisation's own.
    rule: String,
    /// Until when nobody is told of its alerts.
    until: DateTime<Utc>,
    /// Who muted it.
    muted_by: Option<AlertPerson>,
    /// When they did.
    muted_at: DateTime<Utc>,
}

/// The rules that raise alerts in an organisation.
#[derive(Debug, Object)]
struct AlertRuleList {
    /// Those that every organisation has; those of answers raise alerts in the platform's own organisation.
    standard: Vec<StandardAlertRule>,
    /// The organisation's own, by name. There are at most 50.
    own: Vec<AlertRule>,
    /// Those of either that are muted now.
    muted: Vec<AlertMute>,
}

/// A new rule. It waits for one type of event, or for all that matter at least so much.
#[derive(Object)]
#[oai(deny_unknown_fields)]
struct CreateAlertRule {
    /// Its name; no other of the organisation's own has it, in upper or lower case.
    #[oai(validator(min_length = 1, max_length = 100))]
    name: String,
    /// The code of an event; not one about alerts.
    #[oai(validator(min_length = 1, max_length = 100), skip_serializing_if_is_none)]
    event: Option<String>,
    /// How much events matter at least, in place of one type.
    #[oai(skip_serializing_if_is_none)]
    at_least: Option<AlertSeverity>,
    /// How many make an alert.
    #[oai(validator(minimum(value = "1"), maximum(value = "100000")))]
    count: u32,
    /// Within how many minutes; a day at most. What happens within them is counted together for sure, and what is up to two
    /// twelfths, or two minutes, longer apart may be.
    #[oai(validator(minimum(value = "1"), maximum(value = "1440")))]
    window_minutes: u32,
    /// What is counted together.
    by: AlertGrouping,
    /// How much the alert matters.
    severity: AlertSeverity,
}

/// What to change of a rule.
#[derive(Object)]
#[oai(deny_unknown_fields)]
struct UpdateAlertRule {
    /// A new name.
    #[oai(validator(min_length = 1, max_length = 100), skip_serializing_if_is_none)]
    name: Option<String>,
    /// Another event to wait for.
    #[oai(validator(min_length = 1, max_length = 100), skip_serializing_if_is_none)]
    event: Option<String>,
    /// To wait for all events that matter at least so much, in place of one type.
    #[oai(skip_serializing_if_is_none)]
    at_least: Option<AlertSeverity>,
    /// How many make an alert.
    #[oai(validator(minimum(value = "1"), maximum(value = "100000")), skip_serializing_if_is_none)]
    count: Option<u32>,
    /// Within how many minutes; a day at most.
    #[oai(validator(minimum(value = "1"), maximum(value = "1440")), skip_serializing_if_is_none)]
    window_minutes: Option<u32>,
    /// What is counted together.
    #[oai(skip_serializing_if_is_none)]
    by: Option<AlertGrouping>,
    /// How much the alert matters.
    #[oai(skip_serializing_if_is_none)]
    severity: Option<AlertSeverity>,
    /// Whether it counts.
    #[oai(skip_serializing_if_is_none)]
    enabled: Option<bool>,
}

/// A rule to mute.
#[derive(Object)]
#[oai(deny_unknown_fields)]
struct MuteAlertRule {
    /// The name of a rule of the installation's, or the id of one of the organisation's own.
    #[oai(validator(min_length = 1, max_length = 100))]
    rule: String,
    /// A time within the next 30 days.
    until: DateTime<Utc>,
}

#[OpenApi(prefix_path = "/v1", tag = "Tag::Alerts")]
impl AlertRules {
    /// The rules that raise alerts in an organisation, and which of them are muted.
    #[oai(path = "/organizations/:organization_id/alert-rules", method = "get", operation_id = "alert_rules_list")]
    async fn list(&self, caller: Caller, organization_id: Path<Uuid>) -> ApiResult<Json<AlertRuleList>> {
        let _ = organization_id;
        let app = &self.0.gate.app;
        let tx = app.db.read(&caller).await?;
        let muted = alerts::muted_rules(&tx).await?;
        let people = People::named(&app.vault, &tx, muted.iter().filter_map(|mute| mute.by).collect()).await?;
        Ok(Json(AlertRuleList {
            standard: app.alerts.rules().iter().map(StandardAlertRule::of).collect(),
            own: alerts::rules(&tx).await?.into_iter().map(AlertRule::from).collect(),
            muted: muted.into_iter().map(|mute| AlertMute::of(mute, &people)).collect(),
        }))
    }

    /// Make a rule of the organisation's own.
    ///
    /// It counts what happens from now on. An organisation has at most 50.
    #[oai(path = "/organizations/:organization_id/alert-rules", method = "post", operation_id = "alert_rules_create")]
    async fn create(
        &self,
        caller: Caller,
        organization_id: Path<Uuid>,
        body: Json<CreateAlertRule>,
        /// The same key does the work once.
        #[oai(name = "Idempotency-Key")]
        _idempotency_key: Header<Option<String>>,
    ) -> ApiResult<Created<AlertRule>> {
        let CreateAlertRule { name, event, at_least, count, window_minutes, by, severity } = body.0;
        let neither = || Error::field("/event", "required", "a rule waits for an event, or for all at least so severe");
        let new = alerts::NewRule {
            name,
            wanted: wanted(event, at_least)?.ok_or_else(neither)?,
            count: count.into(),
            minutes: window_minutes.into(),
            by: by.into(),
            severity: severity.into(),
        };
        let made = alerts::create(&self.0.gate.app.db, &caller, new).await?;
        let location = format!("/v1/organizations/{}/alert-rules/{}", organization_id.0, made.id);
        Ok(Created::Created(Json(made.into()), location))
    }

    /// One rule of the organisation's own.
    #[oai(
        path = "/organizations/:organization_id/alert-rules/:alert_rule_id",
        method = "get",
        operation_id = "alert_rules_get"
    )]
    async fn get(
        &self,
        caller: Caller,
        organization_id: Path<Uuid>,
        alert_rule_id: Path<Uuid>,
    ) -> ApiResult<Versioned<AlertRule>> {
        let _ = organization_id;
        let tx = self.0.gate.app.db.read(&caller).await?;
        let rule = alerts::get_rule(&tx, AlertRuleId(alert_rule_id.0)).await?;
        Ok(Versioned::of(rule.version, rule.into()))
    }

    /// Change a rule of the organisation's own, or switch it on or off.
    #[expect(clippy::too_many_arguments, reason = "one argument a parameter of the contract")]
    #[oai(
        path = "/organizations/:organization_id/alert-rules/:alert_rule_id",
        method = "patch",
        operation_id = "alert_rules_update"
    )]
    async fn update(
        &self,
        caller: Caller,
        organization_id: Path<Uuid>,
        alert_rule_id: Path<Uuid>,
        body: Json<UpdateAlertRule>,
        /// The `ETag` that was read; 412 when it is not the present one.
        #[oai(name = "If-Match")]
        if_match: Header<Option<String>>,
    ) -> ApiResult<Versioned<AlertRule>> {
        let _ = organization_id;
        let UpdateAlertRule { name, event, at_least, count, window_minutes, by, severity, enabled } = body.0;
        let changes = alerts::Changes {
            name,
            wanted: wanted(event, at_least)?,
            count: count.map(Into::into),
            minutes: window_minutes.map(Into::into),
            by: by.map(Into::into),
            severity: severity.map(Into::into),
            enabled,
            version: version(if_match.0),
        };
        let rule = alerts::update(&self.0.gate.app.db, &caller, AlertRuleId(alert_rule_id.0), changes).await?;
        Ok(Versioned::of(rule.version, rule.into()))
    }

    /// Delete a rule of the organisation's own. Its alerts stay.
    #[oai(
        path = "/organizations/:organization_id/alert-rules/:alert_rule_id",
        method = "delete",
        operation_id = "alert_rules_delete"
    )]
    async fn delete(
        &self,
        caller: Caller,
        organization_id: Path<Uuid>,
        alert_rule_id: Path<Uuid>,
        /// The `ETag` that was read; 412 when it is not the present one.
        #[oai(name = "If-Match")]
        if_match: Header<Option<String>>,
    ) -> ApiResult<Done> {
        let _ = organization_id;
        let id = AlertRuleId(alert_rule_id.0);
        alerts::delete(&self.0.gate.app.db, &caller, id, version(if_match.0)).await?;
        Ok(Done::Done)
    }

    /// Mute a rule: nobody is told by mail of its alerts for a while.
    ///
    /// They are raised and listed all the same, open ones are muted too. Critical rules of the installation's, and those
    /// about alerts, can't be muted.
    #[oai(path = "/organizations/:organization_id/alert-mutes", method = "post", operation_id = "alert_rules_mute")]
    async fn mute(
        &self,
        caller: Caller,
        organization_id: Path<Uuid>,
        body: Json<MuteAlertRule>,
    ) -> ApiResult<Json<AlertMute>> {
        let _ = organization_id;
        let app = &self.0.gate.app;
        let muted = alerts::mute_rule(&app.db, &app.alerts, &caller, &body.0.rule, body.0.until).await?;
        let tx = app.db.read(&caller).await?;
        let people = People::named(&app.vault, &tx, muted.by.into_iter().collect()).await?;
        Ok(Json(AlertMute::of(muted, &people)))
    }

    /// End the mute of a rule, and of those of its open alerts that it muted.
    #[oai(
        path = "/organizations/:organization_id/alert-mutes/:rule",
        method = "delete",
        operation_id = "alert_rules_unmute"
    )]
    async fn unmute(&self, caller: Caller, organization_id: Path<Uuid>, rule: Path<String>) -> ApiResult<Done> {
        let _ = organization_id;
        alerts::unmute_rule(&self.0.gate.app.db, &caller, &rule.0).await?;
        Ok(Done::Done)
    }
}

/// What a rule is to wait for, if the request says.
fn wanted(event: Option<String>, at_least: Option<AlertSeverity>) -> Result<Option<Wanted>> {
    match (event, at_least) {
        (Some(_), Some(_)) => {
            Err(Error::field("/at_least", "exclusive", "a rule waits for one event, or for all at least so severe"))
        }
        (Some(code), None) => match Kind::find(&code) {
            Some(kind) => Ok(Some(Wanted::Event(kind))),
            None if product::is_code(&code) => Ok(Some(Wanted::Product(code))),
            None => Err(Error::field("/event", "unknown_event", "is no event of the catalogue")),
        },
        (None, least) => Ok(least.map(|least| Wanted::AtLeast(least.into()))),
    }
}

impl StandardAlertRule {
    fn of(rule: &BuiltIn) -> Self {
        let (event, status) = match rule.waits {
            Waits::Event(kind) => (Some(kind.code().to_owned()), None),
            Waits::Status(status) => (None, Some(status)),
        };
        Self {
            name: rule.name.clone(),
            title: rule.title.clone(),
            event,
            status,
            count: number(rule.count),
            window_minutes: number(rule.minutes),
            by: rule.by.as_str().to_owned(),
            severity: rule.severity.as_str().to_owned(),
            mutable: !rule.is_unmutable(),
        }
    }
}

impl From<OwnRule> for AlertRule {
    fn from(rule: OwnRule) -> Self {
        Self {
            id: rule.id.into(),
            name: rule.name,
            event: rule.event,
            at_least: rule.at_least,
            count: number(rule.count),
            window_minutes: number(rule.minutes),
            by: rule.by,
            severity: rule.severity,
            enabled: rule.enabled,
            created_at: rule.created_at,
            updated_at: rule.updated_at,
            version: rule.version,
        }
    }
}

impl AlertMute {
    fn of(mute: MutedRule, people: &People) -> Self {
        let muted_by = mute.by.map(|id| people.person(Some(id)));
        Self { rule: mute.rule, until: mute.until, muted_by, muted_at: mute.at }
    }
}

fn number(number: impl TryInto<u64>) -> u64 {
    number.try_into().unwrap_or_default()
}
