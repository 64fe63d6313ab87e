//! `attributes`: the fields that an organisation declares for its members' profiles.

use sea_orm::entity::prelude::*;

use crate::{AttributeId, OrganizationId};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "attributes")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: AttributeId,
    pub organization_id: OrganizationId,
    pub key: String,
    pub label: String,
    pub description: Option<String>,
    pub kind: Kind,
    /// What can be chosen; none but of a choice.
    pub options: Vec<String>,
    pub required: bool,
    pub visible_to: Audience,
    pub editable_by: Audience,
    /// What values are sealed in; nothing for values in clear.
    pub scope: Option<String>,
    pub searchable: bool,
    pub position: i32,
    pub archived_at: Option<DateTimeUtc>,
    pub version: i32,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// What values are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
pub enum Kind {
    Text,
    Number,
    Date,
    Boolean,
    /// One of the options.
    Choice,
    Email,
    Phone,
    Url,
}

/// Who does something with a member's values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
pub enum Audience {
    /// Administrators.
    Admins,
    /// Managers and administrators.
    Managers,
    /// The member, and administrators.
    PersonAndAdmins,
    /// The member, managers and administrators.
    PersonAndManagers,
}

impl crate::Tenant for Entity {
    fn organization() -> Column {
        Column::OrganizationId
    }
}
