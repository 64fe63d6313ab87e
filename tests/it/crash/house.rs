//! A server with a PostgreSQL of its own in a folder, its mail server, and a look behind its back.

use std::{
    collections::HashMap,
    fs,
    net::{Ipv4Addr, TcpListener},
    path::{Path, PathBuf},
    process::Command,
    sync::atomic::{AtomicU16, Ordering},
    time::Duration,
};

use serde_json::json;

use crate::{
    harness::{Actor, Process, Psql, eventually, folder},
    mail::sink::{Delivered, Sink},
    path::{first_admin, switch},
};

/// How long the last letters may take.
const DELIVERED: Duration = Duration::from_secs(30);

/// What must never be there, and how to count it.
const HALF_DONE: [(&str, &str); 12] = [
    (
        "an account without a password",
        "FROM accounts a WHERE NOT EXISTS (SELECT 1 FROM password_credentials WHERE account_id = a.id)",
    ),
    (
        "an account without its entry",
        "FROM accounts a WHERE NOT EXISTS (SELECT 1 FROM audit_entries WHERE event = 'account.created' AND target_id = a.id)",
    ),
    (
        "an account that belongs nowhere",
        "FROM accounts a WHERE NOT EXISTS (SELECT 1 FROM memberships WHERE account_id = a.id)",
    ),
    (
        "an accepted invitation without its membership",
        "FROM invitations i WHERE status = 'accepted' AND NOT EXISTS (SELECT 1 FROM memberships m WHERE m.organization_id = i.organization_id AND m.account_id = i.accepted_by)",
    ),
    (
        "a membership whose invitation is open",
        "FROM invitations i JOIN accounts a ON a.email = i.email JOIN memberships m ON m.account_id = a.id AND m.organization_id = i.organization_id WHERE i.status = 'pending'",
    ),
    (
        "an invitation without its letter",
        "FROM invitations i WHERE NOT EXISTS (SELECT 1 FROM outbox WHERE id = i.mail_id)",
    ),
    (
        "an invitation without its entry",
        "FROM invitations i WHERE NOT EXISTS (SELECT 1 FROM audit_entries WHERE event = 'invitation.created' AND target_id = i.id)",
    ),
    (
        "a session without its entry",
        "FROM sessions s WHERE NOT EXISTS (SELECT 1 FROM audit_entries WHERE event = 'session.created' AND target_id = s.id)",
    ),
    (
        "a session without a refresh token",
        "FROM sessions s WHERE NOT EXISTS (SELECT 1 FROM refresh_tokens WHERE session_id = s.id)",
    ),
    (
        "an organisation without an owner",
        "FROM organizations o WHERE NOT EXISTS (SELECT 1 FROM memberships m WHERE m.organization_id = o.id AND role IN ('owner', 'platform_admin'))",
    ),
    (
        "a used setup token without an administrator",
        "FROM setup_tokens WHERE used_at IS NOT NULL AND NOT EXISTS (SELECT 1 FROM memberships WHERE role = 'platform_admin')",
    ),
    (
        "an entry whose object is not there",
        "FROM audit_entries e WHERE outcome = 'success' AND target_id NOT IN (
        SELECT id FROM accounts UNION ALL SELECT id FROM memberships UNION ALL SELECT id FROM invitations UNION ALL
        SELECT id FROM sessions UNION ALL SELECT id FROM organizations UNION ALL SELECT id FROM setup_tokens UNION ALL
        SELECT id FROM signing_keys UNION ALL SELECT id FROM policy_revisions)",
    ),
];

pub struct House {
    data: PathBuf,
    port: u16,
    /// Its mail server.
    pub sink: Sink,
    /// The server.
    pub process: Process,
    /// Somebody without a token.
    pub nobody: Actor,
}

impl House {
    /// Starts a server for the first time.
    pub async fn new() -> Self {
        // A mail server that takes its time is often in the middle of a letter when its client dies.
        let sink = Sink::configured(&json!({"pause": 30})).await;
        let (data, port) = (folder("house"), own_port());
        let mut process = begin(&data, port, &sink);
        let nobody = process.ready().await;
        Self { data, port, sink, process, nobody }
    }

    /// Starts the server again.
    pub async fn start(&mut self) {
        self.process = begin(&self.data, self.port, &self.sink);
        self.nobody = self.process.ready().await;
    }

    /// kill -9, and again.
    pub async fn kill_and_start(&mut self) {
        self.process.kill_9();
        self.start().await;
    }

    /// Stops the server as an operator does.
    pub async fn stop(mut self) {
        assert!(self.process.terminate().await.success(), "{}", self.process.output());
    }

    /// The first administrator, in an organisation of theirs, and its path.
    pub async fn with_an_organization(&mut self) -> (Actor, String) {
        let token = self.process.setup_token().await;
        let ada = self.nobody.post("/v1/setup", first_admin(&token)).await.expect(201);
        let ada = self.nobody.bearing(ada.text_at("/access_token"));
        let id = ada.post("/v1/organizations", json!({"name": "Engines"})).await.expect(201).id_at("/id");
        switch(&ada, id).await;
        (ada, format!("/v1/organizations/{id}"))
    }

    /// Its database, as the owner.
    pub async fn psql(&self) -> Psql {
        let read = |name: &str| fs::read_to_string(self.data.join("postgres").join(name)).unwrap();
        let (password, port) = (read("owner.password"), read("port"));
        let (password, port) = (password.trim(), port.trim());
        Psql::to(&format!("postgres://freehold_owner:{password}@127.0.0.1:{port}/freehold?sslmode=disable")).await
    }

    /// The process id of its PostgreSQL; 0 while there is none.
    pub fn postgres(&self) -> u32 {
        let lock = fs::read_to_string(self.data.join("postgres/data/postmaster.pid")).unwrap_or_default();
        lock.lines().next().and_then(|line| line.parse().ok()).unwrap_or(0)
    }

    /// Insists that nothing is half-done.
    pub async fn is_whole(&self) {
        let mut psql = self.psql().await;
        for (what, condition) in HALF_DONE {
            assert_eq!(psql.number(&format!("SELECT count(*) {condition}")).await, 0, "there is {what}");
        }
    }

    /// A killed server's leases run out after a minute; this is that minute.
    pub async fn let_leases_run_out(&self) {
        let release = "UPDATE outbox SET leased_until = now() WHERE leased_until IS NOT NULL AND sent_at IS NULL";
        self.psql().await.run(release).await.unwrap();
    }

    /// Insists that every letter of the outbox has left, and that those that had to be sent again are the same.
    pub async fn letters_left_once(&self) {
        self.let_leases_run_out().await;
        let mut psql = self.psql().await;
        let waiting = "SELECT count(*) FROM outbox WHERE sent_at IS NULL";
        eventually("all letters are sent", DELIVERED, async || (psql.number(waiting).await == 0).then_some(())).await;
        let mut messages: HashMap<String, Delivered> = HashMap::new();
        for letter in self.sink.taken() {
            let id = letter.header("Message-ID").to_owned();
            if let Some(first) = messages.insert(id, letter.clone()) {
                assert_eq!(first, letter, "a repeated letter is another one");
            }
        }
        let mut sent: Vec<_> = messages.into_keys().collect();
        let rows = psql.rows("SELECT format('<%s@localhost>', id) AS id FROM outbox").await;
        let mut queued: Vec<_> = rows.iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect();
        sent.sort_unstable();
        queued.sort_unstable();
        assert_eq!(sent, queued);
    }
}

fn begin(data: &Path, port: u16, sink: &Sink) -> Process {
    Process::start(&[
        ("FREEHOLD_DATA_DIR", data.to_str().unwrap()),
        // The same port each time: tokens name the server's address.
        ("FREEHOLD_HTTP_LISTEN", &format!("127.0.0.1:{port}")),
        ("FREEHOLD_HTTP_DRAIN", "20s"),
        ("FREEHOLD_MAIL_SMTP_URL", &sink.url()),
    ])
}

/// A port that stays ours while nobody listens on it: outside of those that the system hands out and
/// that embedded databases take.
fn own_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let first = 10_000 + u16::try_from(std::process::id() % 9_000).unwrap();
    loop {
        let port = first + NEXT.fetch_add(1, Ordering::Relaxed);
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return port;
        }
    }
}

/// Whether a process runs.
pub fn runs(pid: u32) -> bool {
    Path::new(&format!("/proc/{pid}")).exists()
}

/// kill -9.
pub fn kill_9(pid: u32) {
    assert!(pid > 0 && Command::new("sh").args(["-c", "kill -9 $0", &pid.to_string()]).status().unwrap().success());
}
