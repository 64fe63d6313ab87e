//! What is personal of an entry: from where and with what it was done, and what somebody wrote about it. It lies beside
//! the entry, sealed, so that keys can be changed and people erased while the entry stays as it was written.

use std::{collections::HashMap, net::IpAddr};

use entity::{AccountId, AuditEntryId, Pii, Sealed, audit_entries as entries, audit_personal as rows};
use sea_orm::{ColumnTrait, QueryFilter};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::{
    db::{Tx, WriteTx},
    error::{Error, Result},
    vault::{Field, Table, Vault, sealed_table},
};

pub(super) const ADDRESS: Field<Pii> = Field::new("audit_personal.address");
pub(super) const USER_AGENT: Field<Pii> = Field::new("audit_personal.user_agent");
pub(super) const DETAILS: Field<Pii> = Field::new("audit_personal.details");

/// The columns of the record that are sealed.
pub const SEALED: &[Table] = &[sealed_table!("audit_personal", Pii, ["address", "user_agent", "details"])];

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
}

/// What is to be sealed of an entry.
pub(super) struct Clear<'a> {
    pub address: Option<String>,
    pub user_agent: Option<&'a str>,
    pub details: Map<String, Value>,
}

impl Fields {
    /// Adds what a transaction's caller and an event's details say, if they say anything.
    pub fn add(&mut self, tx: &WriteTx, row: &entries::Model, details: Map<String, Value>) -> Result<()> {
        let origin = &tx.caller().origin;
        let address = origin.address.map(|address: IpAddr| address.to_string());
        let clear = Clear { address, user_agent: origin.user_agent.as_deref(), details };
        self.add_sealed(row, clear, |field, text| tx.seal(field.name(), row.id, text))
    }

    /// The same, sealed by whoever can.
    pub fn add_sealed(
        &mut self,
        row: &entries::Model,
        clear: Clear<'_>,
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
        self.ids.push(row.id.into());
        self.organizations.push(row.organization_id.into());
        let about = row.target_id.filter(|id| row.target_type == "account" && row.actor_id != Some(*id));
        self.accounts.push(row.actor_id.unwrap_or_default());
        self.about.push(about.unwrap_or_default());
        Ok(())
    }

    /// The columns, and the id that stands for none.
    pub fn columns(self) -> [sea_orm::Value; 8] {
        [
            self.ids.into(),
            self.organizations.into(),
            self.accounts.into(),
            self.about.into(),
            self.addresses.into(),
            self.agents.into(),
            self.details.into(),
            Uuid::nil().into(),
        ]
    }
}

/// What the person did goes, and what somebody unknown did to the person's account.
const ERASE: &str = "
    DELETE FROM audit_personal WHERE account_id = $1 OR (about_id = $1 AND account_id IS NULL)";
/// Of what others did to it, from where they did it is theirs; what they wrote about the person is not.
const ERASE_WRITTEN: &str = "UPDATE audit_personal SET details = NULL WHERE about_id = $1 AND details IS NOT NULL";

/// Destroys what the record keeps of a person beside its entries. Those stay.
///
/// # Errors
/// When the database fails.
pub async fn erase(tx: &WriteTx, account: AccountId) -> Result<()> {
    tx.execute(ERASE, [account.into()]).await?;
    tx.execute(ERASE_WRITTEN, [account.into()]).await?;
    Ok(())
}
