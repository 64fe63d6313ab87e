//! The contract at work: every request is held against `openapi.json` before its operation sees it (NET-9).
//!
//! poem-openapi stops at the first fault, ignores unknown query parameters and lets control characters through. This
//! module compiles the contract once, at start-up, and names every fault of a request with the place it is at. It
//! knows shapes only; what a value means is the domain's business.

mod faults;
mod json;
mod query;
mod schema;

use std::collections::HashMap;

use serde_json::Value;

use self::{query::Parameter, schema::Shape};
use crate::error::{Code, Error, Fault, Result};

/// How many faults an answer lists. A body of a megabyte could hold a hundred thousand.
const MOST_FAULTS: usize = 50;

/// The compiled contract.
#[derive(Debug)]
pub struct Contract {
    operations: HashMap<String, Operation>,
}

/// What one operation takes.
#[derive(Debug)]
struct Operation {
    parameters: HashMap<String, Parameter>,
    body: Option<Body>,
}

#[derive(Debug)]
struct Body {
    required: bool,
    form: Form,
    shape: Shape,
}

/// How a body is written.
#[derive(Debug)]
enum Form {
    Json,
    /// Pairs of texts as HTML forms send them, where a standard asks for that; the names that the operation knows.
    /// Others are ignored (RFC 6749, 3.2).
    Pairs(Vec<String>),
}

/// The body of a request, read whole.
#[derive(Clone, Copy, Debug)]
pub struct Content<'a> {
    /// The `Content-Type` header.
    pub media_type: Option<&'a str>,
    /// The bytes.
    pub bytes: &'a [u8],
}

impl Contract {
    /// Compiles the contract.
    ///
    /// # Errors
    /// A sentence that names the operation whose schema can't be enforced; the server must not start then.
    pub fn compile(spec: &Value) -> Result<Self, String> {
        let components = spec.pointer("/components/schemas").unwrap_or(&Value::Null);
        let mut operations = HashMap::new();
        let paths = spec.get("paths").and_then(Value::as_object).ok_or("the contract has no paths")?;
        for item in paths.values().filter_map(Value::as_object) {
            for operation in item.values() {
                let Some(id) = operation.get("operationId").and_then(Value::as_str) else { continue };
                let compiled = Operation::compile(operation, components).map_err(|fault| format!("{id}: {fault}"))?;
                operations.insert(id.to_owned(), compiled);
            }
        }
        Ok(Self { operations })
    }

    /// Holds a request against what its operation takes. `query` is the raw part after the question mark.
    ///
    /// # Errors
    /// `Malformed` for what is not JSON, `Transport` for another media type, otherwise `Invalid` with every fault.
    pub fn check(&self, operation_id: &str, query: Option<&str>, content: Content<'_>) -> Result<()> {
        let missing = || Error::internal(format!("{operation_id} is not in the contract"));
        let operation = self.operations.get(operation_id).ok_or_else(missing)?;
        let body = operation.parse(content)?;
        let mut found = query::check(&operation.parameters, query.unwrap_or_default());
        match (&operation.body, &body) {
            (Some(expected), Some(value)) => found.extend(expected.shape.faults(value)),
            (Some(expected), None) if expected.required => {
                found.push(Fault::body("", "required", "a body is required"));
            }
            (None, Some(_)) => found.push(Fault::body("", "unexpected_body", "this operation takes no body")),
            (Some(_) | None, None) => {}
        }
        found.truncate(MOST_FAULTS);
        if found.is_empty() { Ok(()) } else { Err(Error::Invalid(found)) }
    }
}

impl Operation {
    fn compile(operation: &Value, components: &Value) -> Result<Self, String> {
        let list = operation.get("parameters").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let mut parameters = HashMap::new();
        for parameter in list.iter().filter(|parameter| parameter.get("in").and_then(Value::as_str) == Some("query")) {
            let name = parameter.get("name").and_then(Value::as_str).ok_or("a parameter has no name")?;
            let compiled = Parameter::compile(parameter, components).map_err(|fault| format!("{name}: {fault}"))?;
            parameters.insert(name.to_owned(), compiled);
        }
        let body = operation.get("requestBody").map(|body| Body::compile(body, components)).transpose()?;
        Ok(Self { parameters, body })
    }

    /// The body as JSON; `None` when there is none.
    fn parse(&self, content: Content<'_>) -> Result<Option<Value>> {
        if content.bytes.is_empty() {
            return Ok(None);
        }
        match self.body.as_ref().map(|body| &body.form) {
            // Whatever it is, it is refused; nothing of it needs to be understood.
            None => Ok(Some(Value::Null)),
            Some(Form::Json) if content.media_type.is_some_and(is_json) => json::parse(content.bytes).map(Some),
            Some(Form::Pairs(names)) if content.media_type.is_some_and(is_form) => {
                pairs(content.bytes, names).map(Some)
            }
            Some(_) => Err(Error::Transport(Code::UnsupportedMediaType)),
        }
    }
}

impl Body {
    fn compile(body: &Value, components: &Value) -> Result<Self, String> {
        let content = body.get("content").and_then(Value::as_object).ok_or("the request body has no content")?;
        let [(media_type, content)] = content.iter().collect::<Vec<_>>()[..] else {
            return Err("the request body must have exactly one media type".to_owned());
        };
        let schema = content.get("schema").ok_or("the request body has no schema")?;
        let form = match media_type.as_str() {
            media_type if is_json(media_type) => Form::Json,
            media_type if is_form(media_type) => Form::Pairs(names_of(schema, components)),
            _ => return Err(format!("request bodies of type {media_type} can't be checked")),
        };
        let required = body.get("required").and_then(Value::as_bool).unwrap_or(false);
        Ok(Self { required, form, shape: Shape::compile(schema, components)? })
    }
}

/// The names of an object's properties.
fn names_of(schema: &Value, components: &Value) -> Vec<String> {
    let reference = schema.get("$ref").and_then(Value::as_str).and_then(|reference| reference.rsplit('/').next());
    let object = reference.and_then(|name| components.get(name)).unwrap_or(schema);
    let properties = object.get("properties").and_then(Value::as_object);
    properties.map(|properties| properties.keys().cloned().collect()).unwrap_or_default()
}

/// The pairs of a form with these names, each once (RFC 6749, 3.2), as an object.
fn pairs(bytes: &[u8], names: &[String]) -> Result<Value> {
    let mut object = serde_json::Map::new();
    for (name, value) in url::form_urlencoded::parse(bytes).filter(|(name, _)| names.iter().any(|known| known == name))
    {
        if object.insert(name.into_owned(), Value::from(value)).is_some() {
            return Err(Error::Malformed("a parameter is there twice".to_owned()));
        }
    }
    Ok(Value::Object(object))
}

/// Whether a media type is that of HTML forms.
fn is_form(media_type: &str) -> bool {
    let essence = media_type.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/x-www-form-urlencoded")
}

/// Whether a media type is JSON in UTF-8, the only encoding JSON has (RFC 8259, section 8.1).
fn is_json(media_type: &str) -> bool {
    let mut parts = media_type.split(';').map(str::trim);
    let essence = parts.next().is_some_and(|essence| essence.eq_ignore_ascii_case("application/json"));
    let is_utf8 = |charset: &str| charset.trim_matches('"').eq_ignore_ascii_case("utf-8");
    essence
        && parts.all(|parameter| match parameter.split_once('=') {
            Some((name, value)) if name.eq_ignore_ascii_case("charset") => is_utf8(value),
            _ => true,
        })
}

#[cfg(test)]
mod tests;
