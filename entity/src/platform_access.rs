//! `platform_access`: when a platform administrator acted in a tenant's organisation, and why.

use sea_orm::entity::prelude::*;

use crate::{AccountId, OrganizationId, Pii, PlatformAccessId, Sealed, SessionId};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "platform_access")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: PlatformAccessId,
    pub organization_id: OrganizationId,
    pub account_id: Option<AccountId>,
    pub session_id: Option<SessionId>,
    /// Gone when the administrator has been erased.
    pub reason: Option<Sealed<Pii>>,
    pub started_at: DateTimeUtc,
    pub expires_at: DateTimeUtc,
    pub ended_at: Option<DateTimeUtc>,
    pub end_reason: Option<EndReason>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Why an access ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
pub enum EndReason {
    /// The administrator stopped.
    Stopped,
    /// The administrator went to another organisation.
    Switched,
    /// Its time was over.
    Expired,
    /// The session ended.
    SessionEnded,
    /// The administrator is none any more, or is blocked.
    AuthorityLost,
    /// The organisation was deleted.
    OrganizationDeleted,
}

impl EndReason {
    /// The stored word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Stopped => "stopped",
            Self::Switched => "switched",
            Self::Expired => "expired",
            Self::SessionEnded => "session_ended",
            Self::AuthorityLost => "authority_lost",
            Self::OrganizationDeleted => "organization_deleted",
        }
    }
}

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
