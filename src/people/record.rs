//! A line read: who it is about and what is said of them, or why it can't be read. Nothing here knows who there is.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    accounts,
    types::{Email, nfc, of_cell, single_line},
};
use entity::imports::Format;

/// The longest role and team in characters.
const LONGEST_WORD: usize = 100;
/// The most teams of a line, and the most custom roles.
const MOST_NAMES: usize = 100;
/// The most columns of a file.
const MOST_COLUMNS: usize = 40;
/// What can lie between the values of a CSV file.
const SEPARATORS: [char; 3] = [',', ';', '\t'];
/// What lies between the names in a cell of several.
const BETWEEN_NAMES: char = '|';

/// A person of a line.
#[derive(Clone)]
pub struct Record {
    /// The address.
    pub email: Email,
    /// How they are called.
    pub name: Option<String>,
    /// The hash of their password.
    pub password_hash: Option<String>,
    /// Their role.
    pub role: Option<String>,
    /// The names of their custom roles.
    pub custom_roles: Vec<String>,
    /// The names of their teams.
    pub teams: Vec<String>,
    /// Whether they have no access.
    pub blocked: bool,
}

/// Why a line is not taken: a stable word, and the field that it is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The word.
    pub code: &'static str,
    /// The field.
    pub field: Option<&'static str>,
}

impl Refusal {
    /// About a line as a whole.
    pub const fn line(code: &'static str) -> Self {
        Self { code, field: None }
    }

    /// About a field.
    pub const fn field(code: &'static str, field: &'static str) -> Self {
        Self { code, field: Some(field) }
    }
}

/// A column. Those that an export has and nobody can set are read over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Column {
    Email,
    Name,
    PasswordHash,
    Role,
    CustomRoles,
    Teams,
    State,
    Other,
}

impl Column {
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "email" => Self::Email,
            "name" => Self::Name,
            "password_hash" => Self::PasswordHash,
            "role" => Self::Role,
            "custom_roles" => Self::CustomRoles,
            "teams" => Self::Teams,
            "state" => Self::State,
            "id" | "account_id" | "effective_roles" | "created_at" | "joined_at" | "last_sign_in_at" => Self::Other,
            _ => return None,
        })
    }
}

/// What the first line of a CSV file says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    columns: Vec<Column>,
    separator: char,
}

/// How the lines of a file are read.
pub enum Reader {
    /// By these columns.
    Csv(Header),
    /// Each by itself.
    JsonLines,
}

/// What a line says, in clear and not looked at yet.
#[derive(Default)]
struct Said {
    email: Option<String>,
    name: Option<String>,
    password_hash: Option<String>,
    role: Option<String>,
    custom_roles: Vec<String>,
    teams: Vec<String>,
    state: Option<String>,
}

impl Header {
    /// Reads the first line of a CSV file.
    ///
    /// # Errors
    /// Why nothing of the file can be read, as a stable word.
    pub fn parse(line: Option<&[u8]>) -> Result<Self, &'static str> {
        let text = line.and_then(|line| std::str::from_utf8(without_mark(line)).ok()).ok_or("header_unreadable")?;
        let name = |name: &str| name.trim().trim_matches('"').trim().to_lowercase();
        let separator = SEPARATORS.into_iter().max_by_key(|separator| {
            // Of several that would do, the first.
            let names = text.split(*separator).filter(|part| Column::named(&name(part)).is_some()).count();
            (names, std::cmp::Reverse(SEPARATORS.iter().position(|known| known == separator)))
        });
        let separator = separator.unwrap_or(',');
        let mut columns = Vec::new();
        for part in text.split(separator) {
            if columns.len() == MOST_COLUMNS {
                return Err("too_many_columns");
            }
            let column = Column::named(&name(part)).ok_or("unknown_column")?;
            if column != Column::Other && columns.contains(&column) {
                return Err("doubled_column");
            }
            columns.push(column);
        }
        if columns.contains(&Column::Email) { Ok(Self { columns, separator }) } else { Err("no_email_column") }
    }
}

/// The bytes without the mark that some programs put before UTF-8.
fn without_mark(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)
}

impl Reader {
    /// How a file of this format is read; `None` for a CSV file whose first line is not read yet.
    pub fn of(format: Format, header: Option<Header>) -> Option<Self> {
        match format {
            Format::Csv => header.map(Self::Csv),
            Format::JsonLines => Some(Self::JsonLines),
        }
    }

    /// Reads a line; nothing is on an empty one.
    pub fn read(&self, number: i64, line: Option<&[u8]>) -> Option<Result<Record, Refusal>> {
        let Some(line) = line else { return Some(Err(Refusal::line("line_too_long"))) };
        let line = if number == 1 { without_mark(line) } else { line };
        if line.iter().all(u8::is_ascii_whitespace) {
            return None;
        }
        Some(self.said(line).and_then(|said| said.record()))
    }

    fn said(&self, line: &[u8]) -> Result<Said, Refusal> {
        let text = std::str::from_utf8(line).map_err(|_| Refusal::line("not_utf8"))?;
        match self {
            Self::Csv(header) => header.said(text),
            Self::JsonLines => json(text),
        }
    }
}

impl Header {
    fn said(&self, line: &str) -> Result<Said, Refusal> {
        if line.chars().any(|c| c.is_control() && c != '\t') {
            return Err(Refusal::line("control_character"));
        }
        if !line.matches('"').count().is_multiple_of(2) {
            return Err(Refusal::line("unbalanced_quotes"));
        }
        let separator = u8::try_from(self.separator).unwrap_or(b',');
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .delimiter(separator)
            .flexible(true)
            .from_reader(line.as_bytes());
        let mut cells = csv::StringRecord::new();
        let read = reader.read_record(&mut cells).map_err(|_| Refusal::line("not_csv"))?;
        if !read || cells.len() != self.columns.len() {
            return Err(Refusal::line("columns"));
        }
        let mut said = Said::default();
        for (column, cell) in self.columns.iter().zip(&cells) {
            let cell = of_cell(cell.trim());
            let text = (!cell.is_empty()).then(|| cell.to_owned());
            match column {
                Column::Email => said.email = text,
                Column::Name => said.name = text,
                Column::PasswordHash => said.password_hash = text,
                Column::Role => said.role = text,
                Column::CustomRoles => said.custom_roles = split(cell),
                Column::Teams => said.teams = split(cell),
                Column::State => said.state = text,
                Column::Other => {}
            }
        }
        Ok(said)
    }
}

/// The names in a cell of several.
fn split(cell: &str) -> Vec<String> {
    let (mut names, mut name, mut characters) = (Vec::new(), String::new(), cell.chars());
    while let Some(c) = characters.next() {
        match c {
            '\\' => name.extend(characters.next()),
            BETWEEN_NAMES => names.push(std::mem::take(&mut name)),
            c => name.push(c),
        }
    }
    names.push(name);
    names.into_iter().map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).collect()
}

/// Names as [`split`] reads them.
pub fn join<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let escaped = |name: &str| name.replace('\\', "\\\\").replace(BETWEEN_NAMES, "\\|");
    names.into_iter().map(escaped).collect::<Vec<_>>().join("|")
}

/// The fields of a line of JSON. A field that is there twice is refused as an unknown one is.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fields {
    email: Option<Value>,
    name: Option<Value>,
    password_hash: Option<Value>,
    role: Option<Value>,
    custom_roles: Option<Value>,
    teams: Option<Value>,
    state: Option<Value>,
    #[serde(rename = "id")]
    _id: Option<Value>,
    #[serde(rename = "account_id")]
    _account_id: Option<Value>,
    #[serde(rename = "effective_roles")]
    _effective_roles: Option<Value>,
    #[serde(rename = "created_at")]
    _created_at: Option<Value>,
    #[serde(rename = "joined_at")]
    _joined_at: Option<Value>,
    #[serde(rename = "last_sign_in_at")]
    _last_sign_in_at: Option<Value>,
}

fn json(text: &str) -> Result<Said, Refusal> {
    // A list would be taken for an object's fields in their order.
    if !text.trim_start().starts_with('{') {
        return Err(Refusal::line("not_json"));
    }
    let fields: Fields = serde_json::from_str(text).map_err(|error| match error.classify() {
        serde_json::error::Category::Data => Refusal::line("unknown_field"),
        _ => Refusal::line("not_json"),
    })?;
    let one = |value: Option<Value>, field| match value {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(Refusal::field("type", field)),
    };
    let several = |value: Option<Value>, field| match value {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Array(names)) => {
            names.into_iter().map(|name| one(Some(name), field)?.ok_or(Refusal::field("type", field))).collect()
        }
        Some(_) => Err(Refusal::field("type", field)),
    };
    Ok(Said {
        email: one(fields.email, "email")?,
        name: one(fields.name, "name")?,
        password_hash: one(fields.password_hash, "password_hash")?,
        role: one(fields.role, "role")?,
        custom_roles: several(fields.custom_roles, "custom_roles")?,
        teams: several(fields.teams, "teams")?,
        state: one(fields.state, "state")?,
    })
}

impl Said {
    fn record(self) -> Result<Record, Refusal> {
        let email = self.email.ok_or(Refusal::field("required", "email"))?;
        let email = email.parse::<Email>().map_err(|_| Refusal::field("format", "email"))?;
        let line = |text: Option<String>, longest, field| match text {
            None => Ok(None),
            Some(text) => single_line(&text, longest).map(Some).ok_or(Refusal::field("format", field)),
        };
        if let Some(hash) = &self.password_hash {
            accounts::check_hash(hash).map_err(|code| Refusal::field(code, "password_hash"))?;
        }
        let names = |names: &[String], field| {
            let clean: Option<Vec<_>> = names.iter().map(|name| single_line(name, LONGEST_WORD)).collect();
            clean.filter(|names| names.len() <= MOST_NAMES).ok_or(Refusal::field("format", field))
        };
        let state = self.state.map(|state| nfc(state.trim()).to_lowercase());
        Ok(Record {
            email,
            name: line(self.name, accounts::LONGEST_NAME, "name")?,
            password_hash: self.password_hash,
            role: line(self.role, LONGEST_WORD, "role")?,
            custom_roles: names(&self.custom_roles, "custom_roles")?,
            teams: names(&self.teams, "teams")?,
            blocked: match state.as_deref() {
                None | Some("active") => false,
                Some("blocked") => true,
                Some(_) => return Err(Refusal::field("choice", "state")),
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(header: &str, line: &[u8]) -> Result<Record, Refusal> {
        Reader::Csv(Header::parse(Some(header.as_bytes())).unwrap()).read(2, Some(line)).unwrap()
    }

    fn refusal(result: Result<Record, Refusal>) -> (&'static str, Option<&'static str>) {
        result.err().map(|refusal| (refusal.code, refusal.field)).expect("it was taken")
    }

    #[test]
    fn a_header_names_columns_in_any_order_and_says_what_lies_between() {
        for header in ["email,name", "\u{feff}Email, \"Name\"", "email;name", "email\tname", "name,email,created_at"] {
            assert!(Header::parse(Some(header.as_bytes())).is_ok(), "{header}");
        }
        let wide = format!("email{}", ",id".repeat(1_000_000));
        for (header, fault) in [
            ("", "unknown_column"),
            ("name", "no_email_column"),
            ("email,Email", "doubled_column"),
            ("email,shoe_size", "unknown_column"),
            ("ada@example.com,Ada", "unknown_column"),
            (wide.as_str(), "too_many_columns"),
        ] {
            assert_eq!(Header::parse(Some(header.as_bytes())), Err(fault), "{:.40}", header);
        }
        assert_eq!(Header::parse(Some(b"\xff\xfee\0m\0a\0i\0l\0")), Err("header_unreadable"));
        assert_eq!(Header::parse(None), Err("header_unreadable"));
    }

    #[test]
    fn a_line_of_csv_says_who_or_what_is_wrong_with_it() {
        let record = read(
            "email;name;role;teams;state",
            b" Ada@Example.COM ;\"Lovelace; Ada\";member;Day|Night \\| late;blocked",
        );
        let record = record.unwrap_or_else(|refusal| panic!("{refusal:?}"));
        assert_eq!((record.email.as_str(), record.name.as_deref()), ("ada@example.com", Some("Lovelace; Ada")));
        assert_eq!(record.teams, ["Day", "Night | late"]);
        assert_eq!(join(record.teams.iter().map(String::as_str)), "Day|Night \\| late");
        assert!(record.blocked);
        for (line, fault) in [
            (&b"ada@example.com"[..], ("columns", None)),
            (b"ada@example.com,Ada,,,", ("columns", None)),
            (b"ada@example.com,\"Ada", ("unbalanced_quotes", None)),
            (b"ada@example.com,A\xff", ("not_utf8", None)),
            (b"ada@example.com,A\0da", ("control_character", None)),
            (b",Ada", ("required", Some("email"))),
            (b"ada,Ada", ("format", Some("email"))),
            (b"=cmd|' /C calc'!A0,Ada", ("format", Some("email"))),
        ] {
            assert_eq!(refusal(read("email,name", line)), fault, "{}", String::from_utf8_lossy(line));
        }
        let long = format!("ada@example.com,{}", "x".repeat(201));
        assert_eq!(refusal(read("email,name", long.as_bytes())), ("format", Some("name")));
        assert_eq!(refusal(read("email,state", b"ada@example.com,asleep")), ("choice", Some("state")));
        let costly = b"ada@example.com,$2b$31$E73ts0xb2Rnh10Ph1Oqs8eqhVjla1Q05PgSNyAHaig/LXnW9cXFcy";
        assert_eq!(refusal(read("email,password_hash", costly)), ("hash_too_costly", Some("password_hash")));
        assert!(Reader::JsonLines.read(2, Some(b"  ")).is_none());
        assert_eq!(refusal(Reader::JsonLines.read(2, None).unwrap()), ("line_too_long", None));
    }

    #[test]
    fn a_line_of_json_says_who_or_what_is_wrong_with_it() {
        let read = |line: &str| Reader::JsonLines.read(1, Some(line.as_bytes())).unwrap();
        let record =
            read("\u{feff}{\"email\": \"ada@example.com\", \"name\": null, \"teams\": [\"Day | Night\"], \"id\": 7}");
        assert_eq!(record.unwrap_or_else(|refusal| panic!("{refusal:?}")).teams, ["Day | Night"]);
        for (line, fault) in [
            ("{", ("not_json", None)),
            ("email,name", ("not_json", None)),
            ("{\"email\": \"ada@example.com\"} {}", ("not_json", None)),
            ("[\"ada@example.com\"]", ("not_json", None)),
            ("{\"mail\": \"ada@example.com\"}", ("unknown_field", None)),
            ("{\"email\": \"a@example.com\", \"email\": \"b@example.com\"}", ("unknown_field", None)),
            ("{\"email\": 7}", ("type", Some("email"))),
            ("{\"email\": \"ada@example.com\", \"teams\": \"Day\"}", ("type", Some("teams"))),
            ("{\"email\": \"ada@example.com\", \"teams\": [7]}", ("type", Some("teams"))),
            ("{\"email\": \"ada@example.com\", \"name\": \"A\\u0000\"}", ("format", Some("name"))),
        ] {
            assert_eq!(refusal(read(line)), fault, "{line}");
        }
        assert_eq!(refusal(read(&"[".repeat(10_000))).1, None);
    }
}
