//! Stories of the live stream: what is told, to whom, for how long, and what becomes of clients that misbehave.

mod bounds;
mod ends;
mod handshake;
mod resume;
pub mod stream;
mod told;

use std::time::Duration;

use serde_json::Value;

use crate::world::Tenant;

/// How soon what happened is told. The record is looked at twice a second.
const SOON: Duration = Duration::from_secs(2);

/// The path of what is in a tenant.
fn path(tenant: &Tenant, rest: &str) -> String {
    format!("/v1/organizations/{}/{rest}", tenant.id)
}

/// The ids of entries.
fn ids(entries: &[Value]) -> Vec<String> {
    entries.iter().map(|entry| entry["id"].as_str().unwrap().to_owned()).collect()
}
