//! What is in the tokens, and how they travel.

use freehold::config::{Config, Sources, Tokens};
use reqwest::Method;
use serde_json::{Value, json};

use super::{claims, part, refresh, sign_in};
use crate::{
    edge::browser::{Browser, set_cookies},
    harness::{Login, PUBLIC_URL, Server},
    world::World,
};

/// What Freehold does when nobody configures it; the harness's own tokens outlive the run.
fn defaults() -> Tokens {
    let development = Sources::of(&[("FREEHOLD_PROFILE", "development")]);
    Config::load(&development).unwrap_or_else(|mistakes| panic!("{mistakes}")).tokens
}

/// Proves SES-1.
#[tokio::test]
async fn an_access_token_says_who_where_and_until_when() {
    let world = World::open().await;
    let server = Server::with(&world.database, |config| config.tokens = defaults()).await;
    let manager = &world.a.manager;
    let before = server.app().clock.now().timestamp();
    let answer = sign_in(server.nobody(), &manager.email).await;
    let claims = claims(answer.text_at("/access_token"));
    let made = claims["iat"].as_i64().unwrap();
    assert!((before..=server.app().clock.now().timestamp()).contains(&made));
    assert!(claims["jti"].as_str().unwrap().parse::<uuid::Uuid>().is_ok());
    let expected = json!({
        "iss": PUBLIC_URL, "aud": "freehold", "sub": manager.account, "sid": answer.id_at("/session/id"),
        "jti": claims["jti"], "org": world.a.id, "role": "manager", "amr": ["pwd"], "auth_time": made, "iat": made,
        "exp": made + 15 * 60,
    });
    assert_eq!(claims, expected);
    assert_eq!(answer.json["expires_in"], 15 * 60);
    assert_eq!(answer.json["token_type"], "Bearer");
    let header = part(answer.text_at("/access_token"), 0);
    assert_eq!((&header["alg"], &header["typ"]), (&json!("ES256"), &json!("at+jwt")));

    // A refresh makes another token of the same sign-in.
    server.advance(chrono::TimeDelta::minutes(20));
    let old = server.bearer(answer.text_at("/access_token"));
    old.get("/v1/me").await.expect(401).problem("unauthenticated");
    let later = refresh(server.nobody(), answer.text_at("/refresh_token")).await.expect(200);
    let later = super::claims(later.text_at("/access_token"));
    assert_eq!((&later["sid"], &later["auth_time"]), (&claims["sid"], &claims["auth_time"]));
    assert_ne!(later["jti"], claims["jti"]);
    server.stop().await;
    world.close().await;
}

/// Proves SES-1.
#[tokio::test]
async fn a_session_records_connection_and_factors_and_only_hashes_of_its_tokens() {
    let world = World::open().await;
    let nobody = world.server.nobody().using("Watch/2.0");
    let answer = sign_in(&nobody, &world.a.member.email).await;
    let mut psql = world.database.psql(Login::Owner).await;
    let session = answer.id_at("/session/id");
    let factors = psql.text(&format!("SELECT factors FROM sessions WHERE id = '{session}'")).await;
    let seen = answer.json["session"].clone();
    assert_eq!((&seen["ip"], &seen["user_agent"], &*factors), (&json!("127.0.0.1"), &json!("Watch/2.0"), "pwd"));
    let token = answer.text_at("/refresh_token");
    let stored = format!(
        "SELECT expires_at - created_at AS lifetime, token_hash = sha256('{token}'::bytea) AS hashed, used_at
         FROM refresh_tokens WHERE session_id = '{session}'"
    );
    assert_eq!(psql.rows(&stored).await, [json!({"lifetime": "7 days", "hashed": true, "used_at": null})]);
    assert!(token.len() > 43, "256 bits and a prefix: {token}");
    world.close().await;
}

/// Proves SES-1.
#[tokio::test]
async fn switching_changes_organisation_and_role() {
    let world = World::open().await;
    let platform = &world.platform;
    let name = json!({"name": "Second"});
    let second = platform.post("/v1/organizations", name).await.expect(201).id_at("/id");
    let before = claims(platform.token());
    assert_eq!(before["role"], "platform_admin");
    let switch = async |to: uuid::Uuid| platform.post("/v1/session/organization", json!({"organization_id": to})).await;
    let answer = switch(second).await.expect(200);
    let after = claims(answer.text_at("/access_token"));
    assert_eq!((&after["org"], &after["role"]), (&json!(second), &json!("owner")));
    assert_eq!(after["sid"], before["sid"]);
    assert!(answer.json.get("refresh_token").is_none(), "the one that the client has is still the one");

    // Where one is no member, has left, or everything is closed, one can't go.
    for elsewhere in [world.a.id, world.closed, uuid::Uuid::nil()] {
        switch(elsewhere).await.expect(404).problem("not_found");
    }
    let me = platform.get("/v1/me").await.expect(200);
    assert_eq!(me.id_at("/organization/id"), second);

    // What the session is in counts, not what a token says.
    platform.get("/v1/accounts").await.expect(403).problem("forbidden");
    world.close().await;
}

/// Proves SES-1.
#[tokio::test]
async fn a_token_stays_in_the_vessel_it_was_made_for() {
    let world = World::open().await;
    let member = &world.a.member;
    let nobody = world.server.nobody();
    let browser = Browser::sign_in(nobody, PUBLIC_URL, &member.email).await;
    browser.request(Method::GET, "/v1/me").send().await.expect(200);
    let stolen = world.server.bearer(browser.cookie("freehold_access"));
    stolen.get("/v1/me").await.expect(401).problem("unauthenticated");
    let cookie = format!("freehold_access={}", member.token());
    let planted = nobody.request(Method::GET, "/v1/me").header("cookie", &cookie);
    planted.send().await.expect(401).problem("unauthenticated");
    // A bearer's own header counts, whatever cookies come along.
    member.request(Method::GET, "/v1/me").header("cookie", &browser.cookie_header()).send().await.expect(200);
    let broken = browser.request(Method::GET, "/v1/me").header("authorization", "Basic YTpi");
    broken.send().await.expect(401).problem("unauthenticated");
    world.close().await;
}

/// Proves SES-1.
#[tokio::test]
async fn a_browser_on_this_machine_gets_plain_cookies() {
    let world = World::open().await;
    let server = Server::with(&world.database, |config| config.tokens = defaults()).await;
    let mut browser = Browser::sign_in(server.nobody(), PUBLIC_URL, &world.a.member.email).await;
    for secret in ["access_token", "refresh_token", "token_type"] {
        assert!(browser.signed_in.json.get(secret).is_none(), "{secret} is in the body");
    }
    assert_eq!(
        attributes(set_cookies(&browser.signed_in)),
        [
            "freehold_access; Path=/; Max-Age=900; SameSite=Lax; HttpOnly",
            "freehold_csrf; Path=/; Max-Age=604800; SameSite=Strict",
            "freehold_device; Path=/; Max-Age=15552000; SameSite=Strict; HttpOnly",
            "freehold_refresh; Path=/; Max-Age=604800; SameSite=Strict; HttpOnly",
        ]
    );
    let old = browser.cookie("freehold_refresh").to_owned();
    let carried_on = browser.own(Method::POST, "/v1/sessions/refresh").json(&json!({})).send().await.expect(200);
    browser.keep(&carried_on);
    assert_ne!(browser.cookie("freehold_refresh"), old);
    let signed_out = browser.own(Method::DELETE, "/v1/session").send().await.expect(204);
    browser.keep(&signed_out);
    // The device stays known.
    assert_eq!(browser.names(), ["freehold_device"]);
    server.stop().await;
    world.close().await;
}

/// Proves SES-1.
#[tokio::test]
async fn a_browser_at_an_https_address_gets_cookies_that_are_bound_to_it() {
    const ADDRESS: &str = "https://id.example.com";
    let world = World::open().await;
    let server = Server::configured(
        &world.database,
        &[("FREEHOLD_HTTP_PUBLIC_URL", ADDRESS), ("FREEHOLD_HTTP_TRUSTED_PROXIES", "127.0.0.1")],
    )
    .await;
    let browser = Browser::sign_in(server.nobody(), ADDRESS, &world.a.member.email).await;
    assert_eq!(
        attributes(set_cookies(&browser.signed_in)),
        [
            "__Host-freehold_access; Path=/; Max-Age=3600; SameSite=Lax; HttpOnly; Secure",
            "__Host-freehold_csrf; Path=/; Max-Age=604800; SameSite=Strict; Secure",
            "__Host-freehold_device; Path=/; Max-Age=15552000; SameSite=Strict; HttpOnly; Secure",
            "__Host-freehold_refresh; Path=/; Max-Age=604800; SameSite=Strict; HttpOnly; Secure",
        ]
    );
    browser.request(Method::GET, "/v1/me").send().await.expect(200);
    // A neighbouring subdomain can plant this one, so it means nothing here.
    let unprefixed = format!("freehold_access={}", browser.cookie("__Host-freehold_access"));
    let planted = server.nobody().request(Method::GET, "/v1/me").header("cookie", &unprefixed);
    planted.send().await.expect(401).problem("unauthenticated");
    server.stop().await;
    world.close().await;
}

/// Proves SES-1.
#[tokio::test]
async fn nobody_is_told_which_half_of_a_sign_in_was_wrong() {
    let world = World::open().await;
    let nobody = world.server.nobody();
    let attempt = async |email: &str, password: &str| {
        let body = json!({"email": email, "password": password, "token_delivery": "body"});
        let mut answer = nobody.post("/v1/sessions", body).await.expect(401).problem("invalid_credentials");
        answer.json["request_id"] = Value::Null;
        answer.json
    };
    let wrong = attempt(&world.a.member.email, "Wrong-horse-battery-7").await;
    assert_eq!(attempt("nobody@example.com", crate::harness::PASSWORD).await, wrong);
    assert_eq!(attempt("suspended.bravo@example.com", crate::harness::PASSWORD).await, wrong);
    world.close().await;
}

/// Cookies without their values, by name.
fn attributes(lines: Vec<&str>) -> Vec<String> {
    let mut shown: Vec<_> = lines
        .into_iter()
        .map(|line| {
            let (pair, rest) = line.split_once("; ").unwrap();
            format!("{}; {rest}", pair.split_once('=').unwrap().0)
        })
        .collect();
    shown.sort();
    shown
}
