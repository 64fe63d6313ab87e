//! A person's address: proving that it is theirs, and changing it (AUT-5).
//!
//! A link proves an address only to the account that asked for it, in one of its own sessions: whoever is sent a
//! stranger's link, and opens it, gives the stranger nothing. A change is told to the present address at once and again
//! when it is done. Whether the new address is somebody else's already is told to that somebody alone.

use chrono::TimeDelta;
use entity::{
    AccountId, Pii, accounts as rows,
    email_links::{self as links, Purpose},
};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, ExprTrait},
};

use super::{Account, EMAIL, credentials, profile, recovery_address};
use crate::{
    app::App,
    audit::{Event, Kind},
    config::SecretString,
    db::{Tx, WriteTx},
    error::{Code, Error, Result},
    jobs::Run,
    mail::Letter,
    mfa::email_codes,
    runtime::Timestamp,
    sessions::{hash, opaque},
    types::{Caller, Email},
    vault::Field,
};

pub(super) const LINK_EMAIL: Field<Pii> = Field::new("email_links.email");

/// The prefix of the links' tokens, for people and secret scanners.
const PREFIX: &str = "fhe_";
/// How long a link works: long enough for somebody who reads mail once a day.
const LIFETIME: TimeDelta = TimeDelta::hours(24);
/// The most links for one purpose that an account is sent in an [`HOUR`]: more would bury a stranger's mailbox.
const MOST: usize = 5;
const HOUR: TimeDelta = TimeDelta::hours(1);

/// How it is with a person's address.
#[derive(Clone)]
pub struct EmailState {
    /// The address.
    pub email: String,
    /// When the person proved that it is theirs.
    pub verified_at: Option<Timestamp>,
    /// The address that is to take its place.
    pub pending: Option<PendingEmail>,
}

/// An address that waits for its proof.
#[derive(Clone)]
pub struct PendingEmail {
    /// The address.
    pub email: String,
    /// When it was asked for.
    pub requested_at: Timestamp,
    /// Until when its link works.
    pub expires_at: Timestamp,
}

/// How it is with the caller's address.
///
/// # Errors
/// `Unauthenticated` when nobody is signed in.
pub async fn state(app: &App, caller: &Caller) -> Result<EmailState> {
    let tx = app.db.read(caller).await?;
    let account = super::get(&app.vault, &tx, own(caller)?).await?;
    state_in(app, &tx, account).await
}

pub(super) async fn state_in(app: &App, tx: &Tx, account: Account) -> Result<EmailState> {
    let now = tx.caller().now();
    let open = open_links(tx, account.id, Purpose::Change).filter(links::Column::ExpiresAt.gt(now));
    let pending = tx.one(open).await?.map(|link| {
        Ok::<_, Error>(PendingEmail {
            email: app.vault.open_text(LINK_EMAIL, link.id, &link.email)?,
            requested_at: link.created_at,
            expires_at: link.expires_at,
        })
    });
    let pending = pending.transpose()?;
    Ok(EmailState { email: account.email, verified_at: account.email_verified_at, pending })
}

/// Sends the caller a link that proves their present address.
///
/// # Errors
/// `Conflict` with `email_verified` when that has been done; `Throttled` after too many letters.
pub async fn prove(app: &App, caller: &Caller) -> Result<()> {
    let tx = app.db.write(caller).await?;
    let account = profile::open(&app.vault, locked(&tx).await?)?;
    if account.email_verified_at.is_some() {
        return Err(Error::Conflict(Code::EmailVerified));
    }
    let email: Email = account.email.parse().map_err(Error::internal)?;
    let token = add_link(app, &tx, account.id, (Purpose::Verification, &email)).await?;
    let letter = Letter::VerifyEmail { link: link(app, "verify-email", &token), expires_at: caller.now() + LIFETIME };
    app.mail.queue(&tx, &email, &letter).await?;
    tx.commit(Event::new(Kind::EmailVerificationSent, account.id)).await
}

/// Proves the caller's present address with the token of a link that was sent there.
///
/// # Errors
/// `NotFound` with `email_link_not_valid`.
pub async fn verify(app: &App, caller: &Caller, token: &SecretString) -> Result<EmailState> {
    let tx = app.db.write(caller).await?;
    let row = locked(&tx).await?;
    let email = take_link(app, &tx, Purpose::Verification, token).await?;
    let account = profile::open(&app.vault, row.clone())?;
    if account.email != email.as_str() {
        return Err(not_valid());
    }
    let (id, version) = (row.id, row.version + 1);
    let mut row = row.into_active_model();
    row.email_verified_at = Set(Some(caller.now()));
    row.version = Set(version);
    row.updated_at = Set(caller.now());
    let account = profile::open(&app.vault, tx.update(row).await?)?;
    let state = state_in(app, &tx, account).await?;
    tx.commit(Event::new(Kind::EmailVerified, id)).await?;
    app.sessions.forget_profile(id);
    Ok(state)
}

/// Asks for another address: a link goes there, and word of it to the present one. Another that was asked for before
/// is forgotten.
///
/// # Errors
/// `Invalid` when it is the present one, or the recovery address; `Throttled` after too many letters.
pub async fn change(app: &App, caller: &Caller, email: &Email) -> Result<EmailState> {
    let tx = app.db.write(caller).await?;
    let account = profile::open(&app.vault, locked(&tx).await?)?;
    if account.email == email.as_str() {
        return Err(Error::field("/email", "same", "is your address already"));
    }
    if recovery_address::is_own(app, &tx, account.id, email).await? {
        return Err(Error::field("/email", "recovery_address", "is your recovery address; remove it there first"));
    }
    let token = add_link(app, &tx, account.id, (Purpose::Change, email)).await?;
    let present: Email = account.email.parse().map_err(Error::internal)?;
    let told = Letter::EmailChangeRequested { email: email.to_string(), account: link_to(app, "account") };
    app.mail.queue(&tx, &present, &told).await?;
    // Whoever asks sees no difference; whose address it is does.
    let taken = profile::is_known(&app.vault, &tx, email).await?;
    let letter = if taken {
        Letter::EmailInUse { sign_in: link_to(app, "sign-in") }
    } else {
        Letter::ConfirmEmail { link: link(app, "change-email", &token), expires_at: caller.now() + LIFETIME }
    };
    app.mail.queue(&tx, email, &letter).await?;
    let id = account.id;
    let state = state_in(app, &tx, account).await?;
    tx.commit(Event::new(Kind::EmailChangeRequested, id)).await?;
    Ok(state)
}

/// Gives the caller the address that they asked for, with the token of the link that was sent there. The one before is
/// told.
///
/// # Errors
/// `NotFound` with `email_link_not_valid`; `Conflict` with `email_taken` when it has become somebody else's meanwhile.
pub async fn complete(app: &App, caller: &Caller, token: &SecretString) -> Result<EmailState> {
    let tx = app.db.write(caller).await?;
    let row = locked(&tx).await?;
    let email = take_link(app, &tx, Purpose::Change, token).await?;
    if profile::is_known(&app.vault, &tx, &email).await? {
        return Err(Error::Conflict(Code::EmailTaken));
    }
    let before = profile::open(&app.vault, row.clone())?;
    let (id, now) = (row.id, caller.now());
    let salt = row.salt.as_ref().ok_or_else(Error::not_found)?;
    let sealed = app.vault.seal_for(salt, EMAIL, id, email.as_str().as_bytes())?;
    let mut row = row.into_active_model();
    row.email = Set(Some(sealed));
    row.email_verified_at = Set(Some(now));
    row.version = Set(before.version + 1);
    row.updated_at = Set(now);
    let row = tx.update(row).await?;
    profile::change_address(&tx, &app.vault, id, &email, &before.name).await?;
    // A link to the address before proves nothing any more, nor does one to a new password, or a code.
    close(&tx, id, Purpose::Verification).await?;
    tx.execute(credentials::VOID, [id.into(), now.into()]).await?;
    email_codes::forget(&tx, id).await?;
    if recovery_address::is_own(app, &tx, id, &email).await? {
        recovery_address::drop_of(&tx, id).await?;
    }
    let told = Letter::EmailChanged { email: email.to_string() };
    app.mail.queue(&tx, &before.email.parse().map_err(Error::internal)?, &told).await?;
    let state = state_in(app, &tx, profile::open(&app.vault, row)?).await?;
    tx.commit(Event::new(Kind::EmailChanged, id)).await?;
    app.sessions.forget_profile(id);
    Ok(state)
}

/// Forgets the address that the caller has asked for.
///
/// # Errors
/// `NotFound` when there is none.
pub async fn cancel(app: &App, caller: &Caller) -> Result<()> {
    let tx = app.db.write(caller).await?;
    let id = locked(&tx).await?.id;
    if close(&tx, id, Purpose::Change).await? == 0 {
        return Err(Error::not_found());
    }
    tx.commit(Event::new(Kind::EmailChangeCancelled, id)).await
}

/// Notes that a person has just proven their address by a link that they followed, in the transaction that found so.
///
/// # Errors
/// When the database fails.
pub async fn proven(tx: &WriteTx, account: &Account) -> Result<()> {
    let now = tx.caller().now();
    let proven = tx
        .change_identity::<rows::Entity>()
        .col_expr(rows::Column::EmailVerifiedAt, Expr::value(now))
        .col_expr(rows::Column::Version, Expr::col(rows::Column::Version).add(1))
        .filter(rows::Column::Id.eq(account.id))
        .filter(rows::Column::EmailVerifiedAt.is_null());
    tx.apply(proven).await?;
    Ok(())
}

/// Removes links that stopped working a day ago; until then they count towards the limit.
///
/// # Errors
/// When the database fails.
pub async fn clean_up(run: &Run) -> Result<u64> {
    let old = "DELETE FROM email_links WHERE id IN (
             SELECT id FROM email_links WHERE expires_at < $1 ORDER BY expires_at LIMIT 1000)";
    run.repeat(old, &[run.caller().now().into()]).await
}

pub(super) fn own(caller: &Caller) -> Result<AccountId> {
    caller.account().ok_or(Error::Unauthenticated(Code::Unauthenticated))
}

/// The caller's own account, as it stays until the transaction ends: what happens to an address happens one after the
/// other, and a rotation of keys waits.
async fn locked(tx: &WriteTx) -> Result<rows::Model> {
    let query = tx.find_identity::<rows::Entity>().filter(rows::Column::Id.eq(own(tx.caller())?));
    tx.one(query.lock_exclusive()).await?.ok_or_else(Error::not_found)
}

fn open_links(tx: &Tx, account: AccountId, purpose: Purpose) -> sea_orm::Select<links::Entity> {
    tx.find_identity::<links::Entity>()
        .filter(links::Column::AccountId.eq(account))
        .filter(links::Column::Purpose.eq(purpose))
        .filter(links::Column::ClosedAt.is_null())
}

/// Makes a link in the place of the one before.
async fn add_link(
    app: &App,
    tx: &WriteTx,
    account: AccountId,
    (purpose, email): (Purpose, &Email),
) -> Result<SecretString> {
    let now = tx.caller().now();
    let recent = tx
        .find_identity::<links::Entity>()
        .filter(links::Column::AccountId.eq(account))
        .filter(links::Column::Purpose.eq(purpose))
        .filter(links::Column::CreatedAt.gt(now - HOUR))
        .order_by_desc(links::Column::CreatedAt)
        .limit(u64::try_from(MOST).unwrap_or(u64::MAX));
    if let Some(blocking) = tx.all(recent).await?.get(MOST - 1) {
        let operation = match purpose {
            Purpose::Verification => "me_email_verification_create",
            Purpose::Change => "me_email_change_create",
        };
        app.refusals.count(tx.caller(), operation, Code::TooManyRequests);
        return Err(Error::Throttled((blocking.created_at + HOUR - now).to_std().unwrap_or_default()));
    }
    close(tx, account, purpose).await?;
    let (id, token) = (app.ids.next(), opaque(PREFIX, app.entropy)?);
    let row = links::Model {
        id,
        account_id: account,
        purpose,
        email: app.vault.seal(LINK_EMAIL, id, email.as_str().as_bytes())?,
        token_hash: hash(token.expose()),
        created_at: now,
        expires_at: now + LIFETIME,
        closed_at: None,
    };
    tx.append(vec![links::ActiveModel::from(row)]).await?;
    Ok(token)
}

/// The address that a link of the caller's own proves; the link is used up.
async fn take_link(app: &App, tx: &WriteTx, purpose: Purpose, token: &SecretString) -> Result<Email> {
    let link = open_links(tx, own(tx.caller())?, purpose)
        .filter(links::Column::TokenHash.eq(hash(token.expose())))
        .filter(links::Column::ExpiresAt.gt(tx.caller().now()));
    let link = tx.one(link).await?.ok_or_else(not_valid)?;
    close(tx, link.account_id, purpose).await?;
    app.vault.open_text(LINK_EMAIL, link.id, &link.email)?.parse().map_err(Error::internal)
}

async fn close(tx: &WriteTx, account: AccountId, purpose: Purpose) -> Result<u64> {
    let open = tx
        .change_identity::<links::Entity>()
        .col_expr(links::Column::ClosedAt, Expr::value(tx.caller().now()))
        .filter(links::Column::AccountId.eq(account))
        .filter(links::Column::Purpose.eq(purpose))
        .filter(links::Column::ClosedAt.is_null());
    tx.apply(open).await
}

fn not_valid() -> Error {
    Error::NotFound(Code::EmailLinkNotValid)
}

/// A link with a token in its fragment, which no log and no `Referer` has.
fn link(app: &App, page: &str, token: &SecretString) -> SecretString {
    SecretString::new(format!("{}/{page}#token={}", app.public_url, token.expose()))
}

fn link_to(app: &App, page: &str) -> String {
    format!("{}/{page}", app.public_url)
}
