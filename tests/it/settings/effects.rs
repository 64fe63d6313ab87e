//! A setting does something: passwords, invitations, deleted organisations.

use chrono::{DateTime, TimeDelta, Utc};
use entity::OrganizationId;
use freehold::types::Origin;
use serde_json::{Value, json};

use super::{PLATFORM, of};
use crate::{
    harness::{Database, Login, PASSWORD, Server},
    world::World,
};

fn between(answer: &Value, from: &str, to: &str) -> TimeDelta {
    let time = |name: &str| answer[name].as_str().unwrap().parse::<DateTime<Utc>>().unwrap();
    time(to) - time(from)
}

/// Proves AUT-2.
#[tokio::test]
async fn a_new_password_is_as_long_as_the_strictest_settings_ask_for() {
    let world = World::open().await;
    let (a, nobody) = (&world.a, world.server.nobody());
    let longer = PASSWORD.len() + 1;
    a.owner.patch(&of(a), json!({"passwords": {"minimum_length": longer}})).await.expect(200);
    let token = &a.pending.token;
    let preview = nobody.post("/v1/invitations/lookup", json!({"token": token})).await.expect(200);
    assert_eq!(preview.json["password_rules"]["minimum_length"], longer);
    let accept = async |password: &str| {
        let body = json!({"token": token, "name": "Grace", "password": password, "token_delivery": "body"});
        nobody.post("/v1/invitations/accept", body).await
    };
    let short = accept(PASSWORD).await.expect(422);
    assert_eq!((short.faults(), &short.json["errors"][0]["code"]), (vec!["/password"], &json!("too_short")));
    accept(&format!("{PASSWORD}7")).await.expect(201);

    // Who is in several organisations meets the strictest of them, and the platform's.
    world.b.owner.patch(&of(&world.b), json!({"passwords": {"minimum_length": 40}})).await.expect(200);
    let now = world.server.app().clock.now();
    let origin = Origin { request_id: "test".into(), address: None, user_agent: None, now };
    let ids = [OrganizationId(a.id), OrganizationId(world.b.id)];
    let strictest = async |ids: &[OrganizationId]| world.server.app().settings.strictest(ids, &origin).await.unwrap();
    assert_eq!(strictest(&ids).await.passwords.minimum_length, 40);
    assert_eq!(strictest(&ids[..1]).await.passwords.minimum_length, u32::try_from(longer).unwrap());
    assert_eq!(strictest(&[]).await.passwords.minimum_length, 12);
    world.close().await;
}

/// Proves AUT-2.
#[tokio::test]
async fn the_first_administrators_password_obeys_the_platforms_settings() {
    let database = Database::new().await;
    // Left by an administrator that the platform had before.
    let mut psql = database.psql(Login::Owner).await;
    psql.run(
        "INSERT INTO settings (organization_id, document, version, updated_at)
         VALUES (platform_organization(), '{\"passwords\": {\"minimum_length\": 30}}', 2, now())",
    )
    .await
    .unwrap();
    let server = Server::start(&database).await;
    let asked = server.nobody().get("/v1/setup").await.expect(200);
    assert_eq!((&asked.json["required"], &asked.json["password_rules"]["minimum_length"]), (&json!(true), &json!(30)));
    let token = server.setup_token().await;
    let first = async |password: &str| {
        let body = json!({
            "token": token, "email": "ada@example.com", "name": "Ada", "password": password, "token_delivery": "body",
        });
        server.nobody().post("/v1/setup", body).await
    };
    assert_eq!(first(PASSWORD).await.expect(422).faults(), ["/password"]);
    first(&format!("{PASSWORD}-and-more-of-it")).await.expect(201);
    server.stop().await;
}

/// Proves AUT-4.
#[tokio::test]
async fn an_invitation_is_open_for_as_long_as_the_settings_say() {
    let world = World::open().await;
    let a = &world.a;
    let path = format!("/v1/organizations/{}/invitations", a.id);
    let invite =
        async |email: &str| a.owner.post(&path, json!({"email": email, "role": "member"})).await.expect(201).json;
    assert_eq!(between(&invite("one@example.com").await, "created_at", "expires_at"), TimeDelta::days(7));
    a.owner.patch(&of(a), json!({"invitations": {"lifetime_days": 2}})).await.expect(200);
    let made = invite("two@example.com").await;
    assert_eq!(between(&made, "created_at", "expires_at"), TimeDelta::days(2));
    // The platform can allow more, where nobody is stricter.
    world.platform.patch(PLATFORM, json!({"invitations": {"lifetime_days": 14}})).await.expect(200);
    let b = format!("/v1/organizations/{}/invitations/{}/resend", world.b.id, world.b.pending.id);
    let again = world.b.owner.post_nothing(&b).await.expect(200).json;
    assert!(between(&again, "created_at", "expires_at") >= TimeDelta::days(14), "{again}");
    let again = format!("{path}/{}/resend", made["id"].as_str().unwrap());
    let again = a.owner.post_nothing(&again).await.expect(200).json;
    assert!(between(&again, "created_at", "expires_at") < TimeDelta::days(3), "{again}");
    world.close().await;
}

/// Proves AUT-4.
#[tokio::test]
async fn only_people_of_the_allowed_domains_are_invited_and_join() {
    let world = World::open().await;
    let a = &world.a;
    let path = format!("/v1/organizations/{}/invitations", a.id);
    let invite = async |email: &str| a.owner.post(&path, json!({"email": email, "role": "member"})).await;
    a.owner.patch(&of(a), json!({"invitations": {"allowed_domains": ["Bücher.example"]}})).await.expect(200);
    invite("grace@example.com").await.expect(409).problem("domain_not_allowed");
    // A subdomain is another domain, and an address is compared as it is meant.
    invite("grace@mail.bücher.example").await.expect(409).problem("domain_not_allowed");
    invite("grace@BÜCHER.example").await.expect(201);
    invite("joan@xn--bcher-kva.example").await.expect(201);
    let both = json!({"invitations": [
        {"email": "one@example.com", "role": "member"}, {"email": "one@bücher.example", "role": "member"},
    ]});
    let results = a.owner.post(&format!("{path}/bulk"), both).await.expect(200);
    assert_eq!(results.json["results"][0]["error"]["code"], "domain_not_allowed");
    assert!(results.json["results"][1]["invitation"].is_object(), "{results}");

    // Those that were sent before are worth nothing now: not sent again, not accepted by anybody.
    let resend = format!("{path}/{}/resend", a.pending.id);
    a.owner.post_nothing(&resend).await.expect(409).problem("domain_not_allowed");
    let nobody = world.server.nobody();
    let accept = json!({"token": a.pending.token, "name": "Grace", "password": PASSWORD, "token_delivery": "body"});
    nobody.post("/v1/invitations/accept", accept.clone()).await.expect(409).problem("domain_not_allowed");
    let join = json!({"token": a.guest_token});
    a.guest.post("/v1/me/invitations", join.clone()).await.expect(409).problem("domain_not_allowed");
    // Until the organisation changes its mind.
    a.owner.patch(&of(a), json!({"invitations": {"allowed_domains": null}})).await.expect(200);
    nobody.post("/v1/invitations/accept", accept).await.expect(201);
    a.guest.post("/v1/me/invitations", join).await.expect(200);
    world.close().await;
}

/// Proves AZ-1.
#[tokio::test]
async fn a_deleted_organisation_can_be_restored_for_as_long_as_the_platform_says() {
    let world = World::open().await;
    let (a, b) = (&world.a, &world.b);
    world.platform.patch(PLATFORM, json!({"organizations": {"grace_days": 3}})).await.expect(200);
    for tenant in [a, b] {
        tenant.owner.delete(&format!("/v1/organizations/{}", tenant.id)).await.expect(204);
    }
    let restore = async |id| world.platform.post_nothing(&format!("/v1/organizations/{id}/restore")).await;
    let listed = world.platform.get("/v1/organizations?status=deleted").await.expect(200);
    let deleted = listed.items().iter().find(|item| item["id"] == a.id.to_string()).unwrap();
    assert_eq!(between(deleted, "deleted_at", "purge_after"), TimeDelta::days(3));
    restore(a.id).await.expect(200);
    world.close().await;
}
