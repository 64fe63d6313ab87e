//! Stories of decisions: that they are counted, why they come out as they do, and what a change would do.

mod counts;
mod custom;
mod explain;
mod foresee;
mod simulate;

use std::collections::BTreeSet;

use serde_json::Value;
use uuid::Uuid;

use crate::{
    harness::{Actor, Answer, Login},
    world::{Tenant, World},
};

/// A path inside a tenant.
fn inside(tenant: &Tenant, rest: &str) -> String {
    format!("/v1/organizations/{}/{rest}", tenant.id)
}

/// How often somebody's decisions about an operation came out so, of everything that was ever counted.
async fn counted(world: &World, who: Uuid, operation: &str, outcome: &str) -> i64 {
    world.server.flush_decisions().await;
    let mut psql = world.database.psql(Login::Owner).await;
    let sum = format!(
        "SELECT coalesce(sum(count), 0)::bigint FROM decision_counts
         WHERE who = '{who}' AND operation = '{operation}' AND outcome = '{outcome}'"
    );
    psql.number(&sum).await
}

/// What an answer says of somebody.
fn of(answer: &Answer, id: Uuid) -> Option<Value> {
    let id = id.to_string();
    let is = |item: &&Value| item["who"]["account_id"] == *id || item["who"]["service_account_id"] == *id;
    answer.items().iter().find(is).cloned()
}

/// What is said of an operation in a list of effects.
fn effect(list: &Value, operation: &str) -> Option<Value> {
    list.as_array().unwrap().iter().find(|effect| effect["operation"] == operation).cloned()
}

/// The operations that somebody may do now.
async fn operations(of: &Actor) -> BTreeSet<String> {
    let me = of.get("/v1/me").await.expect(200);
    me.json["operations"].as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned()).collect()
}

/// The operations of somebody's effects.
fn names(effects: &Value) -> BTreeSet<String> {
    effects.as_array().unwrap().iter().map(|effect| effect["operation"].as_str().unwrap().to_owned()).collect()
}
