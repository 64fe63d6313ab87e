//! The one PostgreSQL of the run, and the folder that everything of the run lies in.
//!
//! It lives on a thread of its own with a runtime of its own, because each test has a runtime that ends with the test.
//! PostgreSQL goes with this process (PR_SET_PDEATHSIG). A shell waits at the other end of a pipe for the process to
//! end, however it does, and removes the folder: a static is never dropped, and a killed run should leave nothing.

use std::{
    fs,
    os::unix::{fs::PermissionsExt, process::CommandExt},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    str::FromStr,
    sync::{
        OnceLock,
        atomic::{AtomicU64, Ordering},
        mpsc,
    },
};

use freehold::db::embedded::{Embedded, EmbeddedSettings};
use sqlx::postgres::PgConnectOptions;
use tokio::runtime::{Builder, Handle};

/// Connections of the run: a test has one or two servers of some five connections each.
const CONNECTIONS: u32 = 400;

/// The database that tests clone.
pub(super) const TEMPLATE: &str = "template_empty";

pub(super) struct Cluster {
    pub(super) owner: PgConnectOptions,
    /// For what must outlive a test.
    pub(super) background: Handle,
}

/// The run's PostgreSQL; the first who asks starts it.
pub(super) fn cluster() -> &'static Cluster {
    static CLUSTER: OnceLock<Cluster> = OnceLock::new();
    CLUSTER.get_or_init(|| {
        super::logs::begin();
        let (report, started) = mpsc::channel();
        std::thread::Builder::new().name("cluster".to_owned()).spawn(move || live(&report)).unwrap();
        started.recv().expect("PostgreSQL did not start; see above")
    })
}

fn live(report: &mpsc::Sender<Cluster>) {
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    runtime.block_on(async {
        let settings = EmbeddedSettings {
            durable: false,
            max_connections: CONNECTIONS,
            ..EmbeddedSettings::new(root().join("db"))
        };
        let embedded = Embedded::start(settings).await.unwrap_or_else(|error| panic!("{error}"));
        let owner = embedded.owner_url().expose();
        super::logs::note(owner.split([':', '@']).nth(2).unwrap());
        let owner = PgConnectOptions::from_str(owner).unwrap();
        super::database::make_template(&owner).await;
        report.send(Cluster { owner, background: Handle::current() }).unwrap();
        // As long as the process.
        std::future::pending::<()>().await;
        drop(embedded);
    });
}

/// A new folder of the run. PostgreSQL's own user can pass through it.
pub fn folder(name: &str) -> PathBuf {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let path = root().join(format!("{name}-{}", NUMBER.fetch_add(1, Ordering::Relaxed)));
    open_folder(&path);
    path
}

/// The folder of this run.
fn root() -> &'static Path {
    static ROOT: OnceLock<(PathBuf, Child)> = OnceLock::new();
    let (root, _) = ROOT.get_or_init(|| {
        let root = std::env::temp_dir().join(format!("freehold-it-{}", std::process::id()));
        let _ = fs::remove_dir_all(&root);
        open_folder(&root);
        let undertaker = remove_after_us(&root);
        (root, undertaker)
    });
    root
}

fn open_folder(path: &Path) {
    fs::create_dir_all(path).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

/// Removes the folder once this process is gone; PostgreSQL may need a moment to stop writing.
fn remove_after_us(folder: &Path) -> Child {
    const UNDERTAKER: &str =
        "cat >/dev/null; for i in $(seq 100); do rm -rf \"$0\" 2>/dev/null; sleep 0.1; [ -e \"$0\" ] || exit; done";
    let mut command = Command::new("sh");
    command.arg("-c").arg(UNDERTAKER).arg(folder);
    // Out of reach of the terminal's Ctrl-C, which is for us.
    command.process_group(0).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().unwrap()
}
