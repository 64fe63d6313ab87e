//! Checkpoints that were kept outside of the installation, to hold a record against: whatever text they lie in.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::{
    super::{form::Checkpoint, signed::Claimed},
    keys::{KeyRing, Verdict},
};

/// Kept checkpoints of one organisation, by how many entries they cover.
#[derive(Default)]
pub(super) struct Anchors(BTreeMap<i64, Checkpoint>);

impl Anchors {
    /// Those in a text that are of this organisation and proven by these keys. A text is whatever has them between
    /// spaces, line ends or quotation marks: a published file, or a letter.
    pub fn parse(text: &str, organization: Uuid, keys: &KeyRing) -> Self {
        let words = text.split(|c: char| c.is_whitespace() || c == '"' || c == '<' || c == '>');
        let proven = words.filter_map(|word| {
            let claimed = Claimed::parse(word)?;
            let ours = Uuid::from(claimed.checkpoint.organization_id) == organization;
            (ours && keys.judge(&claimed) == Verdict::Proven).then_some((claimed.checkpoint.count, claimed.checkpoint))
        });
        Self(proven.collect())
    }

    /// The one that covers so many entries.
    pub fn at(&self, count: i64) -> Option<&Checkpoint> {
        self.0.get(&count)
    }

    /// Those that cover at least so many.
    pub fn from(&self, count: i64) -> impl Iterator<Item = &Checkpoint> {
        self.0.range(count..).map(|(_, checkpoint)| checkpoint)
    }
}
