//! The ring: every data key that is not destroyed, as this instance knows them.

use std::{collections::HashMap, sync::Arc};

use entity::data_keys::{self as rows, State};
use uuid::Uuid;

use super::{
    key::DataKey,
    root::{Root, Wrapping},
};
use crate::error::{Error, Result};

/// The keys of an installation at one revision.
#[derive(Default)]
pub(super) struct Ring {
    keys: HashMap<Uuid, Arc<DataKey>>,
    /// Of each scope those that are not retired, the newest first.
    scopes: HashMap<String, Vec<Arc<DataKey>>>,
    /// Grows with every change of any key.
    pub revision: i64,
}

impl Ring {
    /// Unwraps what is stored; a key that `known` has already is taken from there.
    ///
    /// # Errors
    /// `Internal` with a text for the operator when a key was wrapped by another root key, or changed.
    pub async fn of(stored: &[rows::Model], root: &Root, known: &Self) -> Result<Self> {
        let mut ring = Self { revision: stored.iter().map(|row| row.revision).max().unwrap_or(0), ..Self::default() };
        for row in stored {
            let Some(wrapped) = &row.wrapped else { continue };
            let key = match known.keys.get(&row.id.0) {
                Some(key) if key.state == row.state => key.clone(),
                Some(key) => Arc::new(key.in_state(row.state)?),
                None => {
                    let what = Wrapping { id: row.id.into(), scope: &row.scope, version: row.version };
                    let secret = root.unwrap(what, &row.root_key, wrapped).await?;
                    Arc::new(DataKey::new(row.id, &row.scope, row.version, row.state, secret)?)
                }
            };
            ring.add(key);
        }
        Ok(ring)
    }

    /// The same with another key.
    pub fn with(&self, key: DataKey) -> Self {
        let mut ring = Self { keys: self.keys.clone(), scopes: self.scopes.clone(), revision: self.revision };
        ring.add(Arc::new(key));
        ring
    }

    fn add(&mut self, key: Arc<DataKey>) {
        self.keys.insert(key.id.into(), key.clone());
        if key.state != State::Retired {
            let scope = self.scopes.entry(key.scope.clone()).or_default();
            scope.push(key);
            scope.sort_by_key(|key| std::cmp::Reverse(key.version));
        }
    }

    /// The key of this id, whatever its state.
    pub fn find(&self, id: Uuid) -> Option<&Arc<DataKey>> {
        self.keys.get(&id)
    }

    /// The key that seals in a scope.
    ///
    /// # Errors
    /// When there is none: the scope is not configured.
    pub fn active(&self, scope: &str) -> Result<&Arc<DataKey>> {
        let keys = self.scopes.get(scope).into_iter().flatten();
        let mut active = keys.filter(|key| key.state == State::Active);
        active.next().ok_or_else(|| Error::internal(format!("no active data key in the scope {scope}")))
    }

    /// The keys that match values are made with in a scope, the newest first.
    pub fn matching(&self, scope: &str) -> impl Iterator<Item = &Arc<DataKey>> {
        self.scopes.get(scope).into_iter().flatten().filter(|key| key.matches())
    }

    /// The version of the next key of a scope.
    pub fn next_version(&self, scope: &str) -> i32 {
        self.keys.values().filter(|key| key.scope == scope).map(|key| key.version).max().unwrap_or(0) + 1
    }
}
