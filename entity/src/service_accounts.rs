//! `service_accounts`: an organisation's own programs.

use sea_orm::entity::prelude::*;

use crate::{AccountId, OrganizationId, ServiceAccountId};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "service_accounts")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ServiceAccountId,
    pub organization_id: OrganizationId,
    pub name: String,
    pub name_key: String,
    pub description: Option<String>,
    pub role: String,
    pub state: State,
    pub version: i32,
    pub created_by: Option<AccountId>,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Whether its keys open anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
pub enum State {
    Active,
    /// Its keys are refused, and stay.
    Disabled,
}

impl crate::Tenant for Entity {
    fn organization() -> Column {
        Column::OrganizationId
    }
}
