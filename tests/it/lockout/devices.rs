//! Known devices: strangers who guess don't lock the owner out there.

use chrono::TimeDelta;
use reqwest::Method;
use serde_json::json;

use super::{PASSWORD, WRONG, entries, locked, sign_in, throttled, wrong};
use crate::{
    harness::{Actor, Answer, Login},
    world::World,
};

async fn on(actor: &Actor, email: &str, password: &str, device: &str) -> Answer {
    let body = json!({"email": email, "password": password, "token_delivery": "body", "device_token": device});
    actor.post("/v1/sessions", body).await
}

/// Signs in and has the device remembered.
async fn remembered(actor: &Actor, email: &str) -> String {
    let body = json!({"email": email, "password": PASSWORD, "token_delivery": "body", "remember_device": true});
    actor.post("/v1/sessions", body).await.expect(201).text_at("/device_token").to_owned()
}

/// Proves AUT-6, NET-5.
#[tokio::test]
async fn a_known_device_has_a_counter_of_its_own() {
    let world = World::open().await;
    let (nobody, member) = (world.server.nobody(), &world.a.member);
    let device = remembered(nobody, &member.email).await;
    assert!(device.starts_with("fhd_") && device.len() > 40, "{device}");
    locked(&world, &member.email).await;
    // The owner gets in, and what strangers have done elsewhere stays done.
    on(nobody, &member.email, PASSWORD, &device).await.expect(201);
    throttled(nobody, &member.email, PASSWORD).await;
    // Somebody else's device, and one that is none, are unknown ones.
    let others = remembered(nobody, &world.a.manager.email).await;
    for device in [others.as_str(), "fhd_none"] {
        on(nobody, &member.email, PASSWORD, device).await.expect(429).problem("too_many_requests");
    }
    // Whoever has stolen the device guesses no more often than anybody else.
    for _ in 0..5 {
        on(nobody, &member.email, WRONG, &device).await.expect(401).problem("invalid_credentials");
    }
    on(nobody, &member.email, PASSWORD, &device).await.expect(429).problem("too_many_requests");
    let scopes: Vec<_> = entries(&world, "account.locked", member.account).await;
    let scopes: Vec<_> = scopes.iter().map(|entry| entry["metadata"]["scope"].clone()).collect();
    assert_eq!(scopes, [json!("identifier"), json!("device")]);
    // An administrator ends both.
    world.platform.post_nothing(&format!("/v1/accounts/{}/unlock", member.account)).await.expect(204);
    on(nobody, &member.email, PASSWORD, &device).await.expect(201);
    sign_in(nobody, &member.email, PASSWORD).await.expect(201);
    world.close().await;
}

/// Proves AUT-6, NET-5.
#[tokio::test]
async fn a_stranger_at_the_same_network_address_does_not_lock_a_known_device() {
    let world = World::open().await;
    let (nobody, member) = (world.server.nobody(), &world.a.member);
    let device = remembered(nobody, &member.email).await;
    for at in 0..20 {
        wrong(nobody, &format!("made.up{at}@example.com")).await;
    }
    throttled(nobody, &member.email, PASSWORD).await;
    on(nobody, &member.email, PASSWORD, &device).await.expect(201);
    world.close().await;
}

/// Proves AUT-6.
#[tokio::test]
async fn a_browser_is_known_by_a_cookie_that_outlives_the_session() {
    let world = World::open().await;
    let (nobody, member) = (world.server.nobody(), &world.a.member);
    let body = json!({"email": member.email, "password": PASSWORD, "token_delivery": "cookie"});
    let answer = nobody.post("/v1/sessions", body.clone()).await.expect(201);
    assert!(answer.json.get("device_token").is_none(), "scripts never see it");
    let cookies: Vec<_> = answer.headers.get_all("set-cookie").iter().map(|line| line.to_str().unwrap()).collect();
    let cookie = cookies.iter().find(|line| line.starts_with("freehold_device=")).expect("there is no cookie");
    assert!(cookie.contains("HttpOnly; ") || cookie.ends_with("HttpOnly"), "{cookie}");
    assert!(cookie.contains(&format!("Max-Age={}", 180 * 24 * 3600)) && cookie.contains("SameSite=Strict"), "{cookie}");
    let pair = cookie.split(';').next().unwrap();
    locked(&world, &member.email).await;
    let again = nobody.request(Method::POST, "/v1/sessions").header("cookie", pair).json(&body);
    let again = again.send().await.expect(201);
    // It is known by the same token, for another 180 days, and is one device.
    assert!(again.headers.get_all("set-cookie").iter().any(|line| line.to_str().unwrap().starts_with(pair)));
    assert_eq!(member.get("/v1/me/known-devices").await.expect(200).items().len(), 1);
    // A program can't present what was given to a browser, and a browser's token is in no body.
    let token = pair.split_once('=').unwrap().1;
    let mixed = json!({
        "email": member.email, "password": PASSWORD, "token_delivery": "cookie", "device_token": token,
    });
    let refused = nobody.post("/v1/sessions", mixed).await.expect(422);
    assert_eq!(refused.faults(), ["/device_token"]);
    world.close().await;
}

/// Proves AUT-6.
#[tokio::test]
async fn a_person_sees_their_known_devices_and_has_them_forgotten() {
    let world = World::open().await;
    let member = &world.a.member;
    let agents = ["Browser/1", "Browser/2", "Browser/3"];
    let mut tokens = Vec::new();
    for agent in agents {
        tokens.push(remembered(&world.server.nobody().using(agent), &member.email).await);
    }
    let list = member.get("/v1/me/known-devices").await.expect(200);
    let seen: Vec<_> = list.items().iter().map(|device| device["user_agent"].as_str().unwrap().to_owned()).collect();
    assert_eq!(seen, ["Browser/3", "Browser/2", "Browser/1"]);
    assert!(list.items().iter().all(|device| device["ip"] == "127.0.0.1"), "{list}");
    assert!(tokens.iter().all(|token| !list.text.contains(token)), "a token is shown");
    let path = format!("/v1/me/known-devices/{}", list.id_at("/items/0/id"));
    // Nobody else's.
    world.b.member.delete(&path).await.expect(404).problem("not_found");
    assert!(world.b.member.get("/v1/me/known-devices").await.expect(200).items().is_empty());
    member.delete(&path).await.expect(204);
    member.delete(&path).await.expect(404);
    locked(&world, &member.email).await;
    let nobody = world.server.nobody();
    on(nobody, &member.email, PASSWORD, &tokens[2]).await.expect(429);
    on(nobody, &member.email, PASSWORD, &tokens[1]).await.expect(201);
    // Its session goes on, and it is known no more.
    member.delete("/v1/me/known-devices").await.expect(204);
    member.get("/v1/me").await.expect(200);
    on(nobody, &member.email, PASSWORD, &tokens[1]).await.expect(429);
    assert_eq!(
        entries(&world, "known_device.forgotten_all", member.account).await[0]["metadata"],
        json!({"devices": 2})
    );
    world.close().await;
}

/// Whoever knew the old password may have signed in on a device of theirs.
///
/// Proves AUT-6.
#[tokio::test]
async fn a_new_password_forgets_every_known_device() {
    let world = World::open().await;
    let (nobody, member) = (world.server.nobody(), &world.a.member);
    let device = remembered(nobody, &member.email).await;
    let new = "Another-battery-8";
    let change = json!({"current_password": PASSWORD, "password": new});
    member.request(Method::PUT, "/v1/me/password").json(&change).send().await.expect(204);
    assert!(member.get("/v1/me/known-devices").await.expect(200).items().is_empty());
    locked(&world, &member.email).await;
    on(nobody, &member.email, new, &device).await.expect(429).problem("too_many_requests");
    world.close().await;
}

/// Proves AUT-6.
#[tokio::test]
async fn a_device_is_known_for_180_days_and_twenty_of_an_account() {
    let world = World::open().await;
    let (nobody, member) = (world.server.nobody(), &world.a.member);
    let first = remembered(nobody, &member.email).await;
    let mut last = String::new();
    for _ in 0..20 {
        world.server.advance(TimeDelta::seconds(1));
        last = remembered(nobody, &member.email).await;
    }
    let mut psql = world.database.psql(Login::Owner).await;
    let count = format!("SELECT count(*) FROM known_devices WHERE account_id = '{}'", member.account);
    assert_eq!(psql.number(&count).await, 20);
    let row =
        format!("SELECT count(*) FROM known_devices WHERE encode(token_hash, 'escape') LIKE '%{}%'", &last[4..12]);
    assert_eq!(psql.number(&row).await, 0, "the token itself is stored");
    locked(&world, &member.email).await;
    on(nobody, &member.email, PASSWORD, &first).await.expect(429);
    on(nobody, &member.email, PASSWORD, &last).await.expect(201);
    // Each sign-in on it counts anew.
    world.server.advance(TimeDelta::days(179));
    on(nobody, &member.email, PASSWORD, &last).await.expect(201);
    world.server.advance(TimeDelta::days(179));
    locked(&world, &member.email).await;
    on(nobody, &member.email, PASSWORD, &last).await.expect(201);
    world.server.advance(TimeDelta::days(181));
    locked(&world, &member.email).await;
    on(nobody, &member.email, PASSWORD, &last).await.expect(429);
    world.close().await;
}
