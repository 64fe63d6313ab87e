//! Tenants.

use chrono::{DateTime, Utc};
use entity::{OrganizationId, organizations as rows};
use poem::Request;
use poem_openapi::{
    Enum, Object, OpenApi,
    param::{Header, Path, Query},
    payload::Json,
};
use uuid::Uuid;

use super::{
    Face, Tag,
    wire::{Created, Done, Listed, Versioned, version},
};
use crate::{
    edge::ApiResult,
    tenancy::organizations,
    types::{Caller, PageRequest},
};

/// The operations.
pub struct Organizations(pub Face);

/// What an organisation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub enum OrganizationKind {
    /// The one that the platform administrators are members of.
    Platform,
    /// A customer.
    Tenant,
}

/// Whether an organisation is in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub enum OrganizationStatus {
    /// In use.
    Active,
    /// Closed to everybody; it can be restored until `purge_after`.
    Deleted,
}

/// An organisation.
#[derive(Clone, Debug, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct Organization {
    /// Its id.
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// Its short name: lower-case letters, digits and hyphens.
    pub slug: String,
    /// What it is.
    pub kind: OrganizationKind,
    /// Whether it is in use.
    pub status: OrganizationStatus,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
    /// When it was deleted.
    pub deleted_at: Option<DateTime<Utc>>,
    /// Until when it can be restored.
    pub purge_after: Option<DateTime<Utc>>,
    /// Grows with every change.
    pub version: i32,
}

/// A new organisation.
#[derive(Object)]
#[oai(deny_unknown_fields)]
struct CreateOrganization {
    /// Its name.
    #[oai(validator(min_length = 1, max_length = 200))]
    name: String,
    /// Its short name; made of the name when it is left out.
    #[oai(validator(min_length = 1, max_length = 63), skip_serializing_if_is_none)]
    slug: Option<String>,
}

/// What to change of an organisation.
#[derive(Object)]
#[oai(deny_unknown_fields)]
struct UpdateOrganization {
    /// A new name.
    #[oai(validator(min_length = 1, max_length = 200), skip_serializing_if_is_none)]
    name: Option<String>,
    /// A new short name.
    #[oai(validator(min_length = 1, max_length = 63), skip_serializing_if_is_none)]
    slug: Option<String>,
}

#[OpenApi(prefix_path = "/v1", tag = "Tag::Organizations")]
impl Organizations {
    /// Make an organisation and become its owner.
    #[oai(path = "/organizations", method = "post", operation_id = "organizations_create")]
    async fn create(
        &self,
        caller: Caller,
        body: Json<CreateOrganization>,
        /// The same key does the work once.
        #[oai(name = "Idempotency-Key")]
        _idempotency_key: Header<Option<String>>,
    ) -> ApiResult<Created<Organization>> {
        let body = body.0;
        let made = organizations::create(&self.0.gate.app, &caller, &body.name, body.slug.as_deref()).await?;
        Ok(Created::Created(Json(made.clone().into()), format!("/v1/organizations/{}", made.id)))
    }

    /// The organisations of the installation, newest first.
    #[expect(clippy::too_many_arguments, reason = "one argument a parameter of the contract")]
    #[oai(path = "/organizations", method = "get", operation_id = "organizations_list")]
    async fn list(
        &self,
        caller: Caller,
        request: &Request,
        /// In this state.
        status: Query<Option<OrganizationStatus>>,
        /// The most items of the page.
        #[oai(validator(minimum(value = "1"), maximum(value = "200")))]
        limit: Query<Option<u64>>,
        /// Where the last page ended.
        cursor: Query<Option<String>>,
    ) -> ApiResult<Listed<Organization>> {
        let page = PageRequest::parse(limit.0, cursor.0.as_deref())?;
        let page = organizations::list(&self.0.gate.app, &caller, status.0.map(Into::into), page).await?;
        Ok(Listed::page(request, page, Organization::from))
    }

    /// One organisation.
    #[oai(path = "/organizations/:organization_id", method = "get", operation_id = "organizations_get")]
    async fn get(&self, caller: Caller, organization_id: Path<Uuid>) -> ApiResult<Versioned<Organization>> {
        let _ = organization_id;
        let tx = self.0.gate.app.db.read(&caller).await?;
        let organization = organizations::get(&tx).await?;
        Ok(Versioned::of(organization.version, organization.into()))
    }

    /// Change an organisation's name or short name.
    #[oai(path = "/organizations/:organization_id", method = "patch", operation_id = "organizations_update")]
    async fn update(
        &self,
        caller: Caller,
        organization_id: Path<Uuid>,
        body: Json<UpdateOrganization>,
        /// The `ETag` that was read; 412 when it is not the present one.
        #[oai(name = "If-Match")]
        if_match: Header<Option<String>>,
    ) -> ApiResult<Versioned<Organization>> {
        let _ = organization_id;
        let changes = organizations::Changes { name: body.0.name, slug: body.0.slug, version: version(if_match.0) };
        let organization = organizations::update(&self.0.gate.app, &caller, changes).await?;
        Ok(Versioned::of(organization.version, organization.into()))
    }

    /// Close an organisation to everybody. A platform administrator can restore it until its grace period ends.
    #[oai(path = "/organizations/:organization_id", method = "delete", operation_id = "organizations_delete")]
    async fn delete(
        &self,
        caller: Caller,
        organization_id: Path<Uuid>,
        /// The `ETag` that was read; 412 when it is not the present one.
        #[oai(name = "If-Match")]
        if_match: Header<Option<String>>,
    ) -> ApiResult<Done> {
        let _ = organization_id;
        organizations::delete(&self.0.gate.app, &caller, version(if_match.0)).await?;
        Ok(Done::Done)
    }

    /// Open a deleted organisation again, with everybody who was in it.
    #[oai(path = "/organizations/:organization_id/restore", method = "post", operation_id = "organizations_restore")]
    async fn restore(&self, caller: Caller, organization_id: Path<Uuid>) -> ApiResult<Versioned<Organization>> {
        let id = OrganizationId(organization_id.0);
        let organization = organizations::restore(&self.0.gate.app, &caller, id).await?;
        Ok(Versioned::of(organization.version, organization.into()))
    }
}

impl From<rows::Model> for Organization {
    fn from(row: rows::Model) -> Self {
        Self {
            id: row.id.into(),
            name: row.name,
            slug: row.slug,
            kind: match row.kind {
                rows::Kind::Platform => OrganizationKind::Platform,
                rows::Kind::Tenant => OrganizationKind::Tenant,
            },
            status: match row.status {
                rows::Status::Active => OrganizationStatus::Active,
                rows::Status::Deleted => OrganizationStatus::Deleted,
            },
            created_at: row.created_at,
            updated_at: row.updated_at,
            deleted_at: row.deleted_at,
            purge_after: row.purge_after,
            version: row.version,
        }
    }
}

impl From<OrganizationStatus> for rows::Status {
    fn from(status: OrganizationStatus) -> Self {
        match status {
            OrganizationStatus::Active => Self::Active,
            OrganizationStatus::Deleted => Self::Deleted,
        }
    }
}
