//! `job_runs`: what waits to run by itself, runs, and has run.

use sea_orm::entity::prelude::*;

use crate::{AccountId, InstanceId, JobRunId};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "job_runs")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: JobRunId,
    pub job: String,
    pub fire_time: DateTimeUtc,
    pub cause: Cause,
    pub requested_by: Option<AccountId>,
    pub state: State,
    pub created_at: DateTimeUtc,
    pub available_at: DateTimeUtc,
    pub attempts: i32,
    pub term: Option<i64>,
    pub instance_id: Option<InstanceId>,
    pub leased_until: Option<DateTimeUtc>,
    pub started_at: Option<DateTimeUtc>,
    pub finished_at: Option<DateTimeUtc>,
    pub result: Option<Json>,
    pub error: Option<String>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Why there is a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
pub enum Cause {
    /// Its time had come.
    Schedule,
    /// Somebody asked for it.
    Person,
}

/// How far a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
pub enum State {
    /// It waits, for its first or its next attempt.
    Queued,
    /// The leader is at it.
    Running,
    /// It did what it should.
    Succeeded,
    /// It failed for good and waits for a person.
    Dead,
}

impl crate::Identity for Entity {}
