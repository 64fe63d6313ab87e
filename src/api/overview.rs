//! How an organisation stands.

use chrono::NaiveDate;
use poem_openapi::{
    Enum, Object, OpenApi,
    param::{Path, Query},
    payload::Json,
};
use uuid::Uuid;

use super::{Face, Tag};
use crate::{
    audit::{self, Activity},
    edge::ApiResult,
    tenancy::overview::{self, Overview as Numbers},
    types::Caller,
};

/// The operation.
pub struct Overview(pub Face);

/// Over which days.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
enum OverviewSpan {
    /// Seven days, today the last.
    Week,
    /// Thirty days, today the last.
    Month,
    /// Ninety days, today the last.
    Quarter,
}

/// What happened on a day.
#[derive(Debug, Object)]
struct OverviewDay {
    /// The day, in UTC.
    date: NaiveDate,
    /// How often somebody signed in, or switched, to the organisation.
    sign_ins: i64,
    /// How many people did.
    active_people: i64,
    /// How often somebody failed to sign in to an account that the organisation manages.
    failed_sign_ins: i64,
    /// How many people became members.
    joined: i64,
}

/// How an organisation stands. No number is greater than `most`, and one that is as great stands for that or more.
#[derive(Debug, Object)]
struct OrganizationOverview {
    /// The greatest number here.
    most: i64,
    /// Each of the days, today last.
    days: Vec<OverviewDay>,
    /// Alerts that nobody has taken note of.
    open_alerts: u64,
    /// People who signed up and wait to be let in.
    waiting_sign_ups: u64,
    /// Invitations that can be accepted.
    pending_invitations: u64,
}

#[OpenApi(prefix_path = "/v1", tag = "Tag::Organizations")]
impl Overview {
    /// How an organisation stands: what happened on each of the last days, and what waits for somebody. Numbers are
    /// counted up to a bound, so that a busy organisation's cost no more.
    #[oai(path = "/organizations/:organization_id/overview", method = "get", operation_id = "overview_get")]
    async fn get(
        &self,
        caller: Caller,
        organization_id: Path<Uuid>,
        /// Over which days; without it the last thirty.
        span: Query<Option<OverviewSpan>>,
    ) -> ApiResult<Json<OrganizationOverview>> {
        let _ = organization_id;
        let days = match span.0.unwrap_or(OverviewSpan::Month) {
            OverviewSpan::Week => 7,
            OverviewSpan::Month => 30,
            OverviewSpan::Quarter => 90,
        };
        let tx = self.0.gate.app.db.read(&caller).await?;
        Ok(Json(overview::overview(&tx, days).await?.into()))
    }
}

impl From<Numbers> for OrganizationOverview {
    fn from(numbers: Numbers) -> Self {
        Self {
            most: audit::MOST.into(),
            days: numbers.days.into_iter().map(Into::into).collect(),
            open_alerts: numbers.open_alerts,
            waiting_sign_ups: numbers.waiting,
            pending_invitations: numbers.pending,
        }
    }
}

impl From<Activity> for OverviewDay {
    fn from(day: Activity) -> Self {
        Self {
            date: day.day.date_naive(),
            sign_ins: day.entered,
            active_people: day.people,
            failed_sign_ins: day.failed,
            joined: day.joined,
        }
    }
}
