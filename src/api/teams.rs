//! Members together, and what a team gives them.

use chrono::{DateTime, Utc};
use entity::{MembershipId, TeamId};
use poem::Request;
use poem_openapi::{
    Object, OpenApi,
    param::{Header, Path, Query},
    payload::Json,
};
use uuid::Uuid;

use super::{
    Face, Tag,
    custom_roles::{self, CustomRoleOf},
    members::Member,
    wire::{Change, Created, Done, Listed, Versioned, version},
};
use crate::{
    edge::ApiResult,
    tenancy::teams,
    types::{Caller, PageRequest},
};

/// The operations.
pub struct Teams(pub Face);

/// A team of an organisation.
#[derive(Debug, Object)]
#[oai(skip_serializing_if_is_none)]
struct Team {
    /// Its id.
    id: Uuid,
    /// The organisation.
    organization_id: Uuid,
    /// Its name.
    name: String,
    /// What it is for.
    description: Option<String>,
    /// The role that it gives its members beside their own.
    role: Option<String>,
    /// The custom roles that it gives beside that, by name.
    custom_roles: Vec<CustomRoleOf>,
    /// How many members it has.
    member_count: u64,
    /// When it was made.
    created_at: DateTime<Utc>,
    /// When its name, description or roles last changed.
    updated_at: DateTime<Utc>,
    /// Grows with every change of name, description or roles.
    version: i32,
}

/// A team that somebody is in or is invited to.
#[derive(Clone, Debug, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct TeamOf {
    /// Its id.
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// The role that it gives.
    pub role: Option<String>,
}

/// A new team.
#[derive(Object)]
#[oai(deny_unknown_fields)]
struct CreateTeam {
    /// Its name; no other team of the organisation has it, in upper or lower case.
    #[oai(validator(min_length = 1, max_length = 100))]
    name: String,
    /// What it is for.
    #[oai(validator(min_length = 1, max_length = 500), skip_serializing_if_is_none)]
    description: Option<String>,
    /// The role that it gives its members beside their own: any of the organisation's but `owner`.
    #[oai(validator(min_length = 1, max_length = 63), skip_serializing_if_is_none)]
    role: Option<String>,
    /// The custom roles that it gives beside that.
    #[oai(validator(max_items = 100), skip_serializing_if_is_none)]
    custom_role_ids: Option<Vec<Uuid>>,
}

/// What to change of a team.
#[derive(Object)]
#[oai(deny_unknown_fields)]
struct UpdateTeam {
    /// A new name.
    #[oai(validator(min_length = 1, max_length = 100), skip_serializing_if_is_none)]
    name: Option<String>,
    /// A new description; null takes it away.
    #[oai(validator(min_length = 1, max_length = 500))]
    description: Change<String>,
    /// Another role; null lets the team give none.
    #[oai(validator(min_length = 1, max_length = 63))]
    role: Change<String>,
    /// The custom roles to give, in place of those that it gives.
    #[oai(validator(max_items = 100), skip_serializing_if_is_none)]
    custom_role_ids: Option<Vec<Uuid>>,
}

#[OpenApi(prefix_path = "/v1", tag = "Tag::Teams")]
impl Teams {
    /// The teams of an organisation, newest first.
    #[expect(clippy::too_many_arguments, reason = "one argument a parameter of the contract")]
    #[oai(path = "/organizations/:organization_id/teams", method = "get", operation_id = "teams_list")]
    async fn list(
        &self,
        caller: Caller,
        organization_id: Path<Uuid>,
        request: &Request,
        /// Whose name begins with this text, in upper or lower case.
        #[oai(validator(min_length = 1, max_length = 100))]
        search: Query<Option<String>>,
        /// The most items of the page.
        #[oai(validator(minimum(value = "1"), maximum(value = "200")))]
        limit: Query<Option<u64>>,
        /// Where the last page ended.
        cursor: Query<Option<String>>,
    ) -> ApiResult<Listed<Team>> {
        let _ = organization_id;
        let page = PageRequest::parse(limit.0, cursor.0.as_deref())?;
        let page = teams::list(&self.0.gate.app, &caller, search.0.as_deref(), page).await?;
        Ok(Listed::page(request, page, Team::from))
    }

    /// Make a team without members.
    ///
    /// Nobody makes a team that gives a role above their own, and no team makes an owner.
    #[oai(path = "/organizations/:organization_id/teams", method = "post", operation_id = "teams_create")]
    async fn create(
        &self,
        caller: Caller,
        organization_id: Path<Uuid>,
        body: Json<CreateTeam>,
        /// The same key does the work once.
        #[oai(name = "Idempotency-Key")]
        _idempotency_key: Header<Option<String>>,
    ) -> ApiResult<Created<Team>> {
        let CreateTeam { name, description, role, custom_role_ids } = body.0;
        let custom_roles = custom_roles::ids(custom_role_ids).unwrap_or_default();
        let new = teams::NewTeam { name, description, role, custom_roles };
        let made = teams::create(&self.0.gate.app, &caller, new).await?;
        let location = format!("/v1/organizations/{}/teams/{}", organization_id.0, made.row.id);
        Ok(Created::Created(Json(made.into()), location))
    }

    /// One team.
    #[oai(path = "/organizations/:organization_id/teams/:team_id", method = "get", operation_id = "teams_get")]
    async fn get(
        &self,
        caller: Caller,
        organization_id: Path<Uuid>,
        team_id: Path<Uuid>,
    ) -> ApiResult<Versioned<Team>> {
        let _ = organization_id;
        let team = teams::get(&self.0.gate.app, &caller, TeamId(team_id.0)).await?;
        Ok(Versioned::of(team.row.version, team.into()))
    }

    /// Change a team's name, description, role or custom roles.
    ///
    /// Those change what every member of the team may do at once. Nobody changes a team that gives a role above
    /// their own, or makes it give one; nobody raises themselves by a team that they are in.
    #[expect(clippy::too_many_arguments, reason = "one argument a parameter of the contract")]
    #[oai(path = "/organizations/:organization_id/teams/:team_id", method = "patch", operation_id = "teams_update")]
    async fn update(
        &self,
        caller: Caller,
        organization_id: Path<Uuid>,
        team_id: Path<Uuid>,
        body: Json<UpdateTeam>,
        /// The `ETag` that was read; 412 when it is not the present one.
        #[oai(name = "If-Match")]
        if_match: Header<Option<String>>,
    ) -> ApiResult<Versioned<Team>> {
        let _ = organization_id;
        let UpdateTeam { name, description, role, custom_role_ids } = body.0;
        let (description, role) = (description.wanted(), role.wanted());
        let custom_roles = custom_roles::ids(custom_role_ids);
        let changes = teams::Changes { name, description, role, custom_roles, version: version(if_match.0) };
        let team = teams::update(&self.0.gate.app, &caller, TeamId(team_id.0), changes).await?;
        Ok(Versioned::of(team.row.version, team.into()))
    }

    /// Remove a team. Its members stay members, without what the team gave them.
    #[oai(path = "/organizations/:organization_id/teams/:team_id", method = "delete", operation_id = "teams_delete")]
    async fn delete(
        &self,
        caller: Caller,
        organization_id: Path<Uuid>,
        team_id: Path<Uuid>,
        /// The `ETag` that was read; 412 when it is not the present one.
        #[oai(name = "If-Match")]
        if_match: Header<Option<String>>,
    ) -> ApiResult<Done> {
        let _ = organization_id;
        teams::delete(&self.0.gate.app, &caller, TeamId(team_id.0), version(if_match.0)).await?;
        Ok(Done::Done)
    }

    /// The members of a team; who became a member of the organisation last comes first.
    #[expect(clippy::too_many_arguments, reason = "one argument a parameter of the contract")]
    #[oai(
        path = "/organizations/:organization_id/teams/:team_id/members",
        method = "get",
        operation_id = "team_members_list"
    )]
    async fn members(
        &self,
        caller: Caller,
        organization_id: Path<Uuid>,
        team_id: Path<Uuid>,
        request: &Request,
        /// The most items of the page.
        #[oai(validator(minimum(value = "1"), maximum(value = "200")))]
        limit: Query<Option<u64>>,
        /// Where the last page ended.
        cursor: Query<Option<String>>,
    ) -> ApiResult<Listed<Member>> {
        let _ = organization_id;
        let page = PageRequest::parse(limit.0, cursor.0.as_deref())?;
        let page = teams::members(&self.0.gate.app, &caller, TeamId(team_id.0), page).await?;
        Ok(Listed::page(request, page, Member::from))
    }

    /// Put a member into a team. It is done already for one who is in it.
    #[oai(
        path = "/organizations/:organization_id/teams/:team_id/members/:member_id",
        method = "put",
        operation_id = "team_members_add"
    )]
    async fn add(
        &self,
        caller: Caller,
        organization_id: Path<Uuid>,
        team_id: Path<Uuid>,
        member_id: Path<Uuid>,
    ) -> ApiResult<Done> {
        let _ = organization_id;
        teams::add(&self.0.gate.app, &caller, TeamId(team_id.0), MembershipId(member_id.0)).await?;
        Ok(Done::Done)
    }

    /// Take a member out of a team.
    #[oai(
        path = "/organizations/:organization_id/teams/:team_id/members/:member_id",
        method = "delete",
        operation_id = "team_members_remove"
    )]
    async fn remove(
        &self,
        caller: Caller,
        organization_id: Path<Uuid>,
        team_id: Path<Uuid>,
        member_id: Path<Uuid>,
    ) -> ApiResult<Done> {
        let _ = organization_id;
        teams::remove(&self.0.gate.app, &caller, TeamId(team_id.0), MembershipId(member_id.0)).await?;
        Ok(Done::Done)
    }
}

impl From<teams::Team> for Team {
    fn from(team: teams::Team) -> Self {
        let teams::Team { row, members, custom_roles } = team;
        Self {
            id: row.id.into(),
            organization_id: row.organization_id.into(),
            name: row.name,
            description: row.description,
            role: row.role,
            custom_roles: custom_roles.into_iter().map(Into::into).collect(),
            member_count: members,
            created_at: row.created_at,
            updated_at: row.updated_at,
            version: row.version,
        }
    }
}

impl From<teams::Row> for TeamOf {
    fn from(row: teams::Row) -> Self {
        Self { id: row.id.into(), name: row.name, role: row.role }
    }
}
