//! `sessions`: one sign-in on one device.

use sea_orm::entity::prelude::*;

use crate::{AccountId, OrganizationId, Pii, Sealed, SessionId};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "sessions")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: SessionId,
    pub account_id: AccountId,
    pub active_organization: Option<OrganizationId>,
    pub delivery: Delivery,
    pub factors: String,
    pub address: Option<Sealed<Pii>>,
    pub user_agent: Option<Sealed<Pii>>,
    pub authenticated_at: DateTimeUtc,
    pub reauthenticated_at: DateTimeUtc,
    pub created_at: DateTimeUtc,
    pub last_seen_at: DateTimeUtc,
    pub expires_at: DateTimeUtc,
    pub ended_at: Option<DateTimeUtc>,
    pub end_reason: Option<String>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// How the tokens of a session travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
pub enum Delivery {
    /// In httpOnly cookies, for browsers.
    Cookie,
    /// In the answer's body, for everybody else.
    Body,
}

impl crate::Identity for Entity {}
