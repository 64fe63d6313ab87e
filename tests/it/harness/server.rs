//! A server in this process, on a free port, with a clock that the test moves.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use chrono::TimeDelta;
use freehold::{
    app::App,
    config::{Config, Sources},
    jobs::Job,
    runtime::{Clock, Ids},
    server::{self, Running},
    types::{Caller, Origin},
};
use sea_orm::FromQueryResult;
use tracing::{
    Event, Level, Metadata, Subscriber,
    field::{Field, Visit},
    instrument::WithSubscriber,
    span,
};

use uuid::Uuid;

use super::{Actor, PATIENCE, PUBLIC_URL, ROOT_KEY, database::Database, eventually, folder, token_of};

/// A server of a test. End it with [`Server::stop`].
pub struct Server {
    running: Running,
    clock: Clock,
    actor: Actor,
}

/// What every test server's configuration has in common, in this process and in others.
pub(super) const VARIABLES: [(&str, &str); 9] = [
    ("FREEHOLD_PROFILE", "development"),
    ("FREEHOLD_HTTP_LISTEN", "127.0.0.1:0"),
    ("FREEHOLD_SECRETS_ROOT_KEY", ROOT_KEY),
    ("FREEHOLD_HTTP_DRAIN", "2s"),
    // Far more than a test calls, unless its story is about that. Sign-ups and passwords keep their limits.
    ("FREEHOLD_LIMITS_ANONYMOUS_READ_QUOTA", "1000000"),
    ("FREEHOLD_LIMITS_ANONYMOUS_WRITE_QUOTA", "1000000"),
    ("FREEHOLD_LIMITS_TOKEN_REFRESH_QUOTA", "1000000"),
    ("FREEHOLD_LIMITS_ACCOUNT_QUOTA", "1000000"),
    // Nothing moves by itself, unless a story is about that.
    ("FREEHOLD_JOBS_LEAD", "false"),
];

impl Database {
    /// What a server of a test is told from outside, by the names of the variables.
    pub fn variables(&self) -> Vec<(&'static str, String)> {
        let path = |folder: std::path::PathBuf| folder.to_str().unwrap().to_owned();
        let mut variables: Vec<_> = VARIABLES.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        variables.extend([
            ("FREEHOLD_HTTP_PUBLIC_URL", PUBLIC_URL.to_owned()),
            ("FREEHOLD_DATA_DIR", path(folder("server"))),
            ("FREEHOLD_MAIL_DIRECTORY", path(self.mail_folder())),
            ("FREEHOLD_DATABASE_MAX_CONNECTIONS", "8".to_owned()),
            // Longer than any run, because the people of the world sign in once.
            ("FREEHOLD_TOKENS_ACCESS_LIFETIME", "60m".to_owned()),
            ("FREEHOLD_TOKENS_REAUTHENTICATION_WINDOW", "60m".to_owned()),
            ("DATABASE_URL", self.url().expose().to_owned()),
        ]);
        variables
    }
}

#[derive(FromQueryResult)]
struct Number {
    number: i64,
}

impl Server {
    /// A server on this database.
    pub async fn start(database: &Database) -> Self {
        Self::with(database, |_| {}).await
    }

    /// A server on this database whose configuration is changed before it starts.
    pub async fn with(database: &Database, change: impl FnOnce(&mut Config)) -> Self {
        let mut config = config(database, &[]);
        change(&mut config);
        Self::run(config).await.unwrap_or_else(|error| panic!("the server did not start: {error}"))
    }

    /// A server with more settings, by the names of their environment variables.
    pub async fn configured(database: &Database, settings: &[(&str, &str)]) -> Self {
        Self::run(config(database, settings)).await.unwrap_or_else(|error| panic!("the server did not start: {error}"))
    }

    /// A server with more settings that may lead, and runs these jobs instead of its release's.
    pub async fn leading(database: &Database, settings: &[(&str, &str)], jobs: Vec<Job>) -> Self {
        let mut config = config(database, settings);
        config.jobs.lead = true;
        let clock = Clock::default();
        let running = server::start_with(config, clock.clone(), jobs).await;
        let running = running.unwrap_or_else(|error| panic!("the server did not start: {error}"));
        let actor = Actor::at(&format!("http://{}", running.address));
        Self { running, clock, actor }
    }

    /// Starts a server that may refuse to.
    ///
    /// # Errors
    /// What stood against it.
    pub async fn run(config: Config) -> freehold::error::Result<Self> {
        let clock = Clock::default();
        let running = server::start(config, clock.clone()).await?;
        let actor = Actor::at(&format!("http://{}", running.address));
        Ok(Self { running, clock, actor })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.running.address
    }

    /// Its parts.
    pub fn app(&self) -> &App {
        &self.running.app
    }

    /// Moves its clock ahead.
    pub fn advance(&self, by: TimeDelta) {
        self.clock.advance(by);
    }

    /// Somebody without a token.
    pub fn nobody(&self) -> &Actor {
        &self.actor
    }

    /// Whoever has this access token.
    pub fn bearer(&self, token: &str) -> Actor {
        self.actor.bearing(token)
    }

    /// A new setup token; the ones before stop working.
    pub async fn setup_token(&self) -> String {
        let link = self.running.setup_link().await.unwrap().expect("the platform has an administrator already");
        token_of(link.expose())
    }

    /// Writes down the guard's refusals now rather than in a few seconds.
    pub async fn flush_refusals(&self) {
        self.app().refusals.flush(&self.app().db).await.unwrap();
    }

    /// Looks at what is new in the record, as the leader does every two seconds, until whatever is committed now has
    /// been seen. Returns how many alerts that raised.
    pub async fn look_at_the_record(&self) -> usize {
        let (app, caller) = (self.app(), self.system());
        let moment = async |sql| {
            let tx = app.db.read(&caller).await.unwrap();
            tx.query::<Number>(sql, []).await.unwrap().remove(0).number
        };
        let next = moment("SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint AS number").await;
        // A transaction in any database of the cluster, another test's too, holds it up.
        eventually("what is running has ended", PATIENCE, async || {
            let oldest = "SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS number";
            (moment(oldest).await >= next).then_some(())
        })
        .await;
        let mut raised = 0;
        loop {
            let seen = freehold::alerts::look(&app.db, &app.vault, &app.alerts, &caller).await.unwrap();
            raised += seen.raised;
            if seen.entries == 0 {
                return raised;
            }
        }
    }

    /// Freehold itself.
    pub fn system(&self) -> Caller {
        let request_id = Ids.next::<Uuid>().to_string().into();
        Caller::system("test", Origin { request_id, address: None, user_agent: None, now: self.app().clock.now() })
    }

    /// Writes down what the guard has decided now rather than in a few seconds.
    pub async fn flush_decisions(&self) {
        self.app().decisions.flush(&self.app().db, self.app().clock.now()).await.unwrap();
    }

    /// Stops it. The test fails when a part of it ended badly.
    pub async fn stop(self) {
        let faults = Faults::default();
        self.running.stop().with_subscriber(faults.clone()).await;
        let faults = faults.0.lock().unwrap();
        assert!(faults.is_empty(), "the server ended badly: {faults:?}");
    }
}

/// The configuration of a test server on this database, with more settings by the names of their variables.
pub fn config(database: &Database, settings: &[(&str, &str)]) -> Config {
    let own = database.variables();
    let own: Vec<(&str, &str)> = own.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let variables = [own.as_slice(), settings].concat();
    let mut config = Config::load(&Sources::of(&variables)).unwrap_or_else(|mistakes| panic!("{mistakes}"));
    // Far too weak for people, which is why the configuration refuses it: it has to be done behind its back.
    (config.passwords.memory_kib, config.passwords.iterations, config.passwords.workers) = (64, 1, 1);
    config
}

/// Collects what is logged as an error.
#[derive(Clone, Default)]
struct Faults(Arc<Mutex<Vec<String>>>);

impl Subscriber for Faults {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() == Level::ERROR
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut text = Text::default();
        event.record(&mut text);
        self.0.lock().unwrap().push(text.0);
    }

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

#[derive(Default)]
struct Text(String);

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        self.0.push_str(&format!("{field}={value:?} "));
    }
}
