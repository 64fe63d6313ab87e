//! Which role may do what: the guard's answers are the registry's lines and the hierarchy, and nothing else.

use std::{ops::Deref, time::Duration};

use freehold::authz::{Hierarchy, OperationPolicy, Scope};
use serde_json::json;

use super::{
    Failures,
    contract::{self, Operation},
    stage::Stage,
};
use crate::harness::{Actor, Answer, PASSWORD, eventually};

/// Whether a role has what another has, or reads what it reads, as `policies/roles.csv` says.
fn may(hierarchy: &Hierarchy, policy: &OperationPolicy, role: &str, least: &str) -> bool {
    let row = hierarchy.rows().iter().find(|row| row.name == role).unwrap();
    let reads_as = row.reads_as.as_deref().is_some_and(|other| hierarchy.covers(other, least));
    hierarchy.covers(role, least) || (reads_as && ["read", "list"].contains(&policy.action.as_str()))
}

/// Holds the guard's answer to a probe ([`Stage::admits`]) against what it should be.
fn expect(admitted: bool, answer: &Answer) -> Result<(), String> {
    match (admitted, answer.status, answer.problem_code()) {
        (true, 422, Ok("invalid_request")) | (false, 403, Ok("forbidden")) => Ok(()),
        (true, ..) => Err(format!("should be let through, but {answer}")),
        (false, ..) => Err(format!("should be forbidden, but {answer}")),
    }
}

fn of_scope(scope: Scope) -> impl Iterator<Item = &'static Operation> {
    contract::operations().iter().filter(move |operation| operation.policy.scope == scope)
}

/// What roles decide.
fn ruled() -> impl Iterator<Item = &'static Operation> {
    [Scope::Organization, Scope::Current, Scope::Platform].into_iter().flat_map(of_scope)
}

/// Proves AZ-2, AZ-4.
#[tokio::test]
async fn each_role_may_what_the_registry_says_and_nothing_more() {
    let (mut failures, hierarchy) = (Failures::default(), contract::hierarchy());
    let stage = Stage::open().await;
    for operation in of_scope(Scope::Organization).chain(of_scope(Scope::Current)) {
        let least = operation.policy.minimum_role.as_deref().unwrap();
        let call = stage.call(operation, &stage.a);
        for (role, person) in stage.a.by_role() {
            let allowed = may(&hierarchy, &operation.policy, role, least);
            let outcome = expect(allowed, &stage.admits(operation, person, &call).await);
            failures.check(&operation.id, outcome.map_err(|fault| format!("{role} {fault}")));
        }
    }
    stage.close().await;
    failures.report();
}

/// Proves AZ-4.
#[tokio::test]
async fn a_valid_request_of_a_role_below_the_minimum_is_forbidden_and_changes_nothing() {
    let (mut failures, hierarchy) = (Failures::default(), contract::hierarchy());
    let stage = Stage::open().await;
    let before = stage.everything().await;
    for operation in ruled() {
        let least = operation.policy.minimum_role.as_deref().unwrap();
        let call = stage.call(operation, &stage.a);
        for (role, person) in stage.a.by_role() {
            if operation.policy.scope != Scope::Platform && may(&hierarchy, &operation.policy, role, least) {
                continue;
            }
            let outcome = expect(false, &stage.send(operation, person, &call).await);
            failures.check(&operation.id, outcome.map_err(|fault| format!("{role} {fault}")));
        }
        if stage.everything().await != before {
            failures.note(&operation.id, "a forbidden request changed something");
            break;
        }
    }
    stage.close().await;
    failures.report();
}

/// Proves AZ-2.
#[tokio::test]
async fn platform_work_needs_a_platform_administrator_in_the_platforms_organisation() {
    let mut failures = Failures::default();
    let stage = Stage::open().await;
    let elsewhere = administrator_in_an_organisation_of_their_own(&stage).await;
    // Nobody can be given the role in a tenant, not even by the database; it would mean nothing there.
    let unbound = "ALTER TABLE memberships DROP CONSTRAINT memberships_platform_role";
    stage.psql.lock().await.run(unbound).await.unwrap();
    let misplaced =
        format!("UPDATE memberships SET role = 'platform_admin' WHERE id = '{}'", stage.a.subject.membership);
    assert_eq!(stage.psql.lock().await.run(&misplaced).await.unwrap(), 1);
    let role = || async { stage.a.subject.get("/v1/me").await.expect(200).json["role"] == "platform_admin" };
    eventually("the server knows", Duration::from_secs(2), async || role().await.then_some(())).await;
    for operation in of_scope(Scope::Platform) {
        let call = stage.call(operation, &stage.a);
        let people: [(&str, &Actor, bool); 3] = [
            ("the administrator", &stage.platform, true),
            ("the same person in a tenant", &elsewhere, false),
            ("a tenant's member with the role", &stage.a.subject, false),
        ];
        for (who, actor, allowed) in people {
            let outcome = expect(allowed, &stage.admits(operation, actor, &call).await);
            failures.check(&operation.id, outcome.map_err(|fault| format!("{who} {fault}")));
        }
    }
    stage.close().await;
    failures.report();
}

async fn administrator_in_an_organisation_of_their_own(stage: &Stage) -> Actor {
    let sign_in = json!({"email": stage.platform.email, "password": PASSWORD, "token_delivery": "body"});
    let answer = stage.server.nobody().post("/v1/sessions", sign_in).await.expect(201);
    let second = stage.server.bearer(answer.text_at("/access_token"));
    let own = stage.platform.post("/v1/organizations", json!({"name": "Own"})).await.expect(201).id_at("/id");
    second.post("/v1/session/organization", json!({"organization_id": own})).await.expect(200);
    second.get(&format!("/v1/organizations/{own}")).await.expect(200);
    second
}

/// Proves AZ-7.
#[tokio::test]
async fn what_is_ones_own_needs_only_the_role_for_that() {
    let (mut failures, hierarchy) = (Failures::default(), contract::hierarchy());
    let stage = Stage::open().await;
    let mut owned = 0;
    for operation in of_scope(Scope::Organization).filter(|operation| operation.policy.ownership.is_some()) {
        owned += 1;
        let least = operation.policy.own_role.as_deref().unwrap();
        for (role, person) in stage.a.by_role() {
            let own = stage.call(operation, &stage.a).id("member_id", person.membership);
            // Who changes nothing of others' still sees and leaves their own.
            let reads_as = hierarchy.rows().iter().find(|row| row.name == role).unwrap().reads_as.as_deref();
            let allowed = [Some(role), reads_as].into_iter().flatten().any(|role| hierarchy.covers(role, least));
            let outcome = expect(allowed, &stage.admits(operation, person, &own).await);
            failures.check(&operation.id, outcome.map_err(|fault| format!("{role} with their own {fault}")));
        }
    }
    assert!(owned > 0, "no operation has an ownership rule");
    let a = &stage.a;
    let path = |id| format!("/v1/organizations/{}/members/{id}", a.id);
    a.member.get(&path(a.member.membership)).await.expect(200);
    a.member.get(&path(a.subject.membership)).await.expect(403).problem("forbidden");
    a.member.delete(&path(a.subject.membership)).await.expect(403).problem("forbidden");
    a.member.delete(&path(a.member.membership)).await.expect(204);
    a.auditor.delete(&path(a.auditor.membership)).await.expect(204);
    stage.close().await;
    failures.report();
}

/// Proves AZ-4.
#[tokio::test]
async fn everybody_signed_in_may_look_after_themselves() {
    let mut failures = Failures::default();
    let stage = Stage::open().await;
    let others = [("a blocked member", &stage.a.blocked), ("a former member", &stage.a.guest)];
    for operation in of_scope(Scope::Own) {
        let call = stage.call(operation, &stage.a);
        for (who, person) in stage.a.by_role().into_iter().chain(others) {
            let outcome = expect(true, &stage.admits(operation, person, &call).await);
            failures.check(&operation.id, outcome.map_err(|fault| format!("{who} {fault}")));
        }
    }
    stage.close().await;
    failures.report();
}

/// Proves AZ-4, CON-1.
#[tokio::test]
async fn the_profile_lists_exactly_what_the_guard_lets_through() {
    let mut failures = Failures::default();
    let stage = Stage::open().await;
    let platform = [("platform_admin", &stage.platform)];
    for (role, person) in stage.a.by_role().into_iter().chain(platform) {
        let profile = person.get("/v1/me").await.expect(200);
        let listed = profile.json["operations"].as_array().unwrap();
        for operation in contract::operations() {
            let mut call = stage.call(operation, &stage.a).id("member_id", person.membership);
            if operation.policy.scope == Scope::Organization {
                call = call.id("organization_id", profile.id_at("/organization/id"));
                if role == "platform_admin" {
                    call = call.id("member_id", profile.id_at("/member_id"));
                }
            }
            let answer = stage.admits(operation, person.deref(), &call).await;
            let is_listed = listed.iter().any(|listed| *listed == operation.id);
            failures.check(&operation.id, expect(is_listed, &answer).map_err(|fault| format!("{role} {fault}")));
        }
    }
    stage.close().await;
    failures.report();
}

/// Proves AUD-2.
#[tokio::test]
async fn what_the_guard_forbids_is_in_the_record() {
    let mut failures = Failures::default();
    let stage = Stage::open().await;
    let member = &stage.a.member;
    for operation in ruled() {
        if operation.policy.minimum_role.as_deref() == Some("member") {
            continue;
        }
        let call = stage.call(operation, &stage.a);
        stage.send(operation, member, &call).await.expect(403);
        stage.send(operation, member, &call).await.expect(403);
    }
    stage.server.flush_refusals().await;
    let entries = format!(
        "SELECT metadata->>'operation' AS operation, sum((metadata->>'count')::int) AS calls FROM audit_entries
         WHERE event = 'access.refused' AND outcome = 'refused' AND organization_id = '{}' AND actor_id = '{}'
           AND metadata->>'code' = 'forbidden' AND request_id IS NOT NULL GROUP BY 1",
        stage.a.id, member.account
    );
    let entries = stage.psql.lock().await.rows(&entries).await;
    for operation in ruled() {
        let expected = if operation.policy.minimum_role.as_deref() == Some("member") { None } else { Some(2) };
        let entry = entries.iter().find(|entry| entry["operation"] == operation.id);
        if entry.and_then(|entry| entry["calls"].as_i64()) != expected {
            failures.note(&operation.id, format!("expected {expected:?} refused calls in the record, not {entry:?}"));
        }
    }
    stage.close().await;
    failures.report();
}
