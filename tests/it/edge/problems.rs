//! Refusals as problem documents: complete, silent about the inside, and counted.

use std::collections::BTreeMap;

use reqwest::Method;
use serde_json::json;

use crate::{
    harness::{Answer, PASSWORD},
    world::World,
};

/// Words that only the inside knows.
const INSIDE: [&str; 14] = [
    "poem", "sqlx", "sea_orm", "SeaORM", "serde", "postgres", "SELECT", "INSERT", "src/", ".rs", "panick", "unwrap",
    "stack", "thread",
];

/// A refusal of each kind that a client can bring about.
async fn refusals(world: &World) -> Vec<(u16, &'static str, Answer)> {
    let nobody = world.server.nobody();
    let (a, member) = (world.a.id, &world.a.member);
    let sign_in = json!({"email": "x@example.com", "password": PASSWORD, "token_delivery": "body"});
    let large = json!({"name": "a".repeat(2 << 20)});
    let me = member.request(Method::PATCH, "/v1/me");
    vec![
        (400, "malformed_request", me.body("application/json", "{").send().await),
        (401, "unauthenticated", nobody.get("/v1/me").await),
        (401, "unauthenticated", nobody.bearing("x.y.z").get("/v1/me").await),
        (401, "invalid_credentials", nobody.post("/v1/sessions", sign_in.clone()).await),
        (401, "session_ended", nobody.post("/v1/sessions/refresh", json!({"refresh_token": "fhr_x"})).await),
        (403, "forbidden", member.get(&format!("/v1/organizations/{a}/audit")).await),
        (403, "cross_site_request", {
            nobody
                .request(Method::POST, "/v1/sessions")
                .header("origin", "https://evil.example")
                .json(&sign_in)
                .send()
                .await
        }),
        (404, "not_found", nobody.get("/v1/nothing").await),
        (404, "not_found", member.get(&format!("/v1/organizations/{}", world.b.id)).await),
        (404, "not_found", nobody.get("/v1").await),
        (404, "not_found", nobody.get("/.well-known/nothing").await),
        (404, "not_found", nobody.get("/dev/nothing").await),
        (404, "not_found", nobody.post("/sign-in", json!({})).await),
        (405, "method_not_allowed", member.request(Method::PUT, "/v1/me").send().await),
        (405, "method_not_allowed", member.delete("/v1/me").await),
        (405, "method_not_allowed", nobody.request(Method::TRACE, "/v1/setup").send().await),
        (405, "method_not_allowed", nobody.post("/openapi.json", json!({})).await),
        (412, "precondition_failed", {
            let stale = member.request(Method::PATCH, "/v1/me").header("if-match", "\"99\"");
            stale.json(&json!({"name": "New"})).send().await
        }),
        (413, "payload_too_large", member.patch("/v1/me", large).await),
        (415, "unsupported_media_type", member.request(Method::PATCH, "/v1/me").body("text/plain", "{}").send().await),
        (422, "invalid_request", member.patch("/v1/me", json!({"name": 1})).await),
    ]
}

async fn counts(world: &World) -> BTreeMap<String, u64> {
    let stats = world.platform.get("/v1/errors/stats").await.expect(200);
    assert!(!stats.text_at("/as_of").is_empty());
    let count = |item: &serde_json::Value| (item["code"].as_str().unwrap().to_owned(), item["hour"].as_u64().unwrap());
    stats.items().iter().map(count).collect()
}

/// Proves NET-10.
#[tokio::test]
async fn every_refusal_is_a_problem_document_and_is_counted() {
    let world = World::open().await;
    let before = counts(&world).await;
    let mut expected = before.clone();
    for (status, code, answer) in refusals(&world).await {
        // This looks at type, title, status, code and the request's id.
        let answer = answer.problem(code).expect(status);
        *expected.entry(code.to_owned()).or_default() += 1;
        assert!(!answer.header("x-request-id").is_empty(), "{answer}");
        let inside = INSIDE.iter().find(|word| answer.text.contains(**word));
        assert_eq!(inside, None, "{answer}");
        let known = ["type", "title", "status", "code", "detail", "request_id", "errors"];
        let fields = answer.json.as_object().unwrap();
        assert!(fields.keys().all(|name| known.contains(&name.as_str())), "{answer}");
    }
    assert_eq!(counts(&world).await, expected);
    world.a.owner.get("/v1/errors/stats").await.expect(403).problem("forbidden");
    world.close().await;
}

/// Proves NET-10.
#[tokio::test]
async fn a_405_says_what_is_allowed_and_a_401_how_to_sign_in() {
    let world = World::open().await;
    for (method, path, allowed) in [
        (Method::PUT, "/v1/me", "GET, PATCH, HEAD"),
        (Method::OPTIONS, "/v1/me", "GET, PATCH, HEAD"),
        (Method::HEAD, "/v1/sessions", "POST"),
        (Method::TRACE, "/v1/session", "DELETE"),
        (Method::POST, "/docs", "GET, HEAD"),
        (Method::DELETE, "/openapi.json", "GET, HEAD"),
    ] {
        let answer = world.a.member.request(method.clone(), path).send().await.expect(405);
        assert_eq!(answer.header("allow"), allowed, "{method} {path}");
    }
    world.a.member.request(Method::HEAD, "/v1/me").send().await.expect(200);
    let answer = world.server.nobody().get("/v1/me").await.expect(401);
    assert_eq!(answer.header("www-authenticate"), "Bearer");
    world.close().await;
}
