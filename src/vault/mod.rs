//! The vault: seals what must not lie in the database in clear, and derives every other key that Freehold uses. It is
//! the only place that uses a cipher, and the only one that makes or opens [`Sealed`] and [`Match`] values (DAT-4).
//!
//! A sealed value is bound by its associated data to its scope, its field and its row, and can't be moved to another
//! (DAT-1). What is sealed for a person is under a key that needs the person's salt as well (DAT-10). Each scope has a
//! data key; the keys are wrapped by the root key in `data_keys`, which this module owns, and change by rotation.

mod chosen;
mod format;
mod key;
mod ring;
mod root;
mod store;
mod table;
#[cfg(test)]
mod tests;
mod transit;

use std::{marker::PhantomData, sync::Arc};

use aes_gcm::aead::Payload;
use arc_swap::ArcSwap;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use entity::{DataKeyId, Hipaa, Match, Mfa, Pii, Salt, Scope, Sealed, Secrets};
use tokio::sync::Notify;
use uuid::Uuid;
use zeroize::Zeroizing;

pub use chosen::FieldIn;
pub use root::{Custodian, Local, Root, Wrapper};
pub use store::{Acknowledgements, Keeper, acknowledgements, add, stored};
pub use table::{Anew, Batch, Column, Rows, Stretch, Table, Under};
pub(crate) use table::{sealed_column, sealed_table};
pub use transit::Transit;

use crate::{
    config::SecretString,
    db::Seal,
    error::{Error, Result},
    runtime::{Entropy, Timestamp},
};
use format::{BY_PERSON, BY_SCOPE, IV, Parts, associated, associated_data};
use ring::Ring;

/// The scopes that every installation has (DAT-2).
pub const SCOPES: [&str; 4] = [Pii::NAME, Mfa::NAME, Hipaa::NAME, Secrets::NAME];
/// The scope of the key that others are derived from. It seals nothing, and is not rotated.
const SYSTEM: &str = "system";
/// What a match value is made under: never the same as a sealed value.
const BY_MATCH: u8 = 3;

/// A protected field: its scope, and a name that never changes, such as `accounts.email`.
pub struct Field<S> {
    name: &'static str,
    scope: PhantomData<fn() -> S>,
}

impl<S> Field<S> {
    /// The field with this name.
    pub const fn new(name: &'static str) -> Self {
        Self { name, scope: PhantomData }
    }

    /// Its name.
    pub const fn name(&self) -> &'static str {
        self.name
    }
}

impl<S> Clone for Field<S> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<S> Copy for Field<S> {}

/// Where a sealed value belongs.
#[derive(Clone, Copy)]
struct Place<'a> {
    scope: &'a str,
    field: &'a str,
    row: Uuid,
}

impl<'a> Place<'a> {
    fn of<S: Scope>(field: Field<S>, row: Uuid) -> Self {
        Self { scope: S::NAME, field: field.name(), row }
    }

    fn associated(&self, version: u8) -> Vec<u8> {
        associated(version, self.scope, self.field, Some(self.row))
    }
}

/// The vault. Cloning shares it.
#[derive(Clone)]
pub struct Vault(Arc<Inner>);

struct Inner {
    root: Root,
    /// The scopes that this installation has.
    scopes: Vec<String>,
    ring: ArcSwap<Ring>,
    entropy: Entropy,
    /// Rung when something was sealed under a key that is not here.
    unknown: Notify,
}

impl Vault {
    /// A key for one purpose, derived by HKDF-SHA256 (RFC 5869). The purpose never changes its meaning.
    ///
    /// # Errors
    /// Never for a length that HKDF can give.
    pub fn derive<const N: usize>(&self, purpose: &str) -> Result<Zeroizing<[u8; N]>> {
        let mut key = Zeroizing::new([0; N]);
        self.0.ring.load().active(SYSTEM)?.derive(purpose, key.as_mut())?;
        Ok(key)
    }

    /// A password for a login of Freehold's own, derived for one purpose.
    ///
    /// # Errors
    /// Never in practice; see [`Vault::derive`].
    pub fn derive_password(&self, purpose: &str) -> Result<SecretString> {
        let key = self.derive::<32>(purpose)?;
        Ok(SecretString::new(URL_SAFE_NO_PAD.encode(*key)))
    }

    /// Seals a value for its row.
    ///
    /// # Errors
    /// When the operating system has no entropy.
    pub fn seal<S: Scope>(&self, field: Field<S>, row: impl Into<Uuid>, clear: &[u8]) -> Result<Sealed<S>> {
        self.seal_at(Place::of(field, row.into()), None, clear).map(Sealed::from_vault)
    }

    /// Seals a value of a person for its row: who has not their salt can't open it.
    ///
    /// # Errors
    /// When the operating system has no entropy.
    pub fn seal_for<S: Scope>(
        &self,
        salt: &Salt,
        field: Field<S>,
        row: impl Into<Uuid>,
        clear: &[u8],
    ) -> Result<Sealed<S>> {
        self.seal_at(Place::of(field, row.into()), Some(salt), clear).map(Sealed::from_vault)
    }

    /// Opens a value that was sealed for this field of this row.
    ///
    /// # Errors
    /// `Internal`, naming the row and the key, when the value was cut, changed, or moved; `Upstream` when this instance
    /// does not know its key yet.
    pub fn open<S: Scope>(
        &self,
        field: Field<S>,
        row: impl Into<Uuid>,
        value: &Sealed<S>,
    ) -> Result<Zeroizing<Vec<u8>>> {
        self.open_at(Place::of(field, row.into()), None, value.as_bytes())
    }

    /// Opens a text of a person.
    ///
    /// # Errors
    /// As [`Vault::open`].
    pub fn open_for<S: Scope>(
        &self,
        salt: &Salt,
        field: Field<S>,
        row: impl Into<Uuid>,
        value: &Sealed<S>,
    ) -> Result<String> {
        text(self.open_at(Place::of(field, row.into()), Some(salt), value.as_bytes())?)
    }

    /// Opens a text.
    ///
    /// # Errors
    /// As [`Vault::open`].
    pub fn open_text<S: Scope>(&self, field: Field<S>, row: impl Into<Uuid>, value: &Sealed<S>) -> Result<String> {
        text(self.open_at(Place::of(field, row.into()), None, value.as_bytes())?)
    }

    /// The match values of a text in its compared form, under every key that is live: to be written all, and to be found
    /// by any. The newest key's is the first.
    ///
    /// # Errors
    /// Never in practice.
    pub fn matches<S: Scope>(&self, field: Field<S>, text: &str) -> Result<Vec<(DataKeyId, Match<S>)>> {
        let made = self.all_matches(S::NAME, &associated_data(BY_MATCH, S::NAME, field, None), text)?.into_iter();
        Ok(made.map(|(key, value)| (key, Match::from_vault(value))).collect())
    }

    /// The match values of a text under one key, for a rotation.
    ///
    /// # Errors
    /// When this instance does not know the key.
    pub fn match_under<S: Scope>(&self, key: DataKeyId, field: Field<S>, text: &str) -> Result<Match<S>> {
        self.one_match(key, &associated_data(BY_MATCH, S::NAME, field, None), text).map(Match::from_vault)
    }

    /// A new person's salt.
    ///
    /// # Errors
    /// When the operating system has no entropy.
    pub fn salt(&self) -> Result<Salt> {
        Ok(Salt::from_vault(self.0.entropy.bytes::<32>()?.to_vec()))
    }

    /// The scopes of this installation, the built-in ones first.
    pub fn scopes(&self) -> &[String] {
        &self.0.scopes
    }

    /// The root key that wraps the data keys, as people know it.
    pub fn root_key(&self) -> String {
        self.0.root.name()
    }

    /// Who keeps the root key.
    pub fn root_key_custodian(&self) -> Custodian {
        self.0.root.custodian()
    }

    /// The revision of the keys that this instance works with.
    pub fn revision(&self) -> i64 {
        self.0.ring.load().revision
    }

    fn seal_at(&self, place: Place<'_>, salt: Option<&Salt>, clear: &[u8]) -> Result<Vec<u8>> {
        let version = if salt.is_some() { BY_PERSON } else { BY_SCOPE };
        let (iv, aad) = (self.0.entropy.bytes::<IV>()?, place.associated(version));
        let ring = self.0.ring.load();
        let key = ring.active(place.scope)?;
        let sealed = key.seal(salt, &iv, Payload { msg: clear, aad: &aad })?;
        Ok(Parts { version, key: key.id.into(), iv, sealed: &sealed }.join())
    }

    fn open_at(&self, place: Place<'_>, salt: Option<&Salt>, value: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
        let Place { field, row, .. } = place;
        let fault = |why: String| Error::internal(format!("{field} of row {row} can't be opened: {why}"));
        let parts = Parts::of(value).map_err(|why| fault(why.to_owned()))?;
        if (parts.version == BY_PERSON) != salt.is_some() {
            return Err(fault(format!("another format than the field's (data key {})", parts.key)));
        }
        let ring = self.0.ring.load();
        let Some(key) = ring.find(parts.key) else {
            self.0.unknown.notify_one();
            return Err(Error::Upstream {
                reason: format!("{field} of row {row} is sealed under the data key {}, which is not here", parts.key),
                retry_after: std::time::Duration::from_secs(1),
            });
        };
        let opened = key.open(salt, &parts.iv, Payload { msg: parts.sealed, aad: &place.associated(parts.version) })?;
        opened.ok_or_else(|| fault(format!("changed, or moved from another place (data key {})", parts.key)))
    }

    /// The match values of a text under every key of a scope that is live, the newest key's first.
    fn all_matches(&self, scope: &str, aad: &[u8], text: &str) -> Result<Vec<(DataKeyId, Vec<u8>)>> {
        let ring = self.0.ring.load();
        let value = |key: &Arc<key::DataKey>| Ok((key.id, key.match_value(Payload { msg: text.as_bytes(), aad })?));
        ring.matching(scope).map(value).collect()
    }

    fn one_match(&self, key: DataKeyId, aad: &[u8], text: &str) -> Result<Vec<u8>> {
        let ring = self.0.ring.load();
        let key = ring.find(key.into()).ok_or_else(|| Error::internal(format!("the data key {key} is not here")))?;
        key.match_value(Payload { msg: text.as_bytes(), aad })
    }
}

impl Seal for Vault {
    fn seal_personal(&self, field: &'static str, row: Uuid, clear: &[u8]) -> Result<Sealed<Pii>> {
        self.seal(Field::new(field), row, clear)
    }
}

fn text(bytes: Zeroizing<Vec<u8>>) -> Result<String> {
    String::from_utf8(bytes.to_vec()).map_err(|_| Error::internal("a sealed text is not UTF-8"))
}

/// Which of an installation's data keys are there, and when they came.
#[derive(Clone, Copy, Debug)]
pub struct Beginning {
    /// When it is.
    pub now: Timestamp,
    /// Whether the installation has sealed values from before it had data keys.
    pub legacy: bool,
}
