//! `idempotency_keys`: creating calls that must not happen twice, and their sealed answers.

use sea_orm::entity::prelude::*;

use crate::{AccountId, IdempotencyId, Sealed, Secrets};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "idempotency_keys")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: IdempotencyId,
    pub key: Vec<u8>,
    pub fingerprint: Vec<u8>,
    pub status: Option<i32>,
    pub answer: Option<Sealed<Secrets>>,
    pub created_at: DateTimeUtc,
    pub expires_at: DateTimeUtc,
    /// Whose call it is.
    pub account_id: Option<AccountId>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl crate::Identity for Entity {}
