//! Signing in with a password. Known and unknown people get the same answer in the same time.

use entity::{AccountId, accounts as rows, sessions::Delivery};
use sea_orm::{ColumnTrait, FromQueryResult, QueryFilter, sea_query::Expr};

use super::{Account, credentials::upgrade, profile};
use crate::{
    app::App,
    audit::{Event, Kind},
    config::SecretString,
    db::{Unrecorded, WriteTx},
    error::{Code, Error, Result},
    sessions::{NewSession, Opened},
    settings::sections::Way,
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
) -> Result<(Account, Opened)> {
    let account = authenticate(app, caller, email, password).await?;
    let id = app.ids.next();
    let mut tx = app.db.write(&caller.acting_as(account.id, id)).await?;
    let account = signed_in(&tx, account).await?;
    let new = NewSession { id, account: account.id, delivery, factors: &["pwd"], organization: None };
    let opened = app.sessions.open(&mut tx, new).await?;
    tx.commit(Unrecorded("opening the session has recorded the sign-in")).await?;
    Ok((account, opened))
}

/// Notes that a person signs in, in the transaction that opens the session. The account can't be blocked before its
/// end.
///
/// # Errors
/// `Unauthenticated` when the account was blocked since its password was checked: the session goes with the
/// transaction.
pub async fn signed_in(tx: &WriteTx, account: Account) -> Result<Account> {
    let now = tx.caller().now();
    let seen = tx
        .change_identity::<rows::Entity>()
        .col_expr(rows::Column::LastSignInAt, Expr::value(now))
        .filter(rows::Column::Id.eq(account.id))
        .filter(rows::Column::State.eq(rows::State::Active));
    if tx.apply(seen).await? == 0 {
        return Err(Error::Unauthenticated(Code::InvalidCredentials));
    }
    Ok(Account { last_sign_in_at: Some(now), ..account })
}

/// One statement, whether or not there is such a person.
const FIND: &str = "
    SELECT a.*, c.hash FROM account_matches m JOIN accounts a ON a.id = m.account_id
    LEFT JOIN password_credentials c ON c.account_id = a.id WHERE m.field = 'email' AND m.value = ANY ($1) LIMIT 1";

#[derive(FromQueryResult)]
struct Found {
    #[sea_orm(nested)]
    account: rows::Model,
    hash: Option<String>,
}

/// The account with this address, if the password is its own and it may sign in. A failure is recorded.
///
/// # Errors
/// `Unauthenticated` with `invalid_credentials`, whatever was wrong; `Forbidden` with `way_not_allowed` where passwords
/// are switched off, for everybody.
pub async fn authenticate(app: &App, caller: &Caller, email: &Email, password: SecretString) -> Result<Account> {
    if !app.settings.platform(&caller.origin).await?.sign_in.ways.contains(&Way::Password) {
        return Err(Error::Forbidden(Code::WayNotAllowed));
    }
    let tx = app.db.read(caller).await?;
    let found: Vec<Found> = tx.query(FIND, [profile::addresses(&app.vault, email.as_str())?.into()]).await?;
    let (account, hash) = found.into_iter().next().map(|found| (found.account, found.hash)).unzip();
    let (id, hash) = (account.as_ref().map(|account| account.id), hash.flatten());
    // The connection must not wait for the hashing pool.
    drop(tx);
    let right = app.passwords.verify(password.clone(), hash.as_deref()).await?;
    let reason = match &account {
        Some(account) if right && account.state == rows::State::Active => {
            if let Some(hash) = hash {
                upgrade(app, caller, account.id, (hash, password));
            }
            return profile::open(&app.vault, account.clone());
        }
        Some(_) if right => "blocked",
        Some(_) => "wrong_password",
        None => "unknown_account",
    };
    let event = id.map_or_else(|| Event::without_target(Kind::SessionFailed), |id| Event::new(Kind::SessionFailed, id));
    let tx = app.db.write(caller).await?;
    tx.commit_refused(event.failed().with("reason", reason), Error::Unauthenticated(Code::InvalidCredentials)).await
}

