//! `key_rotations`: how the change from one data key of a scope to the next goes on.

use sea_orm::entity::prelude::*;

use crate::{AccountId, DataKeyId, KeyRotationId};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "key_rotations")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: KeyRotationId,
    pub scope: String,
    pub from_key: DataKeyId,
    pub to_key: DataKeyId,
    pub step: Step,
    pub paused: bool,
    /// Which of the scope's columns is being sealed anew, by its name.
    pub at_column: Option<String>,
    /// The last row of that column that was looked at.
    pub at_row: Option<Uuid>,
    pub rows_total: i64,
    pub rows_done: i64,
    pub passes: i32,
    pub started_by: Option<AccountId>,
    pub started_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    pub finished_at: Option<DateTimeUtc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// What a rotation does at the moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
pub enum Step {
    /// It waits until every instance knows the new key.
    Announcing,
    /// Rows are sealed anew.
    Migrating,
    /// It makes sure that nothing is left under the old key.
    Verifying,
    /// It waits until no instance writes match values under the old key, and removes them.
    Closing,
    /// It is over: the old key is retired.
    Finished,
}

impl crate::Identity for Entity {}
