//! `sign_up_requests`: who has proven an address and waits to be let in.

use sea_orm::entity::prelude::*;

use crate::{AccountId, OrganizationId, Pii, Sealed, SignUpRequestId};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "sign_up_requests")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: SignUpRequestId,
    /// Where; the platform's own organisation for an account alone.
    pub organization_id: OrganizationId,
    pub email: Sealed<Pii>,
    pub name: Sealed<Pii>,
    pub address_tag: Vec<u8>,
    /// The account that the person had already.
    pub account_id: Option<AccountId>,
    /// That of the account to be made; gone once it is decided.
    pub password_hash: Option<String>,
    pub status: Status,
    pub created_at: DateTimeUtc,
    pub expires_at: DateTimeUtc,
    /// When the administrators' letter leaves that this request has caused, if it has.
    pub announced_at: Option<DateTimeUtc>,
    pub decided_at: Option<DateTimeUtc>,
    pub decided_by: Option<AccountId>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
pub enum Status {
    /// It waits; it may be past its time without anybody having marked it.
    Pending,
    Approved,
    Rejected,
    Expired,
}

impl crate::Tenant for Entity {
    fn organization() -> Column {
        Column::OrganizationId
    }
}
