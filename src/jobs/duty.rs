//! What whoever leads does all the time, beside the jobs that come and go.

use std::{panic::AssertUnwindSafe, pin::Pin, sync::Arc, time::Duration};

use futures_util::FutureExt;
use tokio_util::sync::CancellationToken;

use super::leader::system;
use crate::{
    db::{Db, Term, Tx, WriteTx},
    error::Result,
    runtime::Clock,
    types::Caller,
};

type Work = Arc<dyn Fn(Lead) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync>;

/// How long one turn of what is done again and again may take, before it is broken off and begun again.
const LONGEST_TURN: Duration = Duration::from_secs(120);

/// Whether there is more to do at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    /// Nothing until the next turn.
    Wait,
    /// There is.
    GoOn,
}

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

    /// A duty that is this again and again, as the leader of the moment. A turn may be broken off at any moment; a fault
    /// or a panic is told to the log, and it goes on.
    pub fn again<F, W>(name: &'static str, every: Duration, turn: W) -> Self
    where
        F: Future<Output = Result<Then>> + Send + 'static,
        W: Fn(Caller) -> F + Send + Sync + 'static,
    {
        let turn = Arc::new(turn);
        Self::new(move |lead| {
            let turn = turn.clone();
            async move {
                loop {
                    let one = AssertUnwindSafe(turn(lead.caller())).catch_unwind();
                    let then = told(name, tokio::time::timeout(LONGEST_TURN, one).await.map(Result::ok).ok().flatten());
                    let pause = if then == Then::GoOn { Duration::ZERO } else { every };
                    if !lead.pause(pause).await {
                        return;
                    }
                }
            }
        })
    }

    pub(super) fn take_up(&self, lead: Lead) -> impl Future<Output = ()> + Send + 'static {
        (self.0)(lead)
    }
}

/// What is to be done after a turn that came out so, or did not come out at all.
fn told(name: &'static str, turn: Option<Result<Then>>) -> Then {
    match turn {
        Some(Ok(then)) => return then,
        Some(Err(error)) => {
            tracing::warn!(duty = name, %error, "what the leader does all the time failed; it is tried again");
        }
        None => tracing::error!(duty = name, "what the leader does all the time panicked or took too long"),
    }
    Then::Wait
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
