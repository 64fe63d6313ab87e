//! `audit_personal`: what is personal of an audit entry, sealed, beside it.

use sea_orm::entity::prelude::*;

use crate::{AccountId, AuditEntryId, OrganizationId, Pii, Sealed};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "audit_personal")]
pub struct Model {
    /// The entry's.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: AuditEntryId,
    pub organization_id: OrganizationId,
    pub account_id: Option<AccountId>,
    pub about_id: Option<AccountId>,
    pub address: Option<Sealed<Pii>>,
    pub user_agent: Option<Sealed<Pii>>,
    pub details: Option<Sealed<Pii>>,
    pub origin_salt: Option<Sealed<Pii>>,
    pub details_salt: Option<Sealed<Pii>>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl crate::Tenant for Entity {
    fn organization() -> Column {
        Column::OrganizationId
    }
}
