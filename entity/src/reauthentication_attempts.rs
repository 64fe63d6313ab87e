//! `reauthentication_attempts`: passwords given to re-authenticate that were wrong, or are being looked at.

use sea_orm::entity::prelude::*;

use crate::{AccountId, ReauthenticationAttemptId};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "reauthentication_attempts")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ReauthenticationAttemptId,
    pub account_id: AccountId,
    pub attempted_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl crate::Identity for Entity {}
