//! `invitation_matches`: what the invitations of an organisation are found by: the invited address.

use sea_orm::entity::prelude::*;

use crate::{DataKeyId, InvitationId, Match, OrganizationId, Pii};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "invitation_matches")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub invitation_id: InvitationId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub value: Match<Pii>,
    /// Whether the invitation is; a trigger keeps it so.
    pub open: bool,
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
