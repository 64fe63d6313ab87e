//! `alert_preferences`: what a person wants to be told of an organisation's alerts.

use sea_orm::entity::prelude::*;

use crate::{AccountId, OrganizationId};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "alert_preferences")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub account_id: AccountId,
    pub digest: String,
    pub minimum_severity: String,
    pub critical_at_once: bool,
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

impl crate::Owned for Entity {
    fn owner() -> Column {
        Column::AccountId
    }
}
