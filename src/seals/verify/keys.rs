//! The public keys that a verification trusts: a key set (RFC 7517), or one key in PEM.

use std::collections::HashMap;

use jsonwebtoken::{
    Algorithm, DecodingKey,
    jwk::{JwkSet, KeyAlgorithm},
};

use super::super::signed::Claimed;
use crate::error::{Error, Result};

/// Keys to verify by.
pub struct KeyRing {
    named: HashMap<String, (Algorithm, DecodingKey)>,
    /// From a PEM file, which names none.
    nameless: Option<(Algorithm, DecodingKey)>,
}

/// What becomes of a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// One of the keys made it.
    Proven,
    /// The key that it names did not.
    Forged,
    /// The key that it names is not among them.
    UnknownKey,
}

impl KeyRing {
    /// Reads the text of a file of keys.
    ///
    /// # Errors
    /// When it is neither a key set with usable keys nor a public key in PEM.
    pub fn parse(text: &str) -> Result<Self> {
        match serde_json::from_str::<JwkSet>(text) {
            Ok(set) => Self::of_set(&set),
            Err(_) => Self::of_pem(text.as_bytes()),
        }
    }

    fn of_set(set: &JwkSet) -> Result<Self> {
        let named: HashMap<_, _> = set
            .keys
            .iter()
            .filter_map(|jwk| {
                let algorithm = match jwk.common.key_algorithm? {
                    KeyAlgorithm::ES256 => Algorithm::ES256,
                    KeyAlgorithm::RS256 => Algorithm::RS256,
                    KeyAlgorithm::EdDSA => Algorithm::EdDSA,
                    _ => return None,
                };
                Some((jwk.common.key_id.clone()?, (algorithm, DecodingKey::from_jwk(jwk).ok()?)))
            })
            .collect();
        match named.is_empty() {
            true => Err(Error::internal("the key set has no key of ES256, RS256 or EdDSA with a kid")),
            false => Ok(Self { named, nameless: None }),
        }
    }

    fn of_pem(pem: &[u8]) -> Result<Self> {
        let ec = DecodingKey::from_ec_pem(pem).map(|key| (Algorithm::ES256, key));
        let ed = || DecodingKey::from_ed_pem(pem).map(|key| (Algorithm::EdDSA, key));
        let rsa = || DecodingKey::from_rsa_pem(pem).map(|key| (Algorithm::RS256, key));
        let key = ec.or_else(|_| ed()).or_else(|_| rsa());
        let key = key.map_err(|_| Error::internal("the file of keys is neither a JWKS nor a public key in PEM"))?;
        Ok(Self { named: HashMap::new(), nameless: Some(key) })
    }

    pub(super) fn judge(&self, claimed: &Claimed<'_>) -> Verdict {
        let key = self.named.get(&claimed.key).or(self.nameless.as_ref());
        match key {
            Some((algorithm, key)) if claimed.is_by(*algorithm, key) => Verdict::Proven,
            // A single key may be one of several that there were.
            Some(_) if self.nameless.is_some() => Verdict::UnknownKey,
            Some(_) => Verdict::Forged,
            None => Verdict::UnknownKey,
        }
    }
}
