//! Values whose scope is chosen while the server runs. The types can't tell their scopes apart, so the field carries the
//! scope's name: sealing and opening bind a value to it as they do for a scope of the types, and a value of another scope,
//! field or row does not open.

use entity::{Chosen, DataKeyId, Match, Salt, Sealed};
use uuid::Uuid;

use super::{BY_MATCH, Place, Vault, format::associated, text};
use crate::error::Result;

/// A protected field that somebody has declared: the scope that they chose, and a name made of what declares it and its
/// id, such as `attributes.01a1fc64-cfa6-7344-8b59-055e68e640d1`. Neither changes while it has values.
pub struct FieldIn {
    scope: String,
    name: String,
}

impl FieldIn {
    /// The field that a row of `table` declares, in a scope.
    pub fn new(table: &'static str, id: impl Into<Uuid>, scope: &str) -> Self {
        Self { scope: scope.to_owned(), name: format!("{table}.{}", id.into()) }
    }

    fn at(&self, row: Uuid) -> Place<'_> {
        Place { scope: &self.scope, field: &self.name, row }
    }

    fn matched(&self) -> Vec<u8> {
        associated(BY_MATCH, &self.scope, &self.name, None)
    }
}

impl Vault {
    /// Seals a value of a person for its row: who has not their salt can't open it.
    ///
    /// # Errors
    /// When the scope has no key, or the operating system no entropy.
    pub fn seal_in(&self, salt: &Salt, field: &FieldIn, row: impl Into<Uuid>, clear: &[u8]) -> Result<Sealed<Chosen>> {
        self.seal_at(field.at(row.into()), Some(salt), clear).map(Sealed::from_vault)
    }

    /// Opens a text of a person.
    ///
    /// # Errors
    /// As [`Vault::open`].
    pub fn open_in(
        &self,
        salt: &Salt,
        field: &FieldIn,
        row: impl Into<Uuid>,
        value: &Sealed<Chosen>,
    ) -> Result<String> {
        text(self.open_at(field.at(row.into()), Some(salt), value.as_bytes())?)
    }

    /// The match values of a text in its compared form; see [`Vault::matches`].
    ///
    /// # Errors
    /// Never in practice.
    pub fn matches_in(&self, field: &FieldIn, text: &str) -> Result<Vec<(DataKeyId, Match<Chosen>)>> {
        let made = self.all_matches(&field.scope, &field.matched(), text)?.into_iter();
        Ok(made.map(|(key, value)| (key, Match::from_vault(value))).collect())
    }

    /// The match value of a text under one key, for a rotation.
    ///
    /// # Errors
    /// When this instance does not know the key.
    pub fn match_in_under(&self, key: DataKeyId, field: &FieldIn, text: &str) -> Result<Match<Chosen>> {
        self.one_match(key, &field.matched(), text).map(Match::from_vault)
    }
}
