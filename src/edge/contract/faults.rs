//! The words for what is wrong with a value: short, for people, and never repeating the value, which may be a password.

use jsonschema::{
    ValidationError,
    error::{TypeKind, ValidationErrorKind as Kind},
};
use serde_json::Value;

use crate::error::Fault;

/// What is said of text with control characters.
pub(super) const CONTROL_CHARACTER: &str = "must not have control characters";

/// How much of a pointer is repeated, in characters: a field's name is the client's and may be a megabyte long.
const LONGEST_POINTER: usize = 200;

/// Adds the faults that one failed keyword of the schema stands for.
pub(super) fn of_schema(error: &ValidationError<'_>, found: &mut Vec<Fault>) {
    let pointer = error.instance_path().as_str();
    match error.kind() {
        Kind::AdditionalProperties { unexpected } | Kind::UnevaluatedProperties { unexpected } => {
            let names = unexpected.iter().take(super::MOST_FAULTS);
            found.extend(names.map(|name| {
                Fault::body(shorten(&inside(pointer, name)), "unknown_field", "is not a field of this request")
            }));
        }
        Kind::Required { property } => {
            let pointer = inside(pointer, property.as_str().unwrap_or_default());
            found.push(Fault::body(shorten(&pointer), "required", "is required"));
        }
        kind => {
            let (code, detail) = describe(kind);
            found.push(Fault::body(shorten(pointer), code, detail));
        }
    }
}

/// The code and the words for a fault of one value, wherever it stands.
pub(super) fn describe(kind: &Kind) -> (&'static str, String) {
    match kind {
        Kind::Type { kind } => ("type", type_words(kind)),
        Kind::Format { format } => ("format", format_words(format).to_owned()),
        Kind::Pattern { .. } => ("format", "does not have the expected form".to_owned()),
        Kind::MinLength { limit: 1 } => ("length", "must not be empty".to_owned()),
        Kind::MinLength { limit } => ("length", format!("must have at least {limit} characters")),
        Kind::MaxLength { limit } => ("length", format!("must have at most {limit} characters")),
        Kind::MinItems { limit } => ("length", format!("must have at least {limit} entries")),
        Kind::MaxItems { limit } => ("length", format!("must have at most {limit} entries")),
        Kind::MinProperties { limit } => ("length", format!("must have at least {limit} fields")),
        Kind::MaxProperties { limit } => ("length", format!("must have at most {limit} fields")),
        Kind::Minimum { limit } => ("range", format!("must be at least {limit}")),
        Kind::Maximum { limit } => ("range", format!("must be at most {limit}")),
        Kind::ExclusiveMinimum { limit } => ("range", format!("must be more than {limit}")),
        Kind::ExclusiveMaximum { limit } => ("range", format!("must be less than {limit}")),
        Kind::MultipleOf { multiple_of } => ("range", format!("must be a multiple of {multiple_of}")),
        Kind::Enum { options } => ("choice", format!("must be one of {}", list(options))),
        Kind::UniqueItems => ("unique", "must not have the same entry twice".to_owned()),
        _ => ("invalid", "does not have the expected form".to_owned()),
    }
}

fn type_words(kind: &TypeKind) -> String {
    let words: Vec<_> = match kind {
        TypeKind::Single(kind) => vec![kind.as_str()],
        TypeKind::Multiple(kinds) => kinds.into_iter().map(jsonschema::JsonType::as_str).collect(),
    };
    let words = words.into_iter().map(|word| match word {
        "null" => "null".to_owned(),
        "array" | "integer" | "object" => format!("an {word}"),
        _ => format!("a {word}"),
    });
    format!("must be {}", words.collect::<Vec<_>>().join(" or "))
}

fn format_words(format: &str) -> &'static str {
    match format {
        "uuid" => "must be a UUID",
        "email" => "must be an e-mail address such as name@example.com",
        "date-time" => "must be a time such as 2026-01-31T12:00:00Z",
        "date" => "must be a date such as 2026-01-31",
        "uri" | "url" => "must be a URL",
        "ipv4" | "ipv6" => "must be an IP address",
        _ => "does not have the expected form",
    }
}

/// The choices that the contract offers.
fn list(options: &Value) -> String {
    let options = options.as_array().map(Vec::as_slice).unwrap_or_default();
    let words = options.iter().map(|option| option.as_str().map_or_else(|| option.to_string(), str::to_owned));
    words.collect::<Vec<_>>().join(", ")
}

fn inside(pointer: &str, name: &str) -> String {
    let mut pointer = pointer.to_owned();
    push_segment(&mut pointer, name);
    pointer
}

/// Goes one step deeper: RFC 6901, section 3.
pub(super) fn push_segment(pointer: &mut String, name: &str) {
    pointer.push('/');
    pointer.push_str(&name.replace('~', "~0").replace('/', "~1"));
}

/// A pointer that is fit to be sent back.
pub(super) fn shorten(pointer: &str) -> String {
    pointer.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).take(LONGEST_POINTER).collect()
}
