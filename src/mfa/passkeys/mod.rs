//! Passkeys: keys that an authenticator holds for one site, and uses for whoever it has verified by a finger or a PIN
//! (WebAuthn). One is two factors at once, and signs in by itself. What of a passkey is stored is public, but for its name.

mod ceremonies;
mod relying_party;

use chrono::TimeDelta;
use entity::{AccountId, PasskeyId, Pii, passkeys as rows};
use sea_orm::{ColumnTrait, FromQueryResult, QueryFilter};
use uuid::Uuid;

pub(super) use ceremonies::{CLEAN_UP, FORGET as FORGET_CEREMONIES};
pub use ceremonies::{Purpose, begin, take};
pub use relying_party::{Asked, Assertion, Made, RelyingParty};
use relying_party::{Verdict, is_synced};

use crate::{
    db::{Tx, WriteTx},
    error::Result,
    runtime::{Ids, Timestamp},
    types::{Page, PageRequest},
    vault::{Field, Vault},
};

/// How long a ceremony may take.
pub const LASTS: TimeDelta = TimeDelta::minutes(5);
/// How many passkeys somebody has at most.
pub const MOST: usize = 20;
/// The longest name of one in characters.
pub const LONGEST_NAME: usize = 64;
/// How a session is that began with a passkey alone: its key was used, its person was there and verified (RFC 8176, 2).
/// What kind of hardware holds the key is not known, because it is not asked to attest that.
pub const ALONE: &[&str] = &["pop", "user", "mfa"];

const NAME: Field<Pii> = Field::new("passkeys.name");

/// A passkey, in clear.
#[derive(Clone)]
pub struct OwnPasskey {
    /// Its id.
    pub id: PasskeyId,
    /// What its person calls it.
    pub name: String,
    /// Whether it is kept in more places than one.
    pub synced: bool,
    /// Since when there is one.
    pub created_at: Timestamp,
    /// When it was last used.
    pub last_used_at: Option<Timestamp>,
}

/// What came of an assertion.
pub enum Outcome {
    /// It is this account's.
    Right(AccountId),
    /// It is of no passkey that it could be of here, or was not signed by it; whose passkey it says it is of.
    Wrong(Option<AccountId>),
    /// It is of a passkey of this account of which there are two.
    Cloned(AccountId, PasskeyId),
}

fn opened(vault: &Vault, row: &rows::Model) -> Result<OwnPasskey> {
    Ok(OwnPasskey {
        id: row.id,
        name: vault.open_text(NAME, row.id, &row.name)?,
        synced: is_synced(&row.credential)?,
        created_at: row.created_at,
        last_used_at: row.last_used_at,
    })
}

/// An account's passkeys, newest first.
///
/// # Errors
/// When the database fails.
pub async fn list(tx: &Tx, vault: &Vault, account: AccountId, page: PageRequest) -> Result<Page<OwnPasskey>> {
    let query = tx.find_identity::<rows::Entity>().filter(rows::Column::AccountId.eq(account));
    let page = tx.page(query, rows::Column::Id, |row| row.id.into(), page).await?;
    let items = page.items.iter().map(|row| opened(vault, row)).collect::<Result<_>>()?;
    Ok(Page { items, next: page.next })
}

async fn known(tx: &Tx, account: AccountId) -> Result<Vec<Vec<u8>>> {
    let query = tx.find_identity::<rows::Entity>().filter(rows::Column::AccountId.eq(account));
    Ok(tx.all(query).await?.into_iter().map(|row| row.credential_id).collect())
}

/// How many an account has.
///
/// # Errors
/// When the database fails.
pub async fn count(tx: &Tx, account: AccountId) -> Result<usize> {
    Ok(known(tx, account).await?.len())
}

/// Asks for a new passkey of an account.
///
/// # Errors
/// `Conflict` with `passkeys_unavailable`.
pub async fn register(tx: &Tx, party: &RelyingParty, account: AccountId, (email, name): (&str, &str)) -> Result<Asked> {
    party.register(account, email, name, known(tx, account).await?)
}

/// Asks for a signature of one of an account's passkeys; `None` when it has none.
///
/// # Errors
/// `Conflict` with `passkeys_unavailable`.
pub async fn ask(tx: &Tx, party: &RelyingParty, account: AccountId) -> Result<Option<Asked>> {
    let known = known(tx, account).await?;
    if known.is_empty() { Ok(None) } else { party.ask(&known).map(Some) }
}

/// Asks for a signature of whichever passkey of ours somebody has.
///
/// # Errors
/// `Conflict` with `passkeys_unavailable`.
pub fn ask_anybody(party: &RelyingParty) -> Result<Asked> {
    party.ask(&[])
}

/// Gives an account the passkey that an authenticator made for it, by what was kept of the question. `None` when it was
/// not made for that.
///
/// # Errors
/// `Conflict` with `passkey_known` when somebody has it already.
pub async fn add(
    tx: &WriteTx,
    vault: &Vault,
    (party, state): (&RelyingParty, &str),
    (account, name): (AccountId, &str),
    made: &Made,
) -> Result<Option<OwnPasskey>> {
    let Some((credential_id, credential)) = party.registered(made, state)? else { return Ok(None) };
    let id: PasskeyId = Ids.next();
    let name = vault.seal(NAME, id, name.as_bytes())?;
    let created_at = tx.caller().now();
    let row = rows::Model { id, account_id: account, name, credential_id, credential, created_at, last_used_at: None };
    let passkey = opened(vault, &row)?;
    tx.append(vec![rows::ActiveModel::from(row)]).await?;
    Ok(Some(passkey))
}

const RENAME: &str = "UPDATE passkeys SET name = $3 WHERE id = $1 AND account_id = $2";

/// Calls a passkey something else. Returns whether the account has it.
///
/// # Errors
/// When the database fails.
pub async fn rename(tx: &WriteTx, vault: &Vault, (account, id): (AccountId, PasskeyId), name: &str) -> Result<bool> {
    let name = vault.seal(NAME, id, name.as_bytes())?;
    Ok(tx.execute(RENAME, [Uuid::from(id).into(), Uuid::from(account).into(), name.into()]).await? > 0)
}

/// One of an account's passkeys.
///
/// # Errors
/// `NotFound`.
pub async fn get(tx: &Tx, vault: &Vault, account: AccountId, id: PasskeyId) -> Result<OwnPasskey> {
    let query = tx.find_identity::<rows::Entity>().filter(rows::Column::AccountId.eq(account));
    let row = tx.one(query.filter(rows::Column::Id.eq(id))).await?;
    opened(vault, &row.ok_or_else(crate::error::Error::not_found)?)
}

const REMOVE: &str = "DELETE FROM passkeys WHERE id = $1 AND account_id = $2";
pub(super) const REMOVE_ALL: &str = "DELETE FROM passkeys WHERE account_id = $1";

/// Takes a passkey from an account. Returns whether it had it.
///
/// # Errors
/// When the database fails.
pub async fn remove(tx: &WriteTx, account: AccountId, id: PasskeyId) -> Result<bool> {
    Ok(tx.execute(REMOVE, [Uuid::from(id).into(), Uuid::from(account).into()]).await? > 0)
}

#[derive(FromQueryResult)]
struct Kept {
    id: PasskeyId,
    account_id: AccountId,
    credential: String,
}

/// Whoever shows the same passkey at the same moment waits, and finds its counter as it is then.
const FIND: &str = "SELECT id, account_id, credential FROM passkeys WHERE credential_id = $1 FOR UPDATE";
const USED: &str = "UPDATE passkeys SET credential = $2, last_used_at = $3 WHERE id = $1";

/// Holds an assertion against what was kept of the question, and against the passkey that it says it is of: one of
/// `whose`, or of whomever the authenticator names.
///
/// # Errors
/// When the database fails.
pub async fn prove(
    tx: &WriteTx,
    (party, state): (&RelyingParty, &str),
    assertion: &Assertion,
    whose: Option<AccountId>,
) -> Result<Outcome> {
    let found: Vec<Kept> = tx.query(FIND, [assertion.credential_id().to_vec().into()]).await?;
    let kept = found.into_iter().next();
    let owner = kept.as_ref().map(|kept| kept.account_id);
    let named = match assertion.person() {
        Some(person) => person,
        None => whose,
    };
    // It has to be of the person who is asked, and the authenticator must not name another.
    let kept = kept.filter(|kept| named == Some(kept.account_id) && whose.is_none_or(|id| id == kept.account_id));
    let verdict = party.verify(assertion, state, kept.as_ref().map(|kept| kept.credential.as_str()))?;
    match (kept, verdict) {
        (Some(kept), Verdict::Right(credential)) => {
            let values = [Uuid::from(kept.id).into(), credential.into(), tx.caller().now().into()];
            tx.execute(USED, values).await?;
            Ok(Outcome::Right(kept.account_id))
        }
        (Some(kept), Verdict::Cloned) => Ok(Outcome::Cloned(kept.account_id, kept.id)),
        (_, _) => Ok(Outcome::Wrong(owner)),
    }
}
