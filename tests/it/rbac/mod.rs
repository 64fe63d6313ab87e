//! The policy as evidence: the export is what the guard does, as of any moment that the history has, and can be verified
//! by whoever gets it.

mod changes;
mod history;
mod revisions;
mod verify;

use std::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};
use freehold::runtime::Clock;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    harness::{Actor, Answer},
    world::{Person, Tenant},
};

/// Where a tenant's exports are.
pub fn path(tenant: &Tenant, rest: &str) -> String {
    format!("/v1/organizations/{}/rbac/policies{rest}", tenant.id)
}

/// A moment after everything that was done before, and before everything that is done after.
pub async fn moment() -> DateTime<Utc> {
    tokio::time::sleep(Duration::from_millis(20)).await;
    let now = Clock::default().now();
    tokio::time::sleep(Duration::from_millis(20)).await;
    now
}

/// A moment as a parameter.
pub fn text(moment: DateTime<Utc>) -> String {
    moment.to_rfc3339_opts(SecondsFormat::Micros, true)
}

/// A tenant's export, as it is or as the query says.
pub async fn export(by: &Actor, tenant: &Tenant, query: &str) -> Answer {
    by.get(&path(tenant, query)).await.expect(200)
}

pub async fn as_of(by: &Actor, tenant: &Tenant, at: DateTime<Utc>) -> Answer {
    export(by, tenant, &format!("?as_of={}", text(at))).await
}

/// What an export says of a holder, if anything.
pub fn find(answer: &Answer, id: Uuid) -> Option<Value> {
    let holders = answer.json["holders"].as_array().unwrap_or_else(|| panic!("no holders: {answer}"));
    holders.iter().find(|holder| holder["id"] == json!(id)).cloned()
}

/// The roles of a holder, and where each comes from: `direct`, or the team's name.
fn grants(answer: &Answer, id: Uuid) -> Vec<(String, String)> {
    let Some(holder) = find(answer, id) else { return Vec::new() };
    let grants = holder["grants"].as_array().unwrap().iter();
    let of = |grant: &Value| {
        let from = grant["team"].as_str().or(grant["via"].as_str()).unwrap();
        (grant["role"].as_str().unwrap().to_owned(), from.to_owned())
    };
    grants.map(of).collect()
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(role, from)| ((*role).to_owned(), (*from).to_owned())).collect()
}

fn member(tenant: &Tenant, who: &Person) -> String {
    format!("/v1/organizations/{}/members/{}", tenant.id, who.membership)
}

async fn set_role(by: &Actor, tenant: &Tenant, who: &Person, role: &str) {
    by.patch(&member(tenant, who), json!({"role": role})).await.expect(200);
}

async fn make_team(by: &Actor, tenant: &Tenant, name: &str, role: &str) -> Uuid {
    let teams = format!("/v1/organizations/{}/teams", tenant.id);
    by.post(&teams, json!({"name": name, "role": role})).await.expect(201).id_at("/id")
}

async fn join(by: &Actor, tenant: &Tenant, team: Uuid, who: &Person) {
    let place = format!("/v1/organizations/{}/teams/{team}/members/{}", tenant.id, who.membership);
    by.request(Method::PUT, &place).send().await.expect(204);
}
