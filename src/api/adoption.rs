//! How many of an organisation's people have a second factor.

use chrono::{DateTime, NaiveDate, Utc};
use poem_openapi::{
    Enum, Object, OpenApi,
    param::{Path, Query},
    payload::Json,
};
use uuid::Uuid;

use super::{Face, Tag};
use crate::{
    edge::ApiResult,
    tenancy::adoption::{self, Adoption as Counted, Day, OfRole},
    types::Caller,
};

/// The operation.
pub struct Adoption(pub Face);

/// Over which days.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
enum AdoptionSpan {
    /// Thirty days, today the last.
    Month,
    /// Ninety days, today the last.
    Quarter,
    /// 365 days, today the last.
    Year,
}

/// How many people can prove a second factor in one way.
#[derive(Debug, Object)]
struct AdoptionMethod {
    /// In which: `totp`, for one.
    method: String,
    /// How many people.
    people: i64,
}

/// The people of a role. Whoever has several counts to the highest.
#[derive(Debug, Object)]
struct AdoptionRole {
    /// The role.
    role: String,
    /// Whether a second factor is demanded of them.
    required: bool,
    /// How many people have it, directly or by a team, and are not blocked.
    people: i64,
    /// How many of them have a second factor.
    enrolled: i64,
    /// The ways in which they can prove one; somebody may have several.
    methods: Vec<AdoptionMethod>,
}

/// How it was on a day.
#[derive(Debug, Object)]
struct AdoptionDay {
    /// The day, in UTC.
    date: NaiveDate,
    /// How many people there were.
    people: i64,
    /// How many of them had a second factor.
    enrolled: i64,
}

/// How it is with second factors in an organisation.
#[derive(Debug, Object)]
#[oai(skip_serializing_if_is_none)]
struct SecondFactorAdoption {
    /// When the roles were counted: now, or in an organisation of more than ten thousand members within the last hours.
    /// Absent while nobody has counted such an organisation yet.
    counted_at: Option<DateTime<Utc>>,
    /// The roles that somebody has, the highest first.
    roles: Vec<AdoptionRole>,
    /// The days that were counted, the oldest first.
    days: Vec<AdoptionDay>,
}

#[OpenApi(prefix_path = "/v1", tag = "Tag::SecondFactors")]
impl Adoption {
    /// How many of an organisation's people have a second factor: by role, by method, and day by day.
    ///
    /// Each day's last count is kept for two years.
    #[oai(
        path = "/organizations/:organization_id/second-factors",
        method = "get",
        operation_id = "second_factor_adoption_get"
    )]
    async fn get(
        &self,
        caller: Caller,
        organization_id: Path<Uuid>,
        /// Over which days; without it the last ninety.
        span: Query<Option<AdoptionSpan>>,
    ) -> ApiResult<Json<SecondFactorAdoption>> {
        let _ = organization_id;
        let days = match span.0.unwrap_or(AdoptionSpan::Quarter) {
            AdoptionSpan::Month => 30,
            AdoptionSpan::Quarter => 90,
            AdoptionSpan::Year => 365,
        };
        Ok(Json(adoption::adoption(&self.0.gate.app, &caller, days).await?.into()))
    }
}

impl From<Counted> for SecondFactorAdoption {
    fn from(counted: Counted) -> Self {
        Self {
            counted_at: counted.counted_at,
            roles: counted.roles.into_iter().map(Into::into).collect(),
            days: counted.days.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<OfRole> for AdoptionRole {
    fn from(of: OfRole) -> Self {
        let OfRole { role, required, people, enrolled, methods } = of;
        let methods = methods.into_iter().map(|(method, people)| AdoptionMethod { method, people }).collect();
        Self { role, required, people, enrolled, methods }
    }
}

impl From<Day> for AdoptionDay {
    fn from(Day { day, people, enrolled }: Day) -> Self {
        Self { date: day, people, enrolled }
    }
}
