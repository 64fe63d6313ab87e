//! Duties: what the leader does all the time rather than at times of a schedule. They leave no runs behind.

use std::{panic::AssertUnwindSafe, pin::Pin, sync::Arc, time::Duration};

use futures_util::FutureExt;
use tokio_util::sync::CancellationToken;

use crate::{error::Result, types::Caller};

/// How long one turn may take, before it is broken off and begun again.
const LONGEST: Duration = Duration::from_secs(120);

/// Whether there is more to do at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    /// Nothing until the next turn.
    Wait,
    /// There is.
    GoOn,
}

type Work = Arc<dyn Fn(Caller) -> Pin<Box<dyn Future<Output = Result<Then>> + Send>> + Send + Sync>;

/// Something that the leader does again and again while it leads. It may be broken off at any moment; what it commits as
/// the caller that it is handed, it commits only while its instance leads.
#[derive(Clone)]
pub struct Duty {
    name: &'static str,
    every: Duration,
    work: Work,
}

impl Duty {
    /// This, as often as that.
    pub fn new<F, W>(name: &'static str, every: Duration, work: W) -> Self
    where
        F: Future<Output = Result<Then>> + Send + 'static,
        W: Fn(Caller) -> F + Send + Sync + 'static,
    {
        Self { name, every, work: Arc::new(move |caller| Box::pin(work(caller))) }
    }

    /// Does it until `stop`, as the caller of each moment. A fault or a panic is told to the log, and it goes on.
    pub(super) async fn run(self, caller: impl Fn() -> Caller, stop: CancellationToken) {
        while !stop.is_cancelled() {
            let turn = AssertUnwindSafe((self.work)(caller())).catch_unwind();
            let then = match tokio::time::timeout(LONGEST, turn).await {
                Ok(Ok(Ok(then))) => then,
                Ok(Ok(Err(error))) => {
                    tracing::warn!(duty = self.name, %error, "what the leader does all the time failed; it is tried again");
                    Then::Wait
                }
                Ok(Err(_)) | Err(_) => {
                    tracing::error!(duty = self.name, "what the leader does all the time panicked or took too long");
                    Then::Wait
                }
            };
            if then == Then::Wait {
                tokio::select! {
                    () = stop.cancelled() => {}
                    () = tokio::time::sleep(self.every) => {}
                }
            }
        }
    }
}
