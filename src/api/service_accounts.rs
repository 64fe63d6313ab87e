//! Service accounts and the keys with which they call.

use chrono::{DateTime, Utc};
use entity::{ApiKeyId, ServiceAccountId};
use poem::Request;
use poem_openapi::{
    ApiResponse, Enum, Object, OpenApi,
    param::{Header, Path, Query},
    payload::Json,
};
use uuid::Uuid;

use super::{
    Face, Tag,
    custom_roles::{self, CustomRoleOf},
    wire::{Change, Created, Done, Listed, Versioned, version},
};
use crate::{
    edge::ApiResult,
    tenancy::service_accounts,
    types::{Caller, PageRequest},
};

/// The operations.
pub struct ServiceAccounts(pub Face);

/// Whether a service account's keys open anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
enum ServiceAccountState {
    /// They do.
    Active,
    /// They are refused, and stay.
    Disabled,
}

/// A program of an organisation's own.
#[derive(Debug, Object)]
#[oai(skip_serializing_if_is_none)]
struct ServiceAccount {
    /// Its id.
    id: Uuid,
    /// The organisation.
    organization_id: Uuid,
    /// Its name.
    name: String,
    /// What it is for.
    description: Option<String>,
    /// What it may, as a member with this role could.
    role: String,
    /// Its custom roles beside that, by name.
    custom_roles: Vec<CustomRoleOf>,
    /// Whether its keys open anything.
    state: ServiceAccountState,
    /// How many keys it has that are not revoked.
    key_count: u64,
    /// When one of its keys was used last, to the minute.
    last_used_at: Option<DateTime<Utc>>,
    /// The account of who made it.
    created_by: Option<Uuid>,
    /// When it was made.
    created_at: DateTime<Utc>,
    /// When it was changed last.
    updated_at: DateTime<Utc>,
    /// Its version, as in the `ETag`.
    version: i32,
}

/// A service account to make.
#[derive(Object)]
#[oai(deny_unknown_fields)]
struct CreateServiceAccount {
    /// Its name; no other of the organisation has it in upper or lower case.
    #[oai(validator(min_length = 1, max_length = 100))]
    name: String,
    /// What it is for.
    #[oai(validator(min_length = 1, max_length = 500), skip_serializing_if_is_none)]
    description: Option<String>,
    /// What it may: a role that is not above the caller's own.
    #[oai(validator(min_length = 1, max_length = 63))]
    role: String,
    /// The custom roles to have beside that.
    #[oai(validator(max_items = 100), skip_serializing_if_is_none)]
    custom_role_ids: Option<Vec<Uuid>>,
}

/// What to change of a service account.
#[derive(Object)]
#[oai(deny_unknown_fields)]
struct UpdateServiceAccount {
    /// A new name.
    #[oai(validator(min_length = 1, max_length = 100), skip_serializing_if_is_none)]
    name: Option<String>,
    /// A new description; null takes it away.
    #[oai(validator(min_length = 1, max_length = 500))]
    description: Change<String>,
    /// Another role.
    #[oai(validator(min_length = 1, max_length = 63), skip_serializing_if_is_none)]
    role: Option<String>,
    /// The custom roles to have, in place of those that it has.
    #[oai(validator(max_items = 100), skip_serializing_if_is_none)]
    custom_role_ids: Option<Vec<Uuid>>,
}

/// A key of a service account. The key itself is shown once, when it is made.
#[derive(Debug, Object)]
#[oai(skip_serializing_if_is_none)]
struct ApiKey {
    /// Its id.
    id: Uuid,
    /// The service account.
    service_account_id: Uuid,
    /// Its name.
    name: String,
    /// How the key begins.
    prefix: String,
    /// From where it may be used, in CIDR notation; empty is everywhere.
    allowed_networks: Vec<String>,
    /// The account of who made it.
    created_by: Option<Uuid>,
    /// When it was made.
    created_at: DateTime<Utc>,
    /// Until when it works; absent means until it is revoked.
    expires_at: Option<DateTime<Utc>>,
    /// When it was used last, to the minute.
    last_used_at: Option<DateTime<Utc>>,
    /// From which address.
    last_used_ip: Option<String>,
    /// When it was revoked.
    revoked_at: Option<DateTime<Utc>>,
}

/// A key that was just made.
#[derive(Debug, Object)]
#[oai(skip_serializing_if_is_none)]
struct NewApiKey {
    /// The key: `fhk_` and 72 letters and digits. Keep it; nobody can show it again.
    key: String,
    /// What is kept of it.
    api_key: ApiKey,
}

/// The answer when a key was made.
#[derive(ApiResponse)]
enum Issued {
    /// The key. It is nowhere else afterwards.
    #[oai(status = 201)]
    Issued(Json<NewApiKey>),
}

/// A key to make.
#[derive(Object)]
#[oai(deny_unknown_fields)]
struct CreateApiKey {
    /// What it is called.
    #[oai(validator(min_length = 1, max_length = 100))]
    name: String,
    /// Until when it works; left out, until it is revoked.
    #[oai(skip_serializing_if_is_none)]
    expires_at: Option<DateTime<Utc>>,
    /// From where it may be used: addresses, and networks in CIDR notation. Left out, from everywhere.
    #[oai(validator(max_items = 20, min_items = 1), skip_serializing_if_is_none)]
    allowed_networks: Option<Vec<String>>,
}

#[OpenApi(prefix_path = "/v1", tag = "Tag::ServiceAccounts")]
impl ServiceAccounts {
    /// The service accounts of an organisation, newest first.
    #[expect(clippy::too_many_arguments, reason = "one argument a parameter of the contract")]
    #[oai(
        path = "/organizations/:organization_id/service-accounts",
        method = "get",
        operation_id = "service_accounts_list"
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
    ) -> ApiResult<Listed<ServiceAccount>> {
        let _ = organization_id;
        let page = PageRequest::parse(limit.0, cursor.0.as_deref())?;
        let page = service_accounts::list(&self.0.gate.app, &caller, page).await?;
        Ok(Listed::page(request, page, ServiceAccount::from))
    }

    /// Make a service account, without a key.
    ///
    /// It belongs to the organisation and stays when its maker leaves. Nobody makes one with a role above their own.
    #[oai(
        path = "/organizations/:organization_id/service-accounts",
        method = "post",
        operation_id = "service_accounts_create"
    )]
    async fn create(
        &self,
        caller: Caller,
        organization_id: Path<Uuid>,
        body: Json<CreateServiceAccount>,
        /// The same key does the work once.
        #[oai(name = "Idempotency-Key")]
        _idempotency_key: Header<Option<String>>,
    ) -> ApiResult<Created<ServiceAccount>> {
        let CreateServiceAccount { name, description, role, custom_role_ids } = body.0;
        let custom_roles = custom_roles::ids(custom_role_ids).unwrap_or_default();
        let new = service_accounts::NewServiceAccount { name, description, role, custom_roles };
        let made = service_accounts::create(&self.0.gate.app, &caller, new).await?;
        let location = format!("/v1/organizations/{}/service-accounts/{}", organization_id.0, made.row.id);
        Ok(Created::Created(Json(made.into()), location))
    }

    /// One service account.
    #[oai(
        path = "/organizations/:organization_id/service-accounts/:service_account_id",
        method = "get",
        operation_id = "service_accounts_get"
    )]
    async fn get(
        &self,
        caller: Caller,
        organization_id: Path<Uuid>,
        service_account_id: Path<Uuid>,
    ) -> ApiResult<Versioned<ServiceAccount>> {
        let _ = organization_id;
        let id = ServiceAccountId(service_account_id.0);
        let account = service_accounts::get(&self.0.gate.app, &caller, id).await?;
        Ok(Versioned::of(account.row.version, account.into()))
    }

    /// Change a service account's name, description, role or custom roles.
    ///
    /// Those change what its keys may at once. Nobody changes one that has a role above their own, or gives it one.
    #[expect(clippy::too_many_arguments, reason = "one argument a parameter of the contract")]
    #[oai(
        path = "/organizations/:organization_id/service-accounts/:service_account_id",
        method = "patch",
        operation_id = "service_accounts_update"
    )]
    async fn update(
        &self,
        caller: Caller,
        organization_id: Path<Uuid>,
        service_account_id: Path<Uuid>,
        body: Json<UpdateServiceAccount>,
        /// The `ETag` that was read; 412 when it is not the present one.
        #[oai(name = "If-Match")]
        if_match: Header<Option<String>>,
    ) -> ApiResult<Versioned<ServiceAccount>> {
        let _ = organization_id;
        let UpdateServiceAccount { name, description, role, custom_role_ids } = body.0;
        let (description, version) = (description.wanted(), version(if_match.0));
        let custom_roles = custom_roles::ids(custom_role_ids);
        let changes = service_accounts::Changes { name, description, role, custom_roles, version };
        let id = ServiceAccountId(service_account_id.0);
        let account = service_accounts::update(&self.0.gate.app, &caller, id, changes).await?;
        Ok(Versioned::of(account.row.version, account.into()))
    }

    /// Refuse a service account's keys everywhere until it is enabled again.
    #[oai(
        path = "/organizations/:organization_id/service-accounts/:service_account_id/disable",
        method = "post",
        operation_id = "service_accounts_disable"
    )]
    async fn disable(
        &self,
        caller: Caller,
        organization_id: Path<Uuid>,
        service_account_id: Path<Uuid>,
    ) -> ApiResult<Versioned<ServiceAccount>> {
        let _ = organization_id;
        self.set_state(&caller, service_account_id.0, service_accounts::State::Disabled).await
    }

    /// Let a disabled service account's keys work again.
    #[oai(
        path = "/organizations/:organization_id/service-accounts/:service_account_id/enable",
        method = "post",
        operation_id = "service_accounts_enable"
    )]
    async fn enable(
        &self,
        caller: Caller,
        organization_id: Path<Uuid>,
        service_account_id: Path<Uuid>,
    ) -> ApiResult<Versioned<ServiceAccount>> {
        let _ = organization_id;
        self.set_state(&caller, service_account_id.0, service_accounts::State::Active).await
    }

    /// Remove a service account with its keys, at once and everywhere. Open invitations from it stop working.
    #[oai(
        path = "/organizations/:organization_id/service-accounts/:service_account_id",
        method = "delete",
        operation_id = "service_accounts_delete"
    )]
    async fn delete(
        &self,
        caller: Caller,
        organization_id: Path<Uuid>,
        service_account_id: Path<Uuid>,
        /// The `ETag` that was read; 412 when it is not the present one.
        #[oai(name = "If-Match")]
        if_match: Header<Option<String>>,
    ) -> ApiResult<Done> {
        let _ = organization_id;
        let id = ServiceAccountId(service_account_id.0);
        service_accounts::delete(&self.0.gate.app, &caller, id, version(if_match.0)).await?;
        Ok(Done::Done)
    }

    /// The keys of a service account, newest first. Those that were revoked are listed for some months.
    #[expect(clippy::too_many_arguments, reason = "one argument a parameter of the contract")]
    #[oai(
        path = "/organizations/:organization_id/service-accounts/:service_account_id/keys",
        method = "get",
        operation_id = "api_keys_list"
    )]
    async fn keys(
        &self,
        caller: Caller,
        organization_id: Path<Uuid>,
        service_account_id: Path<Uuid>,
        request: &Request,
        /// The most items of the page.
        #[oai(validator(minimum(value = "1"), maximum(value = "200")))]
        limit: Query<Option<u64>>,
        /// Where the last page ended.
        cursor: Query<Option<String>>,
    ) -> ApiResult<Listed<ApiKey>> {
        let _ = organization_id;
        let page = PageRequest::parse(limit.0, cursor.0.as_deref())?;
        let id = ServiceAccountId(service_account_id.0);
        let page = service_accounts::list_keys(&self.0.gate.app, &caller, id, page).await?;
        Ok(Listed::page(request, page, ApiKey::from))
    }

    /// Make a key for a service account. It is in the answer, and nowhere else afterwards.
    ///
    /// Whoever calls with it does so as the service account: `Authorization: Bearer fhk_…`. There is no repetition of
    /// this call that shows the same key again; make another and revoke the first.
    #[oai(
        path = "/organizations/:organization_id/service-accounts/:service_account_id/keys",
        method = "post",
        operation_id = "api_keys_create"
    )]
    async fn create_key(
        &self,
        caller: Caller,
        organization_id: Path<Uuid>,
        service_account_id: Path<Uuid>,
        body: Json<CreateApiKey>,
    ) -> ApiResult<Issued> {
        let _ = organization_id;
        let CreateApiKey { name, expires_at, allowed_networks } = body.0;
        let allowed_networks = allowed_networks.unwrap_or_default();
        let new = service_accounts::NewKey { name, expires_at, allowed_networks };
        let id = ServiceAccountId(service_account_id.0);
        let made = service_accounts::create_key(&self.0.gate.app, &caller, id, new).await?;
        Ok(Issued::Issued(Json(NewApiKey { key: made.secret.expose().to_owned(), api_key: made.key.into() })))
    }

    /// Revoke a key for good, at once and everywhere.
    #[oai(
        path = "/organizations/:organization_id/service-accounts/:service_account_id/keys/:api_key_id",
        method = "delete",
        operation_id = "api_keys_revoke"
    )]
    async fn revoke_key(
        &self,
        caller: Caller,
        organization_id: Path<Uuid>,
        service_account_id: Path<Uuid>,
        api_key_id: Path<Uuid>,
    ) -> ApiResult<Done> {
        let _ = organization_id;
        let (account, key) = (ServiceAccountId(service_account_id.0), ApiKeyId(api_key_id.0));
        service_accounts::revoke(&self.0.gate.app, &caller, account, key).await?;
        Ok(Done::Done)
    }
}

impl ServiceAccounts {
    async fn set_state(
        &self,
        caller: &Caller,
        id: Uuid,
        state: service_accounts::State,
    ) -> ApiResult<Versioned<ServiceAccount>> {
        let account = service_accounts::set_state(&self.0.gate.app, caller, ServiceAccountId(id), state).await?;
        Ok(Versioned::of(account.row.version, account.into()))
    }
}

impl From<service_accounts::ServiceAccount> for ServiceAccount {
    fn from(account: service_accounts::ServiceAccount) -> Self {
        let service_accounts::ServiceAccount { row, keys, last_used_at, custom_roles } = account;
        Self {
            id: row.id.into(),
            organization_id: row.organization_id.into(),
            name: row.name,
            description: row.description,
            role: row.role,
            custom_roles: custom_roles.into_iter().map(Into::into).collect(),
            state: match row.state {
                service_accounts::State::Active => ServiceAccountState::Active,
                service_accounts::State::Disabled => ServiceAccountState::Disabled,
            },
            key_count: keys,
            last_used_at,
            created_by: row.created_by.map(Into::into),
            created_at: row.created_at,
            updated_at: row.updated_at,
            version: row.version,
        }
    }
}

impl From<service_accounts::Key> for ApiKey {
    fn from(key: service_accounts::Key) -> Self {
        let service_accounts::Key { row, last_used_address } = key;
        Self {
            id: row.id.into(),
            service_account_id: row.service_account_id.into(),
            name: row.name,
            prefix: row.prefix,
            allowed_networks: row.allowed_networks,
            created_by: row.created_by.map(Into::into),
            created_at: row.created_at,
            expires_at: row.expires_at,
            last_used_at: row.last_used_at,
            last_used_ip: last_used_address,
            revoked_at: row.revoked_at,
        }
    }
}
