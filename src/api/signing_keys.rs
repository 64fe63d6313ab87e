//! The keys that sign access tokens, for platform administrators.

use chrono::{DateTime, Utc};
use entity::signing_keys::State;
use poem::Request;
use poem_openapi::{Enum, Object, OpenApi, param::Query, payload::Json};
use uuid::Uuid;

use super::{Face, Tag, wire::Listed};
use crate::{
    edge::ApiResult,
    sessions::{self, Previous},
    types::{Caller, PageRequest},
};

/// The operations.
pub struct SigningKeys(pub Face);

/// Where a signing key is in its life.
#[derive(Debug, Enum)]
#[oai(rename_all = "snake_case")]
enum SigningKeyState {
    /// It is published and does not sign yet.
    Pending,
    /// It signs.
    Active,
    /// It signs no more; what it signed is still good, so it is published.
    Retiring,
    /// It is gone.
    Retired,
}

/// A key that signs access tokens.
#[derive(Debug, Object)]
#[oai(skip_serializing_if_is_none)]
struct SigningKey {
    /// Its id: the `kid` of the tokens that it signs, and in the key set.
    id: Uuid,
    /// What it signs by: `ES256`, `RS256` or `EdDSA`, as `tokens.algorithm` was when it was made. It signs by nothing else.
    algorithm: String,
    /// Where it is in its life.
    state: SigningKeyState,
    /// When it was made and published.
    created_at: DateTime<Utc>,
    /// When it will begin to sign, if it has not.
    signs_from: Option<DateTime<Utc>>,
    /// When it ceased to sign, or will.
    signs_until: Option<DateTime<Utc>>,
    /// When it ceased to be published, or will; absent while it is not known.
    published_until: Option<DateTime<Utc>>,
    /// When it was distrusted, if it was.
    distrusted_at: Option<DateTime<Utc>>,
}

/// What becomes of the keys before the next one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
enum PreviousKeys {
    /// They stay good until what they signed has expired.
    Keep,
    /// They are distrusted now: one may have leaked.
    Distrust,
}

/// A new signing key to be made.
#[derive(Debug, Object)]
#[oai(deny_unknown_fields)]
struct RotateSigningKeys {
    /// What becomes of the keys before.
    previous: PreviousKeys,
    /// Why, for the record.
    #[oai(validator(min_length = 1, max_length = 500), skip_serializing_if_is_none)]
    reason: Option<String>,
}

#[OpenApi(prefix_path = "/v1", tag = "Tag::Policy")]
impl SigningKeys {
    /// The keys that sign access tokens, and those that did, newest first.
    #[oai(path = "/signing-keys", method = "get", operation_id = "signing_keys_list")]
    async fn list(
        &self,
        caller: Caller,
        request: &Request,
        /// The most items of the page.
        #[oai(validator(minimum(value = "1"), maximum(value = "200")))]
        limit: Query<Option<u64>>,
        /// Where the last page ended.
        cursor: Query<Option<String>>,
    ) -> ApiResult<Listed<SigningKey>> {
        let page = PageRequest::parse(limit.0, cursor.0.as_deref())?;
        let page = self.0.gate.app.sessions.keys().list(&caller, page).await?;
        Ok(Listed::page(request, page, SigningKey::from))
    }

    /// Make the next signing key now; the server does so by itself every 90 days.
    ///
    /// With `previous: keep` nobody notices: the new key is published now and signs in ten minutes, when whoever keeps
    /// `/.well-known/jwks.json` for its five minutes has fetched it, and the old one stays published until its last token
    /// has expired. 409 `operation_in_progress` while a new key is waiting already.
    ///
    /// With `previous: distrust`, for a key that may have leaked, every key there was leaves the key set and is refused on
    /// all instances at once, and the new one signs at once. All access tokens are void, the caller's too; sessions go on
    /// by their refresh tokens. Services that verify tokens themselves go on believing the old keys for as long as they
    /// keep the set, five minutes at most.
    #[oai(path = "/signing-keys/rotate", method = "post", operation_id = "signing_keys_rotate")]
    async fn rotate(&self, caller: Caller, body: Json<RotateSigningKeys>) -> ApiResult<Json<SigningKey>> {
        let previous = match body.0.previous {
            PreviousKeys::Keep => Previous::Good,
            PreviousKeys::Distrust => Previous::Distrusted,
        };
        let key = self.0.gate.app.sessions.keys().rotate(&caller, previous, body.0.reason.as_deref()).await?;
        Ok(Json(key.into()))
    }
}

impl From<sessions::SigningKey> for SigningKey {
    fn from(key: sessions::SigningKey) -> Self {
        Self {
            id: key.id.into(),
            algorithm: key.algorithm,
            state: match key.state {
                State::Pending => SigningKeyState::Pending,
                State::Active => SigningKeyState::Active,
                State::Retiring => SigningKeyState::Retiring,
                State::Retired => SigningKeyState::Retired,
            },
            created_at: key.created_at,
            signs_from: key.signs_from,
            signs_until: key.signs_until,
            published_until: key.published_until,
            distrusted_at: key.distrusted_at,
        }
    }
}
