//! How the signed-in person is told of alerts.

use entity::OrganizationId;
use poem_openapi::{Enum, Object, OpenApi, payload::Json};
use uuid::Uuid;

use super::wire::AlertSeverity;
use crate::{
    alerts::{self, Digest, Preferences},
    api::{Face, Tag},
    audit::Severity,
    edge::ApiResult,
    types::Caller,
};

/// The operations.
pub struct AlertMail(pub Face);

/// How often somebody gets a digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
enum DigestInterval {
    /// Never.
    Off,
    /// After each hour.
    Hourly,
    /// At six in the morning, UTC.
    Daily,
    /// On Mondays at six in the morning, UTC.
    Weekly,
}

/// What somebody wants to be told of an organisation's alerts. Only whoever may read them is told.
#[derive(Debug, Object)]
struct AlertPreferences {
    /// The organisation: the one that the session is in.
    organization_id: Uuid,
    /// How often there is a letter with the alerts that were raised since the last; none when there were none.
    digest: DigestInterval,
    /// How much an alert matters at least to be in it.
    minimum_severity: AlertSeverity,
    /// Whether critical alerts are told of at once.
    critical_at_once: bool,
}

/// What somebody wants to be told from now on.
#[derive(Object)]
#[oai(deny_unknown_fields)]
struct SetAlertPreferences {
    /// How often there is a letter with the alerts that were raised since the last; none when there were none.
    digest: DigestInterval,
    /// How much an alert matters at least to be in it.
    minimum_severity: AlertSeverity,
    /// Whether critical alerts are told of at once.
    critical_at_once: bool,
}

#[OpenApi(prefix_path = "/v1", tag = "Tag::Me")]
impl AlertMail {
    /// How one is told of the alerts of the organisation that one's session is in.
    #[oai(path = "/me/alert-preferences", method = "get", operation_id = "own_alert_preferences_get")]
    async fn get(&self, caller: Caller) -> ApiResult<Json<AlertPreferences>> {
        let tx = self.0.gate.app.db.read(&caller).await?;
        Ok(Json(AlertPreferences::of(&caller, alerts::preferences(&tx).await?)))
    }

    /// Choose how one is told of the alerts of the organisation that one's session is in.
    #[oai(path = "/me/alert-preferences", method = "put", operation_id = "own_alert_preferences_update")]
    async fn update(&self, caller: Caller, body: Json<SetAlertPreferences>) -> ApiResult<Json<AlertPreferences>> {
        let wanted = alerts::set_preferences(&self.0.gate.app.db, &caller, body.0.into()).await?;
        Ok(Json(AlertPreferences::of(&caller, wanted)))
    }
}

impl AlertPreferences {
    fn of(caller: &Caller, preferences: Preferences) -> Self {
        Self {
            organization_id: caller.organization().unwrap_or(OrganizationId::PLATFORM).into(),
            digest: match preferences.digest {
                Digest::Off => DigestInterval::Off,
                Digest::Hourly => DigestInterval::Hourly,
                Digest::Daily => DigestInterval::Daily,
                Digest::Weekly => DigestInterval::Weekly,
            },
            minimum_severity: match preferences.minimum_severity {
                Severity::Low => AlertSeverity::Low,
                Severity::Medium => AlertSeverity::Medium,
                Severity::High => AlertSeverity::High,
                Severity::Critical => AlertSeverity::Critical,
            },
            critical_at_once: preferences.critical_at_once,
        }
    }
}

impl From<SetAlertPreferences> for Preferences {
    fn from(preferences: SetAlertPreferences) -> Self {
        Self {
            digest: match preferences.digest {
                DigestInterval::Off => Digest::Off,
                DigestInterval::Hourly => Digest::Hourly,
                DigestInterval::Daily => Digest::Daily,
                DigestInterval::Weekly => Digest::Weekly,
            },
            minimum_severity: preferences.minimum_severity.into(),
            critical_at_once: preferences.critical_at_once,
        }
    }
}
