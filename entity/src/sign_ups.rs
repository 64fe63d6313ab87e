//! `sign_ups`: who asked for an account and has not proven the address yet; the token is hashed.

use sea_orm::entity::prelude::*;

use crate::{OrganizationId, Pii, Sealed, SignUpId};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "sign_ups")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: SignUpId,
    /// The organisation to join; none for an account alone.
    pub wanted_organization: Option<OrganizationId>,
    pub email: Sealed<Pii>,
    pub token_hash: Vec<u8>,
    pub address_tag: Vec<u8>,
    pub client_tag: Vec<u8>,
    pub created_at: DateTimeUtc,
    pub expires_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl crate::Identity for Entity {}
