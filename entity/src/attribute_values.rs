//! `attribute_values`: what profile attributes say of members, in clear or sealed as the attribute wants it.

use sea_orm::entity::prelude::*;

use crate::{AttributeId, AttributeValueId, Chosen, MembershipId, OrganizationId, Sealed};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "attribute_values")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: AttributeValueId,
    pub organization_id: OrganizationId,
    pub attribute_id: AttributeId,
    pub membership_id: MembershipId,
    pub clear: Option<String>,
    /// Sealed in the attribute's scope, for the person.
    pub sealed: Option<Sealed<Chosen>>,
    /// What a searchable value in clear is found by.
    pub comparable: Option<String>,
    pub version: i32,
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
