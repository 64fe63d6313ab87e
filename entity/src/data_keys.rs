//! `data_keys`: the keys that seal, one a scope and version, each wrapped by the root key.

use sea_orm::entity::prelude::*;

use crate::DataKeyId;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "data_keys")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: DataKeyId,
    pub scope: String,
    pub version: i32,
    pub state: State,
    pub wrapped: Option<Vec<u8>>,
    /// Which root key wrapped it.
    pub root_key: Vec<u8>,
    pub revision: i64,
    pub created_at: DateTimeUtc,
    pub activated_at: Option<DateTimeUtc>,
    pub retired_at: Option<DateTimeUtc>,
    pub destroyed_at: Option<DateTimeUtc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Where a data key is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
pub enum State {
    /// Instances get to know it; nothing is sealed under it yet. At most one of a scope is.
    Pending,
    /// Seals; at most one of a scope does.
    Active,
    /// Seals no more; what it sealed is being sealed anew.
    Retiring,
    /// Match values are written under it no more; what is left of them is being removed.
    Closing,
    /// Nothing is under it.
    Retired,
    /// Gone for good.
    Destroyed,
}

impl crate::Identity for Entity {}
