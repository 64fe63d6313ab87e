//! Where the database is, and how it is reached: one that is configured, or one of the server's own. Made ready here,
//! before anything of the server is.

use std::str::FromStr;

use sqlx::postgres::PgConnectOptions;
use url::Url;

use crate::{
    accounts, audit,
    config::{Config, Pooler, SecretString},
    db::{
        self, Clear, Logins, Owner,
        embedded::{Embedded, EmbeddedError, EmbeddedSettings},
    },
    error::{Error, Result},
    runtime::Clock,
    sessions,
    tenancy::invitations,
    vault::{Beginning, Local, Root, Transit, Vault, Wrapper},
};

/// A database that is ready: migrated, with the ways to reach it.
pub struct Database {
    pub(super) settings: db::Settings,
    pub(super) embedded: Option<Embedded>,
    pub(super) vault: Vault,
}

impl Database {
    /// Stops what was started for it.
    pub async fn close(self) {
        stop_embedded(self.embedded).await;
    }
}

pub(super) async fn stop_embedded(embedded: Option<Embedded>) {
    if let Some(embedded) = embedded
        && let Err(error) = embedded.stop().await
    {
        tracing::error!(%error, "the embedded PostgreSQL did not stop cleanly");
    }
}

/// Finds or starts the database and migrates it.
///
/// # Errors
/// When it can't be reached, started or migrated, or its logins are not what they should be; the text is for the
/// operator.
pub async fn open_database(config: &Config, clock: &Clock) -> Result<Database> {
    let embedded = start_embedded(config).await.map_err(Error::internal)?;
    ready(config, clock, embedded).await
}

/// The same for a command that is run beside a server.
pub(super) async fn open_beside(config: &Config, clock: &Clock) -> Result<Database> {
    let embedded = start_embedded(config).await.map_err(|error| match error {
        EmbeddedError::InUse { data_dir, holder } => Error::internal(format!(
            "a Freehold server{holder} is running on the embedded PostgreSQL in {}, which it has to itself. It printed \
             the setup link when it became ready: look there. Or stop it and run this again; or start it with a \
             DATABASE_URL and give this command the same one",
            data_dir.display()
        )),
        other => Error::internal(other),
    })?;
    ready(config, clock, embedded).await
}

async fn start_embedded(config: &Config) -> Result<Option<Embedded>, EmbeddedError> {
    if config.database.url.is_some() {
        return Ok(None);
    }
    tracing::info!(data_dir = %config.data_dir.display(), "no DATABASE_URL: starting the embedded PostgreSQL");
    Embedded::start(EmbeddedSettings::new(&config.data_dir)).await.map(Some)
}

async fn ready(config: &Config, clock: &Clock, embedded: Option<Embedded>) -> Result<Database> {
    match connect(config, clock, embedded.as_ref()).await {
        Ok((settings, vault)) => Ok(Database { settings, embedded, vault }),
        Err(error) => {
            stop_embedded(embedded).await;
            Err(error)
        }
    }
}

async fn connect(config: &Config, clock: &Clock, embedded: Option<&Embedded>) -> Result<(db::Settings, Vault)> {
    let section = &config.database;
    let url = section.url.as_ref().or(embedded.map(Embedded::nearest_url));
    let pooled = options(url.ok_or_else(|| Error::internal("no database"))?)?;
    let direct = section.direct_url.as_ref().map(options).transpose()?.unwrap_or_else(|| pooled.clone());
    let (vault, logins) = prepare(config, clock, &direct).await?;
    let under = |base: &PgConnectOptions, role: &str, password: &Option<SecretString>| match password {
        Some(password) => base.clone().username(role).password(password.expose()),
        None => base.clone(),
    };
    let given = |url: &Option<SecretString>| url.as_ref().map(options).transpose();
    let application =
        given(&section.application_url)?.unwrap_or_else(|| under(&pooled, db::APPLICATION_ROLE, &logins.application));
    let platform = given(&section.platform_url)?.unwrap_or_else(|| under(&pooled, db::PLATFORM_ROLE, &logins.platform));
    // Past the pooler, where there is one, with the same login.
    let past = |pooled: &PgConnectOptions, given: &Option<SecretString>, derived: PgConnectOptions| match (
        given,
        &section.direct_url,
    ) {
        (Some(login), Some(place)) => options(&with_login(place, login)?),
        (Some(_), None) => Ok(pooled.clone()),
        (None, _) => Ok(derived),
    };
    let derived = under(&direct, db::APPLICATION_ROLE, &logins.application);
    let listening = past(&application, &section.application_url, derived)?;
    let derived = under(&direct, db::PLATFORM_ROLE, &logins.platform);
    let leading = past(&platform, &section.platform_url, derived)?;
    let settings = db::Settings {
        application,
        platform,
        direct: listening,
        leading,
        max_connections: section.max_connections,
        pooler: section.pooler == Pooler::Transaction,
    };
    db::verify_logins(&settings).await?;
    Ok((settings, vault))
}

/// Opens the data keys before anything is written, so that a wrong root key changes nothing; then makes the roles,
/// migrates, and seals what an older release left in clear.
async fn prepare(config: &Config, clock: &Clock, direct: &PgConnectOptions) -> Result<(Vault, Logins)> {
    let root = root(config).await?;
    let owner = Owner::connect(direct).await?;
    tracing::info!("opening the data keys");
    let stored = owner.data_keys().await?;
    let vault = Vault::unlock(root, &config.secrets.scopes, &stored).await.map_err(locked)?;
    let beginning = Beginning { now: clock.now(), legacy: stored.is_empty() && owner.is_in_use().await? };
    let (new, anew) = (vault.complete(beginning).await?, vault.wrapped_anew(&stored).await?);
    let login = |given: &Option<SecretString>, role: &str| match given {
        Some(_) => Ok::<_, Error>(None),
        None => vault.derive_password(&format!("database role {role}")).map(Some),
    };
    let logins = Logins {
        application: login(&config.database.application_url, db::APPLICATION_ROLE)?,
        platform: login(&config.database.platform_url, db::PLATFORM_ROLE)?,
    };
    owner.ensure_roles(&logins).await?;
    tracing::info!("checking the database's schema");
    let mut in_clear = owner.prepare_sealing().await?;
    if !anew.is_empty() {
        tracing::info!(keys = anew.len(), root_key = vault.root_key(), "wrapping the data keys with the new root key");
    }
    owner.store(new, anew).await?;
    let mut rewritten = Vec::new();
    while let Some(clear) = in_clear {
        seal(&owner, &vault, clear).await?;
        owner.remove_clear().await?;
        rewritten.push(clear);
        in_clear = owner.prepare_sealing().await?;
    }
    owner.migrate().await?;
    for clear in rewritten {
        owner.rewrite(clear).await?;
    }
    owner.finish().await?;
    Ok((vault, logins))
}

/// Seals what an older release left in clear.
async fn seal(owner: &Owner, vault: &Vault, clear: Clear) -> Result<()> {
    match clear {
        Clear::People => {
            accounts::seal_clear(owner, vault).await?;
            invitations::seal_clear(owner, vault).await?;
            sessions::seal_clear(owner, vault).await
        }
        Clear::Record => {
            audit::seal_clear(owner, vault).await?;
            sessions::seal_clear_reasons(owner, vault).await
        }
    }
}

/// The configured root key, and whoever keeps it at work.
async fn root(config: &Config) -> Result<Root> {
    let secrets = &config.secrets;
    let present = match (&secrets.transit, &secrets.root_key) {
        (Some(transit), _) => Wrapper::Transit(Box::new(Transit::new(transit)?)),
        (None, Some(key)) => Wrapper::Local(Local::new(key.clone())),
        (None, None) => return Err(Error::internal("no secrets.root_key")),
    };
    let root = Root::new(present, secrets.previous_root_key.clone());
    root.check().await?;
    Ok(root)
}

/// What the operator is told when the data keys can't be opened.
fn locked(error: Error) -> Error {
    Error::internal(format!(
        "refusing to start, nothing was changed: {error}. Configure the root key that this database was made with \
         (secrets.root_key); to change it, configure the new one and the old one as secrets.previous_root_key"
    ))
}

/// The place of one database URL with the user and password of another.
fn with_login(place: &SecretString, login: &SecretString) -> Result<SecretString> {
    let unreadable = || Error::internal("a database URL can't be read");
    let mut place = Url::parse(place.expose()).map_err(|_| unreadable())?;
    let login = Url::parse(login.expose()).map_err(|_| unreadable())?;
    place.set_username(login.username()).map_err(|()| unreadable())?;
    place.set_password(login.password()).map_err(|()| unreadable())?;
    Ok(SecretString::new(String::from(place)))
}

fn options(url: &SecretString) -> Result<PgConnectOptions> {
    // The error of a URL may quote it, with its password.
    PgConnectOptions::from_str(url.expose()).map_err(|_| Error::internal("a database URL can't be read"))
}
