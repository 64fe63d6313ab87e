//! Codes by e-mail: setting them up, and having one sent.

use chrono::{DateTime, Utc};
use poem::Request;
use poem_openapi::{Object, OpenApi, payload::Json};

use super::{Face, Tag, wire::Done};
use crate::{
    accounts::email_codes::{self, OnItsWay},
    config::SecretString,
    edge::{ApiResult, Visitor},
    types::Caller,
};

/// The operations.
pub struct EmailCodes(pub Face);

/// A code that is on its way.
#[derive(Object)]
struct EmailCodeSent {
    /// Until when it can be used. Five wrong ones end it before, and another sent takes its place.
    expires_at: DateTime<Utc>,
    /// When another can be had; five are sent in an hour.
    again_at: DateTime<Utc>,
}

/// The code that was sent.
#[derive(Object)]
#[oai(deny_unknown_fields)]
struct ConfirmEmailCodes {
    /// The code.
    #[oai(validator(min_length = 1, max_length = 32))]
    code: String,
}

/// A challenge that is to be answered by a code.
#[derive(Object)]
#[oai(deny_unknown_fields)]
struct SendEmailCode {
    /// The challenge; left out by browsers, which have it in a cookie.
    #[oai(validator(min_length = 1, max_length = 256), skip_serializing_if_is_none)]
    challenge: Option<String>,
}

#[OpenApi(prefix_path = "/v1", tag = "Tag::SecondFactors")]
impl EmailCodes {
    /// Begin to set up codes by e-mail: the first is sent to the account's address.
    ///
    /// They are the weak factor: whoever reads the mailbox has them, and can have a new password mailed there too. Unless
    /// the settings say otherwise they do not count for administrators.
    #[oai(path = "/me/second-factors/email-codes", method = "post", operation_id = "email_codes_begin")]
    async fn begin(&self, caller: Caller) -> ApiResult<Json<EmailCodeSent>> {
        Ok(Json(email_codes::begin(&self.0.gate.app, &caller).await?.into()))
    }

    /// Confirm that codes arrive, by the one that was sent.
    ///
    /// From then on a code can be asked for at every sign-in, and this session counts as one that has used it.
    #[oai(path = "/me/second-factors/email-codes/confirm", method = "post", operation_id = "email_codes_confirm")]
    async fn confirm(&self, caller: Caller, body: Json<ConfirmEmailCodes>) -> ApiResult<Done> {
        email_codes::confirm(&self.0.gate.app, &caller, &SecretString::new(body.0.code)).await?;
        Ok(Done::Done)
    }

    /// Have no codes sent any more.
    #[oai(path = "/me/second-factors/email-codes", method = "delete", operation_id = "email_codes_remove")]
    async fn remove(&self, caller: Caller) -> ApiResult<Done> {
        email_codes::remove(&self.0.gate.app, &caller).await?;
        Ok(Done::Done)
    }

    /// Have a code sent for the second factor that a sign-in waits for.
    #[oai(
        path = "/sessions/second-factor/email-code",
        method = "post",
        operation_id = "sessions_second_factor_email_code"
    )]
    async fn send_for_challenge(
        &self,
        visitor: Visitor,
        request: &Request,
        body: Json<SendEmailCode>,
    ) -> ApiResult<Json<EmailCodeSent>> {
        let (token, vessel) = self.0.challenge(request, body.0.challenge)?;
        let sent = email_codes::send_for_challenge(&self.0.gate.app, &visitor.0, (&token, vessel)).await?;
        Ok(Json(sent.into()))
    }

    /// Have a code sent for proving again who one is.
    #[oai(path = "/session/email-code", method = "post", operation_id = "session_email_code")]
    async fn send_for_session(&self, caller: Caller) -> ApiResult<Json<EmailCodeSent>> {
        Ok(Json(email_codes::send_for_session(&self.0.gate.app, &caller).await?.into()))
    }
}

impl From<OnItsWay> for EmailCodeSent {
    fn from(OnItsWay { expires_at, again_at }: OnItsWay) -> Self {
        Self { expires_at, again_at }
    }
}
