//! `account_matches`: what accounts are found by: their address, and the words of address and name.

use sea_orm::entity::prelude::*;

use crate::{AccountId, DataKeyId, Match, Pii};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "account_matches")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub account_id: AccountId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub value: Match<Pii>,
    pub field: Field,
    pub key_id: DataKeyId,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// What a value was made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
pub enum Field {
    /// The address: nobody else has it.
    Email,
    /// A word.
    Word,
}

impl crate::Identity for Entity {}
