//! A person's password as it is kept: changing it, not having it again, hashing it anew.

use entity::AccountId;
use sea_orm::FromQueryResult;
use uuid::Uuid;

use super::{Account, Rules, admin::locked, devices, reauthentication::password_again};
use crate::{
    app::App,
    audit::{Event, Kind},
    config::SecretString,
    db::{Tx, Unrecorded, WriteTx},
    error::{Code, Error, Result},
    mail::Letter,
    mfa,
    runtime::Timestamp,
    sessions,
    types::{Caller, Email},
};

/// The page where people ask for a new password.
const RESET_PAGE: &str = "/forgot-password";

/// A hash of a person's, the present one first and then back in time.
const HASHES: &str = "
    SELECT hash FROM (
        SELECT hash, 0 AS age, account_id AS id FROM password_credentials WHERE account_id = $1
        UNION ALL SELECT hash, 1, id FROM password_history WHERE account_id = $1
    ) hashes ORDER BY age, id DESC LIMIT $2";
const REMEMBER: &str = "
    INSERT INTO password_history (id, account_id, hash, replaced_at)
    SELECT $2, account_id, hash, $3 FROM password_credentials WHERE account_id = $1 AND hash = $4";
const REPLACE: &str = "UPDATE password_credentials SET hash = $2, updated_at = $3 WHERE account_id = $1 AND hash = $4";
const FORGET: &str = "
    DELETE FROM password_history WHERE account_id = $1 AND id NOT IN (
        SELECT id FROM password_history WHERE account_id = $1 ORDER BY id DESC LIMIT $2)";
/// A link that was sent for the password that was.
pub(super) const VOID: &str = "UPDATE password_resets SET used_at = $2 WHERE account_id = $1 AND used_at IS NULL";
const SINCE: &str = "SELECT updated_at FROM password_credentials WHERE account_id = $1";
const UPGRADE: &str = "UPDATE password_credentials SET hash = $2 WHERE account_id = $1 AND hash = $3";

#[derive(FromQueryResult)]
pub(super) struct Hash {
    hash: String,
}

#[derive(FromQueryResult)]
struct Since {
    updated_at: Timestamp,
}

/// Since when an account has its password; `None` when it has none.
///
/// # Errors
/// When the database fails.
pub async fn password_since(tx: &Tx, account: AccountId) -> Result<Option<Timestamp>> {
    let rows: Vec<Since> = tx.query(SINCE, [Uuid::from(account).into()]).await?;
    Ok(rows.first().map(|row| row.updated_at))
}

/// Puts a new password in the place of the caller's own, which they give as proof that they are who the session says.
/// Their other sessions end.
///
/// # Errors
/// `Invalid` at `/password` for one that is not good enough, or that they had before; `Forbidden` with
/// `wrong_password`, and `Throttled` after too many wrong ones, as for any proof; `Reauthenticate` for a person with a
/// second factor who has not proven it lately; `Conflict` when it was changed
/// meanwhile.
pub async fn change_password(
    app: &App,
    caller: &Caller,
    (current, new): (SecretString, SecretString),
    rules: &Rules,
) -> Result<()> {
    let (id, session) = caller.account().zip(caller.session()).ok_or(Error::Unauthenticated(Code::Unauthenticated))?;
    let account = super::get(&app.vault, &app.db.read(caller).await?, id).await?;
    app.passwords.check(new.expose(), &address(&account)?, &account.name, rules).await?;
    // What is replaced is what the person was held against, or one from before: of two changes at once one counts.
    let present = hashes(app, caller, id, rules).await?;
    // Whoever has only the session must not learn by what is refused as reused which passwords there were.
    password_again(app, caller, current).await?;
    let replacement = Replacement::prepare(app, id, present, (new, rules)).await?;
    let tx = app.db.write(caller).await?;
    replacement.put(&tx, app).await?;
    let ended = sessions::end_others_of(&tx, id, session, "password_changed").await?;
    tell_owner(&tx, app, &account).await?;
    tx.commit(Event::new(Kind::PasswordChanged, id).with("sessions", ended)).await?;
    app.sessions.forget(id);
    Ok(())
}

/// The present password and those before it, as far as the rules remember.
pub(super) async fn hashes(app: &App, caller: &Caller, account: AccountId, rules: &Rules) -> Result<Vec<Hash>> {
    let values = [Uuid::from(account).into(), i64::from(rules.history.max(1)).into()];
    app.db.read(caller).await?.query(HASHES, values).await
}

/// A new password that may take the place of the present one.
pub(super) struct Replacement {
    account: AccountId,
    present: String,
    hash: String,
    /// How many of those before are kept.
    kept: u32,
}

impl Replacement {
    /// Holds a password that is good enough otherwise against those that the person had, and hashes it. No connection is
    /// held meanwhile.
    ///
    /// # Errors
    /// `Invalid` at `/password` with `reused`; `NotFound` for an account without a password.
    pub(super) async fn prepare(
        app: &App,
        account: AccountId,
        hashes: Vec<Hash>,
        (password, rules): (SecretString, &Rules),
    ) -> Result<Self> {
        let hashes: Vec<_> = hashes.into_iter().map(|Hash { hash }| hash).collect();
        let present = hashes.first().ok_or_else(Error::not_found)?.clone();
        if app.passwords.is_of_any(password.clone(), hashes).await? {
            let detail = match rules.history {
                0 | 1 => "must not be the present password".to_owned(),
                count => format!("must not be one of the last {count} passwords"),
            };
            return Err(Error::field("/password", "reused", detail));
        }
        let hash = app.passwords.hash(password).await?;
        Ok(Self { account, present, hash, kept: rules.history.saturating_sub(1) })
    }

    /// Puts it in place, unless another was put there meanwhile. A link that was sent to choose one is void then, and no
    /// device is known or trusted any more.
    ///
    /// # Errors
    /// `Conflict`.
    pub(super) async fn put(self, tx: &WriteTx, app: &App) -> Result<()> {
        // In the order of whoever resets it: the account first, which counts that its password is another.
        locked(tx, self.account).await?;
        let (id, now) = (Uuid::from(self.account), tx.caller().now());
        let history: Uuid = app.ids.next();
        tx.execute(REMEMBER, [id.into(), history.into(), now.into(), self.present.clone().into()]).await?;
        let values = [id.into(), self.hash.into(), now.into(), self.present.into()];
        if tx.execute(REPLACE, values).await? == 0 {
            return Err(Error::Conflict(Code::Conflict));
        }
        tx.execute(FORGET, [id.into(), i64::from(self.kept).into()]).await?;
        tx.execute(VOID, [id.into(), now.into()]).await?;
        devices::forget_all_of(tx, self.account).await?;
        mfa::challenges::forget_all_of(tx, self.account).await?;
        mfa::trusted::revoke_all(tx, self.account).await?;
        // After the challenges: a recovery that is being asked for with one of them is there by now.
        mfa::recovery::end_all_of(tx, self.account).await?;
        Ok(())
    }
}

/// Tells a person that their password is another now.
pub(super) async fn tell_owner(tx: &WriteTx, app: &App, account: &Account) -> Result<()> {
    let letter = Letter::PasswordChanged {
        name: account.name.clone(),
        changed_at: tx.caller().now(),
        reset_page: reset_page(app),
    };
    app.mail.queue(tx, &address(account)?, &letter).await?;
    Ok(())
}

/// Where people ask for a new password.
pub(super) fn reset_page(app: &App) -> String {
    format!("{}{RESET_PAGE}", app.public_url)
}

pub(super) fn address(account: &Account) -> Result<Email> {
    account.email.parse().map_err(|_| Error::internal(format!("the address of {} is none", account.id)))
}

/// Hashes a password that has just been found right anew, if its hash was made in another way than new ones are
/// (AUT-1). It happens after the answer, which does not wait, and is left to the next sign-in when it fails.
pub(super) fn upgrade(app: &App, caller: &Caller, account: AccountId, (hash, password): (String, SecretString)) {
    if !app.passwords.is_outdated(&hash) {
        return;
    }
    let (app, caller) = (app.clone(), caller.clone());
    tokio::spawn(async move {
        if let Err(error) = try_upgrade(&app, &caller, account, (hash, password)).await {
            tracing::warn!(%account, %error, "a password could not be hashed anew; its next use tries again");
        }
    });
}

async fn try_upgrade(
    app: &App,
    caller: &Caller,
    account: AccountId,
    (old, password): (String, SecretString),
) -> Result<()> {
    let new = app.passwords.hash(password).await?;
    let tx = app.db.write(caller).await?;
    if tx.execute(UPGRADE, [Uuid::from(account).into(), new.into(), old.into()]).await? == 0 {
        return tx.commit(Unrecorded("the password was changed meanwhile")).await;
    }
    tx.commit(Event::new(Kind::PasswordUpgraded, account)).await
}
