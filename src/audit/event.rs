//! An event on its way into the record.

use std::collections::BTreeSet;

use entity::{AccountId, AuditEntryId, OrganizationId, audit_entries};
use sea_orm::FromQueryResult;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::catalog::{Home, Kind};
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
}

impl Event {
    /// Something that was done to this target.
    pub fn new(kind: Kind, target: impl Into<Uuid>) -> Self {
        Self { target: Some(target.into()), ..Self::without_target(kind) }
    }

    /// Something that has no target with an id.
    pub fn without_target(kind: Kind) -> Self {
        Self { kind, target: None, organization: None, account: None, outcome: Outcome::Success, metadata: Map::new() }
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

    /// The same event with a detail. Never personal data, never a secret.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.metadata.insert(key.to_owned(), value.into());
        self
    }

    /// The words that find this entry: of the code, the ids and the details.
    fn words(&self, row: &audit_entries::Model) -> BTreeSet<String> {
        let mut words = BTreeSet::new();
        let texts = self.metadata.values().filter_map(Value::as_str);
        for text in [self.kind.code(), self.kind.target(), self.outcome.as_str()].into_iter().chain(texts) {
            words.extend(super::words(text));
        }
        words.extend([row.target_id, row.actor_id].into_iter().flatten().map(|id| id.to_string()));
        words.extend(row.request_id.as_deref().map(str::to_lowercase));
        words
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
        let (actor_type, actor_id) = match &caller.actor {
            Actor::Account { account, .. } => ("account", Some(Uuid::from(*account))),
            Actor::Anonymous => ("anonymous", None),
            Actor::System(_) => ("system", None),
        };
        audit_entries::Model {
            id: Ids.next::<AuditEntryId>(),
            organization_id: self.organization.unwrap_or(home),
            occurred_at: caller.now(),
            event: self.kind.code().to_owned(),
            severity: self.kind.severity().as_str().to_owned(),
            class: self.kind.class().as_str().to_owned(),
            outcome: self.outcome.as_str().to_owned(),
            actor_type: actor_type.to_owned(),
            actor_id,
            target_type: self.kind.target().to_owned(),
            target_id: self.target,
            address: caller.origin.address.map(|address| address.to_string()),
            user_agent: caller.origin.user_agent.as_deref().map(str::to_owned),
            request_id: Some(caller.origin.request_id.to_string()),
            metadata: Value::Object(self.metadata.clone()),
        }
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
            "session" | "known_device" => self.account.or_else(|| caller.account()),
            _ => None,
        }
    }
}

/// Several things that one transaction did: two statements, however many they are, and two more for what is about a
/// managed account.
impl Record for Vec<Event> {
    async fn record(self, tx: &WriteTx) -> Result<()> {
        let events: Vec<_> = self.into_iter().map(|event| event.by(tx.caller())).collect();
        let managers = write(tx, &events).await?;
        if managers.is_empty() {
            return Ok(());
        }
        let copies = events.iter().filter_map(|event| {
            let subject = event.subject(tx.caller())?;
            let manager = managers.iter().find(|manager| manager.account == subject)?;
            Some(event.clone().in_organization(manager.organization))
        });
        write(tx, &copies.collect::<Vec<_>>()).await?;
        Ok(())
    }
}

/// Writes entries, and finds the organisations that manage the accounts that they are about.
async fn write(tx: &WriteTx, events: &[Event]) -> Result<Vec<Manager>> {
    let (mut entries, mut words) = (Vec::new(), Words::default());
    for event in events {
        let row = event.row(tx.caller());
        for word in event.words(&row) {
            words.organizations.push(row.organization_id.into());
            words.words.push(word);
            words.entries.push(row.id.into());
        }
        entries.push(audit_entries::ActiveModel::from(row));
    }
    tx.append(entries).await?;
    let accounts: BTreeSet<Uuid> =
        events.iter().filter_map(|event| event.subject(tx.caller())).map(Uuid::from).collect();
    let accounts: Vec<Uuid> = accounts.into_iter().collect();
    tx.query(WORDS, [words.organizations.into(), words.words.into(), words.entries.into(), accounts.into()]).await
}

/// An account and the organisation that manages it.
#[derive(FromQueryResult)]
struct Manager {
    account: AccountId,
    organization: OrganizationId,
}

/// The words of several entries, column by column: one statement, whatever their number.
#[derive(Default)]
struct Words {
    organizations: Vec<Uuid>,
    words: Vec<String>,
    entries: Vec<Uuid>,
}

const WORDS: &str = "
    WITH words AS (
        INSERT INTO audit_words (organization_id, word, entry_id)
        SELECT * FROM unnest($1::uuid[], $2::text[], $3::uuid[]))
    SELECT a.id AS account, a.managed_by AS organization FROM accounts a
    WHERE a.id = ANY ($4::uuid[]) AND a.managed_by IS NOT NULL";

impl Record for Event {
    async fn record(self, tx: &WriteTx) -> Result<()> {
        vec![self].record(tx).await
    }
}
