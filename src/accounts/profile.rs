//! What an account says of its person, and how it is found. All of it is sealed under a key that needs the person's
//! salt; what people are found by are match values of their address and of the words of address and name.

use std::{collections::BTreeSet, fmt};

use entity::{AccountId, DataKeyId, Match, OrganizationId, Pii, Salt, account_matches as matches, accounts as rows};
use sea_orm::{
    ColumnTrait, FromQueryResult, QueryFilter, QuerySelect, QueryTrait,
    sea_query::{Expr, ExprTrait, IntoColumnRef, SelectStatement, extension::postgres::PgFunc},
};
use uuid::Uuid;

use crate::{
    db::{Owner, Tx, WriteTx},
    error::{Error, Fault, Result},
    runtime::Timestamp,
    types::{Email, nfc},
    vault::{Batch, Field, Table, Vault},
};

pub(super) const EMAIL: Field<Pii> = Field::new("accounts.email");
pub(super) const NAME: Field<Pii> = Field::new("accounts.name");
const WORD: Field<Pii> = Field::new("accounts.word");

/// The most words of a search: each is a subquery.
const WORDS: usize = 8;

/// A person's account, in clear.
#[derive(Clone, PartialEq, Eq)]
pub struct Account {
    /// Its id.
    pub id: AccountId,
    /// The address they sign in with, in the compared form.
    pub email: String,
    /// How they are called.
    pub name: String,
    /// Whether they may sign in.
    pub state: rows::State,
    /// Grows with every change of what it says.
    pub version: i32,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// When the person last signed in.
    pub last_sign_in_at: Option<Timestamp>,
    /// When the person proved that the address is theirs.
    pub email_verified_at: Option<Timestamp>,
    /// The organisation that manages it.
    pub managed_by: Option<OrganizationId>,
    /// The organisation that blocked it; without one, the platform did.
    pub blocked_by: Option<OrganizationId>,
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account").field("id", &self.id).finish_non_exhaustive()
    }
}

/// Whoever an account is of.
#[derive(Debug)]
pub enum Person {
    /// Somebody.
    Known(Account),
    /// Somebody who has been erased: the account stays, and says nothing.
    Erased(Erased),
}

/// What is left of an account.
#[derive(Clone, Copy, Debug)]
pub struct Erased {
    /// Its id.
    pub id: AccountId,
    /// The last version.
    pub version: i32,
    /// When it was made.
    pub created_at: Timestamp,
    /// When the person was erased.
    pub erased_at: Timestamp,
}

impl Person {
    /// Somebody's account.
    pub fn known(self) -> Option<Account> {
        match self {
            Self::Known(account) => Some(account),
            Self::Erased(_) => None,
        }
    }
}

/// An account as it says what it says, if it says anything.
///
/// # Errors
/// `Internal` when it can't be opened.
pub(super) fn person(vault: &Vault, row: rows::Model) -> Result<Person> {
    match row.erased_at {
        None => open(vault, row).map(Person::Known),
        Some(erased_at) => {
            let rows::Model { id, version, created_at, .. } = row;
            Ok(Person::Erased(Erased { id, version, created_at, erased_at }))
        }
    }
}

/// An account as it says what it says.
///
/// # Errors
/// `NotFound` when the person has been erased; `Internal` when it can't be opened.
pub(super) fn open(vault: &Vault, row: rows::Model) -> Result<Account> {
    if row.state == rows::State::Erased {
        return Err(Error::not_found());
    }
    let missing = || Error::internal(format!("the account {} says nothing and has not been erased", row.id));
    let (salt, email, name) = (row.salt.as_ref(), row.email.as_ref(), row.name.as_ref());
    let ((salt, email), name) = salt.zip(email).zip(name).ok_or_else(missing)?;
    Ok(Account {
        id: row.id,
        email: vault.open_for(salt, EMAIL, row.id, email)?,
        name: vault.open_for(salt, NAME, row.id, name)?,
        state: row.state,
        version: row.version,
        created_at: row.created_at,
        updated_at: row.updated_at,
        last_sign_in_at: row.last_sign_in_at,
        email_verified_at: row.email_verified_at,
        managed_by: row.managed_by,
        blocked_by: row.blocked_by,
    })
}

/// The account with this address.
pub(super) const FIND: &str = "
    SELECT a.* FROM account_matches m JOIN accounts a ON a.id = m.account_id WHERE m.field = 'email' AND m.value = ANY ($1)
    LIMIT 1";

/// The match values of an address, under every key that is live.
pub(super) fn addresses(vault: &Vault, email: &str) -> Result<Vec<Vec<u8>>> {
    Ok(vault.matches(EMAIL, email)?.iter().map(|(_, value)| value.as_bytes().to_vec()).collect())
}

/// The account with this address, if there is one.
///
/// # Errors
/// When the database fails.
pub async fn find_by_email(vault: &Vault, tx: &Tx, email: &Email) -> Result<Option<Account>> {
    let rows: Vec<rows::Model> = tx.query(FIND, [addresses(vault, email.as_str())?.into()]).await?;
    rows.into_iter().next().map(|row| open(vault, row)).transpose()
}

/// Whether there is an account with this address. It opens nothing, so that it takes the same time either way.
///
/// # Errors
/// When the database fails.
pub async fn is_known(vault: &Vault, tx: &Tx, email: &Email) -> Result<bool> {
    let values = vault.matches(EMAIL, email.as_str())?.into_iter().map(|(_, value)| value);
    let found = tx.find_identity::<matches::Entity>().filter(matches::Column::Field.eq(matches::Field::Email));
    Ok(tx.count(found.filter(matches::Column::Value.is_in(values))).await? > 0)
}

/// A subquery of the id of the account with this address.
///
/// # Errors
/// Never in practice.
pub(super) fn with_address(vault: &Vault, tx: &Tx, email: &Email) -> Result<SelectStatement> {
    let values = vault.matches(EMAIL, email.as_str())?.into_iter().map(|(_, value)| value);
    let found = tx.find_identity::<matches::Entity>().select_only().column(matches::Column::AccountId);
    let found = found.filter(matches::Column::Field.eq(matches::Field::Email));
    Ok(found.filter(matches::Column::Value.is_in(values)).into_query())
}

/// How many accounts a word may have to be looked up by itself.
const FEW: usize = 5_000;

const WITH_EMAIL: &str = "SELECT account_id FROM account_matches WHERE field = 'email' AND value = ANY ($1) LIMIT $2";
const WITH_WORD: &str = "SELECT account_id FROM account_matches WHERE field = 'word' AND value = ANY ($1) LIMIT $2";

#[derive(FromQueryResult)]
struct Having {
    account_id: Uuid,
}

/// Whether the account with this id has the address of a text, or all its words in address and name; as a condition on
/// another table's rows.
///
/// Of an address or word that [`FEW`] have, it is their set of ids. What more have is asked about one account after the
/// other, from where the page begins, until it is full: so neither many who are called alike nor many accounts make a
/// search slow, and one among the members of an organisation never goes through everybody's accounts.
///
/// # Errors
/// `Invalid` for a text with too many words; when the database fails.
pub async fn searched(vault: &Vault, tx: &Tx, id: impl IntoColumnRef + Copy, text: &str) -> Result<Expr> {
    let (wanted, sql) = match text.parse::<Email>() {
        Ok(email) => (vec![vault.matches(EMAIL, email.as_str())?], WITH_EMAIL),
        Err(_) => {
            let words = words([text]);
            if words.len() > WORDS {
                let detail = format!("must have at most {WORDS} words, or be an e-mail address");
                return Err(Error::Invalid(vec![Fault::parameter("search", "words", detail)]));
            }
            (words.iter().map(|word| vault.matches(WORD, word)).collect::<Result<_>>()?, WITH_WORD)
        }
    };
    let (mut few, mut conditions): (Option<BTreeSet<Uuid>>, Vec<Expr>) = (None, Vec::new());
    for values in wanted {
        let values: Vec<Match<Pii>> = values.into_iter().map(|(_, value)| value).collect();
        let bytes: Vec<Vec<u8>> = values.iter().map(|value| value.as_bytes().to_vec()).collect();
        let found: Vec<Having> = tx.query(sql, [bytes.into(), (FEW as u64 + 1).into()]).await?;
        if found.len() > FEW {
            conditions.push(has(tx, id, values));
        } else {
            let found: BTreeSet<Uuid> = found.into_iter().map(|having| having.account_id).collect();
            few = Some(few.map_or_else(|| found.clone(), |few| &few & &found));
        }
    }
    let few = few.map(|few| Expr::col(id).eq(PgFunc::any(few.into_iter().collect::<Vec<_>>())));
    // Nobody has a text without words.
    Ok(few.into_iter().chain(conditions).reduce(ExprTrait::and).unwrap_or_else(|| Expr::val(false)))
}

/// Whether the account with this id has one of these match values.
fn has(tx: &Tx, id: impl IntoColumnRef, values: Vec<Match<Pii>>) -> Expr {
    let one = tx.find_identity::<matches::Entity>().select_only().expr(Expr::value(1));
    let one = one.filter(Expr::col((matches::Entity, matches::Column::AccountId)).equals(id));
    Expr::exists(one.filter(matches::Column::Value.is_in(values)).into_query())
}

/// The words of texts as they are compared: NFC, lower case, of letters and digits.
fn words<'a>(texts: impl IntoIterator<Item = &'a str>) -> BTreeSet<String> {
    let texts = texts.into_iter().map(|text| nfc(text).to_lowercase());
    let words = texts.flat_map(|text| {
        text.split(|c: char| !c.is_alphanumeric())
            .filter(|word| !word.is_empty())
            .map(str::to_owned)
            .collect::<Vec<_>>()
    });
    words.collect()
}

/// Match values, column by column: one statement, whatever their number.
#[derive(Default)]
pub(super) struct Values {
    accounts: Vec<Uuid>,
    values: Vec<Vec<u8>>,
    fields: Vec<String>,
    keys: Vec<Uuid>,
}

impl Values {
    /// The values of an address, if it is given, and of the words of texts.
    pub(super) fn add(&mut self, vault: &Vault, id: AccountId, email: Option<&str>, texts: [&str; 2]) -> Result<()> {
        let mut add = |field: &str, made: Vec<(DataKeyId, Match<Pii>)>| {
            for (key, value) in made {
                self.accounts.push(id.into());
                self.values.push(value.as_bytes().to_vec());
                self.fields.push(field.to_owned());
                self.keys.push(key.into());
            }
        };
        if let Some(email) = email {
            add("email", vault.matches(EMAIL, email)?);
        }
        for word in words(texts) {
            add("word", vault.matches(WORD, &word)?);
        }
        Ok(())
    }

    fn parameters(self) -> [sea_orm::Value; 4] {
        [self.accounts.into(), self.values.into(), self.fields.into(), self.keys.into()]
    }
}

const INSERT: &str = "
    INSERT INTO account_matches (account_id, value, field, key_id)
    SELECT * FROM unnest($1::uuid[], $2::bytea[], $3::text[], $4::uuid[])";

/// Keeps what a new account is found by.
///
/// # Errors
/// `Conflict` when the address has an account already.
pub(super) async fn keep_matches(tx: &WriteTx, vault: &Vault, id: AccountId, email: &Email, name: &str) -> Result<()> {
    let mut values = Values::default();
    values.add(vault, id, Some(email.as_str()), [email.as_str(), name])?;
    keep_all(tx, values).await
}

/// Keeps what new accounts are found by.
pub(super) async fn keep_all(tx: &WriteTx, values: Values) -> Result<()> {
    tx.execute(INSERT, values.parameters()).await?;
    Ok(())
}

/// Keeps the words of a person's address and new name in the place of those before.
pub(super) async fn change_words(tx: &WriteTx, vault: &Vault, id: AccountId, email: &str, name: &str) -> Result<()> {
    let old = "DELETE FROM account_matches WHERE account_id = $1 AND field = 'word'";
    tx.execute(old, [id.into()]).await?;
    let mut values = Values::default();
    values.add(vault, id, None, [email, name])?;
    tx.execute(INSERT, values.parameters()).await?;
    Ok(())
}

/// Keeps a person's new address, and the words of it and of the name, in the place of those before.
///
/// # Errors
/// `Conflict` when the address has an account already.
pub(super) async fn change_address(
    tx: &WriteTx,
    vault: &Vault,
    id: AccountId,
    email: &Email,
    name: &str,
) -> Result<()> {
    tx.execute("DELETE FROM account_matches WHERE account_id = $1", [id.into()]).await?;
    keep_matches(tx, vault, id, email, name).await
}

#[derive(FromQueryResult)]
struct Clear {
    id: AccountId,
    email: String,
    name: String,
}

const CLEAR: &str = "SELECT id, email, name FROM accounts WHERE email_sealed IS NULL ORDER BY id LIMIT 1000";
const SEAL: &str = "
    UPDATE accounts a SET salt = u.salt, email_sealed = u.email, name_sealed = u.name
    FROM unnest($1::uuid[], $2::bytea[], $3::bytea[], $4::bytea[]) AS u (id, salt, email, name) WHERE a.id = u.id";

/// Seals what an older release kept in clear.
///
/// # Errors
/// When the database fails; what is sealed stays so, and the next start goes on.
pub async fn seal_clear(owner: &Owner, vault: &Vault) -> Result<()> {
    loop {
        let rows: Vec<Clear> = owner.query(CLEAR, []).await?;
        if rows.is_empty() {
            return Ok(());
        }
        let (mut ids, mut salts, mut emails, mut names) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let mut values = Values::default();
        for row in &rows {
            let salt: Salt = vault.salt()?;
            ids.push(Uuid::from(row.id));
            emails.push(vault.seal_for(&salt, EMAIL, row.id, row.email.as_bytes())?.as_bytes().to_vec());
            names.push(vault.seal_for(&salt, NAME, row.id, row.name.as_bytes())?.as_bytes().to_vec());
            salts.push(salt.as_bytes().to_vec());
            values.add(vault, row.id, Some(&row.email), [&row.email, &row.name])?;
        }
        // First what is found by: a crash in between repeats both.
        owner.execute("DELETE FROM account_matches WHERE account_id = ANY ($1)", [ids.clone().into()]).await?;
        owner.execute(INSERT, values.parameters()).await?;
        owner.execute(SEAL, [ids.into(), salts.into(), emails.into(), names.into()]).await?;
    }
}

#[derive(FromQueryResult)]
struct Unmatched {
    #[sea_orm(nested)]
    row: rows::Model,
}

/// Nobody renames while the values of the name are made, so that none are of a name before.
/// There is one good way to ask, for each account by itself, and PostgreSQL is left no other: it has seen no row under a
/// new key yet, so it would look through all that are under it for each account, or join all with all. A count makes no
/// join, and the key is compared in a way that no index serves.
const UNMATCHED: &str = "
    SELECT a.* FROM accounts a WHERE a.id > $1 AND a.salt IS NOT NULL AND (
        SELECT count(*) FROM account_matches m
        WHERE m.account_id = a.id AND m.field = 'email' AND (m.key_id = $2) IS TRUE) = 0
    ORDER BY a.id LIMIT $3 FOR UPDATE OF a";

/// Gives some accounts that have none the match values under a key, beginning after one.
///
/// # Errors
/// When the database fails, or what an account says can't be opened.
pub async fn match_anew(tx: &WriteTx, vault: &Vault, key: DataKeyId, after: Uuid, most: i64) -> Result<Batch> {
    let found: Vec<Unmatched> = tx.query(UNMATCHED, [after.into(), key.into(), most.into()]).await?;
    let last = found.last().map(|found| found.row.id.into());
    let mut values = Values::default();
    for Unmatched { row } in found {
        let account = open(vault, row)?;
        let mut add = |field: &str, value: Match<Pii>| {
            values.accounts.push(account.id.into());
            values.values.push(value.as_bytes().to_vec());
            values.fields.push(field.to_owned());
            values.keys.push(key.into());
        };
        add("email", vault.match_under(key, EMAIL, &account.email)?);
        for word in words([account.email.as_str(), account.name.as_str()]) {
            add("word", vault.match_under(key, WORD, &word)?);
        }
    }
    let written = tx.execute(INSERT_MISSING, values.parameters()).await?;
    Ok(Batch { last, written })
}

const INSERT_MISSING: &str = "
    INSERT INTO account_matches (account_id, value, field, key_id)
    SELECT * FROM unnest($1::uuid[], $2::bytea[], $3::text[], $4::uuid[]) ON CONFLICT (account_id, value) DO NOTHING";

/// What of this module's tables is sealed.
pub const SEALED: &[Table] = &[
    crate::vault::sealed_table!("email_links", Pii, ["email"]),
    crate::vault::sealed_table!("accounts", Pii, "salt", ["email", "name"]),
    crate::vault::sealed_table!("known_devices", Pii, ["address", "user_agent"]),
];
