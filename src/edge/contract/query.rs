//! Query parameters held against the contract: none that it does not know, each once, each of its type.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use super::schema::Shape;
use crate::error::Fault;

/// How much of an unknown parameter's name is repeated, in characters.
const LONGEST_NAME: usize = 64;

/// One query parameter of an operation.
#[derive(Debug)]
pub(super) struct Parameter {
    required: bool,
    kind: ParameterKind,
    shape: Shape,
}

/// How the text of a parameter is read.
#[derive(Clone, Copy, Debug)]
enum ParameterKind {
    Integer,
    Number,
    Boolean,
    Text,
}

impl Parameter {
    /// Compiles a parameter object of the contract.
    pub(super) fn compile(parameter: &Value, components: &Value) -> Result<Self, String> {
        let required = parameter.get("required").and_then(Value::as_bool).unwrap_or(false);
        let schema = parameter.get("schema").ok_or("has no schema")?;
        let kind = match schema.get("type").and_then(Value::as_str) {
            Some("integer") => ParameterKind::Integer,
            Some("number") => ParameterKind::Number,
            Some("boolean") => ParameterKind::Boolean,
            // A reference is to an enumeration: those are the only components that are no objects.
            Some("string") | None => ParameterKind::Text,
            Some(other) => return Err(format!("query parameters of type {other} can't be checked")),
        };
        Ok(Self { required, kind, shape: Shape::compile(schema, components)? })
    }

    fn faults(&self, name: &str, text: &str) -> Vec<Fault> {
        let value = match self.kind {
            ParameterKind::Integer => integer(text),
            ParameterKind::Number => text.parse::<f64>().ok().filter(|number| number.is_finite()).map(Value::from),
            ParameterKind::Boolean => text.parse::<bool>().ok().map(Value::from),
            ParameterKind::Text => Some(Value::from(text)),
        };
        let Some(value) = value else {
            let detail = match self.kind {
                ParameterKind::Integer => "must be an integer",
                ParameterKind::Number => "must be a number",
                ParameterKind::Boolean => "must be true or false",
                ParameterKind::Text => "must be text",
            };
            return vec![Fault::parameter(name, "type", detail)];
        };
        let found = self.shape.faults(&value).into_iter();
        found.map(|fault| Fault::parameter(name, fault.code, fault.detail)).collect()
    }
}

/// Digits with at most a minus; `+5` and ` 5` are somebody's typing mistake.
fn integer(text: &str) -> Option<Value> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    text.parse::<i64>().map(Value::from).or_else(|_| text.parse::<u64>().map(Value::from)).ok()
}

/// Everything that is wrong with a query string.
pub(super) fn check(parameters: &HashMap<String, Parameter>, query: &str) -> Vec<Fault> {
    let mut found = Vec::new();
    let mut seen = HashSet::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        if found.len() >= super::MOST_FAULTS {
            return found;
        }
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let name = decode(name).unwrap_or_else(|| name.to_owned());
        let Some(parameter) = parameters.get(&name) else {
            found.push(Fault::parameter(fit(&name), "unknown_parameter", "is not a parameter of this operation"));
            continue;
        };
        match decode(value) {
            None => found.push(Fault::parameter(&name, "format", "must be UTF-8, percent-encoded")),
            Some(_) if seen.contains(&name) => {
                found.push(Fault::parameter(&name, "repeated", "must be there only once"));
            }
            Some(value) => found.extend(parameter.faults(&name, &value)),
        }
        seen.insert(name);
    }
    let mut missing: Vec<_> = parameters.iter().filter(|(name, one)| one.required && !seen.contains(*name)).collect();
    missing.sort_by_key(|(name, _)| *name);
    found.extend(missing.into_iter().map(|(name, _)| Fault::parameter(name, "required", "is required")));
    found
}

/// A name that is fit to be sent back.
fn fit(name: &str) -> String {
    name.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).take(LONGEST_NAME).collect()
}

/// Undoes the percent-encoding of a query (application/x-www-form-urlencoded); `None` when it is broken.
fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => hex(rest.next()?)? << 4 | hex(rest.next()?)?,
            other => other,
        });
    }
    String::from_utf8(bytes).ok()
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}
