//! The shapes of attributes and profiles on the wire.

use std::{borrow::Cow, collections::HashMap};

use chrono::{DateTime, Utc};
use entity::attributes as rows;
use poem_openapi::{
    Enum, Object,
    registry::{MetaSchema, MetaSchemaRef, Registry},
    types::{ParseError, ParseFromJSON, ParseResult, ToJSON, Type},
};
use serde_json::Value as Json;
use uuid::Uuid;

use crate::{
    api::wire::Change,
    tenancy::attributes::{self as domain, Value},
};

/// What the values of an attribute are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub enum AttributeType {
    /// A line of at most 500 characters.
    Text,
    /// A number with at most nine digits behind the point.
    Number,
    /// A day, such as `2026-01-31`.
    Date,
    /// True or false.
    Boolean,
    /// One of the options.
    Choice,
    /// An e-mail address.
    Email,
    /// A phone number with its country code (E.164), such as `+4930123456`.
    Phone,
    /// The address of a page, `https` or `http`.
    Url,
}

/// Who does something with the values of an attribute. Administrators always do, and auditors see what they see.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub enum AttributeAudience {
    /// Administrators.
    Admins,
    /// Managers and administrators.
    Managers,
    /// The member, and administrators.
    PersonAndAdmins,
    /// The member, managers and administrators.
    PersonAndManagers,
}

/// A field of the profiles of an organisation's members.
#[derive(Debug, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct Attribute {
    /// Its id.
    id: Uuid,
    /// The organisation.
    organization_id: Uuid,
    /// What clients call it; it never changes.
    key: String,
    /// What people call it.
    label: String,
    /// What it is for.
    description: Option<String>,
    /// What values are; it never changes.
    #[oai(rename = "type")]
    kind: AttributeType,
    /// What can be chosen; empty unless it is a choice.
    options: Vec<String>,
    /// Whether a profile is incomplete without it.
    required: bool,
    /// Who sees values.
    visible_to: AttributeAudience,
    /// Who changes values.
    editable_by: AttributeAudience,
    /// The scope that values are sealed in; absent when they lie in the database in clear.
    sealed_in: Option<String>,
    /// Whether members are found by their values, whole.
    searchable: bool,
    /// Its place among the others, from 0.
    position: i32,
    /// Since when it is archived, if it is.
    archived_at: Option<DateTime<Utc>>,
    /// When it was declared.
    created_at: DateTime<Utc>,
    /// When it was last changed.
    updated_at: DateTime<Utc>,
    /// Grows with every change of anything but its place, which others' moves change too.
    version: i32,
}

/// The profile attributes of an organisation.
#[derive(Debug, Object)]
pub struct Attributes {
    /// The attributes, in order.
    pub items: Vec<Attribute>,
    /// The scopes that values can be sealed in. Those that second factors and secrets are sealed in are not for
    /// attributes.
    pub scopes: Vec<String>,
    /// The most attributes of an organisation, archived ones included.
    pub most: usize,
}

/// A new profile attribute.
#[derive(Object)]
#[oai(deny_unknown_fields)]
pub struct CreateAttribute {
    /// What clients call it: a-z, 0-9 and _, beginning with a letter. It never changes.
    #[oai(validator(min_length = 1, max_length = 48, pattern = "^[a-z][a-z0-9_]*$"))]
    key: String,
    /// What people call it.
    #[oai(validator(min_length = 1, max_length = 100))]
    label: String,
    /// What it is for.
    #[oai(validator(min_length = 1, max_length = 500), skip_serializing_if_is_none)]
    description: Option<String>,
    /// What values are; it never changes.
    #[oai(rename = "type")]
    kind: AttributeType,
    /// What can be chosen, for a choice: 1 to 100 different texts of at most 100 characters.
    #[oai(validator(max_items = 100, max_length = 100), skip_serializing_if_is_none)]
    options: Option<Vec<String>>,
    /// Whether a profile is incomplete without it; it is not unless this says so.
    #[oai(skip_serializing_if_is_none)]
    required: Option<bool>,
    /// Who sees values.
    visible_to: AttributeAudience,
    /// Who changes values: nobody who does not see them.
    editable_by: AttributeAudience,
    /// The scope that values are sealed in; without one they lie in the database in clear.
    #[oai(validator(min_length = 1, max_length = 31), skip_serializing_if_is_none)]
    sealed_in: Option<String>,
    /// Whether members are found by their values, whole; they are not unless this says so. Not for a sealed choice or
    /// boolean.
    #[oai(skip_serializing_if_is_none)]
    searchable: Option<bool>,
}

/// What to change of a profile attribute.
#[derive(Object)]
#[oai(deny_unknown_fields)]
pub struct UpdateAttribute {
    /// A new label.
    #[oai(validator(min_length = 1, max_length = 100), skip_serializing_if_is_none)]
    label: Option<String>,
    /// A new description; null takes it away.
    #[oai(validator(min_length = 1, max_length = 500))]
    description: Change<String>,
    /// Other options. One that is taken away stays with whoever has it.
    #[oai(validator(min_items = 1, max_items = 100, max_length = 100), skip_serializing_if_is_none)]
    options: Option<Vec<String>>,
    /// Whether a profile is incomplete without it.
    #[oai(skip_serializing_if_is_none)]
    required: Option<bool>,
    /// Who sees values.
    #[oai(skip_serializing_if_is_none)]
    visible_to: Option<AttributeAudience>,
    /// Who changes values: nobody who does not see them.
    #[oai(skip_serializing_if_is_none)]
    editable_by: Option<AttributeAudience>,
    /// Another scope; null for values in clear. Not while there are values.
    #[oai(validator(min_length = 1, max_length = 31))]
    sealed_in: Change<String>,
    /// Whether members are found by their values. Not while there are values.
    #[oai(skip_serializing_if_is_none)]
    searchable: Option<bool>,
    /// Its place among the others, from 0; what is too large means the last.
    #[oai(validator(minimum(value = "0"), maximum(value = "1000")), skip_serializing_if_is_none)]
    position: Option<u32>,
    /// Whether it is put aside: in no profile, finding nobody, its values kept.
    #[oai(skip_serializing_if_is_none)]
    archived: Option<bool>,
}

/// One field of a member's profile.
#[derive(Debug, Object)]
#[oai(skip_serializing_if_is_none)]
struct ProfileField {
    /// The attribute.
    attribute_id: Uuid,
    /// What clients call it.
    key: String,
    /// What people call it.
    label: String,
    /// What it is for.
    description: Option<String>,
    /// What values are.
    #[oai(rename = "type")]
    kind: AttributeType,
    /// What can be chosen; empty unless it is a choice.
    options: Vec<String>,
    /// Whether a profile is incomplete without it.
    required: bool,
    /// The scope that the value is sealed in; absent when it is not.
    sealed_in: Option<String>,
    /// Whether the caller may change the value.
    editable: bool,
    /// Who may change it.
    editable_by: AttributeAudience,
    /// What it says of the member; absent when nothing was filled in.
    value: Option<AttributeValue>,
}

/// What an organisation's attributes say of a member, as far as the caller sees it.
#[derive(Debug, Object)]
pub struct MemberProfile {
    /// The membership.
    member_id: Uuid,
    /// The organisation.
    organization_id: Uuid,
    /// What the attributes say, by key. One that says nothing is left out.
    attributes: HashMap<String, AttributeValue>,
    /// The same with what a form needs to know of each field, in order.
    fields: Vec<ProfileField>,
    /// The keys of required attributes that say nothing. Nobody is kept out for that.
    missing: Vec<String>,
    /// Another number after every change of any value, seen or not.
    version: i32,
}

/// What to change of a profile.
#[derive(Object)]
#[oai(deny_unknown_fields)]
pub struct UpdateProfile {
    /// New values, by key; null takes one away. What is left out stays.
    #[oai(validator(max_properties = 50))]
    attributes: HashMap<String, WantedValue>,
}

/// A value: a text, a number or a boolean, as the attribute's type wants it.
#[derive(Debug)]
struct AttributeValue(Value);

/// The same, or null.
struct WantedValue(Option<Value>);

fn parse(value: Option<Json>) -> Option<Value> {
    match value? {
        Json::String(text) => Some(Value::Text(text)),
        Json::Number(number) => Some(Value::Number(number)),
        Json::Bool(value) => Some(Value::Boolean(value)),
        Json::Null | Json::Array(_) | Json::Object(_) => None,
    }
}

fn json(value: &Value) -> Json {
    match value {
        Value::Text(text) => Json::String(text.clone()),
        Value::Number(number) => Json::Number(number.clone()),
        Value::Boolean(value) => Json::Bool(*value),
    }
}

/// Bounds are the attribute's: what is wrong with a value is said in its own words.
fn schema(text: MetaSchema) -> MetaSchema {
    let types = [text, MetaSchema::new("number"), MetaSchema::new("boolean")];
    MetaSchema {
        one_of: types.into_iter().map(|schema| MetaSchemaRef::Inline(Box::new(schema))).collect(),
        ..MetaSchema::ANY
    }
}

macro_rules! value_types {
    ($($name:ident, $text:literal, $schema:expr;)*) => {$(
        impl Type for $name {
            const IS_REQUIRED: bool = true;
            type RawValueType = Self;
            type RawElementValueType = Self;

            fn name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn schema_ref() -> MetaSchemaRef {
                MetaSchemaRef::Reference(Self::name().into_owned())
            }

            fn register(registry: &mut Registry) {
                registry.create_schema::<Self, _>(Self::name().into_owned(), |_| MetaSchema {
                    description: Some($text),
                    ..$schema
                });
            }

            fn as_raw_value(&self) -> Option<&Self> {
                Some(self)
            }

            fn raw_element_iter<'a>(&'a self) -> Box<dyn Iterator<Item = &'a Self> + 'a> {
                Box::new(std::iter::once(self))
            }
        }
    )*};
}

value_types! {
    AttributeValue, "A text, a number or a boolean, as the attribute's type wants it.", schema(MetaSchema::new("string"));
    WantedValue, "A text, a number or a boolean, as the attribute's type wants it; null takes the value away.",
        // OpenAPI 3.0 has `nullable` only beside a type.
        schema(MetaSchema { nullable: true, ..MetaSchema::new("string") });
}

impl ParseFromJSON for AttributeValue {
    fn parse_from_json(value: Option<Json>) -> ParseResult<Self> {
        parse(value).map(Self).ok_or_else(|| ParseError::custom("must be a text, a number or a boolean"))
    }
}

impl ToJSON for AttributeValue {
    fn to_json(&self) -> Option<Json> {
        Some(json(&self.0))
    }
}

impl ParseFromJSON for WantedValue {
    fn parse_from_json(value: Option<Json>) -> ParseResult<Self> {
        match value {
            None | Some(Json::Null) => Ok(Self(None)),
            value => {
                AttributeValue::parse_from_json(value).map(|value| Self(Some(value.0))).map_err(ParseError::propagate)
            }
        }
    }
}

impl ToJSON for WantedValue {
    fn to_json(&self) -> Option<Json> {
        Some(self.0.as_ref().map_or(Json::Null, json))
    }
}

impl UpdateProfile {
    /// What is wanted.
    pub fn wanted(self) -> domain::Wanted {
        self.attributes.into_iter().map(|(key, value)| (key, value.0)).collect()
    }
}

impl UpdateAttribute {
    /// What is wanted of what the client read.
    pub fn changes(self, version: Option<i32>) -> domain::Changes {
        domain::Changes {
            label: self.label,
            description: self.description.wanted(),
            options: self.options,
            required: self.required,
            visible_to: self.visible_to.map(Into::into),
            editable_by: self.editable_by.map(Into::into),
            scope: self.sealed_in.wanted(),
            searchable: self.searchable,
            position: self.position.map(|place| usize::try_from(place).unwrap_or(usize::MAX)),
            archived: self.archived,
            version,
        }
    }
}

impl From<CreateAttribute> for domain::NewAttribute {
    fn from(new: CreateAttribute) -> Self {
        Self {
            key: new.key,
            label: new.label,
            description: new.description,
            kind: new.kind.into(),
            options: new.options.unwrap_or_default(),
            required: new.required.unwrap_or(false),
            visible_to: new.visible_to.into(),
            editable_by: new.editable_by.into(),
            scope: new.sealed_in,
            searchable: new.searchable.unwrap_or(false),
        }
    }
}

impl From<domain::Attribute> for Attribute {
    fn from(row: domain::Attribute) -> Self {
        Self {
            id: row.id.into(),
            organization_id: row.organization_id.into(),
            key: row.key,
            label: row.label,
            description: row.description,
            kind: row.kind.into(),
            options: row.options,
            required: row.required,
            visible_to: row.visible_to.into(),
            editable_by: row.editable_by.into(),
            sealed_in: row.scope,
            searchable: row.searchable,
            position: row.position,
            archived_at: row.archived_at,
            created_at: row.created_at,
            updated_at: row.updated_at,
            version: row.version,
        }
    }
}

impl From<domain::Field> for ProfileField {
    fn from(field: domain::Field) -> Self {
        let domain::Field { attribute, value, editable } = field;
        Self {
            attribute_id: attribute.id.into(),
            key: attribute.key,
            label: attribute.label,
            description: attribute.description,
            kind: attribute.kind.into(),
            options: attribute.options,
            required: attribute.required,
            sealed_in: attribute.scope,
            editable,
            editable_by: attribute.editable_by.into(),
            value: value.map(AttributeValue),
        }
    }
}

impl From<domain::Profile> for MemberProfile {
    fn from(profile: domain::Profile) -> Self {
        let named = |field: &domain::Field| Some((field.attribute.key.clone(), AttributeValue(field.value.clone()?)));
        let missing = profile.fields.iter().filter(|field| field.attribute.required && field.value.is_none());
        Self {
            member_id: profile.member.into(),
            organization_id: profile.organization.into(),
            attributes: profile.fields.iter().filter_map(named).collect(),
            missing: missing.map(|field| field.attribute.key.clone()).collect(),
            version: profile.version,
            fields: profile.fields.into_iter().map(Into::into).collect(),
        }
    }
}

macro_rules! same {
    ($wire:ident, $row:path, $($name:ident)*) => {
        impl From<$row> for $wire {
            fn from(row: $row) -> Self {
                match row { $(<$row>::$name => Self::$name,)* }
            }
        }

        impl From<$wire> for $row {
            fn from(wire: $wire) -> Self {
                match wire { $($wire::$name => Self::$name,)* }
            }
        }
    };
}

same!(AttributeType, rows::Kind, Text Number Date Boolean Choice Email Phone Url);
same!(AttributeAudience, rows::Audience, Admins Managers PersonAndAdmins PersonAndManagers);
