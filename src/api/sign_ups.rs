//! People who come by themselves: signing up, and deciding about those who wait.

use chrono::{DateTime, Utc};
use entity::{SignUpRequestId, sign_up_requests::Status};
use poem::{Request, http::header};
use poem_openapi::{
    ApiResponse, Enum, Object, OpenApi,
    param::{Path, Query},
    payload::{Json, Response},
};
use uuid::Uuid;

use super::{
    Face, Tag,
    address::Email,
    invitations::Person,
    passwords::PasswordRules,
    second_factors::SecondFactorChallenge,
    sessions::{SignedIn, TokenDelivery, email},
    wire::{Accepted, Listed},
};
use crate::{
    accounts::Entered,
    authz::Limit,
    config::SecretString,
    edge::{ApiResult, Visitor, limits::Tally},
    runtime::Timestamp,
    settings::sections,
    tenancy::sign_ups,
    types::{Caller, PageRequest},
};

/// The operations.
pub struct SignUps(pub Face);

/// How people come in without being asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub enum SignUpMode {
    /// Whoever has an e-mail address.
    Open,
    /// Whoever has an address of one of the domains.
    DomainRestricted,
    /// Whoever an administrator lets in.
    ApprovalRequired,
    /// Nobody.
    InvitationOnly,
}

/// What is open to somebody who is not signed in.
#[derive(Debug, Object)]
#[oai(skip_serializing_if_is_none)]
struct SignUpOptions {
    /// How people come in.
    mode: SignUpMode,
    /// The domains of the addresses that may; absent for any.
    domains: Option<Vec<String>>,
    /// The name of the organisation that was asked about, where people may join it by themselves.
    organization_name: Option<String>,
}

/// Somebody who wants to come in.
#[derive(Object)]
#[oai(deny_unknown_fields)]
struct StartSignUp {
    /// The address to sign in with.
    email: Email,
    /// The short name of the organisation to join; left out for an account alone.
    #[oai(validator(min_length = 1, max_length = 63), skip_serializing_if_is_none)]
    organization: Option<String>,
}

/// The token of a sign-up's link.
#[derive(Object)]
#[oai(deny_unknown_fields)]
struct SignUpToken {
    /// The token.
    #[oai(validator(min_length = 1, max_length = 256))]
    token: String,
}

/// What a sign-up is about.
#[derive(Debug, Object)]
#[oai(skip_serializing_if_is_none)]
struct SignUpPreview {
    /// The address that the link proves.
    email: String,
    /// The name of the organisation to join.
    organization_name: Option<String>,
    /// Whether an administrator has to let the person in.
    approval_required: bool,
    /// Whether the address has an account: then its password is asked for.
    account_exists: bool,
    /// Until when the link works.
    expires_at: DateTime<Utc>,
    /// What the password of a new account must be.
    password_rules: PasswordRules,
}

/// What whoever follows the link says of themselves.
#[derive(Object)]
#[oai(deny_unknown_fields)]
struct VerifySignUp {
    /// The token of the link.
    #[oai(validator(min_length = 1, max_length = 256))]
    token: String,
    /// How you are called; needed for a new account.
    #[oai(validator(min_length = 1, max_length = 200), skip_serializing_if_is_none)]
    name: Option<String>,
    /// A password for the new account, or the one of the account there is.
    #[oai(validator(min_length = 1, max_length = 256))]
    password: String,
    /// How the tokens of the session travel.
    token_delivery: TokenDelivery,
}

/// The answer to whoever has followed the link.
#[expect(clippy::large_enum_variant, reason = "there is one of it a call")]
#[derive(ApiResponse)]
enum Verified {
    /// The person has joined, and has a second factor, which has to be proven before there is a session.
    #[oai(status = 200)]
    Asked(Json<SecondFactorChallenge>),
    /// The person is in, and signed in.
    #[oai(status = 201)]
    Entered(
        Json<SignedIn>,
        /// Where the session is.
        #[oai(header = "Location")]
        String,
    ),
    /// The address is proven, and the person waits for an administrator, whose answer comes by mail.
    #[oai(status = 202)]
    Waiting,
}

/// What became of somebody who waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub enum SignUpRequestStatus {
    /// They wait.
    Pending,
    /// They were let in.
    Approved,
    /// They were not.
    Rejected,
    /// Nobody has decided in time, or they asked again.
    Expired,
}

/// Somebody who has signed up and waits to be let in.
#[derive(Debug, Object)]
#[oai(skip_serializing_if_is_none)]
struct SignUpRequest {
    /// Its id.
    id: Uuid,
    /// The organisation to join; the platform's own for an account alone.
    organization_id: Uuid,
    /// The address, which is proven.
    email: String,
    /// How they are called, by their own account.
    name: String,
    /// What became of it.
    status: SignUpRequestStatus,
    /// Since when they wait.
    created_at: DateTime<Utc>,
    /// Until when.
    expires_at: DateTime<Utc>,
    /// When it was decided.
    decided_at: Option<DateTime<Utc>>,
    /// By whom.
    decided_by: Option<Person>,
}

/// Why somebody is not let in.
#[derive(Object)]
#[oai(deny_unknown_fields)]
struct RejectSignUp {
    /// For the person, who gets it by mail, and for the record; without web addresses.
    #[oai(validator(min_length = 1, max_length = 500))]
    reason: String,
}

#[OpenApi(prefix_path = "/v1", tag = "Tag::SignUps")]
impl SignUps {
    /// How people come in without an invitation: into an organisation, or for an account alone.
    ///
    /// Of an organisation that nobody joins by themselves it says what it says of one that does not exist.
    #[oai(path = "/sign-ups/options", method = "get", operation_id = "sign_up_options")]
    async fn options(
        &self,
        visitor: Visitor,
        /// The short name of an organisation; left out for an account alone.
        #[oai(validator(min_length = 1, max_length = 63))]
        organization: Query<Option<String>>,
    ) -> ApiResult<Json<SignUpOptions>> {
        let found = sign_ups::options(&self.0.gate.app, &visitor.0, organization.0.as_deref()).await?;
        let sign_ups::Options { mode, domains, organization } = found;
        Ok(Json(SignUpOptions { mode: mode.into(), domains, organization_name: organization }))
    }

    /// Sign up: a letter goes to the address, with a link to go on.
    ///
    /// The answer is the same, in the same time, whether or not the address has an account; only the letter differs.
    /// There is no account until the link was followed. Ten an hour from one client (unless the server is configured
    /// otherwise), three to one address.
    #[oai(path = "/sign-ups", method = "post", operation_id = "sign_ups_create")]
    async fn create(&self, visitor: Visitor, request: &Request, body: Json<StartSignUp>) -> ApiResult<Accepted> {
        let (gate, tally) = (&self.0.gate, Tally::of(request));
        let email = email(&body.0.email)?;
        let left = sign_ups::create(&gate.app, &visitor.0, &email, body.0.organization.as_deref()).await;
        gate.limits.note(&tally, Limit::SignUp, &left);
        left?;
        Ok(Accepted::Accepted)
    }

    /// What the link of a sign-up is about. Whoever has the link may ask.
    #[oai(path = "/sign-ups/lookup", method = "post", operation_id = "sign_ups_lookup")]
    async fn lookup(&self, visitor: Visitor, body: Json<SignUpToken>) -> ApiResult<Json<SignUpPreview>> {
        let token = SecretString::new(body.0.token);
        let preview = sign_ups::lookup(&self.0.gate.app, &visitor.0, &token).await?;
        Ok(Json(SignUpPreview {
            email: preview.email,
            organization_name: preview.organization,
            approval_required: preview.approval,
            account_exists: preview.account_exists,
            expires_at: preview.expires_at,
            password_rules: preview.password_rules.into(),
        }))
    }

    /// Complete a sign-up by its link: choose a name and a password, or join with the password of the account there is.
    ///
    /// The password is chosen here and not before, so that nobody chooses it for somebody else. 202 means that an
    /// administrator has to let the person in first.
    #[oai(path = "/sign-ups/verify", method = "post", operation_id = "sign_ups_verify")]
    async fn verify(&self, visitor: Visitor, body: Json<VerifySignUp>) -> ApiResult<Response<Verified>> {
        let body = body.0;
        let answer = sign_ups::Confirmation {
            token: SecretString::new(body.token),
            name: body.name,
            password: SecretString::new(body.password),
            delivery: body.token_delivery.into(),
        };
        let signed_in = match sign_ups::confirm(&self.0.gate.app, &visitor.0, answer).await? {
            sign_ups::Outcome::Waiting => return Ok(Response::new(Verified::Waiting)),
            sign_ups::Outcome::Entered(Entered::Asked(challenge)) => {
                return Ok(self.0.asked(challenge, Verified::Asked)?);
            }
            sign_ups::Outcome::Entered(Entered::In(signed_in)) => *signed_in,
        };
        let (signed_in, location, cookies) = self.0.signed_in_on(&visitor.0, signed_in).await?;
        let response = Response::new(Verified::Entered(Json(signed_in), location));
        Ok(cookies.into_iter().fold(response, |response, cookie| response.header(header::SET_COOKIE, cookie)))
    }

    /// Who has signed up and waits to be let in, and what became of those who did, newest first.
    ///
    /// In the platform's own organisation it is who waits for an account alone.
    #[expect(clippy::too_many_arguments, reason = "one argument a parameter of the contract")]
    #[oai(
        path = "/organizations/:organization_id/sign-up-requests",
        method = "get",
        operation_id = "sign_up_requests_list"
    )]
    async fn list(
        &self,
        caller: Caller,
        organization_id: Path<Uuid>,
        request: &Request,
        /// In this state.
        status: Query<Option<SignUpRequestStatus>>,
        /// The most items of the page.
        #[oai(validator(minimum(value = "1"), maximum(value = "200")))]
        limit: Query<Option<u64>>,
        /// Where the last page ended.
        cursor: Query<Option<String>>,
    ) -> ApiResult<Listed<SignUpRequest>> {
        let _ = organization_id;
        let page = PageRequest::parse(limit.0, cursor.0.as_deref())?;
        let page = sign_ups::list(&self.0.gate.app, &caller, status.0.map(Into::into), page).await?;
        Ok(Listed::page(request, page, |waiting| SignUpRequest::of(waiting, caller.now())))
    }

    /// One who waits, or has waited.
    #[oai(
        path = "/organizations/:organization_id/sign-up-requests/:sign_up_request_id",
        method = "get",
        operation_id = "sign_up_requests_get"
    )]
    async fn get(
        &self,
        caller: Caller,
        organization_id: Path<Uuid>,
        sign_up_request_id: Path<Uuid>,
    ) -> ApiResult<Json<SignUpRequest>> {
        let _ = organization_id;
        let id = SignUpRequestId(sign_up_request_id.0);
        let found = sign_ups::get(&self.0.gate.app, &caller, id).await?;
        Ok(Json(SignUpRequest::of(found, caller.now())))
    }

    /// Let somebody in who waits, as a member. They are told by mail.
    #[oai(
        path = "/organizations/:organization_id/sign-up-requests/:sign_up_request_id/approve",
        method = "post",
        operation_id = "sign_up_requests_approve"
    )]
    async fn approve(
        &self,
        caller: Caller,
        organization_id: Path<Uuid>,
        sign_up_request_id: Path<Uuid>,
    ) -> ApiResult<Json<SignUpRequest>> {
        let _ = organization_id;
        let id = SignUpRequestId(sign_up_request_id.0);
        let decided = sign_ups::approve(&self.0.gate.app, &caller, id).await?;
        Ok(Json(SignUpRequest::of(decided, caller.now())))
    }

    /// Turn somebody away who waits. They are told by mail, with the reason.
    #[oai(
        path = "/organizations/:organization_id/sign-up-requests/:sign_up_request_id/reject",
        method = "post",
        operation_id = "sign_up_requests_reject"
    )]
    async fn reject(
        &self,
        caller: Caller,
        organization_id: Path<Uuid>,
        sign_up_request_id: Path<Uuid>,
        body: Json<RejectSignUp>,
    ) -> ApiResult<Json<SignUpRequest>> {
        let _ = organization_id;
        let id = SignUpRequestId(sign_up_request_id.0);
        let decided = sign_ups::reject(&self.0.gate.app, &caller, id, &body.0.reason).await?;
        Ok(Json(SignUpRequest::of(decided, caller.now())))
    }
}

impl SignUpRequest {
    fn of(request: sign_ups::Request, now: Timestamp) -> Self {
        let status = request.status(now).into();
        let row = request.row;
        Self {
            id: row.id.into(),
            organization_id: row.organization_id.into(),
            email: request.email,
            name: request.name,
            status,
            created_at: row.created_at,
            expires_at: row.expires_at,
            decided_at: row.decided_at,
            decided_by: request.decider.map(|account| Person { id: account.id.into(), name: account.name }),
        }
    }
}

impl From<sections::SignUpMode> for SignUpMode {
    fn from(mode: sections::SignUpMode) -> Self {
        match mode {
            sections::SignUpMode::Open => Self::Open,
            sections::SignUpMode::DomainRestricted => Self::DomainRestricted,
            sections::SignUpMode::ApprovalRequired => Self::ApprovalRequired,
            sections::SignUpMode::InvitationOnly => Self::InvitationOnly,
        }
    }
}

impl From<Status> for SignUpRequestStatus {
    fn from(status: Status) -> Self {
        match status {
            Status::Pending => Self::Pending,
            Status::Approved => Self::Approved,
            Status::Rejected => Self::Rejected,
            Status::Expired => Self::Expired,
        }
    }
}

impl From<SignUpRequestStatus> for Status {
    fn from(status: SignUpRequestStatus) -> Self {
        match status {
            SignUpRequestStatus::Pending => Self::Pending,
            SignUpRequestStatus::Approved => Self::Approved,
            SignUpRequestStatus::Rejected => Self::Rejected,
            SignUpRequestStatus::Expired => Self::Expired,
        }
    }
}
