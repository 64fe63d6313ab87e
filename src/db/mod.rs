//! The database: pools, transactions, migrations, notifications, the embedded PostgreSQL.
//!
//! Nothing outside of this module can query without a [`Tx`], and nothing can commit without a [`Record`].
//! It knows no domain.

mod changes;
mod error;
mod leadership;
mod logins;
mod owner;
mod probe;
mod tx;

pub mod embedded;
pub mod idempotency;

use std::{sync::Arc, time::Duration};

use sea_orm::{AccessMode, DatabaseConnection, FromQueryResult, SqlxPostgresConnector, Statement, Value};
use sqlx::{
    ConnectOptions,
    postgres::{PgConnectOptions, PgPool, PgPoolOptions},
};
use tracing::log::LevelFilter;

pub use changes::{Change, Changes};
pub use leadership::{Candidate, Term};
pub use logins::verify_logins;
pub use owner::{APPLICATION_ROLE, Clear, Logins, Owner, PLATFORM_ROLE};
pub use probe::{Condition, Probe};
use tx::Pool;
pub use tx::{Found, Giver, Noted, Record, Seal, Tx, Unrecorded, WriteTx};

use crate::{
    error::Result,
    types::{Actor, Caller, Tenancy},
};

/// How long a request waits for a free connection before it gets 503.
const ACQUIRE: Duration = Duration::from_secs(5);

/// How to reach the database.
#[derive(Clone)]
pub struct Settings {
    /// As the application's role.
    pub application: PgConnectOptions,
    /// As the platform's role.
    pub platform: PgConnectOptions,
    /// As the application's role, not through a pooler: for notifications.
    pub direct: PgConnectOptions,
    /// As the platform's role, not through a pooler: for leadership.
    pub leading: PgConnectOptions,
    /// The most connections of the application's pool.
    pub max_connections: u32,
    /// Whether a pooler in transaction mode lies between: then no statement stays prepared.
    pub pooler: bool,
}

/// The connection pools, one a database role.
#[derive(Clone)]
pub struct Db {
    application: Pool,
    platform: Pool,
}

impl Db {
    /// Makes the pools. Connections are opened when they are needed. What records keep of people is sealed by `seal`.
    pub fn new(settings: &Settings, seal: impl Seal + 'static) -> Self {
        // A quarter of the connections is plenty for the platform's rare work.
        let few = (settings.max_connections / 4).max(2);
        let seal: Arc<dyn Seal> = Arc::new(seal);
        let pool = |options, most| Pool {
            connections: connection(pool(options, most, settings.pooler)),
            seal: seal.clone(),
            shared: settings.pooler,
        };
        Self {
            application: pool(&settings.application, settings.max_connections),
            platform: pool(&settings.platform, few),
        }
    }

    /// A transaction that reads what this caller may see.
    ///
    /// # Errors
    /// `Upstream` when the database is away.
    pub async fn read(&self, caller: &Caller) -> Result<Tx> {
        Tx::begin(self.pool(caller), caller, AccessMode::ReadOnly).await
    }

    /// A transaction that writes what this caller may see.
    ///
    /// # Errors
    /// `Upstream` when the database is away.
    pub async fn write(&self, caller: &Caller) -> Result<WriteTx> {
        WriteTx::begin(self.pool(caller), caller).await
    }

    /// Carries out one statement that is a transaction of its own, for whoever is nobody and nowhere: PostgreSQL is told
    /// nothing about them first, and row-level security lets them see what belongs to nobody. It has to bound its waiting
    /// itself. Nothing is returned, and nothing done, for callers of whom there is more to tell, and behind a pooler, where
    /// a statement is prepared on one connection and carried out on another.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn alone<T: FromQueryResult>(
        &self,
        caller: &Caller,
        sql: &'static str,
        values: impl IntoIterator<Item = Value> + Send,
    ) -> Result<Option<Vec<T>>> {
        let pool = self.pool(caller);
        let nobody = matches!((&caller.actor, &caller.tenancy), (Actor::Anonymous, Tenancy::None));
        if pool.shared || !nobody || caller.idempotency.is_some() || caller.term.is_some() {
            return Ok(None);
        }
        let statement = Statement::from_sql_and_values(pool.connections.get_database_backend(), sql, values);
        Ok(Some(T::find_by_statement(statement).all(&pool.connections).await?))
    }

    /// Closes the pools and waits for their connections.
    ///
    /// # Errors
    /// When a connection can't be closed.
    pub async fn close(self) -> Result<()> {
        self.application.connections.close().await?;
        Ok(self.platform.connections.close().await?)
    }

    fn pool(&self, caller: &Caller) -> &Pool {
        match caller.tenancy {
            Tenancy::Platform => &self.platform,
            Tenancy::None | Tenancy::Organization(_) => &self.application,
        }
    }
}

fn pool(options: &PgConnectOptions, most: u32, pooler: bool) -> PgPool {
    PgPoolOptions::new()
        .max_connections(most)
        .acquire_timeout(ACQUIRE)
        .idle_timeout(Duration::from_secs(600))
        .max_lifetime(Duration::from_secs(1800))
        .connect_lazy_with(tuned(options.clone(), pooler))
}

#[expect(clippy::disallowed_methods, reason = "this is the pools' one home")]
fn connection(pool: PgPool) -> DatabaseConnection {
    SqlxPostgresConnector::from_sqlx_postgres_pool(pool)
}

/// Options common to all connections: quiet logs (statements may hold personal data) and, behind a pooler in
/// transaction mode, no prepared statement that outlives its transaction, and no start-up parameter that it refuses.
fn tuned(options: PgConnectOptions, pooler: bool) -> PgConnectOptions {
    let options = options.log_statements(LevelFilter::Off).log_slow_statements(LevelFilter::Off, Duration::MAX);
    // PgBouncer refuses start-up parameters that it does not know, and knows this one only by configuration.
    if pooler { options.statement_cache_capacity(0).extra_float_digits(None) } else { options }
}
