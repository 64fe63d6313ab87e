//! What whoever leads does all the time, beside the jobs that come and go.

use std::{pin::Pin, sync::Arc, time::Duration};

use tokio_util::sync::CancellationToken;

use super::leader::system;
use crate::{
    db::{Db, Term, Tx, WriteTx},
    error::Result,
    runtime::Clock,
    types::Caller,
};

type Work = Arc<dyn Fn(Lead) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync>;

/// Something that one instance does all the time: the one that leads, as long as it does. It ends when the lead says so.
#[derive(Clone)]
pub struct Duty(Work);

impl Duty {
    /// A duty that is this.
    pub fn new<F, W>(work: W) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
        W: Fn(Lead) -> F + Send + Sync + 'static,
    {
        Self(Arc::new(move |lead| Box::pin(work(lead))))
    }

    pub(super) fn take_up(&self, lead: Lead) -> impl Future<Output = ()> + Send + 'static {
        (self.0)(lead)
    }
}

/// A leadership: what a duty is handed.
#[derive(Clone)]
pub struct Lead {
    pub(super) db: Db,
    pub(super) clock: Clock,
    pub(super) term: Term,
    pub(super) stop: CancellationToken,
}

impl Lead {
    /// Who acts: Freehold itself, under the leader's term.
    pub fn caller(&self) -> Caller {
        Caller { term: Some(self.term), ..system(&self.clock) }
    }

    /// A transaction that reads.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn read(&self) -> Result<Tx> {
        self.db.read(&self.caller()).await
    }

    /// A transaction that writes. It commits only while this instance leads.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn write(&self) -> Result<WriteTx> {
        self.db.write(&self.caller()).await
    }

    /// Waits, and says whether this instance leads still.
    pub async fn pause(&self, how_long: Duration) -> bool {
        tokio::select! {
            () = self.stop.cancelled() => false,
            () = tokio::time::sleep(how_long) => true,
        }
    }
}
