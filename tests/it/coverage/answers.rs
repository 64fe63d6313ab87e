//! What happens when a request is right: the promised answer, the record of it, and that a repetition is none.

use freehold::{audit::Kind, authz::Limit};
use serde_json::{Value, json};

use super::{
    Exceptions, Failures,
    cases::{DECLARED, case},
    contract, except, known,
    performances::{Performance, performances},
    stage::{Stage, answered, draft},
};
use crate::{harness::Answer, path::switch};

/// What changes the database and leaves no entry.
const UNRECORDED: &Exceptions = &[
    ("passkeys_begin", "a passkey that is only asked for proves nothing"),
    ("password_resets_create", "whose password it is about is found and recorded after the answer"),
    ("product_events_record", "it records what the product has declared"),
    ("session_reauthenticate_passkey_begin", "a passkey that is only asked for proves nothing"),
    ("sessions_passkey_begin", "a passkey that is only asked for proves nothing"),
    ("sessions_refresh", "it only carries on what session.created recorded"),
    ("sessions_second_factor_passkey_begin", "a passkey that is only asked for proves nothing"),
    ("totp_begin", "an app that is not confirmed is no second factor yet"),
];

/// Proves API-1, NET-2, NET-8.
#[tokio::test]
async fn whoever_may_gets_the_answer_that_the_contract_promises() {
    let mut failures = Failures::default();
    for Performance { operation, answer, .. } in performances().await {
        failures.check(&operation.id, operation.succeeded(answer));
    }
    failures.report();
}

/// Proves NET-4.
#[tokio::test]
async fn every_answer_says_which_limit_it_counts_towards_and_what_is_left() {
    let mut failures = Failures::default();
    for Performance { operation, answer, .. } in performances().await {
        failures.check(&operation.id, limited(operation.policy.limit, answer));
    }
    failures.report();
}

fn limited(limit: Option<Limit>, answer: &Answer) -> Result<(), String> {
    let (policy, state) = (answer.header("ratelimit-policy"), answer.header("ratelimit"));
    let right = match limit {
        None => policy.is_empty() && state.is_empty(),
        Some(limit) => {
            let name = limit.name();
            policy.starts_with(&format!("\"{name}\";q=")) && state.starts_with(&format!("\"{name}\";r="))
        }
    };
    if right { Ok(()) } else { Err(format!("counts towards {limit:?}, and says {policy:?} and {state:?}")) }
}

/// Proves AUD-2, NET-8.
#[tokio::test]
async fn the_declared_event_is_in_the_record_with_who_where_and_which_request() {
    let mut failures = Failures::default();
    for performance in performances().await {
        let Some(event) = &performance.operation.policy.audit_event else { continue };
        failures.check(&performance.operation.id, recorded(performance, event));
    }
    failures.report();
}

fn recorded(performance: &Performance, event: &str) -> Result<(), String> {
    let kind = Kind::find(event).ok_or(format!("{event} is not in the catalogue; add it in src/audit/catalog.rs"))?;
    let found = performance.entries.iter().find(|entry| entry["event"] == event);
    let entry = found.ok_or_else(|| {
        let events: Vec<_> = performance.entries.iter().map(|entry| entry["event"].to_string()).collect();
        format!("the registry declares {event}, but the record has {events:?}")
    })?;
    let expected = json!({
        "organization_id": performance.home(kind),
        // Nobody in particular is nobody afterwards either, unless the call made somebody of them.
        "actor_type": if performance.actor().is_some() { "account" } else { "anonymous" },
        "actor_id": performance.actor(),
        "outcome": "success",
        "target_type": kind.target(),
        "severity": kind.severity().as_str(),
        "class": kind.class().as_str(),
        "from_somewhere": true,
    });
    for (field, value) in expected.as_object().into_iter().flatten() {
        if entry[field] != *value {
            return Err(format!("the entry's {field} is {} and not {value}", entry[field]));
        }
    }
    // What has a name instead of an id is named in the metadata.
    match entry["target_id"].is_string() || entry["metadata"][kind.target()].is_string() {
        true => Ok(()),
        false => Err("the entry has no target".to_owned()),
    }
}

/// Proves AUD-1.
#[tokio::test]
async fn what_an_entry_says_is_in_the_catalogue() {
    let mut failures = Failures::default();
    for Performance { operation, entries, .. } in performances().await {
        for entry in entries {
            failures.check(&operation.id, declared(entry));
        }
    }
    failures.report();
}

fn declared(entry: &Value) -> Result<(), String> {
    let code = entry["event"].as_str().unwrap_or_default();
    if code == DECLARED {
        // A product's own: the organisation's catalogue has it.
        return Ok(());
    }
    let kind = Kind::find(code).ok_or(format!("{code} is not in the catalogue"))?;
    let details: Vec<_> = kind.details().iter().map(|detail| detail.name).collect();
    let said = entry["metadata"].as_object().into_iter().flat_map(|metadata| metadata.keys());
    let odd: Vec<_> = said.filter(|name| !details.contains(&name.as_str())).collect();
    if odd.is_empty() { Ok(()) } else { Err(format!("{code} says {odd:?}; declare it in src/audit/details.rs")) }
}

/// Proves AUD-2.
#[tokio::test]
async fn what_declares_no_event_changes_nothing() {
    let mut failures = Failures::default();
    known(UNRECORDED, &mut failures);
    for Performance { operation, entries, changed, .. } in performances().await {
        let outcome = match (&operation.policy.audit_event, changed, entries.as_slice()) {
            (None, true, []) => Err("it changed something and declares no audit_event in the registry".to_owned()),
            (None, _, [entry, ..]) => Err(format!("it recorded {} and declares no audit_event", entry["event"])),
            (None, false, []) | (Some(_), true, _) => Ok(()),
            (Some(event), false, _) => Err(format!("it declares {event} and changed nothing")),
        };
        failures.check(&operation.id, except(UNRECORDED, &operation.id, outcome));
    }
    failures.report();
}

/// Proves API-2.
#[tokio::test]
async fn what_was_made_is_where_the_answer_says() {
    let mut failures = Failures::default();
    let mut located = 0;
    for Performance { operation, answer, .. } in performances().await {
        if answer.header("location").is_empty() {
            continue;
        }
        located += 1;
        let stage = Stage::for_case(case(&operation.id)).await;
        let actor = stage.rightful(operation, &stage.a);
        let made = stage.send(operation, &actor, &stage.call(operation, &stage.a)).await;
        // A sign-in is located for the person who has just signed in, and an organisation for its members.
        let token = made.json["access_token"].as_str().unwrap_or_else(|| actor.token()).to_owned();
        let reader = stage.server.bearer(&token);
        if operation.id == "organizations_create" {
            switch(&reader, made.id_at("/id")).await;
        }
        let found = reader.get(made.header("location")).await;
        let inside = ["/session/id", "/passkey/id", "/id"].into_iter().find_map(|place| made.json.pointer(place));
        let id = inside.and_then(Value::as_str);
        if found.status != 200 || found.json["id"].as_str() != id {
            failures.note(&operation.id, format!("its Location {:?} leads to {found}", made.header("location")));
        }
        stage.close().await;
    }
    assert!(located >= 5, "only {located} operations say where what they made is");
    failures.report();
}

/// Proves API-2.
#[tokio::test]
async fn a_creating_call_with_the_same_key_happens_once() {
    let mut failures = Failures::default();
    let mut creating = 0;
    for operation in contract::operations() {
        if operation.policy.creates() != operation.takes("Idempotency-Key") {
            failures.note(&operation.id, "a creating action and the header Idempotency-Key go together");
        }
        if !operation.policy.creates() {
            continue;
        }
        creating += 1;
        let stage = Stage::for_case(case(&operation.id)).await;
        let (actor, call) = (stage.rightful(operation, &stage.a), stage.call(operation, &stage.a));
        let send = async |call| {
            answered(operation, draft(operation, &actor, call, "").header("idempotency-key", "once")).await
        };
        let first = send(&call).await;
        stage.database.letters_are_sent().await;
        let after_first = stage.everything().await;
        let second = send(&call).await;
        let same = (first.status, &first.text, first.header("location"));
        if same != (second.status, &second.text, second.header("location")) {
            failures.note(&operation.id, format!("{first}, and the second time {second}"));
        }
        if second.header("idempotency-replayed") != "true" {
            failures.note(&operation.id, "the repetition does not say idempotency-replayed");
        }
        let mut other = call.clone();
        if let Some(body) = other.body.as_mut().and_then(Value::as_object_mut) {
            // A name or a reason, where there is one: it can be any other.
            let first = body
                .keys()
                .find(|name| ["name", "reason"].contains(&name.as_str()))
                .or(body.keys().next())
                .unwrap()
                .clone();
            match &mut body[&first] {
                Value::Array(items) => items.push(items[0].clone()),
                text => *text = json!("other@example.com"),
            }
            let third = send(&other).await;
            if third.problem_code() != Ok("idempotency_key_reused") || third.status != 422 {
                failures.note(&operation.id, format!("another body with the same key: {third}"));
            }
        }
        if stage.everything().await != after_first {
            failures.note(&operation.id, "a repetition changed something");
        }
        stage.close().await;
    }
    assert!(creating >= 3, "only {creating} operations create something");
    failures.report();
}
