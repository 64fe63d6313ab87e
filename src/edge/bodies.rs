//! Bodies in the log, where somebody has turned that on to find a fault (NET-7). Never in production.
//!
//! What is written is the shape of a body with those of its values that say nothing of anybody: numbers, truth values, ids,
//! times and words of a fixed list, where the contract has one of these in that place and the value is one. Every other
//! text is written as how long it is, and a field that the contract does not know as how many there are. So no name,
//! address or secret gets there by a field that nobody has thought of. Of operations that are marked sensitive in the
//! registry nothing is written, nor of what is not JSON. Headers are not looked at.

use std::collections::HashMap;

use chrono::DateTime;
use poem::{Response, http::header};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::{
    authz::{Registry, YesNo},
    config::LogBodies,
};

/// The most bytes of a body that are written.
const MOST: usize = 2048;
/// The most items of a list that are written.
const ITEMS: usize = 20;
/// How deep schemas are followed. A circle of them ends here.
const DEPTH: usize = 12;

/// Which bodies are written, and what of them.
pub struct Bodies {
    wanted: LogBodies,
    operations: HashMap<String, Operation>,
}

struct Operation {
    request: Shown,
    answer: Shown,
}

/// What may be written of a value in some place.
#[derive(Debug)]
enum Shown {
    /// That it is there.
    Kind,
    Number,
    Truth,
    Id,
    Time,
    /// One of these.
    Word(Vec<String>),
    List(Box<Shown>),
    Object(HashMap<String, Shown>),
}

impl Bodies {
    /// Those of the contract's operations that the registry does not mark as sensitive.
    pub fn new(wanted: LogBodies, contract: &Value, registry: &Registry) -> Self {
        let mut operations = HashMap::new();
        if wanted != LogBodies::Off {
            tracing::warn!(bodies = wanted.as_str(), "the shapes of bodies are logged, for debugging");
            let components = contract.pointer("/components/schemas").unwrap_or(&Value::Null);
            let paths = contract.get("paths").and_then(Value::as_object);
            let items = paths.into_iter().flat_map(Map::values).filter_map(Value::as_object);
            for operation in items.flat_map(Map::values) {
                let id = operation.get("operationId").and_then(Value::as_str).unwrap_or_default();
                if registry.find(id).is_some_and(|(_, row)| row.sensitive == YesNo::No) {
                    operations.insert(id.to_owned(), Operation::of(operation, components));
                }
            }
        }
        Self { wanted, operations }
    }

    /// Writes the body of a request, before anybody has looked at it.
    pub fn request(&self, operation: &str, bytes: &[u8]) {
        let Some(known) = self.operations.get(operation).filter(|_| !bytes.is_empty()) else { return };
        write(operation, "request", &known.request, bytes);
    }

    /// Whether answers are written.
    pub fn has_answers(&self) -> bool {
        self.wanted == LogBodies::Both
    }

    /// Writes the body of an answer, and gives the answer back.
    pub async fn answer(&self, operation: &str, mut response: Response) -> Response {
        let known = self.operations.get(operation);
        let media_type = response.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let json = media_type.is_some_and(|media_type| media_type.starts_with("application/json"));
        if let Some(known) = known.filter(|_| json) {
            match response.take_body().into_bytes().await {
                Ok(bytes) => {
                    write(operation, "answer", &known.answer, &bytes);
                    response.set_body(bytes);
                }
                Err(error) => tracing::warn!(operation, %error, "an answer's body broke off while it was logged"),
            }
        }
        response
    }
}

fn write(operation: &str, of: &'static str, shown: &Shown, bytes: &[u8]) {
    let length = bytes.len();
    let body = match serde_json::from_slice::<Value>(bytes) {
        Ok(value) => cut(shown.of(&value).to_string()),
        Err(_) => "no JSON".to_owned(),
    };
    tracing::info!(operation, of, length, body, "body");
}

fn cut(mut text: String) -> String {
    if text.len() > MOST {
        let end = (0..=MOST).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
        text.truncate(end);
        text.push('…');
    }
    text
}

impl Operation {
    fn of(operation: &Value, components: &Value) -> Self {
        let schema = |place: Option<&Value>| {
            let content = place.and_then(|place| place.get("content")).and_then(Value::as_object);
            let json =
                content.and_then(|content| content.iter().find(|(name, _)| name.starts_with("application/json")));
            json.and_then(|(_, content)| content.get("schema"))
                .map_or(Shown::Kind, |schema| Shown::compile(schema, components, 0))
        };
        let answers = operation.get("responses").and_then(Value::as_object);
        let good = answers.and_then(|answers| answers.iter().find(|(status, _)| status.starts_with('2')));
        Self { request: schema(operation.get("requestBody")), answer: schema(good.map(|(_, answer)| answer)) }
    }
}

impl Shown {
    fn compile(schema: &Value, components: &Value, depth: usize) -> Self {
        if depth > DEPTH {
            return Self::Kind;
        }
        let inner = |schema: &Value| Self::compile(schema, components, depth + 1);
        let reference = schema.get("$ref").and_then(Value::as_str).and_then(|reference| reference.rsplit('/').next());
        if let Some(component) = reference.and_then(|name| components.get(name)) {
            return inner(component);
        }
        // A wrapper around one schema, as around a nullable one; of several it is not known which it is.
        for key in ["allOf", "anyOf", "oneOf"] {
            if let Some([only]) = schema.get(key).and_then(Value::as_array).map(Vec::as_slice) {
                return inner(only);
            }
        }
        let text = |key: &str| schema.get(key).and_then(Value::as_str);
        let words = schema.get("enum").and_then(Value::as_array);
        match (text("type"), text("format"), words) {
            (Some("integer" | "number"), ..) => Self::Number,
            (Some("boolean"), ..) => Self::Truth,
            (Some("string"), _, Some(words)) => {
                Self::Word(words.iter().filter_map(Value::as_str).map(str::to_owned).collect())
            }
            (Some("string"), Some("uuid"), _) => Self::Id,
            (Some("string"), Some("date-time"), _) => Self::Time,
            (Some("array"), ..) => schema.get("items").map_or(Self::Kind, |items| Self::List(Box::new(inner(items)))),
            _ => match schema.get("properties").and_then(Value::as_object) {
                Some(fields) => Self::Object(fields.iter().map(|(name, field)| (name.clone(), inner(field))).collect()),
                None => Self::Kind,
            },
        }
    }

    /// What is written of a value. What is not what it should be in its place is not shown.
    fn of(&self, value: &Value) -> Value {
        match (self, value) {
            (_, Value::Null) => Value::Null,
            (Self::Number, Value::Number(_)) | (Self::Truth, Value::Bool(_)) => value.clone(),
            (Self::Id, Value::String(text)) if Uuid::parse_str(text).is_ok() => value.clone(),
            (Self::Time, Value::String(text)) if DateTime::parse_from_rfc3339(text).is_ok() => value.clone(),
            (Self::Word(words), Value::String(text)) if words.contains(text) => value.clone(),
            (Self::List(inner), Value::Array(items)) => {
                let mut shown: Vec<_> = items.iter().take(ITEMS).map(|item| inner.of(item)).collect();
                if items.len() > ITEMS {
                    shown.push(format!("<{} more>", items.len() - ITEMS).into());
                }
                Value::Array(shown)
            }
            (Self::Object(known), Value::Object(fields)) => {
                let shown = fields.iter().filter_map(|(name, field)| Some((name.clone(), known.get(name)?.of(field))));
                let mut shown: Map<_, _> = shown.collect();
                if shown.len() < fields.len() {
                    shown.insert("<unknown>".to_owned(), (fields.len() - shown.len()).into());
                }
                Value::Object(shown)
            }
            (_, Value::String(text)) => format!("<text, {} characters>", text.chars().count()).into(),
            (_, Value::Number(_)) => "<number>".into(),
            (_, Value::Bool(_)) => "<truth value>".into(),
            (_, Value::Array(items)) => format!("<list of {}>", items.len()).into(),
            (_, Value::Object(fields)) => format!("<object of {}>", fields.len()).into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn shown(schema: &Value, value: &Value) -> Value {
        let components =
            json!({"Inner": {"type": "object", "properties": {"at": {"type": "string", "format": "date-time"}}}});
        Shown::compile(schema, &components, 0).of(value)
    }

    /// Proves NET-7.
    #[test]
    fn only_what_says_nothing_of_anybody_is_shown() {
        let schema = json!({"type": "object", "properties": {
            "name": {"type": "string"}, "id": {"type": "string", "format": "uuid"}, "count": {"type": "integer"},
            "state": {"type": "string", "enum": ["active"]}, "inner": {"allOf": [{"$ref": "#/components/schemas/Inner"}]},
            "free": {}, "many": {"type": "array", "items": {"type": "integer"}},
        }});
        let id = "01a1fc64-cfa6-7344-8b59-055e68e640cc";
        let value = json!({
            "name": "Ada", "id": id, "count": 7, "state": "active", "inner": {"at": "2026-01-01T00:00:00Z"},
            "free": {"salary": 4711}, "many": [1, "two"], "ada@example.com": true,
        });
        let expected = json!({
            "name": "<text, 3 characters>", "id": id, "count": 7, "state": "active",
            "inner": {"at": "2026-01-01T00:00:00Z"}, "free": "<object of 1>", "many": [1, "<text, 3 characters>"],
            "<unknown>": 1,
        });
        assert_eq!(shown(&schema, &value), expected);
        // What is in the wrong place is not shown either.
        let wrong =
            json!({"id": "secret", "state": "secret", "count": "secret", "inner": {"at": "secret"}, "many": {"a": 1}});
        assert!(!shown(&schema, &wrong).to_string().contains("secret"));
        assert_eq!(shown(&schema, &json!("secret")), "<text, 6 characters>");
    }

    /// Proves NET-7.
    #[test]
    fn what_is_written_is_bounded() {
        let many = shown(&json!({"type": "array", "items": {"type": "integer"}}), &json!(vec![1; 1000]));
        assert_eq!(many.as_array().unwrap().len(), ITEMS + 1);
        assert!(cut("ä".repeat(5000)).len() <= MOST + '…'.len_utf8());
        let circle = json!({"$ref": "#/components/schemas/Circle"});
        let components = json!({"Circle": {"type": "array", "items": circle}});
        assert!(matches!(Shown::compile(&circle, &components, 0), Shown::List(_)));
    }
}
