//! A data key, and what is derived from it: what seals, what seals for one person, what makes match values.

use aes_gcm::{
    Aes256Gcm, KeyInit,
    aead::{Aead, Payload},
};
use entity::{DataKeyId, Salt, data_keys::State};
use hkdf::Hkdf;
use hmac::{Hmac, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::{format::IV, root};
use crate::error::{Error, Result};

/// The length of every key here: AES-256.
pub(super) const LENGTH: usize = 32;

/// A data key.
pub(super) struct DataKey {
    pub id: DataKeyId,
    pub scope: String,
    pub version: i32,
    pub state: State,
    secret: Zeroizing<Vec<u8>>,
    cipher: Aes256Gcm,
    matching: Aes256Gcm,
    matching_iv: Zeroizing<[u8; LENGTH]>,
}

impl DataKey {
    pub fn new(id: DataKeyId, scope: &str, version: i32, state: State, secret: Zeroizing<Vec<u8>>) -> Result<Self> {
        let derived = |purpose| {
            let mut key = Zeroizing::new([0; LENGTH]);
            root::derive(&secret, purpose, key.as_mut()).map(|()| key)
        };
        let cipher = Aes256Gcm::new_from_slice(&secret).map_err(Error::internal)?;
        let matching = Aes256Gcm::new_from_slice(derived("match")?.as_ref()).map_err(Error::internal)?;
        let matching_iv = derived("match iv")?;
        Ok(Self { id, scope: scope.to_owned(), version, state, cipher, matching, matching_iv, secret })
    }

    /// The same key, further in its life.
    pub fn in_state(&self, state: State) -> Result<Self> {
        Self::new(self.id, &self.scope, self.version, state, self.secret.clone())
    }

    /// A key for one purpose, derived by HKDF-SHA256 (RFC 5869).
    pub fn derive(&self, purpose: &str, key: &mut [u8]) -> Result<()> {
        root::derive(&self.secret, purpose, key)
    }

    /// What wraps as a whole.
    pub fn secret(&self) -> &[u8] {
        &self.secret
    }

    /// Whether match values are made with it.
    pub fn matches(&self) -> bool {
        matches!(self.state, State::Pending | State::Active | State::Retiring)
    }

    /// Seals under this key, or for a person under theirs.
    pub fn seal(&self, salt: Option<&Salt>, iv: &[u8; IV], payload: Payload<'_, '_>) -> Result<Vec<u8>> {
        let sealed = match salt {
            None => self.cipher.encrypt(iv.into(), payload),
            Some(salt) => self.of_person(salt)?.encrypt(iv.into(), payload),
        };
        sealed.map_err(|_| Error::internal("sealing failed"))
    }

    /// Opens what was sealed under this key, or for a person under theirs; `None` when it was not, or not like this.
    pub fn open(
        &self,
        salt: Option<&Salt>,
        iv: &[u8; IV],
        payload: Payload<'_, '_>,
    ) -> Result<Option<Zeroizing<Vec<u8>>>> {
        let opened = match salt {
            None => self.cipher.decrypt(iv.into(), payload),
            Some(salt) => self.of_person(salt)?.decrypt(iv.into(), payload),
        };
        Ok(opened.ok().map(Zeroizing::new))
    }

    /// The match value of a text: deterministic AES-GCM under a key of its own, whose IV is an HMAC of all that goes in.
    pub fn match_value(&self, payload: Payload<'_, '_>) -> Result<Vec<u8>> {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.matching_iv.as_ref()).map_err(Error::internal)?;
        mac.update(&u64::try_from(payload.aad.len()).unwrap_or(u64::MAX).to_be_bytes());
        mac.update(payload.aad);
        mac.update(payload.msg);
        let digest = mac.finalize().into_bytes();
        let iv = digest.first_chunk::<IV>().ok_or_else(|| Error::internal("a digest is too short"))?;
        let sealed = self.matching.encrypt(iv.into(), payload).map_err(|_| Error::internal("matching failed"))?;
        Ok([iv.as_slice(), &sealed].concat())
    }

    fn of_person(&self, salt: &Salt) -> Result<Aes256Gcm> {
        let mut key = Zeroizing::new([0; LENGTH]);
        Hkdf::<Sha256>::new(Some(salt.as_bytes()), &self.secret)
            .expand(b"freehold person", key.as_mut())
            .map_err(Error::internal)?;
        Aes256Gcm::new_from_slice(key.as_ref()).map_err(Error::internal)
    }
}
