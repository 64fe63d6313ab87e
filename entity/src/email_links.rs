//! `email_links`: links that went to an address of a person, and prove that it is theirs; the token is hashed.

use sea_orm::entity::prelude::*;

use crate::{AccountId, EmailLinkId, Pii, Sealed};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "email_links")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: EmailLinkId,
    pub account_id: AccountId,
    pub purpose: Purpose,
    pub email: Sealed<Pii>,
    pub token_hash: Vec<u8>,
    pub created_at: DateTimeUtc,
    pub expires_at: DateTimeUtc,
    /// When it was used, cancelled, or replaced by another.
    pub closed_at: Option<DateTimeUtc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// What a link does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
pub enum Purpose {
    /// It proves the account's present address.
    Verification,
    /// It proves an address that takes the place of the present one.
    Change,
}

impl crate::Identity for Entity {}
