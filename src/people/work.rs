//! The worker: works imports off, a batch of lines a transaction. Every instance runs one; the row of an import is locked
//! while somebody is at it, so no two are.

use std::{collections::HashSet, sync::Arc, time::Duration};

use chrono::TimeDelta;
use entity::{
    import_lines as lines, import_parts as parts,
    imports::{self as rows, Format, Kind, State},
};
use hmac::{Hmac, KeyInit, Mac};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{LockBehavior, LockType},
};
use sha2::Sha256;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use zeroize::Zeroizing;

use super::{
    DATA, Import, SALT, admin,
    lines::{Line, More, Place},
    make,
    record::{Header, Reader, Record, Refusal},
    upload,
};
use crate::{
    app::App,
    audit::{Event, Kind as EventKind},
    authz::Decision,
    db::{Tx, Unrecorded, WriteTx},
    error::{Error, Result},
    tenancy::members,
    types::{Caller, Email, Origin, Tenancy},
};

/// How many lines are made in one transaction: some tens of milliseconds, or some hundreds where each sends a letter.
const BATCH: usize = 500;
const BATCH_OF_LETTERS: usize = 50;
/// How many pieces of the file are read for a batch.
const PIECES: u64 = 4;
/// How many imports are looked at for one that nobody is at.
const LOOKED_AT: u64 = 8;
/// How often the worker looks without being woken.
const EVERY: Duration = Duration::from_secs(5);
/// How often a batch is tried before the import is given up, and the longest pause between.
const ATTEMPTS: i32 = 8;
const LONGEST_PAUSE: i64 = 60;
/// The operation whose policy says who may have an import worked off.
const OPERATION: &str = "imports_start";

/// What works imports off.
pub struct Worker {
    /// The parts of the server.
    pub app: App,
    /// Rung when there may be something to do.
    pub wake: Arc<Notify>,
}

/// What came of looking at an import.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Somebody else is at it, or it does not want to be worked off.
    Elsewhere,
    /// A batch is done.
    Forward,
}

impl Worker {
    /// Works until `stop`, and finishes the batch that it is at then.
    pub async fn run(self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            let worked = self.round().await.unwrap_or_else(|error| {
                tracing::warn!(%error, "imports wait: the database can't be reached");
                false
            });
            if worked {
                continue;
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = self.wake.notified() => {}
                () = tokio::time::sleep(EVERY) => {}
            }
        }
    }

    /// A batch of the import that has waited longest; whether there was one.
    async fn round(&self) -> Result<bool> {
        for import in waiting(&self.app).await? {
            match advance(&self.app, &import).await {
                Ok(Step::Forward) => return Ok(true),
                Ok(Step::Elsewhere) => {}
                Err(error) => put_off(&self.app, &import, &error).await?,
            }
        }
        Ok(false)
    }
}

/// The imports that want to be worked off, those that have waited longest first.
async fn waiting(app: &App) -> Result<Vec<Import>> {
    let tx = app.db.read(&Caller::system("import", origin(app))).await?;
    let query = tx
        .find::<rows::Entity>()
        .filter(rows::Column::State.is_in([State::Checking, State::Importing]))
        .filter(rows::Column::Paused.eq(false))
        .filter(rows::Column::AvailableAt.lte(tx.caller().now()));
    tx.all(query.order_by_asc(rows::Column::UpdatedAt).limit(LOOKED_AT)).await
}

fn origin(app: &App) -> Origin {
    let id: uuid::Uuid = app.ids.next();
    Origin { request_id: id.to_string().into(), address: None, user_agent: None, now: app.clock.now() }
}

/// Who an import is worked off for: its creator in its organisation, with the roles that they have there now; `None` when
/// these are not enough any more.
async fn caller(app: &App, import: &Import) -> Result<Option<Caller>> {
    let system = Caller::system("import", origin(app)).within(import.organization_id);
    if import.by_system {
        return Ok(Some(system));
    }
    let Some((account, session)) = import.created_by.zip(import.session_id) else { return Ok(None) };
    let tx = app.db.read(&system).await?;
    let held = members::held_by(app, &tx, account).await?;
    let mut roles = held.roles.into_iter();
    let role = roles.next();
    let caller = Caller {
        role,
        other_roles: roles.collect(),
        permissions: held.permissions,
        acting: import.acting_id,
        tenancy: Tenancy::Organization(import.organization_id),
        ..system.acting_as(account, session)
    };
    let needed = app.policy.registry().find(OPERATION).map(|(position, _)| position);
    let decide = |position| app.policy.decide_any(caller.roles(), &caller.permissions, position);
    let allowed = needed.is_some_and(|position| decide(position) == Decision::Allow);
    let platform = crate::types::Role::PLATFORM_ADMIN;
    let enough = import.kind != Kind::Accounts || caller.roles().any(|role| role.as_str() == platform);
    Ok((allowed && enough).then_some(caller))
}

/// What became of a line.
pub(super) struct Outcome {
    pub(super) line: i64,
    pub(super) outcome: lines::Outcome,
    pub(super) why: Option<Refusal>,
    pub(super) fingerprint: Option<Vec<u8>>,
}

impl Outcome {
    pub(super) fn refused(line: i64, why: Refusal) -> Self {
        Self { line, outcome: lines::Outcome::Refused, why: Some(why), fingerprint: None }
    }
}

/// Some lines of a file, and the place after them.
struct Batch {
    lines: Vec<Line>,
    place: Place,
}

/// Works a batch of an import off.
pub(super) async fn advance(app: &App, seen: &Import) -> Result<Step> {
    let Some(caller) = caller(app, seen).await? else { return fail(app, seen, "authority_lost").await };
    let tx = app.db.write(&caller).await?;
    let Some(import) = taken(&tx, seen, Busy::LeaveIt).await? else { return Ok(Step::Elsewhere) };
    let Batch { mut lines, place } = batch(app, &tx, &import).await?;
    let mut header = import.header.clone();
    if import.format == Format::Csv && header.is_none() && !lines.is_empty() {
        match Header::parse(lines.remove(0).bytes.as_deref()) {
            Ok(parsed) => header = Some(serde_json::to_value(parsed).map_err(Error::internal)?),
            Err(fault) => {
                drop(tx);
                return fail(app, &import, fault).await;
            }
        }
    }
    let parsed = header.clone().map(serde_json::from_value).transpose().map_err(Error::internal)?;
    let made = match Reader::of(import.format, parsed) {
        Some(reader) => carry_out(app, &tx, &import, read(&reader, lines)).await,
        None => Ok((Vec::new(), Vec::new())),
    };
    let (outcomes, mut events) = match made {
        Err(Error::NotFound(_)) => {
            drop(tx);
            return fail(app, &import, "organization_deleted").await;
        }
        made => made?,
    };
    let tx = match import.state {
        // What a check made is undone; what would become of the lines stays.
        State::Checking => {
            drop(tx);
            events.clear();
            let tx = app.db.write(&caller).await?;
            match taken(&tx, &import, Busy::Wait).await? {
                Some(present) if present.at_byte == import.at_byte => tx,
                _ => return Ok(Step::Elsewhere),
            }
        }
        _ => tx,
    };
    let after = keep(&tx, &import, (place, header), outcomes).await?;
    if after.at_byte >= after.bytes {
        events.push(finish(&tx, &after).await?);
    }
    match events.is_empty() {
        true => tx.commit(Unrecorded("who was made by these lines has an entry of their own")).await?,
        false => tx.commit(events).await?,
    }
    Ok(Step::Forward)
}

/// What to do while somebody else is at an import.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Busy {
    LeaveIt,
    Wait,
}

/// The import as it is now, if it wants to be worked off.
async fn taken(tx: &WriteTx, seen: &Import, busy: Busy) -> Result<Option<Import>> {
    let query = tx.find::<rows::Entity>().filter(rows::Column::Id.eq(seen.id));
    let query = match busy {
        Busy::LeaveIt => query.lock_with_behavior(LockType::Update, LockBehavior::SkipLocked),
        Busy::Wait => query.lock_exclusive(),
    };
    let wanted = |import: &Import| matches!(import.state, State::Checking | State::Importing) && !import.paused;
    Ok(tx.one(query).await?.filter(wanted))
}

/// The next lines of the file.
async fn batch(app: &App, tx: &Tx, import: &Import) -> Result<Batch> {
    let ends = parts::Column::Starts.gt(import.at_byte - i64::from(u32::MAX));
    let query = tx.find::<parts::Entity>().filter(parts::Column::ImportId.eq(import.id)).filter(ends);
    let after = sea_orm::sea_query::Expr::cust_with_values("starts + length > $1", [import.at_byte]);
    let pieces = tx.all(query.filter(after).order_by_asc(parts::Column::Starts).limit(PIECES)).await?;
    let mut bytes = Zeroizing::new(Vec::new());
    let mut end = import.at_byte;
    for piece in pieces {
        if piece.starts > end {
            return Err(Error::internal(format!("the import {} has a gap", import.id)));
        }
        let opened = app.vault.open(DATA, piece.id, &piece.data)?;
        let from = usize::try_from(end - piece.starts).map_err(Error::internal)?;
        bytes.extend_from_slice(opened.get(from..).unwrap_or_default());
        end = piece.starts + i64::from(piece.length);
    }
    let more = if end >= import.bytes { More::Ended } else { More::Coming };
    let mut place = Place { byte: import.at_byte, line: import.at_line, skipping: import.skipping };
    let most = if import.kind == Kind::Invitations { BATCH_OF_LETTERS } else { BATCH };
    let lines = place.cut(&bytes, more, most);
    if place.byte == import.at_byte && import.at_byte < import.bytes {
        return Err(Error::internal(format!("the import {} does not come further", import.id)));
    }
    Ok(Batch { lines, place })
}

/// What lines say, by their numbers. Empty ones say nothing.
fn read(reader: &Reader, lines: Vec<Line>) -> Vec<(i64, Result<Record, Refusal>)> {
    let said = |line: Line| Some((line.number, reader.read(line.number, line.bytes.as_deref())?));
    lines.into_iter().filter_map(said).collect()
}

/// Makes what the lines say.
async fn carry_out(
    app: &App,
    tx: &WriteTx,
    import: &Import,
    said: Vec<(i64, Result<Record, Refusal>)>,
) -> Result<(Vec<Outcome>, Vec<Event>)> {
    let salt = import.salt.as_ref().ok_or_else(|| Error::internal("an import without a salt"))?;
    let salt = app.vault.open(SALT, import.id, salt)?;
    let (mut outcomes, mut records) = (Vec::new(), Vec::new());
    for (line, said) in said {
        match said {
            Ok(record) => records.push((line, fingerprint(&salt, &record.email)?, record)),
            Err(why) => outcomes.push(Outcome::refused(line, why)),
        }
    }
    let mut seen = seen(tx, import, records.iter().map(|(_, fingerprint, _)| fingerprint.clone()).collect()).await?;
    let (made, events) = make::make(app, tx, import.kind, records, &mut seen).await?;
    outcomes.extend(made);
    Ok((outcomes, events))
}

/// What tells two addresses of one file apart, and says nothing once the salt is gone.
fn fingerprint(salt: &[u8], email: &Email) -> Result<Vec<u8>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(salt).map_err(Error::internal)?;
    mac.update(email.as_str().as_bytes());
    Ok(mac.finalize().into_bytes().iter().take(16).copied().collect())
}

/// Which of these were in lines before.
async fn seen(tx: &Tx, import: &Import, wanted: Vec<Vec<u8>>) -> Result<HashSet<Vec<u8>>> {
    let query = tx
        .find::<lines::Entity>()
        .filter(lines::Column::ImportId.eq(import.id))
        .filter(lines::Column::Fingerprint.is_in(wanted));
    Ok(tx.all(query).await?.into_iter().filter_map(|line| line.fingerprint).collect())
}

/// Writes down what became of the lines, and how far the import is.
async fn keep(
    tx: &WriteTx,
    import: &Import,
    (place, header): (Place, Option<serde_json::Value>),
    outcomes: Vec<Outcome>,
) -> Result<Import> {
    let count = |wanted| outcomes.iter().filter(|line| line.outcome == wanted).count();
    let number = |wanted| i64::try_from(count(wanted)).unwrap_or(i64::MAX);
    let mut row = import.clone().into_active_model();
    (row.at_byte, row.at_line, row.skipping) = (Set(place.byte), Set(place.line), Set(place.skipping));
    row.header = Set(header);
    row.made = Set(import.made + number(lines::Outcome::Made));
    row.skipped = Set(import.skipped + number(lines::Outcome::Skipped));
    row.refused = Set(import.refused + number(lines::Outcome::Refused));
    row.attempts = Set(0);
    row.updated_at = Set(tx.caller().now());
    let line = |line: Outcome| lines::Model {
        organization_id: import.organization_id,
        import_id: import.id,
        line: line.line,
        outcome: line.outcome,
        code: line.why.map(|why| why.code.to_owned()),
        field: line.why.and_then(|why| why.field).map(str::to_owned),
        fingerprint: line.fingerprint,
    };
    tx.append(outcomes.into_iter().map(|outcome| lines::ActiveModel::from(line(outcome))).collect()).await?;
    tx.update(row).await
}

/// Ends what has come to its last line.
async fn finish(tx: &WriteTx, import: &Import) -> Result<Event> {
    let kind = if import.state == State::Checking { EventKind::ImportChecked } else { EventKind::ImportFinished };
    let event = admin::counted(Event::new(kind, import.id), import).with("makes", upload::name(import.kind));
    let mut row = import.clone().into_active_model();
    if import.state == State::Checking {
        row.state = Set(State::Checked);
        tx.update(row).await?;
    } else {
        admin::end(tx, row, State::Finished).await?;
    }
    Ok(event)
}

/// Gives an import up that can't go on.
async fn fail(app: &App, import: &Import, why: &'static str) -> Result<Step> {
    let tx = app.db.write(&Caller::system("import", origin(app)).within(import.organization_id)).await?;
    let Some(import) = taken(&tx, import, Busy::Wait).await? else { return Ok(Step::Elsewhere) };
    let event = admin::counted(Event::new(EventKind::ImportFailed, import.id).failed().with("reason", why), &import);
    let mut row = import.into_active_model();
    row.failure = Set(Some(why.to_owned()));
    admin::end(&tx, row, State::Failed).await?;
    tx.commit(event).await?;
    Ok(Step::Forward)
}

/// Lets an import wait whose batch could not be made; nothing of the batch was. Gives it up after several times.
pub(super) async fn put_off(app: &App, import: &Import, error: &Error) -> Result<()> {
    let attempts = import.attempts + 1;
    tracing::warn!(import = %import.id, %error, attempts, "a batch of an import could not be made");
    if attempts >= ATTEMPTS {
        return fail(app, import, "internal").await.map(|_| ());
    }
    let pause = TimeDelta::seconds(1_i64.wrapping_shl(attempts.unsigned_abs()).min(LONGEST_PAUSE));
    let tx = app.db.write(&Caller::system("import", origin(app)).within(import.organization_id)).await?;
    let Some(present) = taken(&tx, import, Busy::Wait).await? else { return Ok(()) };
    let mut row = present.into_active_model();
    row.attempts = Set(attempts);
    row.available_at = Set(tx.caller().now() + pause);
    tx.update(row).await?;
    tx.commit(Unrecorded("an import waits for a while")).await
}
