//! The composition root: configuration becomes a running server, and a running server is drained.
//!
//! Nobody else reads [`Config`] as a whole. Start-up refuses what would be half a server: a database that is away, a
//! contract and a registry that disagree, a sealed key that this root key can't open.

mod database;
mod transport;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use entity::InstanceId;
use poem::{
    Endpoint, EndpointExt, Request, Response, Route, endpoint::BoxEndpoint, error::MethodNotAllowedError, http::Uri,
};
use poem_openapi::{OpenApi, OpenApiService};
use tokio::{
    sync::Notify,
    task::{JoinHandle, JoinSet},
};
use tokio_util::sync::CancellationToken;

pub use database::{Database, open_database};
use transport::Sockets;

use crate::{
    accounts::{self, Passwords},
    alerts::{self, AlertPolicy},
    api::{self, Face, events::Hub},
    app::App,
    audit::Refusals,
    authz::{Policy, PolicyFiles},
    config::{self, Config, Profile, SecretString},
    db::{self, Change, Changes, Db, Probe, embedded::Embedded},
    decisions::Decisions,
    edge::{
        ErrorStats, Gate, Guarded, assets::Console, bodies::Bodies, context, contract::Contract, cookies::CookieNames,
        cors::Cors, csrf, docs::Docs, limits::Limits, listener::ListenerSettings, problem, proxies::UnknownProxies,
        security_txt::SecurityTxt,
    },
    error::{Error, Result},
    jobs::{Instances, Job, Jobs, Leader},
    mail::{self, Mail, Transport},
    mfa::passkeys::RelyingParty,
    operations, people,
    policies::{self, Map},
    privacy::{self, Known, Ledger, Replayed},
    runtime::{Clock, Entropy, Ids},
    seals::Sealing,
    sessions::{self, Keys, Principals, Sessions},
    settings::{Configured, Settings},
    tenancy::{service_accounts::ApiKeys, setup},
    types::{Caller, Origin},
    vault::{Keeper, Vault},
};

/// A running server.
pub struct Running {
    /// Where it listens.
    pub address: SocketAddr,
    /// Where people reach it.
    pub public_url: String,
    /// The parts, for commands and tests.
    pub app: App,
    /// Where the mails of an installation without SMTP are.
    pub mail_directory: Option<std::path::PathBuf>,
    stop: CancellationToken,
    serving: JoinHandle<()>,
    workers: JoinSet<()>,
    embedded: Option<Embedded>,
}

impl Running {
    /// The link with which the first platform administrator is made, or `None` when there is one. It stays the same
    /// until it is used.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn setup_link(&self) -> Result<Option<SecretString>> {
        setup_link(&self.app).await
    }

    /// Stops taking requests, lets those under way finish, and ends everything that was started.
    pub async fn stop(mut self) {
        self.stop.cancel();
        if let Err(error) = self.serving.await {
            tracing::error!(%error, "the accept loop ended badly");
        }
        while let Some(ended) = self.workers.join_next().await {
            if let Err(error) = ended {
                tracing::error!(%error, "a worker ended badly");
            }
        }
        if let Err(error) = self.app.db.close().await {
            tracing::warn!(%error, "the pools did not close cleanly");
        }
        database::stop_embedded(self.embedded).await;
    }
}

/// The setup link, or `None` when the platform has an administrator.
///
/// # Errors
/// When the database fails.
pub async fn setup_link(app: &App) -> Result<Option<SecretString>> {
    issued_link(&app.db, &app.vault, &app.public_url, &app.clock).await
}

/// The same without a server, and beside one that runs: it opens the database and nothing else.
///
/// # Errors
/// When there is no root key, or the database can't be reached; the text is for the operator.
pub async fn setup_link_alone(config: &Config, clock: &Clock) -> Result<Option<SecretString>> {
    let database = database::open_beside(config, clock).await?;
    let db = Db::new(&database.settings, database.vault.clone());
    let link = issued_link(&db, &database.vault, config.http.public_url.as_str(), clock).await;
    let closed = db.close().await;
    database.close().await;
    closed.and(link)
}

/// The parts of a server for a command that is run beside one or without one; nothing runs by itself.
///
/// # Errors
/// When there is no root key, the database can't be reached, or the work fails; the text is for the operator.
pub async fn with_app<T>(config: &Config, clock: &Clock, work: impl AsyncFnOnce(&App) -> Result<T>) -> Result<T> {
    let database = database::open_beside(config, clock).await?;
    let done =
        match app(config, (clock.clone(), database.vault.clone(), Jobs::new(Vec::new())), &database.settings).await {
            Ok((app, ..)) => {
                let done = work(&app).await;
                app.db.close().await.and(done)
            }
            Err(error) => Err(error),
        };
    database.close().await;
    done
}

async fn issued_link(db: &Db, vault: &Vault, public_url: &str, clock: &Clock) -> Result<Option<SecretString>> {
    let token = setup::issue_token(db, vault, &Caller::system("setup", origin(clock, &Ids))).await?;
    Ok(token.map(|token| SecretString::new(format!("{public_url}/setup#token={}", token.expose()))))
}

/// Erases again whoever has been erased and is in the database, as a start does, for a restore that is run by hand.
///
/// # Errors
/// As [`setup_link_alone`]; when the ledger can't be read, or has a line that is not this installation's.
pub async fn replay_erasures(config: &Config, clock: &Clock) -> Result<Replayed> {
    let caller = Caller::system("privacy", origin(clock, &Ids));
    let work = async |db: Db, vault: Vault, ledger: Ledger| privacy::replay(&db, &vault, &ledger, &caller).await;
    with_erasures(config, clock, work).await
}

/// Everybody who has been erased, and where that is known.
///
/// # Errors
/// As [`replay_erasures`].
pub async fn list_erasures(config: &Config, clock: &Clock) -> Result<Vec<Known>> {
    let caller = Caller::system("privacy", origin(clock, &Ids));
    let work = async |db: Db, _: Vault, ledger: Ledger| privacy::list(&db, &ledger, &caller).await;
    with_erasures(config, clock, work).await
}

async fn with_erasures<T>(
    config: &Config,
    clock: &Clock,
    work: impl AsyncFnOnce(Db, Vault, Ledger) -> Result<T>,
) -> Result<T> {
    let database = database::open_beside(config, clock).await?;
    let db = Db::new(&database.settings, database.vault.clone());
    let result = match Ledger::new(&config.privacy.erasure_ledger, &database.vault) {
        Ok(ledger) => work(db.clone(), database.vault.clone(), ledger).await,
        Err(error) => Err(error),
    };
    let closed = db.close().await;
    database.close().await;
    closed.and(result)
}

/// Starts everything and returns when requests are answered.
///
/// # Errors
/// Whatever stands against a whole server; nothing is left running then.
pub async fn start(config: Config, clock: Clock) -> Result<Running> {
    let jobs = operations::jobs_for(config.audit.clone());
    start_with(config, clock, jobs).await
}

/// The same with other jobs than this release's.
///
/// # Errors
/// As [`start`].
pub async fn start_with(mut config: Config, clock: Clock, jobs: Vec<Job>) -> Result<Running> {
    let sockets = Sockets::bind(&config).await?;
    let address = sockets.address()?;
    config.listening_on(address);
    let Database { settings, embedded, vault } = open_database(&config, &clock).await?;
    let stop = CancellationToken::new();
    match assemble(&config, (clock, vault, Jobs::new(jobs)), &settings, &stop).await {
        Ok(parts) => {
            let serving = tokio::spawn(sockets.serve(parts.endpoint, parts.listening, stop.clone()));
            Ok(Running {
                address,
                public_url: parts.app.public_url.to_string(),
                app: parts.app,
                mail_directory: config.mail.smtp_url.is_none().then(|| config.mail.directory.clone()),
                stop,
                serving,
                workers: parts.workers,
                embedded,
            })
        }
        Err(error) => {
            stop.cancel();
            database::stop_embedded(embedded).await;
            Err(error)
        }
    }
}

struct Parts {
    app: App,
    endpoint: Arc<context::Context<BoxEndpoint<'static, Response>>>,
    listening: ListenerSettings,
    workers: JoinSet<()>,
}

/// The parts of a server, of which nothing runs by itself yet, and its contract: making it takes megabytes, so it is made
/// once.
async fn app(
    config: &Config,
    (clock, vault, jobs): (Clock, Vault, Jobs),
    database: &db::Settings,
) -> Result<(App, Keys, Changes, serde_json::Value)> {
    let files = policy_files(config)?;
    let policy = Policy::load(&files).await.map_err(refused)?;
    let contract = api::contract(policy.registry());
    let map = policy_map(&policy, files, &contract)?;
    let db = Db::new(database, vault.clone());
    let ledger = Ledger::new(&config.privacy.erasure_ledger, &vault)?;
    // Before anybody is served, and any letter leaves.
    privacy::replay(&db, &vault, &ledger, &Caller::system("privacy", origin(&clock, &Ids))).await?;
    let instance = Ids.next::<InstanceId>();
    let changes = Changes::new(instance.into());
    let now = || origin(&clock, &Ids);
    let keys = Keys::open(db.clone(), vault.clone(), config.tokens.algorithm, changes.clone(), now()).await?;
    let settings = Settings::new(db.clone(), changes.clone(), &Configured::of(&config.tokens, &config.passwords))?;
    let principals = Principals::new(db.clone(), policy.clone(), changes.clone(), settings.clone());
    let public_url = config.http.public_url.as_str();
    let sessions = Sessions::new(db.clone(), keys.clone(), principals, config.tokens.clone(), public_url);
    let refusals = Refusals::default();
    let services = ApiKeys::new(db.clone(), policy.clone(), changes.clone(), refusals.clone());
    let app = App {
        db: db.clone(),
        probe: Probe::new(db.clone(), clock.clone()),
        policy,
        map,
        sessions,
        services,
        settings,
        passwords: Passwords::start(&config.passwords)?,
        mail: Mail::new(vault.clone(), Ids),
        vault,
        instance,
        ledger,
        jobs: jobs.clone(),
        alerts: alert_policy(config)?,
        refusals,
        decisions: Decisions::default(),
        limits: config.limits,
        clock: clock.clone(),
        entropy: Entropy,
        ids: Ids,
        passkeys: RelyingParty::at(public_url)?,
        public_url: public_url.into(),
    };
    Ok((app, keys, changes, contract))
}

async fn assemble(
    config: &Config,
    owned: (Clock, Vault, Jobs),
    database: &db::Settings,
    stop: &CancellationToken,
) -> Result<Parts> {
    let mut workers = JoinSet::new();
    let (app, keys, changes, contract) = app(config, owned, database).await?;
    let App { db, vault, clock, mail, instance, jobs, .. } = app.clone();
    let Bells { outbox: wake, errands, keys: renewed, imports, jobs: queued, data_keys } = listen_for_changes(&changes);
    let events = Hub::new(&app, config.events, stop);
    let stats = Arc::new(ErrorStats::new(clock.now()));
    let endpoint = endpoint(config, &app, &events, (&contract, &stats))?;
    drop(contract);
    let transport = transport(&config.mail)?;
    let worker = mail::Worker { db: db.clone(), mail, transport, clock: clock.clone(), wake };
    // Before anybody is served by it.
    policies::keep(&app, origin(&clock, &Ids)).await?;
    let looking = clock.clone();
    workers.spawn(policies::run(app.clone(), move || origin(&looking, &Ids), stop.clone()));
    let policy = app.map.digest;
    let instances = Instances { db: db.clone(), vault: vault.clone(), clock: clock.clone(), instance, policy };
    workers.spawn(instances.run(stop.clone()));
    let keeper = Keeper { vault: vault.clone(), db: db.clone(), clock: clock.clone(), instance, changed: data_keys };
    workers.spawn(keeper.run(stop.clone()));
    if config.jobs.lead {
        let sealing = Sealing { keys: keys.clone(), issuer: app.public_url.clone() };
        let duties = std::iter::once(sealing.duty()).chain(operations::duties(&app)).collect();
        let leader =
            Leader { db: db.clone(), vault: vault.clone(), jobs, duties, clock: clock.clone(), instance, wake: queued };
        workers.spawn(leader.run(database.leading.clone(), stop.clone()));
    }
    workers.spawn(changes.run(database.direct.clone(), stop.clone()));
    workers.spawn(app.refusals.clone().run(db.clone(), stop.clone()));
    workers.spawn(app.decisions.clone().run(db.clone(), clock.clone(), stop.clone()));
    workers.spawn(app.services.clone().run(vault.clone(), clock.clone(), stop.clone()));
    workers.spawn(count_errors(stats, db.clone(), clock.clone(), stop.clone()));
    let ending = clock.clone();
    workers.spawn(accounts::end_locks(db.clone(), move || origin(&ending, &Ids), stop.clone()));
    workers.spawn(close_accesses(db.clone(), clock.clone(), stop.clone()));
    workers.spawn(write_ends(db, clock.clone(), stop.clone()));
    workers.spawn(worker.run(stop.clone()));
    workers.spawn(people::Worker { app: app.clone(), wake: imports }.run(stop.clone()));
    workers.spawn(accounts::resets::Worker { app: app.clone(), wake: errands }.run(stop.clone()));
    workers.spawn(keys.run(renewed, clock, stop.clone()));
    workers.spawn(events.run());
    let listening = transport::settings(config, &app, &mut workers, stop).await?;
    Ok(Parts { app, endpoint: Arc::new(endpoint), listening, workers })
}

/// What is rung when something changes.
#[derive(Default)]
struct Bells {
    /// The mail worker's.
    outbox: Arc<Notify>,
    /// Of those who find out whom to write to.
    errands: Arc<Notify>,
    /// Of the one who reads the signing keys again.
    keys: Arc<Notify>,
    /// Of the one who works imports off.
    imports: Arc<Notify>,
    /// The leader's.
    jobs: Arc<Notify>,
    /// Of the one who keeps the data keys.
    data_keys: Arc<Notify>,
}

fn listen_for_changes(changes: &Changes) -> Bells {
    let bells = Bells::default();
    let (outbox, keys, jobs) = (bells.outbox.clone(), bells.keys.clone(), bells.jobs.clone());
    let (data_keys, imports) = (bells.data_keys.clone(), bells.imports.clone());
    let errands = bells.errands.clone();
    changes.on_change(move |change| match change {
        Change::Outbox => {
            outbox.notify_one();
            errands.notify_one();
        }
        Change::Keys => keys.notify_one(),
        Change::Imports => imports.notify_one(),
        Change::Jobs => jobs.notify_one(),
        Change::DataKeys => data_keys.notify_one(),
        Change::Everything => {
            data_keys.notify_one();
            outbox.notify_one();
            errands.notify_one();
            keys.notify_one();
            imports.notify_one();
            jobs.notify_one();
        }
        Change::Account(_)
        | Change::Profile(_)
        | Change::Organization(_)
        | Change::Settings(_)
        | Change::Service(_) => {}
    });
    bells
}

/// How often platform administrators' accesses that are over get their end in the record.
const CLOSE_ACCESSES: Duration = Duration::from_secs(5);

async fn close_accesses(db: Db, clock: Clock, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(CLOSE_ACCESSES) => {}
        }
        let caller = Caller::system("acting", origin(&clock, &Ids));
        if let Err(error) = sessions::close_finished(&db, &caller).await {
            tracing::warn!(%error, "accesses that are over were not closed in the record; they give nothing");
        }
    }
}

/// How often what each instance counted of errors is written.
const COUNT_ERRORS: Duration = Duration::from_secs(5);

async fn count_errors(stats: Arc<ErrorStats>, db: Db, clock: Clock, stop: CancellationToken) {
    loop {
        let last = tokio::select! {
            () = stop.cancelled() => true,
            () = tokio::time::sleep(COUNT_ERRORS) => false,
        };
        let counted = stats.take();
        let caller = Caller::system("errors", origin(&clock, &Ids));
        if let Err(error) = alerts::count_errors(&db, &caller, &counted).await {
            tracing::warn!(%error, "counts of errors could not be written; they are kept");
            stats.give_back(&counted);
        }
        if last {
            return;
        }
    }
}

/// How often sessions that were ended together get their end in their rows.
const WRITE_ENDS: Duration = Duration::from_secs(5);

async fn write_ends(db: Db, clock: Clock, stop: CancellationToken) {
    loop {
        let caller = Caller::system("sessions", origin(&clock, &Ids));
        tokio::select! {
            () = stop.cancelled() => return,
            written = sessions::write_ends(&db, &caller) => if let Err(error) = written {
                tracing::warn!(%error, "sessions that are over were not all marked as such; they give nothing");
            }
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(WRITE_ENDS) => {}
        }
    }
}

fn policy_files(config: &Config) -> Result<PolicyFiles> {
    let Some(directory) = &config.policies.directory else { return Ok(PolicyFiles::default()) };
    let read = |name: &str| {
        let path = directory.join(name);
        std::fs::read_to_string(&path).map_err(|error| Error::internal(format!("{}: {error}", path.display())))
    };
    Ok(PolicyFiles { operations: read("operations.csv")?, roles: read("roles.csv")?, model: read("model.conf")? })
}

/// What alerts are raised of: the operator's file, where the directory has one, or this release's.
fn alert_policy(config: &Config) -> Result<AlertPolicy> {
    let path = config.policies.directory.as_ref().map(|directory| directory.join("severities.csv"));
    match path.filter(|path| path.exists()) {
        Some(path) => {
            let text = std::fs::read_to_string(&path);
            let text = text.map_err(|error| Error::internal(format!("{}: {error}", path.display())))?;
            AlertPolicy::parse(&text).map_err(refused)
        }
        None => AlertPolicy::of_release().map_err(refused),
    }
}

/// What this instance enforces, as evidence.
fn policy_map(policy: &Policy, files: PolicyFiles, contract: &serde_json::Value) -> Result<Arc<Map>> {
    // A line without an operation stands against the start, and the guard names it better.
    let faults = crate::edge::guard::differences(&<api::Everything as OpenApi>::meta(), policy.registry());
    if faults.is_empty() { Map::of(policy, files, contract).map(Arc::new) } else { Err(refused(faults)) }
}

fn transport(section: &config::Mail) -> Result<Transport> {
    match &section.smtp_url {
        Some(url) => Transport::smtp(&section.from, url),
        None => Transport::files(&section.from, &section.directory),
    }
}

fn refused(faults: Vec<String>) -> Error {
    Error::internal(format!("refusing to start:\n  {}", faults.join("\n  ")))
}

/// Everything that is served, in one endpoint.
fn endpoint(
    config: &Config,
    app: &App,
    events: &Arc<Hub>,
    (document, stats): (&serde_json::Value, &Arc<ErrorStats>),
) -> Result<context::Context<BoxEndpoint<'static, Response>>> {
    let own = match config.profile {
        Profile::Production => csrf::OwnOrigins::Public,
        Profile::Development => csrf::OwnOrigins::PublicOrLoopback,
    };
    let key = csrf::CsrfKey::new(*app.vault.derive::<32>("csrf tokens")?);
    let gate = Gate {
        app: app.clone(),
        contract: Contract::compile(document).map_err(Error::internal)?,
        bodies: Bodies::new(config.log.bodies, document, app.policy.registry()),
        csrf: csrf::Csrf::new(key, config.http.public_url.as_str(), own)?,
        cookies: CookieNames::new(config.http.public_url.is_https()),
        limits: Limits::new(&config.limits, &app.clock),
        body_limit: config.http.max_body_bytes,
        body_timeout: config.http.body_timeout,
    };
    let proxies = Arc::new(UnknownProxies::beside(&config.http.trusted_proxies));
    let face = Face { gate: Arc::new(gate), stats: stats.clone(), proxies: proxies.clone(), events: events.clone() };
    let guarded = Guarded::new(api::everything(&face), face.gate.clone()).map_err(refused)?;
    let service = OpenApiService::new(guarded, "Freehold", env!("CARGO_PKG_VERSION"));
    let docs = Arc::new(Docs::new(&document.to_string())?);
    let origins = Arc::new(config.http.cors_origins.clone());
    let security = SecurityTxt::new(&config.security, config.http.public_url.as_str());
    let pages = Pages {
        api: Cors::new(Route::new().nest("/", service).map_to_response(), &origins).boxed(),
        docs: poem::get(docs.page()).catch_error(only_to_read).map_to_response().boxed(),
        contract: Cors::new(poem::get(docs.contract()).catch_error(only_to_read), &origins).boxed(),
        security: poem::get(security).catch_error(only_to_read).map_to_response().boxed(),
        mails: shows_mails(config).then(|| {
            Route::new()
                .nest(
                    "/dev/mail",
                    api::dev_mail::endpoint(config.mail.directory.clone(), config.http.public_url.as_str()),
                )
                .catch_error(only_to_read)
                .map_to_response()
                .boxed()
        }),
        console: Console.map_to_response().boxed(),
    };
    let settings = context::ContextSettings {
        trusted_proxies: config.http.trusted_proxies.clone(),
        forwarded_header: config.http.forwarded_header,
        require_https: config.profile == Profile::Production || config.http.tls.is_some(),
        public_url: config.http.public_url.as_str().to_owned(),
        clock: app.clock.clone(),
        stats: stats.clone(),
        proxies,
    };
    Ok(context::wrap(pages.boxed(), settings))
}

async fn only_to_read(_: MethodNotAllowedError) -> Response {
    problem::not_allowed("GET, HEAD")
}

fn shows_mails(config: &Config) -> bool {
    config.profile == Profile::Development && config.mail.smtp_url.is_none()
}

/// Which part of the server a path belongs to.
struct Pages {
    api: BoxEndpoint<'static, Response>,
    docs: BoxEndpoint<'static, Response>,
    contract: BoxEndpoint<'static, Response>,
    security: BoxEndpoint<'static, Response>,
    mails: Option<BoxEndpoint<'static, Response>>,
    console: BoxEndpoint<'static, Response>,
}

impl Endpoint for Pages {
    type Output = Response;

    async fn call(&self, request: Request) -> poem::Result<Response> {
        self.page(request.uri()).call(request).await
    }
}

impl Pages {
    fn page(&self, uri: &Uri) -> &BoxEndpoint<'static, Response> {
        let mut parts = uri.path().trim_start_matches('/').split('/');
        match (parts.next().unwrap_or_default(), parts.next(), &self.mails) {
            ("docs", None, _) => &self.docs,
            ("openapi.json", None, _) => &self.contract,
            (".well-known", Some("security.txt"), _) if parts.next().is_none() => &self.security,
            ("dev", Some("mail"), Some(mails)) => mails,
            ("v1" | "health" | ".well-known" | "dev", ..) => &self.api,
            _ => &self.console,
        }
    }
}

/// The origin of what the server does by itself.
fn origin(clock: &Clock, ids: &Ids) -> Origin {
    let id: uuid::Uuid = ids.next();
    Origin { request_id: id.to_string().into(), address: None, user_agent: None, now: clock.now() }
}
