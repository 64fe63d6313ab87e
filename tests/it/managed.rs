//! Managed accounts: an account is a person's, and only its manager reaches beyond its own organisation.

use std::collections::BTreeMap;

use reqwest::Method;
use serde_json::json;
use uuid::Uuid;

use crate::{
    coverage::{Operation, Stage, operations},
    harness::{Actor, Answer, Login, PASSWORD},
    path::switch,
    world::{Person, Tenant, World},
};

fn path(tenant: &Tenant, account: Uuid, rest: &str) -> String {
    format!("/v1/organizations/{}/managed-accounts/{account}/{rest}", tenant.id)
}

async fn manage(world: &World, account: Uuid, by: Option<Uuid>) -> Answer {
    let manager = format!("/v1/accounts/{account}/manager");
    world.platform.request(Method::PUT, &manager).json(&json!({"organization_id": by})).send().await
}

async fn sign_in(world: &World, person: &Person) -> Answer {
    let body = json!({"email": person.email, "password": PASSWORD, "token_delivery": "body"});
    world.server.nobody().post("/v1/sessions", body).await
}

async fn block(actor: &Actor, tenant: &Tenant, account: Uuid) -> Answer {
    actor.post(&path(tenant, account, "block"), json!({"reason": "Left the company"})).await
}

/// The events about an account in the record of an organisation, with how often.
async fn record(world: &World, organization: Uuid, account: Uuid) -> BTreeMap<String, i64> {
    let query = format!(
        "SELECT event, count(*) AS number FROM audit_entries WHERE organization_id = '{organization}'
         AND (target_id = '{account}' OR (actor_id = '{account}' AND target_type = 'session')) GROUP BY event"
    );
    let rows = world.database.psql(Login::Owner).await.rows(&query).await;
    rows.iter().map(|row| (row["event"].as_str().unwrap().to_owned(), row["number"].as_i64().unwrap())).collect()
}

/// Proves AZ-12.
#[tokio::test]
async fn the_managing_organisations_administrator_acts_on_the_account_as_a_whole() {
    let world = World::open().await;
    let (a, subject) = (&world.a, &world.a.subject);
    let list = a.admin.get(&format!("/v1/organizations/{}/managed-accounts", a.id)).await.expect(200);
    assert_eq!(list.items().len(), 1, "{list}");
    let one = &list.items()[0];
    assert_eq!((&one["id"], &one["email"]), (&json!(subject.account), &json!(subject.email)));
    assert_eq!((&one["member_id"], &one["effective_roles"]), (&json!(subject.membership), &json!(["member"])));

    a.admin.delete(&path(a, subject.account, "sessions")).await.expect(204);
    subject.get("/v1/me").await.expect(401).problem("session_ended");
    let token = sign_in(&world, subject).await.expect(201).text_at("/access_token").to_owned();
    let session = world.server.bearer(&token);
    block(&a.admin, a, subject.account).await.expect(200);
    session.get("/v1/me").await.expect(401);
    sign_in(&world, subject).await.expect(401);
    let list = a.auditor.get(&format!("/v1/organizations/{}/managed-accounts", a.id)).await.expect(200);
    let blocked = (list.items()[0]["state"].clone(), list.items()[0]["blocked_by"].clone());
    assert_eq!(blocked, (json!("blocked"), json!("organization")));
    a.admin.post_nothing(&path(a, subject.account, "unblock")).await.expect(200);
    sign_in(&world, subject).await.expect(201);
    world.close().await;
}

/// Proves AZ-12, AUT-6.
#[tokio::test]
async fn the_managing_organisations_administrator_ends_a_lock() {
    let world = World::open().await;
    let (a, subject) = (&world.a, &world.a.subject);
    let body = json!({"email": subject.email, "password": "Wrong-horse-battery-7", "token_delivery": "body"});
    for _ in 0..5 {
        world.server.nobody().post("/v1/sessions", body.clone()).await.expect(401);
    }
    sign_in(&world, subject).await.expect(429);
    let managed = format!("/v1/organizations/{}/managed-accounts", a.id);
    let list = a.admin.get(&managed).await.expect(200);
    assert!(list.items()[0]["locked_until"].is_string(), "{list}");
    world.b.admin.post_nothing(&path(&world.b, subject.account, "unlock")).await.expect(404);
    a.manager.post_nothing(&path(a, subject.account, "unlock")).await.expect(403);
    a.admin.post_nothing(&path(a, subject.account, "unlock")).await.expect(204);
    assert!(a.admin.get(&managed).await.expect(200).items()[0].get("locked_until").is_none());
    sign_in(&world, subject).await.expect(201);
    let record = record(&world, a.id, subject.account).await;
    assert_eq!((record["session.failed"], record["account.locked"], record["account.unlocked"]), (5, 1, 1));
    world.close().await;
}

/// Proves AUD-2, AZ-12, AZ-9.
#[tokio::test]
async fn events_about_an_account_are_the_platforms_and_the_managers_and_nobody_elses() {
    let world = World::open().await;
    let (a, b, subject) = (&world.a, &world.b, &world.a.subject);
    let platform: Uuid = entity::OrganizationId::PLATFORM.into();
    let token = sign_in(&world, subject).await.expect(201);
    let session = world.server.bearer(token.text_at("/access_token"));
    session.patch("/v1/me", json!({"name": "Grace"})).await.expect(200);
    // A token that comes twice: nobody is signed in, and the session says whose it is.
    let refresh = json!({"refresh_token": token.text_at("/refresh_token")});
    world.server.nobody().post("/v1/sessions/refresh", refresh.clone()).await.expect(200);
    world.server.nobody().post("/v1/sessions/refresh", refresh).await.expect(401);
    let mut psql = world.database.psql(Login::Owner).await;
    for event in ["session.created", "account.updated", "session.refresh_token_reused"] {
        let homes = format!(
            "SELECT organization_id FROM audit_entries WHERE event = '{event}'
             AND (target_id = '{}' OR target_id = '{}') ORDER BY 1",
            subject.account,
            token.id_at("/session/id")
        );
        let homes: Vec<_> = psql.rows(&homes).await.iter().map(|row| row["organization_id"].clone()).collect();
        let mut expected = vec![json!(platform), json!(a.id)];
        expected.sort_by_key(ToString::to_string);
        assert_eq!(homes, expected, "{event}");
    }
    // The manager finds it by its words.
    let found = a.admin.get(&format!("/v1/organizations/{}/audit?text=refresh_token_reused", a.id)).await.expect(200);
    assert_eq!(found.items().len(), 1, "{found}");

    // Whoever manages it next has what happens from then on.
    let before = record(&world, a.id, subject.account).await;
    manage(&world, subject.account, Some(b.id)).await.expect(200);
    let parted = record(&world, a.id, subject.account).await;
    let changes = |record: &BTreeMap<String, i64>| record.get("account.manager_changed").copied().unwrap_or_default();
    assert_eq!(changes(&parted), changes(&before) + 1, "the old manager is told");
    sign_in(&world, subject).await.expect(201);
    let mut after = record(&world, a.id, subject.account).await;
    after.remove("organization.entered");
    let mut parted = parted;
    parted.remove("organization.entered");
    assert_eq!(after, parted);
    let theirs = record(&world, b.id, subject.account).await;
    assert_eq!((changes(&theirs), theirs["session.created"]), (1, 1), "{theirs:?}");
    manage(&world, subject.account, None).await.expect(200);
    a.admin.delete(&path(a, subject.account, "sessions")).await.expect(404);
    b.admin.delete(&path(b, subject.account, "sessions")).await.expect(404);
    world.close().await;
}

/// Proves AZ-9, AZ-12.
#[tokio::test]
async fn postgresql_lets_a_stranger_write_into_a_managers_record_only_what_is_about_the_account() {
    let world = World::open().await;
    let (a, b) = (&world.a, &world.b);
    let mut psql = world.database.psql(Login::Application).await;
    // In B's organisation, as B's member, about A's people.
    psql.act(Some(b.id), Some(b.member.account)).await;
    let entry = |id: Uuid, kind: &str, target: Uuid| {
        format!(
            "INSERT INTO audit_entries (id, organization_id, occurred_at, event, severity, class, outcome, actor_type, target_type, target_id, metadata)
             VALUES ('{id}', '{}', now(), 'account.updated', 'low', 'normal', 'success', 'system', '{kind}', '{target}', '{{}}')",
            a.id
        )
    };
    let word = |id: Uuid| {
        format!("INSERT INTO audit_words (organization_id, word, entry_id) VALUES ('{}', 'word', '{id}')", a.id)
    };
    let fresh = || freehold::runtime::Ids.next::<Uuid>();
    assert!(psql.run(&entry(fresh(), "account", a.member.account)).await.is_err(), "an account that A does not manage");
    assert!(psql.run(&entry(fresh(), "account", b.subject.account)).await.is_err(), "another manager's");
    assert!(psql.run(&entry(fresh(), "member", a.subject.account)).await.is_err(), "nothing but accounts");
    assert!(psql.run(&word(a.entry)).await.is_err(), "a word of an entry that somebody else wrote");
    let own = fresh();
    let both = format!("BEGIN; {}; {}; COMMIT", entry(own, "account", a.subject.account), word(own));
    psql.run(&both).await.unwrap();
    assert!(psql.run(&word(own)).await.is_err(), "a word of an entry from before");
    world.close().await;
}

/// Proves AZ-12, AZ-8.
#[tokio::test]
async fn nobody_reaches_above_their_own_role() {
    let world = World::open().await;
    let a = &world.a;
    for person in [&a.owner, &a.admin, &a.member, &world.platform] {
        manage(&world, person.account, Some(a.id)).await.expect(200);
    }
    block(&a.admin, a, a.owner.account).await.expect(403).problem("role_above_own");
    a.admin.delete(&path(a, a.owner.account, "sessions")).await.expect(403).problem("role_above_own");
    a.admin.post_nothing(&path(a, a.owner.account, "unlock")).await.expect(403).problem("role_above_own");
    // Nor do owners reach those who run the platform, who are no members here.
    block(&a.owner, a, world.platform.account).await.expect(403).problem("role_above_own");
    world.platform.get("/v1/me").await.expect(200);
    let refused = record(&world, a.id, a.owner.account).await;
    assert_eq!(refused["account.change_refused"], 3, "{refused:?}");
    // Nobody locks themselves out; downwards it works.
    block(&a.admin, a, a.admin.account).await.expect(409);
    block(&a.admin, a, a.member.account).await.expect(200);
    // What the platform has blocked stays blocked.
    let by_platform = format!("/v1/accounts/{}/block", a.member.account);
    world.platform.post(&by_platform, json!({"reason": "Abuse"})).await.expect(200);
    let unblock = path(a, a.member.account, "unblock");
    a.owner.post_nothing(&unblock).await.expect(409).problem("blocked_by_platform");
    let list = a.owner.get(&format!("/v1/organizations/{}/managed-accounts", a.id)).await.expect(200);
    let one = list.items().iter().find(|one| one["id"] == json!(a.member.account)).unwrap();
    assert_eq!(one["blocked_by"], "platform");
    world.platform.post_nothing(&format!("/v1/accounts/{}/unblock", a.member.account)).await.expect(200);
    sign_in(&world, &a.member).await.expect(201);
    world.close().await;
}

/// Proves AZ-12.
#[tokio::test]
async fn only_a_tenant_that_is_there_manages() {
    let world = World::open().await;
    let account = world.a.member.account;
    let platform: Uuid = entity::OrganizationId::PLATFORM.into();
    for id in [world.closed, platform, Uuid::from_u128(7)] {
        let refused = manage(&world, account, Some(id)).await.expect(422);
        assert_eq!(refused.faults(), ["/organization_id"], "{refused}");
    }
    let manager = format!("/v1/accounts/{account}/manager");
    let missing = world.platform.request(Method::PUT, &manager).json(&json!({})).send().await.expect(422);
    assert_eq!(missing.faults(), ["/organization_id"]);
    manage(&world, Uuid::from_u128(7), Some(world.a.id)).await.expect(404);
    let set = manage(&world, account, Some(world.a.id)).await.expect(200);
    assert_eq!(set.json["manager"]["id"], json!(world.a.id));
    // Once more changes nothing.
    manage(&world, account, Some(world.a.id)).await.expect(200);
    assert_eq!(record(&world, world.a.id, account).await["account.manager_changed"], 1);
    world.close().await;
}

/// Everything about the account, and about its places, of somebody.
async fn state(world: &World, person: &Person, elsewhere: Uuid) -> String {
    let query = format!(
        "SELECT (SELECT to_jsonb(a) - 'last_sign_in_at' FROM accounts a WHERE id = '{0}')::text
             || (SELECT string_agg(s.id || coalesce(s.ended_at::text, ''), ',' ORDER BY s.id) FROM sessions s WHERE account_id = '{0}')
             || (SELECT to_jsonb(m) FROM memberships m WHERE account_id = '{0}' AND organization_id = '{elsewhere}')::text
             || (SELECT count(*) FROM audit_entries WHERE target_id = '{0}')",
        person.account
    );
    world.database.psql(Login::Owner).await.text(&query).await
}

/// Every operation that takes the id of an account or of a member, and the ids that one could try.
fn about_people() -> Vec<&'static Operation> {
    let about =
        |operation: &&Operation| operation.path.contains("{account_id}") || operation.path.contains("{member_id}");
    operations().iter().filter(about).collect()
}

/// Proves AZ-12, AZ-9.
#[tokio::test]
async fn who_invites_somebody_elses_owner_can_do_nothing_to_them_but_in_the_own_organisation() {
    let stage = Stage::open().await;
    let (a, victim) = (&stage.a, &stage.b.owner);
    // A's administrator invites B's owner, who accepts.
    let invite = json!({"email": victim.email, "role": "member"});
    a.admin.post(&format!("/v1/organizations/{}/invitations", a.id), invite).await.expect(201);
    let token = stage.database.mail().take_token(&victim.email).await;
    victim.post("/v1/me/invitations", json!({"token": token})).await.expect(200);
    let guest = {
        let list = a.admin.get(&format!("/v1/organizations/{}/members?search={}", a.id, victim.email)).await;
        list.expect(200).id_at("/items/0/id")
    };
    let before = state(&stage, victim, stage.b.id).await;
    let operations = about_people();
    assert!(operations.len() > 12, "only {} operations take a person", operations.len());
    for operation in operations {
        // By the account wherever it is asked for, by the membership in B, and under B's own path.
        for organization in [a.id, stage.b.id] {
            let call = stage.call(operation, a).id("organization_id", organization).id("account_id", victim.account);
            let call = call.id("member_id", victim.membership);
            for actor in [&a.admin, &a.owner] {
                let answer = stage.send(operation, actor, &call).await;
                assert!(matches!(answer.status, 403 | 404), "{}: {answer}", operation.id);
            }
        }
        assert_eq!(state(&stage, victim, stage.b.id).await, before, "{} changed something", operation.id);
    }
    // In the own organisation they are a member like any other.
    let member = format!("/v1/organizations/{}/members/{guest}", a.id);
    a.admin.patch(&member, json!({"status": "blocked"})).await.expect(200);
    a.admin.delete(&member).await.expect(204);
    assert_eq!(state(&stage, victim, stage.b.id).await, before);
    switch(victim, stage.b.id).await;
    victim.get(&format!("/v1/organizations/{}/members", stage.b.id)).await.expect(200);
    stage.close().await;
}
