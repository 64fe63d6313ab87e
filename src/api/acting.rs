//! Acting in an organisation as a platform administrator, and who did.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use entity::{AccountId, OrganizationId, platform_access::EndReason};
use poem::Request;
use poem_openapi::{
    Enum, Object, OpenApi,
    param::{Path, Query},
    payload::{Json, Response},
};
use uuid::Uuid;

use super::{Face, Tag, sessions::SignedIn, wire::Listed};
use crate::{
    accounts::{self, Person},
    edge::ApiResult,
    error::Result,
    runtime::Timestamp,
    sessions::{self, Access},
    types::{Caller, Page, PageRequest},
};

/// The operations.
pub struct Acting(pub Face);

/// Why a platform administrator has to act in an organisation.
#[derive(Object)]
#[oai(deny_unknown_fields)]
struct ActIn {
    /// For the records of both; the organisation's administrators read it.
    #[oai(validator(min_length = 1, max_length = 500))]
    reason: String,
}

/// Why an access ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
enum AccessEnd {
    /// The platform administrator stopped.
    Stopped,
    /// They went to another organisation.
    Switched,
    /// Its time was over.
    Expired,
    /// Their session ended.
    SessionEnded,
    /// They administer the platform no more.
    AuthorityLost,
    /// The organisation was deleted.
    OrganizationDeleted,
}

/// A platform administrator who acted in an organisation.
#[derive(Debug, Object)]
#[oai(skip_serializing_if_is_none)]
struct Supporter {
    /// The account.
    id: Uuid,
    /// What the account is called today; absent once the person has been erased.
    name: Option<String>,
    /// That the person has been erased since.
    erased: Option<bool>,
}

/// An access of a platform administrator to an organisation.
#[derive(Debug, Object)]
#[oai(skip_serializing_if_is_none)]
struct PlatformAccess {
    /// Its id; audit entries of what was done through it have it as `acting` in their details.
    id: Uuid,
    /// Who.
    account: Option<Supporter>,
    /// Why; absent once the person has been erased.
    reason: Option<String>,
    /// Since when.
    started_at: DateTime<Utc>,
    /// Until when at most.
    expires_at: DateTime<Utc>,
    /// When it ended; absent while it runs.
    ended_at: Option<DateTime<Utc>>,
    /// Why it ended.
    end_reason: Option<AccessEnd>,
}

#[OpenApi(prefix_path = "/v1", tag = "Tag::Organizations")]
impl Acting {
    /// Act in an organisation that one is no member of, for half an hour.
    ///
    /// Until then, or until it is stopped, the session is in that organisation with the role `platform_admin`. Both
    /// organisations have it in their record, and whatever is done meanwhile names it. The answer brings an access token
    /// that says so in `acting`.
    #[oai(path = "/organizations/:organization_id/act-in", method = "post", operation_id = "acting_start")]
    async fn start(
        &self,
        caller: Caller,
        organization_id: Path<Uuid>,
        body: Json<ActIn>,
    ) -> ApiResult<Response<Json<SignedIn>>> {
        let organization = OrganizationId(organization_id.0);
        let opened = self.0.gate.app.sessions.act_in(&caller, organization, &body.0.reason).await?;
        Ok(self.0.carried_on(&caller, opened).await?)
    }

    /// Stop acting in an organisation: the session is back in the platform's.
    #[oai(path = "/session/acting", method = "delete", operation_id = "acting_end", tag = "Tag::Sessions")]
    async fn end(&self, caller: Caller) -> ApiResult<Response<Json<SignedIn>>> {
        let opened = self.0.gate.app.sessions.stop_acting(&caller).await?;
        Ok(self.0.carried_on(&caller, opened).await?)
    }

    /// The platform administrators who act or acted in an organisation, newest first.
    #[expect(clippy::too_many_arguments, reason = "one argument a parameter of the contract")]
    #[oai(
        path = "/organizations/:organization_id/platform-access",
        method = "get",
        operation_id = "platform_accesses_list"
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
    ) -> ApiResult<Listed<PlatformAccess>> {
        let _ = organization_id;
        let page = PageRequest::parse(limit.0, cursor.0.as_deref())?;
        let tx = self.0.gate.app.db.read(&caller).await?;
        let page = sessions::accesses(&tx, page).await?;
        let vault = &self.0.gate.app.vault;
        let people = accounts::people(vault, &tx, page.items.iter().filter_map(|access| access.account_id)).await?;
        let reasons = page.items.iter().map(|access| sessions::reason(vault, access)).collect::<Result<Vec<_>>>()?;
        let items = page.items.into_iter().zip(reasons);
        let items = items.map(|(access, reason)| PlatformAccess::of(access, reason, &people, caller.now())).collect();
        Ok(Listed::page(request, Page { items, next: page.next }, |access| access))
    }
}

impl Supporter {
    fn of(person: &Person) -> Self {
        match person {
            Person::Known(account) => Self { id: account.id.into(), name: Some(account.name.clone()), erased: None },
            Person::Erased(erased) => Self { id: erased.id.into(), name: None, erased: Some(true) },
        }
    }
}

impl PlatformAccess {
    fn of(row: Access, reason: Option<String>, people: &HashMap<AccountId, Person>, now: Timestamp) -> Self {
        // One that is over may not have been closed yet.
        let over = row.ended_at.is_none() && row.expires_at <= now;
        Self {
            id: row.id.into(),
            account: row.account_id.and_then(|id| people.get(&id)).map(Supporter::of),
            reason,
            started_at: row.started_at,
            expires_at: row.expires_at,
            ended_at: if over { Some(row.expires_at) } else { row.ended_at },
            end_reason: if over { Some(AccessEnd::Expired) } else { row.end_reason.map(Into::into) },
        }
    }
}

impl From<EndReason> for AccessEnd {
    fn from(reason: EndReason) -> Self {
        match reason {
            EndReason::Stopped => Self::Stopped,
            EndReason::Switched => Self::Switched,
            EndReason::Expired => Self::Expired,
            EndReason::SessionEnded => Self::SessionEnded,
            EndReason::AuthorityLost => Self::AuthorityLost,
            EndReason::OrganizationDeleted => Self::OrganizationDeleted,
        }
    }
}
