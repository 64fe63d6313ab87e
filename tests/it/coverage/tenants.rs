//! Tenants know nothing of each other: what is somebody else's is not there (AZ-9).

use std::ops::Deref;

use freehold::authz::Scope;
use serde_json::Value;
use uuid::Uuid;

use super::{
    Exceptions, Failures,
    cases::{Before, Call, case},
    contract::{self, Operation},
    except, known,
    stage::Stage,
};
use crate::{harness::Answer, world::CANARY};

/// What answers something else than 404 about another tenant's things.
const NOT_HIDDEN: &Exceptions = &[
    ("me_invitations_accept", "whoever holds the link's token may know of the invitation: 409, it is not theirs"),
    ("email_verifications_complete", "a link of somebody else's is answered like one that is none: 404 of its own"),
    ("email_changes_complete", "a link of somebody else's is answered like one that is none: 404 of its own"),
    ("recovery_address_verify", "a link of somebody else's is answered like one that is none: 404 of its own"),
    ("passkeys_register", "what was asked of another session is answered like what was never asked: 409"),
    ("session_reauthenticate_passkey", "what was asked of another session is answered like what was never asked: 409"),
];

fn is_hidden(answer: &Answer) -> Result<(), String> {
    if answer.text.to_lowercase().contains(CANARY) {
        return Err(format!("leaked: {answer}"));
    }
    match (answer.status, answer.problem_code()) {
        (404, Ok("not_found")) => Ok(()),
        _ => Err(format!("expected 404 not_found, but {answer}")),
    }
}

/// Whether a request is about the things of a tenant.
fn is_about_a_tenant(stage: &Stage, operation: &Operation) -> bool {
    let (a, b) = (stage.call(operation, &stage.a), stage.call(operation, &stage.b));
    (a.ids, a.body) != (b.ids, b.body)
}

/// Proves AZ-9.
#[tokio::test]
async fn another_tenants_things_are_not_there() {
    foreign_things(Stage::open().await).await;
}

/// Proves AZ-9.
#[tokio::test]
async fn another_tenants_ids_mean_nothing_inside_ones_own_organisation() {
    foreign_ids(Stage::open().await).await;
}

/// Proves AZ-9.
#[tokio::test]
async fn queries_are_scoped_in_code_too() {
    foreign_things(without_row_level_security().await).await;
    foreign_ids(without_row_level_security().await).await;
    own_reads(without_row_level_security().await).await;
}

/// A stage whose PostgreSQL shows everybody's rows to everybody.
async fn without_row_level_security() -> Stage {
    let stage = Stage::for_case(case("sign_up_requests_get")).await;
    let tables = "SELECT relname FROM pg_class WHERE relrowsecurity AND relforcerowsecurity";
    let tables = stage.psql.lock().await.rows(tables).await;
    assert!(tables.len() >= 5, "row-level security is on for {tables:?}");
    for table in tables {
        let name = table["relname"].as_str().unwrap();
        let off = format!("ALTER TABLE {name} DISABLE ROW LEVEL SECURITY, NO FORCE ROW LEVEL SECURITY");
        stage.psql.lock().await.run(&off).await.unwrap();
    }
    stage
}

async fn foreign_things(stage: Stage) {
    let mut failures = Failures::default();
    known(NOT_HIDDEN, &mut failures);
    let (before_a, before) = (stage.everything_of(stage.a.id).await, stage.everything().await);
    let mut asked = 0;
    for operation in contract::operations() {
        let reachable = matches!(operation.policy.scope, Scope::Own | Scope::Organization);
        if !reachable || !is_about_a_tenant(&stage, operation) {
            continue;
        }
        asked += 1;
        let call = stage.call(operation, &stage.a);
        let owner = stage.b.owner.deref().clone();
        for (who, actor) in [("the rightful role of B", stage.rightful(operation, &stage.b)), ("B's owner", owner)] {
            let outcome = is_hidden(&stage.send(operation, &actor, &call).await);
            let outcome = except(NOT_HIDDEN, &operation.id, outcome);
            failures.check(&operation.id, outcome.map_err(|fault| format!("{who}: {fault}")));
        }
        if stage.everything_of(stage.a.id).await != before_a {
            failures.note(&operation.id, "B changed something of A's");
            break;
        }
    }
    assert!(asked > 12, "only {asked} operations are about a tenant's things");
    if stage.everything().await != before {
        failures.note("all", "a request that found nothing changed something");
    }
    stage.close().await;
    failures.report();
}

async fn foreign_ids(stage: Stage) {
    let mut failures = Failures::default();
    let before = stage.everything().await;
    let mut asked = 0;
    for operation in contract::operations().iter().filter(|operation| operation.policy.scope == Scope::Organization) {
        let theirs = stage.call(operation, &stage.a);
        if theirs.ids.len() < 2 {
            continue;
        }
        asked += 1;
        let mixed = theirs.clone().id("organization_id", stage.b.id);
        let invented = mixed.ids.iter().fold(mixed.clone(), |call, (name, _)| match *name {
            "organization_id" => call,
            name => call.id(name, Uuid::from_u128(7)),
        });
        let foreign = stage.send(operation, &stage.b.owner, &mixed).await;
        let unknown = stage.send(operation, &stage.b.owner, &invented).await;
        failures.check(&operation.id, is_hidden(&foreign));
        if without_request_id(&foreign) != without_request_id(&unknown) {
            failures.note(&operation.id, format!("tells A's id from one that nobody has: {foreign}, but {unknown}"));
        }
    }
    assert!(asked > 4, "only {asked} operations have ids inside an organisation");
    if stage.everything().await != before {
        failures.note("all", "a request that found nothing changed something");
    }
    stage.close().await;
    failures.report();
}

fn without_request_id(answer: &Answer) -> Value {
    let mut document = answer.json.clone();
    document["request_id"].take();
    document
}

/// Proves AZ-2, AZ-9, SES-4.
#[tokio::test]
async fn who_is_no_member_now_has_no_access_whatever_they_are_or_were() {
    let mut failures = Failures::default();
    let stage = Stage::open().await;
    let before = stage.everything().await;
    let outsiders = [
        ("the platform administrator", &stage.platform),
        ("a blocked member", &stage.a.blocked),
        ("a former member", &stage.a.guest),
    ];
    for operation in contract::operations().iter().filter(|operation| operation.policy.scope == Scope::Organization) {
        let call = stage.call(operation, &stage.a);
        for (who, person) in outsiders {
            let outcome = is_hidden(&stage.send(operation, person, &call).await);
            failures.check(&operation.id, outcome.map_err(|fault| format!("{who}: {fault}")));
        }
    }
    assert_eq!(stage.everything().await, before, "an outsider changed something");
    stage.close().await;
    failures.report();
}

/// Proves AZ-9.
#[tokio::test]
async fn nothing_that_a_tenant_reads_holds_a_word_of_another() {
    own_reads(Stage::for_case(case("sign_up_requests_get")).await).await;
}

async fn own_reads(stage: Stage) {
    let mut failures = Failures::default();
    let reads = contract::operations()
        .iter()
        .filter(|operation| operation.method == reqwest::Method::GET && operation.policy.scope != Scope::Platform)
        // Only tenant A's member ever has one.
        .filter(|operation| case(&operation.id).before != Before::Passkey);
    for operation in reads {
        let call = stage.call(operation, &stage.b);
        // What is one's own is the member's of the case.
        let reader = if operation.policy.scope == Scope::Own { &stage.b.member } else { &stage.b.owner };
        let answer = stage.send(operation, reader, &call).await;
        let read = operation.succeeded(&answer);
        if read.is_err() || answer.text.to_lowercase().contains(CANARY) {
            failures.note(&operation.id, format!("a person of B reads their own: {answer}"));
        }
    }
    // The word is there to be found.
    let mine = contract::operation("members_list");
    let answer = stage.send(mine, &stage.a.owner, &Call::default().id("organization_id", stage.a.id)).await;
    assert!(answer.text.contains(CANARY), "{answer}");
    stage.close().await;
    failures.report();
}
