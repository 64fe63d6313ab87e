//! `known_devices`: browsers and programs that a person has signed in on.

use sea_orm::entity::prelude::*;

use crate::{AccountId, KnownDeviceId, Pii, Sealed};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "known_devices")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: KnownDeviceId,
    pub account_id: AccountId,
    pub token_hash: Vec<u8>,
    pub address: Option<Sealed<Pii>>,
    pub user_agent: Option<Sealed<Pii>>,
    pub created_at: DateTimeUtc,
    pub last_seen_at: DateTimeUtc,
    pub expires_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl crate::Identity for Entity {}
