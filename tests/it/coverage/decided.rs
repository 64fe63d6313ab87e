//! An explanation is true: what it says of every operation, role and object is what the guard answers.

use std::ops::Deref;

use freehold::authz::Scope;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    Failures, contract,
    stage::{Stage, draft},
};
use crate::harness::{Actor, Answer};

/// What a probe that changes nothing was answered, as an explanation says it.
fn said(answer: &Answer) -> String {
    match (answer.status, answer.problem_code()) {
        (422, Ok("invalid_request")) => "allowed".to_owned(),
        // What follows OAuth's form of errors has no code of ours.
        (401, Err(_)) => "api_key_required".to_owned(),
        (_, Ok(code)) => code.to_owned(),
        (_, Err(fault)) => fault,
    }
}

/// What the explanation says.
async fn explained(by: &Actor, (field, id): (&str, Uuid), operation: &str, object: &str) -> String {
    let question = json!({field: id, "operation": operation, "object": object});
    let answer = by.post("/v1/rbac/explain", question).await.expect(200);
    let json: &Value = &answer.json;
    let code = json["code"].as_str().unwrap_or("allowed").to_owned();
    assert_eq!(json["decision"] == "allowed", code == "allowed", "{answer}");
    // Why somebody may is named exactly when a role is what lets them.
    let ruled = !matches!(json["operation"]["scope"].as_str(), Some("public" | "self"));
    if code == "allowed" && ruled {
        assert!(json["granted_by"]["path"][0]["role"].is_string(), "{answer}");
    }
    code
}

/// Proves AZ-10: for every operation, whoever calls, and whatever object.
#[tokio::test]
async fn an_explanation_says_of_every_call_what_the_guard_answers() {
    let mut failures = Failures::default();
    let stage = Stage::open().await;
    let (a, auditor) = (&stage.a, &stage.a.auditor);
    // Every third permission beside the manager's role: what is not given stays refused.
    let permissions = a.owner.get(&format!("/v1/organizations/{}/permissions", a.id)).await.expect(200);
    let names: Vec<_> = permissions.items().iter().step_by(3).map(|one| one["operation"].clone()).collect();
    let role = json!({"name": "Some of everything", "permissions": names});
    let role = a.owner.post(&format!("/v1/organizations/{}/roles", a.id), role).await.expect(201).id_at("/id");
    let place = format!("/v1/organizations/{}/members/{}", a.id, a.manager.membership);
    a.owner.patch(&place, json!({"custom_role_ids": [role]})).await.expect(200);
    let people = a.by_role().into_iter().chain([("blocked member", &a.blocked)]);
    let people: Vec<_> = people.collect();
    let mut asked = 0;
    for operation in contract::operations() {
        let call = stage.call(operation, a);
        for (role, person) in &people {
            let who = ("account_id", person.account);
            let own = call.clone().id("member_id", person.membership);
            let mut probes = vec![("any", &call)];
            if operation.policy.ownership.is_some() {
                probes.push(("own", &own));
            }
            for (object, call) in probes {
                asked += 1;
                let answer = draft(operation, (*person).deref(), call, "?no_such_parameter=1").send().await;
                let says = explained(auditor, who, &operation.id, object).await;
                if said(&answer) != says {
                    failures.note(&operation.id, format!("{role} with {object}: explained as {says}, but {answer}"));
                }
            }
        }
        let answer = draft(operation, &a.program, &call, "?no_such_parameter=1").send().await;
        let says = explained(auditor, ("service_account_id", a.service), &operation.id, "any").await;
        if said(&answer) != says {
            failures.note(&operation.id, format!("a service account: explained as {says}, but {answer}"));
        }
        if operation.policy.scope == Scope::Platform {
            let call = stage.call(operation, a);
            let answer = stage.admits(operation, &stage.platform, &call).await;
            let who = ("account_id", stage.platform.account);
            let says = explained(&stage.platform, who, &operation.id, "any").await;
            if said(&answer) != says {
                failures.note(&operation.id, format!("the administrator: explained as {says}, but {answer}"));
            }
        }
    }
    assert!(asked > 900, "only {asked} questions were asked");
    stage.close().await;
    failures.report();
}
