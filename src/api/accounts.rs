//! People, for platform administrators.

use chrono::{DateTime, Utc};
use entity::{AccountId, OrganizationId, accounts::State};
use poem::Request;
use poem_openapi::{
    Enum, Object, OpenApi,
    param::{Path, Query},
    payload::Json,
};
use uuid::Uuid;

use super::{
    Face, Tag,
    wire::{Change, Done, Listed, Versioned},
};
use crate::{
    accounts,
    edge::ApiResult,
    error::{Error, Fault},
    tenancy::managed,
    types::{Caller, PageRequest},
};

/// The operations.
pub struct Accounts(pub Face);

/// Whether a person may sign in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub enum AccountState {
    /// May sign in.
    Active,
    /// May not.
    Blocked,
}

/// A person's account.
#[derive(Clone, Debug, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct Account {
    /// Its id.
    pub id: Uuid,
    /// The address to sign in with.
    pub email: String,
    /// How the person is called.
    pub name: String,
    /// Whether the person may sign in.
    pub state: AccountState,
    /// When the account was made.
    pub created_at: DateTime<Utc>,
    /// When the person last signed in.
    pub last_sign_in_at: Option<DateTime<Utc>>,
    /// Until when wrong passwords have locked the sign-in from unknown devices. Only platform administrators see it.
    pub locked_until: Option<DateTime<Utc>>,
    /// The organisation that manages the account. Only platform administrators see it.
    pub manager: Option<Manager>,
    /// Grows with every change.
    pub version: i32,
}

/// An organisation that manages an account.
#[derive(Clone, Debug, Object)]
pub struct Manager {
    /// Its id.
    pub id: Uuid,
    /// Its name.
    pub name: String,
}

/// Why an account is blocked.
#[derive(Object)]
#[oai(deny_unknown_fields)]
pub struct BlockAccount {
    /// For the record.
    #[oai(validator(min_length = 1, max_length = 500))]
    pub reason: String,
}

/// Who manages an account from now on.
#[derive(Object)]
#[oai(deny_unknown_fields)]
struct ManageAccount {
    /// The organisation; null for none.
    organization_id: Change<Uuid>,
}

#[OpenApi(prefix_path = "/v1", tag = "Tag::Accounts")]
impl Accounts {
    /// The accounts of the installation, newest first.
    #[expect(clippy::too_many_arguments, reason = "one argument a parameter of the contract")]
    #[oai(path = "/accounts", method = "get", operation_id = "accounts_list")]
    async fn list(
        &self,
        caller: Caller,
        request: &Request,
        /// Exactly this address.
        #[oai(validator(max_length = 254))]
        email: Query<Option<String>>,
        /// In this state.
        state: Query<Option<AccountState>>,
        /// The most items of the page.
        #[oai(validator(minimum(value = "1"), maximum(value = "200")))]
        limit: Query<Option<u64>>,
        /// Where the last page ended.
        cursor: Query<Option<String>>,
    ) -> ApiResult<Listed<Account>> {
        let wrong = |detail| Error::Invalid(vec![Fault::parameter("email", "format", detail)]);
        let email = email.0.map(|text| text.parse()).transpose().map_err(wrong)?;
        let search = accounts::Search { email, state: state.0.map(Into::into), ..accounts::Search::default() };
        let page = PageRequest::parse(limit.0, cursor.0.as_deref())?;
        let page = managed::accounts(&self.0.gate.app, &caller, &search, page).await?;
        Ok(Listed::page(request, page, Account::from))
    }

    /// Block an account everywhere and end its sessions.
    #[oai(path = "/accounts/:account_id/block", method = "post", operation_id = "accounts_block")]
    async fn block(
        &self,
        caller: Caller,
        account_id: Path<Uuid>,
        body: Json<BlockAccount>,
    ) -> ApiResult<Versioned<Account>> {
        let account = accounts::block(&self.0.gate.app, &caller, AccountId(account_id.0), &body.0.reason).await?;
        Ok(Versioned::of(account.version, account.into()))
    }

    /// Let an account sign in again.
    #[oai(path = "/accounts/:account_id/unblock", method = "post", operation_id = "accounts_unblock")]
    async fn unblock(&self, caller: Caller, account_id: Path<Uuid>) -> ApiResult<Versioned<Account>> {
        let account = accounts::unblock(&self.0.gate.app, &caller, AccountId(account_id.0)).await?;
        Ok(Versioned::of(account.version, account.into()))
    }

    /// End the lock that wrong passwords have brought upon an account.
    ///
    /// What failed before counts no more, on its known devices too.
    #[oai(path = "/accounts/:account_id/unlock", method = "post", operation_id = "accounts_unlock")]
    async fn unlock(&self, caller: Caller, account_id: Path<Uuid>) -> ApiResult<Done> {
        accounts::unlock(&self.0.gate.app, &caller, AccountId(account_id.0)).await?;
        Ok(Done::Done)
    }

    /// Put an account under the management of an organisation, or under nobody's.
    ///
    /// The managing organisation's administrators may unlock the account, block it and end its sessions everywhere, and
    /// have the events about it in their record.
    #[oai(path = "/accounts/:account_id/manager", method = "put", operation_id = "accounts_manager_update")]
    async fn manage(
        &self,
        caller: Caller,
        account_id: Path<Uuid>,
        body: Json<ManageAccount>,
    ) -> ApiResult<Versioned<Account>> {
        let missing = || Error::field("/organization_id", "required", "is needed; null for none");
        let organization = body.0.organization_id.wanted().ok_or_else(missing)?.map(OrganizationId);
        let id = AccountId(account_id.0);
        let overseen = managed::change_manager(&self.0.gate.app, &caller, id, organization).await?;
        Ok(Versioned::of(overseen.account.version, overseen.into()))
    }

    /// End every session of an account.
    #[oai(path = "/accounts/:account_id/sessions", method = "delete", operation_id = "accounts_sessions_end")]
    async fn end_sessions(&self, caller: Caller, account_id: Path<Uuid>) -> ApiResult<Done> {
        accounts::end_sessions(&self.0.gate.app, &caller, AccountId(account_id.0)).await?;
        Ok(Done::Done)
    }
}

impl From<accounts::Account> for Account {
    fn from(row: accounts::Account) -> Self {
        Self {
            id: row.id.into(),
            email: row.email,
            name: row.name,
            state: row.state.into(),
            created_at: row.created_at,
            last_sign_in_at: row.last_sign_in_at,
            locked_until: None,
            manager: None,
            version: row.version,
        }
    }
}

impl From<managed::Overseen> for Account {
    fn from(overseen: managed::Overseen) -> Self {
        let managed::Overseen { account, locked_until, manager } = overseen;
        let manager = account.managed_by.zip(manager).map(|(id, name)| Manager { id: id.into(), name });
        Self { locked_until, manager, ..account.into() }
    }
}

impl From<State> for AccountState {
    fn from(state: State) -> Self {
        match state {
            State::Active => Self::Active,
            State::Blocked => Self::Blocked,
        }
    }
}

impl From<AccountState> for State {
    fn from(state: AccountState) -> Self {
        match state {
            AccountState::Active => Self::Active,
            AccountState::Blocked => Self::Blocked,
        }
    }
}
