//! Many accounts at once: made by an import, read by an export. A few statements, however many people they are about.

use std::collections::HashMap;

use entity::{AccountId, accounts as rows, password_credentials};
use sea_orm::{ColumnTrait, FromQueryResult, QueryFilter, QueryOrder, QuerySelect};

use super::{
    Account,
    profile::{self, EMAIL, NAME, Values},
};
use crate::{
    app::App,
    audit::{Event, Kind},
    db::{Tx, WriteTx},
    error::Result,
    types::Email,
    vault::Vault,
};

/// A person who gets an account by an import.
pub struct NewPerson {
    /// The address they sign in with.
    pub email: Email,
    /// How they are called.
    pub name: String,
    /// The hash of their password. Without one they can't sign in with a password until they have set one.
    pub password_hash: Option<String>,
    /// Whether they may sign in.
    pub state: rows::State,
}

#[derive(FromQueryResult)]
struct Found {
    value: Vec<u8>,
    account_id: AccountId,
}

/// Which of these addresses have an account, and which.
///
/// # Errors
/// When the database fails.
pub async fn with_addresses<'a>(
    vault: &Vault,
    tx: &Tx,
    emails: impl IntoIterator<Item = &'a Email>,
) -> Result<HashMap<Email, AccountId>> {
    let mut values = HashMap::new();
    for email in emails {
        for value in profile::addresses(vault, email.as_str())? {
            values.insert(value, email);
        }
    }
    if values.is_empty() {
        return Ok(HashMap::new());
    }
    let sql = "SELECT value, account_id FROM account_matches WHERE field = 'email' AND value = ANY ($1)";
    let wanted: Vec<Vec<u8>> = values.keys().cloned().collect();
    let found: Vec<Found> = tx.query(sql, [wanted.into()]).await?;
    Ok(found.into_iter().filter_map(|found| Some(((*values.get(&found.value)?).clone(), found.account_id))).collect())
}

/// Makes accounts, in the transaction of the reason for it, each with its entry in the record. The answers are in the
/// order of the people.
///
/// # Errors
/// `Conflict` when one of the addresses has an account already; nobody gets one then.
pub async fn create_all(tx: &WriteTx, app: &App, people: Vec<NewPerson>) -> Result<Vec<AccountId>> {
    let now = tx.caller().now();
    let (mut ids, mut accounts, mut credentials) = (Vec::new(), Vec::new(), Vec::new());
    let mut values = Values::default();
    for person in people {
        let (id, salt) = (app.ids.next::<AccountId>(), app.vault.salt()?);
        values.add(&app.vault, id, Some(person.email.as_str()), [person.email.as_str(), &person.name])?;
        accounts.push(rows::ActiveModel::from(rows::Model {
            id,
            email: Some(app.vault.seal_for(&salt, EMAIL, id, person.email.as_str().as_bytes())?),
            name: Some(app.vault.seal_for(&salt, NAME, id, person.name.as_bytes())?),
            salt: Some(salt),
            state: person.state,
            version: 1,
            created_at: now,
            updated_at: now,
            last_sign_in_at: None,
            managed_by: None,
            blocked_by: None,
            erased_at: None,
            // Whoever imports says so; the person has not proven it.
            email_verified_at: None,
        }));
        if let Some(hash) = person.password_hash {
            let credential = password_credentials::Model { account_id: id, hash, updated_at: now };
            credentials.push(password_credentials::ActiveModel::from(credential));
        }
        ids.push(id);
    }
    tx.append(accounts).await?;
    profile::keep_all(tx, values).await?;
    tx.append(credentials).await?;
    tx.note(ids.iter().map(|id| Event::new(Kind::AccountCreated, *id)).collect::<Vec<_>>()).await?;
    Ok(ids)
}

/// How many accounts there are up to one.
///
/// # Errors
/// When the database fails.
pub async fn count(tx: &Tx, before: AccountId) -> Result<u64> {
    tx.count(
        tx.find_identity::<rows::Entity>().filter(rows::Column::Id.lt(before)).filter(rows::Column::Salt.is_not_null()),
    )
    .await
}

/// Some accounts in the order of their ids, those after one and before another. Who was erased is not among them.
///
/// # Errors
/// When the database fails.
pub async fn kept_after(
    vault: &Vault,
    tx: &Tx,
    (after, before): (Option<AccountId>, AccountId),
    most: u64,
) -> Result<Vec<Account>> {
    let mut query = tx.find_identity::<rows::Entity>().filter(rows::Column::Id.lt(before));
    if let Some(after) = after {
        query = query.filter(rows::Column::Id.gt(after));
    }
    let query = query.filter(rows::Column::Salt.is_not_null()).order_by_asc(rows::Column::Id).limit(most);
    tx.all(query).await?.into_iter().map(|row| profile::open(vault, row)).collect()
}

/// The hashes of the passwords of these accounts, for the command line alone.
///
/// # Errors
/// When the database fails.
pub async fn hashes(tx: &Tx, ids: impl IntoIterator<Item = AccountId>) -> Result<HashMap<AccountId, String>> {
    let query = tx.find_identity::<password_credentials::Entity>();
    let rows = tx.all(query.filter(password_credentials::Column::AccountId.is_in(ids))).await?;
    Ok(rows.into_iter().map(|row| (row.account_id, row.hash)).collect())
}
