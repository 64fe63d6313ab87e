//! `signing_keys`: the keys that sign access tokens; the private half is sealed.

use sea_orm::entity::prelude::*;

use crate::{Sealed, Secrets, SigningKeyId};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "signing_keys")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: SigningKeyId,
    pub algorithm: String,
    pub public_jwk: Json,
    pub private_key: Option<Sealed<Secrets>>,
    pub state: State,
    pub created_at: DateTimeUtc,
    pub retired_at: Option<DateTimeUtc>,
    pub distrusted_at: Option<DateTimeUtc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Where a key is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
pub enum State {
    /// Is published and does not sign yet; at most one is.
    Pending,
    /// Signs; at most one does.
    Active,
    /// Signs no more, but what it signed is still valid: published.
    Retiring,
    /// Signs no more and is not published.
    Retired,
}

impl crate::Identity for Entity {}
