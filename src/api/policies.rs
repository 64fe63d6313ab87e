//! The policy as evidence: exported whole, as of any moment the history has, and compared between two.

mod wire;

use chrono::{DateTime, Utc};
use entity::OrganizationId;
use poem::{Request, http::header};
use poem_openapi::{
    OpenApi,
    param::{Path, Query},
};
use uuid::Uuid;

use self::wire::{Compared, Exported, PolicyFormat, PolicyTable};
use super::{Face, Tag};
use crate::{
    edge::ApiResult,
    policies::{self, Between, Format, Part, Wanted},
    types::Caller,
};

/// The operations.
pub struct Evidence(pub Face);

#[OpenApi(prefix_path = "/v1", tag = "Tag::Policy")]
impl Evidence {
    /// The policy in force, and who holds which role in the whole installation, with a digest and a detached signature.
    ///
    /// People of tenants are told by their ids, those of the platform's own organisation by name. The bytes follow from
    /// the state alone. `policies/VERIFY.md` says how to verify them.
    #[expect(clippy::too_many_arguments, reason = "one argument a parameter of the contract")]
    #[oai(path = "/rbac/policies", method = "get", operation_id = "rbac_policies_get")]
    async fn export_all(
        &self,
        caller: Caller,
        request: &Request,
        /// Holders of roles in this organisation only.
        organization_id: Query<Option<Uuid>>,
        /// As it was at this moment.
        as_of: Query<Option<DateTime<Utc>>>,
        /// The form; without it the `Accept` header decides.
        format: Query<Option<PolicyFormat>>,
        /// Of what a table is, when the form is one.
        table: Query<Option<PolicyTable>>,
        /// The most holders of one document; all, up to ten thousand, without it.
        #[oai(validator(minimum(value = "1"), maximum(value = "10000")))]
        holders: Query<Option<u64>>,
        /// Where the last document ended.
        #[oai(validator(max_length = 100))]
        after: Query<Option<String>>,
    ) -> ApiResult<Exported> {
        let wanted = Wanted {
            organization: organization_id.0.map(OrganizationId),
            as_of: as_of.0,
            format: form(request, format.0, table.0),
            holders: holders.0,
            after: after.0,
        };
        let document = policies::export(&self.0.gate.app, &caller, wanted.clone()).await?;
        Ok(Exported::of(request, document, wanted.format))
    }

    /// The policy in force, and who holds which role in an organisation, with a digest and a detached signature.
    ///
    /// The bytes follow from the state alone. `policies/VERIFY.md` says how to verify them.
    #[expect(clippy::too_many_arguments, reason = "one argument a parameter of the contract")]
    #[oai(
        path = "/organizations/:organization_id/rbac/policies",
        method = "get",
        operation_id = "organization_policies_get"
    )]
    async fn export(
        &self,
        caller: Caller,
        organization_id: Path<Uuid>,
        request: &Request,
        /// As it was at this moment.
        as_of: Query<Option<DateTime<Utc>>>,
        /// The form; without it the `Accept` header decides.
        format: Query<Option<PolicyFormat>>,
        /// Of what a table is, when the form is one.
        table: Query<Option<PolicyTable>>,
        /// The most holders of one document; all, up to ten thousand, without it.
        #[oai(validator(minimum(value = "1"), maximum(value = "10000")))]
        holders: Query<Option<u64>>,
        /// Where the last document ended.
        #[oai(validator(max_length = 100))]
        after: Query<Option<String>>,
    ) -> ApiResult<Exported> {
        let _ = organization_id;
        let wanted = Wanted {
            organization: None,
            as_of: as_of.0,
            format: form(request, format.0, table.0),
            holders: holders.0,
            after: after.0,
        };
        let document = policies::export(&self.0.gate.app, &caller, wanted.clone()).await?;
        Ok(Exported::of(request, document, wanted.format))
    }

    /// What is different between two moments: operations, roles, and who got or lost what in the whole installation.
    #[expect(clippy::too_many_arguments, reason = "one argument a parameter of the contract")]
    #[oai(path = "/rbac/policies/diff", method = "get", operation_id = "rbac_policies_diff")]
    async fn diff_all(
        &self,
        caller: Caller,
        request: &Request,
        /// Changes in this organisation only.
        organization_id: Query<Option<Uuid>>,
        /// As it was at this moment; when the history began, without it.
        from: Query<Option<DateTime<Utc>>>,
        /// As it was at this later moment; now, without it.
        to: Query<Option<DateTime<Utc>>>,
        /// The most items of the page.
        #[oai(validator(minimum(value = "1"), maximum(value = "200")))]
        limit: Query<Option<u64>>,
        /// Where the last page ended.
        cursor: Query<Option<String>>,
    ) -> ApiResult<Compared> {
        let organization = organization_id.0.map(OrganizationId);
        let asked = Between { organization, from: from.0, to: to.0, limit: limit.0, cursor: cursor.0 };
        Ok(Compared::of(request, policies::between(&self.0.gate.app, &caller, asked).await?))
    }

    /// What is different between two moments: operations, roles, and who got or lost what in an organisation, when and
    /// by whom.
    #[expect(clippy::too_many_arguments, reason = "one argument a parameter of the contract")]
    #[oai(
        path = "/organizations/:organization_id/rbac/policies/diff",
        method = "get",
        operation_id = "organization_policies_diff"
    )]
    async fn diff(
        &self,
        caller: Caller,
        organization_id: Path<Uuid>,
        request: &Request,
        /// As it was at this moment; when the history began, without it.
        from: Query<Option<DateTime<Utc>>>,
        /// As it was at this later moment; now, without it.
        to: Query<Option<DateTime<Utc>>>,
        /// The most items of the page.
        #[oai(validator(minimum(value = "1"), maximum(value = "200")))]
        limit: Query<Option<u64>>,
        /// Where the last page ended.
        cursor: Query<Option<String>>,
    ) -> ApiResult<Compared> {
        let _ = organization_id;
        let asked = Between { organization: None, from: from.0, to: to.0, limit: limit.0, cursor: cursor.0 };
        Ok(Compared::of(request, policies::between(&self.0.gate.app, &caller, asked).await?))
    }
}

/// The form that a request asks for: JSON unless it says otherwise.
fn form(request: &Request, format: Option<PolicyFormat>, table: Option<PolicyTable>) -> Format {
    let accepted = request.headers().get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let part = match table {
        Some(PolicyTable::Holders) => Part::Holders,
        Some(PolicyTable::Operations) | None => Part::Operations,
    };
    match format {
        Some(PolicyFormat::Csv) => Format::Csv(part),
        None if accepted.trim().to_ascii_lowercase().starts_with("text/csv") => Format::Csv(part),
        Some(PolicyFormat::Json) | None => Format::Json,
    }
}
