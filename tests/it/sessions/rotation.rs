//! Signing keys that a platform administrator changes: in good order, or because one has leaked.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{
    keys::{later, signs, verified_elsewhere},
    part, refresh, sign_in,
};
use crate::{
    harness::{Answer, Login, Proxy, Server, eventually},
    world::World,
};

/// How late another instance may know (SES-4).
const BOUND: Duration = Duration::from_secs(1);
const ROTATE: &str = "/v1/signing-keys/rotate";

async fn published(server: &Server) -> Vec<String> {
    let set = server.nobody().get("/.well-known/jwks.json").await.expect(200);
    set.json["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
}

fn kid(token: &str) -> String {
    part(token, 0)["kid"].as_str().unwrap().to_owned()
}

fn states(list: &Answer) -> Vec<&str> {
    list.items().iter().map(|key| key["state"].as_str().unwrap()).collect()
}

/// A platform administrator who has lost their access token, with the next one.
async fn refreshed(server: &Server, token: &mut String) -> crate::harness::Actor {
    let answer = refresh(server.nobody(), token).await.expect(200);
    *token = answer.text_at("/refresh_token").to_owned();
    server.bearer(answer.text_at("/access_token"))
}

/// Proves SES-3.
#[tokio::test]
async fn a_key_that_is_changed_on_demand_overlaps_and_nobody_notices() {
    let world = World::open().await;
    let second = Server::start(&world.database).await;
    let (platform, email, old) = (&world.platform, &world.a.member.email, world.a.member.token());
    world.a.owner.post(ROTATE, json!({"previous": "keep"})).await.expect(403);
    let wrong = platform.post(ROTATE, json!({"previous": "keep", "reason": " "})).await.expect(422);
    assert_eq!(wrong.faults(), ["/reason"]);
    let made = platform.post(ROTATE, json!({"previous": "keep", "reason": "Before-the-audit"})).await.expect(200);
    assert_eq!((made.text_at("/state"), made.text_at("/algorithm")), ("pending", "ES256"));
    assert!(made.json["signs_from"].is_string() && made.json.get("signs_until").is_none(), "{made}");
    platform.post(ROTATE, json!({"previous": "keep"})).await.expect(409).problem("operation_in_progress");

    // Published everywhere, and nothing is signed with it yet.
    for server in [&world.server, &second] {
        eventually("published", BOUND, async || (published(server).await.len() == 2).then_some(())).await;
        let token = sign_in(server.nobody(), email).await.text_at("/access_token").to_owned();
        assert_eq!(kid(&token), kid(old));
    }
    later(&world.database).await;
    let new = eventually("it signs", Duration::from_secs(4), async || {
        let token = signs(&world.server, email, "ES256").await;
        (kid(&token) == made.text_at("/id")).then_some(token)
    })
    .await;
    for server in [&second, &world.server] {
        for token in [new.as_str(), old] {
            server.bearer(token).get("/v1/me").await.expect(200);
            verified_elsewhere(server, token).await.unwrap();
        }
    }
    let list = platform.get("/v1/signing-keys").await.expect(200);
    assert_eq!(states(&list), ["active", "retiring"]);
    let until = |name: &str| list.items()[1][name].as_str().unwrap().parse::<chrono::DateTime<chrono::Utc>>().unwrap();
    // Longer than any token that it signed.
    assert_eq!(until("published_until") - until("signs_until"), chrono::TimeDelta::minutes(65));
    assert!(list.items()[0]["signs_until"].is_string() && list.items()[1].get("distrusted_at").is_none(), "{list}");

    let mut psql = world.database.psql(Login::Owner).await;
    let made = "SELECT count(*) FROM audit_entries WHERE event = 'signing_key.created' AND actor_type = 'account'";
    assert_eq!(psql.number(made).await, 1);
    // What somebody wrote is sealed.
    let told = "SELECT count(*) FROM audit_entries WHERE metadata::text LIKE '%Before-the-audit%'";
    assert_eq!(psql.number(told).await, 0);
    let entries = platform.get(&format!("/v1/organizations/{}/audit?event=signing_key.created", PLATFORM)).await;
    assert!(entries.expect(200).text.contains("Before-the-audit"));
    second.stop().await;
    world.close().await;
}

const PLATFORM: &str = "00000000-0000-7000-8000-000000000001";

/// Proves SES-3, SES-4.
#[tokio::test]
async fn a_key_that_has_leaked_counts_nowhere_from_then_on() {
    let world = World::open().await;
    let second = Server::start(&world.database).await;
    let mut platforms = world.platform.refresh_token.clone();
    let member = sign_in(world.server.nobody(), &world.a.member.email).await;
    let mut members = member.text_at("/refresh_token").to_owned();
    let mut token = member.text_at("/access_token").to_owned();
    // One is pending as well: it may have leaked with the other.
    world.platform.post(ROTATE, json!({"previous": "keep"})).await.expect(200);
    let mut worst = Duration::ZERO;
    for _ in 0..10 {
        let platform = refreshed(&world.server, &mut platforms).await;
        let there = second.bearer(&token);
        eventually("known", BOUND, async || (there.get("/v1/me").await.status == 200).then_some(())).await;
        let distrust = json!({"previous": "distrust", "reason": "A backup was stolen"});
        let made = platform.post(ROTATE, distrust).await.expect(200);
        let since = Instant::now();
        assert_eq!(made.text_at("/state"), "active");
        eventually("refused", BOUND, async || (there.get("/v1/me").await.status == 401).then_some(())).await;
        worst = worst.max(since.elapsed());
        world.server.bearer(&token).get("/v1/me").await.expect(401).problem("unauthenticated");
        platform.get("/v1/me").await.expect(401);
        for server in [&world.server, &second] {
            assert_eq!(published(server).await, [made.text_at("/id")]);
        }
        // Whoever goes on by the refresh token is let in everywhere at once, wherever they got the next.
        let next = refresh(world.server.nobody(), &members).await.expect(200);
        (members, token) = (next.text_at("/refresh_token").to_owned(), next.text_at("/access_token").to_owned());
        assert_eq!(kid(&token), made.text_at("/id"));
        second.bearer(&token).get("/v1/me").await.expect(200);
        world.server.bearer(&token).get("/v1/me").await.expect(200);
    }
    println!("a distrusted key was refused on another instance after {worst:?} at most");
    let platform = refreshed(&world.server, &mut platforms).await;
    let list = platform.get("/v1/signing-keys").await.expect(200);
    assert_eq!(list.items().len(), 12);
    assert_eq!(states(&list)[..2], ["active", "retired"]);
    assert!(list.items()[1..].iter().all(|key: &Value| key["distrusted_at"].is_string()), "{list}");
    let mut psql = world.database.psql(Login::Owner).await;
    assert_eq!(psql.number("SELECT count(*) FROM signing_keys WHERE private_key IS NOT NULL").await, 1);
    let distrusted = "SELECT count(*) FROM audit_entries WHERE event = 'signing_key.distrusted'";
    assert_eq!(psql.number(distrusted).await, 11);
    second.stop().await;
    world.close().await;
}

/// Proves SES-3, SES-4.
#[tokio::test]
async fn a_deaf_instance_refuses_a_distrusted_key_within_a_second_and_when_it_hears_again() {
    let world = World::open().await;
    let proxy = Proxy::to(world.database.port()).await;
    let direct = world.database.url_through(proxy.port());
    let second = Server::configured(&world.database, &[("DATABASE_DIRECT_URL", direct.expose())]).await;
    let mut platforms = world.platform.refresh_token.clone();
    for asks_meanwhile in [true, false] {
        let platform = refreshed(&world.server, &mut platforms).await;
        let token = sign_in(world.server.nobody(), &world.a.member.email).await.text_at("/access_token").to_owned();
        let there = second.bearer(&token);
        eventually("known", BOUND, async || (there.get("/v1/me").await.status == 200).then_some(())).await;
        // Longer than a heartbeat: the answers come from memory.
        tokio::time::sleep(Duration::from_millis(500)).await;
        there.get("/v1/me").await.expect(200);
        proxy.freeze();
        platform.post(ROTATE, json!({"previous": "distrust"})).await.expect(200);
        let since = Instant::now();
        if asks_meanwhile {
            let mut last = Duration::ZERO;
            while since.elapsed() < Duration::from_millis(2500) {
                let begun = since.elapsed();
                if there.get("/v1/me").await.status == 200 {
                    last = begun;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            println!("let through for {last:?}");
            assert!(last <= BOUND, "let through for {last:?}");
        } else {
            tokio::time::sleep(Duration::from_millis(1500)).await;
        }
        proxy.restore();
        // Nothing that is remembered from before counts once the channel is back.
        let back = Instant::now();
        while back.elapsed() < Duration::from_secs(3) {
            there.get("/v1/me").await.expect(401);
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
    second.stop().await;
    world.close().await;
}

/// Proves SES-3.
#[tokio::test]
async fn invented_keys_do_not_keep_a_real_one_out() {
    let world = World::open().await;
    let (_, rest) = world.a.member.token().split_once('.').unwrap();
    for number in 0..50_u128 {
        let mut header = part(world.a.member.token(), 0);
        header["kid"] = json!(uuid::Uuid::from_u128(number));
        let header = base64::Engine::encode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, header.to_string());
        let forged = world.server.bearer(&format!("{header}.{rest}"));
        forged.get("/v1/me").await.expect(401).problem("unauthenticated");
    }
    world.a.member.get("/v1/me").await.expect(200);
    world.close().await;
}
