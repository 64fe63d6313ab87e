//! Thousands of writes at once, and the instance that does them killed among them: what was acknowledged has its entry,
//! and what there is has one too.

use std::sync::{Arc, Mutex};

use reqwest::Method;
use serde_json::json;
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::{
    harness::{Actor, Login, Process},
    world::World,
};

/// How many writes are acknowledged; the long runs say so in `FREEHOLD_TEST_WRITES`.
const WRITES: usize = 1000;
/// How often the instance is killed meanwhile.
const KILLS: usize = 4;
/// How many write at once.
const CLIENTS: usize = 32;

type Acknowledged = Arc<Mutex<Vec<Uuid>>>;

async fn write(owner: Actor, path: String, name: String, acknowledged: Acknowledged) {
    for number in 0.. {
        let body = json!({"email": format!("{name}n{number}@example.com"), "role": "member"});
        let Ok(answer) = owner.request(Method::POST, &path).json(&body).try_send().await else { return };
        acknowledged.lock().unwrap().push(answer.expect(201).id_at("/id"));
    }
}

/// Proves AUD-2.
#[tokio::test]
async fn killed_among_thousands_of_writes_no_action_lacks_its_entry_and_no_entry_its_action() {
    let world = World::open().await;
    let a = &world.a;
    #[expect(clippy::disallowed_methods, reason = "the long runs of the tests are asked for by the environment")]
    let writes = std::env::var("FREEHOLD_TEST_WRITES").ok().and_then(|text| text.parse().ok()).unwrap_or(WRITES);
    let mut own = Process::variables(&world.database).to_vec();
    own.push(("FREEHOLD_LIMITS_ACCOUNT_QUOTA", "1000000".to_owned()));
    let own: Vec<(&str, &str)> = own.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let (acknowledged, path) = (Acknowledged::default(), format!("/v1/organizations/{}/invitations", a.id));
    for round in 1..=KILLS {
        let mut process = Process::among_others(&own);
        let nobody = process.ready().await;
        let mut clients = JoinSet::new();
        for client in 0..CLIENTS {
            let owner = a.owner.at_server_of(&nobody);
            clients.spawn(write(owner, path.clone(), format!("r{round}c{client}"), acknowledged.clone()));
        }
        while acknowledged.lock().unwrap().len() < writes * round / KILLS {
            assert!(!clients.is_empty(), "nobody writes any more: {}", process.output());
            tokio::time::sleep(std::time::Duration::from_millis(2)).await;
        }
        process.kill_9();
        while let Some(ended) = clients.join_next().await {
            ended.unwrap();
        }
    }
    let acknowledged = std::mem::take(&mut *acknowledged.lock().unwrap());
    assert!(acknowledged.len() >= writes);
    let mut psql = world.database.psql(Login::Owner).await;
    let list = acknowledged.iter().map(Uuid::to_string).collect::<Vec<_>>().join(",");
    let lost = format!(
        "SELECT count(*) FROM unnest('{{{list}}}'::uuid[]) x (id) WHERE NOT EXISTS (SELECT FROM invitations t WHERE t.id = x.id)
            OR (SELECT count(*) FROM audit_entries e WHERE e.target_id = x.id AND e.event = 'invitation.created') <> 1"
    );
    assert_eq!(psql.number(&lost).await, 0, "acknowledged and lost");
    let without = "SELECT count(*) FROM invitations t WHERE NOT EXISTS (
        SELECT FROM audit_entries e WHERE e.organization_id = t.organization_id AND e.target_id = t.id AND e.event = 'invitation.created')";
    assert_eq!(psql.number(without).await, 0, "an action without its entry");
    let nothing = "SELECT count(*) FROM audit_entries e WHERE e.event = 'invitation.created' AND NOT EXISTS (
        SELECT FROM invitations t WHERE t.id = e.target_id)";
    assert_eq!(psql.number(nothing).await, 0, "an entry without its action");
    // With each entry lies what is personal of it, and its words.
    let alone = "SELECT count(*) FROM audit_entries e WHERE e.event = 'invitation.created' AND (
        NOT EXISTS (SELECT FROM audit_personal p WHERE p.id = e.id) OR NOT EXISTS (SELECT FROM audit_words w WHERE w.entry_id = e.id))";
    assert_eq!(psql.number(alone).await, 0, "an entry without what lies beside it");
    world.close().await;
}
