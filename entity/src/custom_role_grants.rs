//! `custom_role_grants`: who holds a custom role; exactly one of the four ids of holders is there.

use sea_orm::entity::prelude::*;

use crate::{CustomRoleGrantId, CustomRoleId, InvitationId, MembershipId, OrganizationId, ServiceAccountId, TeamId};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "custom_role_grants")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: CustomRoleGrantId,
    pub organization_id: OrganizationId,
    pub custom_role_id: CustomRoleId,
    pub membership_id: Option<MembershipId>,
    pub team_id: Option<TeamId>,
    pub service_account_id: Option<ServiceAccountId>,
    pub invitation_id: Option<InvitationId>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl crate::Tenant for Entity {
    fn organization() -> Column {
        Column::OrganizationId
    }
}
