//! Alerts: the inbox.

pub mod mail;
pub mod rules;
mod wire;

use chrono::{DateTime, Utc};
use entity::AlertId;
use poem::Request;
use poem_openapi::{
    Object, OpenApi,
    param::{Header, Path, Query},
    payload::Json,
};
use uuid::Uuid;

use super::{
    Face, Tag,
    wire::{Listed, Versioned, version},
};
use crate::{
    alerts::{self, Decision, Filter},
    db::Tx,
    edge::ApiResult,
    error::Result,
    types::{Caller, PageRequest},
};
use wire::{Alert, AlertSeverity, AlertState, OpenAlerts, People};

/// The operations.
pub struct Alerts(pub Face);

/// A word about an alert.
#[derive(Object)]
#[oai(deny_unknown_fields)]
struct DecideAlert {
    /// What was found out, or is to be done, on one line. Whoever may read alerts reads it.
    #[oai(validator(min_length = 1, max_length = 1000), skip_serializing_if_is_none)]
    note: Option<String>,
}

/// Until when nobody is told of an alert.
#[derive(Object)]
#[oai(deny_unknown_fields)]
struct MuteAlert {
    /// A time within the next 30 days.
    until: DateTime<Utc>,
}

#[OpenApi(prefix_path = "/v1", tag = "Tag::Alerts")]
impl Alerts {
    /// The alerts of an organisation, newest first. Every filter that is given must hold.
    #[expect(clippy::too_many_arguments, reason = "one argument a parameter of the contract")]
    #[oai(path = "/organizations/:organization_id/alerts", method = "get", operation_id = "alerts_list")]
    async fn list(
        &self,
        caller: Caller,
        organization_id: Path<Uuid>,
        request: &Request,
        /// Whether somebody has taken note of it.
        state: Query<Option<AlertState>>,
        /// How much it matters.
        severity: Query<Option<AlertSeverity>>,
        /// The name of a rule of the installation's, or the id of one of the organisation's own.
        #[oai(validator(max_length = 100))]
        rule: Query<Option<String>>,
        /// Those that are muted now, or those that are not.
        muted: Query<Option<bool>>,
        /// The most items of the page.
        #[oai(validator(minimum(value = "1"), maximum(value = "200")))]
        limit: Query<Option<u64>>,
        /// Where the last page ended.
        cursor: Query<Option<String>>,
    ) -> ApiResult<Listed<Alert>> {
        let _ = organization_id;
        let page = PageRequest::parse(limit.0, cursor.0.as_deref())?;
        let filter = Filter {
            state: state.0.map(Into::into),
            severity: severity.0.map(Into::into),
            rule: rule.0,
            muted: muted.0,
        };
        let app = &self.0.gate.app;
        let tx = app.db.read(&caller).await?;
        let page = alerts::list(&app.vault, &tx, &filter, page).await?;
        let people = People::of(&app.vault, &tx, &page.items).await?;
        Ok(Listed::page(request, page, |alert| Alert::of(alert, &people, &app.alerts, caller.now())))
    }

    /// How many alerts are open, by severity.
    #[oai(path = "/organizations/:organization_id/alert-counts", method = "get", operation_id = "alerts_count")]
    async fn count(&self, caller: Caller, organization_id: Path<Uuid>) -> ApiResult<Json<OpenAlerts>> {
        let _ = organization_id;
        let tx = self.0.gate.app.db.read(&caller).await?;
        Ok(Json(alerts::counts(&tx).await?.into()))
    }

    /// One alert.
    #[oai(path = "/organizations/:organization_id/alerts/:alert_id", method = "get", operation_id = "alerts_get")]
    async fn get(
        &self,
        caller: Caller,
        organization_id: Path<Uuid>,
        alert_id: Path<Uuid>,
    ) -> ApiResult<Versioned<Alert>> {
        let _ = organization_id;
        let app = &self.0.gate.app;
        let tx = app.db.read(&caller).await?;
        let alert = alerts::get(&app.vault, &tx, AlertId(alert_id.0)).await?;
        Ok(self.answer(&caller, &tx, alert).await?)
    }

    /// Take note of an alert.
    ///
    /// While an alert is open, more of the same adds to it. Once it is acknowledged, more of the same is counted anew, and
    /// another alert when it is enough.
    #[expect(clippy::too_many_arguments, reason = "one argument a parameter of the contract")]
    #[oai(
        path = "/organizations/:organization_id/alerts/:alert_id/acknowledge",
        method = "post",
        operation_id = "alerts_acknowledge"
    )]
    async fn acknowledge(
        &self,
        caller: Caller,
        organization_id: Path<Uuid>,
        alert_id: Path<Uuid>,
        body: Json<DecideAlert>,
        /// The `ETag` that was read; 412 when it is not the present one.
        #[oai(name = "If-Match")]
        if_match: Header<Option<String>>,
    ) -> ApiResult<Versioned<Alert>> {
        let _ = organization_id;
        let (app, id) = (&self.0.gate.app, AlertId(alert_id.0));
        let decision = Decision { note: body.0.note, version: version(if_match.0) };
        let alert = alerts::acknowledge(&app.db, &app.vault, &caller, id, decision).await?;
        self.changed(&caller, alert).await
    }

    /// Open an alert again that was acknowledged.
    ///
    /// Not while a newer one about the same is open.
    #[expect(clippy::too_many_arguments, reason = "one argument a parameter of the contract")]
    #[oai(
        path = "/organizations/:organization_id/alerts/:alert_id/reopen",
        method = "post",
        operation_id = "alerts_reopen"
    )]
    async fn reopen(
        &self,
        caller: Caller,
        organization_id: Path<Uuid>,
        alert_id: Path<Uuid>,
        body: Json<DecideAlert>,
        /// The `ETag` that was read; 412 when it is not the present one.
        #[oai(name = "If-Match")]
        if_match: Header<Option<String>>,
    ) -> ApiResult<Versioned<Alert>> {
        let _ = organization_id;
        let (app, id) = (&self.0.gate.app, AlertId(alert_id.0));
        let decision = Decision { note: body.0.note, version: version(if_match.0) };
        let alert = alerts::reopen(&app.db, &app.vault, &caller, id, decision).await?;
        self.changed(&caller, alert).await
    }

    /// Mute an alert: nobody is told of it by mail for a while.
    ///
    /// It stays in the list. Critical alerts of the installation's rules, and those about alerts, can't be muted.
    #[expect(clippy::too_many_arguments, reason = "one argument a parameter of the contract")]
    #[oai(
        path = "/organizations/:organization_id/alerts/:alert_id/mute",
        method = "post",
        operation_id = "alerts_mute"
    )]
    async fn mute(
        &self,
        caller: Caller,
        organization_id: Path<Uuid>,
        alert_id: Path<Uuid>,
        body: Json<MuteAlert>,
        /// The `ETag` that was read; 412 when it is not the present one.
        #[oai(name = "If-Match")]
        if_match: Header<Option<String>>,
    ) -> ApiResult<Versioned<Alert>> {
        let _ = organization_id;
        let (app, id) = (&self.0.gate.app, AlertId(alert_id.0));
        let parts = (&app.db, &app.vault, &app.alerts);
        let alert = alerts::mute(parts, &caller, id, body.0.until, version(if_match.0)).await?;
        self.changed(&caller, alert).await
    }

    /// End the mute of an alert.
    #[oai(
        path = "/organizations/:organization_id/alerts/:alert_id/unmute",
        method = "post",
        operation_id = "alerts_unmute"
    )]
    async fn unmute(
        &self,
        caller: Caller,
        organization_id: Path<Uuid>,
        alert_id: Path<Uuid>,
        /// The `ETag` that was read; 412 when it is not the present one.
        #[oai(name = "If-Match")]
        if_match: Header<Option<String>>,
    ) -> ApiResult<Versioned<Alert>> {
        let _ = organization_id;
        let (app, id) = (&self.0.gate.app, AlertId(alert_id.0));
        let alert = alerts::unmute(&app.db, &app.vault, &caller, id, version(if_match.0)).await?;
        self.changed(&caller, alert).await
    }
}

impl Alerts {
    async fn changed(&self, caller: &Caller, alert: alerts::Alert) -> ApiResult<Versioned<Alert>> {
        let tx = self.0.gate.app.db.read(caller).await?;
        Ok(self.answer(caller, &tx, alert).await?)
    }

    async fn answer(&self, caller: &Caller, tx: &Tx, alert: alerts::Alert) -> Result<Versioned<Alert>> {
        let app = &self.0.gate.app;
        let people = People::of(&app.vault, tx, std::slice::from_ref(&alert)).await?;
        let present = alert.row.version;
        Ok(Versioned::of(present, Alert::of(alert, &people, &app.alerts, caller.now())))
    }
}
