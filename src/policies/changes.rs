//! The difference between two moments: which operations and roles changed, and who got or lost what, when and by whom.

use std::collections::{BTreeMap, HashMap};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::TimeDelta;
use entity::{AccountId, OrganizationId};
use sea_orm::FromQueryResult;
use serde_json::{Map as Fields, Value};
use uuid::Uuid;

use super::{
    export::policy_at,
    history::{self, By},
    map::{Read, hex},
    revisions::Revision,
};
use crate::{
    accounts::{self, Person},
    app::App,
    db::Tx,
    error::{Error, Fault, Result},
    runtime::Timestamp,
    types::Caller,
};

/// The most changes of a page, and how many there are when the client does not say.
const MOST: u64 = 200;
const DEFAULT: u64 = 100;

/// What is compared.
#[derive(Clone, Debug)]
pub struct Between {
    /// Changes in one organisation, or in all that the caller sees.
    pub organization: Option<OrganizationId>,
    /// As it was then; when the history began, if it does not say.
    pub from: Option<Timestamp>,
    /// As it was later; now, if it does not say.
    pub to: Option<Timestamp>,
    /// How many changes of holders at most.
    pub limit: Option<u64>,
    /// Where the last page ended.
    pub cursor: Option<String>,
}

/// What is different.
pub struct Changes {
    /// The revision of the policy before, with its SHA-256.
    pub from: (i32, String),
    /// The revision after.
    pub to: (i32, String),
    /// Of the operations.
    pub operations: Differences,
    /// Of the roles.
    pub roles: Differences,
    /// What happened to those who hold roles, the oldest first.
    pub holders: Vec<Change>,
    /// Where the next page begins.
    pub next: Option<String>,
}

/// What is different between two lists of named things.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Differences {
    /// Names that are new.
    pub added: Vec<String>,
    /// Names that are gone.
    pub removed: Vec<String>,
    /// What both have, and how it changed.
    pub changed: Vec<Difference>,
}

/// One field of one thing.
#[derive(Debug, PartialEq, Eq)]
pub struct Difference {
    /// The thing.
    pub name: String,
    /// The field; a role's decision is `decisions.role`.
    pub field: String,
    /// What it said; nothing if it was empty.
    pub from: Option<String>,
    /// What it says.
    pub to: Option<String>,
}

/// Something that happened to somebody's roles.
pub struct Change {
    /// When.
    pub at: Timestamp,
    /// What happened: `granted`, `changed` or `lost`.
    pub change: &'static str,
    /// To what: `membership`, `team`, `team_member`, `service_account`, `custom_role`, or that one of the others holds
    /// one, such as `team_custom_role`.
    pub kind: String,
    /// Where.
    pub organization: Uuid,
    /// The membership, team, service account or custom role.
    pub id: Uuid,
    /// The person, of a membership and of a place in a team.
    pub account: Option<AccountId>,
    /// What the person, team or service account is called, where the caller sees that.
    pub name: Option<String>,
    /// That the person has been erased.
    pub erased: bool,
    /// The team, and what it was called then, of a place in it.
    pub team: Option<(Uuid, Option<String>)>,
    /// How many were in the team then, of what happened to a team.
    pub members: Option<i64>,
    /// The role before and after.
    pub role: (Option<String>, Option<String>),
    /// The status before and after.
    pub status: (Option<String>, Option<String>),
    /// The custom role that was got or lost, and what it was called then.
    pub custom_role: Option<(Uuid, Option<String>)>,
    /// What a custom role permitted before and after.
    pub permissions: (Option<Vec<String>>, Option<Vec<String>>),
    /// By whom.
    pub by: By,
    /// In which request.
    pub request_id: Option<String>,
    /// The entry of the record, if it is there.
    pub entry: Option<Uuid>,
}

#[derive(FromQueryResult)]
struct Row {
    id: i64,
    organization_id: Uuid,
    kind: String,
    object_id: Uuid,
    account_id: Option<AccountId>,
    team_id: Option<Uuid>,
    team_name: Option<String>,
    change: String,
    role: Option<String>,
    name: Option<String>,
    status: Option<String>,
    role_before: Option<String>,
    status_before: Option<String>,
    custom_role_id: Option<Uuid>,
    custom_role: Option<String>,
    permissions: Option<Vec<String>>,
    permissions_before: Option<Vec<String>>,
    members: Option<i64>,
    at: Timestamp,
    actor_type: String,
    actor_id: Option<Uuid>,
    request_id: Option<String>,
    entry_id: Option<Uuid>,
}

const CHANGES: &str = "
    SELECT h.id, h.organization_id, h.kind, h.object_id, coalesce(h.account_id, m.account_id) AS account_id, h.team_id,
           t.name AS team_name, h.change, coalesce(h.role, t.role) AS role, h.name, h.status, p.role AS role_before,
           p.status AS status_before, h.custom_role_id, r.name AS custom_role, h.permissions,
           p.permissions AS permissions_before, n.members, h.at, h.actor_type, h.actor_id, h.request_id, e.id AS entry_id
    FROM access_history h
    LEFT JOIN LATERAL (
        SELECT p.role, p.status, p.permissions FROM access_history p
        WHERE p.organization_id = h.organization_id AND p.object_id = h.object_id AND p.kind = h.kind AND p.id < h.id
        ORDER BY p.at DESC, p.id DESC LIMIT 1
    ) p ON h.change = 'changed'
    LEFT JOIN LATERAL (
        SELECT m.account_id FROM access_history m
        WHERE m.organization_id = h.organization_id AND m.object_id = h.object_id AND m.kind = 'membership' LIMIT 1
    ) m ON h.kind IN ('team_member', 'membership_custom_role')
    LEFT JOIN LATERAL (
        SELECT t.role, t.name FROM access_history t
        WHERE t.organization_id = h.organization_id AND t.object_id = h.team_id AND t.kind = 'team' AND t.id < h.id
        ORDER BY t.at DESC, t.id DESC LIMIT 1
    ) t ON h.kind = 'team_member'
    LEFT JOIN LATERAL (
        SELECT r.name FROM access_history r
        WHERE r.organization_id = h.organization_id AND r.object_id = h.custom_role_id AND r.kind = 'custom_role' AND r.id < h.id
        ORDER BY r.at DESC, r.id DESC LIMIT 1
    ) r ON h.custom_role_id IS NOT NULL
    LEFT JOIN LATERAL (
        SELECT count(*) AS members FROM (
            SELECT DISTINCT ON (x.object_id) x.change FROM access_history x
            WHERE x.kind = 'team_member' AND x.organization_id = h.organization_id AND x.team_id = h.object_id AND x.id < h.id
            ORDER BY x.object_id, x.at DESC, x.id DESC
        ) x WHERE x.change <> 'ended'
    ) n ON h.kind IN ('team', 'team_custom_role')
    LEFT JOIN LATERAL (
        SELECT e.id FROM audit_entries e
        WHERE e.organization_id = h.organization_id AND e.request_id = h.request_id
          AND e.target_id IN (h.object_id, h.team_id, h.custom_role_id)
        ORDER BY e.id LIMIT 1
    ) e ON h.request_id IS NOT NULL
    WHERE ($1::uuid IS NULL OR h.organization_id = $1) AND h.at > $2 AND h.at <= $3 AND (h.at, h.id) > ($4, $5)
      AND h.change <> 'known'
      AND (h.change <> 'changed' OR (p.role, p.status, p.permissions) IS DISTINCT FROM (h.role, h.status, h.permissions))
      AND (h.kind <> 'team' OR h.role IS NOT NULL OR p.role IS NOT NULL)
      AND (h.kind <> 'team_member' OR t.role IS NOT NULL)
    ORDER BY h.at, h.id LIMIT $6";

/// What is different between two moments.
///
/// # Errors
/// `Invalid` for moments that the history does not have or that are the wrong way round, and for a limit or cursor that
/// is none.
pub async fn between(app: &App, caller: &Caller, asked: Between) -> Result<Changes> {
    let limit = asked.limit.unwrap_or(DEFAULT);
    if !(1..=MOST).contains(&limit) {
        let fault = Fault::parameter("limit", "range", format!("must be between 1 and {MOST}"));
        return Err(Error::Invalid(vec![fault]));
    }
    let cursor = asked.cursor.as_deref().map(parse).transpose()?;
    let organization = caller.organization().or(asked.organization);
    let tx = app.db.read(caller).await?;
    let beginning = history::beginning(&tx, organization).await?;
    let (from, to) = (asked.from.unwrap_or(beginning), asked.to.unwrap_or(caller.now()));
    history::within("from", from, beginning, caller.now())?;
    history::within("to", to, beginning, caller.now())?;
    if to < from {
        return Err(Error::Invalid(vec![Fault::parameter("to", "before_from", "must not be before `from`")]));
    }
    let before = policy_at(app, &tx, Some(from)).await?;
    let after = policy_at(app, &tx, Some(to)).await?;
    let most = i64::try_from(limit + 1).unwrap_or(i64::MAX);
    let organization = organization.map(Uuid::from);
    // What happened at `from` itself was so then already; without it the first moment of the history counts too.
    let past = if asked.from.is_some() { from } else { from - TimeDelta::microseconds(1) };
    let (at, id) = cursor.unwrap_or((past, i64::MAX));
    let values = [organization.into(), past.into(), to.into(), at.into(), id.into(), most.into()];
    let mut rows: Vec<Row> = tx.query(CHANGES, values).await?;
    let most = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = rows.len() > most;
    rows.truncate(most);
    let next = rows.last().filter(|_| more).map(|last| encode(last.at, last.id));
    let side = |(revision, _): &(Revision, Read)| (revision.number, hex(&revision.digest));
    Ok(Changes {
        from: side(&before),
        to: side(&after),
        operations: differences(("operation", &before.1.operations), &after.1.operations),
        roles: differences(("name", &before.1.roles), &after.1.roles),
        holders: named(app, &tx, rows).await?,
        next,
    })
}

/// Compares two lists of things that have a name in this field.
fn differences((name, before): (&str, &[Value]), after: &[Value]) -> Differences {
    let by_name = |things: &[Value]| -> BTreeMap<String, BTreeMap<String, String>> {
        let named = things.iter().filter_map(|thing| Some((thing.get(name)?.as_str()?.to_owned(), thing.as_object()?)));
        named.map(|(name, fields)| (name, flat(fields))).collect()
    };
    let (before, after) = (by_name(before), by_name(after));
    let mut differences = Differences {
        added: after.keys().filter(|name| !before.contains_key(*name)).cloned().collect(),
        removed: before.keys().filter(|name| !after.contains_key(*name)).cloned().collect(),
        changed: Vec::new(),
    };
    for (name, was) in &before {
        let Some(is) = after.get(name) else { continue };
        let mut fields: Vec<_> = was.keys().chain(is.keys()).collect();
        fields.sort_unstable();
        fields.dedup();
        for field in fields.into_iter().filter(|field| was.get(*field) != is.get(*field)) {
            let (from, to) = (was.get(field).cloned(), is.get(field).cloned());
            differences.changed.push(Difference { name: name.clone(), field: field.clone(), from, to });
        }
    }
    differences
}

/// The fields of a thing as text; those of an object in it by both names.
fn flat(fields: &Fields<String, Value>) -> BTreeMap<String, String> {
    let mut flat = BTreeMap::new();
    for (name, value) in fields {
        match value {
            Value::Null => {}
            Value::String(text) => drop(flat.insert(name.clone(), text.clone())),
            Value::Object(inner) => {
                let inner = inner.iter().filter_map(|(key, value)| Some((format!("{name}.{key}"), value.as_str()?)));
                flat.extend(inner.map(|(key, value)| (key, value.to_owned())));
            }
            other => drop(flat.insert(name.clone(), other.to_string())),
        }
    }
    flat
}

/// The changes, with names where the caller sees them: an organisation those of its own, the platform those of its own
/// organisation (AZ-2).
async fn named(app: &App, tx: &Tx, rows: Vec<Row>) -> Result<Vec<Change>> {
    let own = history::own(tx);
    let seen = rows.iter().filter(|row| row.organization_id == own).filter_map(|row| row.account_id);
    let people = accounts::people(&app.vault, tx, seen.collect::<Vec<_>>()).await?;
    let name = |id: AccountId| match people.get(&id) {
        Some(Person::Known(account)) => (Some(account.name.clone()), false),
        Some(Person::Erased(_)) => (None, true),
        None => (None, false),
    };
    let names: HashMap<AccountId, (Option<String>, bool)> = people.keys().map(|id| (*id, name(*id))).collect();
    let change = |row: Row| {
        let shown = row.organization_id == own;
        let (name, erased) =
            row.account_id.filter(|_| shown).and_then(|id| names.get(&id).cloned()).unwrap_or_default();
        let (role, status, permissions, change) = match row.change.as_str() {
            "began" => ((None, row.role), (None, row.status), (None, row.permissions), "granted"),
            "ended" => ((row.role, None), (row.status, None), (row.permissions, None), "lost"),
            _ => (
                (row.role_before, row.role),
                (row.status_before, row.status),
                (row.permissions_before, row.permissions),
                "changed",
            ),
        };
        Change {
            at: row.at,
            change,
            organization: row.organization_id,
            id: row.object_id,
            account: row.account_id,
            name: name.or(row.name),
            erased,
            team: row.team_id.map(|id| (id, row.team_name)),
            members: row.members,
            role,
            status,
            custom_role: row.custom_role_id.map(|id| (id, row.custom_role)),
            permissions,
            by: By::unnamed(row.actor_type, row.actor_id),
            request_id: row.request_id,
            entry: row.entry_id,
            kind: row.kind,
        }
    };
    let mut changes: Vec<Change> = rows.into_iter().map(change).collect();
    history::name(app, tx, changes.iter_mut().map(|change| (change.organization, &mut change.by))).await?;
    Ok(changes)
}

fn encode(at: Timestamp, id: i64) -> String {
    URL_SAFE_NO_PAD.encode([at.timestamp_micros().to_be_bytes(), id.to_be_bytes()].concat())
}

fn parse(text: &str) -> Result<(Timestamp, i64)> {
    let no_cursor = || Error::Invalid(vec![Fault::parameter("cursor", "format", "is not a cursor that a page gave")]);
    let bytes: [u8; 16] =
        URL_SAFE_NO_PAD.decode(text).ok().and_then(|bytes| bytes.try_into().ok()).ok_or_else(no_cursor)?;
    let number = u128::from_be_bytes(bytes);
    let (at, id) = ((number >> 64) as u64, number as u64);
    let at = chrono::DateTime::from_timestamp_micros(at.cast_signed()).ok_or_else(no_cursor)?;
    Ok((at, id.cast_signed()))
}
