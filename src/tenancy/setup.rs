//! The first run: a single-use token, printed by the server, makes the first platform administrator (AUT-8).

use entity::{OrganizationId, SetupTokenId, memberships, sessions::Delivery, setup_tokens as rows};
use sea_orm::{ActiveValue::Set, ColumnTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect};

use super::members;
use crate::{
    accounts::{self, NewAccount},
    app::App,
    audit::{Event, Kind},
    config::SecretString,
    db::{Db, Tx},
    error::{Code, Error, Result},
    runtime::Ids,
    sessions::{NewSession, Opened, hash},
    types::{Caller, Email, Role},
    vault::Vault,
};

/// The prefix of setup tokens, for people and secret scanners.
const PREFIX: &str = "fhs_";
/// The lock that lets one setup happen at a time.
const LOCK: &str = "setup";

/// The first platform administrator.
pub struct FirstAdmin {
    /// The setup token.
    pub token: SecretString,
    /// The address to sign in with.
    pub email: Email,
    /// How they are called.
    pub name: String,
    /// Their password.
    pub password: SecretString,
    /// How the tokens of their first session travel.
    pub delivery: Delivery,
}

/// Whether the platform has no administrator yet.
///
/// # Errors
/// When the database fails.
pub async fn required(app: &App, caller: &Caller) -> Result<bool> {
    let caller = caller.within(OrganizationId::PLATFORM);
    required_in(&app.db.read(&caller).await?).await
}

async fn required_in(tx: &Tx) -> Result<bool> {
    let admins = tx
        .find::<memberships::Entity>()
        .filter(memberships::Column::OrganizationId.eq(OrganizationId::PLATFORM))
        .filter(memberships::Column::Role.eq(Role::PLATFORM_ADMIN));
    Ok(tx.count(admins).await? == 0)
}

/// The setup token, unless the platform has an administrator. It stays the same until it is used, on every instance
/// and across restarts: it is derived from the root key and the id of its row.
///
/// # Errors
/// When the database fails.
pub async fn issue_token(db: &Db, vault: &Vault, caller: &Caller) -> Result<Option<SecretString>> {
    let tx = db.write(&caller.within(OrganizationId::PLATFORM)).await?;
    tx.lock(LOCK).await?;
    if !required_in(&tx).await? {
        return Ok(None);
    }
    let open = tx.find_identity::<rows::Entity>().filter(rows::Column::UsedAt.is_null());
    if let Some(row) = tx.one(open.order_by_desc(rows::Column::Id)).await? {
        let token = derived(vault, row.id)?;
        // Under another root key it would be another token, which nobody could use.
        if hash(token.expose()) == row.token_hash {
            return Ok(Some(token));
        }
    }
    let id: SetupTokenId = Ids.next();
    let token = derived(vault, id)?;
    let row = rows::Model { id, token_hash: hash(token.expose()), created_at: caller.now(), used_at: None };
    tx.insert(rows::ActiveModel::from(row)).await?;
    tx.commit(Event::new(Kind::SetupTokenIssued, id)).await?;
    Ok(Some(token))
}

fn derived(vault: &Vault, id: SetupTokenId) -> Result<SecretString> {
    let key = vault.derive_password(&format!("setup token {id}"))?;
    Ok(SecretString::new(format!("{PREFIX}{}", key.expose())))
}

/// Makes the first platform administrator and signs them in.
///
/// # Errors
/// `Conflict` with `setup_not_available` when the token is not valid or setup was done; the attempt is recorded.
/// `Invalid` for a name or password that is not good enough; the token stays usable.
pub async fn complete(app: &App, caller: &Caller, first: FirstAdmin) -> Result<(accounts::Account, Opened)> {
    let name = accounts::checked_name(&first.name)?;
    let refused = || Error::Conflict(Code::SetupNotAvailable);
    let caller = caller.within(OrganizationId::PLATFORM);
    // Before the slow hash: a stranger without a token does not get to use the hashing pool.
    let tx = app.db.write(&caller).await?;
    let refusal = || Event::without_target(Kind::SetupRefused).refused();
    if !usable(&tx, &first.token).await? {
        return tx.commit_refused(refusal(), refused()).await;
    }
    drop(tx);
    let rules = app.settings.platform(&caller.origin).await?;
    app.passwords.check(first.password.expose(), &first.email, &name, &rules.passwords).await?;
    let password_hash = app.passwords.hash(first.password).await?;

    let mut tx = app.db.write(&caller).await?;
    tx.lock(LOCK).await?;
    if !usable(&tx, &first.token).await? {
        // Somebody else was quicker.
        return tx.commit_refused(refusal(), refused()).await;
    }
    let by_hash = tx.find_identity::<rows::Entity>().filter(rows::Column::TokenHash.eq(hash(first.token.expose())));
    let mut token = tx.one(by_hash.lock_exclusive()).await?.ok_or_else(refused)?.into_active_model();
    token.used_at = Set(Some(caller.now()));
    tx.update(token).await?;
    let account =
        accounts::create(&tx, app, NewAccount { email: first.email, name, password_hash, email_verified_at: None })
            .await?;
    let session = app.ids.next();
    tx.identify(account.id, session).await?;
    let role = Role::named(Role::PLATFORM_ADMIN);
    members::add(&tx, app, OrganizationId::PLATFORM, account.id, &role).await?;
    let new = NewSession {
        id: session,
        account: account.id,
        delivery: first.delivery,
        factors: &["pwd"],
        proven_at: None,
        organization: Some(OrganizationId::PLATFORM),
    };
    let account = accounts::signed_in(&tx, account).await?;
    let opened = app.sessions.open(&mut tx, new).await?;
    tx.commit(Event::new(Kind::SetupCompleted, account.id)).await?;
    Ok((account, opened))
}

/// Whether a token makes the first administrator.
///
/// # Errors
/// `Conflict` with `setup_not_available` when it does not.
pub async fn expect_token(app: &App, caller: &Caller, token: &SecretString) -> Result<()> {
    let tx = app.db.read(&caller.within(OrganizationId::PLATFORM)).await?;
    if usable(&tx, token).await? { Ok(()) } else { Err(Error::Conflict(Code::SetupNotAvailable)) }
}

async fn usable(tx: &Tx, token: &SecretString) -> Result<bool> {
    let by_hash = tx
        .find_identity::<rows::Entity>()
        .filter(rows::Column::TokenHash.eq(hash(token.expose())))
        .filter(rows::Column::UsedAt.is_null());
    Ok(tx.one(by_hash).await?.is_some() && required_in(tx).await?)
}
