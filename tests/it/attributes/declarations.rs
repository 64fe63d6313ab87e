//! What can be declared, in which order, and how a declaration ends.

use serde_json::json;

use super::{declare, fill, newest_entry, path};
use crate::world::World;

/// Proves DAT-7, DAT-2.
#[tokio::test]
async fn a_declaration_that_makes_no_sense_is_refused_with_every_fault() {
    let world = World::configured(&[("FREEHOLD_SECRETS_SCOPES", "payroll")]).await;
    let a = &world.a;
    let listed = a.admin.get(&path(a, "")).await.expect(200);
    assert_eq!(listed.json["scopes"], json!(["pii", "hipaa", "payroll"]));
    let everybody = "person_and_managers";
    let body = |key: &str, more: serde_json::Value| {
        let mut body =
            json!({"key": key, "label": "L", "type": "text", "visible_to": everybody, "editable_by": everybody});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    for (more, place) in [
        (json!({"label": "\u{202E}evil"}), "/label"),
        (json!({"options": ["a"]}), "/options"),
        (json!({"type": "choice"}), "/options"),
        (json!({"type": "choice", "options": []}), "/options"),
        (json!({"type": "choice", "options": ["a", "A"]}), "/options/1"),
        (json!({"type": "choice", "options": [" "]}), "/options/0"),
        (json!({"visible_to": "admins"}), "/editable_by"),
        (json!({"sealed_in": "mfa"}), "/sealed_in"),
        (json!({"sealed_in": "secrets"}), "/sealed_in"),
        (json!({"sealed_in": "system"}), "/sealed_in"),
        (json!({"sealed_in": "none"}), "/sealed_in"),
        (json!({"type": "boolean", "sealed_in": "pii", "searchable": true}), "/searchable"),
    ] {
        let answer = a.admin.post(&path(a, ""), body("wrong", more.clone())).await.expect(422);
        assert_eq!(answer.faults(), [place], "{more}");
    }
    for key in ["Cost", "1st", "a-b", "a.b", "a:b", ""] {
        assert_eq!(a.admin.post(&path(a, ""), body(key, json!({}))).await.expect(422).faults()[0], "/key", "{key}");
    }
    a.admin.post(&path(a, ""), body("desk", json!({}))).await.expect(409).problem("attribute_key_taken");
    // A scope of the installation's own seals like the others.
    a.admin.post(&path(a, ""), body("salary", json!({"type": "number", "sealed_in": "payroll"}))).await.expect(201);
    fill(&a.admin, a, &a.member, "salary", json!(4711.5)).await.expect(200);
    assert_eq!(a.member.get("/v1/me/attributes").await.expect(200).json["attributes"]["salary"], 4711.5);
    world.close().await;
}

/// Proves DAT-7.
#[tokio::test]
async fn an_organisation_has_fifty_attributes_at_most_in_an_order_of_its_own() {
    let world = World::open().await;
    let a = &world.a;
    for number in 2..50 {
        declare(a, &format!("n{number}"), "managers", "managers", json!({})).await;
    }
    let more = json!({"key": "more", "label": "M", "type": "text", "visible_to": "admins", "editable_by": "admins"});
    a.admin.post(&path(a, ""), more).await.expect(409).problem("too_many_attributes");
    let keys = async || {
        let listed = a.admin.get(&path(a, "")).await.expect(200);
        let places: Vec<_> = listed.items().iter().map(|item| item["position"].as_i64().unwrap()).collect();
        assert_eq!(places, (0..i64::try_from(places.len()).unwrap()).collect::<Vec<_>>());
        listed.items().iter().map(|item| item["key"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(keys().await[..3], ["desk", "site", "n2"]);
    let last = a.admin.get(&path(a, "")).await.expect(200).id_at("/items/49/id");
    let moved = a.admin.patch(&path(a, &format!("/{last}")), json!({"position": 1})).await.expect(200);
    assert_eq!(moved.json["position"], 1);
    assert_eq!(newest_entry(a, "attribute.updated").await["metadata"]["fields"], "position");
    assert_eq!(keys().await[..3], ["desk", "n49", "site"]);
    a.admin.patch(&path(a, &format!("/{}", a.desk)), json!({"position": 1000})).await.expect(200);
    assert_eq!(keys().await[49], "desk");
    a.admin.delete(&path(a, &format!("/{last}"))).await.expect(204);
    assert_eq!(keys().await[..2], ["site", "n2"]);
    world.close().await;
}

/// Proves DAT-7.
#[tokio::test]
async fn an_attribute_with_values_is_archived_before_it_is_removed_with_them() {
    let world = World::open().await;
    let a = &world.a;
    let desk = path(a, &format!("/{}", a.desk));
    let found = format!("/v1/organizations/{}/members?attribute=desk:By%20the%20window,%20canary7f3a", a.id);
    assert_eq!(a.admin.get(&found).await.expect(200).items().len(), 1);
    // What is sealed, where, and whether it is searched can't change below values.
    for change in [json!({"sealed_in": null}), json!({"sealed_in": "hipaa"}), json!({"searchable": false})] {
        a.admin.patch(&desk, change).await.expect(409).problem("attribute_in_use");
    }
    a.admin.patch(&desk, json!({"sealed_in": "pii", "searchable": true, "label": "Place"})).await.expect(200);
    a.admin.delete(&desk).await.expect(409).problem("attribute_in_use");
    a.admin.patch(&desk, json!({"archived": true})).await.expect(200);
    // Nobody sees, finds or fills it in; who makes attributes still knows of it.
    assert!(a.subject.get("/v1/me/attributes").await.expect(200).json["attributes"].get("desk").is_none());
    assert_eq!(a.admin.get(&found).await.expect(422).faults(), ["attribute"]);
    assert_eq!(fill(&a.admin, a, &a.member, "desk", json!("x")).await.expect(422).faults(), ["/attributes/desk"]);
    assert!(a.manager.get(&path(a, "")).await.expect(200).items().iter().all(|item| item["key"] != "desk"));
    assert!(a.admin.get(&desk).await.expect(200).json["archived_at"].is_string());
    // Nothing is lost by that.
    a.admin.patch(&desk, json!({"archived": false})).await.expect(200);
    let back = a.subject.get("/v1/me/attributes").await.expect(200);
    assert_eq!(back.text_at("/attributes/desk"), "By the window, canary7f3a");
    let archived = a.admin.patch(&desk, json!({"archived": true})).await.expect(200);
    let stale = a.admin.request(reqwest::Method::DELETE, &desk).header("if-match", "\"1\"").send().await;
    stale.expect(412).problem("precondition_failed");
    let fresh = a.admin.request(reqwest::Method::DELETE, &desk).header("if-match", archived.header("etag"));
    fresh.send().await.expect(204);
    assert_eq!(newest_entry(a, "attribute.deleted").await["metadata"]["values"], 1);
    let mut psql = world.database.psql(crate::harness::Login::Owner).await;
    let left = format!("SELECT count(*) FROM attribute_values WHERE organization_id = '{}'", a.id);
    assert_eq!(psql.number(&left).await, 0);
    // Options that are taken away stay with whoever has them.
    fill(&a.admin, a, &a.member, "site", json!("South")).await.expect(200);
    let site = path(a, &format!("/{}", a.site));
    a.admin.patch(&site, json!({"options": ["North"]})).await.expect(200);
    assert_eq!(a.member.get("/v1/me/attributes").await.expect(200).text_at("/attributes/site"), "South");
    assert_eq!(fill(&a.admin, a, &a.subject, "site", json!("South")).await.expect(422).faults(), ["/attributes/site"]);
    world.close().await;
}
