//! Who belongs to an organisation.

use chrono::{DateTime, Utc};
use entity::{MembershipId, memberships as rows};
use poem::Request;
use poem_openapi::{
    Enum, Object, OpenApi,
    param::{Header, Path, Query},
    payload::Json,
};
use uuid::Uuid;

use super::{
    Face, Tag,
    custom_roles::{self, CustomRoleOf},
    teams::TeamOf,
    wire::{Done, Listed, Versioned, version},
};
use crate::{
    edge::ApiResult,
    tenancy::members,
    types::{Caller, PageRequest},
};

/// The operations.
pub struct Members(pub Face);

/// Whether a membership gives access.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub enum MemberStatus {
    /// It does.
    Active,
    /// It does not.
    Blocked,
}

/// A member of an organisation.
#[derive(Debug, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct Member {
    /// The membership's id.
    pub id: Uuid,
    /// The person's account.
    pub account_id: Uuid,
    /// The organisation.
    pub organization_id: Uuid,
    /// The person's address.
    pub email: String,
    /// How the person is called.
    pub name: String,
    /// The direct role.
    pub role: String,
    /// The teams, by name.
    pub teams: Vec<TeamOf>,
    /// The custom roles: first those held directly, then those that teams give.
    pub custom_roles: Vec<CustomRoleOf>,
    /// The roles that count, the highest first: the direct one and those by teams, without any that another covers.
    pub effective_roles: Vec<String>,
    /// Whether the membership gives access.
    pub status: MemberStatus,
    /// Since when.
    pub joined_at: DateTime<Utc>,
    /// When the person last signed in, anywhere.
    pub last_sign_in_at: Option<DateTime<Utc>>,
    /// Grows with every change.
    pub version: i32,
}

/// What to change of a member.
#[derive(Object)]
#[oai(deny_unknown_fields)]
struct UpdateMember {
    /// A new direct role.
    #[oai(validator(min_length = 1, max_length = 63), skip_serializing_if_is_none)]
    role: Option<String>,
    /// The custom roles to hold directly, in place of those that are.
    #[oai(validator(max_items = 100), skip_serializing_if_is_none)]
    custom_role_ids: Option<Vec<Uuid>>,
    /// Whether the membership gives access.
    #[oai(skip_serializing_if_is_none)]
    status: Option<MemberStatus>,
}

#[OpenApi(prefix_path = "/v1", tag = "Tag::Members")]
impl Members {
    /// The members of an organisation, newest first.
    #[expect(clippy::too_many_arguments, reason = "one argument a parameter of the contract")]
    #[oai(path = "/organizations/:organization_id/members", method = "get", operation_id = "members_list")]
    async fn list(
        &self,
        caller: Caller,
        organization_id: Path<Uuid>,
        request: &Request,
        /// With this direct role.
        #[oai(validator(max_length = 63))]
        role: Query<Option<String>>,
        /// With or without access.
        status: Query<Option<MemberStatus>>,
        /// Who have all these words in their name or address, or exactly this address.
        #[oai(validator(min_length = 1, max_length = 200))]
        search: Query<Option<String>>,
        /// Who have this value of a searchable profile attribute, written as the attribute's key, a colon and the whole
        /// value: `cost_center:4711`. Upper and lower case of a text are the same.
        #[oai(validator(min_length = 1, max_length = 2100))]
        attribute: Query<Option<String>>,
        /// The most items of the page.
        #[oai(validator(minimum(value = "1"), maximum(value = "200")))]
        limit: Query<Option<u64>>,
        /// Where the last page ended.
        cursor: Query<Option<String>>,
    ) -> ApiResult<Listed<Member>> {
        let _ = organization_id;
        let page = PageRequest::parse(limit.0, cursor.0.as_deref())?;
        let status = status.0.map(Into::into);
        let filter = members::Filter { role: role.0, status, search: search.0, attribute: attribute.0 };
        let page = members::list(&self.0.gate.app, &caller, &filter, page).await?;
        Ok(Listed::page(request, page, Member::from))
    }

    /// One member. Members see themselves.
    #[oai(path = "/organizations/:organization_id/members/:member_id", method = "get", operation_id = "members_get")]
    async fn get(
        &self,
        caller: Caller,
        organization_id: Path<Uuid>,
        member_id: Path<Uuid>,
    ) -> ApiResult<Versioned<Member>> {
        let _ = organization_id;
        let member = members::get(&self.0.gate.app, &caller, MembershipId(member_id.0)).await?;
        Ok(Versioned::of(member.membership.version, member.into()))
    }

    /// Change a member's role, their custom roles, or whether they have access.
    ///
    /// Nobody grants or takes a role above their own, or one with permissions that they don't hold themselves, and an
    /// organisation keeps at least one owner.
    #[expect(clippy::too_many_arguments, reason = "one argument a parameter of the contract")]
    #[oai(
        path = "/organizations/:organization_id/members/:member_id",
        method = "patch",
        operation_id = "members_update"
    )]
    async fn update(
        &self,
        caller: Caller,
        organization_id: Path<Uuid>,
        member_id: Path<Uuid>,
        body: Json<UpdateMember>,
        /// The `ETag` that was read; 412 when it is not the present one.
        #[oai(name = "If-Match")]
        if_match: Header<Option<String>>,
    ) -> ApiResult<Versioned<Member>> {
        let _ = organization_id;
        let UpdateMember { role, custom_role_ids, status } = body.0;
        let custom_roles = custom_roles::ids(custom_role_ids);
        let changes =
            members::Changes { role, custom_roles, status: status.map(Into::into), version: version(if_match.0) };
        let member = members::update(&self.0.gate.app, &caller, MembershipId(member_id.0), changes).await?;
        Ok(Versioned::of(member.membership.version, member.into()))
    }

    /// Remove a member; or leave, with one's own membership.
    #[oai(
        path = "/organizations/:organization_id/members/:member_id",
        method = "delete",
        operation_id = "members_remove"
    )]
    async fn remove(&self, caller: Caller, organization_id: Path<Uuid>, member_id: Path<Uuid>) -> ApiResult<Done> {
        let _ = organization_id;
        members::remove(&self.0.gate.app, &caller, MembershipId(member_id.0)).await?;
        Ok(Done::Done)
    }
}

impl From<members::Member> for Member {
    fn from(member: members::Member) -> Self {
        let members::Member { membership, account, teams, custom_roles, roles } = member;
        Self {
            id: membership.id.into(),
            account_id: membership.account_id.into(),
            organization_id: membership.organization_id.into(),
            email: account.email,
            name: account.name,
            role: membership.role,
            teams: teams.into_iter().map(Into::into).collect(),
            custom_roles: custom_roles.into_iter().map(Into::into).collect(),
            effective_roles: roles.iter().map(ToString::to_string).collect(),
            status: match membership.status {
                rows::Status::Active => MemberStatus::Active,
                rows::Status::Blocked => MemberStatus::Blocked,
            },
            joined_at: membership.joined_at,
            last_sign_in_at: account.last_sign_in_at,
            version: membership.version,
        }
    }
}

impl From<MemberStatus> for rows::Status {
    fn from(status: MemberStatus) -> Self {
        match status {
            MemberStatus::Active => Self::Active,
            MemberStatus::Blocked => Self::Blocked,
        }
    }
}
