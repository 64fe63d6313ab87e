//! Stories of service accounts: their keys, what opens and what does not, and what services ask of tokens.

mod keys;
mod live;
mod oauth;
mod rules;

use serde_json::{Value, json};
use uuid::Uuid;

use crate::{harness::Actor, world::Tenant};

/// A service account with a key.
struct Service {
    /// Where it is.
    path: String,
    id: Uuid,
    key_id: Uuid,
    key: String,
    /// Who calls with the key.
    actor: Actor,
}

/// The path of what is in a tenant.
fn path(tenant: &Tenant, rest: &str) -> String {
    format!("/v1/organizations/{}/{rest}", tenant.id)
}

/// A new service account of this name and role, made by the tenant's owner.
async fn service(tenant: &Tenant, name: &str, role: &str) -> Service {
    service_with(tenant, name, role, json!({"name": "First"})).await
}

/// The same with a key made from this body.
async fn service_with(tenant: &Tenant, name: &str, role: &str, key: Value) -> Service {
    let accounts = path(tenant, "service-accounts");
    let made = tenant.owner.post(&accounts, json!({"name": name, "role": role})).await.expect(201);
    let id = made.id_at("/id");
    let path = format!("{accounts}/{id}");
    let made = tenant.owner.post(&format!("{path}/keys"), key).await.expect(201);
    let key = made.text_at("/key").to_owned();
    Service { path, id, key_id: made.id_at("/api_key/id"), actor: tenant.owner.bearing(&key), key }
}
