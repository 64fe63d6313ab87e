//! A person's passkeys: adding, naming and removing them.

use chrono::{DateTime, Utc};
use entity::PasskeyId;
use poem::Request;
use poem_openapi::{
    Object, OpenApi,
    param::{Path, Query},
    payload::Json,
    types::Any,
};
use serde_json::Value;
use uuid::Uuid;

use super::{
    Face, Tag,
    wire::{Created, Done, Listed},
};
use crate::{
    accounts::passkeys::{self, Question},
    edge::ApiResult,
    mfa::passkeys::{Made, OwnPasskey},
    types::{Caller, PageRequest},
};

/// The operations.
pub struct Passkeys(pub Face);

/// A passkey: a key that an authenticator holds, and uses for whoever it has verified.
#[derive(Clone, Debug, Object)]
#[oai(skip_serializing_if_is_none)]
struct Passkey {
    /// Its id.
    id: Uuid,
    /// What its person calls it.
    name: String,
    /// Whether it is kept in more places than one, as a password manager does.
    synced: bool,
    /// Since when there is one.
    created_at: DateTime<Utc>,
    /// When it was last used, if it was.
    last_used_at: Option<DateTime<Utc>>,
}

/// A question for an authenticator, to be answered within five minutes.
#[derive(Object)]
pub struct PasskeyQuestion {
    /// The options of the call that a browser makes, as `parseCreationOptionsFromJSON` and
    /// `parseRequestOptionsFromJSON` take them (WebAuthn Level 3, 5.1).
    options: Any<Value>,
    /// Until when it can be answered.
    expires_at: DateTime<Utc>,
}

/// A new passkey.
#[derive(Object)]
#[oai(deny_unknown_fields)]
struct NewPasskey {
    /// What to call it.
    #[oai(validator(min_length = 1, max_length = 64))]
    name: String,
    /// The credential that the authenticator made, as `toJSON()` writes it (WebAuthn Level 3, 5.1).
    credential: Any<Value>,
}

/// Another name of a passkey.
#[derive(Object)]
#[oai(deny_unknown_fields)]
struct RenamePasskey {
    /// The name.
    #[oai(validator(min_length = 1, max_length = 64))]
    name: String,
}

/// A passkey that has been added.
#[derive(Object)]
struct AddedPasskey {
    /// The passkey.
    passkey: Passkey,
    /// The backup codes that came with it, ten of them or none where there were some. Nobody sees them again.
    backup_codes: Vec<String>,
}

#[OpenApi(prefix_path = "/v1", tag = "Tag::SecondFactors")]
impl Passkeys {
    /// One's own passkeys, newest first.
    #[oai(path = "/me/passkeys", method = "get", operation_id = "passkeys_list")]
    async fn list(
        &self,
        caller: Caller,
        request: &Request,
        /// The most items of the page.
        #[oai(validator(minimum(value = "1"), maximum(value = "200")))]
        limit: Query<Option<u64>>,
        /// Where the last page ended.
        cursor: Query<Option<String>>,
    ) -> ApiResult<Listed<Passkey>> {
        let page = PageRequest::parse(limit.0, cursor.0.as_deref())?;
        let page = passkeys::list(&self.0.gate.app, &caller, page).await?;
        Ok(Listed::page(request, page, Passkey::from))
    }

    /// One of one's own passkeys.
    #[oai(path = "/me/passkeys/:passkey_id", method = "get", operation_id = "passkeys_get")]
    async fn get(&self, caller: Caller, passkey_id: Path<Uuid>) -> ApiResult<Json<Passkey>> {
        Ok(Json(passkeys::get(&self.0.gate.app, &caller, PasskeyId(passkey_id.0)).await?.into()))
    }

    /// Begin to add a passkey, in this session.
    ///
    /// Beginning again asks for another. Where the server is reached by an address in the place of a name, or without
    /// https, there are no passkeys.
    #[oai(path = "/me/passkeys/options", method = "post", operation_id = "passkeys_begin")]
    async fn begin(&self, caller: Caller) -> ApiResult<Json<PasskeyQuestion>> {
        Ok(Json(passkeys::begin(&self.0.gate.app, &caller).await?.into()))
    }

    /// Add the passkey that an authenticator made.
    ///
    /// It signs in by itself from then on, and is asked for beside the password; this session counts as one that has used
    /// it. One has at most twenty.
    #[oai(path = "/me/passkeys", method = "post", operation_id = "passkeys_register")]
    async fn register(&self, caller: Caller, body: Json<NewPasskey>) -> ApiResult<Created<AddedPasskey>> {
        let NewPasskey { name, credential } = body.0;
        let made = Made::parse(credential.0)?;
        let passkeys::Added { passkey, backup_codes } =
            passkeys::register(&self.0.gate.app, &caller, &name, &made).await?;
        let location = format!("/v1/me/passkeys/{}", passkey.id);
        let backup_codes = backup_codes.iter().map(|code| code.expose().to_owned()).collect();
        Ok(Created::Created(Json(AddedPasskey { passkey: passkey.into(), backup_codes }), location))
    }

    /// Call one of one's passkeys something else.
    #[oai(path = "/me/passkeys/:passkey_id", method = "patch", operation_id = "passkeys_rename")]
    async fn rename(
        &self,
        caller: Caller,
        passkey_id: Path<Uuid>,
        body: Json<RenamePasskey>,
    ) -> ApiResult<Json<Passkey>> {
        let renamed = passkeys::rename(&self.0.gate.app, &caller, PasskeyId(passkey_id.0), &body.0.name).await?;
        Ok(Json(renamed.into()))
    }

    /// Remove one of one's passkeys; if it was the last second factor, the backup codes with it.
    ///
    /// What the authenticator keeps of it signs in nowhere any more.
    #[oai(path = "/me/passkeys/:passkey_id", method = "delete", operation_id = "passkeys_remove")]
    async fn remove(&self, caller: Caller, passkey_id: Path<Uuid>) -> ApiResult<Done> {
        passkeys::remove(&self.0.gate.app, &caller, PasskeyId(passkey_id.0)).await?;
        Ok(Done::Done)
    }
}

impl From<OwnPasskey> for Passkey {
    fn from(passkey: OwnPasskey) -> Self {
        let OwnPasskey { id, name, synced, created_at, last_used_at } = passkey;
        Self { id: id.into(), name, synced, created_at, last_used_at }
    }
}

impl From<Question> for PasskeyQuestion {
    fn from(question: Question) -> Self {
        Self { options: Any(question.options), expires_at: question.expires_at }
    }
}
