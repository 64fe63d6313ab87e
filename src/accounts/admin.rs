//! What is done to accounts as a whole: list, block, unblock, unlock, end their sessions. A platform administrator does it
//! here; the organisation that manages an account does it in a transaction that has found that it may (`…_in`).

use entity::{AccountId, OrganizationId, SessionId, accounts as rows};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, IntoActiveModel, QueryFilter, QuerySelect,
    sea_query::{Expr, ExprTrait},
};

use super::{Account, Person, profile};
use crate::{
    app::App,
    audit::{Event, Kind},
    db::{Tx, Unrecorded, WriteTx},
    error::{Code, Error, Result},
    guessing,
    sessions::{self, Session},
    types::{Caller, Email, Page, PageRequest, single_line},
};

/// The lock under which the number of platform administrators can shrink: the last one stays.
pub const ADMINISTRATORS: &str = "platform administrators";
/// The longest reason in characters.
const LONGEST_REASON: usize = 500;

/// Which accounts are asked for.
#[derive(Clone, Debug, Default)]
pub struct Search {
    /// Exactly this address.
    pub email: Option<Email>,
    /// `active`, `blocked` or `erased`.
    pub state: Option<rows::State>,
    /// Managed by this organisation.
    pub managed_by: Option<OrganizationId>,
    /// Whose name or address has this text.
    pub text: Option<String>,
}

/// The accounts of the installation, newest first, and what is left of those of people who have been erased.
///
/// # Errors
/// When the database fails.
pub async fn list_in(tx: &Tx, app: &App, search: &Search, page: PageRequest) -> Result<Page<Person>> {
    let mut query = tx.find_identity::<rows::Entity>();
    if let Some(email) = &search.email {
        let id = Expr::col((rows::Entity, rows::Column::Id));
        query = query.filter(id.in_subquery(profile::with_address(&app.vault, tx, email)?));
    }
    if let Some(organization) = search.managed_by {
        query = query.filter(rows::Column::ManagedBy.eq(organization));
    }
    if let Some(text) = &search.text {
        query = query.filter(profile::searched(&app.vault, tx, (rows::Entity, rows::Column::Id), text).await?);
    }
    if let Some(state) = search.state {
        query = query.filter(rows::Column::State.eq(state));
    }
    let page = tx.page(query, rows::Column::Id, |row| row.id.into(), page).await?;
    let items = page.items.into_iter().map(|row| profile::person(&app.vault, row)).collect::<Result<_>>()?;
    Ok(Page { items, next: page.next })
}

/// Blocks an account everywhere and ends its sessions. It changes nothing of an account that is blocked already.
///
/// # Errors
/// `NotFound`; `Conflict` for the caller's own account, and with `account_erased`; `Invalid` for a reason that is none.
pub async fn block(app: &App, caller: &Caller, id: AccountId, reason: &str) -> Result<Account> {
    let tx = app.db.write(caller).await?;
    tx.lock(ADMINISTRATORS).await?;
    // Two administrators who block each other: the second finds itself blocked.
    let own =
        super::get(&app.vault, &tx, caller.account().ok_or(Error::Unauthenticated(Code::Unauthenticated))?).await?;
    if own.state != rows::State::Active {
        return Err(Error::Forbidden(Code::Forbidden));
    }
    block_in(app, tx, id, reason).await
}

/// Blocks an account everywhere, in the name of the organisation that manages it if the call is one of its own.
///
/// # Errors
/// As [`block`].
pub async fn block_in(app: &App, tx: WriteTx, id: AccountId, reason: &str) -> Result<Account> {
    let reason = single_line(reason, LONGEST_REASON).ok_or_else(|| {
        Error::field("/reason", "format", format!("must be 1 to {LONGEST_REASON} characters on one line"))
    })?;
    if tx.caller().account() == Some(id) {
        // Nobody locks themselves out; another administrator can.
        return Err(Error::Conflict(Code::Conflict));
    }
    let account = locked(&tx, id).await?;
    let by = tx.caller().manager;
    // What the platform blocks stays blocked, whoever blocked it before.
    let taken_over = account.blocked_by.is_some() && by.is_none();
    if account.state == rows::State::Blocked && !taken_over {
        return profile::open(&app.vault, account);
    }
    let account = set_state(&tx, account, rows::State::Blocked, by).await?;
    let ended = sessions::end_all_of(&tx, id, "account_blocked").await?;
    tx.commit(Event::new(Kind::AccountBlocked, id).with_personal("reason", reason).with("sessions", ended)).await?;
    app.sessions.forget(id);
    profile::open(&app.vault, account)
}

/// Lets an account sign in again, whoever blocked it.
///
/// # Errors
/// `NotFound`; `Conflict` with `account_erased`.
pub async fn unblock(app: &App, caller: &Caller, id: AccountId) -> Result<Account> {
    unblock_in(app, app.db.write(caller).await?, id).await
}

/// Lets an account sign in again. An organisation undoes only what it has done itself.
///
/// # Errors
/// `NotFound`; `Conflict` with `blocked_by_platform`.
pub async fn unblock_in(app: &App, tx: WriteTx, id: AccountId) -> Result<Account> {
    let account = locked(&tx, id).await?;
    if account.state == rows::State::Active {
        return profile::open(&app.vault, account);
    }
    let by = tx.caller().manager;
    if by.is_some() && account.blocked_by != by {
        let event = Event::new(Kind::AccountChangeRefused, id).with("code", Code::BlockedByPlatform.as_str());
        return tx.commit_refused(event.refused(), Error::Conflict(Code::BlockedByPlatform)).await;
    }
    let account = set_state(&tx, account, rows::State::Active, None).await?;
    tx.commit(Event::new(Kind::AccountUnblocked, id)).await?;
    app.sessions.forget(id);
    profile::open(&app.vault, account)
}

/// Ends an account's lock after wrong passwords, and forgets its failures.
///
/// # Errors
/// `NotFound`.
pub async fn unlock(app: &App, caller: &Caller, id: AccountId) -> Result<()> {
    unlock_in(app.db.write(caller).await?, id).await
}

/// The same, in a transaction that has found that it may.
///
/// # Errors
/// `NotFound`.
pub async fn unlock_in(tx: WriteTx, id: AccountId) -> Result<()> {
    locked(&tx, id).await?;
    if guessing::release(&tx, id).await? {
        return tx.commit(Event::new(Kind::AccountUnlocked, id)).await;
    }
    tx.commit(Unrecorded("failures without a lock were forgotten")).await
}

/// Ends every session of an account.
///
/// # Errors
/// `NotFound`; `Conflict` with `account_erased`.
pub async fn end_sessions(app: &App, caller: &Caller, id: AccountId) -> Result<()> {
    end_sessions_in(app, app.db.write(caller).await?, id).await
}

/// The same, in a transaction that has found that it may.
///
/// # Errors
/// `NotFound`.
pub async fn end_sessions_in(app: &App, tx: WriteTx, id: AccountId) -> Result<()> {
    locked(&tx, id).await?;
    let ended = sessions::end_all_of(&tx, id, "ended_by_administrator").await?;
    tx.commit(Event::new(Kind::AccountSessionsEnded, id).with("sessions", ended)).await?;
    app.sessions.forget(id);
    Ok(())
}

/// The live sessions of an account, newest first.
///
/// # Errors
/// `NotFound`.
pub async fn list_sessions(app: &App, caller: &Caller, id: AccountId, page: PageRequest) -> Result<Page<Session>> {
    let tx = app.db.read(caller).await?;
    let account = tx.find_identity::<rows::Entity>().filter(rows::Column::Id.eq(id));
    tx.one(account).await?.ok_or_else(Error::not_found)?;
    sessions::of_account(&tx, id, None, page).await
}

/// Ends one session of an account.
///
/// # Errors
/// `NotFound`; `Conflict` with `account_erased`.
pub async fn end_session(app: &App, caller: &Caller, id: AccountId, session: SessionId) -> Result<()> {
    let tx = app.db.write(caller).await?;
    locked(&tx, id).await?;
    sessions::end_one_of(&tx, id, session, None).await?;
    let event = Event::new(Kind::SessionEnded, session).about(id).with("reason", "ended_by_administrator");
    tx.commit(event).await?;
    app.sessions.forget(id);
    Ok(())
}

/// Puts an account under an organisation's management, or under nobody's, and returns it with who managed it before.
/// Whoever calls has found that there is such an organisation, and records it.
///
/// # Errors
/// `NotFound`.
pub async fn manage(
    tx: &WriteTx,
    app: &App,
    id: AccountId,
    organization: Option<OrganizationId>,
) -> Result<(Account, Option<OrganizationId>)> {
    let account = locked(tx, id).await?;
    let before = account.managed_by;
    if before == organization {
        return Ok((profile::open(&app.vault, account)?, before));
    }
    let next = account.version + 1;
    let mut row = account.into_active_model();
    row.managed_by = Set(organization);
    row.version = Set(next);
    row.updated_at = Set(tx.caller().now());
    let row = tx.update(row).await?;
    Ok((profile::open(&app.vault, row)?, before))
}

/// An account that nobody else changes before the transaction ends.
///
/// # Errors
/// `NotFound`.
pub async fn locked(tx: &WriteTx, id: AccountId) -> Result<rows::Model> {
    let query = tx.find_identity::<rows::Entity>().filter(rows::Column::Id.eq(id));
    let account = tx.one(query.lock_exclusive()).await?.ok_or_else(Error::not_found)?;
    if account.state == rows::State::Erased { Err(Error::Conflict(Code::AccountErased)) } else { Ok(account) }
}

async fn set_state(
    tx: &WriteTx,
    account: rows::Model,
    state: rows::State,
    by: Option<OrganizationId>,
) -> Result<rows::Model> {
    let next = account.version + 1;
    let mut row = account.into_active_model();
    row.state = Set(state);
    row.blocked_by = Set(by);
    row.version = Set(next);
    row.updated_at = Set(tx.caller().now());
    tx.update(row).await
}
