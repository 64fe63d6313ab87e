//! `invitations`: who was asked to join; the token is hashed.

use sea_orm::entity::prelude::*;

use crate::{AccountId, InvitationId, OrganizationId, OutboxId, Pii, Sealed, ServiceAccountId};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "invitations")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: InvitationId,
    pub organization_id: OrganizationId,
    pub email: Sealed<Pii>,
    pub role: String,
    pub message: Option<Sealed<Pii>>,
    pub token_hash: Vec<u8>,
    pub status: Status,
    pub invited_by: Option<AccountId>,
    pub invited_by_service: Option<ServiceAccountId>,
    pub accepted_by: Option<AccountId>,
    pub resend_count: i32,
    pub created_at: DateTimeUtc,
    pub expires_at: DateTimeUtc,
    pub mail_id: Option<OutboxId>,
    pub accepted_at: Option<DateTimeUtc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Where an invitation is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
pub enum Status {
    /// Open; it may be past its time without anybody having marked it.
    Pending,
    Accepted,
    Revoked,
    Expired,
}

impl crate::Tenant for Entity {
    fn organization() -> Column {
        Column::OrganizationId
    }
}
