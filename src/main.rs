//! The door: the command line.

#[path = "main/evidence.rs"]
mod evidence;
#[path = "main/transfer.rs"]
mod transfer;

use std::{
    io::{self, Write},
    path::PathBuf,
    process::ExitCode,
};

use clap::{Parser, Subcommand};
use freehold::{
    api,
    authz::{Hierarchy, PolicyFiles, Registry},
    config::{self, Config, Profile, Sources},
    error::{Error, Result},
    runtime::Clock,
    server, telemetry,
};
use tokio::signal::unix::{SignalKind, signal};

use evidence::VerifyEvidence;
use transfer::{ExportPeople, ImportPeople};

/// Small and short-lived objects are most of what a request costs; this allocator is made for them, and gives back what a
/// start needed while nobody asks for anything.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// A self-hosted, multi-tenant identity backend: one server, one PostgreSQL.
#[derive(Parser)]
#[command(version, about)]
struct Arguments {
    /// The configuration file. Without it, `FREEHOLD_CONFIG` or `./freehold.toml`, if it is there.
    #[arg(long, global = true)]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Start the server (the default).
    Serve,
    /// Look at the configuration.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Look after secrets.
    #[command(subcommand)]
    Secrets(SecretsCommand),
    /// Look after the erasures of people.
    #[command(subcommand)]
    Erasures(ErasuresCommand),
    /// Look after the record.
    #[command(subcommand)]
    Audit(AuditCommand),
    /// Bring the database to the present schema and stop.
    Migrate,
    /// Take people in from a file, beside a running server or without one.
    #[command(subcommand)]
    Import(ImportCommand),
    /// Write people out to a file.
    #[command(subcommand)]
    Export(ExportCommand),
    /// Print the link for making the first platform administrator, also beside a running server.
    SetupToken,
    /// Write the OpenAPI contract to the standard output. Needs neither configuration nor database.
    Openapi,
}

#[derive(Subcommand)]
enum ConfigCommand {
    /// Print the effective configuration with its sources, secrets masked, or every mistake in it.
    Check,
}

#[derive(Subcommand)]
enum ErasuresCommand {
    /// Erase again whoever is in the ledger and in the database, as every start does.
    Replay,
    /// Print who has been erased, when, and whether ledger and database know.
    List,
}

#[derive(Subcommand)]
enum AuditCommand {
    /// Verify a file of evidence. Needs neither configuration nor database.
    Verify(VerifyEvidence),
}

#[derive(Subcommand)]
enum SecretsCommand {
    /// Print a full set of new secrets, ready for an environment file.
    Generate,
}

#[derive(Subcommand)]
enum ImportCommand {
    /// People with a line each. Repeated, it makes nobody twice.
    People(ImportPeople),
}

#[derive(Subcommand)]
enum ExportCommand {
    /// People with a line each, as `import people` takes them.
    People(ExportPeople),
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let text = match error {
                Error::Internal(text) => text,
                other => other.to_string(),
            };
            // Nothing is left to do when even this can't be written.
            drop(writeln!(io::stderr(), "freehold: {text}"));
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Arguments) -> Result<()> {
    match arguments.command.unwrap_or(Command::Serve) {
        Command::Openapi => contract(),
        Command::Secrets(SecretsCommand::Generate) => say(&config::generate_secrets().map_err(Error::internal)?),
        Command::Config(ConfigCommand::Check) => say(&config::render_effective(&load(arguments.config)?)),
        Command::Serve => in_runtime(serve(prepared(arguments.config)?)),
        Command::Erasures(ErasuresCommand::Replay) => in_runtime(replay_erasures(prepared(arguments.config)?)),
        Command::Erasures(ErasuresCommand::List) => in_runtime(list_erasures(prepared(arguments.config)?)),
        Command::Audit(AuditCommand::Verify(wanted)) => evidence::verify(&wanted),
        Command::Migrate => in_runtime(migrate(prepared(arguments.config)?)),
        Command::Import(ImportCommand::People(wanted)) => {
            in_runtime(transfer::import(prepared(arguments.config)?, wanted))
        }
        Command::Export(ExportCommand::People(wanted)) => {
            in_runtime(transfer::export(prepared(arguments.config)?, wanted))
        }
        Command::SetupToken => in_runtime(setup_token(prepared(arguments.config)?)),
    }
}

fn contract() -> Result<()> {
    let files = PolicyFiles::default();
    let refused = |faults: Vec<String>| Error::internal(faults.join("\n"));
    let hierarchy = Hierarchy::parse(&files.roles).map_err(refused)?;
    let registry = Registry::parse(&files.operations, &hierarchy).map_err(refused)?;
    let text = serde_json::to_string_pretty(&api::contract(&registry)).map_err(Error::internal)?;
    say(&text)
}

fn load(file: Option<PathBuf>) -> Result<Config> {
    let sources = Sources::from_process(file.as_deref()).map_err(Error::internal)?;
    Config::load(&sources).map_err(Error::internal)
}

/// The configuration of a command that needs secrets and logs.
fn prepared(file: Option<PathBuf>) -> Result<Config> {
    let mut config = load(file)?;
    telemetry::init(&config.log.level, config.log.format)?;
    if config.profile == Profile::Development {
        config::ensure_development_secrets(&mut config).map_err(Error::internal)?;
    }
    Ok(config)
}

fn in_runtime(work: impl Future<Output = Result<()>>) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(Error::internal)?;
    runtime.block_on(work)
}

async fn serve(config: Config) -> Result<()> {
    // Before anything is started, so that no signal is missed.
    let mut terminate = signal(SignalKind::terminate()).map_err(Error::internal)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(Error::internal)?;
    let development = config.profile == Profile::Development;
    let running = tokio::select! {
        running = server::start(config, Clock::default()) => running?,
        _ = terminate.recv() => return Ok(()),
        _ = interrupt.recv() => return Ok(()),
    };
    announce(&running, development).await?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    tracing::info!("stopping: requests under way may finish");
    running.stop().await;
    tracing::info!("stopped");
    Ok(())
}

/// Tells the person at the terminal where to go.
async fn announce(running: &server::Running, development: bool) -> Result<()> {
    let url = &running.public_url;
    let mut text =
        format!("\nFreehold {} is ready.\n\n  Console  {url}/\n  API      {url}/docs\n", env!("CARGO_PKG_VERSION"));
    if let Some(directory) = &running.mail_directory {
        text.push_str(&format!("  Mail     {} (no SMTP is configured)", directory.display()));
        text.push_str(&if development { format!(", shown at {url}/dev/mail\n") } else { "\n".to_owned() });
    }
    if let Some(link) = running.setup_link().await? {
        text.push_str(&format!(
            "\nNobody administers this installation yet. Become the first one here, once:\n\n  {}\n",
            link.expose()
        ));
    }
    say(&text)
}

async fn migrate(config: Config) -> Result<()> {
    let database = server::open_database(&config, &Clock::default()).await?;
    database.close().await;
    say("The database has the present schema.")
}

async fn replay_erasures(config: Config) -> Result<()> {
    let replayed = server::replay_erasures(&config, &Clock::default()).await?;
    say(&format!("{} people have been erased; {} of them were here again.", replayed.known, replayed.erased))
}

async fn list_erasures(config: Config) -> Result<()> {
    let known = server::list_erasures(&config, &Clock::default()).await?;
    let mut text = String::new();
    for known in &known {
        let place = match (known.in_ledger, known.in_database) {
            (true, true) => "in ledger and database",
            (true, false) => "in the ledger only",
            (false, _) => "in the database only",
        };
        let erasure = known.erasure;
        text.push_str(&format!("{}  {}  {place}\n", erasure.erased_at.to_rfc3339(), erasure.account));
    }
    text.push_str(&format!("{} people have been erased.", known.len()));
    say(&text)
}

async fn setup_token(config: Config) -> Result<()> {
    match server::setup_link_alone(&config, &Clock::default()).await? {
        Some(link) => say(link.expose()),
        None => say("This installation has an administrator: nothing to set up."),
    }
}

fn say(text: &str) -> Result<()> {
    writeln!(io::stdout(), "{text}").map_err(Error::internal)
}
