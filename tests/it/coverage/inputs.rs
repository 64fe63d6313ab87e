//! What the contract refuses: every fault of a request gets its answer, names its place, and changes nothing (NET-9).

use reqwest::Method;
use serde_json::{Value, json};

use super::{
    Failures,
    contract::{self, Operation},
    stage::{Stage, answered, draft, path},
};
use crate::harness::{Actor, Answer};

/// A request with one fault: what it is, its body, and the place that the answer must name.
struct Faulty {
    what: String,
    body: Value,
    place: String,
}

fn names(answer: &Answer, place: &str) -> Result<(), String> {
    match (answer.status, answer.problem_code(), answer.faults().contains(&place)) {
        (422, Ok("invalid_request"), true) => Ok(()),
        _ => Err(format!("expected 422 that names {place:?}, but {answer}")),
    }
}

/// Runs a check on every operation, as whoever may call it; afterwards nothing may be different.
async fn on_every_operation(check: impl AsyncFn(&Stage, &'static Operation, &Actor, &mut Failures)) {
    let mut failures = Failures::default();
    let stage = Stage::open().await;
    stage.declare().await;
    let before = stage.everything().await;
    for operation in contract::operations() {
        let actor = stage.rightful(operation, &stage.a);
        check(&stage, operation, &actor, &mut failures).await;
        if stage.everything().await != before {
            failures.note(&operation.id, "a faulty request changed something");
            break;
        }
    }
    stage.close().await;
    failures.report();
}

/// Proves NET-9.
#[tokio::test]
async fn unknown_and_mistyped_parameters_are_named() {
    on_every_operation(async |stage, operation, actor, failures| {
        let call = stage.call(operation, &stage.a);
        let answer = stage.admits(operation, actor, &call).await;
        failures.check(&operation.id, names(&answer, "no_such_parameter"));
        for (name, schema) in operation.parameters_in("query") {
            let schema = contract::resolved(schema);
            let typed = schema["type"] != "string" || schema.get("format").is_some() || schema.get("enum").is_some();
            let wrong = [("nonsense", typed), ("%00", true), ("x&{name}=x", true)];
            for (value, _) in wrong.into_iter().filter(|(_, wrong)| *wrong) {
                let query = format!("?{name}={}", value.replace("{name}", name));
                let answer = answered(operation, draft(operation, actor, &call, &query)).await;
                failures.check(&operation.id, names(&answer, name).map_err(|fault| format!("{query}: {fault}")));
            }
        }
    })
    .await;
}

/// Proves NET-9.
#[tokio::test]
async fn every_fault_of_a_body_is_named_by_its_pointer() {
    on_every_operation(async |stage, operation, actor, failures| {
        let call = stage.call(operation, &stage.a);
        let Some(good) = &call.body else { return };
        for Faulty { what, body, place } in faulty(operation, good) {
            let mut call = call.clone();
            call.body = Some(body);
            let answer = stage.send(operation, actor, &call).await;
            failures.check(&operation.id, names(&answer, &place).map_err(|fault| format!("{what}: {fault}")));
        }
    })
    .await;
}

/// A good body, once for each fault that its schema makes possible.
fn faulty(operation: &Operation, good: &Value) -> Vec<Faulty> {
    let with = |name: &str, value: Option<Value>| {
        let mut body = good.clone();
        let fields = body.as_object_mut().unwrap();
        match value {
            Some(value) => drop(fields.insert(name.to_owned(), value)),
            None => drop(fields.remove(name)),
        }
        body
    };
    let mut all = vec![
        Faulty {
            what: "an unknown field".into(),
            body: with("no_such_field", Some(json!(1))),
            place: "/no_such_field".into(),
        },
        Faulty { what: "a list".into(), body: json!([good]), place: String::new() },
        Faulty { what: "a text".into(), body: json!("text"), place: String::new() },
    ];
    for (name, schema) in operation.properties() {
        let (schema, place) = (contract::resolved(&schema), format!("/{name}"));
        let mut add = |what: &str, value: Option<Value>| {
            all.push(Faulty { what: format!("{name} {what}"), body: with(&name, value), place: place.clone() });
        };
        if operation.requires(&name) {
            add("is missing", None);
        }
        if schema["nullable"] != true {
            add("is null", Some(Value::Null));
        }
        for (wrong, right) in [(json!(1), ["integer", "number"]), (json!(true), ["boolean"; 2])] {
            if !right.iter().any(|kind| schema["type"] == *kind) {
                add(&format!("is {wrong}"), Some(wrong));
            }
        }
        if schema["type"] != "object" {
            add("is an object", Some(json!({"an": "object"})));
        }
        if schema["type"] == "string" {
            add("is a list", Some(json!(["x"])));
            for character in ["\u{0}", "\u{7}", "\u{9b}"] {
                let text = good[&name].as_str().unwrap_or("some text");
                add("has a control character", Some(json!(format!("{text}{character}"))));
            }
        }
        if let Some(longest) = schema["maxLength"].as_u64() {
            add("is too long", Some(json!("x".repeat(usize::try_from(longest).unwrap() + 1))));
        }
        if schema["minLength"].as_u64() == Some(1) {
            add("is empty", Some(json!("")));
        }
        if schema.get("format").is_some() || schema.get("enum").is_some() {
            add("has another format", Some(json!("nonsense")));
        }
        if let Some(most) = schema["maxItems"].as_u64() {
            add("is too long", Some(json!(vec![good[&name][0].clone(); usize::try_from(most).unwrap() + 1])));
        }
        if schema["minItems"].as_u64() == Some(1) {
            add("is empty", Some(json!([])));
        }
        if schema["type"] == "object" {
            all.extend(inside(&name, &schema).map(|(what, value, place)| Faulty {
                what,
                body: with(&name, Some(value)),
                place,
            }));
        }
    }
    all
}

/// The faults of an object in a body: an unknown field, and the bounds of those it has.
fn inside(name: &str, schema: &Value) -> impl Iterator<Item = (String, Value, String)> {
    let mut all = vec![("no_such_field".to_owned(), json!(1))];
    for (field, schema) in schema["properties"].as_object().into_iter().flatten() {
        if schema["type"] != "boolean" {
            all.push((field.clone(), json!(true)));
        }
        all.push((field.clone(), json!({"an": "object"})));
        for (bound, step) in [("minimum", -1.0), ("maximum", 1.0)] {
            all.extend(schema[bound].as_f64().map(|bound| (field.clone(), json!((bound + step) as i64))));
        }
        if let Some(most) = schema["maxItems"].as_u64() {
            all.push((field.clone(), json!(vec!["x.example"; usize::try_from(most).unwrap() + 1])));
            all.push((field.clone(), json!([])));
        }
    }
    let name = name.to_owned();
    all.into_iter().map(move |(field, value)| {
        let place = format!("/{name}/{field}");
        (format!("{place} is {value}"), json!({field: value}), place)
    })
}

/// Proves NET-9.
#[tokio::test]
async fn what_is_no_json_is_malformed() {
    on_every_operation(async |stage, operation, actor, failures| {
        let mut call = stage.call(operation, &stage.a);
        let body = call.body.take();
        let json = "application/json";
        let wrong: [(&str, &[u8], u16, &str); 7] = [
            (json, b"{", 400, "malformed_request"),
            (json, b"{} {}", 400, "malformed_request"),
            (json, b"{\"name\": \"\xff\"}", 400, "malformed_request"),
            (json, b"NaN", 400, "malformed_request"),
            (json, b"", 422, "invalid_request"),
            ("text/plain", b"{}", 415, "unsupported_media_type"),
            ("application/x-www-form-urlencoded", b"a=b", 415, "unsupported_media_type"),
        ];
        for (media_type, bytes, status, code) in wrong {
            let (status, code) = match (&body, bytes) {
                (Some(_), _) => (status, code),
                (None, b"") => continue,
                // An operation without a body takes none, whatever it is.
                (None, _) => (422, "invalid_request"),
            };
            let request = draft(operation, actor, &call, "").body(media_type, bytes);
            let answer = answered(operation, request).await;
            if (answer.status, answer.problem_code()) != (status, Ok(code)) {
                let sent = String::from_utf8_lossy(bytes);
                failures.note(&operation.id, format!("{media_type} {sent:?} expected {status} {code}, but {answer}"));
            }
        }
    })
    .await;
}

/// Proves NET-9.
#[tokio::test]
async fn an_id_that_is_none_finds_nothing() {
    on_every_operation(async |stage, operation, actor, failures| {
        let call = stage.call(operation, &stage.a);
        let good = path(operation, &call);
        for (name, id) in &call.ids {
            for wrong in ["nonsense", "%00", "1", "..%2f..%2fv1%2fme", "00000000-0000-0000-0000-00000000000g"] {
                let path = good.replace(&id.to_string(), wrong);
                let request = actor.request(operation.method.clone(), &path);
                let request = if let Some(body) = &call.body { request.json(body) } else { request };
                let answer = answered(operation, request).await;
                // The guard looks for the organisation before anything else is read.
                let named = answer.status == 422 && answer.faults() == [*name];
                if !named && answer.status != 404 {
                    failures.note(&operation.id, format!("expected 404, or 422 that names {name}, but {answer}"));
                }
            }
        }
    })
    .await;
}

/// Proves API-2.
#[tokio::test]
async fn an_update_of_what_has_changed_meanwhile_is_refused() {
    on_every_operation(async |stage, operation, actor, failures| {
        if !operation.takes("If-Match") {
            return;
        }
        for stale in ["\"999\"", "\"0\"", "W/\"1\"", "nonsense"] {
            let request = draft(operation, actor, &stage.call(operation, &stage.a), "").header("if-match", stale);
            let answer = answered(operation, request).await;
            if answer.status != 412 || answer.problem_code() != Ok("precondition_failed") {
                failures.note(&operation.id, format!("If-Match: {stale} expected 412, but {answer}"));
            }
        }
    })
    .await;
}

/// Proves NET-10.
#[tokio::test]
async fn a_method_that_a_path_does_not_have_is_refused() {
    on_every_operation(async |stage, operation, actor, failures| {
        let call = stage.call(operation, &stage.a);
        let path = path(operation, &call);
        let at_path = contract::operations().iter().filter(|other| other.path == operation.path);
        let known: Vec<_> = at_path.map(|other| &other.method).collect();
        for method in [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::TRACE] {
            if known.contains(&&method) {
                continue;
            }
            let answer = answered(operation, actor.request(method, &path)).await;
            let allowed: Vec<_> = answer.header("allow").split(", ").filter(|name| *name != "HEAD").collect();
            let complete = allowed.len() == known.len() && known.iter().all(|known| allowed.contains(&known.as_str()));
            if answer.status != 405 || answer.problem_code() != Ok("method_not_allowed") || !complete {
                failures.note(&operation.id, format!("expected 405 that allows {known:?}, but {allowed:?}: {answer}"));
            }
        }
    })
    .await;
}
