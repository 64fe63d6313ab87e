//! Access tokens whose signature was found good, so that it is looked at once and not on every request (PERF-1).
//!
//! They are kept by their hash, never as they are. What is kept says only who signed what: that the token has not run
//! out, that its key is still published, and what is true of its session is asked every time.

use std::sync::Arc;

use moka::sync::Cache;

use super::{Claims, Keys};
use crate::{error::Result, types::Origin};

/// How many are kept at most: some 400 bytes each.
const MOST: u64 = 50_000;

#[derive(Clone)]
pub(super) struct Verified(Cache<Vec<u8>, Arc<Signed>>);

struct Signed {
    key: String,
    claims: Arc<Claims>,
}

impl Verified {
    pub(super) fn new() -> Self {
        Self(Cache::new(MOST))
    }

    /// The claims of a token with this hash, if its key still counts.
    pub(super) async fn get(&self, hash: &[u8], keys: &Keys, origin: &Origin) -> Result<Option<Arc<Claims>>> {
        let Some(signed) = self.0.get(hash) else { return Ok(None) };
        if keys.verifies(&signed.key, origin).await? {
            return Ok(Some(signed.claims.clone()));
        }
        self.0.invalidate(hash);
        Ok(None)
    }

    /// Keeps what a token was found to say.
    pub(super) fn keep(&self, hash: Vec<u8>, token: &str, claims: Claims) -> Arc<Claims> {
        let claims = Arc::new(claims);
        if let Some(key) = jsonwebtoken::decode_header(token).ok().and_then(|header| header.kid) {
            self.0.insert(hash, Arc::new(Signed { key, claims: claims.clone() }));
        }
        claims
    }
}
