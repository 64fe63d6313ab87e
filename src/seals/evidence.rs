//! Evidence: sealed entries with all that proves them, as a file of JSON lines that is read and written page by page.
//!
//! `policies/EVIDENCE.md` describes the file, what it proves, and what it can't. That somebody got one is in the record
//! before its first line leaves.

use std::collections::HashMap;

use bytes::Bytes;
use entity::{AuditEntryId, OrganizationId, audit_checkpoints as checkpoints, audit_seals as seals};
use sea_orm::{ColumnTrait, FromQueryResult, QueryFilter, QueryOrder, QuerySelect};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{
    form::{EVIDENCE_FORMAT, entry, least, moment},
    signed::Claimed,
};
use crate::{
    app::App,
    audit::{
        self, Disclosed, Event, Kind,
        commitment::{Salt, details, hex, origin},
    },
    db::Tx,
    error::Result,
    runtime::Timestamp,
    types::Caller,
};

/// How many entries are read at once.
const PAGE: u64 = 500;

/// How many entries are looked through at once for some that nobody sealed.
const LOOKED_THROUGH: i64 = 5000;

/// Which part of the record is wanted; all of it when nothing is said. It is widened to whole checkpoints.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wanted {
    /// What was sealed from this moment on.
    pub from: Option<Timestamp>,
    /// What was sealed before this moment.
    pub to: Option<Timestamp>,
    /// From the entry in this place on.
    pub first: Option<i64>,
    /// Up to the entry in this place.
    pub last: Option<i64>,
}

/// A file of evidence, page by page.
pub struct Evidence {
    app: App,
    caller: Caller,
    span: Span,
    at: At,
}

/// From which checkpoint to which.
#[derive(Clone)]
struct Span {
    /// The checkpoint before the first entry; none when that is the first of all.
    start: Option<checkpoints::Model>,
    /// The one after the last.
    end: Option<checkpoints::Model>,
}

impl Span {
    /// After so many entries.
    fn after(&self) -> i64 {
        self.start.as_ref().map_or(0, |checkpoint| checkpoint.sequence)
    }

    /// Up to this one.
    fn last(&self) -> i64 {
        self.end.as_ref().map_or_else(|| self.after(), |checkpoint| checkpoint.sequence)
    }
}

/// Where the writing is.
#[derive(Clone, Copy)]
enum At {
    /// After this entry.
    Entry(i64),
    /// Looking for entries that nobody sealed, after this id.
    Unsealed(Uuid),
    /// Nothing is left.
    End,
}

/// Begins a file of evidence of the caller's organisation, and records that. Its first lines, and the rest to come.
///
/// # Errors
/// When the database fails.
pub async fn export(app: &App, caller: &Caller, wanted: Wanted) -> Result<(Bytes, Evidence)> {
    let organization = caller.organization().unwrap_or(OrganizationId::PLATFORM);
    let tx = app.db.write(caller).await?;
    let span = span(&tx, wanted).await?;
    let event = Event::new(Kind::EvidenceExported, organization)
        .with("first", span.after() + 1)
        .with("last", span.last())
        .with("checkpoint", span.end.as_ref().map(|checkpoint| checkpoint.number));
    tx.commit(event).await?;
    let head = head(app, organization, caller.now(), &span)?;
    let at = At::Entry(span.after());
    Ok((head, Evidence { app: app.clone(), caller: caller.clone(), span, at }))
}

impl Evidence {
    /// The next page; `None` after the last. Who may have it is the face's to ask, each time.
    ///
    /// # Errors
    /// When the database fails, or something can't be opened.
    pub async fn page(&mut self) -> Result<Option<Bytes>> {
        let (bytes, at) = match self.at {
            At::End => return Ok(None),
            At::Entry(after) => page(&self.app, &self.caller, &self.span, after).await?,
            At::Unsealed(after) => unsealed(&self.app, &self.caller, &self.span, after).await?,
        };
        self.at = at;
        Ok(Some(bytes))
    }
}

/// The checkpoints around what is wanted.
async fn span(tx: &Tx, wanted: Wanted) -> Result<Span> {
    use checkpoints::Column as C;
    let newest = || tx.find::<checkpoints::Entity>().order_by_desc(C::Number).limit(1);
    let oldest = || tx.find::<checkpoints::Entity>().order_by_asc(C::Number).limit(1);
    let start = match (wanted.from, wanted.first) {
        (None, None) => None,
        (Some(from), None) => tx.one(newest().filter(C::SealedAt.lt(from))).await?,
        (None, Some(first)) => tx.one(newest().filter(C::Sequence.lt(first))).await?,
        (Some(from), Some(first)) => {
            tx.one(newest().filter(C::SealedAt.lt(from)).filter(C::Sequence.lt(first))).await?
        }
    };
    let mut end = match (wanted.to, wanted.last) {
        (None, None) => None,
        (Some(to), None) => tx.one(oldest().filter(C::SealedAt.gte(to))).await?,
        (None, Some(last)) => tx.one(oldest().filter(C::Sequence.gte(last))).await?,
        (Some(to), Some(last)) => tx.one(oldest().filter(C::SealedAt.gte(to)).filter(C::Sequence.gte(last))).await?,
    };
    if end.is_none() {
        end = tx.one(newest()).await?;
    }
    // What ends before it begins has nothing in it.
    let empty = |start: &checkpoints::Model, end: &checkpoints::Model| start.sequence >= end.sequence;
    if start.as_ref().zip(end.as_ref()).is_some_and(|(start, end)| empty(start, end)) {
        end = None;
    }
    Ok(Span { start, end })
}

fn head(app: &App, organization: OrganizationId, now: Timestamp, span: &Span) -> Result<Bytes> {
    let mut text = String::new();
    line(
        &mut text,
        &json!({
            "type": "evidence",
            "format": EVIDENCE_FORMAT,
            "issuer": &*app.public_url,
            "organization_id": organization,
            "exported_at": moment(now),
            "first": span.after() + 1,
            "last": span.last(),
        }),
    );
    if let Some(start) = &span.start {
        line(&mut text, &signed(start));
    }
    Ok(text.into())
}

fn line(text: &mut String, object: &Value) {
    text.push_str(&object.to_string());
    text.push('\n');
}

fn signed(checkpoint: &checkpoints::Model) -> Value {
    json!({"type": "checkpoint", "jws": checkpoint.jws})
}

/// Some entries with their seals, each checkpoint after the last entry that it seals.
async fn page(app: &App, caller: &Caller, span: &Span, after: i64) -> Result<(Bytes, At)> {
    let tx = app.db.read(caller).await?;
    let within = tx.find::<seals::Entity>().filter(seals::Column::Sequence.gt(after));
    let within = within.filter(seals::Column::Sequence.lte(span.last())).order_by_asc(seals::Column::Sequence);
    let rows = tx.all(within.limit(PAGE)).await?;
    let full = u64::try_from(rows.len()).unwrap_or(0) == PAGE;
    // Beyond the last seal that there is, checkpoints show that there were more.
    let to = rows.last().filter(|_| full).map_or(span.last(), |last| last.sequence);
    let closing = tx.find::<checkpoints::Entity>().filter(checkpoints::Column::Sequence.gt(after));
    let closing = closing.filter(checkpoints::Column::Sequence.lte(to)).order_by_asc(checkpoints::Column::Number);
    let mut closing = tx.all(closing).await?.into_iter().peekable();
    let ids: Vec<AuditEntryId> = rows.iter().map(|row| row.entry_id).collect();
    let disclosed = audit::disclosed(&app.vault, &tx, ids).await?;
    let mut disclosed: HashMap<_, _> = disclosed.into_iter().map(|entry| (entry.row.id, entry)).collect();
    let mut text = String::new();
    for row in rows {
        while let Some(checkpoint) = closing.next_if(|checkpoint| checkpoint.sequence < row.sequence) {
            line(&mut text, &signed(&checkpoint));
        }
        line(&mut text, &sealed(&row, disclosed.remove(&row.entry_id)));
    }
    closing.for_each(|checkpoint| line(&mut text, &signed(&checkpoint)));
    let next = if full { At::Entry(to) } else { looked_from(span) };
    Ok((text.into(), next))
}

/// An entry with its seal, and what proves what is personal of it.
fn sealed(row: &seals::Model, found: Option<Disclosed>) -> Value {
    let mut object = Map::new();
    object.insert("type".to_owned(), json!("entry"));
    object.insert("sequence".to_owned(), json!(row.sequence));
    object.insert("id".to_owned(), json!(row.entry_id));
    object.insert("hash".to_owned(), json!(hex(&row.hash)));
    if let Some(Disclosed { row, personal, salts }) = found {
        object.insert("entry".to_owned(), entry(&row));
        let from = origin(personal.address.as_deref(), personal.user_agent.as_deref());
        let parts = [("origin", from, salts.origin), ("details", details(&personal.details), salts.details)];
        let parts = parts.into_iter().filter_map(|(name, said, salt)| Some((name.to_owned(), part(said?, salt))));
        let parts: Map<_, _> = parts.collect();
        if !parts.is_empty() {
            object.insert("personal".to_owned(), Value::Object(parts));
        }
    }
    Value::Object(object)
}

fn part(said: Value, salt: Option<Salt>) -> Value {
    match salt {
        Some(salt) => json!({"salt": hex(&salt), "said": said}),
        None => json!({"said": said}),
    }
}

/// Where the entries begin that could have been sealed in this span. What was sealed late is looked for, too.
fn looked_from(span: &Span) -> At {
    let complete = |checkpoint: &checkpoints::Model| Claimed::parse(&checkpoint.jws)?.checkpoint.complete_before;
    match &span.end {
        None => At::Unsealed(Uuid::max()),
        Some(_) => At::Unsealed(span.start.as_ref().and_then(complete).map(least).unwrap_or_default()),
    }
}

#[derive(FromQueryResult)]
struct Looked {
    id: Uuid,
    unsealed: bool,
}

const LOOK: &str = "
    WITH page AS (SELECT id FROM audit_entries WHERE organization_id = $1 AND id > $2 AND id < $3 ORDER BY id LIMIT $4)
    SELECT p.id, NOT EXISTS (SELECT FROM audit_seals s WHERE s.entry_id = p.id) AS unsealed FROM page p ORDER BY p.id";

/// Entries that nobody sealed although everything of their time was, and the end when there are no more.
async fn unsealed(app: &App, caller: &Caller, span: &Span, after: Uuid) -> Result<(Bytes, At)> {
    let organization = caller.organization().unwrap_or(OrganizationId::PLATFORM);
    // What the last checkpoint says was complete: what is younger may still wait for its turn.
    let complete = span.end.as_ref().and_then(|end| Claimed::parse(&end.jws)?.checkpoint.complete_before);
    let before = complete.map(least).unwrap_or_default();
    let tx = app.db.read(caller).await?;
    let values = [Uuid::from(organization).into(), after.into(), before.into(), LOOKED_THROUGH.into()];
    let looked: Vec<Looked> = tx.query(LOOK, values).await?;
    let mut text = String::new();
    for one in looked.iter().filter(|one| one.unsealed) {
        line(&mut text, &json!({"type": "never_sealed", "id": one.id}));
    }
    match looked.last() {
        Some(last) => Ok((text.into(), At::Unsealed(last.id))),
        None => {
            line(&mut text, &json!({"type": "end", "sequence": span.last()}));
            Ok((text.into(), At::End))
        }
    }
}
