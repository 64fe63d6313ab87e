//! What a platform administrator does to accounts: list, block, unblock, end their sessions.

use entity::{AccountId, accounts as rows};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, IntoActiveModel, QueryFilter, QuerySelect,
    sea_query::{Expr, ExprTrait},
};

use super::{Account, Person, profile};
use crate::{
    app::App,
    audit::{Event, Kind},
    error::{Code, Error, Result},
    sessions,
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
}

/// The accounts of the installation, newest first, and what is left of those of people who have been erased.
///
/// # Errors
/// When the database fails.
pub async fn list(app: &App, caller: &Caller, search: &Search, page: PageRequest) -> Result<Page<Person>> {
    let tx = app.db.read(caller).await?;
    let mut query = tx.find_identity::<rows::Entity>();
    if let Some(email) = &search.email {
        let id = Expr::col((rows::Entity, rows::Column::Id));
        query = query.filter(id.in_subquery(profile::with_address(&app.vault, &tx, email)?));
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
    let reason = single_line(reason, LONGEST_REASON).ok_or_else(|| {
        Error::field("/reason", "format", format!("must be 1 to {LONGEST_REASON} characters on one line"))
    })?;
    if caller.account() == Some(id) {
        // Nobody locks themselves out; another administrator can.
        return Err(Error::Conflict(Code::Conflict));
    }
    let tx = app.db.write(caller).await?;
    tx.lock(ADMINISTRATORS).await?;
    // Two administrators who block each other: the second finds itself blocked.
    let own =
        super::get(&app.vault, &tx, caller.account().ok_or(Error::Unauthenticated(Code::Unauthenticated))?).await?;
    if own.state != rows::State::Active {
        return Err(Error::Forbidden(Code::Forbidden));
    }
    let account = locked(&tx, id).await?;
    if account.state == rows::State::Blocked {
        return profile::open(&app.vault, account);
    }
    let account = set_state(&tx, account, rows::State::Blocked).await?;
    let ended = sessions::end_all_of(&tx, id, "account_blocked").await?;
    tx.commit(Event::new(Kind::AccountBlocked, id).with_personal("reason", reason).with("sessions", ended)).await?;
    profile::open(&app.vault, account)
}

/// Lets an account sign in again.
///
/// # Errors
/// `NotFound`; `Conflict` with `account_erased`.
pub async fn unblock(app: &App, caller: &Caller, id: AccountId) -> Result<Account> {
    let tx = app.db.write(caller).await?;
    let account = locked(&tx, id).await?;
    if account.state == rows::State::Active {
        return profile::open(&app.vault, account);
    }
    let account = set_state(&tx, account, rows::State::Active).await?;
    tx.commit(Event::new(Kind::AccountUnblocked, id)).await?;
    profile::open(&app.vault, account)
}

/// Ends every session of an account.
///
/// # Errors
/// `NotFound`; `Conflict` with `account_erased`.
pub async fn end_sessions(app: &App, caller: &Caller, id: AccountId) -> Result<()> {
    let tx = app.db.write(caller).await?;
    locked(&tx, id).await?;
    let ended = sessions::end_all_of(&tx, id, "ended_by_administrator").await?;
    tx.commit(Event::new(Kind::AccountSessionsEnded, id).with("sessions", ended)).await
}

async fn locked(tx: &crate::db::WriteTx, id: AccountId) -> Result<rows::Model> {
    let query = tx.find_identity::<rows::Entity>().filter(rows::Column::Id.eq(id));
    let account = tx.one(query.lock_exclusive()).await?.ok_or_else(Error::not_found)?;
    if account.state == rows::State::Erased { Err(Error::Conflict(Code::AccountErased)) } else { Ok(account) }
}

async fn set_state(tx: &crate::db::WriteTx, account: rows::Model, state: rows::State) -> Result<rows::Model> {
    let next = account.version + 1;
    let mut row = account.into_active_model();
    row.state = Set(state);
    row.version = Set(next);
    row.updated_at = Set(tx.caller().now());
    tx.update(row).await
}
