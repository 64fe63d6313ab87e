//! Files of people on their way out. Each is recorded before it leaves, and asks for a recent proof of who takes it.

use poem_openapi::{Object, OpenApi, param::Path, payload::Json};
use uuid::Uuid;

use super::{Face, Tag, imports::PeopleFormat, wire::File};
use crate::{edge::ApiResult, people, types::Caller};

/// The operations.
pub struct Exports(pub Face);

/// How an export is wanted.
#[derive(Object)]
#[oai(deny_unknown_fields)]
struct ExportPeople {
    /// How the file is to be written.
    format: PeopleFormat,
}

#[OpenApi(prefix_path = "/v1", tag = "Tag::Imports")]
impl Exports {
    /// A file of everybody with an account. It has no hashes of passwords; the command line gives those.
    #[oai(path = "/accounts/export", method = "post", operation_id = "accounts_export")]
    async fn accounts(&self, caller: Caller, body: Json<ExportPeople>) -> ApiResult<File> {
        let exported = people::accounts(&self.0.gate.app, &caller, body.0.format.into()).await?;
        Ok(File::of(exported.file, name("accounts", body.0.format)))
    }

    /// A file of the members of an organisation, with their roles, custom roles and teams.
    #[oai(path = "/organizations/:organization_id/members/export", method = "post", operation_id = "members_export")]
    async fn members(&self, caller: Caller, organization_id: Path<Uuid>, body: Json<ExportPeople>) -> ApiResult<File> {
        let _ = organization_id;
        let exported = people::members(&self.0.gate.app, &caller, body.0.format.into()).await?;
        Ok(File::of(exported.file, name("members", body.0.format)))
    }
}

fn name(whom: &str, format: PeopleFormat) -> String {
    match format {
        PeopleFormat::Csv => format!("{whom}.csv"),
        PeopleFormat::JsonLines => format!("{whom}.jsonl"),
    }
}
