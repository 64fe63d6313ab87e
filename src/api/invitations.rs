//! Who is asked to join: the inviting side and the invited person's.

use chrono::{DateTime, Utc};
use entity::{InvitationId, TeamId, invitations as rows};
use poem::Request;
use poem_openapi::{
    Enum, Object, OpenApi,
    param::{Header, Path, Query},
    payload::{Json, Response},
};
use uuid::Uuid;

use super::{
    Face, Tag,
    address::Email,
    custom_roles::{self, CustomRoleOf},
    passwords::PasswordRules,
    second_factors::Entry,
    sessions::{TokenDelivery, email},
    teams::TeamOf,
    wire::{Created, Done, Listed},
};
use crate::{
    config::SecretString,
    edge::{ApiResult, Visitor},
    error::{Error, Fault, Place},
    mail::Delivery,
    runtime::Timestamp,
    tenancy::invitations,
    types::{Caller, PageRequest},
};

/// The operations.
pub struct Invitations(pub Face);

/// Where an invitation is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub enum InvitationStatus {
    /// Open.
    Pending,
    /// The person joined.
    Accepted,
    /// It was withdrawn.
    Revoked,
    /// Its time is over.
    Expired,
}

/// What became of an invitation's mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub enum MailStatus {
    /// It waits to be sent.
    Waiting,
    /// A mail server took it.
    Sent,
    /// No mail server took it, for good.
    Failed,
}

/// A person, by id and name.
#[derive(Debug, Object)]
pub struct Person {
    /// The account.
    pub id: Uuid,
    /// The name.
    pub name: String,
}

/// An invitation.
#[derive(Debug, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct Invitation {
    /// Its id.
    pub id: Uuid,
    /// The organisation.
    pub organization_id: Uuid,
    /// The invited address.
    pub email: String,
    /// The role that it gives.
    pub role: String,
    /// The custom roles that it gives beside that, by name.
    pub custom_roles: Vec<CustomRoleOf>,
    /// The teams that the person joins, by name.
    pub teams: Vec<TeamOf>,
    /// Where it is in its life.
    pub status: InvitationStatus,
    /// Who invited.
    pub invited_by: Option<Person>,
    /// When.
    pub created_at: DateTime<Utc>,
    /// Until when it can be accepted.
    pub expires_at: DateTime<Utc>,
    /// What became of its mail.
    pub mail_status: Option<MailStatus>,
    /// When a mail server took it.
    pub sent_at: Option<DateTime<Utc>>,
    /// When the person joined.
    pub accepted_at: Option<DateTime<Utc>>,
    /// How often it was sent again.
    pub resend_count: i32,
}

/// A person to invite.
#[derive(Object)]
#[oai(deny_unknown_fields)]
struct InviteUser {
    /// Whom.
    email: Email,
    /// As what.
    #[oai(validator(min_length = 1, max_length = 63))]
    role: String,
    /// With which custom roles beside that.
    #[oai(validator(max_items = 100), skip_serializing_if_is_none)]
    custom_role_ids: Option<Vec<Uuid>>,
    /// Into which teams.
    #[oai(validator(max_items = 50), skip_serializing_if_is_none)]
    team_ids: Option<Vec<Uuid>>,
    /// A personal word for the mail, without web addresses.
    #[oai(validator(min_length = 1, max_length = 500), skip_serializing_if_is_none)]
    message: Option<String>,
}

/// Several people to invite.
#[derive(Object)]
#[oai(deny_unknown_fields)]
struct InviteUsers {
    /// Whom.
    #[oai(validator(min_items = 1, max_items = 200))]
    invitations: Vec<InviteUser>,
}

/// What became of one of several invitations.
#[derive(Debug, Object)]
struct InviteResult {
    /// The address.
    email: String,
    /// The invitation.
    #[oai(skip_serializing_if_is_none)]
    invitation: Option<Invitation>,
    /// Why there is none.
    #[oai(skip_serializing_if_is_none)]
    error: Option<InviteError>,
}

/// Why a person could not be invited.
#[derive(Debug, Object)]
struct InviteError {
    /// The stable code.
    code: String,
    /// In words.
    detail: String,
}

/// What became of several invitations.
#[derive(Debug, Object)]
struct InviteResults {
    /// In the order of the request.
    results: Vec<InviteResult>,
}

/// The token of an invitation's link.
#[derive(Object)]
#[oai(deny_unknown_fields)]
pub(super) struct InvitationToken {
    /// The token.
    #[oai(validator(min_length = 1, max_length = 256))]
    pub token: String,
}

/// What an invitation is about.
#[derive(Debug, Object)]
#[oai(skip_serializing_if_is_none)]
struct InvitationPreview {
    /// The organisation's name.
    organization_name: String,
    /// The invited address.
    email: String,
    /// The role.
    role: String,
    /// The names of the custom roles beside that.
    custom_roles: Vec<String>,
    /// The names of the teams to join.
    teams: Vec<String>,
    /// Who invited.
    invited_by_name: Option<String>,
    /// Until when the link works.
    expires_at: DateTime<Utc>,
    /// Whether the address has an account: then its password is asked for.
    account_exists: bool,
    /// What the password of a new account must be.
    password_rules: PasswordRules,
}

/// The invited person's answer.
#[derive(Object)]
#[oai(deny_unknown_fields)]
struct AcceptInvitation {
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

#[OpenApi(prefix_path = "/v1", tag = "Tag::Invitations")]
impl Invitations {
    /// Invite a person to this organisation by e-mail.
    #[oai(path = "/organizations/:organization_id/invitations", method = "post", operation_id = "invitations_create")]
    async fn create(
        &self,
        caller: Caller,
        organization_id: Path<Uuid>,
        body: Json<InviteUser>,
        /// The same key does the work once.
        #[oai(name = "Idempotency-Key")]
        _idempotency_key: Header<Option<String>>,
    ) -> ApiResult<Created<Invitation>> {
        let made = invitations::create(&self.0.gate.app, &caller, body.0.try_into()?).await?;
        let location = format!("/v1/organizations/{}/invitations/{}", organization_id.0, made.row.id);
        Ok(Created::Created(Json(Invitation::of(made, caller.now())), location))
    }

    /// Invite up to 200 people, all at once. Each is told apart: who can't be invited stops none of the others.
    #[oai(
        path = "/organizations/:organization_id/invitations/bulk",
        method = "post",
        operation_id = "invitations_create_bulk"
    )]
    async fn create_bulk(
        &self,
        caller: Caller,
        organization_id: Path<Uuid>,
        body: Json<InviteUsers>,
        /// The same key does the work once.
        #[oai(name = "Idempotency-Key")]
        _idempotency_key: Header<Option<String>>,
    ) -> ApiResult<Json<InviteResults>> {
        let _ = organization_id;
        let people = body.0.invitations;
        let emails: Vec<_> = people.iter().map(|person| person.email.0.clone()).collect();
        let wanted = people.into_iter().map(TryInto::try_into).collect();
        let made = invitations::create_all(&self.0.gate.app, &caller, wanted).await?;
        let results = emails.into_iter().zip(made).map(|(email, made)| match made {
            Ok(made) => InviteResult { email, invitation: Some(Invitation::of(made, caller.now())), error: None },
            Err(error) => InviteResult { email, invitation: None, error: Some(error.into()) },
        });
        Ok(Json(InviteResults { results: results.collect() }))
    }

    /// The invitations of an organisation, newest first.
    #[expect(clippy::too_many_arguments, reason = "one argument a parameter of the contract")]
    #[oai(path = "/organizations/:organization_id/invitations", method = "get", operation_id = "invitations_list")]
    async fn list(
        &self,
        caller: Caller,
        organization_id: Path<Uuid>,
        request: &Request,
        /// In this state.
        status: Query<Option<InvitationStatus>>,
        /// The most items of the page.
        #[oai(validator(minimum(value = "1"), maximum(value = "200")))]
        limit: Query<Option<u64>>,
        /// Where the last page ended.
        cursor: Query<Option<String>>,
    ) -> ApiResult<Listed<Invitation>> {
        let _ = organization_id;
        let page = PageRequest::parse(limit.0, cursor.0.as_deref())?;
        let page = invitations::list(&self.0.gate.app, &caller, status.0.map(Into::into), page).await?;
        Ok(Listed::page(request, page, |invitation| Invitation::of(invitation, caller.now())))
    }

    /// One invitation.
    #[oai(
        path = "/organizations/:organization_id/invitations/:invitation_id",
        method = "get",
        operation_id = "invitations_get"
    )]
    async fn get(
        &self,
        caller: Caller,
        organization_id: Path<Uuid>,
        invitation_id: Path<Uuid>,
    ) -> ApiResult<Json<Invitation>> {
        let _ = organization_id;
        let found = invitations::get(&self.0.gate.app, &caller, InvitationId(invitation_id.0)).await?;
        Ok(Json(Invitation::of(found, caller.now())))
    }

    /// Send an open or expired invitation again, with a new link. The old link stops working.
    ///
    /// At most five times a day, and not twice within a minute.
    #[oai(
        path = "/organizations/:organization_id/invitations/:invitation_id/resend",
        method = "post",
        operation_id = "invitations_resend"
    )]
    async fn resend(
        &self,
        caller: Caller,
        organization_id: Path<Uuid>,
        invitation_id: Path<Uuid>,
    ) -> ApiResult<Json<Invitation>> {
        let _ = organization_id;
        let sent = invitations::resend(&self.0.gate.app, &caller, InvitationId(invitation_id.0)).await?;
        Ok(Json(Invitation::of(sent, caller.now())))
    }

    /// Withdraw an open or expired invitation.
    #[oai(
        path = "/organizations/:organization_id/invitations/:invitation_id",
        method = "delete",
        operation_id = "invitations_revoke"
    )]
    async fn revoke(&self, caller: Caller, organization_id: Path<Uuid>, invitation_id: Path<Uuid>) -> ApiResult<Done> {
        let _ = organization_id;
        invitations::revoke(&self.0.gate.app, &caller, InvitationId(invitation_id.0)).await?;
        Ok(Done::Done)
    }

    /// What the link of an invitation is about. Whoever has the link may ask.
    #[oai(path = "/invitations/lookup", method = "post", operation_id = "invitations_lookup")]
    async fn lookup(&self, visitor: Visitor, body: Json<InvitationToken>) -> ApiResult<Json<InvitationPreview>> {
        let token = SecretString::new(body.0.token);
        let preview = invitations::lookup(&self.0.gate.app, &visitor.0, &token).await?;
        Ok(Json(InvitationPreview {
            organization_name: preview.organization,
            email: preview.email,
            role: preview.role,
            custom_roles: preview.custom_roles,
            teams: preview.teams,
            invited_by_name: preview.inviter,
            expires_at: preview.expires_at,
            account_exists: preview.account_exists,
            password_rules: preview.password_rules.into(),
        }))
    }

    /// Accept an invitation with a new account, or with the password of the account there is, and sign in.
    ///
    /// Whoever has a second factor is a member then, and answers the challenge of the 200 to sign in.
    #[oai(path = "/invitations/accept", method = "post", operation_id = "invitations_accept")]
    async fn accept(&self, visitor: Visitor, body: Json<AcceptInvitation>) -> ApiResult<Response<Entry>> {
        let body = body.0;
        let answer = invitations::Acceptance {
            token: SecretString::new(body.token),
            name: body.name,
            password: SecretString::new(body.password),
            delivery: body.token_delivery.into(),
        };
        let entered = invitations::accept(&self.0.gate.app, &visitor.0, answer).await?;
        Ok(self.0.entered(&visitor.0, entered).await?)
    }
}

impl Invitation {
    fn of(invitation: invitations::Invitation, now: Timestamp) -> Self {
        let status = invitation.status(now).into();
        let (mail_status, sent_at) = match invitation.mail {
            None => (None, None),
            Some(Delivery::Waiting) => (Some(MailStatus::Waiting), None),
            Some(Delivery::Sent(at)) => (Some(MailStatus::Sent), Some(at)),
            Some(Delivery::Failed(_)) => (Some(MailStatus::Failed), None),
        };
        let row = invitation.row;
        Self {
            id: row.id.into(),
            organization_id: row.organization_id.into(),
            email: invitation.email,
            role: row.role,
            custom_roles: invitation.custom_roles.into_iter().map(Into::into).collect(),
            teams: invitation.teams.into_iter().map(Into::into).collect(),
            status,
            invited_by: invitation.inviter.map(|account| Person { id: account.id.into(), name: account.name }),
            created_at: row.created_at,
            expires_at: row.expires_at,
            mail_status,
            sent_at,
            accepted_at: row.accepted_at,
            resend_count: row.resend_count,
        }
    }
}

impl TryFrom<InviteUser> for invitations::NewInvitation {
    type Error = Error;

    fn try_from(wire: InviteUser) -> Result<Self, Error> {
        let teams = wire.team_ids.unwrap_or_default().into_iter().map(TeamId).collect();
        let custom_roles = custom_roles::ids(wire.custom_role_ids).unwrap_or_default();
        let (email, role, message) = (email(&wire.email)?, wire.role, wire.message);
        Ok(Self { email, role, custom_roles, teams, message })
    }
}

impl From<Error> for InviteError {
    fn from(error: Error) -> Self {
        let code = error.code();
        let detail = match error {
            Error::Invalid(faults) => faults.into_iter().map(sentence).collect::<Vec<_>>().join("; "),
            _ => code.title().to_owned(),
        };
        Self { code: code.as_str().to_owned(), detail }
    }
}

fn sentence(fault: Fault) -> String {
    match fault.place {
        Place::Body(place) | Place::Parameter(place) => format!("{} {}", place.trim_start_matches('/'), fault.detail),
    }
}

impl From<rows::Status> for InvitationStatus {
    fn from(status: rows::Status) -> Self {
        match status {
            rows::Status::Pending => Self::Pending,
            rows::Status::Accepted => Self::Accepted,
            rows::Status::Revoked => Self::Revoked,
            rows::Status::Expired => Self::Expired,
        }
    }
}

impl From<InvitationStatus> for rows::Status {
    fn from(status: InvitationStatus) -> Self {
        match status {
            InvitationStatus::Pending => Self::Pending,
            InvitationStatus::Accepted => Self::Accepted,
            InvitationStatus::Revoked => Self::Revoked,
            InvitationStatus::Expired => Self::Expired,
        }
    }
}
