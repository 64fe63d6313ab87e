//! A person's second factors: proving one at sign-in, setting one up, backup codes.

use chrono::{DateTime, Utc};
use entity::{AccountId, sessions::Delivery};
use poem::{Request, http::header};
use poem_openapi::{
    ApiResponse, Enum, Object, OpenApi,
    param::Path,
    payload::{Json, Response},
};
use uuid::Uuid;

use super::{
    Face, Tag,
    sessions::SignedIn,
    wire::{Created, Done},
};
use crate::{
    accounts::{self, Trust, demand, factors},
    config::SecretString,
    edge::{ApiResult, Visitor, cookies::CookieKind},
    error::{Code, Error, Result},
    mfa::{self, challenges::Challenge},
    tenancy::managed,
    types::Caller,
};

/// The operations.
pub struct SecondFactors(pub Face);

/// A way to prove a second factor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub enum SecondFactorMethod {
    /// A code of an authenticator app.
    Totp,
    /// A passkey, which operations of its own ask for; no code proves it.
    Passkey,
    /// A code that was mailed, when it was asked for.
    EmailCode,
    /// A backup code, which is used up.
    BackupCode,
}

/// What a second factor is proven with.
#[derive(Object)]
#[oai(deny_unknown_fields)]
pub struct SecondFactorProof {
    /// Which.
    method: SecondFactorMethod,
    /// The code, as it is shown or written; spaces, hyphens and case don't matter.
    #[oai(validator(min_length = 1, max_length = 32))]
    code: String,
}

/// A right password that waits for a second factor.
#[derive(Object)]
#[oai(skip_serializing_if_is_none)]
pub struct SecondFactorChallenge {
    /// What it is answered with, with `token_delivery: body`; browsers have it in a cookie.
    challenge: Option<String>,
    /// The ways in which it can be.
    methods: Vec<SecondFactorMethod>,
    /// Until when. Five wrong codes end it before.
    expires_at: DateTime<Utc>,
}

/// The answer to a right password.
#[expect(clippy::large_enum_variant, reason = "there is one of it a call")]
#[derive(ApiResponse)]
pub enum Entry {
    /// The password was right, and a second factor has to be proven before there is a session.
    #[oai(status = 200)]
    Asked(Json<SecondFactorChallenge>),
    /// The person is signed in.
    #[oai(status = 201)]
    Entered(
        Json<SignedIn>,
        /// Where the session is.
        #[oai(header = "Location")]
        String,
    ),
}

/// The answer to a challenge.
#[derive(Object)]
#[oai(deny_unknown_fields)]
struct AnswerChallenge {
    /// The challenge; left out by browsers, which have it in a cookie.
    #[oai(validator(min_length = 1, max_length = 256), skip_serializing_if_is_none)]
    challenge: Option<String>,
    /// What the second factor is proven with.
    second_factor: SecondFactorProof,
    /// Whether this browser or program is trusted for fourteen days: the password is then enough to sign in there.
    #[oai(skip_serializing_if_is_none)]
    trust_device: Option<bool>,
}

/// A person's second factors.
#[derive(Object)]
#[oai(skip_serializing_if_is_none)]
struct OwnSecondFactors {
    /// Since when there is an authenticator app; absent without one.
    totp_since: Option<DateTime<Utc>>,
    /// How many passkeys there are.
    passkeys: u32,
    /// Since when codes are mailed; absent where they are not.
    email_codes_since: Option<DateTime<Utc>>,
    /// How many backup codes have not been used.
    backup_codes_left: u32,
}

/// An authenticator app that is being set up.
#[derive(Object)]
struct TotpEnrolment {
    /// The key in base32, to be typed into the app.
    secret: String,
    /// The same as a link, to be shown as a QR code.
    uri: String,
    /// Until when it has to be confirmed.
    expires_at: DateTime<Utc>,
}

/// A code of the app that is being set up.
#[derive(Object)]
#[oai(deny_unknown_fields)]
struct ConfirmTotp {
    /// The code.
    #[oai(validator(min_length = 1, max_length = 32))]
    code: String,
}

/// Backup codes. Nobody sees them again.
#[derive(Object)]
struct BackupCodes {
    /// Ten, each good once.
    codes: Vec<String>,
}

/// What a session's organisation demands of it.
#[derive(Clone, Debug, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct SecondFactorStanding {
    /// Whether the person's role there demands a second factor.
    required: bool,
    /// Whether the person has one.
    enrolled: bool,
    /// Whether this session has used one.
    proven: bool,
    /// Until when the person may do without, where one is or was demanded of them.
    due_at: Option<DateTime<Utc>>,
    /// Whether a code by e-mail counts as one for the person there.
    email_codes_count: bool,
}

/// Until when somebody may do without a second factor.
#[derive(Object)]
struct Grace {
    /// Until when.
    due_at: DateTime<Utc>,
}

#[OpenApi(prefix_path = "/v1", tag = "Tag::SecondFactors")]
impl SecondFactors {
    /// Prove the second factor that a sign-in waits for.
    ///
    /// Five wrong codes end the challenge; ten wrong codes of an account in an hour, over all its challenges, and every
    /// code is refused for a while, the right one too.
    #[oai(path = "/sessions/second-factor", method = "post", operation_id = "sessions_second_factor")]
    async fn answer(
        &self,
        visitor: Visitor,
        request: &Request,
        body: Json<AnswerChallenge>,
    ) -> ApiResult<Response<Created<SignedIn>>> {
        let (gate, body) = (&self.0.gate, body.0);
        let (token, vessel) = self.0.challenge(request, body.challenge)?;
        let device = gate.cookies.read(request.headers(), CookieKind::Device).map(SecretString::new);
        let (proof, trust) = (body.second_factor.into(), Trust::of(body.trust_device));
        let signed_in = accounts::answer(&gate.app, &visitor.0, (&token, vessel), &proof, (device, trust)).await?;
        let response = self.0.created_on(&visitor.0, signed_in).await?;
        let over = gate.cookies.forget(CookieKind::Challenge)?;
        Ok(response.header(header::SET_COOKIE, over))
    }

    /// One's own second factors.
    #[oai(path = "/me/second-factors", method = "get", operation_id = "second_factors_get")]
    async fn get(&self, caller: Caller) -> ApiResult<Json<OwnSecondFactors>> {
        let factors = factors::factors(&self.0.gate.app, &caller).await?;
        Ok(Json(OwnSecondFactors {
            totp_since: factors.totp_since,
            passkeys: u32::try_from(factors.passkeys).unwrap_or(u32::MAX),
            email_codes_since: factors.email_codes_since,
            backup_codes_left: u32::try_from(factors.backup_codes).unwrap_or(u32::MAX),
        }))
    }

    /// Begin to set up an authenticator app (RFC 6238: SHA-1, six digits, 30 seconds).
    ///
    /// It is asked for as soon as it is confirmed, within a quarter of an hour. Beginning again makes another key.
    #[oai(path = "/me/second-factors/totp", method = "post", operation_id = "totp_begin")]
    async fn begin_totp(&self, caller: Caller) -> ApiResult<Json<TotpEnrolment>> {
        let enrolment = factors::begin_totp(&self.0.gate.app, &caller).await?;
        Ok(Json(TotpEnrolment {
            secret: enrolment.secret.expose().to_owned(),
            uri: enrolment.uri.expose().to_owned(),
            expires_at: enrolment.expires_at,
        }))
    }

    /// Confirm by a code that the authenticator app works.
    ///
    /// From then on it is asked for at every sign-in, and this session counts as one that has used it. The answer has the
    /// backup codes, once.
    #[oai(path = "/me/second-factors/totp/confirm", method = "post", operation_id = "totp_confirm")]
    async fn confirm_totp(&self, caller: Caller, body: Json<ConfirmTotp>) -> ApiResult<Json<BackupCodes>> {
        let codes = factors::confirm_totp(&self.0.gate.app, &caller, SecretString::new(body.0.code)).await?;
        Ok(Json(BackupCodes::of(&codes)))
    }

    /// Remove one's authenticator app; if it was the last second factor, the backup codes with it.
    #[oai(path = "/me/second-factors/totp", method = "delete", operation_id = "totp_remove")]
    async fn remove_totp(&self, caller: Caller) -> ApiResult<Done> {
        factors::remove_totp(&self.0.gate.app, &caller).await?;
        Ok(Done::Done)
    }

    /// Make new backup codes in the place of those there are.
    #[oai(path = "/me/second-factors/backup-codes", method = "post", operation_id = "backup_codes_renew")]
    async fn renew_backup_codes(&self, caller: Caller) -> ApiResult<Json<BackupCodes>> {
        let codes = factors::renew_backup_codes(&self.0.gate.app, &caller).await?;
        Ok(Json(BackupCodes::of(&codes)))
    }

    /// Take every second factor from an account, for somebody who has lost theirs, and end its sessions.
    ///
    /// The person is told by mail.
    #[oai(
        path = "/accounts/:account_id/second-factors",
        method = "delete",
        operation_id = "accounts_second_factors_disable"
    )]
    async fn disable(&self, caller: Caller, account_id: Path<Uuid>) -> ApiResult<Done> {
        factors::disable(&self.0.gate.app, &caller, AccountId(account_id.0)).await?;
        Ok(Done::Done)
    }

    /// Give somebody time again to set up a second factor, as much as the platform's settings give. They are told by mail.
    #[oai(
        path = "/accounts/:account_id/second-factors/grace",
        method = "post",
        operation_id = "accounts_second_factors_grace_reset"
    )]
    async fn reset_grace(&self, caller: Caller, account_id: Path<Uuid>) -> ApiResult<Json<Grace>> {
        let due_at = factors::reset_grace(&self.0.gate.app, &caller, AccountId(account_id.0)).await?;
        Ok(Json(Grace { due_at }))
    }

    /// Take every second factor from a managed account, for somebody who has lost theirs, and end its sessions.
    ///
    /// The person is told by mail.
    #[oai(
        path = "/organizations/:organization_id/managed-accounts/:account_id/second-factors",
        method = "delete",
        operation_id = "managed_accounts_second_factors_disable"
    )]
    async fn disable_managed(
        &self,
        caller: Caller,
        organization_id: Path<Uuid>,
        account_id: Path<Uuid>,
    ) -> ApiResult<Done> {
        let _ = organization_id;
        managed::disable_second_factors(&self.0.gate.app, &caller, AccountId(account_id.0)).await?;
        Ok(Done::Done)
    }

    /// Give the person of a managed account time again to set up a second factor. They are told by mail.
    #[oai(
        path = "/organizations/:organization_id/managed-accounts/:account_id/second-factors/grace",
        method = "post",
        operation_id = "managed_accounts_second_factors_grace_reset"
    )]
    async fn reset_managed_grace(
        &self,
        caller: Caller,
        organization_id: Path<Uuid>,
        account_id: Path<Uuid>,
    ) -> ApiResult<Json<Grace>> {
        let _ = organization_id;
        let due_at = managed::reset_grace(&self.0.gate.app, &caller, AccountId(account_id.0)).await?;
        Ok(Json(Grace { due_at }))
    }
}

impl Face {
    /// The challenge that somebody answers, and how it came.
    pub(super) fn challenge(&self, request: &Request, in_body: Option<String>) -> Result<(SecretString, Delivery)> {
        self.brought(request, in_body, (CookieKind::Challenge, Error::Unauthenticated(Code::ChallengeNotValid)))
    }

    /// A token from the body, or from a browser's cookie, and which of the two.
    pub(super) fn brought(
        &self,
        request: &Request,
        in_body: Option<String>,
        (cookie, none): (CookieKind, Error),
    ) -> Result<(SecretString, Delivery)> {
        let vessel = if in_body.is_some() { Delivery::Body } else { Delivery::Cookie };
        let token = in_body.or_else(|| self.gate.cookies.read(request.headers(), cookie));
        Ok((SecretString::new(token.ok_or(none)?), vessel))
    }

    /// The answer to a right password.
    pub(super) async fn entered(&self, caller: &Caller, entered: accounts::Entered) -> Result<Response<Entry>> {
        let signed_in = match entered {
            accounts::Entered::In(signed_in) => *signed_in,
            accounts::Entered::Asked(challenge) => return self.asked(challenge, Entry::Asked),
        };
        let (signed_in, location, cookies) = self.signed_in_on(caller, signed_in).await?;
        let response = Response::new(Entry::Entered(Json(signed_in), location));
        Ok(cookies.into_iter().fold(response, |response, cookie| response.header(header::SET_COOKIE, cookie)))
    }

    /// The answer that asks for a second factor: a browser gets what it is answered with in a cookie, and nowhere else.
    pub(super) fn asked<T: ApiResponse>(
        &self,
        challenge: Challenge,
        answer: impl FnOnce(Json<SecondFactorChallenge>) -> T,
    ) -> Result<Response<T>> {
        let Challenge { token, delivery, methods, expires_at } = challenge;
        let in_body = (delivery == Delivery::Body).then(|| token.expose().to_owned());
        let methods = methods.into_iter().map(Into::into).collect();
        let response = Response::new(answer(Json(SecondFactorChallenge { challenge: in_body, methods, expires_at })));
        if delivery == Delivery::Body {
            return Ok(response);
        }
        let lasts = mfa::challenges::LASTS.to_std().unwrap_or_default();
        Ok(response.header(header::SET_COOKIE, self.gate.cookies.set(CookieKind::Challenge, token.expose(), lasts)?))
    }
}

impl BackupCodes {
    fn of(codes: &[SecretString]) -> Self {
        Self { codes: codes.iter().map(|code| code.expose().to_owned()).collect() }
    }
}

impl From<SecondFactorProof> for mfa::Proof {
    fn from(proof: SecondFactorProof) -> Self {
        let method = match proof.method {
            SecondFactorMethod::Totp => mfa::Method::Totp,
            SecondFactorMethod::Passkey => mfa::Method::Passkey,
            SecondFactorMethod::EmailCode => mfa::Method::EmailCode,
            SecondFactorMethod::BackupCode => mfa::Method::BackupCode,
        };
        Self { method, code: SecretString::new(proof.code) }
    }
}

impl From<mfa::Method> for SecondFactorMethod {
    fn from(method: mfa::Method) -> Self {
        match method {
            mfa::Method::Totp => Self::Totp,
            mfa::Method::Passkey => Self::Passkey,
            mfa::Method::EmailCode => Self::EmailCode,
            mfa::Method::BackupCode => Self::BackupCode,
        }
    }
}

impl From<demand::Standing> for SecondFactorStanding {
    fn from(standing: demand::Standing) -> Self {
        let demand::Standing { required, enrolled, proven, due_at, email_codes_count } = standing;
        Self { required, enrolled, proven, due_at, email_codes_count }
    }
}
