//! `product_event_types`: what a product records of its own, and what it means.

use sea_orm::entity::prelude::*;

use crate::{OrganizationId, ProductEventTypeId};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "product_event_types")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ProductEventTypeId,
    pub organization_id: OrganizationId,
    pub code: String,
    pub title: String,
    pub meaning: String,
    pub severity: String,
    pub class: String,
    pub target_type: String,
    pub details: Json,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    pub retired_at: Option<DateTimeUtc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl crate::Tenant for Entity {
    fn organization() -> Column {
        Column::OrganizationId
    }
}
