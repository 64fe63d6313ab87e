//! An e-mail address on the wire. It is what the contract's `format: email` says and what [`types::Email`] reads; the
//! library's own type of that name knows no decomposed letters, and would refuse what the contract lets pass.

use std::borrow::Cow;

use poem_openapi::{
    registry::{MetaSchema, MetaSchemaRef},
    types::{ParseError, ParseFromJSON, ParseResult, ToJSON, Type},
};
use serde_json::Value;

use crate::types;

/// An address as it was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Email(pub String);

impl Type for Email {
    const IS_REQUIRED: bool = true;

    type RawValueType = Self;

    type RawElementValueType = Self;

    fn name() -> Cow<'static, str> {
        "string_email".into()
    }

    fn schema_ref() -> MetaSchemaRef {
        MetaSchemaRef::Inline(Box::new(MetaSchema::new_with_format("string", "email")))
    }

    fn as_raw_value(&self) -> Option<&Self> {
        Some(self)
    }

    fn raw_element_iter<'a>(&'a self) -> Box<dyn Iterator<Item = &'a Self> + 'a> {
        Box::new(std::iter::once(self))
    }
}

impl ParseFromJSON for Email {
    fn parse_from_json(value: Option<Value>) -> ParseResult<Self> {
        match value.unwrap_or_default() {
            Value::String(text) if text.parse::<types::Email>().is_ok() => Ok(Self(text)),
            Value::String(_) => Err(ParseError::custom("invalid email")),
            other => Err(ParseError::expected_type(other)),
        }
    }
}

impl ToJSON for Email {
    fn to_json(&self) -> Option<Value> {
        Some(Value::String(self.0.clone()))
    }
}
