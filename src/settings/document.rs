//! What was set, level by level, and what comes of it: configuration, platform, organisation.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{
    field::{Bound, Field, Kind, Unset},
    sections::{Outline, Reach, SECTIONS},
};
use crate::error::{Error, Fault, Result};

/// What one organisation has set: values by section and field. What is not there is not set; what this release does
/// not know is kept for the one that does.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Document(pub Map<String, Value>);

/// Whose settings are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Level {
    /// The platform's, which hold everywhere.
    Platform,
    /// An organisation's, which hold there.
    Organization,
}

/// The levels above each other, the configuration below.
pub(super) struct Levels<'a> {
    /// What holds where nobody has set anything.
    pub defaults: &'a Document,
    /// What the platform has set.
    pub platform: &'a Document,
    /// What the organisation has set; `None` when the platform's own settings are looked at.
    pub organization: Option<&'a Document>,
}

/// Where the value in force comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// From the server's configuration, or from Freehold.
    Default,
    /// The platform has set it.
    Platform,
    /// The organisation has set it.
    Organization,
}

/// How things stand with one field.
#[derive(Clone, Debug)]
pub struct Standing {
    /// The field.
    pub field: &'static Field,
    /// What is set here, if anything is.
    pub value: Option<Value>,
    /// What is in force here.
    pub effective: Value,
    /// What is in force platform-wide.
    pub platform: Value,
    /// What would be in force if nobody had set anything.
    pub default: Value,
    /// Where what is in force comes from.
    pub source: Source,
    /// What a value that is set here must not be laxer than.
    pub laxest: Option<Value>,
}

/// One field that was changed, with what was set before and after.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Changed {
    /// The section.
    pub section: String,
    /// The field.
    pub field: String,
    /// What was set before; `null` is nothing.
    pub before: Value,
    /// What is set now; `null` is nothing.
    pub after: Value,
}

impl Standing {
    /// The least and the most that can be set here; `None` for what is no number.
    pub fn range(&self) -> Option<(u32, u32)> {
        match &self.field.kind {
            Kind::Number(number) => Some(number.within(self.laxest.as_ref())),
            Kind::Domains | Kind::Demand | Kind::Choice(_) | Kind::Words(_) => None,
        }
    }

    /// The words that can be set here; none for what is no word.
    pub fn options(&self) -> Vec<&'static str> {
        let (Kind::Choice(words) | Kind::Words(words)) = self.field.kind else { return Vec::new() };
        let fits = |word: &Value| {
            let value =
                if matches!(self.field.kind, Kind::Choice(_)) { word.clone() } else { Value::from(vec![word.clone()]) };
            self.laxest.as_ref().is_none_or(|laxest| self.field.kind.laxer(&value, laxest).is_none())
        };
        words.iter().copied().filter(|word| fits(&Value::from(*word))).collect()
    }
}

impl Document {
    fn get(&self, section: &str, field: &str) -> Option<&Value> {
        self.0.get(section)?.get(field)
    }

    /// What is set, as it can be used.
    fn fitting(&self, section: &Outline, field: &Field) -> Option<Value> {
        self.get(section.name, field.name).and_then(|value| field.kind.fit(value))
    }

    /// Sets a value, or with `None` leaves it to the levels below.
    fn put(&mut self, section: &str, field: &str, value: Option<Value>) {
        let fields = self.0.entry(section).or_insert_with(|| Value::Object(Map::new()));
        let Some(fields) = fields.as_object_mut() else { return };
        match value {
            Some(value) => drop(fields.insert(field.to_owned(), value)),
            None => drop(fields.remove(field)),
        }
        if fields.is_empty() {
            self.0.remove(section);
        }
    }
}

impl Levels<'_> {
    /// How things stand with a field.
    pub fn standing(&self, section: &Outline, field: &'static Field) -> Standing {
        let default = self.defaults.get(section.name, field.name).cloned().unwrap_or_default();
        let on_platform = self.platform.fitting(section, field);
        let platform = match (&on_platform, field.platform) {
            (None, _) => default.clone(),
            (Some(value), Bound::Open) => value.clone(),
            (Some(value), Bound::Configured) => field.kind.combine(value, &default),
        };
        let own = self.organization.and_then(|document| document.fitting(section, field));
        let effective = match (&own, self.organization, field.unset) {
            (Some(own), ..) => field.kind.in_force(own, &platform),
            (None, Some(_), Unset::Default) => field.kind.combine(&default, &platform),
            (None, ..) => platform.clone(),
        };
        let source = match (&own, &on_platform) {
            (Some(own), _) if *own == effective => Source::Organization,
            (None, _) if effective != platform => Source::Default,
            (_, Some(set)) if *set == platform => Source::Platform,
            _ => Source::Default,
        };
        let laxest = match (self.organization, field.platform) {
            (Some(_), _) => Some(platform.clone()),
            (None, Bound::Configured) => Some(default.clone()),
            (None, Bound::Open) => None,
        };
        let value = if self.organization.is_some() { own } else { on_platform };
        Standing { field, value, effective, platform, default, source, laxest }
    }

    /// The values in force, section by section.
    pub fn effective(&self) -> Document {
        let mut document = Document::default();
        for section in SECTIONS {
            for field in section.fields {
                document.put(section.name, field.name, Some(self.standing(section, field).effective));
            }
        }
        document
    }

    /// The document of the upper level with a client's changes, and what that changes. `null` takes a value away.
    ///
    /// # Errors
    /// `Invalid` with every fault: what is no field here, what no value of it, and what is laxer than it may be.
    pub fn changed(&self, wanted: &Map<String, Value>) -> Result<(Document, Vec<Changed>)> {
        let present = self.organization.unwrap_or(self.platform);
        let (mut document, mut changes, mut faults) = (present.clone(), Vec::new(), Vec::new());
        for (name, fields) in wanted {
            let section = SECTIONS.iter().find(|section| section.name == name && self.reaches(section));
            for (field_name, value) in fields.as_object().into_iter().flatten() {
                let pointer = format!("/{name}/{field_name}");
                let field = section.and_then(|section| section.fields.iter().find(|field| field.name == field_name));
                match section
                    .zip(field)
                    .ok_or_else(unknown)
                    .and_then(|(section, field)| self.taken(section, field, value))
                {
                    Err((code, detail)) => faults.push(Fault::body(pointer, code, detail)),
                    Ok(after) => {
                        let before = present.get(name, field_name).cloned().unwrap_or_default();
                        let (section, field) = (name.clone(), field_name.clone());
                        document.put(name, field_name, after.clone());
                        let change = Changed { section, field, before, after: after.unwrap_or_default() };
                        changes.extend((change.before != change.after).then_some(change));
                    }
                }
            }
        }
        if faults.is_empty() { Ok((document, changes)) } else { Err(Error::Invalid(faults)) }
    }

    fn reaches(&self, section: &Outline) -> bool {
        self.organization.is_none() || section.reach == Reach::Organizations
    }

    /// A client's value as it is kept; `None` when it takes away what is set.
    fn taken(
        &self,
        section: &Outline,
        field: &'static Field,
        value: &Value,
    ) -> Result<Option<Value>, super::field::Wrong> {
        if value.is_null() {
            return Ok(None);
        }
        let value = field.kind.check(value)?;
        let laxest = self.standing(section, field).laxest;
        match laxest.and_then(|laxest| field.kind.laxer(&value, &laxest)) {
            Some(detail) => Err(("too_lax", detail)),
            None => Ok(Some(value)),
        }
    }
}

/// Field by field the stricter of two documents of values in force.
pub(super) fn stricter(one: &Document, other: &Document) -> Document {
    let mut strictest = one.clone();
    for section in SECTIONS {
        for field in section.fields {
            if let (Some(one), Some(other)) = (one.get(section.name, field.name), other.get(section.name, field.name)) {
                strictest.put(section.name, field.name, Some(field.kind.combine(one, other)));
            }
        }
    }
    strictest
}

fn unknown() -> super::field::Wrong {
    ("unknown_field", "is not a setting here".to_owned())
}
