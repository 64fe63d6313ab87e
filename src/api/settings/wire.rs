//! The shapes of settings on the wire, made of the list of sections: what a client wants, and how each field stands.

use std::{borrow::Cow, fmt, marker::PhantomData};

use poem_openapi::{
    Enum, Object,
    registry::{MetaSchema, MetaSchemaRef, Registry},
    types::{ParseError, ParseFromJSON, ParseResult, ToJSON, Type},
};
use serde_json::{Map, Value};

use crate::settings::{self, Field, Kind, MOST_DOMAINS, Outline, Reach, SECTIONS, Standing};

/// Which sections a shape has.
pub trait Reached: Send + Sync + 'static {
    /// What the names of its schemas begin with.
    const PREFIX: &'static str;
    /// Whether it has this section.
    fn has(section: &Outline) -> bool;
}

/// All sections.
#[derive(Debug)]
pub struct ForPlatform;

/// Those that an organisation sets for itself.
#[derive(Debug)]
pub struct ForOrganizations;

impl Reached for ForPlatform {
    const PREFIX: &'static str = "Platform";

    fn has(_: &Outline) -> bool {
        true
    }
}

impl Reached for ForOrganizations {
    const PREFIX: &'static str = "Organization";

    fn has(section: &Outline) -> bool {
        section.reach == Reach::Organizations
    }
}

fn sections<R: Reached>() -> impl Iterator<Item = &'static Outline> {
    SECTIONS.iter().filter(|section| R::has(section))
}

/// What a number counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
enum SettingUnit {
    /// Attempts.
    Attempts,
    /// Characters.
    Characters,
    /// Minutes.
    Minutes,
    /// Hours.
    Hours,
    /// Days.
    Days,
    /// Points of a scale.
    Points,
    /// Passwords.
    Passwords,
}

/// Which of two numbers is the stricter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
enum SettingStricter {
    /// The larger.
    Larger,
    /// The smaller.
    Smaller,
}

/// Where the value in force comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
enum SettingSource {
    /// Nobody has set anything.
    Default,
    /// The platform has set it.
    Platform,
    /// The organisation has set it.
    Organization,
}

/// How things stand with a number.
#[derive(Debug, Object)]
#[oai(skip_serializing_if_is_none)]
struct NumberSetting {
    /// What is set here; nothing when it is left to the platform, or to the default.
    value: Option<u32>,
    /// What is in force here.
    effective: u32,
    /// What is in force platform-wide.
    platform: u32,
    /// What would be in force if nobody had set anything.
    default: u32,
    /// Where what is in force comes from.
    source: SettingSource,
    /// The least that can be set here.
    minimum: u32,
    /// The most that can be set here.
    maximum: u32,
    /// What it counts.
    unit: SettingUnit,
    /// Which of two numbers is the stricter.
    stricter: SettingStricter,
}

/// How things stand with a list of domains.
#[derive(Debug, Object)]
#[oai(skip_serializing_if_is_none)]
struct DomainsSetting {
    /// What is set here; nothing when it is left to the platform, or to the default.
    value: Option<Vec<String>>,
    /// What is in force here: nothing for any domain, an empty list for none.
    effective: Option<Vec<String>>,
    /// What is in force platform-wide: nothing for any domain.
    platform: Option<Vec<String>>,
    /// What would be in force if nobody had set anything: nothing for any domain.
    default: Option<Vec<String>>,
    /// Where what is in force comes from.
    source: SettingSource,
    /// The most domains of a list.
    max_items: u32,
}

/// How things stand with one of several words.
#[derive(Debug, Object)]
#[oai(skip_serializing_if_is_none)]
struct ChoiceSetting {
    /// What is set here; nothing when it is left to the platform, or to the default.
    value: Option<String>,
    /// What is in force here.
    effective: String,
    /// What is in force platform-wide.
    platform: String,
    /// What would be in force if nobody had set anything.
    default: String,
    /// Where what is in force comes from.
    source: SettingSource,
    /// The words that can be set here, the laxest first.
    options: Vec<String>,
}

/// How things stand with some of several words.
#[derive(Debug, Object)]
#[oai(skip_serializing_if_is_none)]
struct WordsSetting {
    /// What is set here; nothing when it is left to the platform, or to the default.
    value: Option<Vec<String>>,
    /// What is in force here.
    effective: Vec<String>,
    /// What is in force platform-wide.
    platform: Vec<String>,
    /// What would be in force if nobody had set anything.
    default: Vec<String>,
    /// Where what is in force comes from.
    source: SettingSource,
    /// The words that can be set here.
    options: Vec<String>,
}

/// How things stand with something that is asked for or not.
#[derive(Debug, Object)]
#[oai(skip_serializing_if_is_none)]
struct DemandSetting {
    /// What is set here; nothing when it is left to the platform, or to the default.
    value: Option<bool>,
    /// What is in force here.
    effective: bool,
    /// What is in force platform-wide.
    platform: bool,
    /// What would be in force if nobody had set anything.
    default: bool,
    /// Where what is in force comes from.
    source: SettingSource,
    /// Whether it is asked for from above, so that it can't be taken back here.
    demanded: bool,
}

/// What a client wants to be set, section by section.
#[derive(Debug)]
pub struct Wanted<R>(Map<String, Value>, PhantomData<R>);

/// How things stand, section by section.
pub struct Standings<R>(Map<String, Value>, PhantomData<R>);

impl<R> fmt::Debug for Standings<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<R> Wanted<R> {
    /// What is wanted, by section and field.
    pub fn sections(&self) -> &Map<String, Value> {
        &self.0
    }
}

impl<R: Reached> Standings<R> {
    /// Those of the sections that this shape has.
    pub fn of(sections: &[(&'static Outline, Vec<Standing>)]) -> Self {
        let sections = sections.iter().filter(|(section, _)| R::has(section)).map(|(section, fields)| {
            let fields = fields.iter().map(|standing| (standing.field.name.to_owned(), wire(standing)));
            (section.name.to_owned(), Value::Object(fields.collect()))
        });
        Self(sections.collect(), PhantomData)
    }
}

fn wire(standing: &Standing) -> Value {
    let (minimum, maximum) = standing.range().unwrap_or_default();
    let source = standing.source.into();
    let number = |value: &Value| value.as_u64().and_then(|value| u32::try_from(value).ok()).unwrap_or_default();
    let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let options = standing.options().into_iter().map(str::to_owned).collect();
    let object = match standing.field.kind {
        Kind::Number(kind) => NumberSetting {
            value: standing.value.as_ref().map(number),
            effective: number(&standing.effective),
            platform: number(&standing.platform),
            default: number(&standing.default),
            source,
            minimum,
            maximum,
            unit: kind.unit.into(),
            stricter: kind.stricter.into(),
        }
        .to_json(),
        Kind::Domains => DomainsSetting {
            value: standing.value.as_ref().and_then(texts),
            effective: texts(&standing.effective),
            platform: texts(&standing.platform),
            default: texts(&standing.default),
            source,
            max_items: u32::try_from(MOST_DOMAINS).unwrap_or(u32::MAX),
        }
        .to_json(),
        Kind::Demand => DemandSetting {
            value: standing.value.as_ref().and_then(Value::as_bool),
            effective: demand(&standing.effective),
            platform: demand(&standing.platform),
            default: demand(&standing.default),
            source,
            demanded: standing.laxest.as_ref().is_some_and(demand),
        }
        .to_json(),
        Kind::Choice(_) => ChoiceSetting {
            value: standing.value.as_ref().map(word),
            effective: word(&standing.effective),
            platform: word(&standing.platform),
            default: word(&standing.default),
            source,
            options,
        }
        .to_json(),
        Kind::Words(_) => WordsSetting {
            value: standing.value.as_ref().and_then(texts),
            effective: texts(&standing.effective).unwrap_or_default(),
            platform: texts(&standing.platform).unwrap_or_default(),
            default: texts(&standing.default).unwrap_or_default(),
            source,
            options,
        }
        .to_json(),
    };
    object.unwrap_or_default()
}

fn demand(value: &Value) -> bool {
    value.as_bool().unwrap_or_default()
}

fn texts(value: &Value) -> Option<Vec<String>> {
    Some(value.as_array()?.iter().filter_map(|item| item.as_str().map(str::to_owned)).collect())
}

/// The schema of what a client sends for a field.
fn wanted_schema(field: &Field) -> MetaSchema {
    let schema = match field.kind {
        Kind::Number(number) => MetaSchema {
            format: Some("uint32"),
            minimum: Some(number.least.into()),
            maximum: Some(number.most.into()),
            ..MetaSchema::new("integer")
        },
        Kind::Domains => MetaSchema {
            items: Some(Box::new(MetaSchemaRef::Inline(Box::new(MetaSchema {
                min_length: Some(1),
                max_length: Some(crate::types::Domain::LONGEST),
                ..MetaSchema::new("string")
            })))),
            min_items: Some(1),
            max_items: Some(MOST_DOMAINS),
            ..MetaSchema::new("array")
        },
        Kind::Choice(words) => one_of(words),
        Kind::Words(words) => MetaSchema {
            items: Some(Box::new(MetaSchemaRef::Inline(Box::new(one_of(words))))),
            max_items: Some(words.len()),
            ..MetaSchema::new("array")
        },
        Kind::Demand => MetaSchema::new("boolean"),
    };
    MetaSchema { nullable: true, description: Some(field.about), ..schema }
}

fn one_of(words: &[&str]) -> MetaSchema {
    MetaSchema { enum_items: words.iter().map(|word| Value::from(*word)).collect(), ..MetaSchema::new("string") }
}

/// The schema of how things stand with a field.
fn standing_schema(field: &Field, registry: &mut Registry) -> MetaSchemaRef {
    let reference = match field.kind {
        Kind::Number(_) => {
            NumberSetting::register(registry);
            NumberSetting::schema_ref()
        }
        Kind::Domains => {
            DomainsSetting::register(registry);
            DomainsSetting::schema_ref()
        }
        Kind::Demand => {
            DemandSetting::register(registry);
            DemandSetting::schema_ref()
        }
        Kind::Choice(_) => {
            ChoiceSetting::register(registry);
            ChoiceSetting::schema_ref()
        }
        Kind::Words(_) => {
            WordsSetting::register(registry);
            WordsSetting::schema_ref()
        }
    };
    // A reference has no room for a description of its own.
    MetaSchemaRef::Inline(Box::new(MetaSchema {
        all_of: vec![reference],
        description: Some(field.about),
        ..MetaSchema::ANY
    }))
}

/// An object of one property a section, each an object of one property a field.
fn object<T, R: Reached>(
    registry: &mut Registry,
    name: &str,
    of_field: impl Fn(&'static Field, &mut Registry) -> MetaSchemaRef + Copy,
    all_required: AllRequired,
) {
    registry.create_schema::<T, _>(name.to_owned(), |registry| {
        let section = |section: &'static Outline| {
            let fields: Vec<_> = section.fields.iter().map(|field| (field.name, of_field(field, registry))).collect();
            let schema = MetaSchema {
                required: all_required.of(fields.iter().map(|(name, _)| *name)),
                properties: fields,
                description: Some(section.about),
                ..MetaSchema::new("object")
            };
            (section.name, MetaSchemaRef::Inline(Box::new(schema)))
        };
        MetaSchema {
            required: all_required.of(sections::<R>().map(|section| section.name)),
            properties: sections::<R>().map(section).collect(),
            ..MetaSchema::new("object")
        }
    });
}

/// Whether an object's properties must be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum AllRequired {
    Yes,
    No,
}

impl AllRequired {
    fn of(self, names: impl Iterator<Item = &'static str>) -> Vec<&'static str> {
        if self == Self::Yes { names.collect() } else { Vec::new() }
    }
}

macro_rules! objects {
    ($shape:ident, $name:expr, $of_field:expr, $required:expr) => {
        impl<R: Reached> Type for $shape<R> {
            const IS_REQUIRED: bool = true;
            type RawValueType = Self;
            type RawElementValueType = Self;

            fn name() -> Cow<'static, str> {
                format!($name, R::PREFIX).into()
            }

            fn schema_ref() -> MetaSchemaRef {
                MetaSchemaRef::Reference(Self::name().into_owned())
            }

            fn register(registry: &mut Registry) {
                object::<Self, R>(registry, &Self::name(), $of_field, $required);
            }

            fn as_raw_value(&self) -> Option<&Self> {
                Some(self)
            }

            fn raw_element_iter<'a>(&'a self) -> Box<dyn Iterator<Item = &'a Self> + 'a> {
                Box::new(std::iter::once(self))
            }
        }

        impl<R: Reached> ParseFromJSON for $shape<R> {
            fn parse_from_json(value: Option<Value>) -> ParseResult<Self> {
                match value {
                    Some(Value::Object(sections)) => Ok(Self(sections, PhantomData)),
                    other => Err(ParseError::expected_type(other.unwrap_or_default())),
                }
            }
        }

        impl<R: Reached> ToJSON for $shape<R> {
            fn to_json(&self) -> Option<Value> {
                Some(Value::Object(self.0.clone()))
            }
        }
    };
}

objects!(Wanted, "Update{}Settings", |field, _| MetaSchemaRef::Inline(Box::new(wanted_schema(field))), AllRequired::No);
objects!(Standings, "{}SettingsSections", standing_schema, AllRequired::Yes);

impl From<settings::Unit> for SettingUnit {
    fn from(unit: settings::Unit) -> Self {
        match unit {
            settings::Unit::Attempts => Self::Attempts,
            settings::Unit::Characters => Self::Characters,
            settings::Unit::Minutes => Self::Minutes,
            settings::Unit::Hours => Self::Hours,
            settings::Unit::Days => Self::Days,
            settings::Unit::Points => Self::Points,
            settings::Unit::Passwords => Self::Passwords,
        }
    }
}

impl From<settings::Stricter> for SettingStricter {
    fn from(stricter: settings::Stricter) -> Self {
        match stricter {
            settings::Stricter::Larger => Self::Larger,
            settings::Stricter::Smaller => Self::Smaller,
        }
    }
}

impl From<settings::Source> for SettingSource {
    fn from(source: settings::Source) -> Self {
        match source {
            settings::Source::Default => Self::Default,
            settings::Source::Platform => Self::Platform,
            settings::Source::Organization => Self::Organization,
        }
    }
}
