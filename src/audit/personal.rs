//! What is personal of an entry: from where and with what it was done, and what somebody wrote about it. It lies beside
//! the entry, sealed, so that keys can be changed and people erased while the entry stays as it was written.

use std::{collections::HashMap, net::IpAddr};

use entity::{AccountId, AuditEntryId, Pii, Sealed, audit_entries as entries, audit_personal as rows};
use sea_orm::{ColumnTrait, QueryFilter};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::commitment::{self, Salts, hex, salt_of};
use crate::{
    db::{Tx, WriteTx},
    error::{Error, Result},
    runtime::Entropy,
    vault::{Field, Table, Vault, sealed_table},
};

pub(super) const ADDRESS: Field<Pii> = Field::new("audit_personal.address");
pub(super) const USER_AGENT: Field<Pii> = Field::new("audit_personal.user_agent");
pub(super) const DETAILS: Field<Pii> = Field::new("audit_personal.details");

const ORIGIN_SALT: Field<Pii> = Field::new("audit_personal.origin_salt");
const DETAILS_SALT: Field<Pii> = Field::new("audit_personal.details_salt");

/// The columns of the record that are sealed. A rotation goes through three at a time, so the salts have a turn of their
/// own.
pub const SEALED: &[Table] = &[
    sealed_table!("audit_personal", Pii, ["address", "user_agent", "details"]),
    Table { name: "audit_salts", ..sealed_table!("audit_personal", Pii, ["origin_salt", "details_salt"]) },
];

/// What is personal of an entry, in clear.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Personal {
    /// The client's address.
    pub address: Option<String>,
    /// What the client called itself.
    pub user_agent: Option<String>,
    /// Details beside those of the entry.
    pub details: Map<String, Value>,
}

/// An entry whole.
pub struct Entry {
    /// What happened.
    pub row: entries::Model,
    /// What is personal of it; nothing once the person is erased.
    pub personal: Personal,
}

/// Entries with what is personal of them.
///
/// # Errors
/// When the database fails, or something can't be opened.
pub(super) async fn whole(vault: &Vault, tx: &Tx, entries: Vec<entries::Model>) -> Result<Vec<Entry>> {
    let ids = entries.iter().map(|row| row.id);
    let found = tx.all(tx.find::<rows::Entity>().filter(rows::Column::Id.is_in(ids))).await?;
    let opened = found.into_iter().map(|row| Ok((row.id, open(vault, &row)?)));
    let mut personal: HashMap<AuditEntryId, Personal> = opened.collect::<Result<_>>()?;
    let entry = |row: entries::Model| Entry { personal: personal.remove(&row.id).unwrap_or_default(), row };
    Ok(entries.into_iter().map(entry).collect())
}

/// An entry with all that proves what is personal of it.
pub struct Disclosed {
    /// What happened.
    pub row: entries::Model,
    /// What is personal of it, as far as it is still there.
    pub personal: Personal,
    /// The salts of what is.
    pub salts: Salts,
}

/// Entries of the caller's organisation with what is personal of them and its salts. Those that are not there are left
/// out.
///
/// # Errors
/// When the database fails, or something can't be opened.
pub async fn disclosed(vault: &Vault, tx: &Tx, ids: Vec<AuditEntryId>) -> Result<Vec<Disclosed>> {
    let listed = tx.all(tx.find::<entries::Entity>().filter(entries::Column::Id.is_in(ids.iter().copied()))).await?;
    let found = tx.all(tx.find::<rows::Entity>().filter(rows::Column::Id.is_in(ids))).await?;
    let opened = found.into_iter().map(|row| {
        let salt = |field, value: &Option<Sealed<Pii>>| {
            let text = value.as_ref().map(|value| vault.open_text(field, row.id, value)).transpose()?;
            text.map(|text| salt_of(&text).ok_or_else(|| Error::internal("a salt is none"))).transpose()
        };
        let salts =
            Salts { origin: salt(ORIGIN_SALT, &row.origin_salt)?, details: salt(DETAILS_SALT, &row.details_salt)? };
        Ok((row.id, (open(vault, &row)?, salts)))
    });
    let mut opened: HashMap<_, _> = opened.collect::<Result<_>>()?;
    let disclosed = |row: entries::Model| {
        let (personal, salts) = opened.remove(&row.id).unwrap_or_default();
        Disclosed { row, personal, salts }
    };
    Ok(listed.into_iter().map(disclosed).collect())
}

fn open(vault: &Vault, row: &rows::Model) -> Result<Personal> {
    let open = |field, value: &Option<Sealed<Pii>>| {
        value.as_ref().map(|value| vault.open_text(field, row.id, value)).transpose()
    };
    let details = open(DETAILS, &row.details)?;
    Ok(Personal {
        address: open(ADDRESS, &row.address)?,
        user_agent: open(USER_AGENT, &row.user_agent)?,
        details: details
            .map(|text| serde_json::from_str(&text))
            .transpose()
            .map_err(Error::internal)?
            .unwrap_or_default(),
    })
}

/// What is personal of several entries, column by column: one statement, whatever their number. What is not there is
/// empty, which no sealed value is, or the nil id.
#[derive(Default)]
pub(super) struct Fields {
    ids: Vec<Uuid>,
    organizations: Vec<Uuid>,
    accounts: Vec<Uuid>,
    about: Vec<Uuid>,
    addresses: Vec<Vec<u8>>,
    agents: Vec<Vec<u8>>,
    details: Vec<Vec<u8>>,
    origin_salts: Vec<Vec<u8>>,
    details_salts: Vec<Vec<u8>>,
    classes: Vec<String>,
}

/// What is to be sealed of an entry.
pub(super) struct Clear<'a> {
    pub address: Option<String>,
    pub user_agent: Option<&'a str>,
    pub details: Map<String, Value>,
}

impl Fields {
    /// Adds what a transaction's caller and an event's details say, if they say anything, and commits the entry to it.
    pub fn add(&mut self, tx: &WriteTx, row: &mut entries::Model, details: Map<String, Value>) -> Result<()> {
        let origin = &tx.caller().origin;
        let address = origin.address.map(|address: IpAddr| address.to_string());
        let clear = Clear { address, user_agent: origin.user_agent.as_deref(), details };
        let mut salts = Salts::default();
        if let Some(said) = commitment::origin(clear.address.as_deref(), clear.user_agent) {
            let salt = Entropy.bytes()?;
            (salts.origin, row.origin_commitment) = (Some(salt), Some(commitment::commit(&salt, &said)?));
        }
        if let Some(said) = commitment::details(&clear.details) {
            let salt = Entropy.bytes()?;
            (salts.details, row.details_commitment) = (Some(salt), Some(commitment::commit(&salt, &said)?));
        }
        let id = row.id;
        self.add_sealed(row, clear, salts, |field, text| tx.seal(field.name(), id, text))
    }

    /// The same, sealed by whoever can.
    pub fn add_sealed(
        &mut self,
        row: &entries::Model,
        clear: Clear<'_>,
        salts: Salts,
        seal: impl Fn(Field<Pii>, &str) -> Result<Sealed<Pii>>,
    ) -> Result<()> {
        let Clear { address, user_agent, details } = clear;
        if address.is_none() && user_agent.is_none() && details.is_empty() {
            return Ok(());
        }
        let details = (!details.is_empty()).then(|| Value::Object(details).to_string());
        let sealed = |field, text: Option<&str>| {
            let sealed = text.map(|text| seal(field, text)).transpose()?;
            Ok::<_, Error>(sealed.map(|sealed| sealed.as_bytes().to_vec()).unwrap_or_default())
        };
        self.addresses.push(sealed(ADDRESS, address.as_deref())?);
        self.agents.push(sealed(USER_AGENT, user_agent)?);
        self.details.push(sealed(DETAILS, details.as_deref())?);
        self.origin_salts.push(sealed(ORIGIN_SALT, salts.origin.map(|salt| hex(&salt)).as_deref())?);
        self.details_salts.push(sealed(DETAILS_SALT, salts.details.map(|salt| hex(&salt)).as_deref())?);
        self.ids.push(row.id.into());
        self.organizations.push(row.organization_id.into());
        self.classes.push(row.class.clone());
        let about = row.target_id.filter(|id| row.target_type == "account" && row.actor_id != Some(*id));
        self.accounts.push(row.actor_id.unwrap_or_default());
        self.about.push(about.unwrap_or_default());
        Ok(())
    }

    /// The classes of the entries, which it is kept as long as.
    pub fn classes(&self) -> sea_orm::Value {
        self.classes.clone().into()
    }

    /// The columns, and the id that stands for none; and those of the salts.
    pub fn columns(self) -> ([sea_orm::Value; 8], [sea_orm::Value; 2]) {
        let salts = [self.origin_salts.into(), self.details_salts.into()];
        let columns = [
            self.ids.into(),
            self.organizations.into(),
            self.accounts.into(),
            self.about.into(),
            self.addresses.into(),
            self.agents.into(),
            self.details.into(),
            Uuid::nil().into(),
        ];
        (columns, salts)
    }
}

/// What the person did goes, and what somebody unknown did to the person's account.
const ERASE: &str = "
    DELETE FROM audit_personal WHERE account_id = $1 OR (about_id = $1 AND account_id IS NULL)";
/// Of what others did to it, from where they did it is theirs; what they wrote about the person is not.
const ERASE_WRITTEN: &str =
    "UPDATE audit_personal SET details = NULL, details_salt = NULL WHERE about_id = $1 AND details IS NOT NULL";

/// Destroys what the record keeps of a person beside its entries. Those stay.
///
/// # Errors
/// When the database fails.
pub async fn erase(tx: &WriteTx, account: AccountId) -> Result<()> {
    tx.execute(ERASE, [account.into()]).await?;
    tx.execute(ERASE_WRITTEN, [account.into()]).await?;
    Ok(())
}
