//! `trusted_devices`: browsers in which a right password is enough for a while.

use sea_orm::entity::prelude::*;

use crate::{AccountId, Pii, Sealed, TrustedDeviceId};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "trusted_devices")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: TrustedDeviceId,
    pub account_id: AccountId,
    pub token_hash: Vec<u8>,
    pub address: Option<Sealed<Pii>>,
    pub user_agent: Option<Sealed<Pii>>,
    pub weak: bool,
    pub created_at: DateTimeUtc,
    pub last_used_at: DateTimeUtc,
    pub expires_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl crate::Identity for Entity {}
