//! Imports and exports at the command line, for whoever runs the installation. A file may be of any size, passwords'
//! hashes go both ways, and people become members of an organisation without being asked.

use std::{io::Write, time::Duration};

use entity::{
    OrganizationId,
    imports::{Format, State},
};
use futures_util::{StreamExt, TryStreamExt};
use sea_orm::FromQueryResult;
use tokio::io::{AsyncRead, AsyncReadExt};

use super::{
    Import,
    admin::{get, report},
    export::{self, Hashes, Wanted, Whom},
    upload::{Mode, add_part, create, start},
    work::{self, Step},
};
use crate::{
    app::App,
    error::{Error, Result},
    types::{Caller, Origin},
};

/// How much of a file is uploaded in one transaction.
const PART: usize = 1024 * 1024;
/// How long to wait for whoever else is at the import.
const PAUSE: Duration = Duration::from_millis(100);

/// What is wanted at the command line.
#[derive(Clone, Copy, Debug)]
pub struct Order {
    /// Of or into which organisation; accounts alone without one.
    pub organization: Option<OrganizationId>,
    /// How the file is written.
    pub format: Format,
}

/// What came of an import.
pub struct Outcome {
    /// The import.
    pub import: Import,
    /// What became of each line, as a CSV file.
    pub report: String,
}

#[derive(FromQueryResult)]
struct Named {
    id: OrganizationId,
}

/// The organisation with this id or short name.
///
/// # Errors
/// When there is none; the text is for the operator.
pub async fn organization(app: &App, text: &str) -> Result<OrganizationId> {
    let tx = app.db.read(&caller(app, None)).await?;
    let sql = "SELECT id FROM organizations WHERE status = 'active' AND (slug = $1 OR id::text = lower($1))";
    let found: Vec<Named> = tx.query(sql, [text.into()]).await?;
    let named = found.into_iter().next().map(|found| found.id);
    named.ok_or_else(|| Error::internal(format!("there is no organisation {text:?}")))
}

fn caller(app: &App, organization: Option<OrganizationId>) -> Caller {
    let id: uuid::Uuid = app.ids.next();
    let origin = Origin { request_id: id.to_string().into(), address: None, user_agent: None, now: app.clock.now() };
    let caller = Caller::system("command", origin);
    match organization {
        Some(organization) => caller.within(organization),
        None => caller,
    }
}

/// Imports a file, and waits for its end. Killed in between, the next server that runs goes on with it.
///
/// # Errors
/// When the file can't be read, or the database fails.
pub async fn import_file(
    app: &App,
    order: Order,
    mode: Mode,
    mut file: impl AsyncRead + Unpin + Send,
    mut progress: impl FnMut(&Import) + Send,
) -> Result<Outcome> {
    let organization = Some(order.organization.unwrap_or(OrganizationId::PLATFORM));
    let mut import: Option<Import> = None;
    let mut part = vec![0; PART];
    let id = loop {
        let length = fill(&mut file, &mut part).await?;
        let data = part.get(..length).unwrap_or_default();
        import = Some(match import {
            None if data.is_empty() => return Err(Error::internal("the file is empty")),
            None => create(app, &caller(app, organization), order.format, data).await?,
            Some(import) if data.is_empty() => break import.id,
            Some(import) => add_part(app, &caller(app, organization), import.id, (import.bytes, data)).await?,
        });
    };
    let mut import = start(app, &caller(app, organization), id, mode).await?;
    while matches!(import.state, State::Checking | State::Importing) {
        match work::advance(app, &import).await {
            Ok(Step::Forward) => {}
            Ok(Step::Elsewhere) => tokio::time::sleep(PAUSE).await,
            Err(error) => {
                work::put_off(app, &import, &error).await?;
                tokio::time::sleep(PAUSE).await;
            }
        }
        import = get(app, &caller(app, organization), id).await?;
        progress(&import);
    }
    let report = report(app, &caller(app, organization), id).await?;
    let report: Vec<_> = report.try_collect().await?;
    let report = String::from_utf8(report.concat()).map_err(Error::internal)?;
    if mode == Mode::Check && import.finished_at.is_none() {
        super::cancel(app, &caller(app, organization), id).await?;
    }
    Ok(Outcome { import, report })
}

/// Reads until the buffer is full or the file ends.
async fn fill(file: &mut (impl AsyncRead + Unpin), buffer: &mut [u8]) -> Result<usize> {
    let mut length = 0;
    while let Some(rest) = buffer.get_mut(length..).filter(|rest| !rest.is_empty()) {
        match file.read(rest).await.map_err(|error| Error::internal(format!("the file can't be read: {error}")))? {
            0 => break,
            read => length += read,
        }
    }
    Ok(length)
}

/// Writes an export, and says how many people are in it.
///
/// # Errors
/// When it can't be written, or the database fails.
pub async fn write_export(app: &App, order: Order, with_hashes: Hashes, mut to: impl Write + Send) -> Result<u64> {
    let whom = if order.organization.is_some() { Whom::Members } else { Whom::Accounts };
    let wanted = Wanted { whom, format: order.format, hashes: with_hashes };
    let mut exported = export::begin(app, &caller(app, order.organization), wanted).await?;
    while let Some(bytes) = exported.file.next().await {
        to.write_all(&bytes?).map_err(|error| Error::internal(format!("the file can't be written: {error}")))?;
    }
    to.flush().map_err(|error| Error::internal(format!("the file can't be written: {error}")))?;
    Ok(exported.rows)
}
