//! The PostgreSQL process of one cluster: clears what an earlier one left, starts, waits until it
//! accepts connections, stops. Decides nothing about restarts.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Seek, SeekFrom};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use super::cluster::{Cluster, last_lines, run};
use super::error::{Doing, EmbeddedError, Result};
use crate::config::SecretBytes;

/// How often a process is looked at while somebody waits for it.
const GLANCE: Duration = Duration::from_millis(10);
/// How long a fast shutdown (which writes a checkpoint) may take before an immediate one.
const FAST_STOP: Duration = Duration::from_secs(30);
/// How long an immediate shutdown may take before the process is killed.
const IMMEDIATE_STOP: Duration = Duration::from_secs(10);
/// How long recovery after a crash may take on start.
const START: Duration = Duration::from_mins(10);
/// The log is put aside at start when it has grown beyond this many bytes.
const LOG_LIMIT: u64 = 16 << 20;
/// Ports to choose from: below the range that Linux and macOS take outgoing ports from, so that
/// no connection of another program sits on the port while PostgreSQL restarts.
const PORTS: std::ops::Range<u16> = 20_000..32_000;

/// How PostgreSQL is to run.
#[derive(Clone, Debug)]
pub(super) struct Server {
    pub(super) cluster: Cluster,
    pub(super) port: u16,
    pub(super) durable: bool,
    pub(super) max_connections: u32,
}

impl Server {
    /// Starts the process; it is not ready yet. The thread that calls this must live as long as
    /// the process should.
    pub(super) fn spawn(&self) -> Result<Child> {
        self.clear_leftovers()?;
        self.cluster.open_doors()?;
        let log = self.open_log()?;
        let errors = log.try_clone().doing("open", &self.cluster.log())?;
        let program = self.cluster.programs.path("postgres");
        let mut command = self.cluster.account.tied_command(&program, "INT");
        command.arg("-D").arg(self.cluster.data());
        for (name, value) in self.settings() {
            command.arg("-c").arg(format!("{name}={value}"));
        }
        command.stdout(log).stderr(errors).spawn().doing("start", &program)
    }

    fn settings(&self) -> Vec<(&'static str, String)> {
        let mut settings = vec![
            ("listen_addresses", "127.0.0.1".to_owned()),
            ("port", self.port.to_string()),
            ("unix_socket_directories", self.cluster.socket_folder().unwrap_or_default().to_owned()),
            ("max_connections", self.max_connections.to_string()),
            ("password_encryption", "scram-sha-256".to_owned()),
            ("timezone", "UTC".to_owned()),
            ("log_timezone", "UTC".to_owned()),
            ("lc_messages", "C".to_owned()),
            ("log_destination", "stderr".to_owned()),
            ("logging_collector", "off".to_owned()),
            // The log must not hold personal data: no statements, no "Key (email)=(…) exists".
            ("log_min_error_statement", "panic".to_owned()),
            ("log_error_verbosity", "terse".to_owned()),
        ];
        if !self.durable {
            // Commits stay synchronous: they survive a killed process, only not a power cut.
            settings.extend(["fsync", "full_page_writes"].map(|name| (name, "off".to_owned())));
        }
        settings
    }

    /// Starts the process and waits until it accepts connections. Takes another port when the
    /// port is taken, and waits for the remains of a killed predecessor to go.
    pub(super) fn start(&mut self) -> Result<Child> {
        let mut attempts = 0;
        loop {
            attempts += 1;
            let before = fs::metadata(self.cluster.log()).map_or(0, |log| log.len());
            let mut child = self.spawn()?;
            let ended = self.wait_until_ready(&mut child)?;
            let Some(status) = ended else {
                let _ = fs::write(self.cluster.port_file(), self.port.to_string());
                return Ok(child);
            };
            let tail = self.log_since(before);
            let port_taken = tail.contains("could not bind");
            let remains = tail.contains("pre-existing shared memory block");
            if attempts == 20 || !(port_taken || remains) {
                let problem = format!("did not start ({status})");
                return Err(EmbeddedError::Server { problem, log: self.cluster.log(), tail: last_lines(&tail) });
            }
            if port_taken {
                self.port = free_port(None)?;
            } else {
                std::thread::sleep(Duration::from_millis(250));
            }
        }
    }

    /// Waits for the first of ready (`None`) and ended (its status).
    fn wait_until_ready(&self, child: &mut Child) -> Result<Option<ExitStatus>> {
        let begun = Instant::now();
        loop {
            if let Some(status) = child.try_wait().doing("wait for", &self.cluster.data())? {
                return Ok(Some(status));
            }
            if self.is_ready(child) {
                return Ok(None);
            }
            if begun.elapsed() > START {
                self.stop(child)?;
                let problem = "was not ready after 10 minutes".to_owned();
                return Err(EmbeddedError::Server { problem, log: self.cluster.log(), tail: self.log_since(0) });
            }
            std::thread::sleep(GLANCE);
        }
    }

    /// Whether the process accepts connections: it says so in the eighth line of its lock file,
    /// where pg_ctl looks too.
    pub(super) fn is_ready(&self, child: &Child) -> bool {
        let lock = fs::read_to_string(self.cluster.data().join("postmaster.pid")).unwrap_or_default();
        let mut lines = lock.lines();
        let pid = lines.next().and_then(|line| line.trim().parse().ok());
        pid == Some(child.id()) && lines.nth(6).is_some_and(|status| status.trim() == "ready")
    }

    /// Stops the process: fast (open transactions are rolled back, a checkpoint is written), then
    /// immediately, then by force.
    pub(super) fn stop(&self, child: &mut Child) -> Result<()> {
        for (mode, patience) in [("fast", FAST_STOP), ("immediate", IMMEDIATE_STOP)] {
            // When it has ended already pg_ctl complains; the wait below is what counts.
            let _ = self.pg_ctl_stop(mode, "--no-wait");
            let begun = Instant::now();
            while begun.elapsed() < patience {
                if child.try_wait().doing("wait for", &self.cluster.data())?.is_some() {
                    return Ok(());
                }
                std::thread::sleep(GLANCE);
            }
        }
        tracing::warn!("PostgreSQL does not stop; killing it");
        child.kill().and_then(|()| child.wait()).map(drop).doing("kill", &self.cluster.data())
    }

    fn pg_ctl_stop(&self, mode: &str, wait: &str) -> Result<()> {
        let mut command = self.cluster.account.command(&self.cluster.programs.path("pg_ctl"));
        command.arg("stop").arg("-D").arg(self.cluster.data()).args(["-m", mode, wait, "-t", "30"]);
        run("pg_ctl stop", command)
    }

    /// Deals with the lock file of an earlier process. The data directory's own lock says that no
    /// other Freehold server lives, so an earlier process is an orphan: it is stopped rather than
    /// adopted, because only a child can be waited for.
    ///
    /// A process that is gone may have its number in the lock file taken by another (in a
    /// container the numbers repeat), and PostgreSQL would refuse to start. Removing the file would
    /// also remove its guard against surviving backends, so it gets our own number instead: a
    /// lock of its parent process doesn't stop PostgreSQL, and it still looks for survivors.
    fn clear_leftovers(&self) -> Result<()> {
        let data = self.cluster.data();
        let path = data.join("postmaster.pid");
        let Ok(lock) = fs::read_to_string(&path) else { return self.clear_sockets() };
        let (number, rest) = lock.split_once('\n').unwrap_or((lock.as_str(), ""));
        match number.trim().parse::<u32>() {
            Ok(pid) if is_postmaster(pid, &data) => {
                tracing::warn!(pid, "stopping a PostgreSQL that an earlier server left behind");
                self.stop_orphan(pid)?;
            }
            Ok(_) => fs::write(&path, format!("{}\n{rest}", std::process::id())).doing("write", &path)?,
            // Cut off while it was written: no process came far enough to need the guard.
            Err(_) => fs::remove_file(&path).doing("remove", &path)?,
        }
        self.clear_sockets()
    }

    /// A socket's lock file has a number too, and guards nothing but the socket.
    fn clear_sockets(&self) -> Result<()> {
        let home = &self.cluster.home;
        for entry in fs::read_dir(home).doing("list", home)?.flatten() {
            if entry.file_name().to_string_lossy().starts_with(".s.PGSQL.") {
                fs::remove_file(entry.path()).doing("remove", &entry.path())?;
            }
        }
        Ok(())
    }

    fn stop_orphan(&self, pid: u32) -> Result<()> {
        let stopped = self.pg_ctl_stop("fast", "--wait").or_else(|_| self.pg_ctl_stop("immediate", "--wait"));
        // It goes by itself when its server is killed, and pg_ctl complains when its lock file is gone before the
        // order comes: its end is what counts.
        let begun = Instant::now();
        while is_postmaster(pid, &self.cluster.data()) {
            if begun.elapsed() > IMMEDIATE_STOP {
                return stopped;
            }
            std::thread::sleep(GLANCE);
        }
        Ok(())
    }

    fn open_log(&self) -> Result<File> {
        let path = self.cluster.log();
        if fs::metadata(&path).is_ok_and(|log| log.len() > LOG_LIMIT) {
            fs::rename(&path, path.with_extension("log.1")).doing("rename", &path)?;
        }
        OpenOptions::new().create(true).append(true).mode(0o600).open(&path).doing("open", &path)
    }

    /// What the log says since it had this length.
    pub(super) fn log_since(&self, length: u64) -> String {
        let mut text = Vec::new();
        let read = File::open(self.cluster.log()).and_then(|mut log| {
            let length = if log.metadata()?.len() < length { 0 } else { length };
            log.seek(SeekFrom::Start(length))?;
            log.read_to_end(&mut text)
        });
        read.map(|_| String::from_utf8_lossy(&text).into_owned()).unwrap_or_default()
    }
}

/// Whether the process is a PostgreSQL server on this data folder: it works in it. Systems without
/// /proc are asked for its command line.
fn is_postmaster(pid: u32, data: &Path) -> bool {
    if Path::new("/proc/self").exists() {
        return fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|folder| folder == data);
    }
    let mut ps = Command::new("ps");
    ps.args(["-o", "command=", "-p", &pid.to_string()]).stderr(Stdio::null());
    ps.output().is_ok_and(|output| String::from_utf8_lossy(&output.stdout).contains("postgres"))
}

/// The port of the last start if it is free, so that open terminals stay connected; otherwise a
/// random free one.
pub(super) fn free_port(last: Option<u16>) -> Result<u16> {
    let is_free = |port: &u16| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok();
    if let Some(port) = last.filter(is_free) {
        return Ok(port);
    }
    let seed = SecretBytes::random().doing("find random bytes for", Path::new("a port"))?;
    let pairs =
        seed.expose().chunks_exact(2).map(|pair| pair.iter().fold(0_u16, |sum, byte| (sum << 8) | u16::from(*byte)));
    let candidates = pairs.map(|number| PORTS.start + number % (PORTS.end - PORTS.start));
    match candidates.into_iter().find(is_free) {
        Some(port) => Ok(port),
        // Sixteen in a row taken: let the system choose from its own range.
        None => TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .and_then(|listener| listener.local_addr())
            .map(|address| address.port())
            .doing("find a free port on", Path::new("127.0.0.1")),
    }
}
