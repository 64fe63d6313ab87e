//! `recovery_requests`: what somebody who gave the right password asked for, because they have lost their second factor.

use sea_orm::entity::prelude::*;

use crate::{AccountId, RecoveryRequestId};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "recovery_requests")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: RecoveryRequestId,
    pub account_id: AccountId,
    /// Of the token that the recovery address was sent; none while an administrator has to approve.
    pub token_hash: Option<Vec<u8>>,
    /// Of what stops it, which every address was sent.
    pub stop_hash: Vec<u8>,
    pub approval: Approval,
    pub begun_at: DateTimeUtc,
    pub created_at: DateTimeUtc,
    pub not_before: DateTimeUtc,
    pub expires_at: DateTimeUtc,
    pub decided_by: Option<AccountId>,
    pub decided_at: Option<DateTimeUtc>,
    /// When it was used, stopped, refused, or replaced by another.
    pub ended_at: Option<DateTimeUtc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Whether an administrator has a say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
pub enum Approval {
    /// No.
    None,
    /// One has to approve.
    Wanted,
    /// One has.
    Given,
}

impl crate::Identity for Entity {}
