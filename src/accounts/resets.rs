//! A new password for somebody who has forgotten theirs (AUT-5): who asks is sent a link, which works once and for
//! half an hour.
//!
//! Asking is the same for everybody: the request is counted and put into the outbox, sealed, before anything is known
//! of an account. Whose address it is, and whether they may have a link, a worker finds out after the answer. So no
//! answer, and no time that it takes, says whether there is an account. Only the newest link of a person works. Using
//! it proves the mailbox, no more: it signs nobody in, and ends every session.

mod limits;
mod worker;

use std::net::IpAddr;

use chrono::TimeDelta;
use entity::{AccountId, accounts as rows};
use sea_orm::{ColumnTrait, FromQueryResult, QueryFilter, QuerySelect};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    Account, Rules,
    credentials::{Replacement, address, hashes, tell_owner},
    profile,
};
use crate::{
    app::App,
    audit::{Event, Kind},
    config::SecretString,
    db::{Tx, Unrecorded},
    error::{Code, Error, Result},
    jobs::{Report, Run},
    runtime::Timestamp,
    sessions::{self, hash},
    types::{Caller, Email, Left},
};
pub use worker::Worker;

/// How long a link works (AUT-5).
const LIFETIME: TimeDelta = TimeDelta::minutes(30);
/// How many passwords one link can be tried with. Each that is refused as reused says what was a password before, which
/// whoever has got at the mailbox must not find out by guessing.
const MOST_TRIES: i32 = 10;
/// The prefix of the links' tokens, for people and secret scanners.
pub const PREFIX: &str = "fhp_";
/// The outbox's word for what was asked for.
const KIND: &str = "password_reset";
/// The operation, as refusals are recorded under it.
const OPERATION: &str = "password_resets_create";

/// What was asked for, as it lies in the outbox.
#[derive(Serialize, Deserialize)]
struct Wish {
    email: String,
    request_id: String,
    address: Option<IpAddr>,
    user_agent: Option<String>,
}

/// A link that can be used now.
#[derive(Clone, Debug)]
pub struct Reset {
    /// Whose it is.
    pub account: Account,
    /// Until when.
    pub expires_at: Timestamp,
}

/// Asks for a link to a new password. Returns what is left to where the call comes from.
///
/// # Errors
/// `Throttled`, whether or not there is such an account.
pub async fn request(app: &App, caller: &Caller, email: &Email) -> Result<Left> {
    let tx = app.db.write(caller).await?;
    let left = limits::count(&tx, app, email).await.inspect_err(|refusal| {
        if matches!(refusal, Error::Throttled(_)) {
            app.refusals.count(caller, OPERATION, Code::TooManyRequests);
        }
    })?;
    let wish = Wish {
        email: email.to_string(),
        request_id: caller.origin.request_id.to_string(),
        address: caller.origin.address,
        user_agent: caller.origin.user_agent.as_deref().map(str::to_owned),
    };
    let clear = zeroize::Zeroizing::new(serde_json::to_vec(&wish).map_err(Error::internal)?);
    app.mail.put_errand(&tx, KIND, &clear).await?;
    tx.commit(Unrecorded("whose password it is about is found and recorded after the answer")).await?;
    Ok(left)
}

#[derive(FromQueryResult)]
struct Found {
    account_id: AccountId,
    expires_at: Timestamp,
    used_at: Option<Timestamp>,
}

const FIND: &str = "SELECT account_id, expires_at, used_at FROM password_resets WHERE token_hash = $1";
const LOCK: &str = "SELECT account_id, expires_at, used_at FROM password_resets WHERE token_hash = $1 FOR UPDATE";

/// What a link is for.
///
/// # Errors
/// `NotFound` with `password_reset_not_valid`.
pub async fn lookup(app: &App, caller: &Caller, token: &SecretString) -> Result<Reset> {
    let tx = app.db.read(caller).await?;
    let found: Vec<Found> = tx.query(FIND, [hash(token.expose()).into()]).await?;
    let query = |id| tx.find_identity::<rows::Entity>().filter(rows::Column::Id.eq(id));
    match found.into_iter().next() {
        Some(found) => {
            let row = tx.one(query(found.account_id)).await?;
            valid(app, &tx, &found, row)
        }
        None => Err(gone()),
    }
}

/// Chooses a new password with a link.
///
/// # Errors
/// `NotFound` with `password_reset_not_valid`; `Invalid` at `/password` for one that is not good enough, or that they
/// had before: the link stays usable, ten times; `Conflict` when the password was changed meanwhile.
pub async fn complete(
    app: &App,
    caller: &Caller,
    (token, password): (SecretString, SecretString),
    rules: &Rules,
) -> Result<()> {
    // Before anything slow: a stranger without a link does not get to use the hashing pool.
    let Reset { account, .. } = lookup(app, caller, &token).await?;
    app.passwords.check(password.expose(), &address(&account)?, &account.name, rules).await?;
    count_try(app, caller, &token).await?;
    let present = hashes(app, caller, account.id, rules).await?;
    let replacement = Replacement::prepare(app, account.id, present, (password, rules)).await?;
    let tx = app.db.write(caller).await?;
    let found: Vec<Found> = tx.query(LOCK, [hash(token.expose()).into()]).await?;
    let found = found.into_iter().next().ok_or_else(gone)?;
    // Nobody is blocked between this and the end.
    let row = tx.find_identity::<rows::Entity>().filter(rows::Column::Id.eq(found.account_id)).lock_exclusive();
    let row = tx.one(row).await?;
    let Reset { account, .. } = valid(app, &tx, &found, row)?;
    replacement.put(&tx, app).await?;
    let ended = sessions::end_all_of(&tx, account.id, "password_reset").await?;
    tell_owner(&tx, app, &account).await?;
    tx.commit(Event::new(Kind::PasswordResetCompleted, account.id).with("sessions", ended)).await?;
    app.sessions.forget(account.id);
    Ok(())
}

const TRY: &str = "
    UPDATE password_resets SET tries = tries + 1 WHERE token_hash = $1 AND used_at IS NULL AND tries < $2";

/// Counts a try before its password is looked at, so that no number of calls at the same time are more.
async fn count_try(app: &App, caller: &Caller, token: &SecretString) -> Result<()> {
    let tx = app.db.write(caller).await?;
    if tx.execute(TRY, [hash(token.expose()).into(), MOST_TRIES.into()]).await? == 0 {
        return Err(gone());
    }
    tx.commit(Unrecorded("what came of an attempt is recorded when it is known")).await
}

/// A link that was found, if it can be used. The use of one that can't any more is counted.
fn valid(app: &App, tx: &Tx, found: &Found, row: Option<rows::Model>) -> Result<Reset> {
    let row = row.ok_or_else(gone)?;
    let stale = if found.used_at.is_some() {
        Some("used")
    } else if found.expires_at <= tx.caller().now() {
        Some("expired")
    } else if row.state != rows::State::Active {
        Some("blocked")
    } else {
        None
    };
    if let Some(reason) = stale {
        app.refusals.count_use(tx.caller(), Kind::PasswordResetRefused, found.account_id, reason);
        return Err(gone());
    }
    Ok(Reset { account: profile::open(&app.vault, row)?, expires_at: found.expires_at })
}

fn gone() -> Error {
    Error::NotFound(Code::PasswordResetNotValid)
}

/// Removes links and counters whose time is over.
///
/// # Errors
/// When the database fails.
pub async fn clean_up_resets(run: Run) -> Result<Report> {
    let now = run.caller().now();
    let links = "DELETE FROM password_resets WHERE account_id IN (
             SELECT account_id FROM password_resets WHERE expires_at < $1 LIMIT 1000)";
    let links = run.repeat(links, &[now.into()]).await?;
    let counters = run.repeat(limits::CLEAN_UP, &[now.into()]).await?;
    Ok(Report::from([("links", links), ("counters", counters)]))
}

/// Ends the link that an account may have.
const STORE: &str = "
    INSERT INTO password_resets (account_id, token_hash, created_at, expires_at) VALUES ($1, $2, $3, $4)
    ON CONFLICT (account_id) DO UPDATE SET token_hash = excluded.token_hash, created_at = excluded.created_at,
        expires_at = excluded.expires_at, tries = 0, used_at = NULL";

/// Stores the one link of an account.
async fn store(tx: &crate::db::WriteTx, account: AccountId, token: &SecretString, expires_at: Timestamp) -> Result<()> {
    let values = [Uuid::from(account).into(), hash(token.expose()).into(), tx.caller().now().into(), expires_at.into()];
    tx.execute(STORE, values).await?;
    Ok(())
}
