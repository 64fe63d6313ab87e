//! Guessing passwords: what locks, whom, for how long, and what nobody learns from it.

mod bounds;
mod devices;

use std::{collections::BTreeMap, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::future::join_all;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    harness::{Actor, Answer, Login, PASSWORD, PATIENCE, Server, eventually},
    world::World,
};

const WRONG: &str = "Wrong-horse-battery-7";
const NOBODY: &str = "nobody.at.all@example.com";

async fn sign_in(actor: &Actor, email: &str, password: &str) -> Answer {
    actor.post("/v1/sessions", json!({"email": email, "password": password, "token_delivery": "body"})).await
}

async fn wrong(actor: &Actor, email: &str) {
    sign_in(actor, email, WRONG).await.expect(401).problem("invalid_credentials");
}

/// Insists that an attempt is not looked at, and returns the seconds to wait.
async fn throttled(actor: &Actor, email: &str, password: &str) -> i64 {
    let answer = sign_in(actor, email, password).await.expect(429).problem("too_many_requests");
    answer.header("retry-after").parse().unwrap()
}

async fn locked(world: &World, email: &str) {
    for _ in 0..5 {
        wrong(world.server.nobody(), email).await;
    }
    throttled(world.server.nobody(), email, PASSWORD).await;
}

async fn entries(world: &World, event: &str, account: Uuid) -> Vec<Value> {
    let query = format!("SELECT * FROM audit_entries WHERE event = '{event}' AND target_id = '{account}' ORDER BY id");
    world.database.psql(Login::Owner).await.rows(&query).await
}

/// Waits for as many entries.
async fn recorded(world: &World, event: &str, account: Uuid, number: usize) -> Vec<Value> {
    eventually(&format!("{number} entries of {event}"), PATIENCE, async || {
        Some(entries(world, event, account).await).filter(|entries| entries.len() >= number)
    })
    .await
}

/// Proves NET-5, AUT-6.
#[tokio::test]
async fn five_wrong_passwords_lock_on_every_instance_and_longer_each_time() {
    let world = World::open().await;
    let other = Server::start(&world.database).await;
    let (here, there) = (world.server.nobody(), other.nobody());
    let member = &world.a.member;
    for actor in [here, there, here, there, here] {
        wrong(actor, &member.email).await;
    }
    // The right password too, on both, and with the address in another spelling.
    let shouted = member.email.to_uppercase();
    for (actor, email) in [(here, &member.email), (there, &member.email), (there, &shouted)] {
        let left = throttled(actor, email, PASSWORD).await;
        assert!((890..=900).contains(&left), "{left}");
    }
    // Who is signed in stays so, and nobody else is concerned.
    member.get("/v1/me").await.expect(200);
    sign_in(here, &world.a.manager.email, PASSWORD).await.expect(201);

    // A restart forgets nothing.
    other.stop().await;
    let restarted = Server::start(&world.database).await;
    throttled(restarted.nobody(), &member.email, PASSWORD).await;

    // Each further failure doubles the time, up to a day.
    for minutes in [30, 60, 120, 240, 480, 960, 1440, 1440] {
        let left = throttled(restarted.nobody(), &member.email, PASSWORD).await;
        restarted.advance(TimeDelta::seconds(left + 1));
        wrong(restarted.nobody(), &member.email).await;
        let left = throttled(restarted.nobody(), &member.email, PASSWORD).await;
        assert!((minutes * 60 - 10..=minutes * 60).contains(&left), "{left} after {minutes} minutes");
    }
    // The right password after the lock ends it all.
    restarted.advance(TimeDelta::days(1) + TimeDelta::seconds(1));
    sign_in(restarted.nobody(), &member.email, PASSWORD).await.expect(201);
    for _ in 0..4 {
        wrong(restarted.nobody(), &member.email).await;
    }
    sign_in(restarted.nobody(), &member.email, PASSWORD).await.expect(201);
    restarted.stop().await;
    world.close().await;
}

/// Everything about an answer that is not the request's own.
fn said(answer: &Answer) -> (u16, BTreeMap<String, String>, Value) {
    let own = ["x-request-id", "traceparent", "date", "retry-after", "ratelimit"];
    let names = answer.headers.keys().map(|name| name.as_str().to_owned()).filter(|name| !own.contains(&name.as_str()));
    let headers = names.map(|name| (name.clone(), answer.header(&name).to_owned())).collect();
    let mut body = answer.json.clone();
    body["request_id"].take();
    (answer.status, headers, body)
}

/// Proves NET-5, AUT-5, AUT-6.
#[tokio::test]
async fn an_address_without_an_account_is_refused_as_one_with_an_account_is() {
    let world = World::open().await;
    let nobody = world.server.nobody();
    let known = &world.a.member.email;
    let blocked = world.platform.get("/v1/accounts?state=blocked").await.expect(200);
    let blocked = blocked.text_at("/items/0/email").to_owned();
    // Also for an account that is blocked, whose right password is one guess among others.
    for attempt in 0..7 {
        let mut answers = Vec::new();
        for (email, password) in [(known.as_str(), WRONG), (NOBODY, WRONG), (&blocked, PASSWORD)] {
            // Each from an address of its own would not be told apart either; here they share one.
            answers.push(sign_in(nobody, email, password).await);
        }
        assert_eq!(answers[0].status, if attempt < 5 { 401 } else { 429 }, "{}", answers[0]);
        let wait = |answer: &Answer| answer.header("retry-after").parse::<i64>().unwrap_or(-1);
        for other in &answers[1..] {
            assert_eq!(said(&answers[0]), said(other));
            assert!((wait(&answers[0]) - wait(other)).abs() <= 5, "{} {other}", answers[0]);
        }
    }
    // Nobody is told about what is nobody's.
    assert_eq!(world.database.mail().count(NOBODY).await, 0);
    world.close().await;
}

/// Guesses again as long as there is no connection left (503): nothing was looked at then.
async fn insist(actor: &Actor, email: &str) -> Answer {
    loop {
        let answer = sign_in(actor, email, WRONG).await;
        if answer.status != 503 {
            return answer;
        }
    }
}

/// Proves NET-5.
#[tokio::test]
async fn of_fifty_guesses_at_the_same_moment_five_are_looked_at() {
    let world = World::open().await;
    let other = Server::start(&world.database).await;
    for email in [world.a.member.email.as_str(), NOBODY] {
        let guesses = (0..50).map(|at| {
            let actor = if at % 2 == 0 { world.server.nobody() } else { other.nobody() };
            insist(actor, email)
        });
        let answers = join_all(guesses).await;
        let count = |status| answers.iter().filter(|answer| answer.status == status).count();
        assert!((1..=5).contains(&count(401)), "{answers:?}");
        assert_eq!(count(401) + count(429), 50, "{answers:?}");
        throttled(other.nobody(), email, PASSWORD).await;
    }
    assert!(entries(&world, "session.failed", world.a.member.account).await.len() <= 5);
    assert_eq!(entries(&world, "account.locked", world.a.member.account).await.len(), 1);
    other.stop().await;
    world.close().await;
}

/// Proves AUT-6.
#[tokio::test]
async fn the_owner_is_told_once_an_hour_and_by_whom_it_was_only_they_learn() {
    let world = World::open().await;
    let member = &world.a.member;
    locked(&world, &member.email).await;
    let letter = world.database.mail().take(&member.email).await;
    assert_eq!(letter.subject, "Your sign-in is locked for a while");
    assert!(letter.text.contains("5 times") && letter.text.contains("127.0.0.1"), "{}", letter.text);
    assert!(!letter.text.contains("#token="), "there is nothing to follow blindly");

    let entry = &entries(&world, "account.locked", member.account).await[0];
    assert_eq!((&entry["severity"], &entry["class"]), (&json!("high"), &json!("security")));
    let metadata = entry["metadata"].as_object().unwrap();
    assert_eq!((&metadata["scope"], &metadata["failures"]), (&json!("identifier"), &json!(5)));
    assert!(!entry["metadata"].to_string().contains("127.0.0.1"));

    // The next lock is recorded, and the inbox is left alone.
    world.server.advance(TimeDelta::minutes(16));
    wrong(world.server.nobody(), &member.email).await;
    recorded(&world, "account.locked", member.account, 2).await;
    world.database.letters_are_sent().await;
    assert_eq!(world.database.mail().count(&member.email).await, 1);
    world.server.advance(TimeDelta::minutes(61));
    wrong(world.server.nobody(), &member.email).await;
    world.database.mail().take(&member.email).await;
    world.close().await;
}

/// Proves AUT-6, AUD-2.
#[tokio::test]
async fn the_end_of_a_lock_is_recorded_once_on_however_many_instances() {
    let world = World::open().await;
    let other = Server::start(&world.database).await;
    let member = &world.a.member;
    locked(&world, &member.email).await;
    assert!(entries(&world, "account.lock_ended", member.account).await.is_empty());
    for server in [&world.server, &other] {
        server.advance(TimeDelta::minutes(16));
    }
    let ended = recorded(&world, "account.lock_ended", member.account, 1).await;
    assert_eq!(ended[0]["metadata"], json!({"scope": "identifier", "reason": "time"}));
    // By the time another instance has looked as well.
    tokio::time::sleep(Duration::from_secs(6)).await;
    assert_eq!(entries(&world, "account.lock_ended", member.account).await.len(), 1);

    // An attempt that is quicker than the worker records the end itself.
    let manager = &world.a.manager;
    locked(&world, &manager.email).await;
    world.server.advance(TimeDelta::minutes(16));
    sign_in(world.server.nobody(), &manager.email, PASSWORD).await.expect(201);
    let ended = recorded(&world, "account.lock_ended", manager.account, 1).await;
    assert_eq!(ended.len(), 1, "{ended:?}");
    other.stop().await;
    world.close().await;
}

/// Proves AUT-6.
#[tokio::test]
async fn a_platform_administrator_sees_a_lock_and_ends_it() {
    let world = World::open().await;
    let member = &world.a.member;
    locked(&world, &member.email).await;
    let listed = async || {
        let path = format!("/v1/accounts?email={}", member.email);
        world.platform.get(&path).await.expect(200).json["items"][0]["locked_until"].clone()
    };
    let until: DateTime<Utc> = listed().await.as_str().expect("the lock is shown").parse().unwrap();
    assert!(until > world.server.app().clock.now() + TimeDelta::minutes(14), "{until}");
    let unlock = format!("/v1/accounts/{}/unlock", member.account);
    // Not the organisation's, which does not manage the account.
    world.a.owner.post_nothing(&unlock).await.expect(403);
    let managed = format!("/v1/organizations/{}/managed-accounts/{}/unlock", world.a.id, member.account);
    world.a.owner.post_nothing(&managed).await.expect(404).problem("not_found");
    world.platform.post_nothing(&unlock).await.expect(204);
    assert_eq!(listed().await, Value::Null);
    sign_in(world.server.nobody(), &member.email, PASSWORD).await.expect(201);
    // Once more changes nothing, and records nothing.
    world.platform.post_nothing(&unlock).await.expect(204);
    let entries = entries(&world, "account.unlocked", member.account).await;
    assert_eq!(entries.len(), 1);
    assert_eq!(entries[0]["actor_id"], json!(world.platform.account));
    world.close().await;
}

/// Proves AUT-6, NET-5.
#[tokio::test]
async fn the_numbers_are_the_platforms_settings() {
    let world = World::open().await;
    let settings = json!({"lockout": {"failures": 3, "lock_minutes": 60, "longest_lock_minutes": 90}});
    world.platform.patch("/v1/settings", settings).await.expect(200);
    // An organisation's own number would tell who belongs to it.
    let own = json!({"lockout": {"failures": 3}});
    world.a.owner.patch(&format!("/v1/organizations/{}/settings", world.a.id), own).await.expect(422);
    let nobody = world.server.nobody();
    for email in [world.a.member.email.as_str(), NOBODY] {
        for _ in 0..3 {
            wrong(nobody, email).await;
        }
        let left = throttled(nobody, email, PASSWORD).await;
        assert!((3590..=3600).contains(&left), "{left}");
    }
    world.server.advance(TimeDelta::minutes(61));
    wrong(nobody, NOBODY).await;
    let left = throttled(nobody, NOBODY, PASSWORD).await;
    assert!((5390..=5400).contains(&left), "{left}");
    world.close().await;
}

/// Proves NET-5, AUT-4.
#[tokio::test]
async fn an_invitations_password_is_counted_with_all_others() {
    let world = World::open().await;
    let guest = &world.a.guest;
    let nobody = world.server.nobody();
    let accept = |password: &str| json!({"token": world.a.guest_token, "password": password, "token_delivery": "body"});
    for _ in 0..3 {
        nobody.post("/v1/invitations/accept", accept(WRONG)).await.expect(401).problem("invalid_credentials");
    }
    for _ in 0..2 {
        wrong(nobody, &guest.email).await;
    }
    nobody.post("/v1/invitations/accept", accept(PASSWORD)).await.expect(429).problem("too_many_requests");
    throttled(nobody, &guest.email, PASSWORD).await;
    world.server.advance(TimeDelta::minutes(16));
    nobody.post("/v1/invitations/accept", accept(PASSWORD)).await.expect(201);
    sign_in(nobody, &guest.email, PASSWORD).await.expect(201);
    world.close().await;
}

/// Proves NET-5, AUD-2.
#[tokio::test]
async fn a_flood_of_refusals_makes_an_entry_with_a_number() {
    let world = World::open().await;
    for at in 0..12 {
        wrong(world.server.nobody(), &format!("made.up{at}@example.com")).await;
    }
    locked(&world, &world.a.member.email).await;
    throttled(world.server.nobody(), &world.a.member.email, WRONG).await;
    world.server.flush_refusals().await;
    let mut psql = world.database.psql(Login::Owner).await;
    let sum = |event: &str, code: &str| {
        format!(
            "SELECT coalesce(sum((metadata->>'count')::int), 0) FROM audit_entries
             WHERE event = '{event}' AND organization_id = platform_organization() AND {code}"
        )
    };
    assert_eq!(psql.number(&sum("session.failed", "metadata->>'reason' = 'unknown_account'")).await, 12);
    assert_eq!(psql.number(&sum("access.refused", "metadata->>'operation' = 'sessions_create'")).await, 2);
    let unknown = "SELECT * FROM audit_entries WHERE metadata->>'reason' = 'unknown_account'";
    let unknown = psql.rows(unknown).await;
    assert!(unknown.len() < 12 && unknown.iter().all(|entry| entry["outcome"] == "failed"), "{unknown:?}");
    world.close().await;
}
