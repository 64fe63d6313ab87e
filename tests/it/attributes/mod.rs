//! Profile attributes: fields that an organisation declares, filled in and seen by those whom each names.

mod declarations;
mod sealed;
mod search;

use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    harness::{Actor, Answer, PASSWORD},
    world::{Person, Tenant, World},
};

fn path(tenant: &Tenant, rest: &str) -> String {
    format!("/v1/organizations/{}/attributes{rest}", tenant.id)
}

fn profile(tenant: &Tenant, of: &Person) -> String {
    format!("/v1/organizations/{}/members/{}/attributes", tenant.id, of.membership)
}

/// Declares a text with these audiences and whatever else is given.
async fn declare(tenant: &Tenant, key: &str, see: &str, edit: &str, more: Value) -> Uuid {
    let mut body = json!({"key": key, "label": key, "type": "text", "visible_to": see, "editable_by": edit});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    tenant.admin.post(&path(tenant, ""), body).await.expect(201).id_at("/id")
}

/// Fills in one value of a member.
async fn fill(by: &Actor, tenant: &Tenant, of: &Person, key: &str, value: Value) -> Answer {
    by.patch(&profile(tenant, of), json!({"attributes": {key: value}})).await
}

/// The newest entry of a kind in a tenant's record.
async fn newest_entry(tenant: &Tenant, event: &str) -> Value {
    let path = format!("/v1/organizations/{}/audit?limit=1&event={event}", tenant.id);
    tenant.owner.get(&path).await.expect(200).items().first().unwrap_or_else(|| panic!("no {event}")).clone()
}

/// Each audience, who sees and who changes the values of a member: the plain member, a manager, an administrator, an
/// auditor.
const AUDIENCES: [(&str, [bool; 4]); 4] = [
    ("admins", [false, false, true, true]),
    ("managers", [false, true, true, true]),
    ("person_and_admins", [true, false, true, true]),
    ("person_and_managers", [true, true, true, true]),
];

/// Proves DAT-7: a value is seen and changed by those whom its attribute names, and by nobody else; to others the
/// attribute does not exist.
#[tokio::test]
async fn each_audience_sees_and_changes_what_it_is_named_for() {
    let world = World::open().await;
    let a = &world.a;
    for (see, may_see) in AUDIENCES {
        for (edit, may_edit) in AUDIENCES {
            let covered = may_edit.iter().zip(may_see).all(|(edit, see)| !edit || see);
            let key = format!("{see}_{edit}");
            let body = json!({"key": key, "label": key, "type": "text", "visible_to": see, "editable_by": edit});
            let made = a.admin.post(&path(a, ""), body).await;
            if !covered {
                assert_eq!(made.expect(422).faults(), ["/editable_by"], "{key}");
                continue;
            }
            made.expect(201);
            fill(&a.admin, a, &a.member, &key, json!("before")).await.expect(200);
            let people = [&a.member, &a.manager, &a.admin, &a.auditor];
            for (place, person) in people.into_iter().enumerate() {
                let seen = person.get(&profile(a, &a.member)).await.expect(200);
                assert_eq!(seen.json["attributes"].get(&key).is_some(), may_see[place], "{key} at {place}: {seen}");
                // Auditors read like administrators and change nothing.
                let edits = may_edit[place] && place != 3;
                let field = seen.json["fields"].as_array().unwrap().iter().find(|field| field["key"] == key);
                assert_eq!(field.is_some_and(|field| field["editable"] == true), edits, "{key} at {place}");
                let answer = fill(person, a, &a.member, &key, json!(format!("by {place}"))).await;
                match (edits, may_see[place], place) {
                    (true, ..) => {
                        assert_eq!(answer.expect(200).text_at(&format!("/attributes/{key}")), format!("by {place}"))
                    }
                    (false, _, 3) => drop(answer.expect(403).problem("forbidden")),
                    (false, true, _) => drop(answer.expect(403).problem("attribute_not_editable")),
                    (false, false, _) => assert_eq!(answer.expect(422).faults(), [format!("/attributes/{key}")]),
                }
            }
            // One's own is another's to nobody: a plain member reads nothing of a colleague.
            a.member.get(&profile(a, &a.subject)).await.expect(403).problem("forbidden");
        }
    }
    // A manager is a person as well: what only the person and administrators see, they see of themselves alone.
    let key = "person_and_admins_person_and_admins";
    a.manager.patch("/v1/me/attributes", json!({"attributes": {key: "mine"}})).await.expect(200);
    assert_eq!(a.manager.get("/v1/me/attributes").await.expect(200).text_at(&format!("/attributes/{key}")), "mine");
    assert!(a.manager.get(&profile(a, &a.subject)).await.expect(200).json["fields"].to_string().find(key).is_none());
    let listed = a.manager.get(&path(a, "")).await.expect(200);
    assert!(listed.items().iter().all(|item| item["key"] != key && item["key"] != "admins_admins"), "{listed}");
    world.close().await;
}

/// Proves DAT-7, AZ-8, AUD-2.
#[tokio::test]
async fn what_is_changed_or_refused_is_in_the_record_without_what_it_says() {
    let world = World::open().await;
    let a = &world.a;
    declare(a, "nickname", "person_and_managers", "person_and_managers", json!({})).await;
    let both = json!({"attributes": {"nickname": "Quetzal", "desk": "Toledo"}});
    a.member.patch("/v1/me/attributes", both.clone()).await.expect(200);
    let entry = newest_entry(a, "member.attributes_updated").await;
    assert_eq!(entry["metadata"]["fields"], "desk nickname");
    assert_eq!(entry["target"]["id"], json!(a.member.membership));
    let text = entry.to_string().to_lowercase();
    assert!(!text.contains("quetzal") && !text.contains("toledo"), "{text}");
    // What changes nothing leaves nothing.
    a.member.patch("/v1/me/attributes", both).await.expect(200);
    assert_eq!(newest_entry(a, "member.attributes_updated").await["id"], entry["id"]);
    // Somebody above the caller is out of reach, and so is a field that is not theirs: all or nothing.
    fill(&a.manager, a, &a.owner, "desk", json!("Mine")).await.expect(403).problem("role_above_own");
    assert_eq!(newest_entry(a, "member.change_refused").await["metadata"]["code"], "role_above_own");
    let mixed = json!({"attributes": {"nickname": "Other", "site": "South"}});
    a.member.patch("/v1/me/attributes", mixed).await.expect(403).problem("attribute_not_editable");
    assert_eq!(newest_entry(a, "member.change_refused").await["metadata"]["code"], "attribute_not_editable");
    assert_eq!(a.member.get("/v1/me/attributes").await.expect(200).text_at("/attributes/nickname"), "Quetzal");
    world.close().await;
}

/// Proves DAT-7: a required value is asked for where a profile is written, and keeps nobody out.
#[tokio::test]
async fn what_is_required_is_missing_until_it_is_there_and_keeps_nobody_out() {
    let world = World::open().await;
    let a = &world.a;
    let more = json!({"required": true});
    declare(a, "cost_center", "person_and_managers", "managers", more.clone()).await;
    declare(a, "locker", "person_and_managers", "person_and_managers", more).await;
    let own = a.member.get("/v1/me/attributes").await.expect(200);
    assert_eq!(own.json["missing"], json!(["cost_center", "locker"]));
    // What is not theirs to give is not asked of them.
    let write = async |body| a.member.patch("/v1/me/attributes", json!({"attributes": body})).await;
    assert_eq!(write(json!({"desk": "Corner"})).await.expect(422).faults(), ["/attributes/locker"]);
    let given = write(json!({"desk": "Corner", "locker": "12"})).await.expect(200);
    assert_eq!(given.json["missing"], json!(["cost_center"]));
    let taken = write(json!({"locker": null})).await.expect(422);
    assert_eq!((taken.faults(), &taken.json["errors"][0]["code"]), (vec!["/attributes/locker"], &json!("required")));
    assert_eq!(a.member.get("/v1/me/attributes").await.expect(200).text_at("/attributes/locker"), "12");
    let sign_in = json!({"email": a.member.email, "password": PASSWORD, "token_delivery": "body"});
    world.server.nobody().post("/v1/sessions", sign_in).await.expect(201);
    world.close().await;
}

/// Proves DAT-7, NET-9.
#[tokio::test]
async fn every_value_is_held_against_its_type_and_every_fault_is_named() {
    let world = World::open().await;
    let a = &world.a;
    let right = json!({
        "t_text": "Zo\u{eb}", "t_number": 7.5, "t_date": "2024-02-29", "t_boolean": false, "t_choice": "M",
        "t_email": "ada@example.com", "t_phone": "+4930123456", "t_url": "https://example.com/page",
    });
    for key in right.as_object().unwrap().keys() {
        let kind = key.trim_start_matches("t_");
        let options =
            if kind == "choice" { json!({"type": kind, "options": ["S", "M"]}) } else { json!({"type": kind}) };
        declare(a, key, "person_and_managers", "person_and_managers", options).await;
    }
    let own = "/v1/me/attributes";
    let first = a.member.patch(own, json!({"attributes": right})).await.expect(200);
    let mut seen = first.json["attributes"].clone();
    seen.as_object_mut().unwrap().remove("desk");
    assert_eq!(seen, right);
    for wrong in [json!("a\u{0}b"), json!("two\nlines"), json!("\u{9b}31m"), json!(["x"]), json!({"a": 1})] {
        let body = json!({"attributes": {"t_text": wrong}});
        assert_eq!(a.member.patch(own, body).await.expect(422).faults(), ["/attributes/t_text"]);
    }
    for long in [501, 500_000] {
        let body = json!({"attributes": {"t_text": "x".repeat(long)}});
        assert_eq!(a.member.patch(own, body).await.expect(422).faults(), ["/attributes/t_text"], "{long}");
    }
    let megabyte = json!({"attributes": {"t_text": "x".repeat(1 << 20)}});
    a.member.patch(own, megabyte).await.expect(413);
    let wrong = json!({
        "t_text": 1, "t_number": 1e16, "t_date": "2025-02-29", "t_boolean": "false", "t_choice": "XL",
        "t_email": "nobody", "t_phone": "030 123456", "t_url": "javascript:alert(1)", "a/b~c": "x",
    });
    let answer = a.member.patch(own, json!({"attributes": wrong})).await.expect(422);
    let mut faults = answer.faults();
    faults.sort_unstable();
    let mut expected: Vec<_> = right.as_object().unwrap().keys().map(|key| format!("/attributes/{key}")).collect();
    expected.insert(0, "/attributes/a~1b~0c".to_owned());
    assert_eq!(faults, expected);
    let many: serde_json::Map<_, _> = (0..51).map(|n| (format!("k{n}"), json!("x"))).collect();
    assert_eq!(a.member.patch(own, json!({"attributes": many})).await.expect(422).faults(), ["/attributes"]);
    assert_eq!(a.member.get(own).await.expect(200).json, first.json);
    world.close().await;
}

/// Proves API-2.
#[tokio::test]
async fn two_who_change_a_profile_at_once_do_not_overwrite_each_other() {
    let world = World::open().await;
    let a = &world.a;
    let read = a.manager.get(&profile(a, &a.subject)).await.expect(200);
    let tag = read.header("etag").to_owned();
    let change = async |by: &Actor, text: &str| {
        let body = json!({"attributes": {"desk": text}});
        by.request(reqwest::Method::PATCH, &profile(a, &a.subject)).json(&body).header("if-match", &tag).send().await
    };
    let changed = change(&a.manager, "First").await.expect(200);
    assert_ne!(changed.header("etag"), tag);
    change(&a.admin, "Second").await.expect(412).problem("precondition_failed");
    let now = a.subject.get("/v1/me/attributes").await.expect(200);
    assert_eq!((now.text_at("/attributes/desk"), now.header("etag")), ("First", changed.header("etag")));
    // Taken away and given again is not what was read.
    fill(&a.admin, a, &a.subject, "desk", Value::Null).await.expect(200);
    fill(&a.admin, a, &a.subject, "desk", json!("First")).await.expect(200);
    assert_ne!(a.subject.get("/v1/me/attributes").await.expect(200).header("etag"), changed.header("etag"));
    world.close().await;
}

/// Proves DAT-7, AZ-9: what one organisation declares means nothing in another, and who belongs to none has no profile.
#[tokio::test]
async fn a_profile_is_the_organisations_and_goes_with_the_membership() {
    let world = World::open().await;
    let (a, b) = (&world.a, &world.b);
    declare(a, "secret_of_a", "person_and_managers", "person_and_managers", json!({})).await;
    let answer = fill(&b.owner, b, &b.member, "secret_of_a", json!("x")).await;
    assert_eq!(answer.expect(422).faults(), ["/attributes/secret_of_a"]);
    b.owner.get(&profile(a, &a.subject)).await.expect(404);
    b.owner.get(&format!("/v1/organizations/{}/members/{}/attributes", b.id, a.subject.membership)).await.expect(404);
    world.a.guest.get("/v1/me/attributes").await.expect(404).problem("not_found");
    let acting = world.acting_in(a.id).await;
    acting.get("/v1/me/attributes").await.expect(404);
    acting.get(&profile(a, &a.subject)).await.expect(200);
    let mut psql = world.database.psql(crate::harness::Login::Owner).await;
    let left = format!("SELECT count(*) FROM attribute_values WHERE membership_id = '{}'", a.subject.membership);
    let found = format!("SELECT count(*) FROM attribute_matches WHERE organization_id = '{}'", a.id);
    assert_eq!((psql.number(&left).await, psql.number(&found).await), (1, 1));
    a.owner.delete(&format!("/v1/organizations/{}/members/{}", a.id, a.subject.membership)).await.expect(204);
    assert_eq!((psql.number(&left).await, psql.number(&found).await), (0, 0));
    // An organisation that is removed leaves nothing.
    psql.run(&format!("DELETE FROM organizations WHERE id = '{}'", b.id)).await.unwrap();
    let of_b = format!("SELECT count(*) FROM attributes WHERE organization_id = '{}'", b.id);
    assert_eq!(psql.number(&of_b).await, 0);
    world.close().await;
}
