//! The data keys of the installation: which there are, and the change from one of a scope to the next (DAT-6).
//!
//! A rotation is a row that says how far it is, and a job that goes on from there: whoever leads takes it up, and after
//! a crash begins again with the batch that was not committed. The new key is announced first; nothing is sealed under
//! it until every instance knows it. The old one is retired once nothing is under it, and destroyed only when somebody
//! says so. This module owns `key_rotations`; the keys are the vault's.

mod rotation;

use std::collections::HashMap;

use entity::{
    DataKeyId, KeyRotationId, Secrets,
    data_keys::State,
    key_rotations::{self as rows, Step},
};
use sea_orm::{ColumnTrait, FromQueryResult, QueryFilter};

pub use rotation::rotate;

use crate::{
    accounts, alerts,
    app::App,
    audit::{self, Event, Kind},
    certificates,
    db::{Tx, WriteTx},
    error::{Code, Error, Result},
    jobs, mail, mfa, people, retention,
    runtime::Ids,
    sessions,
    tenancy::{attributes, invitations, service_accounts, sign_ups},
    types::{Caller, Page, PageRequest},
    vault::{self, Acknowledgements, Custodian, Table},
};

/// The job that goes on with rotations.
pub const JOB: &str = "keys_rotate";

/// Answers of idempotent calls.
const ANSWERS: &[Table] = &[crate::vault::sealed_table!("idempotency_keys", Secrets, ["answer"])];

/// A data key.
pub type DataKey = entity::data_keys::Model;
/// A rotation.
pub type Rotation = rows::Model;

/// The lock under which the keys of a scope change.
const LOCK: &str = "data keys";

/// Every table with something sealed.
fn all_tables() -> impl Iterator<Item = &'static Table> {
    let all = [
        accounts::SEALED,
        mfa::SEALED,
        invitations::SEALED,
        service_accounts::SEALED,
        sign_ups::SEALED,
        attributes::SEALED,
        people::SEALED,
        sessions::SEALED,
        alerts::SEALED,
        audit::SEALED,
        retention::SEALED,
        mail::SEALED,
        certificates::SEALED,
        ANSWERS,
    ];
    all.into_iter().flatten()
}

/// Every table that has sealed values of a scope.
fn tables(scope: &str) -> impl Iterator<Item = &'static Table> {
    all_tables().filter(move |table| table.scope.is_none_or(|own| own == scope))
}

/// The keys of an installation, and how it is with them.
pub struct Inventory {
    /// The keys, by scope, the newest first.
    pub keys: Vec<DataKey>,
    /// The scopes that values can be sealed in.
    pub scopes: Vec<String>,
    /// The root key that this instance works with.
    pub root_key: String,
    /// Who keeps it.
    pub custodian: Custodian,
    /// Who knows the keys as they are.
    pub acknowledgements: Acknowledgements,
}

/// The keys.
///
/// # Errors
/// When the database fails.
pub async fn inventory(app: &App, caller: &Caller) -> Result<Inventory> {
    let tx = app.db.read(caller).await?;
    let mut keys = vault::stored(&tx).await?;
    keys.retain(|key| app.vault.scopes().contains(&key.scope));
    Ok(Inventory {
        keys,
        scopes: app.vault.scopes().to_vec(),
        root_key: app.vault.root_key(),
        custodian: app.vault.root_key_custodian(),
        acknowledgements: vault::acknowledgements(&tx).await?,
    })
}

/// How many values are under each key, in all columns. It reads every protected row.
///
/// # Errors
/// When the database fails.
pub async fn census(app: &App, caller: &Caller) -> Result<HashMap<DataKeyId, i64>> {
    let tx = app.db.read(caller).await?;
    let mut numbers = HashMap::new();
    for column in all_tables().flat_map(|table| table.columns) {
        for under in column.census(&tx).await? {
            *numbers.entry(under.key).or_default() += under.number;
        }
    }
    Ok(numbers)
}

/// How many values a column has under a key.
pub struct Counted {
    /// The column.
    pub column: &'static str,
    /// How many.
    pub rows: i64,
}

/// What a rotation would seal anew.
pub struct Preview {
    /// The key that seals now.
    pub from: DataKey,
    /// What is under it.
    pub counted: Vec<Counted>,
}

/// What a rotation of a scope would seal anew. Nothing is changed.
///
/// # Errors
/// `NotFound` for a scope that there is none of.
pub async fn preview(app: &App, caller: &Caller, scope: &str) -> Result<Preview> {
    known(app, scope)?;
    let tx = app.db.read(caller).await?;
    let from = active(&tx, scope).await?;
    Ok(Preview { counted: counted(&tx, scope, from.id).await?, from })
}

async fn counted(tx: &Tx, scope: &str, key: DataKeyId) -> Result<Vec<Counted>> {
    let mut counted = Vec::new();
    for column in tables(scope).flat_map(|table| table.columns) {
        counted.push(Counted { column: column.name, rows: column.count(tx, key).await? });
    }
    Ok(counted)
}

/// Starts the change to a new key of a scope.
///
/// # Errors
/// `NotFound` for a scope that there is none of; `Conflict` with `operation_in_progress` while one of it is going on.
pub async fn start(app: &App, caller: &Caller, scope: &str) -> Result<Rotation> {
    known(app, scope)?;
    let next = app.vault.next(scope, caller.now()).await?;
    let tx = app.db.write(caller).await?;
    tx.lock(LOCK).await?;
    let running = tx.find_identity::<rows::Entity>().filter(rows::Column::Scope.eq(scope));
    if tx.one(running.filter(rows::Column::FinishedAt.is_null())).await?.is_some() {
        return Err(Error::Conflict(Code::OperationInProgress));
    }
    let present = active(&tx, scope).await?;
    let total = counted(&tx, scope, present.id).await?.iter().map(|counted| counted.rows).sum();
    let row = rows::Model {
        id: Ids.next(),
        scope: scope.to_owned(),
        from_key: present.id,
        to_key: next.id,
        step: Step::Announcing,
        paused: false,
        at_column: None,
        at_row: None,
        rows_total: total,
        rows_done: 0,
        passes: 0,
        started_by: caller.account(),
        started_at: caller.now(),
        updated_at: caller.now(),
        finished_at: None,
    };
    let event = Event::new(Kind::KeyRotationStarted, row.id).with("scope", scope).with("version", next.version);
    vault::add(&tx, next).await?;
    let row = tx.insert(rows::ActiveModel::from(row)).await?;
    jobs::enqueue_now(&tx, JOB).await?;
    tx.commit(event).await?;
    Ok(row)
}

/// The rotations, the latest first.
///
/// # Errors
/// When the database fails.
pub async fn list(app: &App, caller: &Caller, page: PageRequest) -> Result<Page<Rotation>> {
    let tx = app.db.read(caller).await?;
    tx.page(tx.find_identity::<rows::Entity>(), rows::Column::Id, |row| row.id.into(), page).await
}

/// One rotation.
///
/// # Errors
/// `NotFound`.
pub async fn get(app: &App, caller: &Caller, id: KeyRotationId) -> Result<Rotation> {
    find(&app.db.read(caller).await?, id).await
}

async fn find(tx: &Tx, id: KeyRotationId) -> Result<Rotation> {
    let row = tx.find_identity::<rows::Entity>().filter(rows::Column::Id.eq(id));
    tx.one(row).await?.ok_or_else(Error::not_found)
}

/// Stops a rotation after the batch that it is at; everything goes on working with both keys.
///
/// # Errors
/// `NotFound` when there is none that is going on.
pub async fn pause(app: &App, caller: &Caller, id: KeyRotationId) -> Result<Rotation> {
    let tx = app.db.write(caller).await?;
    let row = set_paused(&tx, id, Pause::Paused).await?;
    tx.commit(Event::new(Kind::KeyRotationPaused, id).with("scope", row.scope.as_str())).await?;
    Ok(row)
}

/// Lets a rotation go on.
///
/// # Errors
/// `NotFound` when there is none that has not finished.
pub async fn resume(app: &App, caller: &Caller, id: KeyRotationId) -> Result<Rotation> {
    let tx = app.db.write(caller).await?;
    let row = set_paused(&tx, id, Pause::Going).await?;
    jobs::enqueue_now(&tx, JOB).await?;
    tx.commit(Event::new(Kind::KeyRotationResumed, id).with("scope", row.scope.as_str())).await?;
    Ok(row)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Pause {
    Paused,
    Going,
}

async fn set_paused(tx: &WriteTx, id: KeyRotationId, pause: Pause) -> Result<Rotation> {
    let sql = "UPDATE key_rotations SET paused = $2, updated_at = $3 WHERE id = $1 AND finished_at IS NULL";
    let values = [id.into(), (pause == Pause::Paused).into(), tx.caller().now().into()];
    match tx.execute(sql, values).await? {
        0 => Err(Error::not_found()),
        _ => find(tx, id).await,
    }
}

/// Destroys a retired key: whatever is still under it, here or in a copy of the database, can't be opened any more.
///
/// # Errors
/// `NotFound` for a key that is none; `Conflict` with `key_in_use` unless it is retired and nothing is under it.
pub async fn destroy(app: &App, caller: &Caller, id: DataKeyId) -> Result<DataKey> {
    let tx = app.db.write(caller).await?;
    tx.lock(LOCK).await?;
    let stored = async || Ok::<_, Error>(vault::stored(&tx).await?.into_iter().find(|key| key.id == id));
    let key = stored().await?.filter(|key| app.vault.scopes().contains(&key.scope)).ok_or_else(Error::not_found)?;
    let left: i64 = counted(&tx, &key.scope, id).await?.iter().map(|counted| counted.rows).sum();
    if key.state != State::Retired || left > 0 {
        return Err(Error::Conflict(Code::KeyInUse));
    }
    let sql = "UPDATE data_keys SET state = 'destroyed', wrapped = NULL, destroyed_at = $2 WHERE id = $1";
    tx.execute(sql, [id.into(), caller.now().into()]).await?;
    let key = stored().await?.ok_or_else(Error::not_found)?;
    let event = Event::new(Kind::DataKeyDestroyed, id).with("scope", key.scope.as_str()).with("version", key.version);
    tx.commit(event).await?;
    Ok(key)
}

fn known(app: &App, scope: &str) -> Result<()> {
    if app.vault.scopes().iter().any(|known| known == scope) { Ok(()) } else { Err(Error::not_found()) }
}

async fn active(tx: &Tx, scope: &str) -> Result<DataKey> {
    let keys = vault::stored(tx).await?.into_iter();
    let mut active = keys.filter(|key| key.scope == scope && key.state == State::Active);
    active.next().ok_or_else(|| Error::internal(format!("no active data key in the scope {scope}")))
}

#[derive(FromQueryResult)]
struct Running {
    #[sea_orm(nested)]
    rotation: rows::Model,
}

/// The rotations that are going on, the oldest first.
async fn running(tx: &Tx) -> Result<Vec<Rotation>> {
    let sql = "SELECT * FROM key_rotations WHERE finished_at IS NULL AND NOT paused ORDER BY id";
    let running: Vec<Running> = tx.query(sql, []).await?;
    Ok(running.into_iter().map(|running| running.rotation).collect())
}
