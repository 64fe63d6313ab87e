//! Refresh tokens: used once, and the end of the family when used twice.

use std::time::Duration;

use chrono::TimeDelta;
use reqwest::Method;
use serde_json::json;

use super::{claims, refresh, sign_in};
use crate::{
    edge::browser::Browser,
    harness::{Answer, Login, Server, eventually},
    world::World,
};

/// How long an ended session may still be in force on another instance (SES-4).
const BOUND: Duration = Duration::from_secs(1);

/// Proves SES-2.
#[tokio::test]
async fn a_refresh_uses_its_token_up() {
    let world = World::open().await;
    let nobody = world.server.nobody();
    let mut refresh_token = world.a.member.refresh_token.clone();
    for _ in 0..3 {
        let answer = refresh(nobody, &refresh_token).await.expect(200);
        assert_ne!(answer.text_at("/refresh_token"), refresh_token);
        assert_eq!(answer.id_at("/session/id"), world.a.member.session);
        world.server.bearer(answer.text_at("/access_token")).get("/v1/me").await.expect(200);
        answer.text_at("/refresh_token").clone_into(&mut refresh_token);
    }
    for nonsense in ["fhr_0", &refresh_token[1..], "' OR true --"] {
        refresh(nobody, nonsense).await.expect(401).problem("session_ended");
    }
    nobody.post("/v1/sessions/refresh", json!({})).await.expect(401).problem("unauthenticated");
    refresh(nobody, &refresh_token).await.expect(200);
    world.close().await;
}

/// Proves SES-2.
#[tokio::test]
async fn a_token_that_is_presented_twice_ends_its_whole_family_and_is_remembered() {
    let world = World::open().await;
    let nobody = world.server.nobody();
    let member = &world.a.member;
    let other = sign_in(nobody, &member.email).await;
    let second = refresh(nobody, &member.refresh_token).await.expect(200);
    let third = refresh(nobody, second.text_at("/refresh_token")).await.expect(200);
    let newest = world.server.bearer(third.text_at("/access_token"));
    newest.get("/v1/me").await.expect(200);

    let thief = nobody.using("Thief/1.0");
    let caught = refresh(&thief, &member.refresh_token).await.expect(401).problem("session_ended");

    refresh(nobody, third.text_at("/refresh_token")).await.expect(401).problem("session_ended");
    for token in [member.token(), second.text_at("/access_token"), third.text_at("/access_token")] {
        world.server.bearer(token).get("/v1/me").await.expect(401).problem("session_ended");
    }
    // Another sign-in of the same person is another family.
    world.server.bearer(other.text_at("/access_token")).get("/v1/me").await.expect(200);

    let audit = platform_audit(&world, "session.refresh_token_reused").await;
    let [entry] = audit.items() else { panic!("one entry, and no more: {audit}") };
    assert_eq!(
        (&entry["severity"], &entry["class"], &entry["outcome"]),
        (&json!("high"), &json!("security"), &json!("refused"))
    );
    assert_eq!(entry["target"], json!({"type": "session", "id": member.session}));
    assert_eq!((&entry["ip"], &entry["user_agent"]), (&json!("127.0.0.1"), &json!("Thief/1.0")));
    assert_eq!(entry["request_id"], caught.header("x-request-id"));
    world.close().await;
}

/// Proves SES-1, AUD-2.
#[tokio::test]
async fn a_refresh_token_stays_in_its_vessel() {
    let world = World::open().await;
    let (nobody, member) = (world.server.nobody(), &world.a.member);
    let origin = &world.server.app().public_url;
    let mut browser = Browser::sign_in(nobody, origin, &member.email).await;

    // The browser's token in a body, as a thief of cookies would send it.
    let stolen = browser.cookie("freehold_refresh").to_owned();
    refresh(nobody, &stolen).await.expect(401).problem("session_ended");
    // The other one in a cookie, with every proof that a page has.
    let misplaced = format!("freehold_refresh={}", member.refresh_token);
    let draft = nobody.request(Method::POST, "/v1/sessions/refresh").header("cookie", &misplaced);
    let draft = draft.header("origin", origin).header("x-csrf-token", browser.csrf()).json(&json!({}));
    draft.send().await.expect(401).problem("session_ended");

    let entries = platform_audit(&world, "session.refresh_token_misplaced").await;
    let sessions: Vec<_> = entries.items().iter().map(|entry| &entry["target"]["id"]).collect();
    assert_eq!(sessions, [&json!(member.session), &browser.signed_in.json["session"]["id"]], "{entries}");
    assert!(entries.items().iter().all(|entry| entry["outcome"] == "refused"), "{entries}");

    // Nothing was used up, and nobody lost their session.
    refresh(nobody, &member.refresh_token).await.expect(200);
    let carried_on = browser.own(Method::POST, "/v1/sessions/refresh").json(&json!({})).send().await.expect(200);
    browser.keep(&carried_on);
    assert_ne!(browser.cookie("freehold_refresh"), stolen);
    world.close().await;
}

/// Proves SES-2.
#[tokio::test]
async fn of_two_who_present_a_token_at_once_at_most_one_succeeds_and_neither_stays() {
    let world = World::open().await;
    let second = Server::start(&world.database).await;
    for round in 0..5 {
        let signed_in = sign_in(world.server.nobody(), &world.a.member.email).await;
        let token = signed_in.text_at("/refresh_token");
        let answers: [Answer; 4] = tokio::join!(
            refresh(world.server.nobody(), token),
            refresh(second.nobody(), token),
            refresh(world.server.nobody(), token),
            refresh(second.nobody(), token),
        )
        .into();
        let (won, lost): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 200);
        assert!(won.len() <= 1, "round {round}: {} succeeded", won.len());
        lost.into_iter().for_each(|answer| drop(answer.expect(401).problem("session_ended")));
        for server in [&world.server, &second] {
            for answer in won.iter().chain([&signed_in]) {
                let bearer = server.bearer(answer.text_at("/access_token"));
                eventually("the family ends", BOUND, async || (bearer.get("/v1/me").await.status == 401).then_some(()))
                    .await;
            }
            for answer in &won {
                refresh(server.nobody(), answer.text_at("/refresh_token")).await.expect(401).problem("session_ended");
            }
        }
    }
    second.stop().await;
    world.close().await;
}

/// Proves SES-1, SES-2.
#[tokio::test]
async fn a_refresh_token_lasts_a_week_and_a_session_a_month() {
    let world = World::open().await;
    let nobody = world.server.nobody();
    let mut latest = sign_in(nobody, &world.a.member.email).await;
    let forgotten = sign_in(nobody, &world.a.member.email).await;
    let almost_a_week = TimeDelta::days(7) - TimeDelta::minutes(1);
    for _ in 0..4 {
        world.server.advance(almost_a_week);
        latest = refresh(nobody, latest.text_at("/refresh_token")).await.expect(200);
    }
    refresh(nobody, forgotten.text_at("/refresh_token")).await.expect(401).problem("session_ended");
    // The family is not ended by a token that is merely old.
    assert_eq!(platform_audit_count(&world, "session.refresh_token_reused").await, 0);
    // Four weeks have gone; however often it is refreshed, thirty days are the end.
    world.server.advance(TimeDelta::days(2) + TimeDelta::minutes(5));
    refresh(nobody, latest.text_at("/refresh_token")).await.expect(401).problem("session_ended");
    world.close().await;
}

/// The platform's record of one type of event.
async fn platform_audit(world: &World, event: &str) -> Answer {
    let platform = claims(world.platform.token())["org"].as_str().unwrap().to_owned();
    world.platform.get(&format!("/v1/organizations/{platform}/audit?event={event}")).await.expect(200)
}

/// How many events of a type there are, in all records.
async fn platform_audit_count(world: &World, event: &str) -> i64 {
    let mut psql = world.database.psql(Login::Owner).await;
    psql.number(&format!("SELECT count(*) FROM audit_entries WHERE event = '{event}'")).await
}
