//! A database of a test's own, and SQL around the server: under each of the three roles, to see what PostgreSQL itself
//! allows and what is really there.

use std::{
    path::PathBuf,
    process::Command,
    sync::atomic::{AtomicU64, Ordering},
};

use freehold::{
    config::{Config, SecretString, Sources},
    db::{APPLICATION_ROLE, PLATFORM_ROLE, embedded::Search},
    runtime::Clock,
    server,
    vault::{Beginning, Local, Root, Vault, Wrapper},
};
use futures_util::FutureExt;
use sqlx::{AssertSqlSafe, ConnectOptions, Executor, PgConnection, Row, postgres::PgConnectOptions};
use uuid::Uuid;

use super::{
    PATIENCE, ROOT_KEY,
    cluster::{TEMPLATE, cluster},
    eventually, folder,
    mail::Mailbox,
};

/// How many databases there were so far.
static NUMBER: AtomicU64 = AtomicU64::new(0);

/// A database of a test's own. It goes with this value: stop the servers on it first.
pub struct Database {
    name: String,
    mail: Mailbox,
}

/// One of the three roles that a connection can be made under.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Login {
    /// What tenants' requests run under.
    Application,
    /// What the platform's work runs under.
    Platform,
    /// What migrates, and sees everything.
    Owner,
}

/// The record as a table, with whether an entry says from where and with what it was done.
pub const ENTRIES: &str =
    "(SELECT e.*, p.address IS NOT NULL AS from_somewhere, p.user_agent IS NOT NULL AS with_something
    FROM audit_entries e LEFT JOIN audit_personal p USING (id)) entries";

/// A connection around the server.
pub struct Psql(PgConnection);

impl Database {
    /// A migrated database with nobody in it.
    pub async fn new() -> Self {
        Self::clone_of(TEMPLATE).await
    }

    /// A copy of another database of this run that nobody is connected to.
    pub async fn copy_of(other: &Self) -> Self {
        Self::clone_of(&other.name).await
    }

    async fn clone_of(template: &str) -> Self {
        let name = format!("it_{}", NUMBER.fetch_add(1, Ordering::Relaxed));
        create(&cluster().owner, &name, Some(template)).await;
        Self { name, mail: Mailbox::new(folder("mail")) }
    }

    /// All of it as its owner dumps it, as SQL.
    pub async fn dump(&self) -> String {
        let mut command = Command::new(program("pg_dump"));
        command.arg("--enable-row-security").arg(self.plain_url());
        let dumped = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
        assert!(dumped.status.success(), "{}", String::from_utf8_lossy(&dumped.stderr));
        String::from_utf8(dumped.stdout).unwrap()
    }

    /// A database with what a dump holds.
    pub async fn restored(dump: &str) -> Self {
        let database = Self::empty().await;
        let file = folder("dump").join("dump.sql");
        std::fs::write(&file, dump).unwrap();
        let mut command = Command::new(program("psql"));
        command.args(["--quiet", "--no-psqlrc", "--set=ON_ERROR_STOP=1", "--file"]).arg(file).arg(database.plain_url());
        let restored = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
        assert!(restored.status.success(), "{}", String::from_utf8_lossy(&restored.stderr));
        database
    }

    /// Its URL without what only the server's library knows.
    fn plain_url(&self) -> String {
        let mut url = reqwest::Url::parse(self.url().expose()).unwrap();
        url.set_query(None);
        url.to_string()
    }

    /// A database with nothing in it.
    pub async fn empty() -> Self {
        let name = format!("it_{}", NUMBER.fetch_add(1, Ordering::Relaxed));
        create(&cluster().owner, &name, None).await;
        Self { name, mail: Mailbox::new(folder("mail")) }
    }

    /// How to reach it as its owner.
    pub fn url(&self) -> SecretString {
        url(&cluster().owner, &self.name)
    }

    /// How to reach it as its owner through something that listens on this loopback port.
    pub fn url_through(&self, port: u16) -> SecretString {
        url(&cluster().owner.clone().port(port), &self.name)
    }

    /// The user and password of the owner, or of one of the server's roles.
    pub fn login(&self, role: Option<&str>) -> (String, String) {
        match role {
            // The owner's password has no character that a URL would write otherwise.
            None => {
                let url = cluster().owner.to_url_lossy();
                (url.username().to_owned(), url.password().unwrap_or_default().to_owned())
            }
            Some(role) => (role.to_owned(), password_of(role).expose().to_owned()),
        }
    }

    /// The port of PostgreSQL itself, for a proxy before it.
    pub fn port(&self) -> u16 {
        cluster().owner.get_port()
    }

    /// The letters of all servers on this database.
    pub fn mail(&self) -> &Mailbox {
        &self.mail
    }

    /// Where those servers write them.
    pub(super) fn mail_folder(&self) -> PathBuf {
        self.mail.folder().to_owned()
    }

    /// Waits until every letter is on its way, so that nothing moves by itself any more.
    pub async fn letters_are_sent(&self) {
        let mut psql = self.psql(Login::Owner).await;
        eventually("all letters are sent", PATIENCE, async || {
            let waiting = "SELECT count(*) FROM outbox WHERE sent_at IS NULL AND failed_at IS NULL";
            (psql.number(waiting).await == 0).then_some(())
        })
        .await;
    }

    /// A connection under one of the roles, in no organisation and as nobody.
    pub async fn psql(&self, login: Login) -> Psql {
        let options = cluster().owner.clone().database(&self.name);
        let options = match login {
            Login::Owner => options,
            Login::Application => under(options, APPLICATION_ROLE),
            Login::Platform => under(options, PLATFORM_ROLE),
        };
        Psql(options.disable_statement_logging().connect().await.unwrap())
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let name = self.name.clone();
        // A test has no time to wait for it, and its runtime ends before it would be done.
        cluster().background.spawn(async move {
            let mut owner = cluster().owner.clone().disable_statement_logging().connect().await?;
            owner.execute(AssertSqlSafe(format!("DROP DATABASE {name} WITH (FORCE)"))).await
        });
    }
}

impl Psql {
    /// A connection to another PostgreSQL than the run's.
    pub async fn to(url: &str) -> Self {
        let options: PgConnectOptions = url.parse().unwrap();
        Self(options.disable_statement_logging().connect().await.unwrap())
    }

    /// From here on in this organisation and as this account, as the server would tell PostgreSQL.
    pub async fn act(&mut self, organization: Option<Uuid>, account: Option<Uuid>) {
        let text = |id: Option<Uuid>| id.map(|id| id.to_string()).unwrap_or_default();
        sqlx::query("SELECT set_config('freehold.organization', $1, false), set_config('freehold.account', $2, false)")
            .bind(text(organization))
            .bind(text(account))
            .execute(&mut self.0)
            .await
            .unwrap();
    }

    /// Runs statements and says how many rows the last one touched.
    pub async fn run(&mut self, sql: &str) -> sqlx::Result<u64> {
        Ok(self.0.execute(AssertSqlSafe(sql.to_owned())).await?.rows_affected())
    }

    /// The first column of the one row, as text. NULL is empty.
    pub async fn text(&mut self, sql: &str) -> String {
        let sql = format!("SELECT value::text FROM ({sql}) AS rows (value)");
        let row = sqlx::query(AssertSqlSafe(sql)).fetch_one(&mut self.0).await.unwrap();
        row.get::<Option<String>, _>(0).unwrap_or_default()
    }

    /// The first column of every row of a statement that can't be part of another, a line each.
    pub async fn lines(&mut self, sql: &str) -> String {
        let rows = sqlx::query(AssertSqlSafe(sql.to_owned())).fetch_all(&mut self.0).await.unwrap();
        rows.iter().map(|row| row.get::<String, _>(0)).collect::<Vec<_>>().join("\n")
    }

    /// The one row's first column as a number.
    pub async fn number(&mut self, sql: &str) -> i64 {
        self.text(sql).await.parse().unwrap_or_else(|_| panic!("no number: {sql}"))
    }

    /// The rows as JSON objects.
    pub async fn rows(&mut self, sql: &str) -> Vec<serde_json::Value> {
        let sql = format!("SELECT to_jsonb(row)::text FROM ({sql}) AS row");
        let rows = sqlx::query(AssertSqlSafe(sql)).fetch_all(&mut self.0).await.unwrap();
        rows.iter().map(|row| serde_json::from_str(row.get(0)).unwrap()).collect()
    }
}

/// A program of PostgreSQL's.
fn program(name: &str) -> PathBuf {
    let programs = Search::of_this_machine().folders().into_iter().map(|folder| folder.join(name));
    programs.into_iter().find(|program| program.is_file()).unwrap_or_else(|| panic!("{name} comes with PostgreSQL"))
}

/// Makes and migrates the database that tests clone, exactly as a server does with its own.
pub(super) async fn make_template(owner: &PgConnectOptions) {
    create(owner, TEMPLATE, None).await;
    let url = url(owner, TEMPLATE);
    let variables =
        [("FREEHOLD_PROFILE", "development"), ("FREEHOLD_SECRETS_ROOT_KEY", ROOT_KEY), ("DATABASE_URL", url.expose())];
    let config = Config::load(&Sources::of(&variables)).unwrap_or_else(|mistakes| panic!("{mistakes}"));
    server::open_database(&config, &Clock::default()).await.unwrap().close().await;
}

async fn create(owner: &PgConnectOptions, name: &str, template: Option<&str>) {
    let mut owner = owner.clone().disable_statement_logging().connect().await.unwrap();
    let template = template.unwrap_or("template1");
    owner.execute(AssertSqlSafe(format!("CREATE DATABASE {name} TEMPLATE {template}"))).await.unwrap();
}

fn url(options: &PgConnectOptions, database: &str) -> SecretString {
    SecretString::new(options.clone().database(database).to_url_lossy().to_string())
}

fn under(options: PgConnectOptions, role: &str) -> PgConnectOptions {
    options.username(role).password(password_of(role).expose())
}

fn password_of(role: &str) -> SecretString {
    vault().derive_password(&format!("database role {role}")).unwrap()
}

/// The vault of a new installation with the run's root key: what it derives is the same for every one.
fn vault() -> Vault {
    let variables = [("FREEHOLD_PROFILE", "development"), ("FREEHOLD_SECRETS_ROOT_KEY", ROOT_KEY)];
    let config = Config::load(&Sources::of(&variables)).unwrap_or_else(|mistakes| panic!("{mistakes}"));
    let root = Root::new(Wrapper::Local(Local::new(config.secrets.root_key.unwrap())), None);
    let made = async {
        let vault = Vault::unlock(root, &[], &[]).await?;
        vault.complete(Beginning { now: Clock::default().now(), legacy: false }).await.map(|_| vault)
    };
    made.now_or_never().unwrap().unwrap()
}
