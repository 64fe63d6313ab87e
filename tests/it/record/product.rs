//! What a product records of its own: declared and recorded by its service accounts, and no less a part of the record.

use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    harness::{Actor, Login},
    world::{Tenant, World},
};

const PAID: &str = "product.invoice_paid";

fn inside(tenant: &Tenant, rest: &str) -> String {
    format!("/v1/organizations/{}/audit/{rest}", tenant.id)
}

fn paid() -> Value {
    json!({
        "title": "Invoice paid", "meaning": "A customer paid an invoice.", "severity": "low", "class": "normal",
        "target_type": "invoice",
        "details": [
            {"name": "amount", "meaning": "How much, in cents.", "personal": false},
            {"name": "channel", "meaning": "How it was paid.", "personal": false},
            {"name": "paid_by", "meaning": "The name of whoever paid.", "personal": true},
        ],
    })
}

/// A service account of the tenant's with a role of its own that permits this and no more.
async fn service(tenant: &Tenant, permissions: Value) -> Actor {
    let at = |rest: &str| format!("/v1/organizations/{}/{rest}", tenant.id);
    let role = json!({"name": "Product", "permissions": permissions});
    let role = tenant.owner.post(&at("roles"), role).await.expect(201).id_at("/id");
    let account = json!({"name": "The product", "role": "member", "custom_role_ids": [role]});
    let account = tenant.owner.post(&at("service-accounts"), account).await.expect(201).id_at("/id");
    let key =
        tenant.owner.post(&at(&format!("service-accounts/{account}/keys")), json!({"name": "K"})).await.expect(201);
    tenant.owner.bearing(key.text_at("/key"))
}

/// Proves AUD-1, AUD-2, AUD-3, AUD-4.
#[tokio::test]
async fn a_product_declares_and_records_by_its_service_and_the_record_treats_it_as_its_own() {
    let world = World::open().await;
    let a = &world.a;
    let service =
        service(a, json!(["product_event_types_list", "product_event_types_declare", "product_events_record"])).await;
    let place = inside(a, &format!("event-types/{PAID}"));
    let declared = service.put(&place, paid()).await.expect(200);
    assert_eq!((&declared.json["code"], &declared.json["details"][2]["personal"]), (&json!(PAID), &json!(true)));
    // As a product does at each of its starts: the same again is no change, and no entry.
    assert_eq!(service.put(&place, paid()).await.expect(200).json["updated_at"], declared.json["updated_at"]);
    let (invoice, payer) = (Uuid::from_u128(4711), "Zacharias Quill");
    let event = json!({
        "event": PAID, "target_id": invoice, "metadata": {"amount": 4711, "channel": "wire", "paid_by": payer},
    });
    let made = service.post(&inside(a, "events"), event).await.expect(201);
    let entry = a.auditor.get(made.header("location")).await.expect(200);
    assert_eq!(entry.json, made.json);
    assert_eq!((&entry.json["title"], &entry.json["event"]), (&json!("Invoice paid"), &json!(PAID)));
    assert_eq!((&entry.json["actor"]["type"], &entry.json["target"]["type"]), (&json!("service"), &json!("invoice")));
    assert_eq!((&entry.json["metadata"]["paid_by"], &entry.json["severity"]), (&json!(payer), &json!("low")));
    assert!(entry.json["ip"].is_string() && entry.json["request_id"].is_string(), "{entry}");
    // Found by its fields and words, but not by what is personal, which is sealed.
    for (query, found) in [("event=product.invoice_paid", 1), ("text=wire", 1), ("text=quill", 0)] {
        let page = a.auditor.get(&format!("/v1/organizations/{}/audit?{query}", a.id)).await.expect(200);
        assert_eq!(page.items().len(), found, "{query}");
    }
    let target = format!("/v1/organizations/{}/audit?target_id={invoice}", a.id);
    assert_eq!(a.auditor.get(&target).await.items().len(), 1);
    let mut psql = world.database.psql(Login::Owner).await;
    let clear = "SELECT count(*) FROM audit_entries e WHERE to_jsonb(e)::text LIKE '%Quill%'";
    assert_eq!(psql.number(clear).await, 0);
    // Said better, what is there stays as it was written, and has the new title.
    let better = json!({"title": "Paid", "severity": "high", "details": []});
    let mut changed = paid();
    changed.as_object_mut().unwrap().extend(better.as_object().unwrap().clone());
    service.put(&place, changed).await.expect(200);
    let again = a.auditor.get(made.header("location")).await.expect(200);
    assert_eq!((&again.json["title"], &again.json["severity"]), (&json!("Paid"), &json!("low")));
    let said = a.auditor.get(&format!("/v1/organizations/{}/audit?event=event_type.declared", a.id)).await;
    assert_eq!(said.items().len(), 2, "{said}");
    world.close().await;
}

/// Proves AUD-1.
#[tokio::test]
async fn what_is_not_declared_is_not_recorded_and_what_is_wrong_is_said() {
    let world = World::open().await;
    let (a, b) = (&world.a, &world.b);
    let owner = &a.owner;
    let (place, events) = (inside(a, &format!("event-types/{PAID}")), inside(a, "events"));
    for (code, why) in
        [("invoice.paid", "a built-in's form"), ("product.Invoice", "a capital"), ("product.", "no word")]
    {
        let answer = owner.put(&inside(a, &format!("event-types/{code}")), paid()).await;
        assert!([404, 422].contains(&answer.status), "{why}: {answer}");
    }
    for (change, pointer) in [
        (json!({"title": " "}), "/title"),
        (json!({"meaning": "a\u{202e}b"}), "/meaning"),
        (json!({"target_type": "An invoice"}), "/target_type"),
        (json!({"severity": "urgent"}), "/severity"),
        (json!({"details": [{"name": "A", "meaning": "x", "personal": false}]}), "/details/0/name"),
        // Who acts for the platform is the server's to say.
        (json!({"details": [{"name": "acting", "meaning": "x", "personal": false}]}), "/details/0/name"),
    ] {
        let mut body = paid();
        body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        let answer = owner.put(&place, body).await.expect(422).problem("invalid_request");
        assert_eq!(answer.json["errors"][0]["pointer"], pointer, "{answer}");
    }
    owner.post(&events, json!({"event": PAID})).await.expect(422).problem("invalid_request");
    owner.put(&place, paid()).await.expect(200);
    let mut other = paid();
    other["class"] = json!("security");
    owner.put(&place, other).await.expect(409).problem("event_type_differs");
    for (metadata, pointer) in [
        (json!({"iban": "DE1"}), "/metadata/iban"),
        (json!({"amount": {"of": 1}}), "/metadata/amount"),
        (json!({"amount": null}), "/metadata/amount"),
        (json!({"channel": "a\nb"}), "/metadata/channel"),
        (json!({"channel": "x".repeat(501)}), "/metadata/channel"),
        (json!({"acting": "01a1fc64-cfa6-7344-8b59-055e68e640cc"}), "/metadata/acting"),
    ] {
        let answer = owner.post(&events, json!({"event": PAID, "metadata": metadata})).await.expect(422);
        assert_eq!(answer.json["errors"][0]["pointer"], pointer, "{answer}");
    }
    // Not under a code of the server's, and not in somebody else's record.
    owner.post(&events, json!({"event": "member.removed"})).await.expect(422);
    b.owner.post(&inside(b, "events"), json!({"event": PAID})).await.expect(422);
    owner.post(&inside(b, "events"), json!({"event": PAID})).await.expect(404);
    a.member.post(&events, json!({"event": PAID})).await.expect(403);
    // The same key records it once.
    let keyed = || {
        let call = owner.request(Method::POST, &events).header("idempotency-key", "one-invoice");
        call.json(&json!({"event": PAID})).send()
    };
    assert_eq!(keyed().await.expect(201).id_at("/id"), keyed().await.expect(201).id_at("/id"));
    owner.delete(&place).await.expect(204);
    owner.delete(&place).await.expect(404);
    owner.post(&events, json!({"event": PAID})).await.expect(422);
    let all = owner.get(&inside(a, "event-types")).await.expect(200);
    assert!(all.items().len() == 1 && all.items()[0]["retired_at"].is_string(), "{all}");
    world.close().await;
}

/// Proves AUD-1, AUD-5.
#[tokio::test]
async fn rules_wait_for_a_products_events_by_code_and_by_how_much_they_matter() {
    let world = World::open().await;
    let a = &world.a;
    let mut grave = paid();
    grave["severity"] = json!("critical");
    a.owner.put(&inside(a, &format!("event-types/{PAID}")), grave).await.expect(200);
    let rules = format!("/v1/organizations/{}/alert-rules", a.id);
    let mut made = Vec::new();
    for (name, waits) in [("By code", ("event", PAID)), ("By weight", ("at_least", "critical"))] {
        let mut rule =
            json!({"name": name, "count": 1, "window_minutes": 60, "by": "organization", "severity": "high"});
        rule[waits.0] = json!(waits.1);
        made.push(a.admin.post(&rules, rule).await.expect(201).id_at("/id"));
    }
    world.server.look_at_the_record().await;
    a.owner.post(&inside(a, "events"), json!({"event": PAID})).await.expect(201);
    world.server.look_at_the_record().await;
    for rule in made {
        let raised = a.admin.get(&format!("/v1/organizations/{}/alerts?rule={rule}", a.id)).await.expect(200);
        assert_eq!(raised.items().len(), 1, "{raised}");
    }
    world.close().await;
}
