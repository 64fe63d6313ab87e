//! Pages of others that make a browser send something with our cookies.

use reqwest::Method;
use serde_json::json;

use super::browser::Browser;
use crate::{
    harness::{Actor, Draft, Login, PASSWORD, PUBLIC_URL},
    world::World,
};

const NEW_NAME: &str = "Renamed";

/// Proves NET-11.
#[tokio::test]
async fn a_write_with_cookies_needs_every_proof_and_a_read_none() {
    let world = World::open().await;
    let nobody = world.server.nobody();
    let browser = Browser::sign_in(nobody, PUBLIC_URL, &world.a.member.email).await;
    let other = Browser::sign_in(nobody, PUBLIC_URL, &world.a.member.email).await;
    let stranger = Browser::sign_in(nobody, PUBLIC_URL, &world.b.member.email).await;
    browser.request(Method::GET, "/v1/me").send().await.expect(200);
    let from_elsewhere = browser.request(Method::GET, "/v1/me").header("sec-fetch-site", "cross-site");
    let answer = from_elsewhere.header("origin", "https://evil.example").send().await.expect(200);
    assert_eq!(answer.header("access-control-allow-origin"), "", "and no other page can read the answer");

    let own = browser.csrf();
    let long = "A".repeat(200);
    let refused: [(&str, &[(&str, &str)]); 13] = [
        ("nothing", &[]),
        ("no token", &[("origin", PUBLIC_URL)]),
        ("no token, by the browser's word our own page", &[("sec-fetch-site", "same-origin")]),
        ("nobody says where from", &[("x-csrf-token", own)]),
        ("a foreign page", &[("origin", "https://evil.example"), ("x-csrf-token", own)]),
        ("the other scheme", &[("origin", "https://freehold.localhost"), ("x-csrf-token", own)]),
        ("another port", &[("origin", "http://freehold.localhost:81"), ("x-csrf-token", own)]),
        (
            "a name that begins like ours",
            &[("origin", "http://freehold.localhost.evil.example"), ("x-csrf-token", own)],
        ),
        ("a sandboxed frame", &[("origin", "null"), ("sec-fetch-site", "same-origin"), ("x-csrf-token", own)]),
        ("the browser contradicts", &[("origin", PUBLIC_URL), ("sec-fetch-site", "cross-site"), ("x-csrf-token", own)]),
        ("a neighbour", &[("sec-fetch-site", "same-site"), ("x-csrf-token", own)]),
        ("a made-up token", &[("origin", PUBLIC_URL), ("x-csrf-token", &long)]),
        ("a token of the person's other session", &[("origin", PUBLIC_URL), ("x-csrf-token", other.csrf())]),
    ];
    for (what, lines) in refused {
        println!("{what}");
        let answer =
            with(browser.request(Method::PATCH, "/v1/me"), lines).json(&json!({"name": NEW_NAME})).send().await;
        answer.expect(403).problem("cross_site_request");
        let answer = with(browser.request(Method::DELETE, "/v1/session"), lines).send().await;
        answer.expect(403).problem("cross_site_request");
    }
    let planted =
        with(browser.request(Method::PATCH, "/v1/me"), &[("origin", PUBLIC_URL), ("x-csrf-token", stranger.csrf())]);
    planted.json(&json!({"name": NEW_NAME})).send().await.expect(403).problem("cross_site_request");
    assert_ne!(name_of(&world.a.member).await, NEW_NAME);

    // Each way in which the console's own page may say so.
    for lines in [[("origin", PUBLIC_URL)], [("sec-fetch-site", "same-origin")]] {
        let draft = with(browser.request(Method::PATCH, "/v1/me"), &lines).header("x-csrf-token", own);
        draft.json(&json!({"name": NEW_NAME})).send().await.expect(200);
    }
    assert_eq!(name_of(&world.a.member).await, NEW_NAME);
    // A bearer's call carries nothing that a browser adds by itself.
    world.a.member.patch("/v1/me", json!({"name": "Again"})).await.expect(200);
    world.close().await;
}

/// Proves NET-11.
#[tokio::test]
async fn a_refresh_by_cookie_needs_the_proof_too() {
    let world = World::open().await;
    let browser = Browser::sign_in(world.server.nobody(), PUBLIC_URL, &world.a.member.email).await;
    let path = "/v1/sessions/refresh";
    for lines in [
        vec![],
        vec![("origin", PUBLIC_URL)],
        vec![("origin", "https://evil.example"), ("x-csrf-token", browser.csrf())],
        vec![("x-csrf-token", browser.csrf())],
    ] {
        let answer = with(browser.request(Method::POST, path), &lines).json(&json!({})).send().await;
        answer.expect(403).problem("cross_site_request");
    }
    // None of those used the token up.
    browser.own(Method::POST, path).json(&json!({})).send().await.expect(200);
    world.close().await;
}

/// Proves NET-11.
#[tokio::test]
async fn nobody_is_signed_in_from_a_foreign_page() {
    let world = World::open().await;
    let mut psql = world.database.psql(Login::Owner).await;
    let sessions = "SELECT count(*) FROM sessions";
    let before = psql.number(sessions).await;
    let body = json!({"email": world.b.owner.email, "password": PASSWORD, "token_delivery": "cookie"});
    let sign_in =
        |lines: &[(&str, &str)]| with(world.server.nobody().request(Method::POST, "/v1/sessions"), lines).json(&body);
    for lines in [
        [("origin", "https://evil.example")],
        [("origin", "null")],
        [("sec-fetch-site", "cross-site")],
        [("sec-fetch-site", "same-site")],
    ] {
        let answer = sign_in(&lines).send().await.expect(403).problem("cross_site_request");
        assert_eq!(answer.header("set-cookie"), "");
    }
    // What a form on a foreign page can send without asking the browser is no JSON anyway.
    let form = world.server.nobody().request(Method::POST, "/v1/sessions").body("text/plain", body.to_string());
    form.send().await.expect(415).problem("unsupported_media_type");
    assert_eq!(psql.number(sessions).await, before);
    sign_in(&[("origin", PUBLIC_URL)]).send().await.expect(201);
    sign_in(&[]).send().await.expect(201);
    world.close().await;
}

/// Proves NET-11.
#[tokio::test]
async fn a_cookie_that_is_there_twice_is_nobodys() {
    let world = World::open().await;
    let nobody = world.server.nobody();
    let browser = Browser::sign_in(nobody, PUBLIC_URL, &world.a.member.email).await;
    let attacker = Browser::sign_in(nobody, PUBLIC_URL, &world.b.member.email).await;
    let (own, tossed) = (browser.cookie_header(), attacker.cookie_header());
    for cookies in [format!("{own}; {tossed}"), format!("{tossed}; {own}")] {
        let answer = nobody.request(Method::GET, "/v1/me").header("cookie", &cookies).send().await;
        answer.expect(401).problem("unauthenticated");
    }
    let two_lines = nobody.request(Method::GET, "/v1/me").header("cookie", &own).header("cookie", &tossed);
    two_lines.send().await.expect(401).problem("unauthenticated");
    world.close().await;
}

/// Proves NET-11.
#[tokio::test]
async fn no_other_origin_may_read_or_preflight() {
    let world = World::open().await;
    let preflight = world.server.nobody().request(Method::OPTIONS, "/v1/me").header("origin", "https://evil.example");
    let answer = preflight.header("access-control-request-method", "PATCH").send().await;
    assert!(answer.status >= 400, "{answer}");
    let granted = answer.headers.keys().find(|name| name.as_str().starts_with("access-control-"));
    assert_eq!(granted, None);
    world.close().await;
}

fn with(draft: Draft, lines: &[(&str, &str)]) -> Draft {
    lines.iter().fold(draft, |draft, (name, value)| draft.header(name, value))
}

async fn name_of(person: &Actor) -> String {
    person.get("/v1/me").await.expect(200).text_at("/account/name").to_owned()
}
