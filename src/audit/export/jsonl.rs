//! The record as JSON, an object a line: what `audit_get` says of the entry, which a test holds it to.

use serde_json::{Map, Value, json};

use super::{Line, time};

/// An entry. What has no value is left out.
pub(super) fn object(line: &Line) -> Value {
    let (row, personal) = (&line.entry.row, &line.entry.personal);
    let given = |pairs: Vec<(&str, Option<Value>)>| {
        let pairs = pairs.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
        Value::Object(pairs.collect::<Map<_, _>>())
    };
    let actor = given(vec![
        ("type", Some(json!(row.actor_type))),
        ("id", row.actor_id.map(|id| json!(id))),
        ("name", line.who.name.as_ref().map(|name| json!(name))),
        ("erased", line.who.erased.then_some(Value::Bool(true))),
    ]);
    let target = given(vec![("type", Some(json!(row.target_type))), ("id", row.target_id.map(|id| json!(id)))]);
    given(vec![
        ("id", Some(json!(row.id))),
        ("occurred_at", Some(json!(time(row.occurred_at)))),
        ("event", Some(json!(row.event))),
        ("title", Some(json!(line.title()))),
        ("severity", Some(json!(row.severity))),
        ("class", Some(json!(row.class))),
        ("outcome", Some(json!(row.outcome))),
        ("actor", Some(actor)),
        ("target", Some(target)),
        ("ip", personal.address.as_ref().map(|address| json!(address))),
        ("user_agent", personal.user_agent.as_ref().map(|agent| json!(agent))),
        ("request_id", row.request_id.as_ref().map(|id| json!(id))),
        ("metadata", Some(Value::Object(line.details()))),
    ])
}
