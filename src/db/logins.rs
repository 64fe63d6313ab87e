//! The two logins that the server works under, held to what they are for. Row-level security keeps tenants apart only
//! as long as the application's login is bound by it; whoever configured another one learns so before the first
//! request rather than never.

use std::time::Duration;

use sqlx::{Connection, PgConnection, Row, postgres::PgConnectOptions};

use super::{APPLICATION_ROLE, PLATFORM_ROLE, Settings};
use crate::error::{Error, Result};

/// How long the database may take to say what a login is.
const PATIENCE: Duration = Duration::from_secs(30);

/// What PostgreSQL says of a login.
struct Powers {
    login: String,
    /// Superuser or free of row-level security, itself or by a role that it may become.
    unbound: bool,
    /// The tables are its own, or a role's that it may become.
    owner: bool,
    /// Has what the application was granted.
    application: bool,
    /// Has what the platform was granted.
    platform: bool,
    /// May become the platform's role.
    may_be_platform: bool,
    /// Finds the tables.
    here: bool,
}

const ASK: &str = "SELECT current_user::text AS login,
    EXISTS (SELECT FROM pg_roles r WHERE (r.rolsuper OR r.rolbypassrls) AND pg_has_role(r.oid, 'MEMBER')) AS unbound,
    EXISTS (SELECT FROM pg_class c WHERE c.oid IN (to_regclass('accounts'), to_regclass('memberships'))
            AND pg_has_role(c.relowner, 'MEMBER')) AS owner,
    coalesce(pg_has_role(to_regrole($1)::oid, 'USAGE'), false) AS application,
    coalesce(pg_has_role(to_regrole($2)::oid, 'USAGE'), false) AS platform,
    coalesce(pg_has_role(to_regrole($2)::oid, 'MEMBER'), false) AS may_be_platform,
    to_regclass('memberships') IS NOT NULL AS here";

/// Makes sure that each login is one for its work: bound by row-level security, not the owner, with the role's grants,
/// and not the other's login.
///
/// # Errors
/// Everything that is wrong with them, with the setting and the remedy.
pub async fn verify_logins(settings: &Settings) -> Result<()> {
    let (application, platform) =
        tokio::join!(fault(&settings.application, APPLICATION_ROLE), fault(&settings.platform, PLATFORM_ROLE));
    let named = [
        ("DATABASE_APPLICATION_URL", APPLICATION_ROLE, application),
        ("DATABASE_PLATFORM_URL", PLATFORM_ROLE, platform),
    ];
    let faults: Vec<_> = named
        .into_iter()
        .filter_map(|(setting, role, fault)| {
            let fault = fault?;
            Some(format!("{setting} (or, without it, the role {role} that the server makes): {fault}"))
        })
        .collect();
    match faults.is_empty() {
        true => Ok(()),
        false => {
            let faults = faults.join("\n  ");
            Err(Error::internal(format!("refusing to start with these database logins:\n  {faults}")))
        }
    }
}

/// What is wrong with a login for this role.
async fn fault(options: &PgConnectOptions, role: &'static str) -> Option<String> {
    let unasked = |error: String| {
        format!(
            "the database can't be asked ({error}); write the user and the password of a login that has the role {role}"
        )
    };
    match tokio::time::timeout(PATIENCE, ask(options)).await {
        Ok(Ok(powers)) => judge(&powers, role),
        Ok(Err(error)) => Some(unasked(error.to_string())),
        Err(_) => Some(unasked("it does not answer".to_owned())),
    }
}

async fn ask(options: &PgConnectOptions) -> sqlx::Result<Powers> {
    // Nothing stays prepared, whatever lies between.
    let mut connection = PgConnection::connect_with(&super::tuned(options.clone(), true)).await?;
    let query = sqlx::query(ASK).bind(APPLICATION_ROLE).bind(PLATFORM_ROLE).persistent(false);
    let row = query.fetch_one(&mut connection).await?;
    connection.close().await?;
    Ok(Powers {
        login: row.try_get("login")?,
        unbound: row.try_get("unbound")?,
        owner: row.try_get("owner")?,
        application: row.try_get("application")?,
        platform: row.try_get("platform")?,
        may_be_platform: row.try_get("may_be_platform")?,
        here: row.try_get("here")?,
    })
}

fn judge(powers: &Powers, role: &'static str) -> Option<String> {
    let login = &powers.login;
    let (has, other) = match role {
        APPLICATION_ROLE => (powers.application, powers.platform || powers.may_be_platform),
        _ => (powers.platform, powers.application),
    };
    if powers.unbound {
        return Some(format!(
            "{login} is a superuser or can bypass row-level security, itself or by a role it is a member of; take that \
             from it (ALTER ROLE {login} NOSUPERUSER NOBYPASSRLS) or write another login"
        ));
    }
    if powers.owner {
        return Some(format!(
            "{login} owns the tables, or is a member of the role that does, and row-level security would not hold; \
             write a login of its own that has the role {role}"
        ));
    }
    if role == APPLICATION_ROLE && powers.may_be_platform {
        return Some(format!(
            "{login} can act as {PLATFORM_ROLE}, which sees every organisation; write a login that has only the role \
             {role}, and look whether the two URLs are swapped"
        ));
    }
    if !has {
        let swapped = if other { ", and look whether the two URLs are swapped" } else { "" };
        return Some(format!(
            "{login} does not have the role {role} and what was granted to it; write another login, or GRANT {role} TO \
             {login}{swapped}"
        ));
    }
    (!powers.here).then(|| {
        format!("{login} finds none of Freehold's tables; write the same database as in DATABASE_URL, with its schema in the search_path")
    })
}
