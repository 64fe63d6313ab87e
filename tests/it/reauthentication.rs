//! Proving again who one is: for how long it counts, where, and how many guesses a thief of a session has.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::future::join_all;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    harness::{Actor, Answer, Login, PASSWORD, Server, eventually},
    world::World,
};

const REAUTHENTICATE: &str = "/v1/session/reauthenticate";
const WINDOW: [(&str, &str); 1] = [("FREEHOLD_TOKENS_REAUTHENTICATION_WINDOW", "5m")];

async fn guess(actor: &Actor, password: &str) -> Answer {
    actor.post(REAUTHENTICATE, json!({"password": password})).await
}

async fn wrong(actor: &Actor) {
    guess(actor, "not-the-password").await.expect(403).problem("wrong_password");
}

async fn throttled(actor: &Actor, password: &str) -> i64 {
    let answer = guess(actor, password).await.expect(429);
    answer.problem("too_many_requests").header("retry-after").parse().unwrap()
}

fn deletion(world: &World) -> String {
    format!("/v1/organizations/{}", world.a.id)
}

async fn entries(world: &World, event: &str, account: Uuid) -> Vec<Value> {
    let query = format!("SELECT * FROM audit_entries WHERE event = '{event}' AND actor_id = '{account}' ORDER BY id");
    world.database.psql(Login::Owner).await.rows(&query).await
}

/// Proves AUT-7.
#[tokio::test]
async fn a_proof_counts_for_five_minutes_and_in_its_own_session() {
    let world = World::configured(&WINDOW).await;
    let owner = &world.a.owner;
    world.server.advance(TimeDelta::minutes(6));
    let profile = owner.get("/v1/me").await.expect(200);
    assert_eq!(profile.json["reauthentication"]["methods"], json!(["password"]));
    let until: DateTime<Utc> = profile.text_at("/reauthentication/fresh_until").parse().unwrap();
    assert!(until < world.server.app().clock.now(), "{until}");

    // A new sign-in is an authentication, of its own session only.
    let sign_in = json!({"email": owner.email, "password": PASSWORD, "token_delivery": "body"});
    let other = world.server.nobody().post("/v1/sessions", sign_in).await.expect(201);
    let other = world.server.bearer(other.text_at("/access_token"));
    other.delete(&format!("{}?no_such_parameter=1", deletion(&world))).await.expect(422);
    owner.delete(&deletion(&world)).await.expect(403).problem("reauthentication_required");

    let answer = guess(owner, PASSWORD).await.expect(200);
    assert!(!answer.text_at("/access_token").is_empty());
    let until = owner.get("/v1/me").await.expect(200).text_at("/reauthentication/fresh_until").to_owned();
    let until: DateTime<Utc> = until.parse().unwrap();
    let left = until - world.server.app().clock.now();
    assert!(left > TimeDelta::minutes(4) && left <= TimeDelta::minutes(5), "{left}");
    world.server.advance(TimeDelta::minutes(4));
    owner.delete(&format!("{}?no_such_parameter=1", deletion(&world))).await.expect(422);
    world.server.advance(TimeDelta::minutes(2));
    owner.delete(&deletion(&world)).await.expect(403).problem("reauthentication_required");

    guess(owner, PASSWORD).await.expect(200);
    owner.delete(&deletion(&world)).await.expect(204);
    let entries = entries(&world, "session.reauthenticated", owner.account).await;
    assert_eq!(entries.len(), 2, "{entries:?}");
    assert_eq!(entries[0]["target_id"], owner.session.to_string());
    assert_eq!(entries[0]["metadata"], json!({"method": "password"}));
    world.close().await;
}

/// Proves AUT-7.
#[tokio::test]
async fn the_token_that_a_proof_brings_says_when_it_was() {
    let world = World::open().await;
    world.server.advance(TimeDelta::minutes(10));
    let claims = |token: &str| -> Value {
        use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap()).unwrap()
    };
    let before = claims(world.a.member.token());
    let answer = guess(&world.a.member, PASSWORD).await.expect(200);
    let after = claims(answer.text_at("/access_token"));
    assert_eq!(after["sid"], before["sid"]);
    assert!(after["auth_time"].as_i64() >= before["auth_time"].as_i64().map(|time| time + 600), "{before} {after}");
    assert!(answer.json.get("refresh_token").is_none(), "the refresh token stays");
    world.close().await;
}

/// Proves AUT-7.
#[tokio::test]
async fn three_wrong_passwords_close_the_door_for_five_minutes_in_all_sessions() {
    let world = World::open().await;
    let owner = &world.a.owner;
    let sign_in = json!({"email": owner.email, "password": PASSWORD, "token_delivery": "body"});
    let second = world.server.nobody().post("/v1/sessions", sign_in).await.expect(201);
    let second = world.server.bearer(second.text_at("/access_token"));
    wrong(owner).await;
    world.server.advance(TimeDelta::minutes(1));
    wrong(&second).await;
    // What is right changes nothing about what was wrong.
    guess(owner, PASSWORD).await.expect(200);
    wrong(owner).await;
    for actor in [owner as &Actor, &second] {
        let left = throttled(actor, PASSWORD).await;
        assert!((230..=240).contains(&left), "{left}");
    }
    // Somebody else is not concerned.
    guess(&world.a.admin, PASSWORD).await.expect(200);

    // Also for an instance that has just been started.
    let restarted = Server::start(&world.database).await;
    restarted.advance(TimeDelta::minutes(1));
    throttled(&owner.at_server_of(restarted.nobody()), PASSWORD).await;
    restarted.stop().await;

    // The time that it named is true.
    let left = throttled(owner, "not-the-password").await;
    world.server.advance(TimeDelta::seconds(left));
    guess(owner, PASSWORD).await.expect(200);
    wrong(owner).await;
    throttled(owner, PASSWORD).await;

    let failed = entries(&world, "session.reauthentication_failed", owner.account).await;
    assert_eq!(failed.len(), 4, "{failed:?}");
    assert!(failed.iter().all(|entry| entry["outcome"] == "failed" && entry["severity"] == "medium"), "{failed:?}");
    world.server.flush_refusals().await;
    let refused = entries(&world, "access.refused", owner.account).await;
    let throttled: Vec<_> = refused.iter().filter(|entry| entry["metadata"]["code"] == "too_many_requests").collect();
    assert!(!throttled.is_empty(), "{refused:?}");
    assert_eq!(throttled[0]["metadata"]["operation"], "session_reauthenticate");
    world.close().await;
}

/// Proves AUT-7.
#[tokio::test]
async fn guesses_at_the_same_moment_on_two_instances_are_three() {
    let world = World::open().await;
    let other = Server::start(&world.database).await;
    let here: &Actor = &world.a.member;
    let there = here.at_server_of(other.nobody());
    let guesses = (0..24).map(|at| guess(if at % 2 == 0 { here } else { &there }, "not-the-password"));
    let answers = join_all(guesses).await;
    let count = |status| answers.iter().filter(|answer| answer.status == status).count();
    assert_eq!((count(403), count(429)), (3, 21), "{answers:?}");
    let failed = entries(&world, "session.reauthentication_failed", world.a.member.account).await;
    assert_eq!(failed.len(), 3);
    other.stop().await;
    world.close().await;
}

/// Proves AUT-7, SES-4.
#[tokio::test]
async fn a_proof_counts_on_every_instance() {
    let world = World::configured(&WINDOW).await;
    let other = Server::configured(&world.database, &WINDOW).await;
    for server in [&world.server, &other] {
        server.advance(TimeDelta::minutes(6));
    }
    let owner = &world.a.owner;
    let there = owner.at_server_of(other.nobody());
    there.delete(&deletion(&world)).await.expect(403).problem("reauthentication_required");
    guess(owner, PASSWORD).await.expect(200);
    let probe = format!("{}?no_such_parameter=1", deletion(&world));
    eventually("the other instance knows", Duration::from_secs(1), async || {
        (there.delete(&probe).await.status == 422).then_some(())
    })
    .await;
    other.stop().await;
    world.close().await;
}

/// Proves AUT-7.
#[tokio::test]
async fn a_proof_is_asked_for_before_the_body() {
    let world = World::configured(&WINDOW).await;
    world.server.advance(TimeDelta::minutes(6));
    let unblock = format!("/v1/accounts/{}/unblock", world.suspended);
    let draft = world.platform.request(reqwest::Method::POST, &unblock);
    let answer = draft.body("application/json", b"{ this is no JSON".to_vec()).send().await;
    answer.expect(403).problem("reauthentication_required");
    world.close().await;
}
