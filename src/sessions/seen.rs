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

const ADDRESS: Field<Pii> = Field::new("sessions.address");
const USER_AGENT: Field<Pii> = Field::new("sessions.user_agent");

/// The columns of this module that are sealed.
pub const SEALED: &[Table] = &[
    sealed_table!("sessions", Pii, ["address", "user_agent"]),
    sealed_table!("platform_access", Pii, ["reason"]),
    sealed_table!("signing_keys", Secrets, ["private_key"]),
];

/// Where a session was opened.
#[derive(Clone, PartialEq, Eq)]
pub struct Seen {
    /// The client's address.
    pub address: Option<String>,
    /// What the client calls itself.
    pub user_agent: Option<String>,
}

impl Seen {
    /// Where this session was opened.
    ///
    /// # Errors
    /// `Internal` when it can't be opened.
    pub fn of(vault: &Vault, row: &rows::Model) -> Result<Self> {
        let open = |field, value: &Option<Sealed<Pii>>| {
            value.as_ref().map(|value| vault.open_text(field, row.id, value)).transpose()
        };
        Ok(Self { address: open(ADDRESS, &row.address)?, user_agent: open(USER_AGENT, &row.user_agent)? })
    }
}

pub(super) fn address(vault: &Vault, id: SessionId, origin: &Origin) -> Result<Option<Sealed<Pii>>> {
    origin.address.map(|address| vault.seal(ADDRESS, id, address.to_string().as_bytes())).transpose()
}

pub(super) fn user_agent(vault: &Vault, id: SessionId, origin: &Origin) -> Result<Option<Sealed<Pii>>> {
    origin.user_agent.as_deref().map(|agent| vault.seal(USER_AGENT, id, agent.as_bytes())).transpose()
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
            addresses.push(seal(ADDRESS, row.address)?);
            agents.push(seal(USER_AGENT, row.user_agent)?);
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
