//! Looks after the PostgreSQL process for as long as the server lives: when it ends unasked it is
//! started again on the same port, at once the first time and more patiently each time after.
//! Never gives up: the server answers "unavailable" meanwhile, and its log says why.

use std::process::Child;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use tokio::sync::{oneshot, watch};

use super::error::Result;
use super::process::Server;

/// How often the process is looked at: the longest a death goes unnoticed.
const GLANCE: Duration = Duration::from_millis(100);
/// The longest pause between two attempts.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// A process that has lived this long starts a new count of failures.
const STEADY: Duration = Duration::from_secs(60);

/// Whether PostgreSQL is up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It accepts connections.
    Ready,
    /// It ended unasked and is being started again.
    Restarting,
}

/// The order to stop: where to say that it has been done.
pub(super) type Order = oneshot::Sender<Result<()>>;

pub(super) struct Supervisor {
    server: Server,
    child: Option<Child>,
    started: Instant,
    next_attempt: Instant,
    failures: u32,
    state: watch::Sender<State>,
}

impl Supervisor {
    pub(super) fn new(server: Server, child: Child) -> (Self, watch::Receiver<State>) {
        let (state, receiver) = watch::channel(State::Ready);
        let now = Instant::now();
        (Self { server, child: Some(child), started: now, next_attempt: now, failures: 0, state }, receiver)
    }

    /// Runs until it is ordered to stop, or until nobody can order it any more; PostgreSQL has
    /// stopped then. Returns who wants to know how that went.
    pub(super) fn run(mut self, orders: &Receiver<Order>) -> Option<(Order, Result<()>)> {
        loop {
            match orders.recv_timeout(GLANCE) {
                Err(RecvTimeoutError::Timeout) => self.look_after(),
                Ok(order) => return Some((order, self.stop())),
                Err(RecvTimeoutError::Disconnected) => {
                    if let Err(error) = self.stop() {
                        tracing::error!(%error, "PostgreSQL did not stop");
                    }
                    return None;
                }
            }
        }
    }

    fn stop(&mut self) -> Result<()> {
        self.child.as_mut().map_or(Ok(()), |child| self.server.stop(child))
    }

    fn look_after(&mut self) {
        match &mut self.child {
            Some(child) => match child.try_wait() {
                Ok(None) => {
                    if *self.state.borrow() == State::Restarting && self.server.is_ready(child) {
                        tracing::info!("PostgreSQL is running again");
                        self.state.send_replace(State::Ready);
                    }
                }
                Ok(Some(status)) => self.failed(&format!("PostgreSQL ended ({status})")),
                Err(error) => self.failed(&format!("PostgreSQL can't be waited for ({error})")),
            },
            None if Instant::now() >= self.next_attempt => self.restart(),
            None => {}
        }
    }

    fn restart(&mut self) {
        self.started = Instant::now();
        match self.server.spawn() {
            Ok(child) => self.child = Some(child),
            Err(error) => self.failed(&error.to_string()),
        }
    }

    /// Notes a failure and when to try again: at once, then after 200 ms, 400 ms, … 10 s.
    fn failed(&mut self, what: &str) {
        self.child = None;
        self.failures = if self.started.elapsed() > STEADY { 0 } else { self.failures };
        let pause = match self.failures {
            0 => Duration::ZERO,
            failures => (GLANCE * 2_u32.saturating_pow(failures.min(10))).min(LONGEST_PAUSE),
        };
        self.failures += 1;
        self.next_attempt = Instant::now() + pause;
        self.state.send_replace(State::Restarting);
        tracing::warn!(log = %self.server.cluster.log().display(), pause_ms = pause.as_millis(), "{what}; starting it again");
    }
}
