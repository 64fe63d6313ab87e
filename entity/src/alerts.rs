//! `alerts`: what rules found, and what became of it.

use sea_orm::entity::prelude::*;

use crate::{AlertId, OrganizationId, Pii, Sealed};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "alerts")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: AlertId,
    pub organization_id: OrganizationId,
    pub rule: String,
    pub title: String,
    pub severity: String,
    pub by: String,
    pub subject: Vec<u8>,
    pub actor_type: Option<String>,
    pub actor_id: Option<Uuid>,
    pub address: Option<Sealed<Pii>>,
    pub count: i64,
    pub first_at: DateTimeUtc,
    pub last_at: DateTimeUtc,
    pub raised_at: DateTimeUtc,
    pub entries: Vec<Uuid>,
    pub state: String,
    pub decided_by: Option<Uuid>,
    pub decided_at: Option<DateTimeUtc>,
    pub note: Option<Sealed<Pii>>,
    pub muted_until: Option<DateTimeUtc>,
    pub told_at: Option<DateTimeUtc>,
    pub version: i32,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl crate::Tenant for Entity {
    fn organization() -> Column {
        Column::OrganizationId
    }
}
