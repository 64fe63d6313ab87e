//! A set of operations, as compact as a set can be. Which operation has which position is the policy's business
//! (`authz::Registry`).

/// Some of the operations of the registry, by their positions: what custom roles let somebody do with any object.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Permissions(
    /// A bit for each operation; the last word is never empty, so that equal sets are equal.
    Vec<u64>,
);

/// The bits of a word.
const WORD: usize = 64;

impl Permissions {
    /// Nothing.
    pub const NONE: Self = Self(Vec::new());

    /// Whether nothing is in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the operation at this position is in it.
    pub fn contains(&self, position: usize) -> bool {
        self.0.get(position / WORD).is_some_and(|word| word >> (position % WORD) & 1 == 1)
    }

    /// Puts an operation in.
    pub fn insert(&mut self, position: usize) {
        let at = position / WORD;
        if self.0.len() <= at {
            self.0.resize(at + 1, 0);
        }
        if let Some(word) = self.0.get_mut(at) {
            *word |= 1 << (position % WORD);
        }
    }

    /// Puts everything of another set in.
    pub fn add(&mut self, other: &Self) {
        if self.0.len() < other.0.len() {
            self.0.resize(other.0.len(), 0);
        }
        self.0.iter_mut().zip(&other.0).for_each(|(word, more)| *word |= more);
    }

    /// Whether everything of another set is in this one.
    pub fn covers(&self, other: &Self) -> bool {
        let own = self.0.iter().copied().chain(std::iter::repeat(0));
        other.0.iter().zip(own).all(|(wanted, own)| wanted & !own == 0)
    }

    /// What of this set is not in another.
    #[must_use]
    pub fn without(&self, other: &Self) -> Self {
        self.positions().filter(|position| !other.contains(*position)).collect()
    }

    /// The positions in it, in their order.
    pub fn positions(&self) -> impl Iterator<Item = usize> {
        (0..self.0.len() * WORD).filter(|position| self.contains(*position))
    }
}

impl FromIterator<usize> for Permissions {
    fn from_iter<I: IntoIterator<Item = usize>>(positions: I) -> Self {
        let mut set = Self::NONE;
        positions.into_iter().for_each(|position| set.insert(position));
        set
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_is_a_set(
            one in prop::collection::btree_set(0usize..300, 0..40),
            other in prop::collection::btree_set(0usize..300, 0..40),
        ) {
            let set = |positions: &BTreeSet<usize>| positions.iter().copied().collect::<Permissions>();
            let (a, b) = (set(&one), set(&other));
            prop_assert_eq!(a.positions().collect::<BTreeSet<_>>(), one.clone());
            prop_assert_eq!(a.is_empty(), one.is_empty());
            prop_assert_eq!(a.covers(&b), other.is_subset(&one));
            prop_assert_eq!(a == b, one == other);
            prop_assert_eq!(a.without(&b), set(&one.difference(&other).copied().collect()));
            let mut both = a.clone();
            both.add(&b);
            prop_assert_eq!(both, set(&one.union(&other).copied().collect()));
            prop_assert!((0..320).all(|position| a.contains(position) == one.contains(&position)));
        }
    }
}
