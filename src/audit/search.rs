//! Reading the record: filters, words, pages (AUD-3).

use std::collections::BTreeSet;

use entity::{AuditEntryId, audit_entries as entries, audit_words};
use sea_orm::{ColumnTrait, QueryFilter, QuerySelect, QueryTrait, Select};
use uuid::Uuid;

use super::{
    personal::{self, Entry},
    words,
};
use crate::{
    db::Tx,
    error::{Error, Fault, Result},
    runtime::Timestamp,
    types::{Page, PageRequest},
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

/// The most words of a text search: each is a subquery.
const WORDS: usize = 8;

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
    let query = filtered(tx, filter, words);
    tx.page(query, entries::Column::Id, |row| row.id.into(), page).await
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

/// The words of a text to search for. None would find everything, and a word that does not count too much.
fn searched(text: &str) -> Result<BTreeSet<String>> {
    let words: BTreeSet<_> = words::of_text(text).collect();
    if (1..=WORDS).contains(&words.len()) {
        return Ok(words);
    }
    let detail = format!("must have 1 to {WORDS} words of letters and digits");
    Err(Error::Invalid(vec![Fault::parameter("text", "words", detail)]))
}

fn filtered(tx: &Tx, filter: &Filter, words: BTreeSet<String>) -> Select<entries::Entity> {
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
    if let Some(from) = filter.from {
        query = query.filter(C::OccurredAt.gte(from));
    }
    if let Some(to) = filter.to {
        query = query.filter(C::OccurredAt.lt(to));
    }
    for word in words {
        let having = tx.find::<audit_words::Entity>().filter(audit_words::Column::Word.eq(word));
        let having = having.select_only().column(audit_words::Column::EntryId).into_query();
        query = query.filter(C::Id.in_subquery(having));
    }
    query
}
