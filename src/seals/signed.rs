//! A checkpoint's signature: a compact JWS (RFC 7515) with a `typ` of its own.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde_json::Value;

use super::form::{CHECKPOINT, Checkpoint};

/// A checkpoint's JWS, taken apart and not yet proven.
pub(super) struct Claimed<'a> {
    /// Which key it says that it was signed by.
    pub key: String,
    /// What it says.
    pub checkpoint: Checkpoint,
    algorithm: Algorithm,
    signed: &'a str,
    signature: &'a str,
}

impl<'a> Claimed<'a> {
    /// Takes a JWS apart; `None` for what is no checkpoint.
    pub fn parse(jws: &'a str) -> Option<Self> {
        let (signed, signature) = jws.rsplit_once('.')?;
        let (header, payload) = signed.split_once('.')?;
        let header: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(header).ok()?).ok()?;
        if header.get("typ")?.as_str()? != CHECKPOINT {
            return None;
        }
        // Keys are asymmetric; a name of another kind must not turn a public key into a shared secret.
        let algorithm = match header.get("alg")?.as_str()? {
            "ES256" => Algorithm::ES256,
            "RS256" => Algorithm::RS256,
            "EdDSA" => Algorithm::EdDSA,
            _ => return None,
        };
        let checkpoint = Checkpoint::parse(&URL_SAFE_NO_PAD.decode(payload).ok()?)?;
        Some(Self { key: header.get("kid")?.as_str()?.to_owned(), checkpoint, algorithm, signed, signature })
    }

    /// Whether this key signed it.
    pub fn is_by(&self, algorithm: Algorithm, key: &DecodingKey) -> bool {
        algorithm == self.algorithm
            && jsonwebtoken::crypto::verify(self.signature, self.signed.as_bytes(), key, algorithm).unwrap_or(false)
    }
}
