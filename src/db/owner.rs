//! The owner: brings a database to the present schema, and makes the two roles that the server works under.
//!
//! The owner is whoever `DATABASE_URL` signs in as. It is there at the start only, on one connection that holds a lock,
//! so that instances that start together wait for each other. The application's and the platform's roles own nothing
//! and can't bypass row-level security.

use std::time::Duration;

use entity::data_keys;
use migration::{Migrator, MigratorTrait};
use sea_orm::{
    ActiveModelTrait, ConnectionTrait, DatabaseConnection, DbBackend, EntityTrait, FromQueryResult, IntoActiveModel,
    Statement, Value,
};
use sqlx::{
    Connection, PgConnection,
    postgres::{PgConnectOptions, PgPool, PgPoolOptions},
};

use crate::{
    config::SecretString,
    error::{Error, Result},
};

/// The role that tenants' requests run under.
pub const APPLICATION_ROLE: &str = "freehold_application";
/// The role that the platform's own work runs under.
pub const PLATFORM_ROLE: &str = "freehold_platform";

/// The lock that lets one instance migrate at a time: an arbitrary constant, "freehold" in ASCII.
const MIGRATION_LOCK: i64 = 0x6672_6565_686f_6c64;

/// The passwords of the two roles. `None` leaves a role to the operator, who has made it.
pub struct Logins {
    /// For [`APPLICATION_ROLE`].
    pub application: Option<SecretString>,
    /// For [`PLATFORM_ROLE`].
    pub platform: Option<SecretString>,
}

/// The steps that remove what lies in clear; what comes before each makes room for what is sealed.
const SEALED: [(Clear, &str); 2] =
    [(Clear::People, "m20261121_000011_sealed"), (Clear::Record, "m20261125_000013_erasure")];

/// What an older release kept in clear.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clear {
    /// Accounts, invitations, sessions.
    People,
    /// What is personal of the record, and why people acted.
    Record,
}

/// The owner's connection.
pub struct Owner {
    options: PgConnectOptions,
    pool: PgPool,
    connection: DatabaseConnection,
}

impl Owner {
    /// Connects, and waits until no other instance migrates.
    ///
    /// # Errors
    /// When the database can't be reached.
    pub async fn connect(options: &PgConnectOptions) -> Result<Self> {
        // One connection: the lock belongs to it.
        let pool = PgPoolOptions::new()
            .max_connections(1)
            .acquire_timeout(Duration::from_secs(30))
            .connect_with(super::tuned(options.clone(), false))
            .await?;
        sqlx::query("SELECT pg_advisory_lock($1)").bind(MIGRATION_LOCK).execute(&pool).await?;
        // A migration that waits for a table longer than this gives way to the requests that hold it.
        sqlx::query("SELECT set_config('lock_timeout', '10s', false)").execute(&pool).await?;
        let connection = super::connection(pool.clone());
        Ok(Self { options: options.clone(), pool, connection })
    }

    /// The data keys as they are stored; none before there is a place for them.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn data_keys(&self) -> Result<Vec<data_keys::Model>> {
        if self.has("SELECT to_regclass('data_keys') IS NOT NULL").await? {
            Ok(data_keys::Entity::find().all(&self.connection).await?)
        } else {
            Ok(Vec::new())
        }
    }

    /// Whether the server has worked with this database before.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn is_in_use(&self) -> Result<bool> {
        Ok(self.has("SELECT to_regclass('signing_keys') IS NOT NULL").await?
            && self.has("SELECT EXISTS (SELECT FROM signing_keys)").await?)
    }

    /// Makes the roles if they are missing.
    ///
    /// # Errors
    /// When the login may not make roles, or one of them is too powerful.
    pub async fn ensure_roles(&self, logins: &Logins) -> Result<()> {
        if let Some(password) = &logins.application {
            ensure_role(&self.pool, &self.options, APPLICATION_ROLE, password).await?;
        }
        if let Some(password) = &logins.platform {
            ensure_role(&self.pool, &self.options, PLATFORM_ROLE, password).await?;
        }
        refuse_powerful(&self.pool).await
    }

    /// Runs the pending steps up to the first that removes what lies in clear. Returns what that has to find sealed: once
    /// it is, [`Owner::remove_clear`] goes on.
    ///
    /// # Errors
    /// When a step fails; it is rolled back.
    pub async fn prepare_sealing(&self) -> Result<Option<Clear>> {
        let pending = Migrator::get_pending_migrations(&self.connection).await.map_err(Error::internal)?;
        let removing = |step: &str| SEALED.iter().find(|(_, name)| *name == step).map(|(clear, _)| *clear);
        let first = pending.iter().enumerate().find_map(|(at, step)| Some((at, removing(step.name())?)));
        let Some((before, clear)) = first else { return Ok(None) };
        let before = u32::try_from(before).map_err(Error::internal)?;
        Migrator::up(&self.connection, Some(before)).await.map_err(Error::internal)?;
        Ok(Some(clear))
    }

    /// Runs the step that removes what lies in clear and has been sealed.
    ///
    /// # Errors
    /// When it fails; it is rolled back.
    pub async fn remove_clear(&self) -> Result<()> {
        Migrator::up(&self.connection, Some(1)).await.map_err(Error::internal)
    }

    /// Runs the pending steps.
    ///
    /// # Errors
    /// When a step fails; it is rolled back.
    pub async fn migrate(&self) -> Result<()> {
        Migrator::up(&self.connection, None).await.map_err(Error::internal)
    }

    /// Writes the tables anew that had columns in clear, so that nothing of them stays in the files.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn rewrite(&self, clear: Clear) -> Result<()> {
        let rewrite = match clear {
            Clear::People => "VACUUM FULL accounts, invitations, sessions",
            Clear::Record => "VACUUM FULL audit_entries, audit_words, platform_access",
        };
        sqlx::query(rewrite).execute(&self.pool).await?;
        Ok(())
    }

    /// Stores data keys: new ones, and those that were wrapped anew.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn store(&self, new: Vec<data_keys::Model>, wrapped_anew: Vec<data_keys::Model>) -> Result<()> {
        for key in new {
            key.into_active_model().insert(&self.connection).await?;
        }
        for key in wrapped_anew {
            let sql = "UPDATE data_keys SET wrapped = $2, root_key = $3 WHERE id = $1";
            self.execute(sql, [key.id.into(), key.wrapped.into(), key.root_key.into()]).await?;
        }
        Ok(())
    }

    /// Rows of a constant statement.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn query<T: FromQueryResult>(
        &self,
        sql: &'static str,
        values: impl IntoIterator<Item = Value> + Send,
    ) -> Result<Vec<T>> {
        let statement = Statement::from_sql_and_values(DbBackend::Postgres, sql, values);
        Ok(T::find_by_statement(statement).all(&self.connection).await?)
    }

    /// A constant statement.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn execute(&self, sql: &'static str, values: impl IntoIterator<Item = Value> + Send) -> Result<()> {
        let statement = Statement::from_sql_and_values(DbBackend::Postgres, sql, values);
        self.connection.execute_raw(statement).await?;
        Ok(())
    }

    /// Gives the connection and the lock back.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn finish(self) -> Result<()> {
        refuse_temporary_tables(&self.pool).await?;
        self.pool.close().await;
        Ok(())
    }

    async fn has(&self, question: &'static str) -> Result<bool> {
        Ok(sqlx::query_scalar(question).fetch_one(&self.pool).await?)
    }
}

/// Everybody may make temporary tables unless they are told otherwise, and the server's roles need none. It belongs to
/// the database and not to what is in it, so a restored or copied database has lost it again.
async fn refuse_temporary_tables(pool: &sqlx::PgPool) -> Result<()> {
    let everybody = sqlx::query_scalar::<_, bool>(
        "SELECT pg_has_role(datdba, 'USAGE') FROM pg_database
         WHERE datname = current_database() AND has_database_privilege('public', datname, 'TEMPORARY')",
    );
    match everybody.fetch_optional(pool).await? {
        None => {}
        Some(true) => {
            sqlx::query(
                "DO $$ BEGIN
                     EXECUTE format('REVOKE TEMPORARY ON DATABASE %I FROM PUBLIC', current_database());
                 END $$",
            )
            .execute(pool)
            .await?;
        }
        Some(false) => tracing::warn!(
            "everybody may make temporary tables in this database, and its migrating login may not change that; \
             its owner can: REVOKE TEMPORARY ON DATABASE … FROM PUBLIC"
        ),
    }
    Ok(())
}

/// The server's roles must be bound by row-level security, whoever made them.
async fn refuse_powerful(pool: &sqlx::PgPool) -> Result<()> {
    let powerful = sqlx::query_scalar::<_, String>(
        "SELECT rolname::text FROM pg_roles WHERE rolname = ANY ($1) AND (rolsuper OR rolbypassrls)",
    )
    .bind([APPLICATION_ROLE, PLATFORM_ROLE])
    .fetch_optional(pool)
    .await?;
    match powerful {
        None => Ok(()),
        Some(role) => {
            Err(Error::internal(format!("the database role {role} can bypass row-level security; take that from it")))
        }
    }
}

/// Makes a role, or gives it the password, unless it can sign in already: roles belong to the whole cluster, and
/// changing one while another instance does so fails.
async fn ensure_role(pool: &sqlx::PgPool, owner: &PgConnectOptions, role: &str, password: &SecretString) -> Result<()> {
    let login = owner.clone().username(role).password(password.expose());
    if let Ok(connection) = PgConnection::connect_with(&login).await {
        return Ok(connection.close().await?);
    }
    let mut tx = pool.begin().await?;
    sqlx::query("SELECT set_config('freehold.role', $1, true), set_config('freehold.role_password', $2, true)")
        .bind(role)
        .bind(password.expose())
        .execute(&mut *tx)
        .await?;
    sqlx::query(
        "DO $$
         DECLARE
             name text := current_setting('freehold.role');
         BEGIN
             IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = name) THEN
                 EXECUTE format('CREATE ROLE %I', name);
             END IF;
             EXECUTE format('ALTER ROLE %I LOGIN NOCREATEDB NOCREATEROLE PASSWORD %L', name, current_setting('freehold.role_password'));
         END $$",
    )
    .execute(&mut *tx)
    .await?;
    Ok(tx.commit().await?)
}
