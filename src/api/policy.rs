//! Roles.

use poem_openapi::{Object, OpenApi, payload::Json};

use super::{Face, Tag};
use crate::{edge::ApiResult, types::Caller};

/// The operations.
pub struct Policies(pub Face);

/// A role.
#[derive(Debug, Object)]
#[oai(skip_serializing_if_is_none)]
struct Role {
    /// The name that memberships carry.
    name: String,
    /// How many roles it includes; the greater, the more it may.
    level: u64,
    /// The role whose rights it has as well.
    inherits: Option<String>,
    /// The role whose reading rights it has.
    reads_as: Option<String>,
    /// Where it can be held: `platform` or `organization`.
    scope: String,
    /// For people.
    title: String,
    /// For people.
    description: String,
}

/// The roles.
#[derive(Debug, Object)]
struct Roles {
    /// From the highest down.
    items: Vec<Role>,
}

#[OpenApi(prefix_path = "/v1", tag = "Tag::Policy")]
impl Policies {
    /// The roles of this installation.
    #[oai(path = "/roles", method = "get", operation_id = "roles_list")]
    async fn roles(&self, caller: Caller) -> ApiResult<Json<Roles>> {
        let _ = caller;
        let hierarchy = self.0.gate.app.policy.hierarchy();
        let items = hierarchy.rows().iter().map(|row| Role {
            name: row.name.clone(),
            level: u64::try_from(hierarchy.level(&row.name)).unwrap_or(0),
            inherits: row.inherits.clone(),
            reads_as: row.reads_as.clone(),
            scope: row.scope.clone(),
            title: row.title.clone(),
            description: row.description.clone(),
        });
        Ok(Json(Roles { items: items.collect() }))
    }
}
