//! Counting, and raising what has been counted.

use std::collections::{BTreeMap, HashMap, HashSet};

use entity::{AlertId, OrganizationId};
use sea_orm::FromQueryResult;
use uuid::Uuid;

use super::{
    ADDRESS, MOST_OPEN,
    matching::{Key, REST, Touch},
};
use crate::{
    audit::{Event, Kind},
    db::WriteTx,
    error::Result,
    runtime::{Ids, Timestamp},
    vault::Vault,
};

/// What there is already of some organisations.
pub(super) struct Present {
    open: HashMap<(OrganizationId, String), HashSet<Vec<u8>>>,
    muted: HashMap<(OrganizationId, String), Timestamp>,
}

#[derive(FromQueryResult)]
struct Open {
    organization_id: OrganizationId,
    rule: String,
    subject: Vec<u8>,
}

#[derive(FromQueryResult)]
struct Muted {
    organization_id: OrganizationId,
    rule: String,
    muted_until: Timestamp,
}

const OPEN: &str = "
    SELECT organization_id, rule, subject FROM alerts WHERE organization_id = ANY ($1) AND state = 'open'";
const MUTED: &str = "
    SELECT organization_id, rule, muted_until FROM alert_mutes
    WHERE organization_id = ANY ($1) AND muted_until > clock_timestamp()";

impl Present {
    /// Reads it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn read(tx: &WriteTx, organizations: Vec<Uuid>) -> Result<Self> {
        let rows: Vec<Open> = tx.query(OPEN, [organizations.clone().into()]).await?;
        let mut open: HashMap<_, HashSet<_>> = HashMap::new();
        for Open { organization_id, rule, subject } in rows {
            open.entry((organization_id, rule)).or_default().insert(subject);
        }
        let rows: Vec<Muted> = tx.query(MUTED, [organizations.into()]).await?;
        let muted = rows.into_iter().map(|row| ((row.organization_id, row.rule), row.muted_until)).collect();
        Ok(Self { open, muted })
    }

    fn of(&mut self, key: &Key) -> &mut HashSet<Vec<u8>> {
        self.open.entry((key.organization, key.rule.clone())).or_default()
    }
}

/// Adds what came to open alerts, counts the rest, and raises what is enough. Returns the entries for the record.
///
/// # Errors
/// When the database fails.
pub(super) async fn count(
    vault: &Vault,
    tx: &WriteTx,
    present: &mut Present,
    touched: BTreeMap<Key, Touch>,
) -> Result<Vec<Event>> {
    let mut rest = Vec::new();
    for (key, touch) in touched {
        if !(present.of(&key).contains(&key.subject) && grow(tx, &key, &touch).await?) {
            rest.push((key, touch));
        }
    }
    add(tx, &rest).await?;
    let reached = totals(tx, &rest).await?;
    let (mut events, mut beyond): (Vec<Event>, BTreeMap<Key, Touch>) = Default::default();
    for (at, (key, touch)) in rest.into_iter().enumerate() {
        let Some(total) = reached.get(&at) else { continue };
        forget(tx, &key).await?;
        if present.of(&key).len() >= MOST_OPEN {
            let key = Key { subject: REST.to_vec(), ..key };
            let touch = Touch { actor: None, address: None, ..touch };
            let touch = match beyond.remove(&key) {
                Some(other) => other.and(&touch),
                None => touch,
            };
            beyond.insert(key, touch);
            continue;
        }
        present.of(&key).insert(key.subject.clone());
        events.extend(raise(vault, tx, present, (&key, &touch, *total)).await?);
    }
    for (key, touch) in beyond {
        if !grow(tx, &key, &touch).await? {
            let total = Total { total: touch.number(), first_at: touch.first };
            events.extend(raise(vault, tx, present, (&key, &touch, total)).await?);
        }
    }
    Ok(events)
}

const GROW: &str = "
    UPDATE alerts SET count = count + $4, first_at = least(first_at, $5), last_at = greatest(last_at, $6),
        entries = (entries || $7::uuid[])[greatest(1, cardinality(entries) + cardinality($7::uuid[]) - 9):]
    WHERE organization_id = $1 AND rule = $2 AND subject = $3 AND state = 'open'";

async fn grow(tx: &WriteTx, key: &Key, touch: &Touch) -> Result<bool> {
    let values = [
        key.organization.into(),
        key.rule.as_str().into(),
        key.subject.clone().into(),
        touch.number().into(),
        touch.first.into(),
        touch.last.into(),
        entries(touch).into(),
    ];
    Ok(tx.execute(GROW, values).await? > 0)
}

fn entries(touch: &Touch) -> Vec<Uuid> {
    touch.entries.iter().map(|id| Uuid::from(*id)).collect()
}

const ADD: &str = "
    INSERT INTO alert_counts (organization_id, rule, subject, part, count, first_at, until)
    SELECT * FROM unnest($1::uuid[], $2::text[], $3::bytea[], $4::bigint[], $5::bigint[], $6::timestamptz[], $7::timestamptz[])
    ON CONFLICT (organization_id, rule, subject, part) DO UPDATE SET count = alert_counts.count + excluded.count,
        first_at = least(alert_counts.first_at, excluded.first_at)";

async fn add(tx: &WriteTx, touched: &[(Key, Touch)]) -> Result<()> {
    let lines: Vec<_> = touched
        .iter()
        .flat_map(|(key, touch)| touch.parts.iter().map(move |(part, number)| (key, touch, *part, *number)))
        .collect();
    if lines.is_empty() {
        return Ok(());
    }
    let values = [
        lines.iter().map(|(key, ..)| Uuid::from(key.organization)).collect::<Vec<_>>().into(),
        lines.iter().map(|(key, ..)| key.rule.clone()).collect::<Vec<_>>().into(),
        lines.iter().map(|(key, ..)| key.subject.clone()).collect::<Vec<_>>().into(),
        lines.iter().map(|(_, _, part, _)| *part).collect::<Vec<_>>().into(),
        lines.iter().map(|(.., number)| *number).collect::<Vec<_>>().into(),
        lines.iter().map(|(_, touch, part, _)| touch.rule.begin(*part).max(touch.first)).collect::<Vec<_>>().into(),
        lines.iter().map(|(_, touch, part, _)| touch.rule.until(*part)).collect::<Vec<_>>().into(),
    ];
    tx.execute(ADD, values).await?;
    Ok(())
}

/// How much there is within a window, and when it began.
#[derive(Clone, Copy, Debug, FromQueryResult)]
struct Total {
    total: i64,
    first_at: Timestamp,
}

#[derive(FromQueryResult)]
struct TotalOf {
    at: i64,
    #[sea_orm(nested)]
    total: Total,
}

/// Of each, the fullest window that ends where something came, if it is enough.
const TOTALS: &str = "
    SELECT DISTINCT ON (u.at) u.at, t.total, t.first_at
    FROM unnest($1::bigint[], $2::uuid[], $3::text[], $4::bytea[], $5::bigint[], $6::bigint[], $7::bigint[])
        AS u (at, organization_id, rule, subject, part, back, enough)
    CROSS JOIN LATERAL (
        SELECT sum(c.count)::bigint AS total, min(c.first_at) AS first_at FROM alert_counts c
        WHERE c.organization_id = u.organization_id AND c.rule = u.rule AND c.subject = u.subject
          AND c.part BETWEEN u.part - u.back AND u.part) t
    WHERE t.total >= u.enough ORDER BY u.at, t.total DESC";

async fn totals(tx: &WriteTx, touched: &[(Key, Touch)]) -> Result<HashMap<usize, Total>> {
    let lines: Vec<_> = touched
        .iter()
        .enumerate()
        .flat_map(|(at, (key, touch))| touch.parts.keys().map(move |part| (at, key, &touch.rule, *part)))
        .collect();
    if lines.is_empty() {
        return Ok(HashMap::new());
    }
    let number = |at: &usize| i64::try_from(*at).unwrap_or(i64::MAX);
    let values = [
        lines.iter().map(|(at, ..)| number(at)).collect::<Vec<_>>().into(),
        lines.iter().map(|(_, key, ..)| Uuid::from(key.organization)).collect::<Vec<_>>().into(),
        lines.iter().map(|(_, key, ..)| key.rule.clone()).collect::<Vec<_>>().into(),
        lines.iter().map(|(_, key, ..)| key.subject.clone()).collect::<Vec<_>>().into(),
        lines.iter().map(|(.., part)| *part).collect::<Vec<_>>().into(),
        lines.iter().map(|(_, _, rule, _)| rule.back()).collect::<Vec<_>>().into(),
        lines.iter().map(|(_, _, rule, _)| rule.count).collect::<Vec<_>>().into(),
    ];
    let rows: Vec<TotalOf> = tx.query(TOTALS, values).await?;
    Ok(rows.into_iter().filter_map(|row| Some((usize::try_from(row.at).ok()?, row.total))).collect())
}

/// An alert takes what was counted for it along: what comes after it, once it is acknowledged, is counted anew.
async fn forget(tx: &WriteTx, key: &Key) -> Result<()> {
    let values = [key.organization.into(), key.rule.as_str().into(), key.subject.clone().into()];
    tx.execute(FORGET, values).await?;
    Ok(())
}

/// What was counted for a subject.
pub(super) const FORGET: &str = "DELETE FROM alert_counts WHERE organization_id = $1 AND rule = $2 AND subject = $3";

/// An organisation may have been removed since; somebody may have opened an alert again meanwhile.
const RAISE: &str = "
    INSERT INTO alerts (id, organization_id, rule, title, severity, by, subject, actor_type, actor_id, address, count,
        first_at, last_at, raised_at, entries, state, muted_until)
    SELECT $1, o.id, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, clock_timestamp(), $14::uuid[], 'open', $15
    FROM organizations o WHERE o.id = $2
    ON CONFLICT (organization_id, rule, subject) WHERE state = 'open' DO UPDATE SET
        count = alerts.count + excluded.count, last_at = greatest(alerts.last_at, excluded.last_at)
    RETURNING id";

#[derive(FromQueryResult)]
struct Raised {
    id: AlertId,
}

async fn raise(
    vault: &Vault,
    tx: &WriteTx,
    present: &Present,
    (key, touch, total): (&Key, &Touch, Total),
) -> Result<Option<Event>> {
    let id: AlertId = Ids.next();
    let rule = &touch.rule;
    let by = if key.subject == REST { "rest" } else { rule.by.as_str() };
    let (actor_type, actor_id) = touch.actor.clone().unzip();
    let address = touch.address.as_deref().map(|text| vault.seal(ADDRESS, id, text.as_bytes())).transpose()?;
    let muted = present.muted.get(&(key.organization, key.rule.clone())).copied();
    let values = [
        id.into(),
        key.organization.into(),
        key.rule.as_str().into(),
        rule.title.as_str().into(),
        rule.severity.as_str().into(),
        by.into(),
        key.subject.clone().into(),
        actor_type.into(),
        actor_id.flatten().into(),
        address.map(|sealed| sealed.as_bytes().to_vec()).into(),
        total.total.into(),
        total.first_at.min(touch.first).into(),
        touch.last.into(),
        entries(touch).into(),
        muted.into(),
    ];
    let raised: Vec<Raised> = tx.query(RAISE, values).await?;
    let event = Event::new(Kind::AlertRaised, id).in_organization(key.organization);
    let event = event.with("rule", key.rule.as_str()).with("severity", rule.severity.as_str()).with("by", by);
    Ok(raised.iter().any(|row| row.id == id).then_some(event))
}
