//! Who may do what with service accounts, and what those may do.

use chrono::TimeDelta;
use reqwest::Method;
use serde_json::json;

use super::{path, service};
use crate::{
    coverage::{Stage, operations},
    harness::{Login, PASSWORD},
    world::World,
};
use freehold::authz::{Reauthentication, Scope};

/// Proves SES-6, AZ-8.
#[tokio::test]
async fn nobody_makes_changes_or_unlocks_one_with_a_role_above_their_own() {
    let world = World::open().await;
    let (owner, admin) = (&world.a.owner, &world.a.admin);
    let accounts = path(&world.a, "service-accounts");
    let above = service(&world.a, "Above", "owner").await;
    let below = service(&world.a, "Below", "manager").await;
    admin.post(&accounts, json!({"name": "X", "role": "owner"})).await.expect(403).problem("role_above_own");
    admin.patch(&below.path, json!({"role": "owner"})).await.expect(403).problem("role_above_own");
    admin.patch(&above.path, json!({"role": "member"})).await.expect(403).problem("role_above_own");
    let keys = format!("{}/keys", above.path);
    admin.post(&keys, json!({"name": "Mine"})).await.expect(403).problem("role_above_own");
    admin.delete(&format!("{keys}/{}", above.key_id)).await.expect(403).problem("role_above_own");
    for act in ["disable", "enable"] {
        admin.post_nothing(&format!("{}/{act}", above.path)).await.expect(403).problem("role_above_own");
    }
    admin.delete(&above.path).await.expect(403).problem("role_above_own");
    let record = owner.get(&path(&world.a, "audit?event=service_account.change_refused")).await.expect(200);
    assert_eq!(record.items().len(), 8, "{record}");
    // The platform's role is no program's, whoever asks.
    for role in ["platform_admin", "nonsense"] {
        let answer = owner.post(&accounts, json!({"name": "Y", "role": role})).await.expect(422);
        assert_eq!(answer.faults(), ["/role"]);
    }
    let platform = "/v1/organizations/00000000-0000-7000-8000-000000000001/service-accounts";
    world.platform.post(platform, json!({"name": "Y", "role": "platform_admin"})).await.expect(422);
    // A program that may make programs makes none above itself.
    let robot = service(&world.a, "Robot", "admin").await;
    robot.actor.post(&accounts, json!({"name": "Child", "role": "admin"})).await.expect(201);
    let refused = robot.actor.post(&accounts, json!({"name": "Heir", "role": "owner"})).await.expect(403);
    refused.problem("role_above_own");
    admin.patch(&below.path, json!({"role": "admin"})).await.expect(200);
    below.actor.get(&path(&world.a, "audit")).await.expect(200);
    world.close().await;
}

/// Proves SES-6, AZ-4.
#[tokio::test]
async fn a_key_may_what_its_role_may_and_nothing_that_only_people_do() {
    let stage = Stage::open().await;
    let robot = service(&stage.a, "Robot", "owner").await;
    let (mut people, mut open) = (0, 0);
    for operation in operations() {
        let answer = stage.admits(operation, &robot.actor, &stage.call(operation, &stage.a)).await;
        let only_people = matches!(operation.policy.scope, Scope::Own | Scope::Platform)
            || operation.policy.reauthentication == Reauthentication::Required;
        let expected = if only_people { (403, "people_only") } else { (422, "invalid_request") };
        assert_eq!((answer.status, answer.problem_code()), (expected.0, Ok(expected.1)), "{}", operation.id);
        people += usize::from(only_people);
        open += usize::from(operation.policy.scope == Scope::Organization && !only_people);
    }
    assert!(people > 50 && open > 40, "{people} {open}");
    // An import is somebody's, who starts it.
    let import = json!({"content": "ZW1haWwKZ3JhY2VAZXhhbXBsZS5jb20K", "format": "csv"});
    robot.actor.post(&path(&stage.a, "imports"), import).await.expect(403).problem("people_only");
    let plain = service(&stage.a, "Plain", "member").await;
    plain.actor.get(&path(&stage.a, "members")).await.expect(403).problem("forbidden");
    // What is one's own needs a membership, which a program has not.
    let own = path(&stage.a, &format!("members/{}", stage.a.member.membership));
    plain.actor.get(&own).await.expect(403).problem("forbidden");
    let auditor = service(&stage.a, "Auditor", "auditor").await;
    auditor.actor.get(&path(&stage.a, "audit")).await.expect(200);
    auditor.actor.post(&path(&stage.a, "teams"), json!({"name": "T"})).await.expect(403).problem("forbidden");
    stage.server.flush_refusals().await;
    let record = stage.a.owner.get(&path(&stage.a, &format!("audit?actor_id={}", plain.id))).await.expect(200);
    assert_eq!(record.items()[0]["event"], "access.refused");
    assert_eq!(record.items()[0]["actor"]["type"], "service");
    stage.close().await;
}

/// Proves SES-6, AUD-2.
#[tokio::test]
async fn what_a_program_does_is_recorded_as_its_own() {
    let world = World::open().await;
    let robot = service(&world.a, "Shift planner", "admin").await;
    let team = robot.actor.post(&path(&world.a, "teams"), json!({"name": "Night"})).await.expect(201).id_at("/id");
    let record = world.a.owner.get(&path(&world.a, &format!("audit?target_id={team}"))).await.expect(200);
    let actor = json!({"type": "service", "id": robot.id, "name": "Shift planner"});
    assert_eq!(record.items()[0]["actor"], actor);
    assert_eq!(record.items()[0]["event"], "team.created");
    // Two programs that choose the same idempotency key do not see each other's answers.
    let other = service(&world.a, "Other", "admin").await;
    let create = async |by: &super::Service, name: &str| {
        let request = by.actor.request(Method::POST, &path(&world.a, "teams")).json(&json!({"name": name}));
        request.header("idempotency-key", "same").send().await.expect(201).id_at("/id")
    };
    assert_ne!(create(&robot, "One").await, create(&other, "Two").await);
    // Whoever made it leaves; it belongs to the organisation and goes on.
    let leaves = path(&world.a, &format!("members/{}", world.a.admin.membership));
    let by_admin = path(&world.a, "service-accounts");
    let made = world.a.admin.post(&by_admin, json!({"name": "Left behind", "role": "manager"})).await.expect(201);
    let made = format!("{by_admin}/{}", made.id_at("/id"));
    let key = world.a.admin.post(&format!("{made}/keys"), json!({"name": "K"})).await.expect(201);
    world.a.owner.delete(&leaves).await.expect(204);
    let left = world.server.bearer(key.text_at("/key"));
    left.get(&path(&world.a, "members")).await.expect(200);
    world.close().await;
}

/// Proves SES-6, AZ-8.
#[tokio::test]
async fn an_invitation_by_a_program_is_worth_what_the_program_is() {
    let world = World::open().await;
    let robot = service(&world.a, "Robot", "admin").await;
    let invite = json!({"email": "hired@example.com", "role": "manager"});
    robot.actor.post(&path(&world.a, "invitations"), invite).await.expect(201);
    let token = json!({"token": world.database.mail().take_token("hired@example.com").await});
    let nobody = world.server.nobody();
    nobody.post("/v1/invitations/lookup", token.clone()).await.expect(200);
    world.a.owner.patch(&robot.path, json!({"role": "member"})).await.expect(200);
    nobody.post("/v1/invitations/lookup", token.clone()).await.expect(404).problem("invitation_not_valid");
    world.a.owner.patch(&robot.path, json!({"role": "manager"})).await.expect(200);
    nobody.post("/v1/invitations/lookup", token.clone()).await.expect(200);
    world.a.owner.post_nothing(&format!("{}/disable", robot.path)).await.expect(200);
    nobody.post("/v1/invitations/lookup", token.clone()).await.expect(404);
    world.a.owner.delete(&robot.path).await.expect(204);
    nobody.post("/v1/invitations/lookup", token).await.expect(404);
    world.close().await;
}

/// Proves SES-6.
#[tokio::test]
async fn there_are_only_so_many_and_names_are_taken_once() {
    let world = World::open().await;
    let (owner, accounts) = (&world.a.owner, path(&world.a, "service-accounts"));
    let robot = service(&world.a, "Robot", "member").await;
    let again = json!({"name": " ROBOT ", "role": "member"});
    owner.post(&accounts, again).await.expect(409).problem("service_account_name_taken");
    let keys = format!("{}/keys", robot.path);
    for number in 2..=10 {
        owner.post(&keys, json!({"name": format!("Key {number}")})).await.expect(201);
    }
    owner.post(&keys, json!({"name": "Eleven"})).await.expect(409).problem("too_many_api_keys");
    owner.delete(&format!("{keys}/{}", robot.key_id)).await.expect(204);
    owner.delete(&format!("{keys}/{}", robot.key_id)).await.expect(204);
    owner.post(&keys, json!({"name": "Eleven"})).await.expect(201);
    assert_eq!(owner.get(&robot.path).await.expect(200).json["key_count"], 10);
    let mut psql = world.database.psql(Login::Owner).await;
    let fill = format!(
        "INSERT INTO service_accounts (id, organization_id, name, name_key, role, state, created_at, updated_at)
         SELECT gen_random_uuid(), '{}', 'Nr ' || n, 'nr ' || n, 'member', 'active', now(), now()
         FROM generate_series(1, 100 - (SELECT count(*)::int FROM service_accounts WHERE organization_id = '{0}')) n",
        world.a.id
    );
    psql.run(&fill).await.unwrap();
    let one_more = json!({"name": "One more", "role": "member"});
    owner.post(&accounts, one_more).await.expect(409).problem("too_many_service_accounts");
    // A key that was revoked long ago is not listed for ever.
    psql.run("UPDATE api_keys SET revoked_at = now() - interval '91 days' WHERE revoked_at IS NOT NULL").await.unwrap();
    let last = owner.get(&keys).await.expect(200).items()[0]["id"].as_str().unwrap().to_owned();
    owner.delete(&format!("{keys}/{last}")).await.expect(204);
    owner.post(&keys, json!({"name": "Twelve"})).await.expect(201);
    let listed = owner.get(&keys).await.expect(200);
    assert!(listed.items().iter().all(|key| key["id"] != robot.key_id.to_string()), "{listed}");
    drop(psql);
    world.close().await;
}

/// Proves SES-6, AUT-7.
#[tokio::test]
async fn what_gives_lasting_access_asks_who_one_is() {
    let world = World::configured(&[("FREEHOLD_TOKENS_REAUTHENTICATION_WINDOW", "5m")]).await;
    let owner = &world.a.owner;
    owner.post("/v1/session/reauthenticate", json!({"password": PASSWORD})).await.expect(200);
    let robot = service(&world.a, "Robot", "member").await;
    world.server.advance(TimeDelta::minutes(6));
    let key = owner.post(&format!("{}/keys", robot.path), json!({"name": "K"})).await.expect(403);
    key.problem("reauthentication_required");
    owner.patch(&robot.path, json!({"role": "owner"})).await.expect(403).problem("reauthentication_required");
    // To take access away must not wait for a password.
    owner.post_nothing(&format!("{}/disable", robot.path)).await.expect(200);
    let enable = owner.post_nothing(&format!("{}/enable", robot.path)).await.expect(403);
    enable.problem("reauthentication_required");
    owner.delete(&format!("{}/keys/{}", robot.path, robot.key_id)).await.expect(204);
    owner.delete(&robot.path).await.expect(204);
    world.close().await;
}

/// Proves SES-6, NET-4.
#[tokio::test]
async fn each_key_has_a_limit_of_its_own_and_unknown_ones_share_their_networks() {
    let settings = [("FREEHOLD_LIMITS_SERVICE_KEY_QUOTA", "3"), ("FREEHOLD_LIMITS_ANONYMOUS_READ_QUOTA", "5")];
    let world = World::configured(&settings).await;
    let own = format!("/v1/organizations/{}", world.a.id);
    let (busy, other) = (service(&world.a, "Busy", "member").await, service(&world.a, "Other", "member").await);
    for left in [2, 1, 0] {
        let answer = busy.actor.get(&own).await.expect(200);
        assert_eq!(answer.header("ratelimit-policy"), r#""service-key";q=3;w=60"#);
        assert!(answer.header("ratelimit").starts_with(&format!(r#""service-key";r={left};"#)), "{answer}");
    }
    busy.actor.get(&own).await.expect(429).problem("too_many_requests");
    other.actor.get(&own).await.expect(200);
    // A whole key that nobody has any more is looked up only as often as a stranger may ask.
    let late = service(&world.a, "Late", "member").await;
    world.a.owner.delete(&other.path).await.expect(204);
    for _ in 0..5 {
        other.actor.get(&own).await.expect(401).problem("api_key_not_valid");
    }
    other.actor.get(&own).await.expect(429).problem("too_many_requests");
    // Not even one that is good, if it has to be looked up; who is known already goes on.
    late.actor.get(&own).await.expect(429);
    world.a.owner.get(&own).await.expect(200);
    world.close().await;
}
