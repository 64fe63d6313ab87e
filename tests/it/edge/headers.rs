//! What every answer carries, and what is served over which scheme.

use reqwest::Method;
use serde_json::json;

use super::browser::{Browser, set_cookies};
use crate::{
    harness::{Actor, Answer, Database, Login, PASSWORD, PUBLIC_URL, Server, config},
    world::World,
};

const HSTS: &str = "max-age=31536000; includeSubDomains; preload";
const ADDRESS: &str = "https://id.example.com";

/// One answer of every kind of thing that is served.
async fn answers(server: &Server, member: &Actor) -> Vec<Answer> {
    let nobody = server.nobody();
    let page = nobody.request(Method::GET, "/").header("accept", "text/html").send().await;
    let deep = nobody.request(Method::GET, "/organizations/1/members").header("accept", "text/html").send().await;
    vec![
        page.expect(200),
        deep.expect(200),
        nobody.get("/v1/setup").await.expect(200),
        member.get("/v1/me").await.expect(200),
        nobody.get("/docs").await.expect(200),
        nobody.get("/openapi.json").await.expect(200),
        nobody.get("/.well-known/jwks.json").await.expect(200),
        nobody.get("/health/live").await.expect(200),
        nobody.get("/dev/mail").await,
        nobody.get("/v1/me").await.expect(401),
        nobody.get("/assets/none.js").await.expect(404),
        member.request(Method::PATCH, "/v1/me").body("text/plain", "x").send().await.expect(415),
        member.request(Method::PUT, "/v1/me").send().await.expect(405),
    ]
}

/// Proves NET-2.
#[tokio::test]
async fn every_answer_carries_the_security_headers() {
    let world = World::open().await;
    for answer in answers(&world.server, &world.a.member).await {
        let has = |name: &str, value: &str| assert_eq!(answer.header(name), value, "{name}: {}", answer.what);
        has("x-content-type-options", "nosniff");
        has("x-frame-options", "DENY");
        has("referrer-policy", "no-referrer");
        has("x-xss-protection", "0");
        has("cross-origin-opener-policy", "same-origin");
        has("cross-origin-resource-policy", "same-origin");
        has("strict-transport-security", "");
        has("server", "");
        assert!(answer.header("permissions-policy").contains("camera=(), "), "{}", answer.what);
        let policy = answer.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none';"), "{}: {policy}", answer.what);
        assert!(policy.contains("frame-ancestors 'none'"), "{}: {policy}", answer.what);
        assert!(!policy.contains("unsafe-eval") && !policy.contains("*"), "{}: {policy}", answer.what);
        let scripts = policy.split(';').find(|part| part.trim().starts_with("script-src")).unwrap_or_default();
        assert!(!scripts.contains("unsafe") && !scripts.contains("http"), "{}: {scripts}", answer.what);
        // Redoc writes its own styles; nothing else may.
        assert_eq!(policy.contains("unsafe-inline"), answer.what == "GET /docs", "{}: {policy}", answer.what);
        assert!(!answer.header("x-request-id").is_empty() && answer.header("traceparent").len() == 55);
    }
    world.close().await;
}

/// Proves NET-2.
#[tokio::test]
async fn the_api_has_the_narrowest_policy_and_keeps_nothing() {
    let world = World::open().await;
    let member = &world.a.member;
    let sign_in = json!({"email": member.email, "password": PASSWORD, "token_delivery": "body"});
    for answer in [
        member.get("/v1/me").await.expect(200),
        member.get("/v1/me/sessions").await.expect(200),
        world.server.nobody().post("/v1/sessions", sign_in).await.expect(201),
        world.server.nobody().get("/v1/me").await.expect(401),
    ] {
        assert_eq!(answer.header("content-security-policy"), "default-src 'none'; frame-ancestors 'none'");
        assert_eq!(answer.header("cache-control"), "no-store", "{answer}");
    }
    world.close().await;
}

/// Proves NET-2.
#[tokio::test]
async fn each_page_of_the_console_has_a_nonce_of_its_own() {
    let database = Database::new().await;
    let server = Server::start(&database).await;
    let mut nonces = Vec::new();
    for path in ["/", "/", "/sign-in"] {
        let page = server.nobody().request(Method::GET, path).header("accept", "text/html").send().await.expect(200);
        let policy = page.header("content-security-policy").to_owned();
        let (_, rest) = policy.split_once("'nonce-").expect("a nonce");
        let nonce = rest.split('\'').next().unwrap().to_owned();
        assert!(nonce.len() >= 22, "128 bits: {nonce}");
        assert!(page.text.contains(&nonce), "the page knows it");
        assert!(!page.text.contains("__CSP_NONCE__"));
        assert_eq!(page.header("cache-control"), "no-store");
        nonces.push(nonce);
    }
    nonces.sort();
    nonces.dedup();
    assert_eq!(nonces.len(), 3);
    server.stop().await;
}

/// A server as in production, but on the test's database: behind a proxy at this address.
async fn production(database: &Database, proxy: &str) -> Server {
    let settings = [("FREEHOLD_HTTP_PUBLIC_URL", ADDRESS), ("FREEHOLD_HTTP_TRUSTED_PROXIES", proxy)];
    let mut config = config(database, &settings);
    // A configuration file for production can't name a database without TLS or leave out SMTP.
    config.profile = freehold::config::Profile::Production;
    Server::run(config).await.unwrap_or_else(|error| panic!("{error}"))
}

/// Proves NET-1, NET-2.
#[tokio::test]
async fn in_production_plain_http_is_sent_on_or_refused() {
    let world = World::open().await;
    let server = production(&world.database, "127.0.0.1").await;
    let nobody = server.nobody();
    for path in ["/", "/v1/setup", "/docs?x=1", "//evil.example/a"] {
        let answer = nobody.get(path).await.expect(308);
        assert_eq!(answer.header("location"), format!("{ADDRESS}{path}"));
        assert_eq!(answer.header("strict-transport-security"), "", "RFC 6797, 7.2");
        nobody.request(Method::HEAD, path).send().await.expect(308);
    }
    let mut psql = world.database.psql(Login::Owner).await;
    let before = psql.number("SELECT count(*) FROM sessions").await;
    let body = json!({"email": world.a.member.email, "password": PASSWORD, "token_delivery": "body"});
    for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::OPTIONS] {
        let answer = nobody.request(method, "/v1/sessions").json(&body).send().await;
        answer.expect(403).problem("https_required");
    }
    let lie = nobody.request(Method::POST, "/v1/sessions").header("x-forwarded-proto", "http").json(&body);
    lie.send().await.expect(403).problem("https_required");
    assert_eq!(psql.number("SELECT count(*) FROM sessions").await, before);
    // A load balancer probes without TLS.
    nobody.get("/health/live").await.expect(200);
    nobody.get("/health/ready").await.expect(200);
    server.stop().await;
    world.close().await;
}

/// Proves NET-1, NET-2.
#[tokio::test]
async fn in_production_https_is_what_a_trusted_proxy_says() {
    let world = World::open().await;
    let server = production(&world.database, "127.0.0.1").await;
    let by = |name: &str, value: &str| server.nobody().request(Method::GET, "/v1/setup").header(name, value).send();
    assert_eq!(by("x-forwarded-proto", "https").await.expect(200).header("strict-transport-security"), HSTS);
    // The proxy does not write this one, so a client did.
    by("forwarded", "for=203.0.113.9;proto=https").await.expect(308);
    let browser = Browser::sign_in(server.nobody(), ADDRESS, &world.a.member.email).await;
    assert!(
        set_cookies(&browser.signed_in).iter().all(|line| line.starts_with("__Host-") && line.ends_with("; Secure"))
    );
    browser.own(Method::PATCH, "/v1/me").json(&json!({"name": "Renamed"})).send().await.expect(200);
    let local = browser.request(Method::PATCH, "/v1/me").header("x-csrf-token", browser.csrf());
    let local = local.header("origin", PUBLIC_URL).json(&json!({"name": "Again"}));
    local.send().await.expect(403).problem("cross_site_request");
    // What development shows is not there.
    let mails = server.nobody().request(Method::GET, "/dev/mail").header("x-forwarded-proto", "https");
    mails.send().await.expect(404).problem("not_found");
    server.stop().await;

    let elsewhere = production(&world.database, "192.0.2.1").await;
    let spoofed = elsewhere.nobody().request(Method::POST, "/v1/sessions").header("x-forwarded-proto", "https");
    spoofed.json(&json!({})).send().await.expect(403).problem("https_required");
    let spoofed = elsewhere.nobody().request(Method::GET, "/").header("forwarded", "proto=https");
    assert_eq!(spoofed.send().await.expect(308).header("strict-transport-security"), "");
    elsewhere.stop().await;
    world.close().await;
}
