//! Profile attributes: what an organisation declares, and what that says of its members.

mod wire;

use entity::{AttributeId, MembershipId};
use poem_openapi::{
    OpenApi,
    param::{Header, Path},
    payload::Json,
};
use uuid::Uuid;

use super::{
    Face, Tag,
    wire::{Created, Done, Versioned, version},
};
use crate::{edge::ApiResult, tenancy::attributes, types::Caller};
use wire::{Attribute, Attributes, CreateAttribute, MemberProfile, UpdateAttribute, UpdateProfile};

/// The operations.
pub struct ProfileAttributes(pub Face);

#[OpenApi(prefix_path = "/v1", tag = "Tag::Attributes")]
impl ProfileAttributes {
    /// The profile attributes of an organisation, in their order.
    ///
    /// Managers get those whose values they see of others; whoever declares attributes gets all, archived ones too.
    #[oai(path = "/organizations/:organization_id/attributes", method = "get", operation_id = "attributes_list")]
    async fn list(&self, caller: Caller, organization_id: Path<Uuid>) -> ApiResult<Json<Attributes>> {
        let _ = organization_id;
        let app = &self.0.gate.app;
        let items = attributes::list(app, &caller).await?.into_iter().map(Attribute::from).collect();
        let scopes = attributes::scopes(&app.vault).map(str::to_owned).collect();
        Ok(Json(Attributes { items, scopes, most: attributes::MOST }))
    }

    /// Declare a profile attribute. It comes after those that there are.
    #[oai(path = "/organizations/:organization_id/attributes", method = "post", operation_id = "attributes_create")]
    async fn create(
        &self,
        caller: Caller,
        organization_id: Path<Uuid>,
        body: Json<CreateAttribute>,
        /// The same key does the work once.
        #[oai(name = "Idempotency-Key")]
        _idempotency_key: Header<Option<String>>,
    ) -> ApiResult<Created<Attribute>> {
        let made = attributes::create(&self.0.gate.app, &caller, body.0.into()).await?;
        let location = format!("/v1/organizations/{}/attributes/{}", organization_id.0, made.id);
        Ok(Created::Created(Json(made.into()), location))
    }

    /// One profile attribute.
    #[oai(
        path = "/organizations/:organization_id/attributes/:attribute_id",
        method = "get",
        operation_id = "attributes_get"
    )]
    async fn get(
        &self,
        caller: Caller,
        organization_id: Path<Uuid>,
        attribute_id: Path<Uuid>,
    ) -> ApiResult<Versioned<Attribute>> {
        let _ = organization_id;
        let row = attributes::get(&self.0.gate.app, &caller, AttributeId(attribute_id.0)).await?;
        Ok(Versioned::of(row.version, row.into()))
    }

    /// Change a profile attribute, move it among the others, archive it or restore it.
    ///
    /// Key and type never change. What values are sealed in, and whether they are searchable, can't change while there are
    /// values (409 `attribute_in_use`): what once lay in clear would stay in the database's files and backups. Options that
    /// are taken away stay with whoever has them. An archived attribute is in no profile and finds nobody; its values are
    /// kept until it is removed.
    #[expect(clippy::too_many_arguments, reason = "one argument a parameter of the contract")]
    #[oai(
        path = "/organizations/:organization_id/attributes/:attribute_id",
        method = "patch",
        operation_id = "attributes_update"
    )]
    async fn update(
        &self,
        caller: Caller,
        organization_id: Path<Uuid>,
        attribute_id: Path<Uuid>,
        body: Json<UpdateAttribute>,
        /// The `ETag` that was read; 412 when it is not the present one.
        #[oai(name = "If-Match")]
        if_match: Header<Option<String>>,
    ) -> ApiResult<Versioned<Attribute>> {
        let _ = organization_id;
        let changes = body.0.changes(version(if_match.0));
        let row = attributes::update(&self.0.gate.app, &caller, AttributeId(attribute_id.0), changes).await?;
        Ok(Versioned::of(row.version, row.into()))
    }

    /// Remove a profile attribute with what it says of anybody. One with values is archived first.
    #[oai(
        path = "/organizations/:organization_id/attributes/:attribute_id",
        method = "delete",
        operation_id = "attributes_delete"
    )]
    async fn delete(
        &self,
        caller: Caller,
        organization_id: Path<Uuid>,
        attribute_id: Path<Uuid>,
        /// The `ETag` that was read; 412 when it is not the present one.
        #[oai(name = "If-Match")]
        if_match: Header<Option<String>>,
    ) -> ApiResult<Done> {
        let _ = organization_id;
        let id = AttributeId(attribute_id.0);
        attributes::delete(&self.0.gate.app, &caller, id, version(if_match.0)).await?;
        Ok(Done::Done)
    }

    /// A member's profile, as far as the caller sees it. Members see their own.
    #[oai(
        path = "/organizations/:organization_id/members/:member_id/attributes",
        method = "get",
        operation_id = "member_attributes_get"
    )]
    async fn of_member(
        &self,
        caller: Caller,
        organization_id: Path<Uuid>,
        member_id: Path<Uuid>,
    ) -> ApiResult<Versioned<MemberProfile>> {
        let _ = organization_id;
        let profile = attributes::get_profile(&self.0.gate.app, &caller, MembershipId(member_id.0)).await?;
        Ok(Versioned::of(profile.version, profile.into()))
    }

    /// Change a member's profile, as far as each attribute lets the caller.
    ///
    /// Everything that is given is written, or nothing. Afterwards every required value that the caller may change must be
    /// there. A field that is not the caller's to change is refused with `attribute_not_editable`; one that they don't see
    /// is unknown to them. Nobody changes the profile of somebody with a role above their own.
    #[expect(clippy::too_many_arguments, reason = "one argument a parameter of the contract")]
    #[oai(
        path = "/organizations/:organization_id/members/:member_id/attributes",
        method = "patch",
        operation_id = "member_attributes_update"
    )]
    async fn update_member(
        &self,
        caller: Caller,
        organization_id: Path<Uuid>,
        member_id: Path<Uuid>,
        body: Json<UpdateProfile>,
        /// The `ETag` that was read; 412 when it is not the present one.
        #[oai(name = "If-Match")]
        if_match: Header<Option<String>>,
    ) -> ApiResult<Versioned<MemberProfile>> {
        let _ = organization_id;
        let (member, wanted) = (MembershipId(member_id.0), body.0.wanted());
        let app = &self.0.gate.app;
        let profile = attributes::update_profile(app, &caller, member, wanted, version(if_match.0)).await?;
        Ok(Versioned::of(profile.version, profile.into()))
    }

    /// One's own profile in the organisation that the session is in.
    #[oai(path = "/me/attributes", method = "get", operation_id = "me_attributes_get", tag = "Tag::Me")]
    async fn own(&self, caller: Caller) -> ApiResult<Versioned<MemberProfile>> {
        let profile = attributes::get_own(&self.0.gate.app, &caller).await?;
        Ok(Versioned::of(profile.version, profile.into()))
    }

    /// Change one's own profile in the organisation that the session is in, as far as each attribute lets one.
    #[oai(path = "/me/attributes", method = "patch", operation_id = "me_attributes_update", tag = "Tag::Me")]
    async fn update_own(
        &self,
        caller: Caller,
        body: Json<UpdateProfile>,
        /// The `ETag` that was read; 412 when it is not the present one.
        #[oai(name = "If-Match")]
        if_match: Header<Option<String>>,
    ) -> ApiResult<Versioned<MemberProfile>> {
        let profile = attributes::update_own(&self.0.gate.app, &caller, body.0.wanted(), version(if_match.0)).await?;
        Ok(Versioned::of(profile.version, profile.into()))
    }
}
