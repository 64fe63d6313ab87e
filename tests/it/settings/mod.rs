//! Stories of settings: what the platform and an organisation decide, who sees it, and what it changes.

mod effects;
mod live;
mod sessions;

use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    harness::{Actor, Answer, Login},
    world::{Tenant, World},
};

/// The settings of a tenant.
fn of(tenant: &Tenant) -> String {
    format!("/v1/organizations/{}/settings", tenant.id)
}

/// The platform's settings.
const PLATFORM: &str = "/v1/settings";

/// How a field stands, as the actor sees it.
async fn field(actor: &Actor, path: &str, pointer: &str) -> Value {
    let answer = actor.get(path).await.expect(200);
    answer.json.pointer(&format!("/sections{pointer}")).unwrap_or_else(|| panic!("no {pointer}: {answer}")).clone()
}

fn refused(answer: &Answer, pointer: &str, code: &str) {
    assert_eq!((answer.status, answer.faults()), (422, vec![pointer]), "{answer}");
    assert_eq!(answer.json["errors"][0]["code"], code, "{answer}");
}

/// Proves AUT-2.
#[tokio::test]
async fn the_stricter_of_platform_and_organisation_holds() {
    let world = World::open().await;
    let (a, platform) = (&world.a, &world.platform);
    let length = "/passwords/minimum_length";
    let stands = async || field(&a.owner, &of(a), length).await;
    assert_eq!(
        stands().await,
        json!({
            "effective": 12, "platform": 12, "default": 12, "source": "default",
            "minimum": 12, "maximum": 256, "unit": "characters", "stricter": "larger",
        })
    );
    a.admin.patch(&of(a), json!({"passwords": {"minimum_length": 16}})).await.expect(200);
    let own = stands().await;
    assert_eq!((&own["value"], &own["effective"], &own["source"]), (&json!(16), &json!(16), &json!("organization")));
    // The other tenant goes on as before.
    assert_eq!(field(&world.b.owner, &of(&world.b), length).await["effective"], 12);

    // The platform becomes stricter than the organisation, which keeps what it set for when it matters again.
    platform.patch(PLATFORM, json!({"passwords": {"minimum_length": 20}})).await.expect(200);
    let both = stands().await;
    assert_eq!((&both["value"], &both["effective"], &both["source"]), (&json!(16), &json!(20), &json!("platform")));
    assert_eq!((&both["platform"], &both["minimum"]), (&json!(20), &json!(20)));
    assert_eq!(field(&world.b.owner, &of(&world.b), length).await["effective"], 20);
    let lax = a.owner.patch(&of(a), json!({"passwords": {"minimum_length": 19}})).await;
    refused(&lax, "/passwords/minimum_length", "too_lax");
    assert_eq!(lax.json["errors"][0]["detail"], "must be at least 20");
    platform.patch(PLATFORM, json!({"passwords": {"minimum_length": null}})).await.expect(200);
    assert_eq!(stands().await["effective"], 16);

    // Shorter is stricter for time, and a list of domains only narrows.
    let longer = a.owner.patch(&of(a), json!({"sessions": {"lifetime_minutes": 60 * 24 * 31}})).await;
    refused(&longer, "/sessions/lifetime_minutes", "too_lax");
    let domains = json!({"invitations": {"allowed_domains": ["Example.COM", "example.net"]}});
    platform.patch(PLATFORM, domains).await.expect(200);
    let wider = a.owner.patch(&of(a), json!({"invitations": {"allowed_domains": ["example.org"]}})).await;
    refused(&wider, "/invitations/allowed_domains", "too_lax");
    a.owner.patch(&of(a), json!({"invitations": {"allowed_domains": ["example.com"]}})).await.expect(200);
    let list = field(&a.owner, &of(a), "/invitations/allowed_domains").await;
    assert_eq!(
        (&list["effective"], &list["platform"]),
        (&json!(["example.com"]), &json!(["example.com", "example.net"]))
    );
    // When nothing is left of it, nobody is admitted; that is not the same as everybody.
    platform.patch(PLATFORM, json!({"invitations": {"allowed_domains": ["example.org"]}})).await.expect(200);
    assert_eq!(field(&a.owner, &of(a), "/invitations/allowed_domains").await["effective"], json!([]));
    world.close().await;
}

#[tokio::test]
async fn the_configuration_is_the_least_that_the_platform_can_ask_of_passwords() {
    let world = World::configured(&[("FREEHOLD_PASSWORDS_MINIMUM_LENGTH", "15")]).await;
    let lax = world.platform.patch(PLATFORM, json!({"passwords": {"minimum_length": 14}})).await;
    refused(&lax, "/passwords/minimum_length", "too_lax");
    let stands = field(&world.platform, PLATFORM, "/passwords/minimum_length").await;
    assert_eq!(
        (&stands["effective"], &stands["minimum"], &stands["source"]),
        (&json!(15), &json!(15), &json!("default"))
    );
    world.close().await;
}

/// Proves API-2.
#[tokio::test]
async fn a_change_is_one_version_and_null_takes_it_back() {
    let world = World::open().await;
    let a = &world.a;
    let read = a.owner.get(&of(a)).await.expect(200);
    let (tag, version) = (read.header("etag").to_owned(), read.json["version"].as_i64().unwrap());
    let change = async |tag: &str, body: Value| {
        a.owner.request(Method::PATCH, &of(a)).header("if-match", tag).json(&body).send().await
    };
    let body = json!({"passwords": {"minimum_length": 14}, "sessions": {"idle_minutes": 60}});
    let changed = change(&tag, body).await.expect(200);
    assert_eq!(changed.json["version"], version + 1);
    assert_eq!(changed.json["updated_by"]["id"], a.owner.account.to_string());
    assert_eq!(changed.header("etag"), format!("\"{}\"", version + 1));
    change(&tag, json!({"passwords": {"minimum_length": 18}})).await.expect(412).problem("precondition_failed");

    // Nothing new is no version.
    let same = change(changed.header("etag"), json!({"passwords": {"minimum_length": 14}, "sessions": {}})).await;
    assert_eq!(same.expect(200).json["version"], version + 1);
    // One fault and nothing of it is done.
    let faulty = json!({"passwords": {"minimum_length": 20}, "sessions": {"idle_minutes": 129_600}});
    refused(&a.owner.patch(&of(a), faulty).await, "/sessions/idle_minutes", "too_lax");
    let reset = a.owner.patch(&of(a), json!({"passwords": {"minimum_length": null}})).await.expect(200);
    let stands = &reset.json["sections"]["passwords"]["minimum_length"];
    assert_eq!(
        (&stands["value"], &stands["effective"], &stands["source"]),
        (&json!(null), &json!(12), &json!("default"))
    );
    assert_eq!(reset.json["sections"]["sessions"]["idle_minutes"]["value"], 60);

    let history = a.auditor.get(&format!("{}/history", of(a))).await.expect(200);
    let versions: Vec<_> = history.items().iter().map(|item| item["version"].as_i64().unwrap()).collect();
    assert_eq!(versions, [version + 2, version + 1, version]);
    let (newest, before) = (&history.items()[0], &history.items()[1]);
    assert_eq!(newest["changed_by"]["id"], a.owner.account.to_string());
    assert_eq!(newest["changes"], json!([{"section": "passwords", "field": "minimum_length", "before": 14}]));
    assert_eq!(before["changes"].as_array().unwrap().len(), 2);
    assert_eq!(before["changes"][0], json!({"section": "passwords", "field": "minimum_length", "after": 14}));
    world.close().await;
}

#[tokio::test]
async fn changes_at_the_same_time_happen_one_after_the_other() {
    let world = World::open().await;
    let a = &world.a;
    let before = a.owner.get(&of(a)).await.expect(200).json["version"].as_i64().unwrap();
    let changes = (13..=24).map(async |length: u32| {
        a.owner.patch(&of(a), json!({"passwords": {"minimum_length": length}})).await.expect(200)
    });
    futures_util::future::join_all(changes).await;
    let after = a.owner.get(&of(a)).await.expect(200).json["version"].as_i64().unwrap();
    assert_eq!(after, before + 12);
    world.close().await;
}

/// Proves AUD-2.
#[tokio::test]
async fn a_change_is_in_the_record_with_what_was_before_and_after() {
    let world = World::open().await;
    let a = &world.a;
    a.admin.patch(&of(a), json!({"passwords": {"minimum_length": 14}})).await.expect(200);
    a.admin.patch(&of(a), json!({"passwords": {"minimum_length": 16}})).await.expect(200);
    let path = format!("/v1/organizations/{}/audit?event=settings.updated&text=passwords", a.id);
    let entries = a.auditor.get(&path).await.expect(200);
    let newest = &entries.items()[0];
    assert_eq!(entries.items().len(), 2);
    assert_eq!(newest["metadata"]["changes"], json!({"passwords.minimum_length": {"before": 14, "after": 16}}));
    assert_eq!((&newest["target"]["id"], &newest["severity"]), (&json!(a.id), &json!("high")));

    // The platform's are in the platform's record only.
    world.platform.patch(PLATFORM, json!({"organizations": {"grace_days": 10}})).await.expect(200);
    let mut psql = world.database.psql(Login::Owner).await;
    let homes = "SELECT count(DISTINCT organization_id) FROM audit_entries WHERE metadata->>'fields' = 'organizations.grace_days'
                 AND organization_id = platform_organization()";
    assert_eq!(psql.number(homes).await, 1);
    world.close().await;
}

/// Proves AZ-2.
#[tokio::test]
async fn the_platforms_settings_are_a_platform_administrators_alone() {
    let world = World::open().await;
    let a = &world.a;
    a.owner.patch(PLATFORM, json!({"passwords": {"minimum_length": 14}})).await.expect(403).problem("forbidden");
    a.owner.get(PLATFORM).await.expect(403).problem("forbidden");
    // What only the platform decides, no organisation has.
    assert!(a.owner.get(&of(a)).await.expect(200).json["sections"].get("organizations").is_none());
    let body = json!({"organizations": {"grace_days": 10}});
    refused(&a.owner.patch(&of(a), body).await, "/organizations", "unknown_field");
    // An administrator of the platform's own organisation is none of the platform: by its own path, nothing is changed.
    let own = format!("/v1/organizations/{}/settings", Uuid::from(entity::OrganizationId::PLATFORM));
    world.platform.get(&own).await.expect(200);
    world.platform.patch(&own, json!({"passwords": {"minimum_length": 14}})).await.expect(409).problem("conflict");
    assert_eq!(field(&world.platform, PLATFORM, "/passwords/minimum_length").await["effective"], 12);
    world.close().await;
}
