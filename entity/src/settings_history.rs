//! `settings_history`: every version of an organisation's settings. Insert and read only.

use sea_orm::entity::prelude::*;

use crate::{AccountId, OrganizationId, SettingsChangeId};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "settings_history")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: SettingsChangeId,
    pub organization_id: OrganizationId,
    pub version: i32,
    pub changes: Json,
    pub document: Json,
    pub changed_by: Option<AccountId>,
    pub changed_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl crate::Tenant for Entity {
    fn organization() -> Column {
        Column::OrganizationId
    }
}
