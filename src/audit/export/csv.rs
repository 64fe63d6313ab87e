//! The record as a table (RFC 4180), one entry a line. No cell is a formula.

use bytes::Bytes;
use serde_json::Value;
use uuid::Uuid;

use super::{Line, time};
use crate::{
    error::{Error, Result},
    types::cell,
};

/// The columns; the details are JSON.
const COLUMNS: [&str; 16] = [
    "id",
    "occurred_at",
    "event",
    "title",
    "severity",
    "class",
    "outcome",
    "actor_type",
    "actor_id",
    "actor_name",
    "target_type",
    "target_id",
    "ip",
    "user_agent",
    "request_id",
    "metadata",
];

/// The names of the columns.
pub(super) fn head() -> Bytes {
    Bytes::from(format!("{}\r\n", COLUMNS.join(",")))
}

/// The entries.
///
/// # Errors
/// Never in practice: it is written into memory.
pub(super) fn lines(lines: &[Line]) -> Result<Bytes> {
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    for line in lines {
        let (row, personal) = (&line.entry.row, &line.entry.personal);
        let id = |id: Option<Uuid>| id.map(|id| id.to_string()).unwrap_or_default();
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let cells: [String; COLUMNS.len()] = [
            row.id.to_string(),
            time(row.occurred_at),
            row.event.clone(),
            line.title().to_owned(),
            row.severity.clone(),
            row.class.clone(),
            row.outcome.clone(),
            row.actor_type.clone(),
            id(row.actor_id),
            if line.who.erased { "(erased)".to_owned() } else { text(&line.who.name) },
            row.target_type.clone(),
            id(row.target_id),
            text(&personal.address),
            text(&personal.user_agent),
            text(&row.request_id),
            Value::Object(line.details()).to_string(),
        ];
        writer.write_record(cells.iter().map(|text| cell(text).into_owned())).map_err(Error::internal)?;
    }
    Ok(Bytes::from(writer.into_inner().map_err(Error::internal)?))
}
