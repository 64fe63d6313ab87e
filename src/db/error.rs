//! What a database error means to the rest of Freehold.

use std::time::Duration;

use sea_orm::{DbErr, RuntimeErr};

use crate::error::{Code, Error};

/// How long a client waits before it tries again when the database is away or busy.
const RETRY_AFTER: Duration = Duration::from_secs(2);

/// The unique constraints that a client's request can run into, and what to tell it.
const CONSTRAINTS: &[(&str, Code)] = &[
    ("accounts_email_match", Code::Conflict),
    ("organizations_slug_key", Code::SlugTaken),
    ("memberships_account_key", Code::AlreadyMember),
    ("invitations_open_match", Code::AlreadyInvited),
    ("teams_name_key", Code::TeamNameTaken),
    ("custom_roles_name_key", Code::CustomRoleNameTaken),
    ("service_accounts_name_key", Code::ServiceAccountNameTaken),
    ("attributes_key_key", Code::AttributeKeyTaken),
    ("passkeys_credential_id_key", Code::PasskeyKnown),
    ("alerts_open_key", Code::AlertOpenAlready),
    ("alert_rules_name_key", Code::AlertRuleNameTaken),
    ("legal_holds_standing_key", Code::AlreadyHeld),
    ("idempotency_keys_key", Code::IdempotencyInProgress),
];

impl From<DbErr> for Error {
    fn from(error: DbErr) -> Self {
        match &error {
            DbErr::ConnectionAcquire(_) => unavailable(&error),
            DbErr::Conn(RuntimeErr::SqlxError(inner))
            | DbErr::Exec(RuntimeErr::SqlxError(inner))
            | DbErr::Query(RuntimeErr::SqlxError(inner)) => from_sqlx(inner),
            _ => Self::internal(error),
        }
    }
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        from_sqlx(&error)
    }
}

fn from_sqlx(error: &sqlx::Error) -> Error {
    use sqlx::Error as E;
    match error {
        E::Io(_) | E::Tls(_) | E::PoolTimedOut | E::PoolClosed | E::WorkerCrashed | E::Protocol(_) => {
            unavailable(error)
        }
        E::Database(inner) => {
            let taken = inner.constraint().filter(|_| inner.is_unique_violation());
            if let Some((_, code)) = CONSTRAINTS.iter().find(|(name, _)| taken == Some(name)) {
                return Error::Conflict(*code);
            }
            // PostgreSQL's classes: 08 connection, 40 rollback (serialisation, deadlock), 53 resources,
            // 57 operator intervention (shutdown, crash recovery, statement time-out), 55P03 lock not available,
            // 25P03 the transaction was left idle for too long.
            match inner.code().as_deref() {
                Some("55P03" | "25P03") => unavailable(error),
                Some(code) if ["08", "40", "53", "57"].iter().any(|class| code.starts_with(class)) => {
                    unavailable(error)
                }
                _ => Error::internal(error),
            }
        }
        _ => Error::internal(error),
    }
}

fn unavailable(error: &dyn std::error::Error) -> Error {
    Error::Upstream { reason: format!("database: {error}"), retry_after: RETRY_AFTER }
}
