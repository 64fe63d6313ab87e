//! Pages of other origins that call the API from a browser.

use reqwest::Method;
use serde_json::json;

use super::browser::Browser;
use crate::{
    harness::{Answer, Database, PUBLIC_URL, Server},
    world::World,
};

const APP: &str = "https://app.example.com";
const ORIGINS: (&str, &str) = ("FREEHOLD_HTTP_CORS_ORIGINS", "https://app.example.com, HTTPS://Other.example.com:443");

fn nothing_is_open(answer: &Answer) {
    for (name, value) in &answer.headers {
        assert!(!name.as_str().starts_with("access-control-"), "{name}: {value:?} in {answer}");
    }
}

/// Proves NET-3.
#[tokio::test]
async fn pages_of_configured_origins_read_answers_and_no_others_do() {
    let world = World::configured(&[ORIGINS]).await;
    let member = &world.a.member;
    let nobody = world.server.nobody();
    for origin in [APP, "https://other.example.com"] {
        for (answer, status) in [
            (member.request(Method::GET, "/v1/me").header("origin", origin).send().await, 200),
            // Errors too: a page has to see why.
            (nobody.request(Method::GET, "/v1/me").header("origin", origin).send().await, 401),
            (member.request(Method::GET, "/v1/nothing").header("origin", origin).send().await, 404),
            (member.request(Method::PATCH, "/v1/me").header("origin", origin).json(&json!({"x": 1})).send().await, 422),
            (nobody.request(Method::GET, "/openapi.json").header("origin", origin).send().await, 200),
        ] {
            let answer = answer.expect(status);
            assert_eq!(answer.header("access-control-allow-origin"), origin, "{answer}");
            assert_eq!(answer.header("access-control-allow-credentials"), "", "{answer}");
            let exposed = answer.header("access-control-expose-headers");
            for name in ["ratelimit", "ratelimit-policy", "retry-after", "x-request-id", "location", "etag"] {
                assert!(exposed.split(", ").any(|exposed| exposed == name), "{name} is not in {exposed}");
            }
            assert!(answer.header("vary").contains("Origin"), "{answer}");
        }
    }
    for origin in [
        "https://evil.example",
        "http://app.example.com",
        "https://app.example.com:8443",
        "https://app.example.com.evil.example",
        "https://evil-app.example.com",
        "https://APP.example.com",
        "null",
        "*",
    ] {
        let answer = member.request(Method::GET, "/v1/me").header("origin", origin).send().await.expect(200);
        nothing_is_open(&answer);
        assert_eq!(answer.header("vary"), "Origin", "a cache must not give it to a page that may read it");
    }
    let two = member.request(Method::GET, "/v1/me").header("origin", APP).header("origin", "https://evil.example");
    nothing_is_open(&two.send().await.expect(200));
    let none = member.get("/v1/me").await.expect(200);
    nothing_is_open(&none);
    assert_eq!(none.header("vary"), "Origin");
    world.close().await;
}

/// Proves NET-3.
#[tokio::test]
async fn a_preflight_is_answered_before_anybody_is_asked_who_they_are() {
    let quota = ("FREEHOLD_LIMITS_ANONYMOUS_WRITE_QUOTA", "1");
    let world = World::configured(&[ORIGINS, quota]).await;
    let nobody = world.server.nobody();
    let ask = async |origin: &str, path: &str| {
        let draft = nobody.request(Method::OPTIONS, path).header("origin", origin);
        let draft = draft.header("access-control-request-method", "PATCH");
        draft.header("access-control-request-headers", "authorization,content-type").send().await
    };
    for _ in 0..3 {
        let answer = ask(APP, "/v1/me").await.expect(204);
        assert_eq!(answer.header("access-control-allow-origin"), APP);
        assert_eq!(answer.header("access-control-allow-credentials"), "");
        assert!(answer.header("access-control-allow-methods").contains("PATCH"));
        for name in ["authorization", "content-type", "if-match", "idempotency-key"] {
            assert!(answer.header("access-control-allow-headers").split(", ").any(|allowed| allowed == name), "{name}");
        }
        assert!(!answer.header("access-control-allow-headers").contains("csrf"));
        assert_eq!(answer.header("access-control-max-age"), "600");
        let vary: Vec<_> = answer.headers.get_all("vary").iter().map(|value| value.to_str().unwrap()).collect();
        assert!(vary.contains(&"Origin"), "{vary:?}");
        assert_eq!(answer.text, "");
    }
    for origin in ["https://evil.example", "null"] {
        nothing_is_open(&ask(origin, "/v1/me").await.expect(405));
    }
    // What is no preflight is a method that is not there.
    let plain = nobody.request(Method::OPTIONS, "/v1/me").header("origin", APP).send().await;
    plain.expect(405).problem("method_not_allowed");
    world.close().await;
}

/// A page that may call with a bearer token may nothing with the cookies of whoever looks at it.
///
/// Proves NET-3, NET-11.
#[tokio::test]
async fn a_configured_origin_gets_no_further_with_cookies_than_any_other() {
    let world = World::configured(&[ORIGINS]).await;
    let browser = Browser::sign_in(world.server.nobody(), PUBLIC_URL, &world.a.member.email).await;
    let write = browser.request(Method::PATCH, "/v1/me").header("origin", APP).header("x-csrf-token", browser.csrf());
    let write = write.header("sec-fetch-site", "same-site").json(&json!({"name": "Forged"}));
    write.send().await.expect(403).problem("cross_site_request");
    let read = browser.request(Method::GET, "/v1/me").header("origin", APP).send().await.expect(200);
    assert_eq!(read.header("access-control-allow-credentials"), "", "no browser lets the page read this");
    let sign_in =
        json!({"email": world.a.member.email, "password": crate::harness::PASSWORD, "token_delivery": "cookie"});
    let sign_in = world.server.nobody().request(Method::POST, "/v1/sessions").header("origin", APP).json(&sign_in);
    sign_in.send().await.expect(403).problem("cross_site_request");
    world.close().await;
}

/// Proves NET-3.
#[tokio::test]
async fn without_origins_nothing_is_open_and_a_star_comes_without_cookies() {
    let database = Database::new().await;
    let server = Server::start(&database).await;
    let closed = server.nobody().request(Method::GET, "/v1/setup").header("origin", APP).send().await.expect(200);
    nothing_is_open(&closed);
    server.stop().await;
    let server = Server::configured(&database, &[("FREEHOLD_HTTP_CORS_ORIGINS", "*")]).await;
    let open = server.nobody().request(Method::GET, "/v1/setup").header("origin", APP).send().await.expect(200);
    assert_eq!(open.header("access-control-allow-origin"), "*");
    assert_eq!(open.header("access-control-allow-credentials"), "");
    server.stop().await;
}
