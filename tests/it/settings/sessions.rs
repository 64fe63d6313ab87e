//! How long a sign-in lasts, for everybody and in an organisation that asks for more.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use super::{PLATFORM, of};
use crate::{
    harness::{Answer, PASSWORD, Server},
    world::{Person, Tenant, World},
};

async fn sign_in(server: &Server, person: &Person) -> Answer {
    let body = json!({"email": person.email, "password": PASSWORD, "token_delivery": "body"});
    server.nobody().post("/v1/sessions", body).await.expect(201)
}

async fn refresh(server: &Server, token: &str) -> Answer {
    server.nobody().post("/v1/sessions/refresh", json!({"refresh_token": token})).await
}

fn into(tenant: &Tenant) -> Value {
    json!({"organization_id": tenant.id})
}

/// What an access token says.
fn claims(answer: &Answer) -> Value {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    let part = answer.text_at("/access_token").split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

/// Makes a member of A one of B as well.
async fn joins_b(world: &World) {
    let (a, b) = (&world.a, &world.b);
    let body = json!({"email": a.member.email, "role": "member"});
    b.owner.post(&format!("/v1/organizations/{}/invitations", b.id), body).await.expect(201);
    let token = world.database.mail().take_token(&a.member.email).await;
    a.member.post("/v1/me/invitations", json!({"token": token})).await.expect(200);
}

/// Proves SES-1, SES-5.
#[tokio::test]
async fn an_organisation_is_entered_with_a_sign_in_that_is_new_enough_for_it() {
    let world = World::open().await;
    let (a, b, member) = (&world.a, &world.b, &world.a.member);
    joins_b(&world).await;
    b.owner.patch(&of(b), json!({"sessions": {"lifetime_minutes": 15}})).await.expect(200);
    world.server.advance(TimeDelta::minutes(20));
    // The old sign-in is good for A and not for B.
    member.post("/v1/session/organization", into(b)).await.expect(403).problem("sign_in_again");
    member.get(&format!("/v1/organizations/{}", a.id)).await.expect(200);

    let signed_in = sign_in(&world.server, member).await;
    let session = world.server.bearer(signed_in.text_at("/access_token"));
    let entered = session.post("/v1/session/organization", into(b)).await.expect(200);
    assert_eq!(claims(&entered)["org"], b.id.to_string());
    // Whoever believes the token's claims believes them no longer than we do.
    assert!(entered.json["expires_in"].as_i64().unwrap() <= 15 * 60, "{entered}");
    session.get(&format!("/v1/organizations/{}", b.id)).await.expect(200);
    world.server.advance(TimeDelta::minutes(16));
    // It ends for B at its time, whatever is asked, and nothing else does.
    session.get(&format!("/v1/organizations/{}", b.id)).await.expect(403).problem("sign_in_again");
    let me = session.get("/v1/me").await.expect(200);
    assert_eq!((&me.json["organization"], &me.json["role"]), (&json!(null), &json!(null)));
    let carried_on = refresh(&world.server, signed_in.text_at("/refresh_token")).await.expect(200);
    assert_eq!((claims(&carried_on).get("org"), claims(&carried_on).get("role")), (None, None));
    let session = world.server.bearer(carried_on.text_at("/access_token"));
    session.post("/v1/session/organization", into(b)).await.expect(403).problem("sign_in_again");
    session.post("/v1/session/organization", into(a)).await.expect(200);
    session.get(&format!("/v1/organizations/{}", a.id)).await.expect(200);
    world.close().await;
}

/// Proves SES-5.
#[tokio::test]
async fn the_platforms_limit_ends_every_session_also_those_that_were_promised_more() {
    let world = World::open().await;
    let member = &world.a.member;
    world.server.advance(TimeDelta::minutes(20));
    world.platform.patch(PLATFORM, json!({"sessions": {"lifetime_minutes": 15}})).await.expect(200);
    member.get("/v1/me").await.expect(401).problem("session_ended");
    refresh(&world.server, &member.refresh_token).await.expect(401).problem("session_ended");
    let signed_in = sign_in(&world.server, member).await;
    let time = |pointer: &str| signed_in.text_at(pointer).parse::<DateTime<Utc>>().unwrap();
    assert_eq!(time("/session/expires_at") - time("/session/created_at"), TimeDelta::minutes(15));
    assert!(signed_in.json["expires_in"].as_i64().unwrap() <= 15 * 60, "{signed_in}");
    world.server.advance(TimeDelta::minutes(15));
    world.server.bearer(signed_in.text_at("/access_token")).get("/v1/me").await.expect(401);
    world.close().await;
}

/// Proves SES-5.
#[tokio::test]
async fn a_session_that_nobody_carries_on_ends_sooner_where_the_organisation_says_so() {
    let world = World::open().await;
    let (a, b) = (&world.a, &world.b);
    let (in_a, in_b) = (sign_in(&world.server, &a.member).await, sign_in(&world.server, &b.member).await);
    a.owner.patch(&of(a), json!({"sessions": {"idle_minutes": 30}})).await.expect(200);
    world.server.advance(TimeDelta::minutes(29));
    let again = refresh(&world.server, in_a.text_at("/refresh_token")).await.expect(200);
    world.server.advance(TimeDelta::minutes(30));
    // Also when its refresh token was given before that was decided.
    refresh(&world.server, again.text_at("/refresh_token")).await.expect(401).problem("session_ended");
    refresh(&world.server, in_b.text_at("/refresh_token")).await.expect(200);
    world.close().await;
}

/// Proves SES-5.
#[tokio::test]
async fn a_session_that_nobody_carries_on_ends_when_the_platform_says_so() {
    let world = World::open().await;
    let member = &world.b.member;
    world.platform.patch(PLATFORM, json!({"sessions": {"idle_minutes": 60}})).await.expect(200);
    let signed_in = sign_in(&world.server, member).await;
    world.server.advance(TimeDelta::minutes(59));
    let again = refresh(&world.server, signed_in.text_at("/refresh_token")).await.expect(200);
    world.server.advance(TimeDelta::minutes(61));
    refresh(&world.server, again.text_at("/refresh_token")).await.expect(401).problem("session_ended");
    world.close().await;
}

/// Proves SES-1.
#[tokio::test]
async fn what_an_instance_remembers_of_a_person_ends_with_their_place() {
    let world = World::open().await;
    let a = &world.a;
    // The token was promised more time than the organisation then gives.
    let member = world.server.bearer(sign_in(&world.server, &a.member).await.text_at("/access_token"));
    a.owner.patch(&of(a), json!({"sessions": {"lifetime_minutes": 15}})).await.expect(200);
    // The second answer is the one that was kept.
    for _ in 0..2 {
        assert_eq!(member.get("/v1/me").await.expect(200).text_at("/role"), "member");
    }
    world.server.advance(TimeDelta::minutes(16));
    let renamed = member.patch("/v1/me", json!({"name": "Grace"})).await.expect(200);
    assert!(renamed.json["organization"].is_null(), "{renamed}");
    for _ in 0..2 {
        let me = member.get("/v1/me").await.expect(200);
        assert!(me.json["organization"].is_null() && me.json["role"].is_null(), "{me}");
    }
    world.close().await;
}
