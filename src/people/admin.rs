//! Imports looked at, held, and ended.

use bytes::Bytes;
use entity::{
    ImportId,
    import_lines::{self, Outcome},
    import_parts as parts,
    imports::{self as rows, State},
};
use futures_util::{Stream, stream};
use sea_orm::{ActiveValue::Set, ColumnTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use super::{Import, Line, upload::locked};
use crate::{
    app::App,
    audit::{Event, Kind},
    db::{Tx, WriteTx},
    error::{Code, Error, Result},
    types::{Caller, Page, PageRequest},
};

/// How many lines of a report are read at once.
const LINES: u64 = 2000;

/// The imports of the caller's organisation, the latest first.
///
/// # Errors
/// When the database fails.
pub async fn list(app: &App, caller: &Caller, page: PageRequest) -> Result<Page<Import>> {
    let tx = app.db.read(caller).await?;
    tx.page(tx.find::<rows::Entity>(), rows::Column::Id, |row| row.id.into(), page).await
}

/// One import.
///
/// # Errors
/// `NotFound`.
pub async fn get(app: &App, caller: &Caller, id: ImportId) -> Result<Import> {
    found(&app.db.read(caller).await?, id).await
}

async fn found(tx: &Tx, id: ImportId) -> Result<Import> {
    tx.one(tx.find::<rows::Entity>().filter(rows::Column::Id.eq(id))).await?.ok_or_else(Error::not_found)
}

/// What became of the lines of an import, in their order.
///
/// # Errors
/// `NotFound`.
pub async fn lines(
    app: &App,
    caller: &Caller,
    (id, outcome): (ImportId, Option<Outcome>),
    page: PageRequest,
) -> Result<Page<Line>> {
    let tx = app.db.read(caller).await?;
    found(&tx, id).await?;
    // The place in a list of lines is a line's number.
    let after = page.after.map_or(0, |cursor| i64::try_from(cursor.0.as_u128()).unwrap_or(i64::MAX));
    let rows = after_line(&tx, id, (after, outcome), page.rows()).await?;
    Ok(Page::of(page, rows, |line| Uuid::from_u128(line.line.unsigned_abs().into())))
}

async fn after_line(tx: &Tx, id: ImportId, (after, outcome): (i64, Option<Outcome>), most: u64) -> Result<Vec<Line>> {
    use import_lines::Column as C;
    let mut query = tx.find::<import_lines::Entity>().filter(C::ImportId.eq(id)).filter(C::Line.gt(after));
    if let Some(outcome) = outcome {
        query = query.filter(C::Outcome.eq(outcome));
    }
    tx.all(query.order_by_asc(C::Line).limit(most)).await
}

/// What became of the lines of an import, as a CSV file. It has no word of what the lines said.
///
/// # Errors
/// `NotFound`. What goes wrong later breaks the file off.
pub async fn report(app: &App, caller: &Caller, id: ImportId) -> Result<impl Stream<Item = Result<Bytes>> + use<>> {
    get(app, caller, id).await?;
    let (app, caller) = (app.clone(), caller.clone());
    let head = stream::once(async { Ok(Bytes::from_static(b"line,outcome,code,field\r\n")) });
    let rest = stream::try_unfold(0_i64, move |after| {
        let (app, caller) = (app.clone(), caller.clone());
        async move {
            let tx = app.db.read(&caller).await?;
            let lines = after_line(&tx, id, (after, None), LINES).await?;
            let Some(last) = lines.last().map(|line| line.line) else { return Ok::<_, Error>(None) };
            let text: String = lines.iter().map(row).collect();
            Ok(Some((Bytes::from(text), last)))
        }
    });
    Ok(futures_util::StreamExt::chain(head, rest))
}

/// A line of the report. All that is in it are words of ours.
fn row(line: &Line) -> String {
    let (code, field) = (line.code.as_deref().unwrap_or_default(), line.field.as_deref().unwrap_or_default());
    let outcome = match line.outcome {
        Outcome::Made => "made",
        Outcome::Skipped => "skipped",
        Outcome::Refused => "refused",
    };
    format!("{},{outcome},{code},{field}\r\n", line.line)
}

/// Holds an import after the batch that it is at.
///
/// # Errors
/// `NotFound`; `Conflict` with `import_state` unless it is being worked off.
pub async fn pause(app: &App, caller: &Caller, id: ImportId) -> Result<Import> {
    let (tx, row) = under_way(app, caller, id).await?;
    if row.paused {
        return Ok(row);
    }
    let mut row = row.into_active_model();
    row.paused = Set(true);
    row.updated_at = Set(caller.now());
    let row = tx.update(row).await?;
    tx.commit(Event::new(Kind::ImportPaused, id)).await?;
    Ok(row)
}

/// Lets an import go on.
///
/// # Errors
/// As [`pause`].
pub async fn resume(app: &App, caller: &Caller, id: ImportId) -> Result<Import> {
    let (tx, row) = under_way(app, caller, id).await?;
    if !row.paused {
        return Ok(row);
    }
    let mut row = row.into_active_model();
    (row.paused, row.attempts) = (Set(false), Set(0));
    row.available_at = Set(caller.now());
    row.updated_at = Set(caller.now());
    let row = tx.update(row).await?;
    tx.commit(Event::new(Kind::ImportResumed, id)).await?;
    Ok(row)
}

async fn under_way(app: &App, caller: &Caller, id: ImportId) -> Result<(WriteTx, Import)> {
    let tx = app.db.write(caller).await?;
    let row = locked(&tx, id).await?;
    match row.state {
        State::Checking | State::Importing => Ok((tx, row)),
        _ => Err(Error::Conflict(Code::ImportState)),
    }
}

/// Ends an import. Who was made stays; what was uploaded is destroyed.
///
/// # Errors
/// `NotFound`; `Conflict` with `import_state` when it has ended.
pub async fn cancel(app: &App, caller: &Caller, id: ImportId) -> Result<Import> {
    let tx = app.db.write(caller).await?;
    let row = locked(&tx, id).await?;
    if row.finished_at.is_some() {
        return Err(Error::Conflict(Code::ImportState));
    }
    let event = counted(Event::new(Kind::ImportCancelled, id), &row);
    let row = end(&tx, row.into_active_model(), State::Cancelled).await?;
    tx.commit(event).await?;
    Ok(row)
}

/// An event with the numbers of an import.
pub(super) fn counted(event: Event, row: &Import) -> Event {
    event.with("made", row.made).with("skipped", row.skipped).with("refused", row.refused)
}

/// Ends an import in this state, and destroys what was uploaded, and what its fingerprints were made with.
pub(super) async fn end(tx: &WriteTx, mut row: rows::ActiveModel, state: State) -> Result<Import> {
    row.state = Set(state);
    row.paused = Set(false);
    row.salt = Set(None);
    row.finished_at = Set(Some(tx.caller().now()));
    row.updated_at = Set(tx.caller().now());
    let row = tx.update(row).await?;
    tx.delete(tx.remove::<parts::Entity>().filter(parts::Column::ImportId.eq(row.id))).await?;
    Ok(row)
}
