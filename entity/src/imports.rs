//! `imports`: files of people on their way in.

use sea_orm::entity::prelude::*;

use crate::{AccountId, ImportId, OrganizationId, Pii, PlatformAccessId, Sealed, SessionId};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "imports")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ImportId,
    pub organization_id: OrganizationId,
    pub kind: Kind,
    pub format: Format,
    pub state: State,
    pub paused: bool,
    pub created_by: Option<AccountId>,
    pub session_id: Option<SessionId>,
    pub acting_id: Option<PlatformAccessId>,
    pub by_system: bool,
    pub bytes: i64,
    pub at_byte: i64,
    pub at_line: i64,
    pub skipping: bool,
    pub header: Option<Json>,
    pub made: i64,
    pub skipped: i64,
    pub refused: i64,
    pub failure: Option<String>,
    pub salt: Option<Sealed<Pii>>,
    pub attempts: i32,
    pub available_at: DateTimeUtc,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    pub finished_at: Option<DateTimeUtc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// What a line makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
pub enum Kind {
    /// An account.
    Accounts,
    /// A membership, and an account for who has none.
    Members,
    /// An invitation.
    Invitations,
}

/// How the file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
pub enum Format {
    /// Values with separators, under a first line that names the columns.
    Csv,
    /// A JSON object a line.
    JsonLines,
}

/// How far an import is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
pub enum State {
    /// It waits for more of the file, or for its start.
    Receiving,
    /// It is found out what would become of each line.
    Checking,
    /// That is known; nothing was made.
    Checked,
    /// Lines become people.
    Importing,
    /// Every line was looked at.
    Finished,
    /// A person ended it.
    Cancelled,
    /// It could not go on.
    Failed,
}

impl crate::Tenant for Entity {
    fn organization() -> Column {
        Column::OrganizationId
    }
}
