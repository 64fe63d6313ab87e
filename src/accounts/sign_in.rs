//! Signing in with a password. Known and unknown people get the same answer in the same time.

use entity::{AccountId, accounts as rows, password_credentials, sessions::Delivery};
use sea_orm::{ColumnTrait, QueryFilter, sea_query::Expr};

use super::Account;
use crate::{
    app::App,
    audit::{Event, Kind},
    config::SecretString,
    db::{Unrecorded, WriteTx},
    error::{Code, Error, Result},
    sessions::{NewSession, Opened},
    types::{Caller, Email},
};

/// Opens a session for the person with this address and password.
///
/// # Errors
/// `Unauthenticated` with `invalid_credentials`, whatever was wrong.
pub async fn sign_in(
    app: &App,
    caller: &Caller,
    email: &Email,
    password: SecretString,
    delivery: Delivery,
) -> Result<Opened> {
    let account = authenticate(app, caller, email, password).await?;
    let mut tx = app.db.write(caller).await?;
    let new = NewSession { id: app.ids.next(), account: account.id, delivery, factors: &["pwd"], organization: None };
    let opened = app.sessions.open(&mut tx, new).await?;
    mark_signed_in(&tx, account.id).await?;
    tx.commit(Unrecorded("opening the session has recorded the sign-in")).await?;
    Ok(opened)
}

/// Notes that a person has signed in, in the transaction that opened the session.
///
/// # Errors
/// `Unauthenticated` when the account was blocked since its password was checked: the session goes with the
/// transaction.
pub async fn mark_signed_in(tx: &WriteTx, account: AccountId) -> Result<()> {
    let seen = tx
        .change_identity::<rows::Entity>()
        .col_expr(rows::Column::LastSignInAt, Expr::value(tx.caller().now()))
        .filter(rows::Column::Id.eq(account))
        .filter(rows::Column::State.eq(rows::State::Active));
    if tx.apply(seen).await? == 0 { Err(Error::Unauthenticated(Code::InvalidCredentials)) } else { Ok(()) }
}

/// The account with this address, if the password is its own and it may sign in. A failure is recorded.
///
/// # Errors
/// `Unauthenticated` with `invalid_credentials`, whatever was wrong.
pub async fn authenticate(app: &App, caller: &Caller, email: &Email, password: SecretString) -> Result<Account> {
    let tx = app.db.read(caller).await?;
    let account = super::find_by_email(&tx, email).await?;
    let id = account.as_ref().map(|account| account.id);
    let credential = tx.find_identity::<password_credentials::Entity>();
    // The same query for somebody who is not there, with an id that nobody has.
    let credential =
        credential.filter(password_credentials::Column::AccountId.eq(id.unwrap_or(AccountId(uuid::Uuid::nil()))));
    let hash = tx.one(credential).await?.map(|credential| credential.hash);
    // The connection must not wait for the hashing pool.
    drop(tx);
    let right = app.passwords.verify(password, hash.as_deref()).await?;
    let reason = match &account {
        Some(account) if right && account.state == rows::State::Active => return Ok(account.clone()),
        Some(_) if right => "blocked",
        Some(_) => "wrong_password",
        None => "unknown_account",
    };
    let event = id.map_or_else(|| Event::without_target(Kind::SessionFailed), |id| Event::new(Kind::SessionFailed, id));
    let tx = app.db.write(caller).await?;
    tx.commit_refused(event.failed().with("reason", reason), Error::Unauthenticated(Code::InvalidCredentials)).await
}
