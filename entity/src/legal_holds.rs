//! `legal_holds`: what has to be kept of an organisation's record, since when, and until when.

use sea_orm::entity::prelude::*;

use crate::{AccountId, LegalHoldId, OrganizationId, Pii, Sealed};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "legal_holds")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: LegalHoldId,
    pub organization_id: OrganizationId,
    /// What somebody wrote; so is the other.
    pub reason: Option<Sealed<Pii>>,
    pub placed_by: Option<AccountId>,
    pub placed_at: DateTimeUtc,
    pub released_by: Option<AccountId>,
    pub released_at: Option<DateTimeUtc>,
    pub release_reason: Option<Sealed<Pii>>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl crate::Identity for Entity {}
