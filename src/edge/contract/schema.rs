//! From a schema of the contract to a checker of values.
//!
//! The contract is OpenAPI 3.0 as poem-openapi writes it: objects are open there, `nullable` and the exclusive bounds
//! are not JSON Schema, and integer formats have no bounds. Before compiling, each schema is made to say all of that
//! in JSON Schema 2020-12.

use std::{collections::BTreeSet, fmt};

use jsonschema::{Draft, Validator};
use serde_json::{Map, Value, json};

use super::faults;
use crate::{error::Fault, types::Email};

/// Where component schemas are, in the contract and in what is compiled.
const COMPONENT: &str = "#/components/schemas/";

/// Fields longer than this many characters hold text of several lines: they may have line breaks and tabs.
const SINGLE_LINE: u64 = 500;

/// A compiled schema.
pub(super) struct Shape {
    validator: Validator,
    /// The schema in its closed form, with the components it refers to.
    schema: Value,
}

impl fmt::Debug for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.schema.fmt(f)
    }
}

impl Shape {
    /// Compiles a schema of the contract.
    pub(super) fn compile(schema: &Value, components: &Value) -> Result<Self, String> {
        let schema = with_components(schema, components)?;
        let validator = jsonschema::options()
            .with_draft(Draft::Draft202012)
            .should_validate_formats(true)
            .with_format("email", |text: &str| text.parse::<Email>().is_ok())
            .build(&schema)
            .map_err(|fault| fault.to_string())?;
        Ok(Self { validator, schema })
    }

    /// Everything that is wrong with a value.
    pub(super) fn faults(&self, value: &Value) -> Vec<Fault> {
        let mut found = Vec::new();
        for error in self.validator.iter_errors(value).take(super::MOST_FAULTS) {
            faults::of_schema(&error, &mut found);
        }
        // A number can't be one of the words either; saying its type is enough.
        let mistyped: Vec<_> =
            found.iter().filter(|fault| fault.code == "type").map(|fault| fault.place.clone()).collect();
        found.retain(|fault| fault.code != "choice" || !mistyped.contains(&fault.place));
        self.text(value, Some(&self.schema), &mut String::new(), &mut found);
        found
    }

    /// Finds control characters, in fields and in their names.
    fn text(&self, value: &Value, schema: Option<&Value>, pointer: &mut String, found: &mut Vec<Fault>) {
        if found.len() >= super::MOST_FAULTS {
            return;
        }
        let length = pointer.len();
        let schema = schema.map(|schema| self.resolve(schema));
        match value {
            Value::String(text) if has_forbidden(text, schema) => {
                found.push(Fault::body(faults::shorten(pointer), "control_character", faults::CONTROL_CHARACTER));
            }
            Value::Array(items) => {
                let schema = schema.and_then(|schema| schema.get("items"));
                for (place, item) in items.iter().enumerate() {
                    faults::push_segment(pointer, &place.to_string());
                    self.text(item, schema, pointer, found);
                    pointer.truncate(length);
                }
            }
            Value::Object(fields) => {
                for (name, field) in fields {
                    faults::push_segment(pointer, name);
                    if name.chars().any(char::is_control) {
                        let detail = "the field's name has control characters";
                        found.push(Fault::body(faults::shorten(pointer), "control_character", detail));
                    }
                    self.text(field, schema.and_then(|schema| field_schema(schema, name)), pointer, found);
                    pointer.truncate(length);
                }
            }
            _ => {}
        }
    }

    /// Follows a schema to where it says something: through references and through a wrapper around one.
    fn resolve<'a>(&'a self, schema: &'a Value) -> &'a Value {
        let mut schema = schema;
        // A chain of references is short; a circle of them ends here.
        for _ in 0..8 {
            let wrapped = ["allOf", "anyOf"].iter().find_map(|key| schema.get(*key)?.get(0));
            let reference = schema.get("$ref").and_then(Value::as_str);
            let target = reference.and_then(|reference| self.schema.pointer(reference.trim_start_matches('#')));
            match target.or(wrapped) {
                Some(next) => schema = next,
                None => break,
            }
        }
        schema
    }
}

fn field_schema<'a>(schema: &'a Value, name: &str) -> Option<&'a Value> {
    schema.get("properties").and_then(|fields| fields.get(name)).or_else(|| schema.get("additionalProperties"))
}

/// NUL and the other control characters are never text; a line break or tab is where several lines are meant.
fn has_forbidden(text: &str, schema: Option<&Value>) -> bool {
    let longest = schema.and_then(|schema| schema.get("maxLength")).and_then(Value::as_u64).unwrap_or(0);
    let several_lines = longest > SINGLE_LINE;
    text.chars().any(|c| c.is_control() && !(several_lines && matches!(c, '\n' | '\r' | '\t')))
}

/// The schema as a document of its own: closed, with the closed components that it needs.
fn with_components(schema: &Value, components: &Value) -> Result<Value, String> {
    let mut root = schema.clone();
    let mut wanted = BTreeSet::new();
    close(&mut root, components)?;
    references(&root, &mut wanted);
    let mut needed = Map::new();
    while let Some(name) = wanted.pop_first() {
        let mut component = components.get(&name).cloned().ok_or_else(|| format!("schema {name} does not exist"))?;
        close(&mut component, components).map_err(|fault| format!("{name}: {fault}"))?;
        let mut found = BTreeSet::new();
        references(&component, &mut found);
        needed.insert(name, component);
        wanted.extend(found.into_iter().filter(|name| !needed.contains_key(name)));
    }
    if let Some(root) = root.as_object_mut() {
        root.insert("components".to_owned(), json!({ "schemas": needed }));
    }
    Ok(root)
}

fn references(schema: &Value, found: &mut BTreeSet<String>) {
    match schema {
        Value::Object(fields) => {
            if let Some(name) = fields.get("$ref").and_then(Value::as_str).and_then(|r| r.strip_prefix(COMPONENT)) {
                found.insert(name.to_owned());
            }
            fields.values().for_each(|field| references(field, found));
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        _ => {}
    }
}

/// Makes one schema, and those inside it, say what OpenAPI 3.0 means or leaves open.
fn close(schema: &mut Value, components: &Value) -> Result<(), String> {
    let Some(fields) = schema.as_object_mut() else { return Ok(()) };
    for key in ["properties", "patternProperties"] {
        let inner = fields.get_mut(key).and_then(Value::as_object_mut).into_iter().flat_map(Map::values_mut);
        inner.into_iter().try_for_each(|inner| close(inner, components))?;
    }
    for key in ["items", "additionalProperties", "not"] {
        fields.get_mut(key).map(|inner| close(inner, components)).transpose()?;
    }
    for key in ["allOf", "anyOf", "oneOf"] {
        let inner = fields.get_mut(key).and_then(Value::as_array_mut);
        inner.into_iter().flatten().try_for_each(|inner| close(inner, components))?;
    }
    let parts = fields.get("allOf").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    if parts.iter().filter(|part| has_fields(part, components)).count() > 1 {
        return Err("several objects merged by allOf can't be closed against unknown fields".to_owned());
    }
    if fields.contains_key("properties") {
        fields.entry("additionalProperties").or_insert(Value::Bool(false));
    }
    // Words that mean something else in JSON Schema, or nothing.
    fields.remove("discriminator");
    fields.remove("example");
    exclusive(fields, "exclusiveMinimum", "minimum");
    exclusive(fields, "exclusiveMaximum", "maximum");
    bound(fields);
    if fields.remove("nullable") == Some(Value::Bool(true)) && !also_null(fields) {
        let inner = std::mem::take(fields);
        fields.insert("anyOf".to_owned(), json!([inner, { "type": "null" }]));
    }
    Ok(())
}

/// Adds null to a plain type, so that a fault of another value is still told by its own keyword.
fn also_null(fields: &mut Map<String, Value>) -> bool {
    let plain = !["enum", "allOf", "anyOf", "oneOf", "not"].iter().any(|key| fields.contains_key(*key));
    match fields.get("type").cloned() {
        Some(kind @ Value::String(_)) if plain => {
            fields.insert("type".to_owned(), json!([kind, "null"]));
            true
        }
        _ => false,
    }
}

fn has_fields(schema: &Value, components: &Value) -> bool {
    let reference = schema.get("$ref").and_then(Value::as_str).and_then(|r| r.strip_prefix(COMPONENT));
    let target = reference.and_then(|name| components.get(name)).unwrap_or(schema);
    target.get("properties").is_some()
}

/// OpenAPI 3.0 marks a bound as exclusive with a flag; JSON Schema has the bound itself in that place.
fn exclusive(fields: &mut Map<String, Value>, flag: &str, limit: &str) {
    if let Some(Value::Bool(exclusive)) = fields.get(flag).cloned() {
        fields.remove(flag);
        if let Some(limit) = exclusive.then(|| fields.remove(limit)).flatten() {
            fields.insert(flag.to_owned(), limit);
        }
    }
}

/// The integer formats of poem-openapi, as the bounds that they mean.
fn bound(fields: &mut Map<String, Value>) {
    let (least, most): (Value, Value) = match fields.get("format").and_then(Value::as_str) {
        Some("int8") => (i8::MIN.into(), i8::MAX.into()),
        Some("int16") => (i16::MIN.into(), i16::MAX.into()),
        Some("int32") => (i32::MIN.into(), i32::MAX.into()),
        Some("int64") => (i64::MIN.into(), i64::MAX.into()),
        Some("uint8") => (0.into(), u8::MAX.into()),
        Some("uint16") => (0.into(), u16::MAX.into()),
        Some("uint32") => (0.into(), u32::MAX.into()),
        Some("uint64") => (0.into(), u64::MAX.into()),
        _ => return,
    };
    if !fields.contains_key("exclusiveMinimum") {
        fields.entry("minimum").or_insert(least);
    }
    if !fields.contains_key("exclusiveMaximum") {
        fields.entry("maximum").or_insert(most);
    }
}
