//! What an attacker would try.

use reqwest::Method;
use serde_json::json;

use super::{
    LOOKUP, SIGN_UPS, VERIFY, body, person, platform, request, role, sign_in, sign_up, slug, tenant, waiting, world,
};
use crate::harness::{Login, PASSWORD};

/// Proves AUT-3, AUT-5. The attack: an attacker signs up with the victim's address and a password that they know; the victim clicks
/// on the link, and the attacker has access to the victim's account.
#[tokio::test]
async fn nobody_chooses_a_password_for_somebody_else() {
    let world = world().await;
    let (nobody, mail) = (world.server.nobody(), world.database.mail());
    platform(&world, json!({"mode": "open"})).await;
    let victim = "victim@example.com";
    for secret in ["password", "name", "role"] {
        let mut chosen = body(victim, None);
        chosen[secret] = json!("Attackers-choice-7");
        let refused = nobody.post(SIGN_UPS, chosen).await.expect(422);
        assert_eq!(refused.faults(), [format!("/{secret}")]);
    }
    sign_up(&world, victim, None).await.expect(202);
    let token = mail.take_token(victim).await;
    nobody.post(VERIFY, person(&token)).await.expect(201);
    let guess = json!({"email": victim, "password": "Attackers-choice-7", "token_delivery": "body"});
    nobody.post("/v1/sessions", guess).await.expect(401);
    sign_in(nobody, victim).await.expect(201);
    world.close().await;
}

/// Proves AUT-3.
#[tokio::test]
async fn of_many_who_follow_a_link_at_once_one_gets_in() {
    let world = world().await;
    let (nobody, mail) = (world.server.nobody(), world.database.mail());
    platform(&world, json!({"mode": "open"})).await;
    sign_up(&world, "grace@example.com", None).await.expect(202);
    let token = mail.take_token("grace@example.com").await;
    let all = futures_util::future::join_all((0..8).map(|_| nobody.post(VERIFY, person(&token)))).await;
    let entered = all.iter().filter(|answer| answer.status == 201).count();
    assert_eq!(entered, 1, "{:?}", all.iter().map(|answer| answer.status).collect::<Vec<_>>());
    assert!(all.iter().all(|answer| [201, 404, 409].contains(&answer.status)));
    let mut psql = world.database.psql(Login::Owner).await;
    assert_eq!(psql.number("SELECT count(*) FROM audit_entries WHERE event = 'sign_up.completed'").await, 1);

    // The same for two administrators who let somebody in and turn them away.
    tenant(&world.a, json!({"mode": "approval_required"})).await;
    sign_up(&world, "joan@example.com", Some(&slug(&world.a).await)).await.expect(202);
    let token = mail.take_token("joan@example.com").await;
    nobody.post(VERIFY, person(&token)).await.expect(202);
    let id = waiting(&world.a).await[0]["id"].clone();
    let (approve, reject) = (request(world.a.id, &id, "/approve"), request(world.a.id, &id, "/reject"));
    let reason = json!({"reason": "No"});
    let both =
        futures_util::future::join(world.a.owner.post_nothing(&approve), world.a.admin.post(&reject, reason)).await;
    let mut statuses = [both.0.status, both.1.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409]);
    world.close().await;
}

/// Proves AUT-3, AZ-9.
#[tokio::test]
async fn a_queue_is_its_own_organisations() {
    let world = world().await;
    let (a, b) = (&world.a, &world.b);
    platform(&world, json!({"mode": "open"})).await;
    tenant(a, json!({"mode": "approval_required"})).await;
    sign_up(&world, "grace@example.com", Some(&slug(a).await)).await.expect(202);
    let token = world.database.mail().take_token("grace@example.com").await;
    // What whoever follows the link says of themselves is a name and a password.
    for (field, value) in [("role", json!("owner")), ("organization", json!("x")), ("email", json!("x@example.com"))] {
        let mut more = person(&token);
        more[field] = value;
        world.server.nobody().post(VERIFY, more).await.expect(422);
    }
    world.server.nobody().post(VERIFY, person(&token)).await.expect(202);
    let id = waiting(a).await[0]["id"].clone();
    for act in ["/approve", "/reject"] {
        let answer = b.owner.request(Method::POST, &request(b.id, &id, act)).json(&json!({"reason": "No"}));
        let answer =
            if act == "/approve" { b.owner.post_nothing(&request(b.id, &id, act)).await } else { answer.send().await };
        answer.expect(404);
    }
    b.owner.get(&request(b.id, &id, "")).await.expect(404);
    a.member.post_nothing(&request(a.id, &id, "/approve")).await.expect(403);
    a.auditor.get(&request(a.id, &id, "")).await.expect(200);
    a.auditor.post_nothing(&request(a.id, &id, "/approve")).await.expect(403);
    assert_eq!(waiting(a).await.len(), 1);
    world.close().await;
}

/// Proves AUT-3.
#[tokio::test]
async fn nobody_gets_into_an_organisation_that_was_deleted() {
    let world = world().await;
    let (nobody, a, slug) = (world.server.nobody(), &world.a, slug(&world.a).await);
    platform(&world, json!({"mode": "open"})).await;
    tenant(a, json!({"mode": "open"})).await;
    sign_up(&world, "grace@example.com", Some(&slug)).await.expect(202);
    let token = world.database.mail().take_token("grace@example.com").await;
    a.owner.delete(&format!("/v1/organizations/{}", a.id)).await.expect(204);
    sign_up(&world, "joan@example.com", Some(&slug)).await.expect(403).problem("sign_up_by_invitation");
    let options = nobody.get(&format!("/v1/sign-ups/options?organization={slug}")).await.expect(200);
    assert_eq!(options.json, json!({"mode": "invitation_only"}));
    nobody.post(LOOKUP, json!({"token": token})).await.expect(404).problem("sign_up_not_valid");
    nobody.post(VERIFY, person(&token)).await.expect(404).problem("sign_up_not_valid");
    sign_in(nobody, "grace@example.com").await.expect(401);
    world.close().await;
}

/// Proves AUT-3. Somebody who is blocked, or was thrown out, does not come back by the front door.
#[tokio::test]
async fn who_is_blocked_stays_so() {
    let world = world().await;
    let (nobody, mail, a, slug) = (world.server.nobody(), world.database.mail(), &world.a, slug(&world.a).await);
    platform(&world, json!({"mode": "open"})).await;
    tenant(a, json!({"mode": "open"})).await;
    sign_up(&world, &a.blocked.email, Some(&slug)).await.expect(202);
    let token = mail.take_token(&a.blocked.email).await;
    let join = json!({"token": token, "password": PASSWORD, "token_delivery": "body"});
    nobody.post(VERIFY, join).await.expect(409).problem("already_member");
    let session = sign_in(nobody, &a.blocked.email).await.expect(201);
    assert_ne!(role(nobody, &session).await.0, json!(a.id));
    world.close().await;
}
