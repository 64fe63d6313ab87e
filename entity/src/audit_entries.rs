//! `audit_entries`: what happened. Insert and read only.

use sea_orm::entity::prelude::*;

use crate::{AuditEntryId, OrganizationId};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "audit_entries")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: AuditEntryId,
    pub organization_id: OrganizationId,
    pub occurred_at: DateTimeUtc,
    pub event: String,
    pub severity: String,
    pub class: String,
    pub outcome: String,
    pub actor_type: String,
    pub actor_id: Option<Uuid>,
    pub target_type: String,
    pub target_id: Option<Uuid>,
    pub request_id: Option<String>,
    pub metadata: Json,
    /// 1 before there were commitments, 2 since.
    pub form: i16,
    pub origin_commitment: Option<Vec<u8>>,
    pub details_commitment: Option<Vec<u8>>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl crate::Tenant for Entity {
    fn organization() -> Column {
        Column::OrganizationId
    }
}
