//! The two tokens of a session: a signed access token that says who, and an opaque refresh token that is stored
//! hashed and used once.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use entity::{AccountId, OrganizationId, PlatformAccessId, SessionId};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::{config::SecretString, error::Result, runtime::Entropy};

/// What an access token says (SES-1).
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Claims {
    /// Who made it: the public URL.
    pub iss: String,
    /// Whom it is for.
    pub aud: String,
    /// The account.
    pub sub: AccountId,
    /// The session.
    pub sid: SessionId,
    /// The token's own id.
    pub jti: Uuid,
    /// The organisation that the session is in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub org: Option<OrganizationId>,
    /// The role there when the token was made. The server itself never relies on it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// The access of a platform administrator who acts in the organisation without belonging to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acting: Option<PlatformAccessId>,
    /// How the person signed in (RFC 8176).
    pub amr: Vec<String>,
    /// When the person last proved who they are, in seconds since 1970: at sign-in, or when they re-authenticated.
    pub auth_time: i64,
    /// When it was made.
    pub iat: i64,
    /// When it ends.
    pub exp: i64,
}

/// An opaque token: 256 random bits behind a prefix that a secret scanner can recognise.
pub fn opaque(prefix: &str, entropy: Entropy) -> Result<SecretString> {
    let random = zeroize::Zeroizing::new(entropy.bytes::<32>()?);
    Ok(SecretString::new(format!("{prefix}{}", URL_SAFE_NO_PAD.encode(*random))))
}

/// What is stored of an opaque token. A plain hash is enough: 256 random bits can't be guessed.
pub fn hash(token: &str) -> Vec<u8> {
    Sha256::digest(token.as_bytes()).to_vec()
}
