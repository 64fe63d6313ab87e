//! What an attribute may be declared as. Every fault is named by its place in the request.

use std::collections::HashSet;

use entity::attributes::{Audience, Kind, Model as Attribute};

use super::access;
use crate::{
    error::{Error, Fault, Result},
    types::single_line,
    vault::Vault,
};

/// The longest key in characters.
pub const LONGEST_KEY: usize = 48;
/// The longest label in characters.
pub const LONGEST_LABEL: usize = 100;
/// The longest description in characters.
pub const LONGEST_DESCRIPTION: usize = 500;
/// The most options of a choice: a list that people can still go through.
pub const MOST_OPTIONS: usize = 100;
/// The longest option in characters.
pub const LONGEST_OPTION: usize = 100;

/// The scopes that are not for attributes: what people sign in with and what the installation itself keeps secret
/// shares no key with what tenants fill in.
const RESERVED: [&str; 2] = ["mfa", "secrets"];

/// An attribute to declare.
#[derive(Clone, Debug)]
pub struct NewAttribute {
    /// What clients call it; it never changes.
    pub key: String,
    /// What people call it.
    pub label: String,
    /// What it is for.
    pub description: Option<String>,
    /// What values are; it never changes.
    pub kind: Kind,
    /// What can be chosen.
    pub options: Vec<String>,
    /// Whether a profile is incomplete without it.
    pub required: bool,
    /// Who sees values.
    pub visible_to: Audience,
    /// Who changes values.
    pub editable_by: Audience,
    /// What values are sealed in.
    pub scope: Option<String>,
    /// Whether members are found by their values.
    pub searchable: bool,
}

/// What to change of an attribute. An inner `None` takes away what was there.
#[derive(Clone, Debug, Default)]
pub struct Changes {
    /// A new label.
    pub label: Option<String>,
    /// A new description.
    pub description: Option<Option<String>>,
    /// Other options.
    pub options: Option<Vec<String>>,
    /// Whether a profile is incomplete without it.
    pub required: Option<bool>,
    /// Who sees values.
    pub visible_to: Option<Audience>,
    /// Who changes values.
    pub editable_by: Option<Audience>,
    /// What values are sealed in.
    pub scope: Option<Option<String>>,
    /// Whether members are found by their values.
    pub searchable: Option<bool>,
    /// Its place among the others, from 0.
    pub position: Option<usize>,
    /// Whether it is put aside.
    pub archived: Option<bool>,
    /// The version that the client read.
    pub version: Option<i32>,
}

/// The scopes that values of attributes can be sealed in.
pub fn scopes(vault: &Vault) -> impl Iterator<Item = &str> {
    vault.scopes().iter().map(String::as_str).filter(|scope| !RESERVED.contains(scope))
}

/// A declaration as it is kept.
///
/// # Errors
/// `Invalid` with everything that is wrong with it.
pub fn checked(vault: &Vault, mut row: Attribute) -> Result<Attribute> {
    let mut faults = Vec::new();
    if !is_key(&row.key) {
        let detail = format!("must be 1 to {LONGEST_KEY} of a-z, 0-9 and _, beginning with a letter");
        faults.push(Fault::body("/key", "format", detail));
    }
    let mut line = |place: String, text: &mut String, longest: usize| match single_line(text, longest) {
        Some(clean) => *text = clean,
        None => faults.push(Fault::body(place, "format", format!("must be 1 to {longest} characters on one line"))),
    };
    line("/label".to_owned(), &mut row.label, LONGEST_LABEL);
    if let Some(description) = &mut row.description {
        line("/description".to_owned(), description, LONGEST_DESCRIPTION);
    }
    for (place, option) in row.options.iter_mut().enumerate() {
        line(format!("/options/{place}"), option, LONGEST_OPTION);
    }
    faults.extend(options(&row));
    if !access::contains(row.visible_to, row.editable_by) {
        let detail = "must not name anybody who does not see the values";
        faults.push(Fault::body("/editable_by", "not_visible", detail));
    }
    if let Some(scope) = row.scope.as_deref().filter(|wanted| !scopes(vault).any(|scope| scope == *wanted)) {
        let detail = match RESERVED.contains(&scope) {
            true => "is a scope that is not for attributes",
            false => "is not a scope of this installation",
        };
        faults.push(Fault::body("/sealed_in", "unknown_scope", detail));
    }
    // Where there are few values, whoever reads the database tells them apart by counting equal match values.
    if row.searchable && row.scope.is_some() && matches!(row.kind, Kind::Boolean | Kind::Choice) {
        let detail = "must be false for a sealed choice or boolean: equal values could be counted";
        faults.push(Fault::body("/searchable", "countable", detail));
    }
    if faults.is_empty() { Ok(row) } else { Err(Error::Invalid(faults)) }
}

fn options(row: &Attribute) -> Option<Fault> {
    let number = row.options.len();
    if row.kind != Kind::Choice {
        let fault = || Fault::body("/options", "unexpected", "are for a choice only");
        return (number > 0).then(fault);
    }
    if !(1..=MOST_OPTIONS).contains(&number) {
        return Some(Fault::body("/options", "length", format!("must be 1 to {MOST_OPTIONS} for a choice")));
    }
    let mut seen = HashSet::new();
    let twice = row.options.iter().position(|option| !seen.insert(option.to_lowercase()))?;
    Some(Fault::body(format!("/options/{twice}"), "unique", "must not be there twice"))
}

fn is_key(text: &str) -> bool {
    let rest = text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    rest && text.len() <= LONGEST_KEY && text.starts_with(|first: char| first.is_ascii_lowercase())
}

/// The names of what has changed.
pub fn differences(was: &Attribute, is: &Attribute) -> Vec<&'static str> {
    let fields = [
        ("label", was.label != is.label),
        ("description", was.description != is.description),
        ("options", was.options != is.options),
        ("required", was.required != is.required),
        ("visible_to", was.visible_to != is.visible_to),
        ("editable_by", was.editable_by != is.editable_by),
        ("sealed_in", was.scope != is.scope),
        ("searchable", was.searchable != is.searchable),
        ("archived", was.archived_at.is_some() != is.archived_at.is_some()),
        ("position", was.position != is.position),
    ];
    fields.into_iter().filter(|(_, changed)| *changed).map(|(name, _)| name).collect()
}
