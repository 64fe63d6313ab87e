//! What comes in: the file, part after part, and the word to begin.

use entity::{
    ImportId, OrganizationId, import_lines, import_parts as parts,
    imports::{self as rows, Format, Kind, State},
};
use sea_orm::{ActiveValue::Set, ColumnTrait, IntoActiveModel, QueryFilter, QuerySelect};

use super::{DATA, Import, SALT};
use crate::{
    app::App,
    audit::{Event, Kind as EventKind},
    db::WriteTx,
    error::{Code, Error, Result},
    tenancy::roles,
    types::{Actor, Caller, Role},
};

/// The bytes of a piece as it is kept. A key's rotation holds some hundred of them at once.
const PIECE: usize = 32 * 1024;
/// The most bytes of an upload over the network: some 400,000 people. The command line takes more.
const MOST_BYTES: i64 = 64 * 1024 * 1024;
/// The most imports of an organisation that have not ended: what is uploaded takes room.
const MOST_OPEN: u64 = 3;

/// What is to be done with a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Find out what would become of each line, and make nobody.
    Check,
    /// Do it.
    Import,
}

/// What a line of the caller's import makes.
fn kind(caller: &Caller) -> Result<Kind> {
    let organization = caller.organization().ok_or_else(Error::not_found)?;
    Ok(match (&caller.actor, organization) {
        (_, OrganizationId::PLATFORM) => Kind::Accounts,
        (Actor::System(_), _) => Kind::Members,
        _ => Kind::Invitations,
    })
}

/// Accounts are people, not tenants' property, and whoever brings a password's hash could sign in with it: both are the
/// platform administrator's (AZ-12).
fn may_import(app: &App, caller: &Caller) -> Result<()> {
    match (kind(caller)?, &caller.actor) {
        // Whoever begins an import answers for it and starts it, with a recent proof of who they are.
        (_, Actor::Service { .. }) => Err(Error::Forbidden(Code::PeopleOnly)),
        (Kind::Accounts, Actor::Account { .. }) => roles::may_grant(&app.policy, caller, Role::PLATFORM_ADMIN),
        _ => Ok(()),
    }
}

/// Begins an import with the first part of its file, or all of it.
///
/// # Errors
/// `Forbidden` in the platform's organisation for who does not administer it; `Conflict` with `too_many_imports`.
pub async fn create(app: &App, caller: &Caller, format: Format, data: &[u8]) -> Result<Import> {
    may_import(app, caller)?;
    let tx = app.db.write(caller).await?;
    let organization_id = caller.organization().ok_or_else(Error::not_found)?;
    tx.lock(&format!("imports {organization_id}")).await?;
    let open = tx.find::<rows::Entity>().filter(rows::Column::FinishedAt.is_null());
    if caller.account().is_some() && tx.count(open).await? >= MOST_OPEN {
        return Err(Error::Conflict(Code::TooManyImports));
    }
    let (id, now): (ImportId, _) = (app.ids.next(), caller.now());
    let row = rows::Model {
        id,
        organization_id,
        kind: kind(caller)?,
        format,
        state: State::Receiving,
        paused: false,
        created_by: caller.account(),
        session_id: caller.session(),
        acting_id: caller.acting,
        by_system: matches!(caller.actor, Actor::System(_)),
        bytes: 0,
        at_byte: 0,
        at_line: 0,
        skipping: false,
        header: None,
        made: 0,
        skipped: 0,
        refused: 0,
        failure: None,
        salt: Some(app.vault.seal(SALT, id, &app.entropy.bytes::<32>()?)?),
        attempts: 0,
        available_at: now,
        created_at: now,
        updated_at: now,
        finished_at: None,
    };
    let row = tx.insert(rows::ActiveModel::from(row)).await?;
    let row = keep(app, &tx, row, data).await?;
    tx.commit(received(&row, data)).await?;
    Ok(row)
}

/// Adds a part to the file of an import that has not begun. The same part sent again changes nothing.
///
/// # Errors
/// `NotFound`; `Conflict` with `import_state` when it has begun, with `import_offset` when the part is not the next one;
/// `Transport` with 413 when the file gets too large.
pub async fn add_part(app: &App, caller: &Caller, id: ImportId, (offset, data): (i64, &[u8])) -> Result<Import> {
    may_import(app, caller)?;
    let tx = app.db.write(caller).await?;
    let row = locked(&tx, id).await?;
    if !matches!(row.state, State::Receiving | State::Checked) {
        return Err(Error::Conflict(Code::ImportState));
    }
    if offset.checked_add(signed(data)).is_some_and(|end| end == row.bytes) {
        return Ok(row);
    }
    if offset != row.bytes {
        return Err(Error::Conflict(Code::ImportOffset));
    }
    let row = keep(app, &tx, row, data).await?;
    tx.commit(received(&row, data)).await?;
    Ok(row)
}

fn received(row: &Import, data: &[u8]) -> Event {
    Event::new(EventKind::ImportReceived, row.id).with("bytes", data.len())
}

fn signed(data: &[u8]) -> i64 {
    i64::try_from(data.len()).unwrap_or(i64::MAX)
}

/// Keeps some bytes after those that are there.
async fn keep(app: &App, tx: &WriteTx, row: Import, data: &[u8]) -> Result<Import> {
    if tx.caller().account().is_some() && row.bytes.saturating_add(signed(data)) > MOST_BYTES {
        return Err(Error::Transport(Code::PayloadTooLarge));
    }
    let (mut starts, mut pieces) = (row.bytes, Vec::new());
    for piece in data.chunks(PIECE) {
        let id = app.ids.next();
        let part = parts::Model {
            id,
            organization_id: row.organization_id,
            import_id: row.id,
            starts,
            length: i32::try_from(piece.len()).map_err(Error::internal)?,
            data: app.vault.seal(DATA, id, piece)?,
        };
        starts += signed(piece);
        pieces.push(parts::ActiveModel::from(part));
    }
    tx.append(pieces).await?;
    let mut row = row.into_active_model();
    row.bytes = Set(starts);
    row.state = Set(State::Receiving);
    row.updated_at = Set(tx.caller().now());
    tx.update(row).await
}

/// Begins to work an import off, from its first line.
///
/// # Errors
/// `NotFound`; `Forbidden` as for [`create`]; `Conflict` with `import_state` when it has begun or ended.
pub async fn start(app: &App, caller: &Caller, id: ImportId, mode: Mode) -> Result<Import> {
    may_import(app, caller)?;
    let tx = app.db.write(caller).await?;
    let row = locked(&tx, id).await?;
    // What an import makes depends on who began it; nobody lends their authority to somebody else's file.
    if row.created_by != caller.account() {
        return Err(Error::Conflict(Code::ImportOfAnother));
    }
    if !matches!(row.state, State::Receiving | State::Checked) {
        return Err(Error::Conflict(Code::ImportState));
    }
    let lines = tx.remove::<import_lines::Entity>().filter(import_lines::Column::ImportId.eq(id));
    tx.delete(lines).await?;
    let mut row = row.into_active_model();
    row.state = Set(if mode == Mode::Check { State::Checking } else { State::Importing });
    row.paused = Set(false);
    (row.at_byte, row.at_line, row.skipping, row.header) = (Set(0), Set(0), Set(false), Set(None));
    (row.made, row.skipped, row.refused, row.attempts) = (Set(0), Set(0), Set(0), Set(0));
    row.available_at = Set(caller.now());
    row.updated_at = Set(caller.now());
    let row = tx.update(row).await?;
    let event = Event::new(EventKind::ImportStarted, id).with("dry_run", mode == Mode::Check);
    tx.commit(event.with("makes", name(row.kind)).with("bytes", row.bytes)).await?;
    Ok(row)
}

/// The word for what an import makes.
pub(super) const fn name(kind: Kind) -> &'static str {
    match kind {
        Kind::Accounts => "accounts",
        Kind::Members => "members",
        Kind::Invitations => "invitations",
    }
}

/// An import of the caller's organisation, for them alone until the transaction ends.
pub(super) async fn locked(tx: &WriteTx, id: ImportId) -> Result<Import> {
    let query = tx.find::<rows::Entity>().filter(rows::Column::Id.eq(id));
    tx.one(query.lock_exclusive()).await?.ok_or_else(Error::not_found)
}
