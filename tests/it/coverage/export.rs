//! The export is the truth: what it says of every operation and role is what the server answers, of one's own objects, of
//! others', and of another tenant's.

use std::ops::Deref;

use freehold::authz::{Decision, Scope};
use serde_json::{Value, json};

use super::{
    Failures, contract,
    stage::{Stage, draft},
};
use crate::{
    harness::{Actor, Answer},
    rbac::{export, find, path},
};

/// What a probe that changes nothing was answered: let through, forbidden, not there, or not known.
fn said(answer: &Answer) -> &'static str {
    match (answer.status, answer.problem_code()) {
        (422, Ok("invalid_request")) => "through",
        (403, Ok("forbidden")) => "forbidden",
        (404, Ok("not_found")) => "not there",
        _ => "something else",
    }
}

fn decision<'a>(map: &'a Value, operation: &str, role: &str) -> &'a str {
    let all = map["operations"].as_array().unwrap();
    let row = all.iter().find(|row| row["operation"] == operation).unwrap_or_else(|| panic!("{operation} is missing"));
    row["decisions"][role].as_str().unwrap_or_else(|| panic!("{operation} says nothing of {role}"))
}

/// Proves AZ-4, AZ-5, AZ-7, AZ-9: for every operation, every role, and whatever object.
#[tokio::test]
async fn the_export_says_of_every_operation_and_role_what_the_guard_answers() {
    let mut failures = Failures::default();
    let stage = Stage::open().await;
    let map = export(&stage.a.auditor, &stage.a, "").await.json;
    let mut asked = 0;
    for operation in contract::operations() {
        let call = stage.call(operation, &stage.a);
        for (role, person) in stage.a.by_role() {
            let says = decision(&map, &operation.id, role);
            let own = call.clone().id("member_id", person.membership);
            let foreign = stage.call(operation, &stage.b);
            let probes: Vec<(&str, _, &str)> = match operation.policy.scope {
                Scope::Public | Scope::Own => vec![("it", &call, "through")],
                // People of a tenant are not on the platform, whatever their role would give them there; services only
                // call what is theirs.
                Scope::Platform if says == "allow" => vec![("it", &call, "through")],
                Scope::Platform => vec![("it", &call, "forbidden")],
                Scope::Service => continue,
                Scope::Current => vec![("it", &call, if says == "allow" { "through" } else { "forbidden" })],
                Scope::Organization => {
                    let anybodys = if says == "allow" { "through" } else { "forbidden" };
                    let ones_own = if says == "deny" { "forbidden" } else { "through" };
                    let owned = operation.policy.ownership.is_some();
                    let mut probes = vec![("another's", &call, anybodys), ("another tenant's", &foreign, "not there")];
                    if owned {
                        probes.push(("their own", &own, ones_own));
                    }
                    probes
                }
            };
            for (whose, call, expected) in probes {
                asked += 1;
                let answer = draft(operation, person.deref(), call, "?no_such_parameter=1").send().await;
                if said(&answer) != expected {
                    failures.note(&operation.id, format!("{role} with {whose}: the export says {says}, but {answer}"));
                }
            }
        }
    }
    // The platform's own, in the platform's organisation.
    for operation in contract::operations().iter().filter(|operation| operation.policy.scope == Scope::Platform) {
        let answer = stage.admits(operation, &stage.platform, &stage.call(operation, &stage.a)).await;
        if (said(&answer) == "through") != (decision(&map, &operation.id, "platform_admin") == "allow") {
            failures.note(&operation.id, format!("the platform's administrator: {answer}"));
        }
    }
    assert!(asked > 600, "only {asked} questions were asked");
    stage.close().await;
    failures.report();
}

/// Proves AZ-5: every cell, those that nobody can try included, is the compiled table's.
#[tokio::test]
async fn the_export_is_the_table_that_the_guard_asks() {
    let stage = Stage::open().await;
    let answer = export(&stage.a.admin, &stage.a, "").await;
    let (map, policy) = (&answer.json, &stage.server.app().policy);
    let rows = policy.registry().rows();
    assert_eq!(map["operations"].as_array().unwrap().len(), rows.len());
    for (at, row) in rows.iter().enumerate() {
        for role in policy.hierarchy().rows() {
            let expected = match (row.scope, policy.decide(&role.name, at)) {
                (Scope::Platform, Decision::Allow) if role.scope != "platform" => "platform",
                (Scope::Public, _) | (_, Decision::Allow) => "allow",
                (Scope::Own, _) | (_, Decision::IfOwner) => "own",
                (_, Decision::Deny) => "deny",
            };
            assert_eq!(decision(map, &row.operation, &role.name), expected, "{} {}", row.operation, role.name);
        }
        let line = &map["operations"][at];
        let registered = serde_json::to_value(row).unwrap();
        for (name, value) in registered.as_object().unwrap().iter().filter(|(_, value)| !value.is_null()) {
            assert_eq!(line[name], *value, "{}", row.operation);
        }
        assert!(line["path"].as_str().unwrap().starts_with('/') && line["method"].is_string(), "{line}");
    }
    stage.close().await;
}

/// Proves AZ-5, AZ-9.
#[tokio::test]
async fn administrators_and_auditors_get_it_and_only_of_their_own_organisation() {
    let stage = Stage::open().await;
    let (a, b) = (&stage.a, &stage.b);
    for (role, person) in a.by_role() {
        let answer = person.get(&path(a, "")).await;
        match role {
            "owner" | "admin" | "auditor" => assert_eq!(answer.status, 200, "{role}: {answer}"),
            _ => assert_eq!((answer.status, answer.problem_code()), (403, Ok("forbidden")), "{role}"),
        }
        person.get(&path(b, "")).await.expect(404).problem("not_found");
        person.get(&path(b, "/diff")).await.expect(404).problem("not_found");
        person.get("/v1/rbac/policies").await.expect(403).problem("forbidden");
    }
    let own = export(&b.auditor, b, "").await;
    assert!(!own.text.contains(crate::world::CANARY), "{own}");
    assert!(own.json["holders"].as_array().unwrap().iter().all(|holder| holder["organization_id"] == json!(b.id)));
    let seen = find(&own, b.subject.membership).unwrap();
    assert_eq!((&seen["email"], &seen["account_id"]), (&json!(b.subject.email), &json!(b.subject.account)));
    assert!(find(&own, b.service).is_some_and(|service| service["type"] == "service_account"));
    // The cursor of another organisation's document is worth nothing more.
    let first = export(&a.auditor, a, "?holders=1").await;
    let after = first.text_at("/next_after").to_owned();
    let stolen = export(&b.auditor, b, &format!("?after={after}")).await;
    assert!(stolen.json["holders"].as_array().unwrap().iter().all(|holder| holder["organization_id"] == json!(b.id)));
    stage.close().await;
}

/// Proves AZ-2, AZ-5: the platform sees who holds what everywhere, and of tenants' people no more than ids.
#[tokio::test]
async fn the_platform_gets_all_of_it_and_tenants_people_by_their_ids() {
    let stage = Stage::open().await;
    let (a, platform) = (&stage.a, &stage.platform);
    let all = platform.get("/v1/rbac/policies").await.expect(200);
    for tenant in [a, &stage.b] {
        for (role, person) in tenant.by_role() {
            let holder = find(&all, person.membership).unwrap_or_else(|| panic!("no {role}"));
            assert_eq!(holder["effective_roles"], json!([role]));
            assert!(holder["name"].is_null() && holder["email"].is_null(), "{holder}");
        }
    }
    let own = all.json["holders"].as_array().unwrap().iter();
    let own = own.filter(|holder| holder["account_id"] == json!(platform.account)).collect::<Vec<_>>();
    assert_eq!(own[0]["email"], json!(platform.email), "{own:?}");
    let of_a = platform.get(&format!("/v1/rbac/policies?organization_id={}", a.id)).await.expect(200);
    assert!(of_a.json["holders"].as_array().unwrap().iter().all(|holder| holder["organization_id"] == json!(a.id)));
    assert!(find(&of_a, a.owner.membership).is_some());
    let nowhere = format!("/v1/rbac/policies?organization_id={}", uuid::Uuid::nil());
    platform.get(&nowhere).await.expect(404).problem("not_found");

    // The platform's auditor reads it too, and administers nothing.
    let auditor = auditor_of_the_platform(&stage).await;
    auditor.get("/v1/rbac/policies").await.expect(200);
    auditor.get("/v1/rbac/policies/diff").await.expect(200);
    auditor.get("/v1/accounts").await.expect(403).problem("forbidden");
    stage.close().await;
}

/// A tenant's member who is made the platform's auditor too, in a session there.
async fn auditor_of_the_platform(stage: &Stage) -> Actor {
    let add = format!(
        "INSERT INTO memberships (id, organization_id, account_id, role, status, joined_at, updated_at)
         VALUES (gen_random_uuid(), platform_organization(), '{}', 'auditor', 'active', now(), now())",
        stage.b.guest.account
    );
    stage.psql.lock().await.run(&add).await.unwrap();
    let platform = entity::OrganizationId::PLATFORM;
    let switch = json!({"organization_id": platform.0});
    stage.b.guest.post("/v1/session/organization", switch).await.expect(200);
    stage.b.guest.deref().clone()
}
