//! The files of the embedded cluster: where they are, and how they come to be. A cluster appears
//! under its name complete or not at all. Starts no server that listens.
//!
//! Layout of a cluster's folder: `data/` (PostgreSQL's own), `owner.password`, `port`,
//! `postgres.log`. The data directory's `postgres` is this folder, or a link to it when the
//! unprivileged user can't reach the data directory.

use std::fs;
use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::account::Account;
use super::error::{Doing, EmbeddedError, Result};
use super::programs::{Programs, Search};
use crate::config::{SecretBytes, SecretString};

/// The folder or link in the data directory.
const NAME: &str = "postgres";
/// What an unfinished cluster's folder begins with.
const UNFINISHED: &str = "postgres.new.";
/// Where clusters go when the data directory is out of reach for the unprivileged user.
const ELSEWHERE: &str = "/var/lib/freehold";
/// The login that owns the database and may make roles and databases; it is no superuser, so that
/// the embedded database allows nothing that a managed one would not.
const OWNER: &str = "freehold_owner";
const DATABASE: &str = "freehold";
/// What PostgreSQL calls its socket, with the longest port there is.
const SOCKET: &str = "/.s.PGSQL.65535";
/// The longest path of a socket (unix(7): 108 bytes with the end mark; macOS has 104).
const SOCKET_PATH: usize = 103;
/// Who may come in.
const DOORS: &str = "# Written by Freehold.\nhost all all 127.0.0.1/32 scram-sha-256\nlocal all all scram-sha-256\n";
/// Who might before there was a socket.
const DOORS_BEFORE: &str = "# Written by Freehold.\nhost all all 127.0.0.1/32 scram-sha-256\n";

/// A complete cluster and what it takes to run it.
#[derive(Clone, Debug)]
pub(super) struct Cluster {
    pub(super) home: PathBuf,
    pub(super) account: Account,
    pub(super) programs: Programs,
}

impl Cluster {
    /// Finds the data directory's cluster or makes one. The caller holds the data directory's lock.
    pub(super) fn open(data_dir: &Path, search: &Search) -> Result<Self> {
        match existing(data_dir)? {
            Some(home) => {
                let account = Account::choose(Some(&home))?;
                let version_file = home.join("data/PG_VERSION");
                let version = fs::read_to_string(&version_file).doing("read", &version_file)?;
                let major = version.trim().parse().map_err(std::io::Error::other).doing("understand", &version_file)?;
                Ok(Self { programs: Programs::find(search, Some((&home, major)))?, account, home })
            }
            None => {
                let programs = Programs::find(search, None)?;
                let account = Account::choose(None)?;
                Ok(Self { home: make(data_dir, &account, &programs)?, account, programs })
            }
        }
    }

    /// PostgreSQL's own folder.
    pub(super) fn data(&self) -> PathBuf {
        self.home.join("data")
    }

    /// The log of the server process.
    pub(super) fn log(&self) -> PathBuf {
        self.home.join("postgres.log")
    }

    /// Where the port of the last start is kept.
    pub(super) fn port_file(&self) -> PathBuf {
        self.home.join("port")
    }

    /// The folder of PostgreSQL's socket: the cluster's own, unless its path is too long or has characters that a list
    /// of folders or a URL would not take as they are.
    pub(super) fn socket_folder(&self) -> Option<&str> {
        let folder = self.home.to_str()?;
        let plain = folder.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/._-".contains(&byte));
        (plain && folder.len() + SOCKET.len() <= SOCKET_PATH).then_some(folder)
    }

    /// The owner's connection URLs: over TCP, and by the shortest way.
    pub(super) fn owner_urls(&self, port: u16) -> Result<(SecretString, SecretString)> {
        let path = password_file(&self.home);
        let password = fs::read_to_string(&path).map(SecretString::new).doing("read", &path)?;
        let password = password.expose().trim();
        // Loopback never leaves the machine, and the cluster has no certificate.
        let tcp = format!("postgres://{OWNER}:{password}@127.0.0.1:{port}/{DATABASE}?sslmode=disable");
        let nearest = match self.socket_folder() {
            Some(folder) => format!("postgres://{OWNER}:{password}@localhost:{port}/{DATABASE}?host={folder}"),
            None => tcp.clone(),
        };
        Ok((SecretString::new(tcp), SecretString::new(nearest)))
    }

    /// Says who may come in, and how: with a password, over loopback or the socket. The superuser has none, so nobody
    /// can be it. What somebody has written stays.
    pub(super) fn open_doors(&self) -> Result<()> {
        let path = self.data().join("pg_hba.conf");
        let written = fs::read_to_string(&path).doing("read", &path)?;
        if written == DOORS_BEFORE { fs::write(&path, DOORS).doing("write", &path) } else { Ok(()) }
    }
}

fn password_file(home: &Path) -> PathBuf {
    home.join("owner.password")
}

/// The folder of the data directory's cluster, if it has one.
fn existing(data_dir: &Path) -> Result<Option<PathBuf>> {
    let link = data_dir.join(NAME);
    if fs::symlink_metadata(&link).is_err() {
        return Ok(None);
    }
    match fs::canonicalize(&link) {
        Ok(home) => Ok(Some(home)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let target = fs::read_link(&link).doing("read", &link)?;
            Err(EmbeddedError::FilesGone { link, target })
        }
        Err(error) => Err(error).doing("follow", &link),
    }
}

/// Makes a cluster beside its final place and then gives it its name, so that a start that is
/// killed half way leaves only a folder for the next start to sweep away.
fn make(data_dir: &Path, account: &Account, programs: &Programs) -> Result<PathBuf> {
    sweep(data_dir)?;
    let link = data_dir.join(NAME);
    let reachable = account.can_enter(data_dir);
    let parent = if reachable { data_dir.to_path_buf() } else { elsewhere(data_dir)? };
    let unfinished = parent.join(format!("{UNFINISHED}{}", random_name()?));
    tracing::info!(version = programs.major, folder = %parent.display(), "making a PostgreSQL cluster; this takes some seconds");
    account.make_private_folder(&unfinished)?;
    initialise(&unfinished, account, programs)?;
    let home = parent.join(NAME);
    fs::rename(&unfinished, &home).doing("rename", &unfinished)?;
    if !reachable {
        tracing::warn!(
            data_dir = %data_dir.display(), folder = %home.display(),
            "PostgreSQL's unprivileged user can't reach the data directory, so the database files are elsewhere",
        );
        symlink(&home, &link).doing("make the link", &link)?;
    }
    fs::File::open(&parent).and_then(|folder| folder.sync_all()).doing("write", &parent)?;
    Ok(home)
}

/// Removes what killed starts left behind.
fn sweep(data_dir: &Path) -> Result<()> {
    for entry in fs::read_dir(data_dir).doing("list", data_dir)?.flatten() {
        if entry.file_name().to_string_lossy().starts_with(UNFINISHED) {
            fs::remove_dir_all(entry.path()).doing("remove", &entry.path())?;
        }
    }
    Ok(())
}

/// A new folder for one data directory's cluster. The name is random rather than derived from the
/// data directory: whoever removes or moves that starts anew and destroys nothing.
fn elsewhere(data_dir: &Path) -> Result<PathBuf> {
    let folder = Path::new(ELSEWHERE).join(random_name()?);
    fs::create_dir_all(&folder).doing("make", &folder)?;
    let note = folder.join("README");
    let text = format!("The PostgreSQL files of Freehold's data directory {}.\n", data_dir.display());
    fs::write(&note, text).doing("write", &note)?;
    Ok(folder)
}

fn random_name() -> Result<String> {
    let bytes = SecretBytes::random().doing("find random bytes for", Path::new(ELSEWHERE))?;
    Ok(bytes.expose().iter().take(4).map(|byte| format!("{byte:02x}")).collect())
}

fn initialise(home: &Path, account: &Account, programs: &Programs) -> Result<()> {
    let data = home.join("data");
    // A collation that knows letters beyond ASCII and is the same everywhere; C where the system
    // lacks it.
    let initdb = |locale: &str| {
        let mut command = account.tied_command(&programs.path("initdb"), "KILL");
        command.arg("--pgdata").arg(&data);
        command.args(["--encoding=UTF8", "--username=postgres", "--auth=reject", "--data-checksums"]);
        command.arg(format!("--locale={locale}"));
        command.output().doing("run", &programs.path("initdb"))
    };
    let mut output = initdb("C.UTF-8")?;
    if !output.status.success() {
        output = initdb("C")?;
    }
    succeeded("initdb", &output)?;
    let hba = data.join("pg_hba.conf");
    fs::write(&hba, DOORS).doing("write", &hba)?;
    let password = SecretBytes::random().doing("find random bytes for", home)?;
    let password = SecretString::new(URL_SAFE_NO_PAD.encode(password.expose()));
    make_owner(&data, &password, account, programs)?;
    let path = password_file(home);
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path).doing("make", &path)?;
    file.write_all(password.expose().as_bytes()).and_then(|()| file.sync_all()).doing("write", &path)
}

/// Makes the owner and its database in single-user mode: no server listens while there is no
/// password yet, and the password is on no command line.
fn make_owner(data: &Path, password: &SecretString, account: &Account, programs: &Programs) -> Result<()> {
    let statements = SecretString::new(format!(
        "CREATE ROLE {OWNER} LOGIN CREATEROLE CREATEDB PASSWORD '{}'\n\
         GRANT pg_monitor, pg_signal_backend TO {OWNER} WITH ADMIN OPTION\n\
         CREATE DATABASE {DATABASE} OWNER {OWNER}\n",
        password.expose()
    ));
    let program = programs.path("postgres");
    let mut command = account.tied_command(&program, "KILL");
    command.arg("--single").arg("-D").arg(data).args([
        "-c",
        "exit_on_error=true",
        "-c",
        "log_min_error_statement=panic",
    ]);
    command.arg("template1").stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn().doing("run", &program)?;
    if let Some(mut input) = child.stdin.take() {
        // If it ended early its exit status says more than the broken pipe.
        let _ = input.write_all(statements.expose().as_bytes());
    }
    succeeded("postgres --single", &child.wait_with_output().doing("wait for", &program)?)
}

/// Runs a program to its end and wants it to succeed.
pub(super) fn run(name: &str, mut command: Command) -> Result<()> {
    let output = command.output().doing("run", Path::new(name))?;
    succeeded(name, &output)
}

fn succeeded(program: &str, output: &Output) -> Result<()> {
    if output.status.success() {
        return Ok(());
    }
    let text = [output.stdout.as_slice(), output.stderr.as_slice()].concat();
    let output_tail = last_lines(&String::from_utf8_lossy(&text));
    Err(EmbeddedError::Program { program: program.to_owned(), status: output.status.to_string(), output: output_tail })
}

/// The last twenty lines, indented.
pub(super) fn last_lines(text: &str) -> String {
    let lines: Vec<_> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    lines.iter().skip(lines.len().saturating_sub(20)).map(|line| format!("  {line}")).collect::<Vec<_>>().join("\n")
}
