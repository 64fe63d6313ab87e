//! Files of people on their way in.

use base64::{Engine, engine::general_purpose::STANDARD};
use chrono::{DateTime, Utc};
use entity::{ImportId, import_lines, imports as rows};
use poem::Request;
use poem_openapi::{
    Enum, Object, OpenApi,
    param::{Header, Path, Query},
    payload::Json,
};
use uuid::Uuid;

use super::{
    Face, Tag,
    wire::{Created, File, Listed},
};
use crate::{
    edge::ApiResult,
    error::{Error, Result},
    people::{self, Mode},
    types::{Caller, PageRequest},
};

/// The operations.
pub struct Imports(pub Face);

/// How a file of people is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub enum PeopleFormat {
    /// Values with commas, semicolons or tabs between, under a first line that names the columns.
    Csv,
    /// A JSON object a line.
    JsonLines,
}

/// What a line of an import makes.
#[derive(Debug, Enum)]
#[oai(rename_all = "snake_case")]
enum ImportMakes {
    /// An account, in the platform's organisation.
    Accounts,
    /// A membership, and an account for who has none; only at the command line.
    Members,
    /// An invitation.
    Invitations,
}

/// How far an import is.
#[derive(Debug, Enum)]
#[oai(rename_all = "snake_case")]
enum ImportState {
    /// It waits for more of the file, or for its start.
    Receiving,
    /// It is found out what would become of each line.
    Checking,
    /// That is known; nobody was made.
    Checked,
    /// Lines are worked off.
    Importing,
    /// Every line was.
    Finished,
    /// A person ended it, or nobody went on with it for a day.
    Cancelled,
    /// It could not go on.
    Failed,
}

/// What became of a line.
#[derive(Clone, Copy, Debug, Enum)]
#[oai(rename_all = "snake_case")]
enum LineOutcome {
    /// What it says is there now; or would be, of a check.
    Made,
    /// It was there before.
    Skipped,
    /// It can't be.
    Refused,
}

/// A file of people on its way in.
#[derive(Debug, Object)]
#[oai(skip_serializing_if_is_none)]
struct Import {
    /// Its id.
    id: Uuid,
    /// The organisation.
    organization_id: Uuid,
    /// What a line makes.
    makes: ImportMakes,
    /// How the file is written.
    format: PeopleFormat,
    /// How far it is.
    state: ImportState,
    /// Whether somebody holds it.
    paused: bool,
    /// How many bytes were uploaded.
    bytes: i64,
    /// How many of them are worked off.
    bytes_done: i64,
    /// How many lines were read, the one with the columns among them.
    lines_read: i64,
    /// How many lines made somebody, or would.
    made: i64,
    /// How many lines were about somebody who was there before.
    skipped: i64,
    /// How many lines can't be.
    refused: i64,
    /// Why it could not go on: a stable word.
    failure: Option<String>,
    /// The account that began it.
    created_by: Option<Uuid>,
    /// When it was begun.
    created_at: DateTime<Utc>,
    /// When it last came further.
    updated_at: DateTime<Utc>,
    /// When it ended; the file was destroyed then.
    finished_at: Option<DateTime<Utc>>,
}

/// What became of a line of an import.
#[derive(Debug, Object)]
#[oai(skip_serializing_if_is_none)]
struct ImportLine {
    /// The line's number in the file, from 1 on.
    line: i64,
    /// What became of it.
    outcome: LineOutcome,
    /// Why: a stable word.
    code: Option<String>,
    /// The field that it is about.
    field: Option<String>,
}

/// A file to import, or the first part of one.
#[derive(Object)]
#[oai(deny_unknown_fields)]
struct CreateImport {
    /// The bytes, in base64: at most 6 MiB of them.
    #[oai(validator(min_length = 1, max_length = 8388608))]
    content: String,
    /// How it is written.
    format: PeopleFormat,
}

/// The next part of a file.
#[derive(Object)]
#[oai(deny_unknown_fields)]
struct ImportPart {
    /// How many bytes of the file come before it.
    #[oai(validator(minimum(value = "0")))]
    offset: i64,
    /// The bytes, in base64: at most 6 MiB of them.
    #[oai(validator(min_length = 1, max_length = 8388608))]
    content: String,
}

/// How to begin.
#[derive(Object)]
#[oai(deny_unknown_fields)]
struct StartImport {
    /// Whether only to find out what would become of each line.
    dry_run: bool,
}

#[OpenApi(prefix_path = "/v1", tag = "Tag::Imports")]
impl Imports {
    /// Upload a file of people, or the first part of one.
    ///
    /// It has a person a line: `email`, and `name`, `role`, `custom_roles`, `teams`, `state` and `password_hash` if they
    /// are wanted. In the platform's organisation its lines become accounts, and a platform administrator may bring the hashes of passwords.
    /// Elsewhere they become invitations. Nothing is made before the import is started.
    #[oai(path = "/organizations/:organization_id/imports", method = "post", operation_id = "imports_create")]
    async fn create(
        &self,
        caller: Caller,
        organization_id: Path<Uuid>,
        body: Json<CreateImport>,
        /// The same key does the work once.
        #[oai(name = "Idempotency-Key")]
        _idempotency_key: Header<Option<String>>,
    ) -> ApiResult<Created<Import>> {
        let data = decoded(&body.0.content)?;
        let import = people::create(&self.0.gate.app, &caller, body.0.format.into(), &data).await?;
        let import = Import::from(import);
        let location = format!("/v1/organizations/{}/imports/{}", organization_id.0, import.id);
        Ok(Created::Created(Json(import), location))
    }

    /// The imports of an organisation, the latest first.
    #[expect(clippy::too_many_arguments, reason = "one argument a parameter of the contract")]
    #[oai(path = "/organizations/:organization_id/imports", method = "get", operation_id = "imports_list")]
    async fn list(
        &self,
        caller: Caller,
        organization_id: Path<Uuid>,
        request: &Request,
        /// The most items of the page.
        #[oai(validator(minimum(value = "1"), maximum(value = "200")))]
        limit: Query<Option<u64>>,
        /// Where the last page ended.
        cursor: Query<Option<String>>,
    ) -> ApiResult<Listed<Import>> {
        let _ = organization_id;
        let page = PageRequest::parse(limit.0, cursor.0.as_deref())?;
        let page = people::list(&self.0.gate.app, &caller, page).await?;
        Ok(Listed::page(request, page, Import::from))
    }

    /// One import, and how far it is.
    #[oai(path = "/organizations/:organization_id/imports/:import_id", method = "get", operation_id = "imports_get")]
    async fn get(&self, caller: Caller, organization_id: Path<Uuid>, import_id: Path<Uuid>) -> ApiResult<Json<Import>> {
        let _ = organization_id;
        Ok(Json(people::get(&self.0.gate.app, &caller, ImportId(import_id.0)).await?.into()))
    }

    /// Add the next part to a file that is not worked off yet. Whatever was found out before is void.
    ///
    /// The same part sent again changes nothing.
    #[oai(
        path = "/organizations/:organization_id/imports/:import_id/parts",
        method = "post",
        operation_id = "imports_parts_add"
    )]
    async fn add_part(
        &self,
        caller: Caller,
        organization_id: Path<Uuid>,
        import_id: Path<Uuid>,
        body: Json<ImportPart>,
    ) -> ApiResult<Json<Import>> {
        let _ = organization_id;
        let data = decoded(&body.0.content)?;
        let part = (body.0.offset, data.as_slice());
        Ok(Json(people::add_part(&self.0.gate.app, &caller, ImportId(import_id.0), part).await?.into()))
    }

    /// Work a file off, in the background; or find out what would become of each line.
    ///
    /// Who began the import starts it. It ends when they lose the role that it takes.
    #[oai(
        path = "/organizations/:organization_id/imports/:import_id/start",
        method = "post",
        operation_id = "imports_start"
    )]
    async fn start(
        &self,
        caller: Caller,
        organization_id: Path<Uuid>,
        import_id: Path<Uuid>,
        body: Json<StartImport>,
    ) -> ApiResult<Json<Import>> {
        let _ = organization_id;
        let mode = if body.0.dry_run { Mode::Check } else { Mode::Import };
        Ok(Json(people::start(&self.0.gate.app, &caller, ImportId(import_id.0), mode).await?.into()))
    }

    /// Hold an import after the lines that it is at.
    #[oai(
        path = "/organizations/:organization_id/imports/:import_id/pause",
        method = "post",
        operation_id = "imports_pause"
    )]
    async fn pause(
        &self,
        caller: Caller,
        organization_id: Path<Uuid>,
        import_id: Path<Uuid>,
    ) -> ApiResult<Json<Import>> {
        let _ = organization_id;
        Ok(Json(people::pause(&self.0.gate.app, &caller, ImportId(import_id.0)).await?.into()))
    }

    /// Let a held import go on.
    #[oai(
        path = "/organizations/:organization_id/imports/:import_id/resume",
        method = "post",
        operation_id = "imports_resume"
    )]
    async fn resume(
        &self,
        caller: Caller,
        organization_id: Path<Uuid>,
        import_id: Path<Uuid>,
    ) -> ApiResult<Json<Import>> {
        let _ = organization_id;
        Ok(Json(people::resume(&self.0.gate.app, &caller, ImportId(import_id.0)).await?.into()))
    }

    /// End an import and destroy its file. Who was made before stays.
    #[oai(
        path = "/organizations/:organization_id/imports/:import_id/cancel",
        method = "post",
        operation_id = "imports_cancel"
    )]
    async fn cancel(
        &self,
        caller: Caller,
        organization_id: Path<Uuid>,
        import_id: Path<Uuid>,
    ) -> ApiResult<Json<Import>> {
        let _ = organization_id;
        Ok(Json(people::cancel(&self.0.gate.app, &caller, ImportId(import_id.0)).await?.into()))
    }

    /// What became of the lines of an import, in their order.
    #[expect(clippy::too_many_arguments, reason = "one argument a parameter of the contract")]
    #[oai(
        path = "/organizations/:organization_id/imports/:import_id/lines",
        method = "get",
        operation_id = "import_lines_list"
    )]
    async fn lines(
        &self,
        caller: Caller,
        organization_id: Path<Uuid>,
        import_id: Path<Uuid>,
        request: &Request,
        /// Of which this became.
        outcome: Query<Option<LineOutcome>>,
        /// The most items of the page.
        #[oai(validator(minimum(value = "1"), maximum(value = "200")))]
        limit: Query<Option<u64>>,
        /// Where the last page ended.
        cursor: Query<Option<String>>,
    ) -> ApiResult<Listed<ImportLine>> {
        let _ = organization_id;
        let page = PageRequest::parse(limit.0, cursor.0.as_deref())?;
        let wanted = (ImportId(import_id.0), outcome.0.map(Into::into));
        let page = people::lines(&self.0.gate.app, &caller, wanted, page).await?;
        Ok(Listed::page(request, page, ImportLine::from))
    }

    /// The same as a CSV file. It has no word of what the lines said.
    #[oai(
        path = "/organizations/:organization_id/imports/:import_id/report",
        method = "get",
        operation_id = "import_report_get"
    )]
    async fn report(&self, caller: Caller, organization_id: Path<Uuid>, import_id: Path<Uuid>) -> ApiResult<File> {
        let _ = organization_id;
        let report = people::report(&self.0.gate.app, &caller, ImportId(import_id.0)).await?;
        Ok(File::of(report, "import-report.csv"))
    }
}

fn decoded(content: &str) -> Result<Vec<u8>> {
    STANDARD.decode(content).map_err(|_| Error::field("/content", "format", "must be base64"))
}

impl From<people::Import> for Import {
    fn from(row: people::Import) -> Self {
        Self {
            id: row.id.into(),
            organization_id: row.organization_id.into(),
            makes: match row.kind {
                rows::Kind::Accounts => ImportMakes::Accounts,
                rows::Kind::Members => ImportMakes::Members,
                rows::Kind::Invitations => ImportMakes::Invitations,
            },
            format: match row.format {
                rows::Format::Csv => PeopleFormat::Csv,
                rows::Format::JsonLines => PeopleFormat::JsonLines,
            },
            state: match row.state {
                rows::State::Receiving => ImportState::Receiving,
                rows::State::Checking => ImportState::Checking,
                rows::State::Checked => ImportState::Checked,
                rows::State::Importing => ImportState::Importing,
                rows::State::Finished => ImportState::Finished,
                rows::State::Cancelled => ImportState::Cancelled,
                rows::State::Failed => ImportState::Failed,
            },
            paused: row.paused,
            bytes: row.bytes,
            bytes_done: row.at_byte,
            lines_read: row.at_line,
            made: row.made,
            skipped: row.skipped,
            refused: row.refused,
            failure: row.failure,
            created_by: row.created_by.map(Into::into),
            created_at: row.created_at,
            updated_at: row.updated_at,
            finished_at: row.finished_at,
        }
    }
}

impl From<people::Line> for ImportLine {
    fn from(row: people::Line) -> Self {
        let outcome = match row.outcome {
            import_lines::Outcome::Made => LineOutcome::Made,
            import_lines::Outcome::Skipped => LineOutcome::Skipped,
            import_lines::Outcome::Refused => LineOutcome::Refused,
        };
        Self { line: row.line, outcome, code: row.code, field: row.field }
    }
}

impl From<LineOutcome> for import_lines::Outcome {
    fn from(outcome: LineOutcome) -> Self {
        match outcome {
            LineOutcome::Made => Self::Made,
            LineOutcome::Skipped => Self::Skipped,
            LineOutcome::Refused => Self::Refused,
        }
    }
}

impl From<PeopleFormat> for rows::Format {
    fn from(format: PeopleFormat) -> Self {
        match format {
            PeopleFormat::Csv => Self::Csv,
            PeopleFormat::JsonLines => Self::JsonLines,
        }
    }
}
