//! `api_keys`: the keys of service accounts; a key itself is only here as a hash.

use sea_orm::entity::prelude::*;

use crate::{AccountId, ApiKeyId, OrganizationId, Pii, Sealed, ServiceAccountId};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "api_keys")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ApiKeyId,
    pub organization_id: OrganizationId,
    pub service_account_id: ServiceAccountId,
    pub name: String,
    pub prefix: String,
    pub key_hash: Vec<u8>,
    pub allowed_networks: Vec<String>,
    pub created_by: Option<AccountId>,
    pub created_at: DateTimeUtc,
    pub expires_at: Option<DateTimeUtc>,
    pub last_used_at: Option<DateTimeUtc>,
    pub last_used_address: Option<Sealed<Pii>>,
    pub revoked_at: Option<DateTimeUtc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl crate::Tenant for Entity {
    fn organization() -> Column {
        Column::OrganizationId
    }
}
