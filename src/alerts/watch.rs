//! One look at the record: what is new is counted and raised, and how far it was looked at is written down, together.

use std::collections::{BTreeSet, HashMap};

use entity::{AuditEntryId, alert_rules};
use sea_orm::{ColumnTrait, QueryFilter};
use uuid::Uuid;

use super::{
    AlertPolicy, Grouping,
    matching::{Own, Rule, Subjects, Wait, matched},
    news::{self, Entry, News},
    raise::{self, Present},
};
use crate::{
    audit::{self, Severity},
    db::{Db, Tx, Unrecorded, WriteTx},
    error::{Error, Result},
    types::Caller,
    vault::Vault,
};

/// How many entries are opened at once for the addresses that they came from.
const AT_ONCE: usize = 1_000;

/// What a look saw.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// How many entries were new.
    pub entries: usize,
    /// How many alerts were raised.
    pub raised: usize,
    /// Whether there is more to see at once.
    pub more: bool,
}

/// Looks at what is new in the record. While nothing is, that is one query. Whoever looks at the same time waits.
///
/// # Errors
/// When the database fails or another instance leads: nothing was counted then.
pub async fn look(db: &Db, vault: &Vault, policy: &AlertPolicy, caller: &Caller) -> Result<Seen> {
    let news = news::read(&db.read(caller).await?).await?;
    if news.entries.is_empty() && !news.is_stale {
        return Ok(Seen::default());
    }
    let tx = db.write(caller).await?;
    news::alone(&tx).await?;
    let News { entries, more, next, .. } = news::read(&tx).await?;
    let own = own_rules(&tx, &entries).await?;
    let matched = matched(policy, &own, &entries);
    let addresses = addresses(vault, &tx, &matched).await?;
    let touched = Subjects::new(vault)?.touched(matched, &addresses)?;
    let organizations: BTreeSet<Uuid> = touched.keys().map(|key| key.organization.into()).collect();
    let there = existing(&tx, organizations.into_iter().collect()).await?;
    let touched = touched.into_iter().filter(|(key, _)| there.contains(&key.organization.into())).collect();
    let mut present = Present::read(&tx, there.into_iter().collect()).await?;
    let raised = raise::count(vault, &tx, &mut present, touched).await?;
    news::move_on(&tx, next).await?;
    let seen = Seen { entries: entries.len(), raised: raised.len(), more };
    match raised.is_empty() {
        true => tx.commit(Unrecorded("what is counted for alerts is in the record already")).await?,
        false => tx.commit(raised).await?,
    }
    Ok(seen)
}

/// The rules of their own of the organisations that these entries belong to.
async fn own_rules(tx: &WriteTx, entries: &[Entry]) -> Result<Vec<Own>> {
    let organizations: BTreeSet<Uuid> = entries.iter().map(|entry| entry.organization.into()).collect();
    let query = tx.find::<alert_rules::Entity>().filter(alert_rules::Column::Enabled.eq(true));
    let rows = tx.all(query.filter(alert_rules::Column::OrganizationId.is_in(organizations))).await?;
    let own = rows.into_iter().filter_map(|row| {
        let waits = match (row.event, row.at_least) {
            (Some(code), _) => Wait::Event(code),
            (None, least) => Wait::AtLeast(Severity::find(&least?)?),
        };
        let (count, minutes) = (row.count.into(), row.minutes.into());
        let (by, severity) = (Grouping::find(&row.by)?, Severity::find(&row.severity)?);
        let rule = Rule { key: row.id.to_string(), title: row.name, count, minutes, by, severity };
        Some(Own { organization: row.organization_id, waits, rule })
    });
    Ok(own.collect())
}

/// From where the entries came that rules by address are for.
async fn addresses(vault: &Vault, tx: &Tx, matched: &[(&Entry, Rule)]) -> Result<HashMap<AuditEntryId, String>> {
    let wanted = matched.iter().filter(|(_, rule)| rule.by == Grouping::Address).map(|(entry, _)| entry.id);
    let wanted: Vec<AuditEntryId> = wanted.collect::<BTreeSet<_>>().into_iter().collect();
    let mut addresses = HashMap::new();
    for some in wanted.chunks(AT_ONCE) {
        let entries = match audit::feed::of_ids(vault, tx, some.to_vec()).await {
            Ok(entries) => entries,
            // What can't be opened for good must not keep everything else from being seen.
            Err(Error::Internal(reason)) => {
                tracing::error!(%reason, "addresses of entries can't be opened; they are counted together");
                continue;
            }
            Err(error) => return Err(error),
        };
        addresses.extend(entries.into_iter().filter_map(|entry| Some((entry.row.id, entry.personal.address?))));
    }
    Ok(addresses)
}

#[derive(sea_orm::FromQueryResult)]
struct Existing {
    id: Uuid,
}

/// Those of some organisations that have not been removed.
async fn existing(tx: &Tx, organizations: Vec<Uuid>) -> Result<BTreeSet<Uuid>> {
    let rows: Vec<Existing> =
        tx.query("SELECT id FROM organizations WHERE id = ANY ($1)", [organizations.into()]).await?;
    Ok(rows.into_iter().map(|row| row.id).collect())
}
