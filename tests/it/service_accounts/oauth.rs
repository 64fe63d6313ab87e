//! Introspection (RFC 7662) and revocation (RFC 7009), with the checks that `coverage` makes of all other operations.

use std::time::Duration;

use base64::{Engine, engine::general_purpose::STANDARD};
use chrono::TimeDelta;
use reqwest::Method;
use serde_json::{Value, json};
use url::form_urlencoded::Serializer;

use super::{path, service};
use crate::{
    harness::{Actor, Answer, Login, PASSWORD, Server, eventually},
    world::{Person, World},
};

const INTROSPECT: &str = "/v1/oauth/introspect";
const REVOKE: &str = "/v1/oauth/revoke";
const FORM: &str = "application/x-www-form-urlencoded";

/// Basic credentials.
pub fn basic(name: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{name}:{password}")))
}

fn form(pairs: &[(&str, &str)]) -> String {
    Serializer::new(String::new()).extend_pairs(pairs).finish()
}

async fn ask(by: &Actor, place: &str, token: &str) -> Answer {
    by.request(Method::POST, place).body(FORM, form(&[("token", token)])).send().await
}

async fn introspect(by: &Actor, token: &str) -> Value {
    ask(by, INTROSPECT, token).await.expect(200).json
}

async fn fresh(nobody: &Actor, person: &Person) -> (String, String) {
    let sign_in = json!({"email": person.email, "password": PASSWORD, "token_delivery": "body"});
    let answer = nobody.post("/v1/sessions", sign_in).await.expect(201);
    (answer.text_at("/access_token").to_owned(), answer.text_at("/refresh_token").to_owned())
}

/// Proves SES-7.
#[tokio::test]
async fn a_service_is_told_what_is_true_of_a_token_now() {
    let world = World::open().await;
    let (program, manager) = (&world.a.program, &world.a.manager);
    let (access, refresh) = fresh(world.server.nobody(), manager).await;
    let told = introspect(program, &access).await;
    let expected = [
        ("active", json!(true)),
        ("token_type", json!("Bearer")),
        ("sub", json!(manager.account)),
        ("org", json!(world.a.id)),
        ("role", json!("manager")),
        ("roles", json!(["manager"])),
        ("amr", json!(["pwd"])),
    ];
    for (name, value) in expected {
        assert_eq!(told[name], value, "{name} of {told}");
    }
    assert!(told["exp"].as_i64() > told["iat"].as_i64(), "{told}");
    for name in ["sid", "jti", "iss", "aud", "auth_time"] {
        assert!(!told[name].is_null(), "{name} of {told}");
    }
    let of_refresh = introspect(program, &refresh).await;
    assert_eq!((&of_refresh["active"], &of_refresh["sid"]), (&json!(true), &told["sid"]));
    assert!(of_refresh.get("token_type").is_none() && of_refresh["exp"].as_i64() > told["exp"].as_i64());
    // To ask about a refresh token does not use it.
    let carry_on = json!({"refresh_token": refresh});
    let next = world.server.nobody().post("/v1/sessions/refresh", carry_on).await.expect(200);
    assert_eq!(introspect(program, &refresh).await, json!({"active": false}));
    assert_eq!(introspect(program, next.text_at("/refresh_token")).await["active"], true);
    // As it is now, not as the token says.
    let own = path(&world.a, &format!("members/{}", manager.membership));
    world.a.owner.patch(&own, json!({"role": "member"})).await.expect(200);
    assert_eq!(introspect(program, &access).await["role"], "member");
    world.a.owner.patch(&own, json!({"status": "blocked"})).await.expect(200);
    for token in [access.as_str(), next.text_at("/refresh_token")] {
        assert_eq!(introspect(program, token).await, json!({"active": false}));
    }
    world.close().await;
}

/// Proves SES-7, AZ-9.
#[tokio::test]
async fn nothing_is_told_of_another_organisations_tokens_or_of_what_is_no_token() {
    let world = World::open().await;
    let (of_a, of_b) = (&world.a.program, &world.b.program);
    let (access, refresh) = fresh(world.server.nobody(), &world.a.member).await;
    let (platform, _) = fresh(world.server.nobody(), &world.platform).await;
    let key = of_a.token().to_owned();
    let tampered = format!("{}x", &access[..access.len() - 1]);
    for token in [&access, &refresh, &platform, &key, &tampered, "nonsense", "fhr_nonsense", "a.b.c", "\u{e9}"] {
        assert_eq!(introspect(of_b, token).await, json!({"active": false}), "{token}");
        ask(of_b, REVOKE, token).await.expect(200);
    }
    assert_eq!(introspect(of_a, &access).await["active"], true);
    assert_eq!(introspect(of_a, &refresh).await["active"], true);
    // A platform administrator who acts in an organisation is known there as one, by a token that says so.
    let (before, carry_on) = fresh(world.server.nobody(), &world.platform).await;
    let administrator = world.server.bearer(&before);
    let start = format!("/v1/organizations/{}/act-in", world.a.id);
    administrator.post(&start, json!({"reason": "Ticket 4711"})).await.expect(200);
    assert_eq!(introspect(of_a, &before).await, json!({"active": false}));
    let carry_on = json!({"refresh_token": carry_on});
    let acting = world.server.nobody().post("/v1/sessions/refresh", carry_on).await.expect(200);
    let told = introspect(of_a, acting.text_at("/access_token")).await;
    assert_eq!((&told["role"], told["acting"].is_string()), (&json!("platform_admin"), true), "{told}");
    assert_eq!(introspect(of_b, acting.text_at("/access_token")).await, json!({"active": false}));
    // Somebody who goes elsewhere takes their session with them.
    let own = world.platform.post("/v1/organizations", json!({"name": "Own"})).await.expect(201).id_at("/id");
    administrator.post("/v1/session/organization", json!({"organization_id": own})).await.expect(200);
    assert_eq!(introspect(of_a, acting.text_at("/access_token")).await, json!({"active": false}));
    world.server.advance(TimeDelta::minutes(61));
    assert_eq!(introspect(of_a, &access).await, json!({"active": false}));
    world.close().await;
}

/// Proves SES-7, SES-4.
#[tokio::test]
async fn a_revocation_ends_the_session_everywhere() {
    let world = World::open().await;
    let second = Server::start(&world.database).await;
    let nobody = world.server.nobody();
    for which in ["access", "refresh"] {
        let (access, refresh) = fresh(nobody, &world.a.member).await;
        let (other, _) = fresh(nobody, &world.a.member).await;
        let (here, there) = (nobody.bearing(&access), second.bearer(&access));
        here.get("/v1/me").await.expect(200);
        there.get("/v1/me").await.expect(200);
        let token = if which == "access" { &access } else { &refresh };
        let answer = ask(&world.a.program, REVOKE, token).await.expect(200);
        assert_eq!(answer.text, "");
        here.get("/v1/me").await.expect(401).problem("session_ended");
        let gone = async || (there.get("/v1/me").await.status == 401).then_some(());
        eventually("it has ended there too", Duration::from_secs(1), gone).await;
        let carry_on = json!({"refresh_token": refresh});
        second.nobody().post("/v1/sessions/refresh", carry_on).await.expect(401).problem("session_ended");
        nobody.bearing(&other).get("/v1/me").await.expect(200);
        assert_eq!(introspect(&world.a.program, token).await, json!({"active": false}));
        // Again is no error.
        ask(&world.a.program, REVOKE, token).await.expect(200);
    }
    let mut psql = world.database.psql(Login::Owner).await;
    let recorded = format!(
        "SELECT count(*) FROM audit_entries WHERE actor_type = 'service' AND actor_id = '{}'
         AND (event, organization_id) IN (('token.revoked', '{}'), ('session.ended', platform_organization()))",
        world.a.service, world.a.id
    );
    assert_eq!(psql.number(&recorded).await, 4);
    drop(psql);
    second.stop().await;
    world.close().await;
}

/// Whether an answer is an error as OAuth has them.
#[track_caller]
fn refused(answer: Answer, status: u16, error: &str) {
    assert_eq!((answer.status, &answer.json["error"]), (status, &json!(error)), "{answer}");
    assert!(answer.json["error_description"].is_string(), "{answer}");
    assert_eq!(answer.header("content-type"), "application/json; charset=utf-8");
    assert_eq!(answer.header("cache-control"), "no-store");
    assert!(!answer.header("x-request-id").is_empty());
    assert_eq!(answer.header("www-authenticate").contains("Bearer"), status == 401, "{answer}");
}

/// Proves SES-7.
#[tokio::test]
async fn only_a_service_account_asks_and_errors_are_those_of_the_standard() {
    let world = World::open().await;
    let (nobody, program) = (world.server.nobody(), &world.a.program);
    let auditor = service(&world.a, "Auditor", "auditor").await;
    for place in [INTROSPECT, REVOKE] {
        let mistyped = nobody.bearing("fhk_short");
        for stranger in [nobody, &nobody.bearing("nonsense"), &mistyped, &world.a.owner, &world.platform] {
            refused(ask(stranger, place, "x").await, 401, "invalid_client");
        }
        refused(ask(&auditor.actor, place, "x").await, 403, "unauthorized_client");
        let post = |media_type: &str, body: &str| {
            program.request(Method::POST, place).body(media_type, body.as_bytes().to_vec()).send()
        };
        refused(post(FORM, "").await, 400, "invalid_request");
        refused(post(FORM, "token=").await, 400, "invalid_request");
        refused(post(FORM, "other=1").await, 400, "invalid_request");
        refused(post(FORM, "token=a&token=b").await, 400, "invalid_request");
        refused(post(FORM, "token=a%00b").await, 400, "invalid_request");
        refused(post(FORM, &form(&[("token", &"x".repeat(8193))])).await, 400, "invalid_request");
        refused(post("application/json", "{\"token\": \"x\"}").await, 415, "invalid_request");
        // Parameters that it does not know are ignored (RFC 6749, 3.2).
        post(FORM, "token=x&client_id=y&client_id=z&token_type_hint=access_token").await.expect(200);
        // The key as the password of a client.
        let by_password = |password: &str| {
            let request = nobody.request(Method::POST, place).header("authorization", &basic("service", password));
            request.body(FORM, "token=x").send()
        };
        by_password(program.token()).await.expect(200);
        refused(by_password("wrong").await, 401, "invalid_client");
        nobody.request(Method::GET, place).send().await.expect(405).problem("method_not_allowed");
        // No token in a query, where it would lie in logs.
        refused(
            program.request(Method::POST, &format!("{place}?token=x")).body(FORM, "token=x").send().await,
            400,
            "invalid_request",
        );
    }
    world.close().await;
}
