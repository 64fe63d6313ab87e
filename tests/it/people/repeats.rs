//! Versions that are stale, and calls that are made twice.

use reqwest::Method;
use serde_json::{Value, json};

use super::member;
use crate::{
    harness::{Actor, Answer, Login},
    world::World,
};

async fn patch_if(actor: &Actor, path: &str, etag: &str, body: Value) -> Answer {
    actor.request(Method::PATCH, path).header("if-match", etag).json(&body).send().await
}

/// Proves API-2.
#[tokio::test]
async fn an_update_of_what_has_changed_meanwhile_is_refused() {
    let world = World::open().await;
    let a = &world.a;
    let organization = format!("/v1/organizations/{}", a.id);
    let membership = member(a, &a.member);
    for (actor, path, change, other) in [
        (&a.owner, organization.as_str(), json!({"name": "First"}), json!({"name": "Second"})),
        (&a.owner, &membership, json!({"role": "manager"}), json!({"role": "admin"})),
        (&a.admin, "/v1/me", json!({"name": "First"}), json!({"name": "Second"})),
    ] {
        let read = actor.get(path).await.expect(200);
        let etag = read.header("etag").to_owned();
        assert_eq!(etag, format!("\"{}\"", read.json.get("version").unwrap_or(&read.json["account"]["version"])));
        let changed = patch_if(actor, path, &etag, change.clone()).await.expect(200);
        assert_ne!(changed.header("etag"), etag);
        patch_if(actor, path, &etag, other.clone()).await.expect(412).problem("precondition_failed");
        for odd in ["\"0\"", "W/\"2\"", "nonsense"] {
            patch_if(actor, path, odd, other.clone()).await.expect(412).problem("precondition_failed");
        }
        assert_eq!(actor.get(path).await.expect(200).header("etag"), changed.header("etag"), "a refusal changed it");
        patch_if(actor, path, "*", other.clone()).await.expect(200);
        actor.patch(path, change).await.expect(200);
    }
    let stale = a.owner.request(Method::DELETE, &organization).header("if-match", "\"1\"").send().await;
    stale.expect(412).problem("precondition_failed");
    a.owner.get(&organization).await.expect(200);
    world.close().await;
}

/// Proves API-2.
#[tokio::test]
async fn of_two_who_change_the_same_version_one_wins() {
    let world = World::open().await;
    let path = member(&world.a, &world.a.member);
    let etag = world.a.owner.get(&path).await.expect(200).header("etag").to_owned();
    let answers = tokio::join!(
        patch_if(&world.a.owner, &path, &etag, json!({"role": "manager"})),
        patch_if(&world.a.admin, &path, &etag, json!({"role": "auditor"})),
    );
    let mut statuses = [answers.0.status, answers.1.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 412], "{} {}", answers.0, answers.1);
    world.close().await;
}

async fn create(actor: &Actor, path: &str, key: &str, body: &Value) -> Answer {
    actor.request(Method::POST, path).header("idempotency-key", key).json(body).send().await
}

/// Proves API-2.
#[tokio::test]
async fn the_same_key_does_the_work_once() {
    let world = World::open().await;
    let (path, body) = ("/v1/organizations", json!({"name": "Once"}));
    let calls = (0..6).map(|_| create(&world.platform, path, "key-1", &body));
    let answers = futures_util::future::join_all(calls).await;
    for answer in answers.iter().filter(|answer| answer.status != 201) {
        answer.clone().expect(409).problem("idempotency_in_progress");
    }
    let first = answers.iter().find(|answer| answer.status == 201).expect("none was done");
    let replay = create(&world.platform, path, "key-1", &body).await.expect(201);
    assert_eq!((&replay.json, replay.header("location")), (&first.json, first.header("location")));
    assert_eq!(replay.header("idempotency-replayed"), "true");
    let mut psql = world.database.psql(Login::Owner).await;
    let count = "SELECT count(*) FROM organizations WHERE name = 'Once'";
    assert_eq!(psql.number(count).await, 1);
    let entries = "SELECT count(*) FROM audit_entries e JOIN organizations o ON o.id = e.organization_id
                   WHERE o.name = 'Once' AND event = 'organization.created'";
    assert_eq!(psql.number(entries).await, 1);
    // The key belongs to the first request.
    let other = create(&world.platform, path, "key-1", &json!({"name": "Twice"})).await;
    other.expect(422).problem("idempotency_key_reused");
    create(&world.platform, path, "key-2", &body).await.expect(201);
    assert_eq!(psql.number(count).await, 2);
    for wrong in ["", "a b", &"k".repeat(256)] {
        let answer = create(&world.platform, path, wrong, &body).await.expect(422).problem("invalid_request");
        assert_eq!(answer.faults(), ["Idempotency-Key"], "{answer}");
    }
    world.close().await;
}

/// Proves API-2.
#[tokio::test]
async fn a_key_is_nobody_elses() {
    let world = World::open().await;
    let body = json!({"email": "shared@example.com", "role": "member"});
    let mut made = Vec::new();
    for tenant in [&world.a, &world.b] {
        let path = format!("/v1/organizations/{}/invitations", tenant.id);
        made.push(create(&tenant.owner, &path, "shared", &body).await.expect(201).json["id"].clone());
        // Another person of the same organisation does not get the answer, but runs into the work itself.
        create(&tenant.admin, &path, "shared", &body).await.expect(409).problem("already_invited");
        let replay = create(&tenant.owner, &path, "shared", &body).await.expect(201);
        assert_eq!(Some(&replay.json["id"]), made.last());
    }
    made.dedup();
    assert_eq!(made.len(), 2);
    world.database.mail().take("shared@example.com").await;
    world.database.mail().take("shared@example.com").await;
    assert_eq!(world.database.mail().count("shared@example.com").await, 2);
    world.close().await;
}

/// Proves API-2.
#[tokio::test]
async fn the_key_of_a_refused_call_can_be_used_again() {
    let world = World::open().await;
    let a = &world.a;
    let path = format!("/v1/organizations/{}/invitations", a.id);
    let mut body = json!({"email": a.member.email, "role": "member"});
    create(&a.owner, &path, "again", &body).await.expect(409).problem("already_member");
    body["role"] = json!("wizard");
    create(&a.owner, &path, "again", &body).await.expect(422).problem("invalid_request");
    let above = json!({"email": "above@example.com", "role": "owner"});
    create(&a.admin, &path, "above", &above).await.expect(403).problem("role_above_own");
    create(&a.admin, &path, "above", &above).await.expect(403).problem("role_above_own");
    body["role"] = json!("member");
    body["email"] = json!("again@example.com");
    let made = create(&a.owner, &path, "again", &body).await.expect(201);
    assert_eq!(create(&a.owner, &path, "again", &body).await.expect(201).json, made.json);
    world.close().await;
}
