//! Event types of a product's own (AUD-1): an organisation's services declare them and record under them, beside what the
//! server records itself. Their entries are sealed, searched, kept and exported as all others.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use entity::{AuditEntryId, audit_entries, product_event_types as rows};
use sea_orm::{ActiveValue::Set, ColumnTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect, Select};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::{
    catalog::{Class, Kind, Severity},
    event::{Event, Outcome, Sort, Written, entry},
};
use crate::{
    db::{Db, Tx, Unrecorded},
    error::{Code, Error, Fault, Result},
    runtime::Ids,
    types::{Caller, single_line},
};

/// What every code begins with, so that none is ever one of the server's.
const PREFIX: &str = "product.";
/// The longest code.
const LONGEST_CODE: usize = 100;
/// The most types of an organisation, retired ones too: the catalogue is read as a whole.
pub const MOST_TYPES: u64 = 200;
/// The most details of a type.
pub const MOST_DETAILS: usize = 20;
/// The longest title, and the longest meaning, in characters.
const LONGEST_TITLE: usize = 100;
const LONGEST_MEANING: usize = 500;
/// The longest name of a detail or of the type of a target.
const LONGEST_NAME: usize = 50;
/// The longest text that a detail of an event has, in characters.
pub const LONGEST_TEXT: usize = 500;

/// A type that is declared.
pub type EventType = rows::Model;

/// A detail that events of a type can have.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Detail {
    /// Its name in the metadata.
    pub name: String,
    /// What it says.
    pub meaning: String,
    /// Whether it says something of somebody: then it is sealed, no search finds it, and it goes when its person is erased.
    pub personal: bool,
}

/// What a type is declared to be.
#[derive(Clone, Debug)]
pub struct Declaration {
    /// A few words.
    pub title: String,
    /// A sentence.
    pub meaning: String,
    /// How much it matters.
    pub severity: Severity,
    /// How long its entries are kept.
    pub class: Class,
    /// The type of what it happens to.
    pub target_type: String,
    /// What its metadata can have.
    pub details: Vec<Detail>,
}

/// Something that happened in the product.
#[derive(Clone, Debug)]
pub struct Happening {
    /// The code of its type.
    pub event: String,
    /// How it came out.
    pub outcome: Outcome,
    /// What it happened to, if that has an id.
    pub target: Option<Uuid>,
    /// What else is to be said of it.
    pub metadata: Map<String, Value>,
}

/// Whether this can be the code of a product's event type.
pub fn is_code(code: &str) -> bool {
    let words: Vec<_> = code.strip_prefix(PREFIX).unwrap_or_default().split('.').collect();
    code.len() <= LONGEST_CODE && (1..=4).contains(&words.len()) && words.into_iter().all(is_name)
}

/// Lower case letters, digits and underscores, a letter first.
fn is_name(name: &str) -> bool {
    let clean = name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    clean && name.bytes().next().is_some_and(|first| first.is_ascii_lowercase()) && name.len() <= LONGEST_NAME
}

/// The organisation's own types, by code, retired ones too.
///
/// # Errors
/// When the database fails.
pub async fn types(tx: &Tx) -> Result<Vec<EventType>> {
    tx.all(tx.find::<rows::Entity>().order_by_asc(rows::Column::Code).limit(MOST_TYPES)).await
}

/// What a type's metadata can have.
///
/// # Errors
/// When what is stored can't be read.
pub fn details(declared: &EventType) -> Result<Vec<Detail>> {
    serde_json::from_value(declared.details.clone()).map_err(Error::internal)
}

/// The titles of those of these codes that are the organisation's own.
///
/// # Errors
/// When the database fails.
pub async fn titles(tx: &Tx, codes: impl IntoIterator<Item = &str> + Send) -> Result<HashMap<String, String>> {
    let codes: BTreeSet<_> = codes.into_iter().filter(|code| code.starts_with(PREFIX)).collect();
    if codes.is_empty() {
        return Ok(HashMap::new());
    }
    let found = tx.all(tx.find::<rows::Entity>().filter(rows::Column::Code.is_in(codes))).await?;
    Ok(found.into_iter().map(|row| (row.code, row.title)).collect())
}

/// Declares a type, or says better what one means. How long its entries are kept and what they happen to never changes;
/// a type that was retired is in use again.
///
/// # Errors
/// `Invalid` for what is no code, text or name; `Conflict` with `event_type_differs` for another class or target, and with
/// `too_many_event_types`.
pub async fn declare(db: &Db, caller: &Caller, code: &str, wanted: Declaration) -> Result<EventType> {
    let organization_id = caller.organization().ok_or_else(Error::not_found)?;
    let wanted = checked(code, wanted)?;
    let details = serde_json::to_value(&wanted.details).map_err(Error::internal)?;
    let (severity, class) = (wanted.severity.as_str(), wanted.class.as_str());
    let tx = db.write(caller).await?;
    // Two at once don't both become the last one.
    tx.lock(&format!("event types of {organization_id}")).await?;
    let (now, present) = (caller.now(), tx.one(by_code(&tx, code).lock_exclusive()).await?);
    let row = match present {
        Some(row) if row.class != class || row.target_type != wanted.target_type => {
            return Err(Error::Conflict(Code::EventTypeDiffers));
        }
        Some(row) if is_the_same(&row, &wanted, &details) => {
            tx.commit(Unrecorded("it is declared like that already")).await?;
            return Ok(row);
        }
        Some(row) => {
            let mut row = row.into_active_model();
            (row.title, row.meaning) = (Set(wanted.title), Set(wanted.meaning));
            (row.severity, row.details) = (Set(severity.to_owned()), Set(details));
            (row.updated_at, row.retired_at) = (Set(now), Set(None));
            tx.update(row).await?
        }
        None => {
            if tx.count(tx.find::<rows::Entity>()).await? >= MOST_TYPES {
                return Err(Error::Conflict(Code::TooManyEventTypes));
            }
            let row = rows::Model {
                id: Ids.next(),
                organization_id,
                code: code.to_owned(),
                title: wanted.title,
                meaning: wanted.meaning,
                severity: severity.to_owned(),
                class: class.to_owned(),
                target_type: wanted.target_type,
                details,
                created_at: now,
                updated_at: now,
                retired_at: None,
            };
            tx.insert(rows::ActiveModel::from(row)).await?
        }
    };
    tx.commit(Event::new(Kind::EventTypeDeclared, row.id).with("event_type", code).with("severity", severity)).await?;
    Ok(row)
}

fn is_the_same(row: &EventType, wanted: &Declaration, details: &Value) -> bool {
    let now = (&row.title, &row.meaning, row.severity.as_str(), &row.details, row.retired_at);
    now == (&wanted.title, &wanted.meaning, wanted.severity.as_str(), details, None)
}

/// Retires a type: nothing is recorded under it any more, and what was keeps its meaning.
///
/// # Errors
/// `NotFound` when there is no such type in use.
pub async fn retire(db: &Db, caller: &Caller, code: &str) -> Result<()> {
    let tx = db.write(caller).await?;
    let row = tx.one(by_code(&tx, code).lock_exclusive()).await?;
    let row = row.filter(|row| row.retired_at.is_none()).ok_or_else(Error::not_found)?;
    let id = row.id;
    let mut row = row.into_active_model();
    (row.retired_at, row.updated_at) = (Set(Some(caller.now())), Set(caller.now()));
    tx.update(row).await?;
    tx.commit(Event::new(Kind::EventTypeRetired, id).with("event_type", code)).await
}

/// Records something that happened, as done by the caller. Returns the entry's id.
///
/// # Errors
/// `Invalid` when its type is not declared, or for metadata that the type does not have.
pub async fn record(db: &Db, caller: &Caller, happening: Happening) -> Result<AuditEntryId> {
    let tx = db.write(caller).await?;
    // Not locked: those who record the same at once don't wait for each other.
    let declared = tx.one(by_code(&tx, &happening.event)).await?.filter(|row| row.retired_at.is_none());
    let unknown = || Error::field("/event", "unknown_event", "must be declared and not retired");
    let declared = declared.ok_or_else(unknown)?;
    let (metadata, personal) = split(&declared, happening.metadata)?;
    let sort = Sort {
        event: &declared.code,
        severity: &declared.severity,
        class: &declared.class,
        target_type: &declared.target_type,
    };
    let row = audit_entries::Model {
        outcome: happening.outcome.as_str().to_owned(),
        target_id: happening.target,
        metadata: Value::Object(acting(caller, metadata)),
        ..entry(caller, declared.organization_id, sort)
    };
    let id = row.id;
    tx.commit(Written(row, personal)).await?;
    Ok(id)
}

/// Whatever a platform administrator does in somebody else's organisation says so (AZ-2).
fn acting(caller: &Caller, mut metadata: Map<String, Value>) -> Map<String, Value> {
    if let Some(acting) = caller.acting {
        metadata.insert("acting".to_owned(), acting.to_string().into());
    }
    metadata
}

fn by_code(tx: &Tx, code: &str) -> Select<rows::Entity> {
    tx.find::<rows::Entity>().filter(rows::Column::Code.eq(code))
}

/// What stays in the entry, and what is personal of it.
fn split(declared: &EventType, metadata: Map<String, Value>) -> Result<(Map<String, Value>, Map<String, Value>)> {
    let known: BTreeMap<_, _> = details(declared)?.into_iter().map(|detail| (detail.name, detail.personal)).collect();
    let (mut kept, mut beside, mut faults) = (Map::new(), Map::new(), Vec::new());
    for (name, value) in metadata {
        let place = format!("/metadata/{}", name.replace('~', "~0").replace('/', "~1"));
        let value = match value {
            Value::String(text) => single_line(&text, LONGEST_TEXT).map(Value::from),
            Value::Bool(_) | Value::Number(_) => Some(value),
            Value::Null | Value::Array(_) | Value::Object(_) => None,
        };
        match (known.get(&name), value) {
            (None, _) => faults.push(Fault::body(place, "unknown_field", "is no detail of this type of event")),
            (Some(_), None) => {
                let said = format!("must be a number, a boolean, or 1 to {LONGEST_TEXT} characters on one line");
                faults.push(Fault::body(place, "format", said));
            }
            (Some(true), Some(value)) => drop(beside.insert(name, value)),
            (Some(false), Some(value)) => drop(kept.insert(name, value)),
        }
    }
    if faults.is_empty() { Ok((kept, beside)) } else { Err(Error::Invalid(faults)) }
}

/// A declaration as it is kept.
fn checked(code: &str, wanted: Declaration) -> Result<Declaration> {
    let mut faults = Vec::new();
    if !is_code(code) {
        let said = "must be product. and one to four words of a-z, 0-9 and _, with dots between";
        faults.push(Fault::parameter("code", "format", said));
    }
    let mut line = |text: &str, most: usize, place: String| {
        single_line(text, most).unwrap_or_else(|| {
            faults.push(Fault::body(place, "format", format!("must be 1 to {most} characters on one line")));
            String::new()
        })
    };
    let title = line(&wanted.title, LONGEST_TITLE, "/title".to_owned());
    let meaning = line(&wanted.meaning, LONGEST_MEANING, "/meaning".to_owned());
    let mut details = Vec::new();
    for (at, detail) in wanted.details.into_iter().enumerate() {
        details.push(Detail {
            meaning: line(&detail.meaning, LONGEST_MEANING, format!("/details/{at}/meaning")),
            ..detail
        });
    }
    let mut names = BTreeSet::new();
    for (at, detail) in details.iter().enumerate() {
        if !is_name(&detail.name) {
            faults.push(Fault::body(format!("/details/{at}/name"), "format", "must be of a-z, 0-9 and _"));
        } else if detail.name == "acting" || !names.insert(detail.name.as_str()) {
            faults.push(Fault::body(format!("/details/{at}/name"), "duplicate", "is there already"));
        }
    }
    if !is_name(&wanted.target_type) {
        faults.push(Fault::body("/target_type", "format", "must be of a-z, 0-9 and _"));
    }
    if details.len() > MOST_DETAILS {
        faults.push(Fault::body("/details", "too_many", format!("must be {MOST_DETAILS} at most")));
    }
    if faults.is_empty() { Ok(Declaration { title, meaning, details, ..wanted }) } else { Err(Error::Invalid(faults)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Proves AUD-1.
    #[test]
    fn a_code_of_a_product_is_never_one_of_the_servers() {
        for code in ["product.invoice_paid", "product.crm.deal.won", "product.a1"] {
            assert!(is_code(code), "{code}");
        }
        for code in
            ["invoice.paid", "product", "product.", "product.A", "product.1a", "product..a", "product.a.b.c.d.e"]
        {
            assert!(!is_code(code), "{code}");
        }
        assert!(Kind::ALL.iter().all(|kind| !kind.code().starts_with(PREFIX)));
    }
}
