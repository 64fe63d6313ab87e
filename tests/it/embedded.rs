//! The embedded PostgreSQL as an operator meets it: first start, restart, kill -9 of either
//! process, leftovers, and what it says when it can't.

use std::fs;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use freehold::db::embedded::{Embedded, EmbeddedError, EmbeddedSettings, Search, State};
use sqlx::{Connection as _, PgConnection, Row as _};

/// A folder for one test, removed at its end; others may pass through it, as PostgreSQL's user has to.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("freehold-embedded-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        Self(path)
    }

    /// The data directory, its database not durable: most stories kill processes, not machines.
    fn settings(&self) -> EmbeddedSettings {
        EmbeddedSettings { durable: false, ..EmbeddedSettings::new(self.0.join("data")) }
    }

    fn lock_file(&self) -> PathBuf {
        self.0.join("data/postgres/data/postmaster.pid")
    }

    fn postgres_pid(&self) -> u32 {
        fs::read_to_string(self.lock_file()).unwrap().lines().next().unwrap().parse().unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A process that is killed at the end of the test, however it ends.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn kill_9(pid: u32) {
    assert!(Command::new("sh").args(["-c", "kill -9 $0", &pid.to_string()]).status().unwrap().success());
}

async fn start(folder: &Folder) -> Embedded {
    Embedded::start(folder.settings()).await.unwrap_or_else(|error| panic!("{error}"))
}

async fn connect(embedded: &Embedded) -> PgConnection {
    connect_to(embedded.owner_url().expose()).await.unwrap()
}

#[expect(clippy::disallowed_methods, reason = "the story is about the bare database")]
async fn connect_to(url: &str) -> sqlx::Result<PgConnection> {
    PgConnection::connect(url).await
}

async fn execute(embedded: &Embedded, sql: &'static str) {
    sqlx::raw_sql(sql).execute(&mut connect(embedded).await).await.unwrap();
}

async fn ask(embedded: &Embedded, sql: &'static str) -> String {
    sqlx::query(sql).fetch_one(&mut connect(embedded).await).await.unwrap().get(0)
}

/// Waits for something that happens soon.
fn eventually(what: &str, mut happened: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !happened() {
        assert!(begun.elapsed() < Duration::from_secs(30), "still waiting: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

async fn refusal(settings: EmbeddedSettings) -> EmbeddedError {
    match Embedded::start(settings).await {
        Ok(_) => panic!("it started"),
        Err(error) => error,
    }
}

/// Proves DEP-1.
#[tokio::test]
async fn the_first_start_makes_a_database_and_later_ones_keep_it() {
    let folder = Folder::new("restart");
    // A first start that was killed half way left this.
    fs::create_dir_all(folder.0.join("data/postgres.new.0badcafe/data")).unwrap();
    let embedded = Embedded::start(EmbeddedSettings::new(folder.0.join("data"))).await.unwrap();
    execute(&embedded, "create table kept (value text); insert into kept values ('Grüße')").await;
    for (sql, expected) in [
        ("select current_database()::text", "freehold"),
        ("select rolsuper::text || rolcreaterole::text from pg_roles where rolname = current_user", "falsetrue"),
        ("show server_encoding", "UTF8"),
        ("show data_checksums", "on"),
        ("show fsync", "on"),
        ("show listen_addresses", "127.0.0.1"),
    ] {
        assert_eq!(ask(&embedded, sql).await, expected, "{sql}");
    }
    let url = embedded.owner_url().expose().to_owned();
    let nobody = url.replacen("freehold_owner", "postgres", 1);
    assert!(connect_to(&nobody).await.is_err(), "the superuser can sign in");
    let password = fs::metadata(folder.0.join("data/postgres/owner.password")).unwrap();
    assert_eq!(password.mode() & 0o777, 0o600);
    assert_ne!(fs::metadata(folder.0.join("data/postgres/data")).unwrap().uid(), 0, "PostgreSQL's files are root's");
    embedded.stop().await.unwrap();
    assert!(!folder.lock_file().exists(), "PostgreSQL still runs");

    let embedded = start(&folder).await;
    assert_eq!(ask(&embedded, "select value from kept").await, "Grüße");
    assert_eq!(embedded.owner_url().expose(), url, "the port has changed for no reason");
    assert_eq!(fs::read_dir(folder.0.join("data")).unwrap().count(), 2, "only the cluster and the lock remain");
    embedded.stop().await.unwrap();
}

/// Proves DEP-1: the server comes over a socket that only it reaches, where the path is short enough, and over TCP else.
#[tokio::test]
async fn the_server_comes_by_the_shortest_way_and_nobody_without_the_password() {
    let over = "select coalesce(host(client_addr), 'socket') from pg_stat_activity where pid = pg_backend_pid()";
    let folder = Folder::new("socket");
    // A cluster that was made before there was a socket.
    start(&folder).await.stop().await.unwrap();
    let hba = folder.0.join("data/postgres/data/pg_hba.conf");
    fs::write(&hba, "# Written by Freehold.\nhost all all 127.0.0.1/32 scram-sha-256\n").unwrap();
    let embedded = start(&folder).await;
    let url = embedded.nearest_url().expose();
    let came: String = sqlx::query(over).fetch_one(&mut connect_to(url).await.unwrap()).await.unwrap().get(0);
    assert_eq!((came.as_str(), ask(&embedded, over).await.as_str()), ("socket", "127.0.0.1"));
    for stranger in
        [url.replacen("freehold_owner", "postgres", 1), url.replacen("freehold_owner:", "freehold_owner:x", 1)]
    {
        assert!(connect_to(&stranger).await.is_err(), "somebody came in without the password");
    }
    let home = fs::metadata(folder.0.join("data/postgres")).unwrap();
    assert_eq!(home.mode() & 0o077, 0, "others reach the socket");
    embedded.stop().await.unwrap();

    let long = Folder::new(&"long".repeat(25));
    let embedded = start(&long).await;
    assert_eq!(embedded.nearest_url().expose(), embedded.owner_url().expose());
    assert_eq!(ask(&embedded, "show unix_socket_directories").await, "");
    embedded.stop().await.unwrap();
}

#[tokio::test]
async fn postgres_killed_with_signal_9_comes_back_on_the_same_port() {
    let folder = Folder::new("kill-postgres");
    let embedded = start(&folder).await;
    execute(&embedded, "create table kept as select 'here' as value").await;
    let mut state = embedded.state();
    for _ in 0..2 {
        kill_9(folder.postgres_pid());
        for expected in [State::Restarting, State::Ready] {
            let changed = state.wait_for(|state| *state == expected);
            tokio::time::timeout(Duration::from_secs(30), changed).await.unwrap().unwrap();
        }
        assert_eq!(ask(&embedded, "select value from kept").await, "here");
    }
    embedded.stop().await.unwrap();
}

/// What the stories below kill; does nothing unless it runs in a folder that asks for it.
#[tokio::test]
#[ignore = "the part of the server in `a_server_killed_with_signal_9…`"]
async fn a_server_to_be_killed() {
    if Path::new("be-killed").exists() {
        let settings = EmbeddedSettings { durable: false, ..EmbeddedSettings::new("data") };
        let _embedded = Embedded::start(settings).await.unwrap();
        fs::write("started", "").unwrap();
        std::future::pending::<()>().await;
    }
}

/// A server in a process of its own, as this test binary.
fn other_server(folder: &Folder) -> Killed {
    fs::write(folder.0.join("be-killed"), "").unwrap();
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--ignored", "--exact", "embedded::a_server_to_be_killed"]);
    Killed(command.current_dir(&folder.0).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
}

/// Proves DEP-1.
#[tokio::test]
async fn a_server_killed_with_signal_9_leaves_nothing_in_the_way() {
    let folder = Folder::new("kill-server");
    // Killed early, in the middle of making the cluster: initdb must not finish behind our back.
    let mut server = other_server(&folder);
    eventually("initdb begins", || {
        let unfinished = fs::read_dir(folder.0.join("data")).into_iter().flatten().flatten();
        unfinished.map(|entry| entry.path()).any(|path| path.join("data").exists())
    });
    server.0.kill().unwrap();
    server.0.wait().unwrap();
    let _ = fs::remove_file(folder.0.join("started"));

    // Killed while it runs.
    let mut server = other_server(&folder);
    eventually("the server starts", || folder.0.join("started").exists());
    let text = refusal(folder.settings()).await.to_string();
    assert!(text.contains(&format!("another Freehold server (process {}) uses", server.0.id())), "{text}");
    let postgres = folder.postgres_pid();
    server.0.kill().unwrap();
    server.0.wait().unwrap();
    if cfg!(target_os = "linux") {
        eventually("PostgreSQL goes with its server", || !Path::new(&format!("/proc/{postgres}")).exists());
    }
    let embedded = start(&folder).await;
    assert_ne!(folder.postgres_pid(), postgres);
    assert_eq!(ask(&embedded, "select 'up'").await, "up");

    // An orphan: nobody's child, on the same files.
    embedded.stop().await.unwrap();
    let mut orphan = orphan(&folder);
    eventually("the orphan starts", || fs::read_to_string(folder.lock_file()).is_ok_and(|lock| lock.contains("ready")));
    let embedded = start(&folder).await;
    assert!(orphan.0.wait().unwrap().success(), "the orphan was not stopped cleanly");
    embedded.stop().await.unwrap();
}

/// PostgreSQL started on the folder's cluster by somebody else.
fn orphan(folder: &Folder) -> Killed {
    use std::os::unix::process::CommandExt as _;
    let data = fs::canonicalize(folder.0.join("data/postgres/data")).unwrap();
    let owner = fs::metadata(&data).unwrap();
    let bin = Command::new("pg_config").arg("--bindir").output().unwrap().stdout;
    let mut command = Command::new(Path::new(String::from_utf8(bin).unwrap().trim()).join("postgres"));
    let port = fs::read_to_string(folder.0.join("data/postgres/port")).unwrap();
    command.arg("-D").arg(&data).args(["-c", "unix_socket_directories=", "-p", &port]);
    command.stdout(Stdio::null()).stderr(Stdio::null()).current_dir("/");
    if fs::metadata(&folder.0).unwrap().uid() == 0 {
        command.uid(owner.uid()).gid(owner.gid());
    }
    Killed(command.spawn().unwrap())
}

#[tokio::test]
async fn a_stale_lock_file_does_not_stop_postgres() {
    let folder = Folder::new("stale");
    let embedded = start(&folder).await;
    let lock = fs::read_to_string(folder.lock_file()).unwrap();
    embedded.stop().await.unwrap();
    let data = fs::metadata(folder.0.join("data/postgres/data")).unwrap();
    let (_, rest) = lock.split_once('\n').unwrap();
    // The number belongs to somebody else now, even of the same user; and a file that was cut off.
    let mut bystander = Command::new("sleep");
    if fs::metadata(&folder.0).unwrap().uid() == 0 {
        use std::os::unix::process::CommandExt as _;
        bystander.uid(data.uid());
    }
    let mut bystander = Killed(bystander.arg("300").spawn().unwrap());
    for content in [format!("{}\n{rest}", bystander.0.id()), lock.clone(), String::new()] {
        fs::write(folder.lock_file(), &content).unwrap();
        std::os::unix::fs::chown(folder.lock_file(), Some(data.uid()), Some(data.gid())).unwrap();
        let embedded = start(&folder).await;
        assert_eq!(ask(&embedded, "select 'up'").await, "up", "{content}");
        embedded.stop().await.unwrap();
    }
    assert!(bystander.0.try_wait().unwrap().is_none(), "the bystander was killed");
}

#[tokio::test]
async fn a_server_that_is_still_ending_is_waited_for() {
    let folder = Folder::new("ending");
    start(&folder).await.stop().await.unwrap();
    let held = fs::File::open(folder.0.join("data/postgres.lock")).unwrap();
    held.lock().unwrap();
    let ending = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(500));
        drop(held);
    });
    start(&folder).await.stop().await.unwrap();
    ending.join().unwrap();
}

/// A folder of programs that only know their version.
fn fake_programs(folder: &Folder, version: &str) -> Search {
    let bin = folder.0.join(version).join("bin");
    fs::create_dir_all(&bin).unwrap();
    for name in ["postgres", "initdb", "pg_ctl"] {
        fs::write(bin.join(name), format!("#!/bin/sh\necho 'postgres (PostgreSQL) {version}.2 (Fake)'\n")).unwrap();
        fs::set_permissions(bin.join(name), fs::Permissions::from_mode(0o755)).unwrap();
    }
    Search { path: "".into(), versioned: vec![format!("{}/", folder.0.display())] }
}

#[tokio::test]
async fn missing_programs_are_named_with_the_commands_that_install_them() {
    let folder = Folder::new("missing");
    let nothing = Search { path: "/nowhere".into(), versioned: vec!["/nowhere/postgresql/".to_owned()] };
    let text = refusal(EmbeddedSettings { programs: nothing, ..folder.settings() }).await.to_string();
    for expected in ["apt-get install postgresql", "dnf install postgresql-server", "brew install", "DATABASE_URL="] {
        assert!(text.contains(expected), "{text}");
    }
    let old = fake_programs(&folder, "13");
    let text = refusal(EmbeddedSettings { programs: old, ..folder.settings() }).await.to_string();
    assert!(text.contains("; there is 13 in ") && text.contains("version 15 or newer"), "{text}");
    // Programs of another major version than the cluster's.
    fs::create_dir_all(folder.0.join("data/postgres/data")).unwrap();
    fs::write(folder.0.join("data/postgres/data/PG_VERSION"), "16\n").unwrap();
    let newer = fake_programs(&folder, "17");
    let text = refusal(EmbeddedSettings { programs: newer, ..folder.settings() }).await.to_string();
    assert!(text.contains("was made by PostgreSQL 16") && text.contains("postgresql-16"), "{text}");
}

/// Only root has to become somebody else; a plain user's run of this test shows that it does not.
#[tokio::test]
async fn a_data_directory_out_of_reach_gets_its_database_elsewhere() {
    let folder = Folder::new("reach");
    fs::DirBuilder::new().mode(0o700).create(folder.0.join("data")).unwrap();
    let root = fs::metadata(&folder.0).unwrap().uid() == 0;
    let link = folder.0.join("data/postgres");
    let embedded = start(&folder).await;
    assert_eq!(fs::symlink_metadata(&link).unwrap().is_symlink(), root);
    let home = fs::canonicalize(&link).unwrap();
    assert_eq!(home.starts_with("/var/lib/freehold"), root);
    embedded.stop().await.unwrap();
    let embedded = start(&folder).await;
    assert_eq!(fs::canonicalize(&link).unwrap(), home);
    embedded.stop().await.unwrap();
    if root {
        fs::remove_dir_all(home.parent().unwrap()).unwrap();
        let text = refusal(folder.settings()).await.to_string();
        assert!(text.contains("which is gone; put the database files back"), "{text}");
    }
}
