//! `recovery_addresses`: the mailbox that helps a person who has lost their second factor, proven or waiting for it.

use sea_orm::entity::prelude::*;

use crate::{AccountId, Pii, RecoveryAddressId, Sealed};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "recovery_addresses")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: RecoveryAddressId,
    pub account_id: AccountId,
    /// Nothing once it is over.
    pub email: Option<Sealed<Pii>>,
    pub token_hash: Vec<u8>,
    pub created_at: DateTimeUtc,
    pub expires_at: DateTimeUtc,
    pub verified_at: Option<DateTimeUtc>,
    /// When it was removed, or replaced by another.
    pub ended_at: Option<DateTimeUtc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl crate::Identity for Entity {}
