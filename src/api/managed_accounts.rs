//! People whose accounts an organisation manages.

use chrono::{DateTime, Utc};
use entity::{AccountId, accounts::State};
use poem::Request;
use poem_openapi::{
    Enum, Object, OpenApi,
    param::{Path, Query},
    payload::Json,
};
use uuid::Uuid;

use super::{
    Face, Tag,
    accounts::{Account, AccountState, BlockAccount},
    wire::{Done, Listed, Versioned},
};
use crate::{
    edge::ApiResult,
    tenancy::managed,
    types::{Caller, PageRequest},
};

/// The operations.
pub struct ManagedAccounts(pub Face);

/// Who blocked an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
enum BlockedBy {
    /// This organisation, which can undo it.
    Organization,
    /// The platform, or another organisation before this one managed the account.
    Platform,
}

/// An account that an organisation manages.
#[derive(Clone, Debug, Object)]
#[oai(skip_serializing_if_is_none)]
struct ManagedAccount {
    /// Its id.
    id: Uuid,
    /// The address to sign in with.
    email: String,
    /// How the person is called.
    name: String,
    /// Whether the person may sign in.
    state: AccountState,
    /// Who blocked it, if somebody did.
    blocked_by: Option<BlockedBy>,
    /// Until when wrong passwords have locked the sign-in from unknown devices.
    locked_until: Option<DateTime<Utc>>,
    /// The person's membership in the organisation.
    member_id: Option<Uuid>,
    /// The roles that count there, the highest first; none when the person is no member.
    effective_roles: Vec<String>,
    /// When the account was made.
    created_at: DateTime<Utc>,
    /// When the person last signed in.
    last_sign_in_at: Option<DateTime<Utc>>,
    /// Grows with every change.
    version: i32,
}

#[OpenApi(prefix_path = "/v1", tag = "Tag::ManagedAccounts")]
impl ManagedAccounts {
    /// The accounts that the organisation manages, newest first.
    #[expect(clippy::too_many_arguments, reason = "one argument a parameter of the contract")]
    #[oai(
        path = "/organizations/:organization_id/managed-accounts",
        method = "get",
        operation_id = "managed_accounts_list"
    )]
    async fn list(
        &self,
        caller: Caller,
        organization_id: Path<Uuid>,
        request: &Request,
        /// Who have all these words in their name or address, or exactly this address.
        #[oai(validator(min_length = 1, max_length = 200))]
        search: Query<Option<String>>,
        /// The most items of the page.
        #[oai(validator(minimum(value = "1"), maximum(value = "200")))]
        limit: Query<Option<u64>>,
        /// Where the last page ended.
        cursor: Query<Option<String>>,
    ) -> ApiResult<Listed<ManagedAccount>> {
        let page = PageRequest::parse(limit.0, cursor.0.as_deref())?;
        let page = managed::list(&self.0.gate.app, &caller, search.0, page).await?;
        Ok(Listed::page(request, page, |managed| ManagedAccount::of(managed, organization_id.0)))
    }

    /// Block a managed account everywhere and end its sessions.
    #[oai(
        path = "/organizations/:organization_id/managed-accounts/:account_id/block",
        method = "post",
        operation_id = "managed_accounts_block"
    )]
    async fn block(
        &self,
        caller: Caller,
        organization_id: Path<Uuid>,
        account_id: Path<Uuid>,
        body: Json<BlockAccount>,
    ) -> ApiResult<Versioned<Account>> {
        let _ = organization_id;
        let account = managed::block(&self.0.gate.app, &caller, AccountId(account_id.0), &body.0.reason).await?;
        Ok(Versioned::of(account.version, account.into()))
    }

    /// Let a managed account sign in again.
    ///
    /// An organisation undoes only its own block: 409 `blocked_by_platform` for any other.
    #[oai(
        path = "/organizations/:organization_id/managed-accounts/:account_id/unblock",
        method = "post",
        operation_id = "managed_accounts_unblock"
    )]
    async fn unblock(
        &self,
        caller: Caller,
        organization_id: Path<Uuid>,
        account_id: Path<Uuid>,
    ) -> ApiResult<Versioned<Account>> {
        let _ = organization_id;
        let account = managed::unblock(&self.0.gate.app, &caller, AccountId(account_id.0)).await?;
        Ok(Versioned::of(account.version, account.into()))
    }

    /// End the lock that wrong passwords have brought upon a managed account.
    #[oai(
        path = "/organizations/:organization_id/managed-accounts/:account_id/unlock",
        method = "post",
        operation_id = "managed_accounts_unlock"
    )]
    async fn unlock(&self, caller: Caller, organization_id: Path<Uuid>, account_id: Path<Uuid>) -> ApiResult<Done> {
        let _ = organization_id;
        managed::unlock(&self.0.gate.app, &caller, AccountId(account_id.0)).await?;
        Ok(Done::Done)
    }

    /// End every session of a managed account, whatever organisation it is in.
    #[oai(
        path = "/organizations/:organization_id/managed-accounts/:account_id/sessions",
        method = "delete",
        operation_id = "managed_accounts_sessions_end"
    )]
    async fn end_sessions(
        &self,
        caller: Caller,
        organization_id: Path<Uuid>,
        account_id: Path<Uuid>,
    ) -> ApiResult<Done> {
        let _ = organization_id;
        managed::end_sessions(&self.0.gate.app, &caller, AccountId(account_id.0)).await?;
        Ok(Done::Done)
    }
}

impl ManagedAccount {
    fn of(managed: managed::Managed, organization: Uuid) -> Self {
        let managed::Managed { account, locked_until, seat } = managed;
        let (member, roles) = seat.unzip();
        let own = account.blocked_by.is_some_and(|by| Uuid::from(by) == organization);
        let blocked_by = if own { BlockedBy::Organization } else { BlockedBy::Platform };
        Self {
            id: account.id.into(),
            blocked_by: (account.state == State::Blocked).then_some(blocked_by),
            email: account.email,
            name: account.name,
            state: account.state.into(),
            locked_until,
            member_id: member.map(Into::into),
            effective_roles: roles.unwrap_or_default().iter().map(ToString::to_string).collect(),
            created_at: account.created_at,
            last_sign_in_at: account.last_sign_in_at,
            version: account.version,
        }
    }
}
