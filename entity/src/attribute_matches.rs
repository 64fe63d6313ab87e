//! `attribute_matches`: what searchable values of profile attributes are found by that are sealed.

use sea_orm::entity::prelude::*;

use crate::{AttributeValueId, Chosen, DataKeyId, Match, OrganizationId};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "attribute_matches")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub value_id: AttributeValueId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub value: Match<Chosen>,
    pub key_id: DataKeyId,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl crate::Tenant for Entity {
    fn organization() -> Column {
        Column::OrganizationId
    }
}
