//! `alert_rules`: rules of an organisation's own that raise alerts.

use sea_orm::entity::prelude::*;

use crate::{AlertRuleId, OrganizationId};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "alert_rules")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: AlertRuleId,
    pub organization_id: OrganizationId,
    pub name: String,
    pub name_key: String,
    pub event: Option<String>,
    pub at_least: Option<String>,
    pub count: i32,
    pub minutes: i32,
    pub by: String,
    pub severity: String,
    pub enabled: bool,
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
