//! Reading the record: filters, words, pages (AUD-3).

use std::collections::BTreeSet;

use chrono::TimeDelta;
use entity::{AuditEntryId, audit_entries as entries, audit_words};
use sea_orm::{
    ColumnTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait, Select,
    sea_query::{Expr, JoinType},
};
use uuid::Uuid;

use super::{
    catalog::Severity,
    personal::{self, Entry},
    words,
};
use crate::{
    db::Tx,
    error::{Error, Fault, Result},
    runtime::Timestamp,
    types::{Cursor, Page, PageRequest},
    vault::Vault,
};

/// Which entries are asked for. Every filter that is set must hold.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Who did it.
    pub actor_id: Option<Uuid>,
    /// The event's code.
    pub event: Option<String>,
    /// `low`, `medium`, `high` or `critical`.
    pub severity: Option<String>,
    /// That or more.
    pub min_severity: Option<Severity>,
    /// `normal` or `security`.
    pub class: Option<String>,
    /// `success`, `refused` or `failed`.
    pub outcome: Option<String>,
    /// The type of what it happened to.
    pub target_type: Option<String>,
    /// What it happened to.
    pub target_id: Option<Uuid>,
    /// Not before this moment.
    pub from: Option<Timestamp>,
    /// Before this moment.
    pub to: Option<Timestamp>,
    /// Exact words of the code, the ids and the details; all must be there.
    pub text: Option<String>,
}

/// The entries of the word that leads, in a statement.
const LED: &str = "led";
/// What the index of grave entries has.
const GRAVE: &str = "audit_entries.severity IN ('high', 'critical')";
/// What the index of those has that did not succeed.
const UNSUCCESSFUL: &str = "audit_entries.outcome <> 'success'";

impl Filter {
    /// Whether nothing less than `high` is asked for.
    fn is_grave(&self) -> bool {
        self.min_severity.is_some_and(|least| least >= Severity::High)
            || self.severity.as_deref().is_some_and(|severity| ["high", "critical"].contains(&severity))
    }

    /// Whether nothing is asked for that succeeded.
    fn is_unsuccessful(&self) -> bool {
        self.outcome.as_deref().is_some_and(|outcome| outcome != "success")
    }
}

/// The most words of a text search: each is a subquery.
const WORDS: usize = 8;

/// How many entries one search looks through: some milliseconds of PostgreSQL's. It takes them from the one index that
/// serves the filter best. What else is asked for is looked for among these, so a page can have fewer entries than it might,
/// or none, and still lead on to the next.
const WINDOW: u64 = 10_000;

/// How long before something happens its entry may get its id: the clocks of two instances are less than a second apart.
const EARLIER: TimeDelta = TimeDelta::minutes(1);
/// How long after. A transaction takes minutes at most, and a letter that was asked for waits no longer to be written.
const LATER: TimeDelta = TimeDelta::hours(1);

/// The organisation's entries, newest first.
///
/// # Errors
/// `Invalid` for a text without words or with too many; when the database fails.
pub async fn list(vault: &Vault, tx: &Tx, filter: &Filter, page: PageRequest) -> Result<Page<Entry>> {
    let page = rows(tx, filter, page).await?;
    Ok(Page { items: personal::whole(vault, tx, page.items).await?, next: page.next })
}

/// The same without what is personal of them.
///
/// # Errors
/// As [`list`].
pub async fn rows(tx: &Tx, filter: &Filter, page: PageRequest) -> Result<Page<entries::Model>> {
    let words = filter.text.as_deref().map(searched).transpose()?.unwrap_or_default();
    let span = Span::of(filter, page.after);
    // The record is in parts by month, and whoever asks for all of it opens every one. Most find enough in the latest.
    if let Some(recent) = span.recent(tx.caller().now()) {
        let found = within(tx, (filter, &words), recent, page).await?;
        if found.next.is_some() {
            return Ok(found);
        }
    }
    within(tx, (filter, &words), span, page).await
}

/// A page of what lies between two ids.
async fn within(
    tx: &Tx,
    (filter, words): (&Filter, &BTreeSet<String>),
    span: Span,
    page: PageRequest,
) -> Result<Page<entries::Model>> {
    let lead = Lead::of(filter, words);
    let end = if lead.is_all(filter, words) { None } else { lead.end(tx, span).await? };
    let span = Span { least: end.or(span.least), ..span };
    let query = lead.through(tx, span, filtered(tx, filter, words));
    let page = PageRequest { after: None, ..page };
    let mut found = tx.page(query, entries::Column::Id, |row| row.id.into(), page).await?;
    found.next = found.next.or(end.map(Cursor));
    Ok(found)
}

/// One entry.
///
/// # Errors
/// `NotFound` when the organisation has no such entry.
pub async fn get(vault: &Vault, tx: &Tx, id: AuditEntryId) -> Result<Entry> {
    let query = tx.find::<entries::Entity>().filter(entries::Column::Id.eq(id));
    let found = personal::whole(vault, tx, tx.one(query).await?.into_iter().collect()).await?;
    found.into_iter().next().ok_or_else(Error::not_found)
}

/// Whether a filter can be searched by at all.
///
/// # Errors
/// `Invalid` for a text without words or with too many.
pub(super) fn check(filter: &Filter) -> Result<()> {
    filter.text.as_deref().map(searched).transpose().map(|_| ())
}

/// The words of a text to search for. None would find everything, and a word that does not count too much.
fn searched(text: &str) -> Result<BTreeSet<String>> {
    let words: BTreeSet<_> = words::of_text(text).collect();
    if (1..=WORDS).contains(&words.len()) {
        return Ok(words);
    }
    let detail = format!("must have 1 to {WORDS} words of letters and digits");
    Err(Error::Invalid(vec![Fault::parameter("text", "words", detail)]))
}

/// The one part of a filter whose index leads through the entries, newest first.
enum Lead<'a> {
    Target(Uuid),
    Actor(Uuid),
    Word(&'a str),
    Event(&'a str),
    /// `high` or `critical`.
    Grave,
    /// Refused or failed.
    Unsuccessful,
    /// No part of it: all entries.
    Page,
}

impl<'a> Lead<'a> {
    /// The part that is likely to leave the fewest. Of words that is the longest: ids are.
    fn of(filter: &'a Filter, words: &'a BTreeSet<String>) -> Self {
        let longest = words.iter().max_by_key(|word| word.len());
        match (filter.target_id, filter.actor_id, longest, &filter.event) {
            (Some(target), ..) => Self::Target(target),
            (None, Some(actor), ..) => Self::Actor(actor),
            (None, None, Some(word), _) => Self::Word(word),
            (None, None, None, Some(event)) => Self::Event(event),
            (None, None, None, None) if filter.is_grave() => Self::Grave,
            (None, None, None, None) if filter.is_unsuccessful() => Self::Unsuccessful,
            (None, None, None, None) => Self::Page,
        }
    }

    /// What a filter finds between two ids. Most entries with a word are far apart, so that a plan that goes through the
    /// entries and asks for the word of each takes long: this one goes through the word's, which are no more than a window.
    fn through(&self, tx: &Tx, span: Span, query: Select<entries::Entity>) -> Select<entries::Entity> {
        let mut query = span.narrow(query, entries::Column::Id);
        if let Self::Word(word) = self {
            let entry = audit_words::Column::EntryId;
            let having = tx.find::<audit_words::Entity>().filter(audit_words::Column::Word.eq(*word));
            let having = span.narrow(having, entry).select_only().column(entry).order_by_desc(entry).limit(WINDOW);
            let same =
                sea_orm::sea_query::ExprTrait::equals(Expr::col((LED, entry)), (entries::Entity, entries::Column::Id));
            QueryTrait::query(&mut query).join_subquery(JoinType::InnerJoin, having.into_query(), LED, same);
        }
        query
    }

    /// Whether nothing else is asked for, so that each entry it leads to is one that was.
    fn is_all(&self, filter: &Filter, words: &BTreeSet<String>) -> bool {
        let asked = [
            filter.target_id.is_some(),
            filter.actor_id.is_some(),
            filter.event.is_some(),
            filter.severity.is_some(),
            filter.min_severity.is_some(),
            filter.class.is_some(),
            filter.outcome.is_some(),
            filter.target_type.is_some(),
            filter.from.is_some(),
            filter.to.is_some(),
        ];
        let asked = asked.into_iter().filter(|asked| *asked).count() + words.len();
        match self {
            Self::Page => asked == 0,
            Self::Grave => asked == 1 && filter.min_severity == Some(Severity::High),
            Self::Unsuccessful => false,
            Self::Target(_) | Self::Actor(_) | Self::Word(_) | Self::Event(_) => asked == 1,
        }
    }

    /// The last entry that one search looks at, if there are more.
    async fn end(&self, tx: &Tx, span: Span) -> Result<Option<Uuid>> {
        use entries::Column as C;
        let all = tx.find::<entries::Entity>();
        let query = match self {
            Self::Target(id) => all.filter(C::TargetId.eq(*id)),
            Self::Actor(id) => all.filter(C::ActorId.eq(*id)),
            Self::Event(event) => all.filter(C::Event.eq(*event)),
            Self::Grave => all.filter(Expr::cust(GRAVE)),
            Self::Unsuccessful => all.filter(Expr::cust(UNSUCCESSFUL)),
            Self::Page => all,
            Self::Word(word) => {
                let having = tx.find::<audit_words::Entity>().filter(audit_words::Column::Word.eq(*word));
                let column = audit_words::Column::EntryId;
                let last = span.narrow(having, column).select_only().column(column).order_by_desc(column);
                return Ok(tx.rows(last.offset(WINDOW - 1).limit(1).into_tuple()).await?.into_iter().next());
            }
        };
        let last = span.narrow(query, C::Id).select_only().column(C::Id).order_by_desc(C::Id);
        Ok(tx.rows(last.offset(WINDOW - 1).limit(1).into_tuple()).await?.into_iter().next())
    }
}

/// How far back most searches find what they are for: two or three months of the record.
const RECENT: TimeDelta = TimeDelta::days(62);

/// Between which ids to look.
#[derive(Clone, Copy)]
struct Span {
    /// Not before this one.
    least: Option<Uuid>,
    /// Before this one.
    before: Option<Uuid>,
}

impl Span {
    /// Those of a filter's times, below where the last page ended. Ids begin with their milliseconds (RFC 9562, 5.7).
    fn of(filter: &Filter, after: Option<Cursor>) -> Self {
        let least = filter.from.and_then(|from| from.checked_sub_signed(EARLIER)).map(first_id);
        let latest = filter.to.and_then(|to| to.checked_add_signed(LATER)).map(first_id);
        let before = [latest, after.map(|cursor| cursor.0)].into_iter().flatten().min();
        Self { least, before }
    }

    /// The latest of them, if they reach further back.
    fn recent(self, now: Timestamp) -> Option<Self> {
        let latest = self.before.map_or(now, |before| now.min(made(before)));
        let least = latest.checked_sub_signed(RECENT).map(first_id)?;
        self.least.is_none_or(|own| own < least).then_some(Self { least: Some(least), ..self })
    }

    fn narrow<E: sea_orm::EntityTrait>(self, query: Select<E>, id: E::Column) -> Select<E> {
        let query = self.least.into_iter().fold(query, |query, least| query.filter(id.gte(least)));
        self.before.into_iter().fold(query, |query, before| query.filter(id.lt(before)))
    }
}

/// The least id of a moment.
fn first_id(moment: Timestamp) -> Uuid {
    // Times before 1970 have no ids, and 48 bits of milliseconds are enough for the next nine thousand years.
    let milliseconds = u128::try_from(moment.timestamp_millis()).unwrap_or_default().min((1 << 48) - 1);
    Uuid::from_u128(milliseconds << 80)
}

/// When an id was made; the end of time for what is none of ours.
fn made(id: Uuid) -> Timestamp {
    i64::try_from(id.as_u128() >> 80).ok().and_then(Timestamp::from_timestamp_millis).unwrap_or(Timestamp::MAX_UTC)
}

fn filtered(tx: &Tx, filter: &Filter, words: &BTreeSet<String>) -> Select<entries::Entity> {
    use entries::Column as C;
    let mut query = tx.find::<entries::Entity>();
    let texts = [
        (C::Event, &filter.event),
        (C::Severity, &filter.severity),
        (C::Class, &filter.class),
        (C::Outcome, &filter.outcome),
        (C::TargetType, &filter.target_type),
    ];
    for (column, text) in texts {
        if let Some(text) = text {
            query = query.filter(column.eq(text));
        }
    }
    for (column, id) in [(C::ActorId, filter.actor_id), (C::TargetId, filter.target_id)] {
        if let Some(id) = id {
            query = query.filter(column.eq(id));
        }
    }
    // What an index is of has to be said in its words: PostgreSQL doesn't look into values.
    if filter.is_grave() {
        query = query.filter(Expr::cust(GRAVE));
    }
    if filter.is_unsuccessful() {
        query = query.filter(Expr::cust(UNSUCCESSFUL));
    }
    if let Some(least) = filter.min_severity {
        query = query.filter(C::Severity.is_in(least.and_above()));
    }
    if let Some(from) = filter.from {
        query = query.filter(C::OccurredAt.gte(from));
    }
    if let Some(to) = filter.to {
        query = query.filter(C::OccurredAt.lt(to));
    }
    let lead = Lead::of(filter, words);
    // The one that leads is looked for by what leads.
    for word in words.iter().filter(|word| !matches!(lead, Lead::Word(lead) if lead == word.as_str())) {
        let having = tx.find::<audit_words::Entity>().filter(audit_words::Column::Word.eq(word));
        let having = having.select_only().column(audit_words::Column::EntryId).into_query();
        query = query.filter(C::Id.in_subquery(having));
    }
    query
}
