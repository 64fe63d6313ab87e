//! PgBouncer in transaction mode, between a server and the run's PostgreSQL.

use std::{
    fs,
    net::TcpListener,
    os::unix::fs::{PermissionsExt, chown},
    path::PathBuf,
    process::{Child, Command, Stdio},
};

use freehold::{
    config::SecretString,
    db::{APPLICATION_ROLE, PLATFORM_ROLE},
};

use super::{Database, PATIENCE, eventually, folder};

/// Debian's user of PostgreSQL; PgBouncer refuses to be root.
const USER: &str = "postgres";

/// A running PgBouncer.
pub struct PgBouncer {
    child: Child,
    port: u16,
}

impl PgBouncer {
    /// A PgBouncer before this database with few connections, so that transactions really share them.
    pub async fn before(database: &Database) -> Self {
        let program = program();
        let folder = folder("pgbouncer");
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let users: String =
            [database.login(None), database.login(Some(APPLICATION_ROLE)), database.login(Some(PLATFORM_ROLE))]
                .iter()
                .map(|(user, password)| format!("\"{user}\" \"{password}\"\n"))
                .collect();
        let settings = format!(
            "[databases]\n* = host=127.0.0.1 port={}\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\n\
             unix_socket_dir =\nauth_type = scram-sha-256\nauth_file = {}\npool_mode = transaction\n\
             default_pool_size = 3\nmax_client_conn = 200\nserver_tls_sslmode = disable\n",
            database.port(),
            folder.join("users").display(),
        );
        fs::write(folder.join("users"), users).unwrap();
        fs::write(folder.join("pgbouncer.ini"), settings).unwrap();
        let mut command = as_somebody(&program, &folder);
        let log = fs::File::create(folder.join("log")).unwrap();
        command.arg(folder.join("pgbouncer.ini")).stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        let child = command.spawn().unwrap();
        let this = Self { child, port };
        eventually("PgBouncer listens", PATIENCE, async || {
            tokio::net::TcpStream::connect(("127.0.0.1", port)).await.ok()
        })
        .await;
        this
    }

    /// How to reach the database through it, as its owner.
    pub fn url(&self, database: &Database) -> SecretString {
        database.url_through(self.port)
    }
}

impl Drop for PgBouncer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn program() -> PathBuf {
    let places = ["/usr/sbin/pgbouncer", "/usr/bin/pgbouncer", "/usr/local/bin/pgbouncer"];
    let found = places.iter().map(PathBuf::from).find(|path| path.is_file());
    found.expect("PgBouncer is missing: make deps installs it")
}

/// The program under an unprivileged user, when we are root.
fn as_somebody(program: &PathBuf, folder: &PathBuf) -> Command {
    let id = |flag: &str, user: &str| -> u32 {
        let output = Command::new("id").args([flag, user]).output().unwrap();
        String::from_utf8(output.stdout).unwrap().trim().parse().unwrap()
    };
    let own = Command::new("id").arg("-u").output().unwrap();
    if own.stdout != b"0\n" {
        return Command::new(program);
    }
    let (user, group) = (id("-u", USER), id("-g", USER));
    for entry in fs::read_dir(folder).unwrap().flatten() {
        chown(entry.path(), Some(user), Some(group)).unwrap();
        fs::set_permissions(entry.path(), fs::Permissions::from_mode(0o600)).unwrap();
    }
    let mut command = Command::new("setpriv");
    command.args([&format!("--reuid={user}"), &format!("--regid={group}"), "--clear-groups"]).arg(program);
    command
}
