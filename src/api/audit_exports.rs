//! The record as a file, made while it leaves.
//!
//! A task of its own reads a page at a time and hands it to the answer, which holds one page more at most: whoever reads
//! slowly makes the database wait, not the memory grow. The task ends with the client, and records how.

use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures_util::stream;
use poem::Request;
use poem_openapi::{
    Enum, OpenApi,
    param::{Path, Query},
};
use tokio::{sync::mpsc, time::timeout};
use uuid::Uuid;

use super::{
    Face, Tag,
    audit::{Actors, EventClass, EventOutcome, EventSeverity, word},
    events::{Full, Place},
    wire::File,
};
use crate::{
    audit::{
        Filter,
        export::{Ended, Export, Format, Line},
    },
    edge::{ApiProblem, ApiResult, guard::Authority},
    error::{Error, Result},
    types::Caller,
};

/// The operation.
pub struct AuditExports(pub Face);

/// When to try again after there was no place.
const LATER: Duration = Duration::from_secs(30);
/// How long a client may take nothing at all. Longer than the minute for which a laptop looks for another network.
const PATIENCE: Duration = Duration::from_secs(90);

/// How a file of the record is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
enum RecordFormat {
    /// A table (RFC 4180) with a line of names first. No cell is a formula.
    Csv,
    /// An entry a line, each as `audit_get` shows it.
    Jsonl,
    /// ArcSight's Common Event Format, version 0, an entry a line.
    Cef,
    /// Events of the Open Cybersecurity Schema Framework 1.8.0, category Identity & Access Management, one a line.
    Ocsf,
}

#[OpenApi(prefix_path = "/v1", tag = "Tag::Audit")]
impl AuditExports {
    /// The record of an organisation as a file, newest first, with every entry for which all filters hold.
    ///
    /// The last line of a whole file is the entry `audit.export_ended`, in the file's own format, whose details have the
    /// number of `entries` before it and the `sha256` of all bytes before it: a file that ends without it broke off. So
    /// does one whose reader may not see the record any more, takes nothing for a minute and a half, or when the server
    /// stops. What is written after the export began is not in it. An account may take two files at a time (429), an
    /// instance gives some more (503). That somebody took one is recorded before it leaves.
    #[expect(clippy::too_many_arguments, reason = "one argument a parameter of the contract")]
    #[oai(path = "/organizations/:organization_id/audit/export", method = "get", operation_id = "audit_export")]
    async fn export(
        &self,
        caller: Caller,
        organization_id: Path<Uuid>,
        request: &Request,
        /// How the file is to be written; without it `jsonl`.
        format: Query<Option<RecordFormat>>,
        /// Who did it.
        actor_id: Query<Option<Uuid>>,
        /// The event's code.
        #[oai(validator(max_length = 100))]
        event: Query<Option<String>>,
        /// How much it matters.
        severity: Query<Option<EventSeverity>>,
        /// How much it matters at least.
        min_severity: Query<Option<EventSeverity>>,
        /// How long it is kept.
        class: Query<Option<EventClass>>,
        /// How it came out.
        outcome: Query<Option<EventOutcome>>,
        /// The type of what it happened to.
        #[oai(validator(max_length = 100))]
        target_type: Query<Option<String>>,
        /// What it happened to.
        target_id: Query<Option<Uuid>>,
        /// Not before this moment.
        from: Query<Option<DateTime<Utc>>>,
        /// Before this moment.
        to: Query<Option<DateTime<Utc>>>,
        /// Exact words, as of `audit_list`.
        #[oai(validator(min_length = 1, max_length = 200))]
        text: Query<Option<String>>,
    ) -> ApiResult<File> {
        let filter = Filter {
            actor_id: actor_id.0,
            event: event.0,
            severity: severity.0.map(word),
            min_severity: min_severity.0.map(EventSeverity::severity),
            class: class.0.map(word),
            outcome: outcome.0.map(word),
            target_type: target_type.0,
            target_id: target_id.0,
            from: from.0,
            to: to.0,
            text: text.0,
        };
        let place = self.0.events.file_place(&caller).map_err(no_place)?;
        let authority = request.data::<Authority>().cloned();
        let authority = authority.ok_or_else(|| Error::internal("an export outside the guard"))?;
        let format = format.0.map_or(Format::JsonLines, Format::from);
        let export = Export::begin(&self.0.gate.app.db, &caller, format, filter).await?;
        let name = format!("audit-{}-{}.{}", organization_id.0, caller.now().format("%Y%m%dT%H%M%SZ"), format.as_str());
        // One page waits while the one before it leaves.
        let (out, pages) = mpsc::channel(1);
        let leaving = Leaving { face: self.0.clone(), caller, authority, export, out, _place: place };
        tokio::spawn(self.0.events.track(leaving.run()));
        let bytes = stream::unfold(pages, async |mut pages| pages.recv().await.map(|page| (page, pages)));
        Ok(File::of(bytes, name))
    }
}

/// Why there is no place for another file.
fn no_place(full: Full) -> ApiProblem {
    match full {
        Full::Account => {
            let detail = "This account is taking as many files of the record as it may; wait for one, or end it";
            ApiProblem::with_detail(Error::Throttled(LATER), detail)
        }
        Full::Instance => {
            Error::Upstream { reason: "as many files leave as there may be".to_owned(), retry_after: LATER }.into()
        }
        Full::Nobody => Error::internal("a file of nobody's").into(),
    }
}

/// A file that is being made.
struct Leaving {
    face: Face,
    caller: Caller,
    authority: Authority,
    export: Export,
    out: mpsc::Sender<Result<Bytes>>,
    _place: Place,
}

impl Leaving {
    async fn run(mut self) {
        let ended = match self.pages().await {
            Ok(ended) => ended,
            Err(error) => {
                tracing::error!(%error, "an export of the record broke off");
                Ended::Failed
            }
        };
        let last = match self.end(ended).await {
            Ok(last) if ended == Ended::Complete => Ok(last),
            Ok(_) => Err(Error::internal("an export of the record is not whole")),
            Err(error) => Err(error),
        };
        self.send(last).await;
    }

    /// Sends page after page until there are no more, or something stands against it.
    async fn pages(&mut self) -> Result<Ended> {
        let head = self.export.head();
        if !head.is_empty() && !self.send(Ok(head)).await {
            return Ok(Ended::Left);
        }
        loop {
            if self.face.events.stop().is_cancelled() {
                return Ok(Ended::Stopped);
            }
            match self.authority.holds().await {
                Ok(()) => {}
                Err(Error::Unauthenticated(_) | Error::Forbidden(_)) => return Ok(Ended::NotAllowed),
                Err(error) => return Err(error),
            }
            let app = &self.face.gate.app;
            let tx = app.db.read(&self.caller).await?;
            let Some(entries) = self.export.page(&app.vault, &tx).await? else { return Ok(Ended::Complete) };
            let actors = Actors::of(&app.vault, &tx, &entries).await?;
            // Nothing is held of the database while the client reads.
            drop(tx);
            let lines: Vec<Line> = entries.into_iter().map(|entry| actors.line(entry)).collect();
            let bytes = self.export.write(&lines)?;
            if self.out.is_closed() || !(bytes.is_empty() || self.send(Ok(bytes)).await) {
                return Ok(Ended::Left);
            }
        }
    }

    /// Records how it ended, and gives that as the file's last line.
    async fn end(&mut self, ended: Ended) -> Result<Bytes> {
        let app = &self.face.gate.app;
        self.caller.origin.now = app.clock.now();
        let entry = self.export.end(&app.db, &app.vault, &self.caller, ended).await?;
        let tx = app.db.read(&self.caller).await?;
        let actors = Actors::of(&app.vault, &tx, std::slice::from_ref(&entry)).await?;
        self.export.last(actors.line(entry))
    }

    /// Whether the client has taken it, or takes something before.
    async fn send(&self, bytes: Result<Bytes>) -> bool {
        tokio::select! {
            sent = timeout(PATIENCE, self.out.send(bytes)) => matches!(sent, Ok(Ok(()))),
            () = self.face.events.stop().cancelled() => false,
        }
    }
}

impl From<RecordFormat> for Format {
    fn from(format: RecordFormat) -> Self {
        match format {
            RecordFormat::Csv => Self::Csv,
            RecordFormat::Jsonl => Self::JsonLines,
            RecordFormat::Cef => Self::Cef,
            RecordFormat::Ocsf => Self::Ocsf,
        }
    }
}
