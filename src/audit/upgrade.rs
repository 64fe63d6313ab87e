//! Seals what an older release kept in clear in the entries themselves.

use chrono::{DateTime, Utc};
use entity::audit_entries as entries;
use sea_orm::FromQueryResult;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::{
    commitment::Salts,
    personal::{Clear as Personal, Fields},
    words::Words,
};
use crate::{db::Owner, error::Result, vault::Vault};

/// An entry as it was before what is personal of it lay beside it.
#[derive(FromQueryResult)]
struct Clear {
    id: Uuid,
    organization_id: Uuid,
    occurred_at: DateTime<Utc>,
    event: String,
    severity: String,
    class: String,
    outcome: String,
    actor_type: String,
    actor_id: Option<Uuid>,
    target_type: String,
    target_id: Option<Uuid>,
    request_id: Option<String>,
    metadata: Value,
    address: Option<String>,
    user_agent: Option<String>,
}

/// The two events whose reason is free text.
const CLEAR: &str = "
    SELECT e.* FROM audit_entries e
    WHERE e.id > $1 AND (e.address IS NOT NULL OR e.user_agent IS NOT NULL
          OR (e.event IN ('account.blocked', 'organization.acting_started') AND e.metadata ? 'reason'))
      AND NOT EXISTS (SELECT FROM audit_personal p WHERE p.id = e.id)
    ORDER BY e.id LIMIT 1000";
const WRITTEN: [&str; 2] = ["account.blocked", "organization.acting_started"];
const FORGET_WORDS: &str = "DELETE FROM audit_words WHERE entry_id = ANY ($1)";
const WORDS: &str = "
    INSERT INTO audit_words (organization_id, word, entry_id) SELECT * FROM unnest($1::uuid[], $2::text[], $3::uuid[])
    ON CONFLICT DO NOTHING";
const SEAL: &str = "
    INSERT INTO audit_personal (id, organization_id, account_id, about_id, address, user_agent, details)
    SELECT id, organization_id, nullif(account_id, $8), nullif(about_id, $8), nullif(address, ''), nullif(user_agent, ''),
           nullif(details, '')
    FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::bytea[], $6::bytea[], $7::bytea[])
        AS p (id, organization_id, account_id, about_id, address, user_agent, details)";

/// Seals what an older release kept in clear, and forgets the words of what people wrote.
///
/// # Errors
/// When the database fails; what is sealed stays so, and the next start goes on.
pub async fn seal_clear(owner: &Owner, vault: &Vault) -> Result<()> {
    let mut after = Uuid::nil();
    loop {
        let rows: Vec<Clear> = owner.query(CLEAR, [after.into()]).await?;
        let Some(last) = rows.last() else { return Ok(()) };
        after = last.id;
        let (mut fields, mut words, mut rewritten) = (Fields::default(), Words::default(), Vec::new());
        for clear in rows {
            let (address, user_agent, row) = (clear.address.clone(), clear.user_agent.clone(), clear.row());
            let (row, details) = parted(row);
            if !details.is_empty() {
                rewritten.push(Uuid::from(row.id));
                words.add(&row);
            }
            let clear = Personal { address, user_agent: user_agent.as_deref(), details };
            // They were written without commitments, and there are no columns for salts yet.
            fields
                .add_sealed(&row, clear, Salts::default(), |field, text| vault.seal(field, row.id, text.as_bytes()))?;
        }
        // First what finds them: a crash in between repeats both.
        if !rewritten.is_empty() {
            owner.execute(FORGET_WORDS, [rewritten.into()]).await?;
            owner.execute(WORDS, words.columns()).await?;
        }
        owner.execute(SEAL, fields.columns().0).await?;
    }
}

/// An entry, and what somebody wrote about it.
fn parted(mut row: entries::Model) -> (entries::Model, Map<String, Value>) {
    let written = WRITTEN.contains(&row.event.as_str());
    let reason = row.metadata.as_object_mut().filter(|_| written).and_then(|metadata| metadata.remove_entry("reason"));
    (row, reason.into_iter().collect())
}

impl Clear {
    fn row(self) -> entries::Model {
        entries::Model {
            id: self.id.into(),
            organization_id: self.organization_id.into(),
            occurred_at: self.occurred_at,
            event: self.event,
            severity: self.severity,
            class: self.class,
            outcome: self.outcome,
            actor_type: self.actor_type,
            actor_id: self.actor_id,
            target_type: self.target_type,
            target_id: self.target_id,
            request_id: self.request_id,
            metadata: self.metadata,
            form: 1,
            origin_commitment: None,
            details_commitment: None,
        }
    }
}
