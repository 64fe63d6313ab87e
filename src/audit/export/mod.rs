//! The record as a file: CSV, JSON lines, CEF or OCSF, the newest entry first (AUD-3).
//!
//! A file is read page by page and never whole in memory. That somebody began to take it is in the record before its first
//! byte leaves, and how it ended afterwards. The last line of a whole file is that second entry, `audit.export_ended`, in
//! the file's own format: it has the number of entries before it and the SHA-256 of all bytes before it. A file without it
//! broke off. It has what was committed when its page was read; what comes after it began is not in it.

mod cef;
mod csv;
mod jsonl;
mod ocsf;

use bytes::Bytes;
use entity::audit_entries as entries;
use sea_orm::{ColumnTrait, QueryFilter};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{
    catalog::Kind,
    event::Event,
    personal::{self, Entry},
    search::{self, Filter},
};
use crate::{
    db::{Db, Tx},
    error::{Error, Result},
    runtime::{Ids, Timestamp},
    types::{Caller, Cursor, PageRequest},
    vault::Vault,
};

/// How many entries are read at once: about half a megabyte of a file.
const PAGE: u64 = 500;

/// How a file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// A table (RFC 4180) in which no cell is a formula.
    Csv,
    /// A JSON object a line, each as `audit_get` shows it.
    JsonLines,
    /// ArcSight's Common Event Format, version 0.
    Cef,
    /// A JSON object a line, each an event of the Open Cybersecurity Schema Framework's IAM category.
    Ocsf,
}

impl Format {
    /// The word for it, which is what a file's name ends in.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::JsonLines => "jsonl",
            Self::Cef => "cef",
            Self::Ocsf => "ocsf",
        }
    }
}

/// Who did something, as they are today.
#[derive(Clone, Debug, Default)]
pub struct Who {
    /// What they are called.
    pub name: Option<String>,
    /// Whether it is a person who has been erased since.
    pub erased: bool,
}

/// A line of a file.
pub struct Line {
    /// What happened.
    pub entry: Entry,
    /// Who did it.
    pub who: Who,
}

impl Line {
    /// The entry's details, with those that are personal.
    fn details(&self) -> Map<String, Value> {
        let stored = self.entry.row.metadata.as_object().cloned().unwrap_or_default();
        stored.into_iter().chain(self.entry.personal.details.clone()).collect()
    }

    /// A few words for what happened.
    fn title(&self) -> &str {
        match Kind::find(&self.entry.row.event) {
            Some(kind) => kind.title(),
            None => &self.entry.row.event,
        }
    }
}

/// Why there is no more of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// Everything is in it.
    Complete,
    /// Nobody took it any more.
    Left,
    /// Whoever asked may not have it any more.
    NotAllowed,
    /// The server stopped.
    Stopped,
    /// Something went wrong on our side.
    Failed,
}

impl Ended {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Left => "client_left",
            Self::NotAllowed => "not_allowed",
            Self::Stopped => "server_stopped",
            Self::Failed => "error",
        }
    }
}

/// A file on its way out.
pub struct Export {
    id: Uuid,
    format: Format,
    filter: Filter,
    /// Below which id the next page begins; none after the last.
    next: Option<Cursor>,
    count: u64,
    digest: Sha256,
}

impl Export {
    /// Records that a file is being taken of the caller's organisation, and begins it.
    ///
    /// # Errors
    /// `Invalid` for a text without words or with too many; when the database fails.
    pub async fn begin(db: &Db, caller: &Caller, format: Format, filter: Filter) -> Result<Self> {
        search::check(&filter)?;
        // What is written from here on is not in the file, its own beginning included.
        let (id, end): (Uuid, Uuid) = (Ids.next(), Ids.next());
        let event = asked(Event::new(Kind::AuditExported, id).with("format", format.as_str()), &filter);
        db.write(caller).await?.commit(event).await?;
        Ok(Self { id, format, filter, next: Some(Cursor(end)), count: 0, digest: Sha256::new() })
    }

    /// What comes before the first entry; nothing in most formats.
    pub fn head(&mut self) -> Bytes {
        let head = if self.format == Format::Csv { csv::head() } else { Bytes::new() };
        self.digest.update(&head);
        head
    }

    /// The next entries, perhaps none of them; `None` when there are no more.
    ///
    /// # Errors
    /// When the database fails, or something can't be opened.
    pub async fn page(&mut self, vault: &Vault, tx: &Tx) -> Result<Option<Vec<Entry>>> {
        let Some(after) = self.next else { return Ok(None) };
        let page = PageRequest { limit: PAGE, after: Some(after) };
        let page = search::list(vault, tx, &self.filter, page).await?;
        self.next = page.next;
        Ok(Some(page.items))
    }

    /// Writes the lines of some entries.
    ///
    /// # Errors
    /// Never in practice: it is written into memory.
    pub fn write(&mut self, lines: &[Line]) -> Result<Bytes> {
        let bytes = self.lines(lines)?;
        self.count += u64::try_from(lines.len()).map_err(Error::internal)?;
        self.digest.update(&bytes);
        Ok(bytes)
    }

    /// How many entries have been written.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Records how the file ended, and gives that entry.
    ///
    /// # Errors
    /// When the database fails: then nothing may be said to be whole.
    pub async fn end(&self, db: &Db, vault: &Vault, caller: &Caller, ended: Ended) -> Result<Entry> {
        let sha256: String = self.digest.clone().finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        let event = Event::new(Kind::AuditExportEnded, self.id)
            .with("format", self.format.as_str())
            .with("reason", ended.as_str())
            .with("entries", self.count)
            .with("sha256", sha256);
        let event = if ended == Ended::Complete { event } else { event.failed() };
        db.write(caller).await?.commit(event).await?;
        let tx = db.read(caller).await?;
        let of_this = tx.find::<entries::Entity>().filter(entries::Column::TargetId.eq(self.id));
        let row = tx.one(of_this.filter(entries::Column::Event.eq(Kind::AuditExportEnded.code()))).await?;
        let entry = personal::whole(vault, &tx, row.into_iter().collect()).await?.pop();
        entry.ok_or_else(|| Error::internal("the end of an export is not in the record"))
    }

    /// Writes the last line of a whole file.
    ///
    /// # Errors
    /// As [`Export::write`].
    pub fn last(&self, line: Line) -> Result<Bytes> {
        self.lines(&[line])
    }

    fn lines(&self, lines: &[Line]) -> Result<Bytes> {
        match self.format {
            Format::Csv => csv::lines(lines),
            Format::JsonLines => Ok(joined(lines, |line| jsonl::object(line).to_string())),
            Format::Cef => Ok(joined(lines, cef::line)),
            Format::Ocsf => Ok(joined(lines, |line| ocsf::event(line).to_string())),
        }
    }
}

fn joined(lines: &[Line], write: impl Fn(&Line) -> String) -> Bytes {
    let written = lines.iter().map(|line| format!("{}\n", write(line)));
    Bytes::from(written.collect::<String>())
}

/// An event with what was asked for. The words of a search may name somebody.
fn asked(event: Event, filter: &Filter) -> Event {
    let text = |text: &Option<String>| text.clone().map(Value::String);
    let id = |id: Option<Uuid>| id.map(|id| Value::String(id.to_string()));
    let time = |at: Option<Timestamp>| at.map(|at| Value::String(time(at)));
    let asked = [
        ("actor_id", id(filter.actor_id)),
        ("event", text(&filter.event)),
        ("severity", text(&filter.severity)),
        ("min_severity", filter.min_severity.map(|least| Value::String(least.as_str().to_owned()))),
        ("class", text(&filter.class)),
        ("outcome", text(&filter.outcome)),
        ("target_type", text(&filter.target_type)),
        ("target_id", id(filter.target_id)),
        ("from", time(filter.from)),
        ("to", time(filter.to)),
    ];
    let given = asked.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    let event = event.with("filters", Value::Object(given.collect()));
    match &filter.text {
        Some(text) => event.with_personal("text", text.as_str()),
        None => event,
    }
}

/// A time as the API writes it (RFC 3339).
fn time(at: Timestamp) -> String {
    at.to_rfc3339()
}
