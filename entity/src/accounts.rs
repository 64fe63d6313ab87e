//! `accounts`: people, whatever organisations they belong to.

use sea_orm::entity::prelude::*;

use crate::{AccountId, OrganizationId, Pii, Salt, Sealed};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "accounts")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: AccountId,
    /// Gone once the person is erased, as are address and name.
    pub salt: Option<Salt>,
    pub email: Option<Sealed<Pii>>,
    pub name: Option<Sealed<Pii>>,
    pub state: State,
    pub version: i32,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    pub last_sign_in_at: Option<DateTimeUtc>,
    /// The organisation that may act on the account as a whole.
    pub managed_by: Option<OrganizationId>,
    /// The organisation that blocked it; the platform did, if it is blocked and there is none.
    pub blocked_by: Option<OrganizationId>,
    pub erased_at: Option<DateTimeUtc>,
    /// When the person proved that the address is theirs.
    pub email_verified_at: Option<DateTimeUtc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Whether the person may sign in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
pub enum State {
    Active,
    Blocked,
    /// Nobody: what the account said of its person is gone.
    Erased,
}

impl crate::Identity for Entity {}
