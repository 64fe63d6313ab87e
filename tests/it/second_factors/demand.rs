//! Of whom a second factor is demanded, from when on, and that nothing gives anybody more time.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;

use super::{answer, challenge, password, set_up, step, told};
use crate::{
    harness::{Actor, Answer, Login, PASSWORD, enrol, totp},
    world::{Person, World},
};

/// What holds unless somebody decides otherwise.
async fn by_default(world: &World) {
    let settings = json!({"mfa": {"required_from": null, "grace_days": null}});
    world.platform.patch("/v1/settings", settings).await.expect(200);
}

fn here(world: &World) -> String {
    format!("/v1/organizations/{}", world.a.id)
}

async fn due(actor: &Actor) -> DateTime<Utc> {
    actor.get("/v1/me").await.expect(200).text_at("/second_factor/due_at").parse().unwrap()
}

/// A new session with a password alone.
async fn again(world: &World, person: &Person) -> Actor {
    let signed_in = password(world.server.nobody(), &person.email).await.expect(201);
    world.server.bearer(signed_in.text_at("/access_token"))
}

async fn entered(world: &World, person: &Person, key: &str) -> Answer {
    let open = challenge(world.server.nobody(), &person.email).await;
    answer(world.server.nobody(), &open, ("totp", &totp(key, step(&world.server)))).await.expect(201)
}

/// What the database's clock says, which no test moves.
#[expect(clippy::disallowed_methods, reason = "deadlines are the database's")]
fn unmoved() -> DateTime<Utc> {
    Utc::now()
}

/// Proves MFA-5.
#[tokio::test]
async fn administrators_have_a_week_and_then_only_the_way_to_a_factor() {
    let world = World::open().await;
    by_default(&world).await;
    let admin = &world.a.admin;
    let me = admin.get("/v1/me").await.expect(200);
    assert_eq!(me.json["second_factor"]["required"], json!(true), "{me}");
    let until = due(admin).await;
    let left = until - unmoved();
    assert!(left > TimeDelta::days(7) - TimeDelta::minutes(1) && left <= TimeDelta::days(7), "{left}");
    admin.get(&here(&world)).await.expect(200);
    let me = world.a.manager.get("/v1/me").await.expect(200);
    let none = json!({"required": false, "enrolled": false, "proven": false, "email_codes_count": true});
    assert_eq!(me.json["second_factor"], none);

    world.server.advance(TimeDelta::days(7) + TimeDelta::minutes(1));
    let late = again(&world, admin).await;
    late.get(&here(&world)).await.expect(403).problem("mfa_enrolment_required");
    let switch = json!({"organization_id": world.a.id});
    late.post("/v1/session/organization", switch).await.expect(403).problem("mfa_enrolment_required");
    assert_eq!(due(&late).await, until);
    again(&world, &world.a.manager).await.get(&here(&world)).await.expect(200);

    // The way out: an app, and this session goes on. Another that began without it does not.
    let other = again(&world, admin).await;
    let begun = late.post_nothing("/v1/me/second-factors/totp").await.expect(200);
    let key = begun.text_at("/secret").to_owned();
    let code = json!({"code": totp(&key, step(&world.server) - 1)});
    late.post("/v1/me/second-factors/totp/confirm", code).await.expect(200);
    late.get(&here(&world)).await.expect(200);
    other.get(&here(&world)).await.expect(403).problem("mfa_required");
    let proof = json!({"method": "totp", "code": totp(&key, step(&world.server))});
    other.post("/v1/session/reauthenticate", json!({"password": PASSWORD, "second_factor": proof})).await.expect(200);
    other.get(&here(&world)).await.expect(200);

    // Whoever removes it is where they were.
    late.delete("/v1/me/second-factors/totp").await.expect(204);
    for actor in [&late, &other] {
        actor.get(&here(&world)).await.expect(403).problem("mfa_enrolment_required");
    }
    assert_eq!(due(&late).await, until);
    world.close().await;
}

/// Proves MFA-5: the deadline is an account's, once.
#[tokio::test]
async fn another_role_gives_no_more_time_and_an_administrator_does() {
    let world = World::open().await;
    by_default(&world).await;
    let (owner, subject) = (&world.a.owner, &world.a.subject);
    let member = format!("/v1/organizations/{}/members/{}", world.a.id, subject.membership);
    owner.patch(&member, json!({"role": "admin"})).await.expect(200);
    let until = due(subject).await;
    owner.patch(&member, json!({"role": "member"})).await.expect(200);
    subject.get(&here(&world)).await.expect(200);
    world.server.advance(TimeDelta::days(3));
    let owner = again(&world, &world.a.owner).await;
    owner.patch(&member, json!({"role": "admin"})).await.expect(200);
    let later = again(&world, subject).await;
    assert_eq!(due(&later).await, until);
    world.server.advance(TimeDelta::days(4) + TimeDelta::minutes(1));
    let late = again(&world, subject).await;
    late.get(&here(&world)).await.expect(403).problem("mfa_enrolment_required");

    // The platform's administrator is late as well; their own factor lets them help.
    let key = enrol(&world.server, world.platform.account).await.0;
    let platform = entered(&world, &world.platform, &key).await;
    let platform = world.server.bearer(platform.text_at("/access_token"));
    let grace = format!("/v1/accounts/{}/second-factors/grace", subject.account);
    let reset = platform.post_nothing(&grace).await.expect(200);
    let now: DateTime<Utc> = reset.text_at("/due_at").parse().unwrap();
    assert!(now - unmoved() > TimeDelta::days(7) - TimeDelta::minutes(1), "{now}");
    told(&world, &subject.email, "You have more time for your second factor").await;
    let own = format!("/v1/accounts/{}/second-factors/grace", world.platform.account);
    platform.post_nothing(&own).await.expect(403).problem("own_grace");
    let entries = "SELECT count(*) FROM audit_entries WHERE event = 'second_factor.grace_reset'";
    assert!(world.database.psql(Login::Owner).await.number(entries).await >= 1);
    world.close().await;
}

/// Proves MFA-6, AZ-12.
#[tokio::test]
async fn who_has_lost_their_phone_is_helped_by_the_platform_or_who_manages_the_account() {
    let world = World::open().await;
    let (subject, member) = (&world.a.subject, &world.a.member);
    let of = |id: uuid::Uuid| format!("/v1/organizations/{}/managed-accounts/{id}/second-factors", world.a.id);
    set_up(&world, subject).await;
    enrol(&world.server, member.account).await;
    password(world.server.nobody(), &subject.email).await.expect(200);
    // A manages the subject's account and not the member's; B manages neither.
    world.a.admin.delete(&of(member.account)).await.expect(404);
    world
        .b
        .admin
        .delete(&of(subject.account).replace(&world.a.id.to_string(), &world.b.id.to_string()))
        .await
        .expect(404);
    world.a.manager.delete(&of(subject.account)).await.expect(403);
    world.a.admin.delete(&of(subject.account)).await.expect(204);
    world.a.admin.delete(&of(subject.account)).await.expect(404);
    subject.get("/v1/me").await.expect(401);
    password(world.server.nobody(), &subject.email).await.expect(201);
    told(&world, &subject.email, "Your second factor was switched off").await;
    world.platform.delete(&format!("/v1/accounts/{}/second-factors", member.account)).await.expect(204);
    password(world.server.nobody(), &member.email).await.expect(201);
    world.close().await;
}

/// Proves MFA-5: an organisation is stricter for itself.
#[tokio::test]
async fn an_organization_demands_more_and_a_platform_administrator_who_acts_there_is_held_to_it() {
    let world = World::open().await;
    let settings = format!("/v1/organizations/{}/settings", world.a.id);
    world.a.owner.patch(&settings, json!({"mfa": {"required_from": "member", "grace_days": 0}})).await.expect(200);
    world.a.member.get(&here(&world)).await.expect(403).problem("mfa_enrolment_required");
    let inside = format!("/v1/organizations/{}", world.b.id);
    world.b.member.get(&inside).await.expect(200);
    // Their own week began when the platform was set up, before anybody decided otherwise: no organisation shortens it.
    world.acting_in(world.a.id).await.get(&here(&world)).await.expect(200);
    world.server.advance(TimeDelta::days(8));
    let acting = world.acting_in(world.a.id).await;
    acting.get(&here(&world)).await.expect(403).problem("mfa_enrolment_required");
    world.close().await;
}
