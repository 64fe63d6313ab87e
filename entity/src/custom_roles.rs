//! `custom_roles`: an organisation's own sets of permissions.

use sea_orm::entity::prelude::*;

use crate::{CustomRoleId, OrganizationId};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "custom_roles")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: CustomRoleId,
    pub organization_id: OrganizationId,
    pub name: String,
    pub name_key: String,
    pub description: Option<String>,
    pub permissions: Vec<String>,
    pub version: i32,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl crate::Tenant for Entity {
    fn organization() -> Column {
        Column::OrganizationId
    }
}
