//! What is left of an account when its person is erased: a row that says nothing.

use entity::{AccountId, accounts as rows};
use sea_orm::{ColumnTrait, FromQueryResult, QueryFilter, QuerySelect};
use uuid::Uuid;

use super::profile;
use crate::{
    db::{Tx, WriteTx},
    error::{Error, Result},
    guessing, mfa,
    runtime::Timestamp,
    types::Email,
    vault::Vault,
};

/// An account that is about to be erased.
pub struct Taken {
    /// Whether it has been.
    pub erased: bool,
    /// The person's address, if it can be read: what can't be is destroyed all the same.
    pub email: Option<Email>,
}

/// Takes an account: nothing is added to it and nobody signs in before the end of the transaction.
///
/// # Errors
/// `NotFound` when there is no such account.
pub async fn take(vault: &Vault, tx: &WriteTx, id: AccountId) -> Result<Taken> {
    let query = tx.find_identity::<rows::Entity>().filter(rows::Column::Id.eq(id));
    let row = tx.one(query.lock_exclusive()).await?.ok_or_else(Error::not_found)?;
    let erased = row.state == rows::State::Erased;
    let opened = profile::open(vault, row).inspect_err(|error| {
        if !erased {
            tracing::warn!(account = %id, %error, "an account can't be read; it is erased without its invitations");
        }
    });
    Ok(Taken { erased, email: opened.ok().and_then(|account| account.email.parse().ok()) })
}

const ERASE: &str = "
    UPDATE accounts SET state = 'erased', salt = NULL, email = NULL, name = NULL, last_sign_in_at = NULL, erased_at = $2,
        updated_at = $3, version = version + 1
    WHERE id = $1";
const ERASE_MATCHES: &str = "DELETE FROM account_matches WHERE account_id = $1";
const ERASE_CREDENTIALS: &str = "DELETE FROM password_credentials WHERE account_id = $1";
const ERASE_HISTORY: &str = "DELETE FROM password_history WHERE account_id = $1";
const ERASE_RESETS: &str = "DELETE FROM password_resets WHERE account_id = $1";
const ERASE_DEVICES: &str = "DELETE FROM known_devices WHERE account_id = $1";
const ERASE_ATTEMPTS: &str = "DELETE FROM reauthentication_attempts WHERE account_id = $1";
const ERASE_LINKS: &str = "DELETE FROM email_links WHERE account_id = $1";

/// Destroys what an account says of its person, the salt first of all, what they are found by, and what they sign in
/// with.
///
/// # Errors
/// When the database fails.
pub async fn erase(tx: &WriteTx, id: AccountId, erased_at: Timestamp) -> Result<()> {
    tx.execute(ERASE, [id.into(), erased_at.into(), tx.caller().now().into()]).await?;
    let all =
        [ERASE_MATCHES, ERASE_CREDENTIALS, ERASE_HISTORY, ERASE_RESETS, ERASE_DEVICES, ERASE_ATTEMPTS, ERASE_LINKS];
    for sql in all {
        tx.execute(sql, [id.into()]).await?;
    }
    mfa::erase(tx, id).await?;
    guessing::forget(tx, id).await
}

#[derive(FromQueryResult)]
struct Readable {
    id: AccountId,
}

const READABLE: &str = "
    SELECT a.id FROM accounts a WHERE a.id = ANY ($1)
        AND (a.state <> 'erased' OR a.salt IS NOT NULL
             OR EXISTS (SELECT FROM account_matches m WHERE m.account_id = a.id))
    ORDER BY a.id";

/// Those of some people who can be read, or found.
///
/// # Errors
/// When the database fails.
pub async fn readable(tx: &Tx, ids: &[AccountId]) -> Result<Vec<AccountId>> {
    let ids: Vec<Uuid> = ids.iter().map(|id| Uuid::from(*id)).collect();
    let found: Vec<Readable> = tx.query(READABLE, [ids.into()]).await?;
    Ok(found.into_iter().map(|found| found.id).collect())
}
