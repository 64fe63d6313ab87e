//! The vault: seals what must not lie in the database in clear, and derives every key that Freehold uses from the
//! root key. It is the only place that uses a cipher.
//!
//! A sealed value is `version (1) ‖ key id (16) ‖ IV (12) ‖ ciphertext ‖ tag (16)`: AES-256-GCM (DAT-1). The
//! associated data binds it to its scope, its field and its row, so that it can't be moved to another.

mod transit;

pub use transit::Transit;

use aes_gcm::{
    Aes256Gcm, KeyInit,
    aead::{Aead, Payload},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hkdf::Hkdf;
use sha2::{Digest, Sha256};
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::{
    config::SecretBytes,
    error::{Error, Result},
    runtime::Entropy,
};

/// The format of sealed values. Another format gets another number.
const VERSION: u8 = 1;
const KEY_ID: usize = 16;
const IV: usize = 12;
const TAG: usize = 16;

/// What a value is sealed for: values of one scope share a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Keys, tokens on their way out, credentials.
    Secrets,
}

impl Scope {
    const fn name(self) -> &'static str {
        match self {
            Self::Secrets => "secrets",
        }
    }
}

/// The place a value is sealed for.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    /// The scope.
    pub scope: Scope,
    /// A name for the field that never changes, such as `signing_keys.private_key`.
    pub field: &'static str,
    /// The row.
    pub row: Uuid,
}

/// The vault. Cloning shares nothing secret that is not wiped with the last clone.
#[derive(Clone)]
pub struct Vault {
    root: std::sync::Arc<SecretBytes>,
    key_id: [u8; KEY_ID],
    entropy: Entropy,
}

impl Vault {
    /// A vault over the root key.
    pub fn new(root: SecretBytes, entropy: Entropy) -> Self {
        // The id tells which root key sealed a value and nothing about the key itself.
        let digest = Sha256::new().chain_update(b"freehold key id").chain_update(root.expose()).finalize();
        let mut key_id = [0; KEY_ID];
        key_id.copy_from_slice(digest.get(..KEY_ID).unwrap_or(&[0; KEY_ID]));
        Self { root: std::sync::Arc::new(root), key_id, entropy }
    }

    /// A key for one purpose, derived by HKDF-SHA256 (RFC 5869). The purpose never changes its meaning.
    ///
    /// # Errors
    /// Never for a length that HKDF can give.
    pub fn derive<const N: usize>(&self, purpose: &str) -> Result<Zeroizing<[u8; N]>> {
        let mut key = Zeroizing::new([0; N]);
        Hkdf::<Sha256>::new(Some(b"freehold"), self.root.expose())
            .expand(purpose.as_bytes(), key.as_mut())
            .map_err(Error::internal)?;
        Ok(key)
    }

    /// A password for a login of Freehold's own, derived for one purpose.
    ///
    /// # Errors
    /// Never in practice; see [`Vault::derive`].
    pub fn derive_password(&self, purpose: &str) -> Result<crate::config::SecretString> {
        let key = self.derive::<32>(purpose)?;
        Ok(crate::config::SecretString::new(URL_SAFE_NO_PAD.encode(*key)))
    }

    /// Seals a value for its place.
    ///
    /// # Errors
    /// When the operating system has no entropy.
    pub fn seal(&self, place: Place, clear: &[u8]) -> Result<Vec<u8>> {
        let iv = self.entropy.bytes::<IV>()?;
        let aad = associated_data(place);
        let sealed = self
            .cipher(place.scope)?
            .encrypt((&iv).into(), Payload { msg: clear, aad: &aad })
            .map_err(|_| Error::internal("sealing failed"))?;
        let mut value = Vec::with_capacity(1 + KEY_ID + IV + sealed.len());
        value.push(VERSION);
        value.extend_from_slice(&self.key_id);
        value.extend_from_slice(&iv);
        value.extend_from_slice(&sealed);
        Ok(value)
    }

    /// Opens a value that was sealed for this place.
    ///
    /// # Errors
    /// `Internal`, naming the place and the key, when the value was cut, changed, moved, or sealed under another root key.
    pub fn open(&self, place: Place, value: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
        let fault = |why: &str| Error::internal(format!("{} of row {} can't be opened: {why}", place.field, place.row));
        let (head, rest) = value.split_at_checked(1 + KEY_ID).ok_or_else(|| fault("too short"))?;
        let (iv, sealed) = rest.split_at_checked(IV).ok_or_else(|| fault("too short"))?;
        if sealed.len() < TAG {
            return Err(fault("too short"));
        }
        let (version, key_id) = head.split_first().ok_or_else(|| fault("too short"))?;
        if *version != VERSION {
            return Err(fault("an unknown format"));
        }
        if key_id != self.key_id {
            return Err(fault("sealed under another root key"));
        }
        let iv: [u8; IV] = iv.try_into().map_err(|_| fault("too short"))?;
        let aad = associated_data(place);
        self.cipher(place.scope)?
            .decrypt((&iv).into(), Payload { msg: sealed, aad: &aad })
            .map(Zeroizing::new)
            .map_err(|_| fault("changed, or moved from another place"))
    }

    fn cipher(&self, scope: Scope) -> Result<Aes256Gcm> {
        let key = self.derive::<32>(&format!("seal {}", scope.name()))?;
        Aes256Gcm::new_from_slice(key.as_ref()).map_err(Error::internal)
    }
}

/// Scope, field and row, each with its length, so that no two places read the same.
fn associated_data(place: Place) -> Vec<u8> {
    let mut data = vec![VERSION];
    for part in [place.scope.name().as_bytes(), place.field.as_bytes(), place.row.as_bytes()] {
        data.extend_from_slice(&u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes());
        data.extend_from_slice(part);
    }
    data
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn vault(byte: u8) -> Vault {
        Vault::new(SecretBytes::new(vec![byte; 32]), Entropy)
    }

    fn place(field: &'static str, row: u128) -> Place {
        Place { scope: Scope::Secrets, field, row: Uuid::from_u128(row) }
    }

    proptest! {
        /// Proves DAT-1.
        #[test]
        fn what_is_sealed_opens_only_where_it_was_sealed(clear: Vec<u8>, bit in 0usize..4096) {
            let sealed = vault(1).seal(place("a", 1), &clear).unwrap();
            prop_assert_eq!(&*vault(1).open(place("a", 1), &sealed).unwrap(), &clear);
            prop_assert!(vault(1).open(place("a", 2), &sealed).is_err());
            prop_assert!(vault(1).open(place("b", 1), &sealed).is_err());
            prop_assert!(vault(2).open(place("a", 1), &sealed).is_err());
            let mut flipped = sealed.clone();
            let at = bit % (flipped.len() * 8);
            flipped[at / 8] ^= 1 << (at % 8);
            prop_assert!(vault(1).open(place("a", 1), &flipped).is_err());
            prop_assert!(vault(1).open(place("a", 1), &sealed[..sealed.len() - 1]).is_err());
        }
    }
}
