//! A lost second factor: the recovery address, asking for a recovery, completing and stopping it, and who approves.

use chrono::{DateTime, Utc};
use entity::{RecoveryRequestId, sessions::Delivery};
use poem::Request;
use poem_openapi::{
    Enum, Object, OpenApi,
    param::{Path, Query},
    payload::Json,
};
use uuid::Uuid;

use super::{
    Face, Tag, address,
    sessions::email,
    wire::{Done, Listed},
};
use crate::{
    accounts::{
        recovery::{self as work, Asked},
        recovery_address::{self as address_work, RecoveryState},
    },
    config::SecretString,
    edge::{ApiResult, Visitor, cookies::CookieKind},
    error::{Code, Error},
    mail::RecoveryDecision,
    mfa::recovery::{Approval, Request as Stored},
    runtime::Timestamp,
    tenancy::recoveries::{self, Waiting},
    types::{Caller, PageRequest},
};

/// The operations.
pub struct Recovery(pub Face);

/// How a recovery stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
enum RecoveryStatus {
    /// It can be completed with the link that the recovery address was sent.
    Ready,
    /// The same, but not yet.
    Waiting,
    /// An administrator has to approve it; nothing was sent yet.
    ApprovalRequired,
}

/// A recovery that was asked for.
#[derive(Debug, Object)]
struct OpenRecovery {
    /// How it stands.
    status: RecoveryStatus,
    /// From when on it can be completed; of one that has to be approved, not before then.
    not_before: DateTime<Utc>,
    /// Until when; of one that has to be approved, until when it waits for that.
    expires_at: DateTime<Utc>,
}

/// A person's recovery address.
#[derive(Debug, Object)]
#[oai(skip_serializing_if_is_none)]
struct RecoveryAddress {
    /// The address that helps when the second factor is lost; absent without one.
    email: Option<String>,
    /// When it was proven.
    verified_at: Option<DateTime<Utc>>,
    /// An address that is to take its place once it is proven.
    pending: Option<PendingRecoveryAddress>,
    /// A recovery that was asked for and is not over.
    recovery: Option<OpenRecovery>,
}

/// A recovery address that waits for its proof.
#[derive(Debug, Object)]
struct PendingRecoveryAddress {
    /// The address.
    email: String,
    /// When it was asked for.
    requested_at: DateTime<Utc>,
    /// Until when the link works that was sent there.
    expires_at: DateTime<Utc>,
}

/// Another recovery address.
#[derive(Object)]
#[oai(deny_unknown_fields)]
struct UpdateRecoveryAddress {
    /// The address; another than that of the account.
    email: address::Email,
}

/// The token of a link of a letter.
#[derive(Object)]
#[oai(deny_unknown_fields)]
struct RecoveryToken {
    /// The token.
    #[oai(validator(min_length = 1, max_length = 256))]
    token: String,
}

/// A wish for a recovery, by somebody who is asked for a second factor.
#[derive(Object)]
#[oai(deny_unknown_fields)]
struct AskRecovery {
    /// The challenge; left out by browsers, which have it in a cookie.
    #[oai(validator(min_length = 1, max_length = 256), skip_serializing_if_is_none)]
    challenge: Option<String>,
}

/// A recovery that waits for an administrator.
#[derive(Debug, Object)]
struct WaitingRecovery {
    /// Its id.
    id: Uuid,
    /// The person's account.
    account_id: Uuid,
    /// The address that the person signs in with.
    email: String,
    /// How the person is called.
    name: String,
    /// When it was asked for.
    requested_at: DateTime<Utc>,
    /// Before when it can't be completed, approved or not.
    not_before: DateTime<Utc>,
    /// Until when it waits.
    expires_at: DateTime<Utc>,
}

/// A decision about a recovery.
#[derive(Object)]
#[oai(deny_unknown_fields)]
struct DecideRecovery {
    /// Why: how you know that it is them, or what speaks against it. The person is told.
    #[oai(validator(min_length = 1, max_length = 500))]
    reason: String,
}

#[OpenApi(prefix_path = "/v1", tag = "Tag::SecondFactors")]
impl Recovery {
    /// Ask for a recovery, at the second step of a sign-in.
    ///
    /// Where the account has a recovery address, that is sent a link which switches the second factor off; at once, after a
    /// waiting time, or after an administrator has approved, as the platform and the person's organisations demand. Every
    /// address of the person is told. 409 `recovery_unavailable` without a recovery address. Three a day at most.
    #[oai(path = "/sessions/recovery", method = "post", operation_id = "sessions_recovery")]
    async fn ask(&self, visitor: Visitor, request: &Request, body: Json<AskRecovery>) -> ApiResult<Json<OpenRecovery>> {
        let (gate, body) = (&self.0.gate, body.0);
        let vessel = if body.challenge.is_some() { Delivery::Body } else { Delivery::Cookie };
        let token = body.challenge.or_else(|| gate.cookies.read(request.headers(), CookieKind::Challenge));
        let token = SecretString::new(token.ok_or(Error::Unauthenticated(Code::ChallengeNotValid))?);
        let asked = recoveries::ask(&gate.app, &visitor.0, &token, vessel).await?;
        Ok(Json(OpenRecovery::of(asked, visitor.0.now())))
    }

    /// Complete a recovery with the token of the link that the recovery address was sent.
    ///
    /// Every second factor goes, and all sessions end; nobody is signed in. The person signs in with the password alone then.
    /// 409 `recovery_waits` before its time.
    #[oai(path = "/recoveries/complete", method = "post", operation_id = "recoveries_complete")]
    async fn complete(&self, visitor: Visitor, body: Json<RecoveryToken>) -> ApiResult<Done> {
        work::complete(&self.0.gate.app, &visitor.0, &SecretString::new(body.0.token)).await?;
        Ok(Done::Done)
    }

    /// Stop a recovery with the token of the link that every address was sent.
    #[oai(path = "/recoveries/stop", method = "post", operation_id = "recoveries_stop")]
    async fn stop(&self, visitor: Visitor, body: Json<RecoveryToken>) -> ApiResult<Done> {
        work::stop(&self.0.gate.app, &visitor.0, &SecretString::new(body.0.token)).await?;
        Ok(Done::Done)
    }

    /// One's recovery address, the one that is to take its place, and what was asked for through it.
    #[oai(path = "/me/recovery-address", method = "get", operation_id = "recovery_address_get")]
    async fn get(&self, caller: Caller) -> ApiResult<Json<RecoveryAddress>> {
        let state = address_work::state(&self.0.gate.app, &caller).await?;
        Ok(Json(RecoveryAddress::of(state, caller.now())))
    }

    /// Ask for a recovery address: a link goes there, and word of it to the addresses before.
    ///
    /// The one in use stays so until this one is proven. Five letters an hour at most. The link before stops working.
    #[oai(path = "/me/recovery-address", method = "put", operation_id = "recovery_address_update")]
    async fn update(&self, caller: Caller, body: Json<UpdateRecoveryAddress>) -> ApiResult<Json<RecoveryAddress>> {
        let state = address_work::update(&self.0.gate.app, &caller, &email(&body.0.email)?).await?;
        Ok(Json(RecoveryAddress::of(state, caller.now())))
    }

    /// Prove one's recovery address with the token of the link that was sent there.
    ///
    /// It takes a session of the account that asked, so that nobody proves an address for a stranger.
    #[oai(path = "/me/recovery-address/verify", method = "post", operation_id = "recovery_address_verify")]
    async fn verify(&self, caller: Caller, body: Json<RecoveryToken>) -> ApiResult<Json<RecoveryAddress>> {
        let token = SecretString::new(body.0.token);
        let state = address_work::verify(&self.0.gate.app, &caller, &token).await?;
        Ok(Json(RecoveryAddress::of(state, caller.now())))
    }

    /// Remove one's recovery address, and one that waits for its proof. The addresses are told.
    #[oai(path = "/me/recovery-address", method = "delete", operation_id = "recovery_address_remove")]
    async fn remove(&self, caller: Caller) -> ApiResult<Done> {
        address_work::remove(&self.0.gate.app, &caller).await?;
        Ok(Done::Done)
    }

    /// Stop a recovery of one's own account, whoever asked for it.
    #[oai(path = "/me/recovery", method = "delete", operation_id = "own_recovery_stop")]
    async fn stop_own(&self, caller: Caller) -> ApiResult<Done> {
        work::stop_own(&self.0.gate.app, &caller).await?;
        Ok(Done::Done)
    }

    /// The recoveries that wait for an administrator, newest first.
    #[oai(path = "/recoveries", method = "get", operation_id = "recoveries_list")]
    async fn list_all(
        &self,
        caller: Caller,
        request: &Request,
        /// The most items of the page.
        #[oai(validator(minimum(value = "1"), maximum(value = "200")))]
        limit: Query<Option<u64>>,
        /// Where the last page ended.
        cursor: Query<Option<String>>,
    ) -> ApiResult<Listed<WaitingRecovery>> {
        let page = PageRequest::parse(limit.0, cursor.0.as_deref())?;
        let page = recoveries::list_all(&self.0.gate.app, &caller, page).await?;
        Ok(Listed::page(request, page, WaitingRecovery::from))
    }

    /// Approve a recovery: the recovery address is sent the link that completes it. Nobody approves their own.
    #[oai(path = "/recoveries/:recovery_id/approve", method = "post", operation_id = "recoveries_approve")]
    async fn approve(&self, caller: Caller, recovery_id: Path<Uuid>, body: Json<DecideRecovery>) -> ApiResult<Done> {
        let decision = (RecoveryDecision::Approved, body.0.reason.as_str());
        recoveries::decide_any(&self.0.gate.app, &caller, RecoveryRequestId(recovery_id.0), decision).await?;
        Ok(Done::Done)
    }

    /// Refuse a recovery. Nothing was sent then, and nothing is changed.
    #[oai(path = "/recoveries/:recovery_id/refuse", method = "post", operation_id = "recoveries_refuse")]
    async fn refuse(&self, caller: Caller, recovery_id: Path<Uuid>, body: Json<DecideRecovery>) -> ApiResult<Done> {
        let decision = (RecoveryDecision::Refused, body.0.reason.as_str());
        recoveries::decide_any(&self.0.gate.app, &caller, RecoveryRequestId(recovery_id.0), decision).await?;
        Ok(Done::Done)
    }

    /// The recoveries of the organisation's members that wait for one of its administrators, newest first.
    ///
    /// There are none where neither the organisation nor the platform demands an approval.
    #[expect(clippy::too_many_arguments, reason = "one argument a parameter of the contract")]
    #[oai(
        path = "/organizations/:organization_id/recoveries",
        method = "get",
        operation_id = "organization_recoveries_list"
    )]
    async fn list(
        &self,
        caller: Caller,
        organization_id: Path<Uuid>,
        request: &Request,
        /// The most items of the page.
        #[oai(validator(minimum(value = "1"), maximum(value = "200")))]
        limit: Query<Option<u64>>,
        /// Where the last page ended.
        cursor: Query<Option<String>>,
    ) -> ApiResult<Listed<WaitingRecovery>> {
        let _ = organization_id;
        let page = PageRequest::parse(limit.0, cursor.0.as_deref())?;
        let page = recoveries::list(&self.0.gate.app, &caller, page).await?;
        Ok(Listed::page(request, page, WaitingRecovery::from))
    }

    /// Approve the recovery of a member: the recovery address is sent the link that completes it.
    ///
    /// Nobody approves their own, nor that of somebody whose role is above theirs.
    #[oai(
        path = "/organizations/:organization_id/recoveries/:recovery_id/approve",
        method = "post",
        operation_id = "organization_recoveries_approve"
    )]
    async fn approve_member(
        &self,
        caller: Caller,
        organization_id: Path<Uuid>,
        recovery_id: Path<Uuid>,
        body: Json<DecideRecovery>,
    ) -> ApiResult<Done> {
        let _ = organization_id;
        let decision = (RecoveryDecision::Approved, body.0.reason.as_str());
        recoveries::decide(&self.0.gate.app, &caller, RecoveryRequestId(recovery_id.0), decision).await?;
        Ok(Done::Done)
    }

    /// Refuse the recovery of a member. Nothing was sent then, and nothing is changed.
    #[oai(
        path = "/organizations/:organization_id/recoveries/:recovery_id/refuse",
        method = "post",
        operation_id = "organization_recoveries_refuse"
    )]
    async fn refuse_member(
        &self,
        caller: Caller,
        organization_id: Path<Uuid>,
        recovery_id: Path<Uuid>,
        body: Json<DecideRecovery>,
    ) -> ApiResult<Done> {
        let _ = organization_id;
        let decision = (RecoveryDecision::Refused, body.0.reason.as_str());
        recoveries::decide(&self.0.gate.app, &caller, RecoveryRequestId(recovery_id.0), decision).await?;
        Ok(Done::Done)
    }
}

impl OpenRecovery {
    fn of(asked: Asked, now: Timestamp) -> Self {
        let Asked { approval, not_before, expires_at } = asked;
        let status = if approval {
            RecoveryStatus::ApprovalRequired
        } else if not_before > now {
            RecoveryStatus::Waiting
        } else {
            RecoveryStatus::Ready
        };
        Self { status, not_before, expires_at }
    }
}

impl RecoveryAddress {
    fn of(state: RecoveryState, now: Timestamp) -> Self {
        let RecoveryState { address, pending, recovery } = state;
        let (email, verified_at) = address.unzip();
        let pending = pending.map(|pending| PendingRecoveryAddress {
            email: pending.email,
            requested_at: pending.requested_at,
            expires_at: pending.expires_at,
        });
        let open = |stored: Stored| Asked {
            approval: stored.approval == Approval::Wanted,
            not_before: stored.not_before,
            expires_at: stored.expires_at,
        };
        Self { email, verified_at, pending, recovery: recovery.map(|stored| OpenRecovery::of(open(stored), now)) }
    }
}

impl From<Waiting> for WaitingRecovery {
    fn from(Waiting { request, account }: Waiting) -> Self {
        Self {
            id: request.id.into(),
            account_id: account.id.into(),
            email: account.email,
            name: account.name,
            requested_at: request.created_at,
            not_before: request.not_before,
            expires_at: request.expires_at,
        }
    }
}
