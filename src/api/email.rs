//! The signed-in person's address: proving it, and changing it.

use chrono::{DateTime, Utc};
use poem_openapi::{Object, OpenApi, payload::Json};

use super::{
    Face, Tag, address,
    sessions::email,
    wire::{Accepted, Done},
};
use crate::{
    accounts::email::{self as work, EmailState},
    config::SecretString,
    edge::ApiResult,
    types::Caller,
};

/// The operations.
pub struct OwnEmail(pub Face);

/// The address of one's account.
#[derive(Debug, Object)]
#[oai(skip_serializing_if_is_none)]
struct AccountEmail {
    /// The address to sign in with.
    email: String,
    /// When you proved that it is yours; absent if you have not yet.
    verified_at: Option<DateTime<Utc>>,
    /// The address that takes its place once you have proven that it is yours.
    pending: Option<PendingEmail>,
}

/// An address that waits for its proof.
#[derive(Debug, Object)]
struct PendingEmail {
    /// The address.
    email: String,
    /// When you asked for it.
    requested_at: DateTime<Utc>,
    /// Until when the link works that was sent there.
    expires_at: DateTime<Utc>,
}

/// Another address.
#[derive(Object)]
#[oai(deny_unknown_fields)]
struct ChangeEmail {
    /// The address to sign in with from then on.
    email: address::Email,
}

/// The token of a link that was sent to an address.
#[derive(Object)]
#[oai(deny_unknown_fields)]
struct EmailToken {
    /// The token.
    #[oai(validator(min_length = 1, max_length = 256))]
    token: String,
}

#[OpenApi(prefix_path = "/v1", tag = "Tag::Me")]
impl OwnEmail {
    /// The address of one's account, whether it is proven, and the one that is to take its place.
    #[oai(path = "/me/email", method = "get", operation_id = "me_email_get")]
    async fn get(&self, caller: Caller) -> ApiResult<Json<AccountEmail>> {
        Ok(Json(work::state(&self.0.gate.app, &caller).await?.into()))
    }

    /// Send a link to one's address, which proves that it is one's own.
    ///
    /// Five an hour at most. The link before stops working.
    #[oai(path = "/me/email/verification", method = "post", operation_id = "me_email_verification_create")]
    async fn prove(&self, caller: Caller) -> ApiResult<Accepted> {
        work::prove(&self.0.gate.app, &caller).await?;
        Ok(Accepted::Accepted)
    }

    /// Prove one's address with the token of the link that was sent there.
    ///
    /// It takes a session of the account that asked, so that nobody proves an address for a stranger.
    #[oai(path = "/me/email/verification/complete", method = "post", operation_id = "email_verifications_complete")]
    async fn verify(&self, caller: Caller, body: Json<EmailToken>) -> ApiResult<Json<AccountEmail>> {
        Ok(Json(work::verify(&self.0.gate.app, &caller, &SecretString::new(body.0.token)).await?.into()))
    }

    /// Ask for another address: a link goes there, and word of it to the present one.
    ///
    /// The answer is the same, in the same time, whether or not the address is somebody else's; they are told. Five an
    /// hour at most. The link before stops working.
    #[oai(path = "/me/email/change", method = "post", operation_id = "me_email_change_create")]
    async fn change(&self, caller: Caller, body: Json<ChangeEmail>) -> ApiResult<Json<AccountEmail>> {
        Ok(Json(work::change(&self.0.gate.app, &caller, &email(&body.0.email)?).await?.into()))
    }

    /// Take another address with the token of the link that was sent there. The one before is told.
    ///
    /// It takes a session of the account that asked, so that nobody gives a stranger their address.
    #[oai(path = "/me/email/change/complete", method = "post", operation_id = "email_changes_complete")]
    async fn complete(&self, caller: Caller, body: Json<EmailToken>) -> ApiResult<Json<AccountEmail>> {
        Ok(Json(work::complete(&self.0.gate.app, &caller, &SecretString::new(body.0.token)).await?.into()))
    }

    /// Keep the present address after all.
    #[oai(path = "/me/email/change", method = "delete", operation_id = "me_email_change_cancel")]
    async fn cancel(&self, caller: Caller) -> ApiResult<Done> {
        work::cancel(&self.0.gate.app, &caller).await?;
        Ok(Done::Done)
    }
}

impl From<EmailState> for AccountEmail {
    fn from(state: EmailState) -> Self {
        let pending = state.pending.map(|pending| PendingEmail {
            email: pending.email,
            requested_at: pending.requested_at,
            expires_at: pending.expires_at,
        });
        Self { email: state.email, verified_at: state.verified_at, pending }
    }
}
