//! Brings a database to the present schema, and makes the two roles that the server works under.
//!
//! The owner is whoever `DATABASE_URL` signs in as. The application's and the platform's roles own nothing and
//! can't bypass row-level security.

use std::time::Duration;

use migration::{Migrator, MigratorTrait};
use sqlx::{
    Connection, PgConnection,
    postgres::{PgConnectOptions, PgPoolOptions},
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

/// Makes the roles if they are missing, and runs the pending migrations. Instances that start together wait for
/// each other.
///
/// # Errors
/// When the database can't be reached, the login may not make roles, or a migration fails (it is rolled back).
pub async fn prepare(owner: &PgConnectOptions, logins: &Logins) -> Result<()> {
    // One connection: the lock belongs to it.
    let pool = PgPoolOptions::new()
        .max_connections(1)
        .acquire_timeout(Duration::from_secs(30))
        .connect_with(super::tuned(owner.clone(), false))
        .await?;
    sqlx::query("SELECT pg_advisory_lock($1)").bind(MIGRATION_LOCK).execute(&pool).await?;
    // A migration that waits for a table longer than this gives way to the requests that hold it.
    sqlx::query("SELECT set_config('lock_timeout', '10s', false)").execute(&pool).await?;
    if let Some(password) = &logins.application {
        ensure_role(&pool, owner, APPLICATION_ROLE, password).await?;
    }
    if let Some(password) = &logins.platform {
        ensure_role(&pool, owner, PLATFORM_ROLE, password).await?;
    }
    refuse_powerful(&pool).await?;
    let connection = super::connection(pool.clone());
    Migrator::up(&connection, None).await.map_err(Error::internal)?;
    refuse_temporary_tables(&pool).await?;
    // Closing the connection gives the lock back.
    pool.close().await;
    Ok(())
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
