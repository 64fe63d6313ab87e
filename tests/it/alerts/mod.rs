//! Alerts: what rules find in the record, what people make of it, and who is told.

mod attacks;
mod digests;
mod errors;
mod inbox;
mod kill;
mod once;
mod rules;

use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    harness::{Actor, Psql},
    world::{Tenant, World},
};

/// Where something of a tenant's is.
fn inside(tenant: &Tenant, rest: &str) -> String {
    format!("/v1/organizations/{}/{rest}", tenant.id)
}

/// A rule of a tenant's own that raises one alert for whatever comes of an event.
async fn rule(by: &Actor, tenant: &Tenant, event: &str, count: u32) -> Uuid {
    let rule = json!({
        "name": format!("{count} of {event}"), "event": event, "count": count, "window_minutes": 60, "by": "organization",
        "severity": "high",
    });
    by.post(&inside(tenant, "alert-rules"), rule).await.expect(201).id_at("/id")
}

/// The alerts of a rule, newest first.
async fn alerts_of(by: &Actor, tenant: &Tenant, rule: impl std::fmt::Display) -> Vec<Value> {
    by.get(&inside(tenant, &format!("alerts?rule={rule}"))).await.expect(200).items().to_vec()
}

/// An id that an entry written now could have.
const ID: &str = "(lpad(to_hex((extract(epoch FROM clock_timestamp()) * 1000)::bigint), 12, '0')
    || '7' || substr(replace(gen_random_uuid()::text, '-', ''), 14))::uuid";

/// The statement that writes so many entries of a kind into an organisation's record, by somebody.
fn entries(organization: Uuid, event: &str, actor: Option<Uuid>, number: u32) -> String {
    let (kind, actor) = match actor {
        Some(id) => ("account", format!("'{id}'")),
        None => ("anonymous", "NULL".to_owned()),
    };
    format!(
        "INSERT INTO audit_entries (id, organization_id, occurred_at, event, severity, class, outcome, actor_type, actor_id,
             target_type, metadata)
         SELECT {ID}, '{organization}', now(), '{event}', 'low', 'normal', 'success', '{kind}', {actor}, 'x', '{{}}'
         FROM generate_series(1, {number})"
    )
}

/// Writes entries, and looks at them.
async fn happen(world: &World, psql: &mut Psql, sql: &str) -> usize {
    psql.run(sql).await.unwrap();
    world.server.look_at_the_record().await
}
