//! An organisation's own roles, and what they can be composed of.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use entity::CustomRoleId;
use poem_openapi::{
    Enum, Object, OpenApi,
    param::{Header, Path, Query},
    payload::Json,
};
use uuid::Uuid;

use super::{
    Everything, Face, Tag,
    wire::{Change, Created, Done, Versioned, version},
};
use crate::{
    authz::{Decision, Reauthentication},
    edge::ApiResult,
    tenancy::custom_roles::{self, Counts, Given, Row},
    types::Caller,
};

/// The operations.
pub struct CustomRoles(pub Face);

/// A role of an organisation's own: a set of permissions that is held beside a role of the installation.
#[derive(Debug, Object)]
#[oai(skip_serializing_if_is_none)]
struct CustomRole {
    /// Its id.
    id: Uuid,
    /// The organisation.
    organization_id: Uuid,
    /// Its name.
    name: String,
    /// What it is for.
    description: Option<String>,
    /// The operations that it lets its holders do with whatever is of the organisation, in the order of their names.
    permissions: Vec<String>,
    /// How many hold it.
    holders: Holders,
    /// When it was made.
    created_at: DateTime<Utc>,
    /// When its name, description or permissions last changed.
    updated_at: DateTime<Utc>,
    /// Grows with every change of those.
    version: i32,
}

/// How many hold a role.
#[derive(Debug, Object)]
struct Holders {
    /// Members, directly.
    members: u64,
    /// Teams, each of which gives it to its members.
    teams: u64,
    /// Service accounts.
    service_accounts: u64,
    /// Invitations that are open or expired.
    invitations: u64,
}

/// The roles of an organisation's own.
#[derive(Debug, Object)]
struct CustomRoleList {
    /// By name.
    items: Vec<CustomRole>,
}

/// A role of an organisation's own, by name.
#[derive(Clone, Debug, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct CustomRoleOf {
    /// Its id.
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// The team that gives it; absent when it is held directly.
    pub team_id: Option<Uuid>,
}

/// A new role.
#[derive(Object)]
#[oai(deny_unknown_fields)]
struct CreateCustomRole {
    /// Its name; no other role of the organisation's own has it, in upper or lower case.
    #[oai(validator(min_length = 1, max_length = 100))]
    name: String,
    /// What it is for.
    #[oai(validator(min_length = 1, max_length = 500), skip_serializing_if_is_none)]
    description: Option<String>,
    /// The operations that it permits.
    #[oai(validator(min_items = 1, max_items = 1000))]
    permissions: Vec<String>,
}

/// What to change of a role.
#[derive(Object)]
#[oai(deny_unknown_fields)]
struct UpdateCustomRole {
    /// A new name.
    #[oai(validator(min_length = 1, max_length = 100), skip_serializing_if_is_none)]
    name: Option<String>,
    /// A new description; null takes it away.
    #[oai(validator(min_length = 1, max_length = 500))]
    description: Change<String>,
    /// The operations that it permits, in place of those that it permitted.
    #[oai(validator(min_items = 1, max_items = 1000), skip_serializing_if_is_none)]
    permissions: Option<Vec<String>>,
}

/// What becomes of those who hold a role that is deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
enum WhileHeld {
    /// While somebody holds it, it is not deleted.
    Keep,
    /// They lose it.
    Release,
}

/// Something that a role can permit.
#[derive(Debug, Object)]
#[oai(skip_serializing_if_is_none)]
struct Permission {
    /// The operation.
    operation: String,
    /// The part of the contract that it is of.
    group: String,
    /// What it is about.
    resource: String,
    /// What it does.
    action: String,
    /// For people.
    title: String,
    /// For people, the rest of it.
    description: Option<String>,
    /// The roles of the installation that permit it with everybody's, the highest first.
    held_by: Vec<String>,
    /// Whether it only reads.
    reads: bool,
    /// Whether it asks for a recent proof of who calls, whoever does it; so no service account does it.
    reauthentication: bool,
    /// Whether the caller holds it, and so may give it on.
    grantable: bool,
}

/// What roles can permit.
#[derive(Debug, Object)]
struct Permissions {
    /// In the registry's order.
    items: Vec<Permission>,
}

#[OpenApi(prefix_path = "/v1", tag = "Tag::CustomRoles")]
impl CustomRoles {
    /// What an organisation's own roles can permit.
    ///
    /// It is whatever an administrator may do inside the organisation. What takes an owner or the platform, and what is
    /// about the caller alone, no role permits.
    #[oai(path = "/organizations/:organization_id/permissions", method = "get", operation_id = "permissions_list")]
    async fn permissions(&self, caller: Caller, organization_id: Path<Uuid>) -> ApiResult<Json<Permissions>> {
        let _ = organization_id;
        let policy = &self.0.gate.app.policy;
        let texts = texts();
        let own = policy.grantable(caller.roles().collect::<Vec<_>>(), &caller.permissions);
        let mut roles: Vec<_> = policy.hierarchy().rows().iter().collect();
        roles.sort_by_key(|role| std::cmp::Reverse(policy.hierarchy().level(&role.name)));
        let items = policy.composable().map(|(position, row)| {
            let text = texts.get(row.operation.as_str());
            let holders = roles.iter().filter(|role| policy.decide(&role.name, position) == Decision::Allow);
            Permission {
                operation: row.operation.clone(),
                group: text.map(|text| text.group.clone()).unwrap_or_default(),
                resource: row.resource.clone(),
                action: row.action.clone(),
                title: text.map_or_else(|| row.operation.clone(), |text| text.title.clone()),
                description: text.and_then(|text| text.description.clone()),
                held_by: holders.map(|role| role.name.clone()).collect(),
                reads: row.reads(),
                reauthentication: row.reauthentication == Reauthentication::Required,
                grantable: own.contains(position),
            }
        });
        Ok(Json(Permissions { items: items.collect() }))
    }

    /// The roles of an organisation's own.
    ///
    /// There are at most 100. The roles of the installation are in `GET /v1/roles`.
    #[oai(path = "/organizations/:organization_id/roles", method = "get", operation_id = "custom_roles_list")]
    async fn list(&self, caller: Caller, organization_id: Path<Uuid>) -> ApiResult<Json<CustomRoleList>> {
        let _ = organization_id;
        let items = custom_roles::list(&self.0.gate.app, &caller).await?;
        Ok(Json(CustomRoleList { items: items.into_iter().map(Into::into).collect() }))
    }

    /// Compose a role that nobody holds yet.
    ///
    /// Nobody composes a role of permissions that they don't hold themselves.
    #[oai(path = "/organizations/:organization_id/roles", method = "post", operation_id = "custom_roles_create")]
    async fn create(
        &self,
        caller: Caller,
        organization_id: Path<Uuid>,
        body: Json<CreateCustomRole>,
        /// The same key does the work once.
        #[oai(name = "Idempotency-Key")]
        _idempotency_key: Header<Option<String>>,
    ) -> ApiResult<Created<CustomRole>> {
        let CreateCustomRole { name, description, permissions } = body.0;
        let new = custom_roles::NewCustomRole { name, description, permissions };
        let made = custom_roles::create(&self.0.gate.app, &caller, new).await?;
        let location = format!("/v1/organizations/{}/roles/{}", organization_id.0, made.row.id);
        Ok(Created::Created(Json(made.into()), location))
    }

    /// One role of an organisation's own.
    #[oai(
        path = "/organizations/:organization_id/roles/:custom_role_id",
        method = "get",
        operation_id = "custom_roles_get"
    )]
    async fn get(
        &self,
        caller: Caller,
        organization_id: Path<Uuid>,
        custom_role_id: Path<Uuid>,
    ) -> ApiResult<Versioned<CustomRole>> {
        let _ = organization_id;
        let role = custom_roles::get(&self.0.gate.app, &caller, CustomRoleId(custom_role_id.0)).await?;
        Ok(Versioned::of(role.row.version, role.into()))
    }

    /// Change a role's name, description or permissions.
    ///
    /// The permissions change what everybody who holds the role may do at once. Nobody changes a role with permissions
    /// that they don't hold themselves, or gives it any; nobody raises themselves by a role that they hold.
    #[expect(clippy::too_many_arguments, reason = "one argument a parameter of the contract")]
    #[oai(
        path = "/organizations/:organization_id/roles/:custom_role_id",
        method = "patch",
        operation_id = "custom_roles_update"
    )]
    async fn update(
        &self,
        caller: Caller,
        organization_id: Path<Uuid>,
        custom_role_id: Path<Uuid>,
        body: Json<UpdateCustomRole>,
        /// The `ETag` that was read; 412 when it is not the present one.
        #[oai(name = "If-Match")]
        if_match: Header<Option<String>>,
    ) -> ApiResult<Versioned<CustomRole>> {
        let _ = organization_id;
        let UpdateCustomRole { name, description, permissions } = body.0;
        let description = description.wanted();
        let changes = custom_roles::Changes { name, description, permissions, version: version(if_match.0) };
        let role = custom_roles::update(&self.0.gate.app, &caller, CustomRoleId(custom_role_id.0), changes).await?;
        Ok(Versioned::of(role.row.version, role.into()))
    }

    /// Delete a role.
    ///
    /// A role that a member, a team, a service account or an open invitation holds stays, unless they are to lose it.
    #[expect(clippy::too_many_arguments, reason = "one argument a parameter of the contract")]
    #[oai(
        path = "/organizations/:organization_id/roles/:custom_role_id",
        method = "delete",
        operation_id = "custom_roles_delete"
    )]
    async fn delete(
        &self,
        caller: Caller,
        organization_id: Path<Uuid>,
        custom_role_id: Path<Uuid>,
        /// What becomes of those who hold it; left out, it is not deleted while somebody does.
        holders: Query<Option<WhileHeld>>,
        /// The `ETag` that was read; 412 when it is not the present one.
        #[oai(name = "If-Match")]
        if_match: Header<Option<String>>,
    ) -> ApiResult<Done> {
        let _ = organization_id;
        let held = match holders.0 {
            Some(WhileHeld::Release) => custom_roles::Held::Release,
            Some(WhileHeld::Keep) | None => custom_roles::Held::Keep,
        };
        let id = CustomRoleId(custom_role_id.0);
        custom_roles::delete(&self.0.gate.app, &caller, id, held, version(if_match.0)).await?;
        Ok(Done::Done)
    }
}

/// What the contract says of an operation to people.
struct Text {
    group: String,
    title: String,
    description: Option<String>,
}

/// What the contract says of each operation.
fn texts() -> HashMap<&'static str, Text> {
    let mut texts = HashMap::new();
    for operation in Everything::meta().into_iter().flat_map(|api| api.paths).flat_map(|path| path.operations) {
        let (Some(id), Some(title)) = (operation.operation_id, operation.summary) else { continue };
        let group = operation.tags.first().map(|tag| (*tag).to_owned()).unwrap_or_default();
        let title = title.trim_end_matches('.').to_owned();
        let description = operation.description.map(str::to_owned).filter(|text| !text.is_empty());
        texts.insert(id, Text { group, title, description });
    }
    texts
}

impl From<custom_roles::CustomRole> for CustomRole {
    fn from(role: custom_roles::CustomRole) -> Self {
        let custom_roles::CustomRole { row, holders } = role;
        Self {
            id: row.id.into(),
            organization_id: row.organization_id.into(),
            name: row.name,
            description: row.description,
            permissions: row.permissions,
            holders: holders.into(),
            created_at: row.created_at,
            updated_at: row.updated_at,
            version: row.version,
        }
    }
}

impl From<Counts> for Holders {
    fn from(counts: Counts) -> Self {
        let Counts { members, teams, service_accounts, invitations } = counts;
        Self { members, teams, service_accounts, invitations }
    }
}

impl From<Row> for CustomRoleOf {
    fn from(row: Row) -> Self {
        Self { id: row.id.into(), name: row.name, team_id: None }
    }
}

impl From<Given> for CustomRoleOf {
    fn from(given: Given) -> Self {
        Self { team_id: given.team.map(Into::into), ..given.role.into() }
    }
}

/// The ids of roles in a request.
pub fn ids(wanted: Option<Vec<Uuid>>) -> Option<Vec<CustomRoleId>> {
    wanted.map(|ids| ids.into_iter().map(CustomRoleId).collect())
}
