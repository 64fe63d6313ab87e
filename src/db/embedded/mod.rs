//! A PostgreSQL of the server's own, for development and small installations: found among the
//! installed programs, made in the data directory on first start, run as a child on a loopback
//! port, restarted when it dies, stopped with the server. Owns the process and its files; never
//! sends SQL over a connection.
//!
//! A thread of its own starts PostgreSQL and looks after it. It has to be one thread for the whole
//! life: Linux ties a child to the *thread* that started it (PR_SET_PDEATHSIG), and a runtime's
//! worker may end early.
//!
//! The server itself comes over a Unix socket in the cluster's folder, which makes a sign-in some 4 %
//! cheaper, where that folder's path is short enough for one. There is loopback TCP too: every client
//! understands its URL. On both a 256-bit password over SCRAM keeps the machine's other users out.

mod account;
mod cluster;
mod error;
mod process;
mod programs;
mod supervisor;

use std::fs::{self, File, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use tokio::sync::{oneshot, watch};

pub use error::EmbeddedError;
pub use programs::Search;
pub use supervisor::State;

use crate::config::SecretString;
use cluster::Cluster;
use error::{Doing, Result};
use process::{Server, free_port};
use supervisor::{Order, Supervisor};

/// How the embedded PostgreSQL is to be.
#[derive(Clone, Debug)]
pub struct EmbeddedSettings {
    /// The server's data directory; made when absent. The cluster is its folder `postgres`.
    pub data_dir: PathBuf,
    /// Whether a commit survives a power cut. `false` is for tests: no fsync. Either way it
    /// survives kill -9.
    pub durable: bool,
    /// Connections PostgreSQL accepts. PostgreSQL's own default is 100.
    pub max_connections: u32,
    /// Where to look for PostgreSQL's programs.
    pub programs: Search,
}

impl EmbeddedSettings {
    /// Durable, 100 connections, this machine's programs.
    #[must_use]
    pub fn new(data_dir: impl Into<PathBuf>) -> Self {
        let (data_dir, programs) = (data_dir.into(), Search::of_this_machine());
        Self { data_dir, durable: true, max_connections: 100, programs }
    }
}

/// A running PostgreSQL. Dropping it stops PostgreSQL too, but only [`Embedded::stop`] waits.
pub struct Embedded {
    owner_url: SecretString,
    nearest_url: SecretString,
    log: PathBuf,
    state: watch::Receiver<State>,
    orders: mpsc::Sender<Order>,
}

impl Embedded {
    /// Starts PostgreSQL, making its cluster on the first start (some seconds), and returns when
    /// it accepts connections. A future that is dropped before that stops what it began.
    ///
    /// # Errors
    /// See [`EmbeddedError`]; each is written for the person at the terminal.
    pub async fn start(settings: EmbeddedSettings) -> std::result::Result<Self, EmbeddedError> {
        let (report, started) = oneshot::channel();
        let data_dir = settings.data_dir.clone();
        std::thread::Builder::new()
            .name("postgres".to_owned())
            .spawn(move || live(&settings, report))
            .doing("start a thread for", &data_dir)?;
        // The thread reports unless it panics, and it has nothing to panic with.
        let gone = |_| std::io::Error::other("its thread ended without a word");
        started.await.map_err(gone).doing("start PostgreSQL in", &data_dir)?
    }

    /// Connection URL of the role that owns the database `freehold` and may make roles and
    /// databases. Stays the same while this value lives, also when PostgreSQL is restarted.
    #[must_use]
    pub fn owner_url(&self) -> &SecretString {
        &self.owner_url
    }

    /// The same by the shortest way there is: the socket, or else loopback TCP.
    #[must_use]
    pub fn nearest_url(&self) -> &SecretString {
        &self.nearest_url
    }

    /// PostgreSQL's log file.
    #[must_use]
    pub fn log(&self) -> &Path {
        &self.log
    }

    /// Whether PostgreSQL is up right now; changes when it dies and when it is back.
    #[must_use]
    pub fn state(&self) -> watch::Receiver<State> {
        self.state.clone()
    }

    /// Stops PostgreSQL cleanly and waits for it. Close the pools first: open transactions are
    /// rolled back.
    ///
    /// # Errors
    /// The process can't be waited for or killed.
    pub async fn stop(self) -> std::result::Result<(), EmbeddedError> {
        let (done, stopped) = oneshot::channel();
        match self.orders.send(done) {
            Ok(()) => stopped.await.unwrap_or(Ok(())),
            // The thread has ended, and PostgreSQL with it.
            Err(_) => Ok(()),
        }
    }
}

/// The life of the thread.
fn live(settings: &EmbeddedSettings, report: oneshot::Sender<Result<Embedded>>) {
    let (orders, inbox) = mpsc::channel();
    match begin(settings, orders) {
        // Nobody waits any more: the supervisor finds its inbox closed and stops at once.
        Ok((supervisor, embedded, lock)) => {
            drop(report.send(Ok(embedded)));
            let order = supervisor.run(&inbox);
            drop(lock);
            if let Some((order, outcome)) = order {
                drop(order.send(outcome));
            }
        }
        Err(error) => drop(report.send(Err(error))),
    }
}

fn begin(settings: &EmbeddedSettings, orders: mpsc::Sender<Order>) -> Result<(Supervisor, Embedded, File)> {
    fs::create_dir_all(&settings.data_dir).doing("make", &settings.data_dir)?;
    let data_dir = fs::canonicalize(&settings.data_dir).doing("find", &settings.data_dir)?;
    let lock = lock(&data_dir)?;
    let cluster = Cluster::open(&data_dir, &settings.programs)?;
    let last = fs::read_to_string(cluster.port_file()).ok().and_then(|port| port.trim().parse().ok());
    let port = free_port(last)?;
    let mut server = Server { cluster, port, durable: settings.durable, max_connections: settings.max_connections };
    let child = server.start()?;
    let (owner_url, nearest_url) = server.cluster.owner_urls(server.port)?;
    let log = server.cluster.log();
    tracing::info!(version = server.cluster.programs.major, port = server.port, "PostgreSQL is running");
    let (supervisor, state) = Supervisor::new(server, child);
    Ok((supervisor, Embedded { owner_url, nearest_url, log, state, orders }, lock))
}

/// How long a data directory may be in use before that is said: a server that has just ended keeps its lock for a moment,
/// as long as a program that it was starting has not begun.
const LOCKED_STILL: Duration = Duration::from_secs(2);
/// How often it is looked at meanwhile.
const GLANCE: Duration = Duration::from_millis(20);

/// Takes the data directory for this server; the system gives it free when the process ends,
/// however it ends.
fn lock(data_dir: &Path) -> Result<File> {
    let path = data_dir.join("postgres.lock");
    let mut options = File::options();
    let mut file = options.read(true).write(true).create(true).truncate(false).open(&path).doing("open", &path)?;
    let begun = Instant::now();
    let mut locked = file.try_lock();
    while matches!(locked, Err(TryLockError::WouldBlock)) && begun.elapsed() < LOCKED_STILL {
        std::thread::sleep(GLANCE);
        locked = file.try_lock();
    }
    match locked {
        Ok(()) => {
            let text = format!("{}\n", std::process::id());
            file.set_len(0).and_then(|()| file.write_all(text.as_bytes())).doing("write", &path)?;
            Ok(file)
        }
        Err(TryLockError::WouldBlock) => {
            let mut holder = String::new();
            let read = file.seek(SeekFrom::Start(0)).and_then(|_| file.read_to_string(&mut holder));
            let holder =
                read.ok().filter(|_| !holder.trim().is_empty()).map(|_| format!(" (process {})", holder.trim()));
            Err(EmbeddedError::InUse { data_dir: data_dir.to_path_buf(), holder: holder.unwrap_or_default() })
        }
        Err(TryLockError::Error(error)) => Err(error).doing("lock", &path),
    }
}
