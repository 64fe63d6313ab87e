//! An event on its way into the record.

use std::collections::BTreeSet;

use chrono::SecondsFormat;
use entity::{AccountId, AuditEntryId, OrganizationId, audit_entries};
use sea_orm::FromQueryResult;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{
    catalog::{Home, Kind},
    commitment::{WITH_COMMITMENTS, hex},
    personal::Fields,
    words::Words,
};
use crate::{
    db::{Record, WriteTx},
    error::Result,
    runtime::Ids,
    types::{Actor, Caller},
};

/// How an attempt came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was done.
    Success,
    /// A rule stood against it.
    Refused,
    /// What was presented was wrong.
    Failed,
}

impl Outcome {
    /// The stored word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Refused => "refused",
            Self::Failed => "failed",
        }
    }
}

/// What happened, to what, and how it came out. Who did it, from where and when is the transaction's caller's.
#[derive(Clone, Debug)]
pub struct Event {
    kind: Kind,
    target: Option<Uuid>,
    organization: Option<OrganizationId>,
    account: Option<AccountId>,
    outcome: Outcome,
    metadata: Map<String, Value>,
    details: Map<String, Value>,
}

impl Event {
    /// Something that was done to this target.
    pub fn new(kind: Kind, target: impl Into<Uuid>) -> Self {
        Self { target: Some(target.into()), ..Self::without_target(kind) }
    }

    /// Something that has no target with an id.
    pub fn without_target(kind: Kind) -> Self {
        let (metadata, details) = (Map::new(), Map::new());
        Self { kind, target: None, organization: None, account: None, outcome: Outcome::Success, metadata, details }
    }

    /// The same event in the record of this organisation.
    #[must_use]
    pub fn in_organization(mut self, organization: OrganizationId) -> Self {
        self.organization = Some(organization);
        self
    }

    /// The same event, about something of this account's, where that is not what the caller's account or the target says.
    #[must_use]
    pub fn about(mut self, account: AccountId) -> Self {
        self.account = Some(account);
        self
    }

    /// The same event, refused by a rule.
    #[must_use]
    pub fn refused(mut self) -> Self {
        self.outcome = Outcome::Refused;
        self
    }

    /// The same event, failed because what was presented was wrong.
    #[must_use]
    pub fn failed(mut self) -> Self {
        self.outcome = Outcome::Failed;
        self
    }

    /// The same event with a detail that says something of somebody, or that somebody wrote. It is sealed, and no search
    /// finds it. Never a secret.
    #[must_use]
    pub fn with_personal(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.details.insert(key.to_owned(), value.into());
        self
    }

    /// The same event with a detail. Never personal data, never a secret.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.metadata.insert(key.to_owned(), value.into());
        self
    }
}

impl Event {
    /// Whatever a platform administrator does in somebody else's organisation says so (AZ-2).
    fn by(self, caller: &Caller) -> Self {
        match caller.acting {
            Some(acting) => self.with("acting", acting.to_string()),
            None => self,
        }
    }

    fn row(&self, caller: &Caller) -> audit_entries::Model {
        let home = match self.kind.home() {
            Home::Tenant => caller.organization().unwrap_or(OrganizationId::PLATFORM),
            Home::Platform => OrganizationId::PLATFORM,
        };
        let sort = Sort {
            event: self.kind.code(),
            severity: self.kind.severity().as_str(),
            class: self.kind.class().as_str(),
            target_type: self.kind.target(),
        };
        let row = entry(caller, self.organization.unwrap_or(home), sort);
        audit_entries::Model {
            outcome: self.outcome.as_str().to_owned(),
            target_id: self.target,
            metadata: Value::Object(self.metadata.clone()),
            ..row
        }
    }
}

/// What all entries of a type have.
pub(super) struct Sort<'a> {
    pub event: &'a str,
    pub severity: &'a str,
    pub class: &'a str,
    pub target_type: &'a str,
}

/// An entry of the caller's that says nothing more than its type, and that it was done.
pub(super) fn entry(caller: &Caller, organization_id: OrganizationId, sort: Sort<'_>) -> audit_entries::Model {
    let (actor_type, actor_id) = match &caller.actor {
        Actor::Account { account, .. } => ("account", Some(Uuid::from(*account))),
        Actor::Service { account, .. } => ("service", Some(Uuid::from(*account))),
        Actor::Anonymous => ("anonymous", None),
        Actor::System(_) => ("system", None),
    };
    audit_entries::Model {
        id: Ids.next::<AuditEntryId>(),
        organization_id,
        occurred_at: caller.now(),
        event: sort.event.to_owned(),
        severity: sort.severity.to_owned(),
        class: sort.class.to_owned(),
        outcome: Outcome::Success.as_str().to_owned(),
        actor_type: actor_type.to_owned(),
        actor_id,
        target_type: sort.target_type.to_owned(),
        target_id: None,
        request_id: Some(caller.origin.request_id.to_string()),
        metadata: Value::Object(Map::new()),
        form: WITH_COMMITMENTS,
        origin_commitment: None,
        details_commitment: None,
    }
}

/// An entry of no type of the server's own, with what is personal of it.
pub(super) struct Written(pub audit_entries::Model, pub Map<String, Value>);

impl Record for Written {
    async fn record(self, tx: &WriteTx) -> Result<()> {
        let mut lines = Lines::default();
        lines.add(tx, self.0, self.1)?;
        lines.write(tx).await?;
        Ok(())
    }
}

impl Event {
    /// The account that an event of the platform's record is about: an organisation that manages it has the same event
    /// in its own.
    fn subject(&self, caller: &Caller) -> Option<AccountId> {
        if self.kind.home() == Home::Tenant || self.organization.is_some() {
            return None;
        }
        match self.kind.target() {
            "account" => self.account.or(self.target.map(AccountId)),
            "session" | "known_device" | "trusted_device" | "passkey" => self.account.or_else(|| caller.account()),
            _ => None,
        }
    }
}

/// Several things that one transaction did, with their words and what is personal of them: one statement, however many
/// they are, and two more for what is about a managed account.
impl Record for Vec<Event> {
    async fn record(self, tx: &WriteTx) -> Result<()> {
        if self.is_empty() {
            return Ok(());
        }
        let events: Vec<_> = self.into_iter().map(|event| event.by(tx.caller())).collect();
        let managers = Lines::of(tx, &events)?.write(tx).await?;
        let copies = events.iter().filter_map(|event| {
            let subject = event.subject(tx.caller())?;
            let manager = managers.iter().find(|manager| manager.account == subject)?;
            Some(event.clone().in_organization(manager.organization))
        });
        let copies: Vec<_> = copies.collect();
        if copies.is_empty() { Ok(()) } else { write_apart(tx, &copies).await }
    }
}

/// Writes first the entries alone: PostgreSQL lets others add to a manager's record only what belongs to them.
async fn write_apart(tx: &WriteTx, events: &[Event]) -> Result<()> {
    let (entries, rest) = Lines::of(tx, events)?.apart();
    entries.write(tx).await?;
    rest.write(tx).await?;
    Ok(())
}

/// One that is written as the copy for an organisation that manages an account is: it takes as long.
pub struct LikeACopy(pub Event);

/// What PostgreSQL asks of each line of a manager's copy, and does not of the platform's record: `$1` are the
/// organisations of its words, `$2` their entries.
const ASK_ALIKE: &str = "
    SELECT count(*) FILTER (WHERE is_own_entry(organization, entry)) AS own
    FROM unnest($1::uuid[], $2::uuid[]) AS line (organization, entry)";

#[derive(FromQueryResult)]
struct Asked {
    #[expect(dead_code, reason = "the statement is run for the time that it takes")]
    own: i64,
}

impl Record for LikeACopy {
    async fn record(self, tx: &WriteTx) -> Result<()> {
        let (entries, rest) = Lines::of(tx, &[self.0.by(tx.caller())])?.apart();
        let [organizations, _, lines] = rest.words.clone().columns();
        entries.write(tx).await?;
        tx.query::<Asked>(ASK_ALIKE, [organizations, lines]).await?;
        rest.write(tx).await?;
        Ok(())
    }
}

/// Entries as the statement takes them, with their words and what is personal of them.
#[derive(Default)]
struct Lines {
    entries: Vec<Value>,
    words: Words,
    personal: Fields,
    /// The accounts that they are about.
    accounts: BTreeSet<Uuid>,
}

impl Lines {
    fn of(tx: &WriteTx, events: &[Event]) -> Result<Self> {
        let mut lines = Self::default();
        for event in events {
            lines.add(tx, event.row(tx.caller()), event.details.clone())?;
            lines.accounts.extend(event.subject(tx.caller()).map(Uuid::from));
        }
        Ok(lines)
    }

    fn add(&mut self, tx: &WriteTx, mut row: audit_entries::Model, details: Map<String, Value>) -> Result<()> {
        self.words.add(&row);
        self.personal.add(tx, &mut row, details)?;
        self.entries.push(line(&row));
        Ok(())
    }

    /// The entries, and what lies beside them.
    fn apart(self) -> (Self, Self) {
        let entries = Self { entries: self.entries, ..Self::default() };
        (entries, Self { words: self.words, personal: self.personal, ..Self::default() })
    }

    /// Writes them, and finds the organisations that manage the accounts that they are about.
    async fn write(self, tx: &WriteTx) -> Result<Vec<Manager>> {
        let accounts: Vec<Uuid> = self.accounts.into_iter().collect();
        let entries = [Value::Array(self.entries).into()].into_iter();
        let classes = [self.words.classes(), self.personal.classes()];
        let (personal, salts) = self.personal.columns();
        let values =
            entries.chain(self.words.columns()).chain(personal).chain([accounts.into()]).chain(salts).chain(classes);
        tx.query(RECORD, values.collect::<Vec<sea_orm::Value>>()).await
    }
}

/// An account and the organisation that manages it.
#[derive(FromQueryResult)]
struct Manager {
    account: AccountId,
    organization: OrganizationId,
}

/// An entry as the statement takes it.
fn line(row: &audit_entries::Model) -> Value {
    json!({
        "id": row.id,
        "organization_id": row.organization_id,
        // The database keeps microseconds.
        "occurred_at": row.occurred_at.to_rfc3339_opts(SecondsFormat::Micros, true),
        "event": row.event,
        "severity": row.severity,
        "class": row.class,
        "outcome": row.outcome,
        "actor_type": row.actor_type,
        "actor_id": row.actor_id,
        "target_type": row.target_type,
        "target_id": row.target_id,
        "request_id": row.request_id,
        "metadata": row.metadata,
        "form": row.form,
        "origin_commitment": row.origin_commitment.as_deref().map(bytes),
        "details_commitment": row.details_commitment.as_deref().map(bytes),
    })
}

/// Bytes as PostgreSQL reads them.
fn bytes(bytes: &[u8]) -> String {
    format!("\\x{}", hex(bytes))
}

const RECORD: &str = "
    WITH entries AS (
        INSERT INTO audit_entries (id, organization_id, occurred_at, event, severity, class, outcome, actor_type, actor_id,
            target_type, target_id, request_id, metadata, form, origin_commitment, details_commitment)
        SELECT * FROM jsonb_to_recordset($1) AS e (id uuid, organization_id uuid, occurred_at timestamptz, event text,
            severity text, class text, outcome text, actor_type text, actor_id uuid, target_type text, target_id uuid,
            request_id text, metadata jsonb, form smallint, origin_commitment bytea, details_commitment bytea)
    ), words AS (
        INSERT INTO audit_words (organization_id, word, entry_id, class)
        SELECT * FROM unnest($2::uuid[], $3::text[], $4::uuid[], $16::text[])
    ), personal AS (
        INSERT INTO audit_personal (id, organization_id, account_id, about_id, address, user_agent, details, origin_salt,
            details_salt, class)
        SELECT id, organization_id, nullif(account_id, $12), nullif(about_id, $12), nullif(address, ''), nullif(user_agent, ''),
               nullif(details, ''), nullif(origin_salt, ''), nullif(details_salt, ''), class
        FROM unnest($5::uuid[], $6::uuid[], $7::uuid[], $8::uuid[], $9::bytea[], $10::bytea[], $11::bytea[], $14::bytea[],
            $15::bytea[], $17::text[]) AS p (id, organization_id, account_id, about_id, address, user_agent, details,
            origin_salt, details_salt, class)
    )
    SELECT a.id AS account, a.managed_by AS organization FROM accounts a
    WHERE a.id = ANY ($13::uuid[]) AND a.managed_by IS NOT NULL";

impl Record for Event {
    async fn record(self, tx: &WriteTx) -> Result<()> {
        vec![self].record(tx).await
    }
}
