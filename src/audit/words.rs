//! The words that find an entry: of its code, its ids and its details. What is personal of it has none.

use std::collections::BTreeSet;

use entity::audit_entries;
use sea_orm::Value;
use uuid::Uuid;

/// The words of a text as the record's search knows them: lower case, of letters, digits and hyphens.
pub(super) fn of_text(text: &str) -> impl Iterator<Item = String> {
    text.split(|c: char| !(c.is_alphanumeric() || c == '-')).filter(|word| !word.is_empty()).map(str::to_lowercase)
}

/// The words of several entries, column by column: one statement, whatever their number.
#[derive(Clone, Default)]
pub(super) struct Words {
    organizations: Vec<Uuid>,
    words: Vec<String>,
    entries: Vec<Uuid>,
    classes: Vec<String>,
}

impl Words {
    /// Adds those of an entry.
    pub fn add(&mut self, row: &audit_entries::Model) {
        let details = row.metadata.as_object().into_iter().flatten().filter_map(|(_, value)| value.as_str());
        let texts = [row.event.as_str(), &row.target_type, &row.outcome].into_iter().chain(details);
        let ids = [row.target_id, row.actor_id].into_iter().flatten().map(|id| id.to_string());
        let request = row.request_id.as_deref().map(str::to_lowercase);
        let words: BTreeSet<_> = texts.flat_map(of_text).chain(ids).chain(request).collect();
        for word in words {
            self.organizations.push(row.organization_id.into());
            self.words.push(word);
            self.entries.push(row.id.into());
            self.classes.push(row.class.clone());
        }
    }

    /// The columns: organisations, words, entries.
    pub fn columns(self) -> [Value; 3] {
        [self.organizations.into(), self.words.into(), self.entries.into()]
    }

    /// The classes of their entries, which they are kept as long as.
    pub fn classes(&self) -> Value {
        self.classes.clone().into()
    }
}
