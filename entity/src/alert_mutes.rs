//! `alert_mutes`: rules whose alerts an organisation is not told of for a while.

use sea_orm::entity::prelude::*;

use crate::OrganizationId;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "alert_mutes")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub rule: String,
    pub muted_until: DateTimeUtc,
    pub muted_by: Option<Uuid>,
    pub muted_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl crate::Tenant for Entity {
    fn organization() -> Column {
        Column::OrganizationId
    }
}
