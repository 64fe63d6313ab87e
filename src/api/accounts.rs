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
    accounts::{self, Person},
    edge::ApiResult,
    error::{Error, Fault},
    privacy,
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
    /// Has been erased: nobody may.
    Erased,
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
    /// When the person proved that the address is theirs; absent if they have not yet.
    pub email_verified_at: Option<DateTime<Utc>>,
    /// Grows with every change.
    pub version: i32,
}

/// An organisation that manages an account.
#[derive(Clone, Debug, Object)]
struct Manager {
    /// Its id.
    id: Uuid,
    /// Its name.
    name: String,
}

/// An account as the platform's administrators see it, also when its person has been erased.
#[derive(Debug, Object)]
#[oai(skip_serializing_if_is_none)]
struct PlatformAccount {
    /// Its id.
    id: Uuid,
    /// The address to sign in with; absent once the person has been erased.
    email: Option<String>,
    /// How the person is called; absent once they have been erased.
    name: Option<String>,
    /// Whether the person may sign in.
    state: AccountState,
    /// Until when wrong passwords have locked the sign-in from unknown devices. Only lists say so.
    locked_until: Option<DateTime<Utc>>,
    /// The organisation that manages the account. Only lists say so, and what changes it.
    manager: Option<Manager>,
    /// When the account was made.
    created_at: DateTime<Utc>,
    /// When the person last signed in.
    last_sign_in_at: Option<DateTime<Utc>>,
    /// When the person was erased.
    erased_at: Option<DateTime<Utc>>,
    /// Grows with every change.
    version: i32,
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
    /// The accounts of the installation, newest first; with what is left of those of people who have been erased.
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
    ) -> ApiResult<Listed<PlatformAccount>> {
        let wrong = |detail| Error::Invalid(vec![Fault::parameter("email", "format", detail)]);
        let email = email.0.map(|text| text.parse()).transpose().map_err(wrong)?;
        let search = accounts::Search { email, state: state.0.map(Into::into), ..accounts::Search::default() };
        let page = PageRequest::parse(limit.0, cursor.0.as_deref())?;
        let page = managed::accounts(&self.0.gate.app, &caller, &search, page).await?;
        Ok(Listed::page(request, page, PlatformAccount::from))
    }

    /// Block an account everywhere and end its sessions.
    #[oai(path = "/accounts/:account_id/block", method = "post", operation_id = "accounts_block")]
    async fn block(
        &self,
        caller: Caller,
        account_id: Path<Uuid>,
        body: Json<BlockAccount>,
    ) -> ApiResult<Versioned<PlatformAccount>> {
        let account = accounts::block(&self.0.gate.app, &caller, AccountId(account_id.0), &body.0.reason).await?;
        Ok(PlatformAccount::answer(Person::Known(account)))
    }

    /// Let an account sign in again.
    #[oai(path = "/accounts/:account_id/unblock", method = "post", operation_id = "accounts_unblock")]
    async fn unblock(&self, caller: Caller, account_id: Path<Uuid>) -> ApiResult<Versioned<PlatformAccount>> {
        let account = accounts::unblock(&self.0.gate.app, &caller, AccountId(account_id.0)).await?;
        Ok(PlatformAccount::answer(Person::Known(account)))
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
    ) -> ApiResult<Versioned<PlatformAccount>> {
        let missing = || Error::field("/organization_id", "required", "is needed; null for none");
        let organization = body.0.organization_id.wanted().ok_or_else(missing)?.map(OrganizationId);
        let id = AccountId(account_id.0);
        let overseen = managed::change_manager(&self.0.gate.app, &caller, id, organization).await?;
        let account = PlatformAccount::from(overseen);
        Ok(Versioned::of(account.version, account))
    }

    /// Erase a person for good: whatever says who they are is destroyed, in restored backups too.
    ///
    /// Their sessions end, they leave their organisations, and their address is free for a new account. The record's
    /// entries of what they did stay, without a name. Nobody can take it back. Not for one's own account; with
    /// `only_owner`, the organisations in `organization_ids` need another owner first.
    #[oai(path = "/accounts/:account_id/erase", method = "post", operation_id = "accounts_erase")]
    async fn erase(&self, caller: Caller, account_id: Path<Uuid>) -> ApiResult<Versioned<PlatformAccount>> {
        let person = privacy::erase(&self.0.gate.app, &caller, AccountId(account_id.0)).await?;
        Ok(PlatformAccount::answer(person))
    }
}

impl PlatformAccount {
    fn answer(person: Person) -> Versioned<Self> {
        let account = Self::from(person);
        Versioned::of(account.version, account)
    }
}

impl From<Person> for PlatformAccount {
    fn from(person: Person) -> Self {
        match person {
            Person::Known(row) => Self {
                id: row.id.into(),
                email: Some(row.email),
                name: Some(row.name),
                state: row.state.into(),
                locked_until: None,
                manager: None,
                created_at: row.created_at,
                last_sign_in_at: row.last_sign_in_at,
                erased_at: None,
                version: row.version,
            },
            Person::Erased(erased) => Self {
                id: erased.id.into(),
                email: None,
                name: None,
                state: AccountState::Erased,
                locked_until: None,
                manager: None,
                created_at: erased.created_at,
                last_sign_in_at: None,
                erased_at: Some(erased.erased_at),
                version: erased.version,
            },
        }
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
            email_verified_at: row.email_verified_at,
            version: row.version,
        }
    }
}

impl From<managed::Overseen> for PlatformAccount {
    fn from(overseen: managed::Overseen) -> Self {
        let managed::Overseen { person, locked_until, manager } = overseen;
        let manager = manager.map(|(id, name)| Manager { id: id.into(), name });
        Self { locked_until, manager, ..person.into() }
    }
}

impl From<State> for AccountState {
    fn from(state: State) -> Self {
        match state {
            State::Active => Self::Active,
            State::Blocked => Self::Blocked,
            State::Erased => Self::Erased,
        }
    }
}

impl From<AccountState> for State {
    fn from(state: AccountState) -> Self {
        match state {
            AccountState::Active => Self::Active,
            AccountState::Blocked => Self::Blocked,
            AccountState::Erased => Self::Erased,
        }
    }
}
