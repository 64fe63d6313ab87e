//! Proving who one is by a passkey: at a sign-in, for a challenge, and again in a session.

use chrono::{DateTime, Utc};
use entity::sessions::Delivery;
use poem::{
    Request,
    http::{HeaderValue, header},
};
use poem_openapi::{
    Object, OpenApi,
    payload::{Json, Response},
    types::Any,
};
use serde_json::Value;

use super::{
    Face, Tag,
    passkeys::PasskeyQuestion,
    sessions::{SignedIn, TokenDelivery},
    wire::Created,
};
use crate::{
    accounts::{Trust, passkey_proofs},
    config::SecretString,
    edge::{ApiResult, Visitor, cookies::CookieKind},
    error::{Code, Error, Result},
    mfa::passkeys::{Assertion, LASTS},
    types::Caller,
};

/// The operations.
pub struct PasskeyProofs(pub Face);

/// The beginning of a sign-in by a passkey.
#[derive(Object)]
#[oai(deny_unknown_fields)]
struct BeginPasskeySignIn {
    /// How the tokens travel.
    token_delivery: TokenDelivery,
}

/// A question for whichever passkey somebody has.
#[derive(Object)]
#[oai(skip_serializing_if_is_none)]
struct PasskeySignInQuestion {
    /// What the answer is to be brought with, with `token_delivery: body`; browsers have it in a cookie.
    ceremony: Option<String>,
    /// The options of the call that a browser makes, as `parseRequestOptionsFromJSON` takes them (WebAuthn Level 3, 5.1).
    options: Any<Value>,
    /// Until when it can be answered.
    expires_at: DateTime<Utc>,
}

/// The end of a sign-in by a passkey.
#[derive(Object)]
#[oai(deny_unknown_fields)]
struct SignInWithPasskey {
    /// What the beginning brought; left out by browsers, which have it in a cookie.
    #[oai(validator(min_length = 1, max_length = 256), skip_serializing_if_is_none)]
    ceremony: Option<String>,
    /// What the authenticator signed, as `toJSON()` writes it (WebAuthn Level 3, 5.1).
    credential: Any<Value>,
}

/// A challenge that is to be answered by a passkey.
#[derive(Object)]
#[oai(deny_unknown_fields)]
struct BeginPasskeyAnswer {
    /// The challenge; left out by browsers, which have it in a cookie.
    #[oai(validator(min_length = 1, max_length = 256), skip_serializing_if_is_none)]
    challenge: Option<String>,
}

/// The answer to a challenge by a passkey.
#[derive(Object)]
#[oai(deny_unknown_fields)]
struct AnswerWithPasskey {
    /// The challenge; left out by browsers, which have it in a cookie.
    #[oai(validator(min_length = 1, max_length = 256), skip_serializing_if_is_none)]
    challenge: Option<String>,
    /// What the authenticator signed, as `toJSON()` writes it (WebAuthn Level 3, 5.1).
    credential: Any<Value>,
    /// Whether this browser or program is trusted for fourteen days: the password is then enough to sign in there.
    #[oai(skip_serializing_if_is_none)]
    trust_device: Option<bool>,
}

/// A proof of who is signed in.
#[derive(Object)]
#[oai(deny_unknown_fields)]
struct ReauthenticateWithPasskey {
    /// What the authenticator signed, as `toJSON()` writes it (WebAuthn Level 3, 5.1).
    credential: Any<Value>,
}

#[OpenApi(prefix_path = "/v1", tag = "Tag::Sessions")]
impl PasskeyProofs {
    /// Begin to sign in by a passkey, without an address or a password.
    ///
    /// The authenticator says whose it is, once it has verified its person.
    #[oai(path = "/sessions/passkey/options", method = "post", operation_id = "sessions_passkey_begin")]
    async fn begin_sign_in(
        &self,
        visitor: Visitor,
        body: Json<BeginPasskeySignIn>,
    ) -> ApiResult<Response<Json<PasskeySignInQuestion>>> {
        let (gate, delivery) = (&self.0.gate, Delivery::from(body.0.token_delivery));
        let open = passkey_proofs::begin_sign_in(&gate.app, &visitor.0, delivery).await?;
        let token = open.token.expose();
        let answer = |ceremony| PasskeySignInQuestion {
            ceremony,
            options: Any(open.question.options.clone()),
            expires_at: open.question.expires_at,
        };
        if delivery == Delivery::Body {
            return Ok(Response::new(Json(answer(Some(token.to_owned())))));
        }
        let cookie = gate.cookies.set(CookieKind::Passkey, token, LASTS.to_std().unwrap_or_default())?;
        Ok(Response::new(Json(answer(None))).header(header::SET_COOKIE, cookie))
    }

    /// Sign in by a passkey.
    ///
    /// What the beginning asked for can be answered once. The answer is the same whatever was wrong, and whether or not
    /// anybody has the passkey. The session counts as one that has used a second factor.
    #[oai(path = "/sessions/passkey", method = "post", operation_id = "sessions_passkey")]
    async fn sign_in(
        &self,
        visitor: Visitor,
        request: &Request,
        body: Json<SignInWithPasskey>,
    ) -> ApiResult<Response<Created<SignedIn>>> {
        let SignInWithPasskey { ceremony, credential } = body.0;
        let assertion = Assertion::parse(credential.0)?;
        let none = Error::Conflict(Code::PasskeyCeremonyNotValid);
        let (token, vessel) = self.0.brought(request, ceremony, (CookieKind::Passkey, none))?;
        let signed_in = passkey_proofs::sign_in(&self.0.gate.app, &visitor.0, (&token, vessel), &assertion).await?;
        let response = self.0.created_on(&visitor.0, signed_in).await?;
        Ok(response.header(header::SET_COOKIE, self.over(CookieKind::Passkey)?))
    }

    /// Begin to prove by a passkey the second factor that a sign-in waits for.
    #[oai(
        path = "/sessions/second-factor/passkey/options",
        method = "post",
        operation_id = "sessions_second_factor_passkey_begin"
    )]
    async fn begin_answer(
        &self,
        visitor: Visitor,
        request: &Request,
        body: Json<BeginPasskeyAnswer>,
    ) -> ApiResult<Json<PasskeyQuestion>> {
        let (token, vessel) = self.0.challenge(request, body.0.challenge)?;
        let question = passkey_proofs::begin_answer(&self.0.gate.app, &visitor.0, (&token, vessel)).await?;
        Ok(Json(question.into()))
    }

    /// Prove by a passkey the second factor that a sign-in waits for.
    ///
    /// A wrong one counts as a wrong code does. What was asked for can be answered once.
    #[oai(path = "/sessions/second-factor/passkey", method = "post", operation_id = "sessions_second_factor_passkey")]
    async fn answer(
        &self,
        visitor: Visitor,
        request: &Request,
        body: Json<AnswerWithPasskey>,
    ) -> ApiResult<Response<Created<SignedIn>>> {
        let (gate, AnswerWithPasskey { challenge, credential, trust_device }) = (&self.0.gate, body.0);
        let assertion = Assertion::parse(credential.0)?;
        let (token, vessel) = self.0.challenge(request, challenge)?;
        let device = gate.cookies.read(request.headers(), CookieKind::Device).map(SecretString::new);
        let (by, device) = ((&token, vessel), (device, Trust::of(trust_device)));
        let signed_in = passkey_proofs::answer(&gate.app, &visitor.0, by, &assertion, device).await?;
        let response = self.0.created_on(&visitor.0, signed_in).await?;
        Ok(response.header(header::SET_COOKIE, self.over(CookieKind::Challenge)?))
    }

    /// Begin to prove again by a passkey who one is.
    #[oai(
        path = "/session/reauthenticate/passkey/options",
        method = "post",
        operation_id = "session_reauthenticate_passkey_begin"
    )]
    async fn begin_reauthentication(&self, caller: Caller) -> ApiResult<Json<PasskeyQuestion>> {
        Ok(Json(passkey_proofs::begin_reauthentication(&self.0.gate.app, &caller).await?.into()))
    }

    /// Prove again by a passkey who one is, without the password.
    ///
    /// It is good for whatever a password with a second factor is. A wrong one counts as a wrong code does.
    #[oai(path = "/session/reauthenticate/passkey", method = "post", operation_id = "session_reauthenticate_passkey")]
    async fn reauthenticate(
        &self,
        caller: Caller,
        body: Json<ReauthenticateWithPasskey>,
    ) -> ApiResult<Response<Json<SignedIn>>> {
        let assertion = Assertion::parse(body.0.credential.0)?;
        let opened = passkey_proofs::reauthenticate(&self.0.gate.app, &caller, &assertion).await?;
        Ok(self.0.carried_on(&caller, opened).await?)
    }
}

impl PasskeyProofs {
    fn over(&self, cookie: CookieKind) -> Result<HeaderValue> {
        self.0.gate.cookies.forget(cookie)
    }
}
