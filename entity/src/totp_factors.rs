//! `totp_factors`: a person's authenticator app, in use or being set up.

use sea_orm::entity::prelude::*;

use crate::{AccountId, Mfa, Sealed, TotpFactorId};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "totp_factors")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: TotpFactorId,
    pub account_id: AccountId,
    pub secret: Sealed<Mfa>,
    pub last_step: i64,
    pub created_at: DateTimeUtc,
    pub confirmed_at: Option<DateTimeUtc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl crate::Identity for Entity {}
