//! Sessions of other people, and their end.

use entity::{AccountId, MembershipId, OrganizationId, SessionId};
use poem::Request;
use poem_openapi::{
    Object, OpenApi,
    param::{Path, Query},
    payload::Json,
};
use uuid::Uuid;

use super::{
    Face, Tag,
    sessions::Session,
    wire::{Done, Listed},
};
use crate::{
    accounts,
    edge::ApiResult,
    error::Result,
    sessions::{self, Own},
    tenancy::member_sessions,
    types::{Caller, Page, PageRequest},
};

/// The operations.
pub struct SessionEnds(pub Face);

/// All sessions to end.
#[derive(Debug, Object)]
#[oai(deny_unknown_fields)]
struct EndSessions {
    /// Whether the session that asks goes on; it does unless this says `false`.
    #[oai(skip_serializing_if_is_none)]
    keep_current: Option<bool>,
}

/// Sessions that were ended together.
#[derive(Debug, Object)]
struct EndedSessions {
    /// How many there were.
    sessions: u64,
}

#[OpenApi(prefix_path = "/v1", tag = "Tag::Members")]
impl SessionEnds {
    /// The live sessions of a member that are in the organisation, newest first.
    ///
    /// A session is in one organisation at a time; those of the same person that are in another are not here. The address
    /// (`ip`) is the person's affair: only the organisation that manages the account sees it.
    #[expect(clippy::too_many_arguments, reason = "one argument a parameter of the contract")]
    #[oai(
        path = "/organizations/:organization_id/members/:member_id/sessions",
        method = "get",
        operation_id = "member_sessions_list"
    )]
    async fn of_member(
        &self,
        caller: Caller,
        organization_id: Path<Uuid>,
        member_id: Path<Uuid>,
        request: &Request,
        /// The most items of the page.
        #[oai(validator(minimum(value = "1"), maximum(value = "200")))]
        limit: Query<Option<u64>>,
        /// Where the last page ended.
        cursor: Query<Option<String>>,
    ) -> ApiResult<Listed<Session>> {
        let _ = organization_id;
        let page = PageRequest::parse(limit.0, cursor.0.as_deref())?;
        let page = member_sessions::list(&self.0.gate.app, &caller, MembershipId(member_id.0), page).await?;
        Ok(self.listed(&caller, request, page)?)
    }

    /// End a session of a member that is in the organisation.
    ///
    /// It ends wholly, with its tokens, on every instance. API keys of service accounts are no sessions and go on. Nobody
    /// ends a session of somebody above them (`role_above_own`).
    #[oai(
        path = "/organizations/:organization_id/members/:member_id/sessions/:session_id",
        method = "delete",
        operation_id = "member_sessions_end"
    )]
    async fn end_of_member(
        &self,
        caller: Caller,
        organization_id: Path<Uuid>,
        member_id: Path<Uuid>,
        session_id: Path<Uuid>,
    ) -> ApiResult<Done> {
        let _ = organization_id;
        let (member, session) = (MembershipId(member_id.0), SessionId(session_id.0));
        member_sessions::end(&self.0.gate.app, &caller, member, session).await?;
        Ok(Done::Done)
    }

    /// End every session of a member that is in the organisation.
    #[oai(
        path = "/organizations/:organization_id/members/:member_id/sessions",
        method = "delete",
        operation_id = "member_sessions_end_all"
    )]
    async fn end_all_of_member(
        &self,
        caller: Caller,
        organization_id: Path<Uuid>,
        member_id: Path<Uuid>,
    ) -> ApiResult<Done> {
        let _ = organization_id;
        member_sessions::end_all(&self.0.gate.app, &caller, MembershipId(member_id.0)).await?;
        Ok(Done::Done)
    }

    /// End every session that is in the organisation: everybody has to sign in again.
    ///
    /// That holds on every instance at once, however many there are. A session that is in another organisation goes on
    /// there, and can't come in before its person has signed in again. API keys of service accounts are no sessions and go
    /// on, and so does what a platform administrator acts through, which ends by itself.
    #[oai(
        path = "/organizations/:organization_id/sessions/end",
        method = "post",
        operation_id = "organization_sessions_end",
        tag = "Tag::Organizations"
    )]
    async fn end_of_organization(
        &self,
        caller: Caller,
        organization_id: Path<Uuid>,
        body: Json<EndSessions>,
    ) -> ApiResult<Json<EndedSessions>> {
        let _ = organization_id;
        let sessions = member_sessions::end_everybodys(&self.0.gate.app, &caller, body.0.own()).await?;
        Ok(Json(EndedSessions { sessions }))
    }

    /// End every session that is in an organisation, as the platform.
    ///
    /// As `organization_sessions_end`; the organisation has it in its record too.
    #[oai(
        path = "/organizations/:organization_id/end-sessions",
        method = "post",
        operation_id = "tenant_sessions_end",
        tag = "Tag::Organizations"
    )]
    async fn end_of_tenant(
        &self,
        caller: Caller,
        organization_id: Path<Uuid>,
        body: Json<EndSessions>,
    ) -> ApiResult<Json<EndedSessions>> {
        let organization = OrganizationId(organization_id.0);
        let sessions = member_sessions::end_of(&self.0.gate.app, &caller, organization, body.0.own()).await?;
        Ok(Json(EndedSessions { sessions }))
    }

    /// End everybody's sessions in the whole installation, as after an incident.
    ///
    /// That holds on every instance at once, however many there are; accesses through which platform administrators act
    /// end with them. API keys of service accounts are no sessions and go on.
    #[oai(path = "/sessions/end", method = "post", operation_id = "sessions_end_everybodys", tag = "Tag::Accounts")]
    async fn end_everybodys(&self, caller: Caller, body: Json<EndSessions>) -> ApiResult<Json<EndedSessions>> {
        let sessions = self.0.gate.app.sessions.end_everybodys(&caller, body.0.own()).await?;
        Ok(Json(EndedSessions { sessions }))
    }

    /// The live sessions of an account, newest first.
    #[expect(clippy::too_many_arguments, reason = "one argument a parameter of the contract")]
    #[oai(
        path = "/accounts/:account_id/sessions",
        method = "get",
        operation_id = "accounts_sessions_list",
        tag = "Tag::Accounts"
    )]
    async fn of_account(
        &self,
        caller: Caller,
        account_id: Path<Uuid>,
        request: &Request,
        /// The most items of the page.
        #[oai(validator(minimum(value = "1"), maximum(value = "200")))]
        limit: Query<Option<u64>>,
        /// Where the last page ended.
        cursor: Query<Option<String>>,
    ) -> ApiResult<Listed<Session>> {
        let page = PageRequest::parse(limit.0, cursor.0.as_deref())?;
        let page = accounts::list_sessions(&self.0.gate.app, &caller, AccountId(account_id.0), page).await?;
        Ok(self.listed(&caller, request, page)?)
    }

    /// End every session of an account.
    #[oai(
        path = "/accounts/:account_id/sessions",
        method = "delete",
        operation_id = "accounts_sessions_end",
        tag = "Tag::Accounts"
    )]
    async fn end_all_of_account(&self, caller: Caller, account_id: Path<Uuid>) -> ApiResult<Done> {
        accounts::end_sessions(&self.0.gate.app, &caller, AccountId(account_id.0)).await?;
        Ok(Done::Done)
    }

    /// End one session of an account.
    #[oai(
        path = "/accounts/:account_id/sessions/:session_id",
        method = "delete",
        operation_id = "accounts_session_end",
        tag = "Tag::Accounts"
    )]
    async fn end_of_account(&self, caller: Caller, account_id: Path<Uuid>, session_id: Path<Uuid>) -> ApiResult<Done> {
        let (account, session) = (AccountId(account_id.0), SessionId(session_id.0));
        accounts::end_session(&self.0.gate.app, &caller, account, session).await?;
        Ok(Done::Done)
    }
}

impl SessionEnds {
    fn listed(&self, caller: &Caller, request: &Request, page: Page<sessions::Session>) -> Result<Listed<Session>> {
        let vault = &self.0.gate.app.vault;
        let seen = |row| Session::of(vault, row, Some(row.id) == caller.session());
        let items = page.items.iter().map(seen).collect::<Result<_>>()?;
        Ok(Listed::page(request, Page { items, next: page.next }, |session| session))
    }
}

impl EndSessions {
    fn own(&self) -> Own {
        if self.keep_current == Some(false) { Own::Ended } else { Own::Kept }
    }
}
