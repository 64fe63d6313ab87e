//! The forms that seals are made of: an entry as canonical JSON, its hash, the chain of hashes, and what a checkpoint
//! says. `policies/EVIDENCE.md` describes them for whoever verifies without us; a change here is a new form there.

use chrono::SecondsFormat;
use entity::{OrganizationId, audit_entries as entries};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::{
    audit::commitment::{canonical, hex},
    error::{Error, Result},
    runtime::Timestamp,
};

/// SHA-256 of something.
pub(super) type Hash = [u8; 32];

/// The `typ` of a checkpoint's JWS. No verifier of tokens or documents takes it.
pub(super) const CHECKPOINT: &str = "freehold-checkpoint";
/// The version of a checkpoint's form.
const CHECKPOINT_FORMAT: &str = "freehold-checkpoint/1";
/// The version of the form of a file of evidence.
pub(super) const EVIDENCE_FORMAT: &str = "freehold-evidence/1";
/// What the chain of an organisation begins with, before its id.
const GENESIS: &str = "freehold-audit-chain/1:";

/// An entry as it is hashed. What is not there is left out.
pub(super) fn entry(row: &entries::Model) -> Value {
    let mut fields = Map::new();
    let texts = [
        ("id", Some(row.id.to_string())),
        ("organization_id", Some(row.organization_id.to_string())),
        ("occurred_at", Some(moment(row.occurred_at))),
        ("event", Some(row.event.clone())),
        ("severity", Some(row.severity.clone())),
        ("class", Some(row.class.clone())),
        ("outcome", Some(row.outcome.clone())),
        ("actor_type", Some(row.actor_type.clone())),
        ("actor_id", row.actor_id.map(|id| id.to_string())),
        ("target_type", Some(row.target_type.clone())),
        ("target_id", row.target_id.map(|id| id.to_string())),
        ("request_id", row.request_id.clone()),
    ];
    fields.extend(texts.into_iter().filter_map(|(name, text)| Some((name.to_owned(), json!(text?)))));
    fields.insert("metadata".to_owned(), row.metadata.clone());
    fields.insert("form".to_owned(), json!(row.form));
    let commitments = [("origin", &row.origin_commitment), ("details", &row.details_commitment)];
    let commitments: Map<_, _> = commitments
        .into_iter()
        .filter_map(|(name, hash)| Some((name.to_owned(), json!(hex(hash.as_ref()?)))))
        .collect();
    fields.insert("commitments".to_owned(), Value::Object(commitments));
    Value::Object(fields)
}

/// The hash of an entry in its form.
pub(super) fn hash(entry: &Value) -> Result<Hash> {
    Ok(Sha256::digest(canonical(entry)?).into())
}

/// What the chain of an organisation begins with.
pub(super) fn genesis(organization: Uuid) -> Hash {
    Sha256::digest(format!("{GENESIS}{organization}")).into()
}

/// The chain after one more entry: SHA-256 of the chain before, the entry's place in eight bytes, the highest first, and
/// the entry's hash.
pub(super) fn link(before: &Hash, sequence: i64, hash: &Hash) -> Hash {
    Sha256::new().chain_update(before).chain_update(sequence.to_be_bytes()).chain_update(hash).finalize().into()
}

/// What a checkpoint says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Checkpoint {
    format: String,
    /// The installation.
    pub issuer: String,
    /// The organisation, of which alone it speaks.
    pub organization_id: OrganizationId,
    /// Which one it is, from 1.
    pub number: i64,
    /// SHA-256 of the JWS of the one before, in hexadecimal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub previous: Option<String>,
    /// How many entries are sealed by it and those before: the place of the last.
    pub count: i64,
    /// What the chain ends in, in hexadecimal.
    pub head: String,
    /// When, by the database's clock.
    pub sealed_at: Timestamp,
    /// Every entry that was written before this moment is sealed by now: one that is sealed later was put in between.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub complete_before: Option<Timestamp>,
}

/// Where the chain of an organisation is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Head {
    /// The number of the last checkpoint; 0 before the first.
    pub number: i64,
    /// SHA-256 of the last checkpoint's JWS.
    pub previous: Option<String>,
    /// The place of the last entry.
    pub sequence: i64,
    /// What the chain ends in.
    pub link: Hash,
}

impl Head {
    /// Before anything was sealed.
    pub fn first(organization: OrganizationId) -> Self {
        Self { number: 0, previous: None, sequence: 0, link: genesis(organization.into()) }
    }

    /// After this checkpoint; `None` when what it says can't be a checkpoint's.
    pub fn after(checkpoint: &Checkpoint, jws: &str) -> Option<Self> {
        let (number, sequence) = (checkpoint.number, checkpoint.count);
        (number > 0 && sequence > 0).then_some(())?;
        Some(Self { number, previous: Some(digest(jws)), sequence, link: of_head(&checkpoint.head)? })
    }

    /// One entry further.
    pub fn add(&mut self, hash: &Hash) {
        self.sequence += 1;
        self.link = link(&self.link, self.sequence, hash);
    }

    /// What the next checkpoint says.
    pub fn checkpoint(
        &self,
        issuer: &str,
        organization: OrganizationId,
        (sealed_at, complete_before): (Timestamp, Option<Timestamp>),
    ) -> Checkpoint {
        Checkpoint {
            format: CHECKPOINT_FORMAT.to_owned(),
            issuer: issuer.to_owned(),
            organization_id: organization,
            number: self.number + 1,
            previous: self.previous.clone(),
            count: self.sequence,
            head: hex(&self.link),
            sealed_at,
            complete_before,
        }
    }
}

impl Checkpoint {
    /// Its bytes as they are signed.
    pub(super) fn bytes(&self) -> Result<Vec<u8>> {
        canonical(&serde_json::to_value(self).map_err(Error::internal)?)
    }

    /// Reads what was signed; `None` when it is another form.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok().filter(|checkpoint: &Self| checkpoint.format == CHECKPOINT_FORMAT)
    }
}

/// SHA-256 of a checkpoint's JWS, as the next one names it.
pub(super) fn digest(jws: &str) -> String {
    hex(&Sha256::digest(jws))
}

/// A hash as it is written.
pub(super) fn of_head(text: &str) -> Option<Hash> {
    crate::audit::commitment::of_hex(text)?.try_into().ok()
}

/// A time as it is hashed (RFC 3339, in UTC, with microseconds).
pub(super) fn moment(at: Timestamp) -> String {
    at.to_rfc3339_opts(SecondsFormat::Micros, true)
}

/// When an id was made, in milliseconds since 1970 (RFC 9562, 5.7).
pub(super) fn made(id: Uuid) -> i64 {
    i64::try_from(id.as_u128() >> 80).unwrap_or(i64::MAX)
}

/// The least id that can have been made at a moment.
pub(super) fn least(at: Timestamp) -> Uuid {
    Uuid::from_u128(u128::try_from(at.timestamp_millis()).unwrap_or_default() << 80)
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;

    fn row() -> entries::Model {
        entries::Model {
            id: Uuid::from_u128(0x0195_5a8f_0000_7000_8000_0000_0000_0001).into(),
            organization_id: Uuid::from_u128(7).into(),
            occurred_at: DateTime::from_timestamp(1_800_000_000, 123_456_000).unwrap_or_default(),
            event: "member.added".to_owned(),
            severity: "low".to_owned(),
            class: "security".to_owned(),
            outcome: "success".to_owned(),
            actor_type: "system".to_owned(),
            actor_id: None,
            target_type: "member".to_owned(),
            target_id: Some(Uuid::from_u128(9)),
            request_id: None,
            metadata: json!({"b": 1, "a": "é"}),
            form: 2,
            origin_commitment: Some(vec![0xab; 32]),
            details_commitment: None,
        }
    }

    /// Proves AUD-4: the form is documented, and does not change unnoticed.
    #[test]
    fn an_entry_has_one_form() {
        let text = String::from_utf8(canonical(&entry(&row())).unwrap_or_default()).unwrap_or_default();
        let origin = "ab".repeat(32);
        assert_eq!(
            text,
            format!(
                "{{\"actor_type\":\"system\",\"class\":\"security\",\"commitments\":{{\"origin\":\"{origin}\"}},\
                 \"event\":\"member.added\",\"form\":2,\"id\":\"01955a8f-0000-7000-8000-000000000001\",\
                 \"metadata\":{{\"a\":\"é\",\"b\":1}},\"occurred_at\":\"2027-01-15T08:00:00.123456Z\",\
                 \"organization_id\":\"00000000-0000-0000-0000-000000000007\",\"outcome\":\"success\",\
                 \"severity\":\"low\",\"target_id\":\"00000000-0000-0000-0000-000000000009\",\"target_type\":\"member\"}}"
            )
        );
    }

    /// Proves AUD-4.
    #[test]
    fn a_chain_depends_on_organisation_order_and_place() {
        let (a, b) = ([1; 32], [2; 32]);
        let first = genesis(Uuid::from_u128(1));
        assert_ne!(first, genesis(Uuid::from_u128(2)));
        assert_ne!(link(&link(&first, 1, &a), 2, &b), link(&link(&first, 1, &b), 2, &a));
        assert_ne!(link(&first, 1, &a), link(&first, 2, &a));
    }

    #[test]
    fn a_checkpoint_is_read_as_it_was_written() {
        let mut head = Head::first(Uuid::from_u128(1).into());
        head.add(&[1; 32]);
        let at = DateTime::from_timestamp(1_800_000_000, 0).unwrap_or_default();
        let checkpoint = head.checkpoint("https://id.example.com", Uuid::from_u128(1).into(), (at, None));
        let bytes = checkpoint.bytes().unwrap_or_default();
        assert_eq!(Checkpoint::parse(&bytes), Some(checkpoint.clone()));
        let next = Head::after(&checkpoint, "a.b.c");
        assert_eq!(next.map(|next| (next.number, next.sequence, next.link)), Some((1, 1, head.link)));
        let other = String::from_utf8_lossy(&bytes).replace("checkpoint/1", "checkpoint/2");
        assert_eq!(Checkpoint::parse(other.as_bytes()), None);
    }
}
