//! From where and with what a session was opened. Whoever has a copy of the database must not learn where people are,
//! so both are sealed; a session goes with its account, so no key of the person's own is needed.

use entity::{Pii, PlatformAccessId, Sealed, Secrets, SessionId, sessions as rows};
use sea_orm::FromQueryResult;
use uuid::Uuid;

use super::acting::REASON;
use crate::{
    db::Owner,
    error::{Error, Result},
    types::Origin,
    vault::{Field, Table, Vault, sealed_table},
};

/// Where and with what a session was opened.
pub(super) const OPENED: Origins = Origins::new("sessions.address", "sessions.user_agent");

/// The columns of this module that are sealed.
pub const SEALED: &[Table] = &[
    sealed_table!("sessions", Pii, ["address", "user_agent"]),
    sealed_table!("platform_access", Pii, ["reason"]),
    sealed_table!("signing_keys", Secrets, ["private_key"]),
];

/// From where and with what somebody came.
#[derive(Clone, PartialEq, Eq)]
pub struct Seen {
    /// The client's address.
    pub address: Option<String>,
    /// What the client calls itself.
    pub user_agent: Option<String>,
}

/// The same as it is kept: the address, and what the client calls itself.
pub type SeenSealed = (Option<Sealed<Pii>>, Option<Sealed<Pii>>);

/// The two columns of a table that say it.
pub struct Origins {
    address: Field<Pii>,
    user_agent: Field<Pii>,
}

impl Origins {
    /// The columns with these names.
    pub const fn new(address: &'static str, user_agent: &'static str) -> Self {
        Self { address: Field::new(address), user_agent: Field::new(user_agent) }
    }

    /// Where a request comes from, for a row.
    ///
    /// # Errors
    /// When the operating system has no entropy.
    pub fn seal(&self, vault: &Vault, row: impl Into<Uuid>, origin: &Origin) -> Result<SeenSealed> {
        let row = row.into();
        let seal = |field, text: &str| vault.seal(field, row, text.as_bytes());
        let address = origin.address.map(|address| seal(self.address, &address.to_string())).transpose()?;
        Ok((address, origin.user_agent.as_deref().map(|agent| seal(self.user_agent, agent)).transpose()?))
    }

    /// What a row says.
    ///
    /// # Errors
    /// `Internal` when it can't be opened.
    pub fn open(&self, vault: &Vault, row: impl Into<Uuid>, (address, user_agent): SeenSealed) -> Result<Seen> {
        let row = row.into();
        let open =
            |field, value: Option<Sealed<Pii>>| value.map(|value| vault.open_text(field, row, &value)).transpose();
        Ok(Seen { address: open(self.address, address)?, user_agent: open(self.user_agent, user_agent)? })
    }
}

impl Seen {
    /// Where this session was opened.
    ///
    /// # Errors
    /// `Internal` when it can't be opened.
    pub fn of(vault: &Vault, row: &rows::Model) -> Result<Self> {
        OPENED.open(vault, row.id, (row.address.clone(), row.user_agent.clone()))
    }
}

#[derive(FromQueryResult)]
struct Clear {
    id: SessionId,
    address: Option<String>,
    user_agent: Option<String>,
}

const CLEAR: &str = "
    SELECT id, address, user_agent FROM sessions
    WHERE (address IS NOT NULL AND address_sealed IS NULL) OR (user_agent IS NOT NULL AND user_agent_sealed IS NULL)
    ORDER BY id LIMIT 1000";
const SEAL: &str = "
    UPDATE sessions s SET address_sealed = nullif(u.address, ''), user_agent_sealed = nullif(u.user_agent, '')
    FROM unnest($1::uuid[], $2::bytea[], $3::bytea[]) AS u (id, address, user_agent) WHERE s.id = u.id";

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
        let (mut ids, mut addresses, mut agents) = (Vec::new(), Vec::new(), Vec::new());
        for row in rows {
            let seal = |field, text: Option<String>| {
                // What is not there is nothing, which no sealed value is.
                let sealed = text.map(|text| vault.seal(field, row.id, text.as_bytes())).transpose()?;
                Ok::<_, Error>(sealed.map(|sealed| sealed.as_bytes().to_vec()).unwrap_or_default())
            };
            addresses.push(seal(OPENED.address, row.address)?);
            agents.push(seal(OPENED.user_agent, row.user_agent)?);
            ids.push(Uuid::from(row.id));
        }
        owner.execute(SEAL, [ids.into(), addresses.into(), agents.into()]).await?;
    }
}

#[derive(FromQueryResult)]
struct ClearReason {
    id: PlatformAccessId,
    reason: String,
}

const CLEAR_REASONS: &str = "
    SELECT id, reason FROM platform_access WHERE reason_sealed IS NULL ORDER BY id LIMIT 1000";
const SEAL_REASONS: &str = "
    UPDATE platform_access p SET reason_sealed = u.reason FROM unnest($1::uuid[], $2::bytea[]) AS u (id, reason)
    WHERE p.id = u.id";

/// Seals the reasons that an older release kept in clear.
///
/// # Errors
/// As [`seal_clear`].
pub async fn seal_clear_reasons(owner: &Owner, vault: &Vault) -> Result<()> {
    loop {
        let rows: Vec<ClearReason> = owner.query(CLEAR_REASONS, []).await?;
        if rows.is_empty() {
            return Ok(());
        }
        let (mut ids, mut reasons) = (Vec::new(), Vec::new());
        for row in rows {
            reasons.push(vault.seal(REASON, row.id, row.reason.as_bytes())?.as_bytes().to_vec());
            ids.push(Uuid::from(row.id));
        }
        owner.execute(SEAL_REASONS, [ids.into(), reasons.into()]).await?;
    }
}
