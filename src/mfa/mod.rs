//! Second factors, as a mechanism: authenticator apps, backup codes, right passwords that wait for one of those, and until
//! when an account may do without.
//!
//! This module owns the tables `totp_factors`, `backup_codes`, `second_factor_challenges`, `second_factor_failures`,
//! `second_factor_deadlines`, `recovery_addresses` and `recovery_requests`. It works in its callers' transactions, knows nobody's name or
//! address, and tells nobody: `accounts` decides, records and writes letters.

mod backup;
pub mod challenges;
pub mod deadlines;
mod failures;
pub mod recovery;
pub mod recovery_addresses;
mod totp;

use entity::{AccountId, Mfa, Pii};
use sea_orm::FromQueryResult;
use uuid::Uuid;

pub use failures::{ACCOUNT_MOST, admit, failed};
pub use totp::{Enrolment, LASTS as ENROLMENT_LASTS, begin as begin_totp, confirm as confirm_totp};

use crate::{
    config::SecretString,
    db::{Tx, WriteTx},
    error::Result,
    jobs::{Report, Run},
    runtime::Timestamp,
    vault::{Table, Vault},
};

/// What of the tables is sealed.
pub const SEALED: &[Table] = &[
    crate::vault::sealed_table!("totp_factors", Mfa, ["secret"]),
    crate::vault::sealed_table!(
        "recovery_addresses",
        Pii,
        "(SELECT a.salt FROM accounts a WHERE a.id = account_id)",
        ["email"]
    ),
];
/// A way to prove a second factor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// A code of an authenticator app.
    Totp,
    /// One of the codes that were written down for when the app is out of reach.
    BackupCode,
}

impl Method {
    /// Its name in answers and in the record.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Totp => "totp",
            Self::BackupCode => "backup_code",
        }
    }

    /// How a session is that began with a password and this (RFC 8176, 2).
    pub const fn factors(self) -> &'static [&'static str] {
        match self {
            Self::Totp | Self::BackupCode => &["pwd", "otp", "mfa"],
        }
    }
}

/// What somebody presents as a second factor.
pub struct Proof {
    /// Which.
    pub method: Method,
    /// The code as it was typed.
    pub code: SecretString,
}

/// What an account has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromQueryResult)]
pub struct Factors {
    /// Since when it has an authenticator app.
    pub totp_since: Option<Timestamp>,
    /// How many backup codes have not been used.
    pub backup_codes: i64,
}

impl Factors {
    /// Whether there is any.
    pub fn any(self) -> bool {
        self.totp_since.is_some()
    }

    /// The ways in which it can be proven.
    pub fn methods(self) -> Vec<Method> {
        let totp = self.totp_since.map(|_| Method::Totp);
        totp.into_iter().chain((self.any() && self.backup_codes > 0).then_some(Method::BackupCode)).collect()
    }
}

const FACTORS: &str = "
    SELECT (SELECT confirmed_at FROM totp_factors WHERE account_id = $1 AND confirmed_at IS NOT NULL) AS totp_since,
           (SELECT count(*) FROM backup_codes WHERE account_id = $1) AS backup_codes";

/// What an account has.
///
/// # Errors
/// When the database fails.
pub async fn factors(tx: &Tx, account: AccountId) -> Result<Factors> {
    let rows: Vec<Factors> = tx.query(FACTORS, [Uuid::from(account).into()]).await?;
    Ok(rows.into_iter().next().unwrap_or_default())
}

/// Whether a code is right, which uses it up. Whoever asks has been admitted ([`admit`]) in this transaction.
///
/// # Errors
/// When the database fails.
pub async fn prove(tx: &WriteTx, vault: &Vault, account: AccountId, proof: &Proof) -> Result<bool> {
    match proof.method {
        Method::Totp => totp::prove(tx, vault, account, &proof.code).await,
        Method::BackupCode => backup::prove(tx, vault, account, &proof.code).await,
    }
}

/// New backup codes in the place of those there are.
///
/// # Errors
/// When the database fails.
pub async fn renew_backup_codes(tx: &WriteTx, vault: &Vault, account: AccountId) -> Result<Vec<SecretString>> {
    backup::renew(tx, vault, account).await
}

const REMOVE_TOTP: &str = "DELETE FROM totp_factors WHERE account_id = $1";
const REMOVE_CODES: &str = "DELETE FROM backup_codes WHERE account_id = $1";

/// Takes everything from an account that a second factor is proven with, and what waits for one. Returns whether there
/// was a factor.
///
/// # Errors
/// When the database fails.
pub async fn disable(tx: &WriteTx, account: AccountId) -> Result<bool> {
    let had = factors(tx, account).await?.any();
    for sql in [REMOVE_TOTP, REMOVE_CODES] {
        tx.execute(sql, [Uuid::from(account).into()]).await?;
    }
    challenges::forget_all_of(tx, account).await?;
    recovery::end_all_of(tx, account).await?;
    Ok(had)
}

/// Destroys everything about an account.
///
/// # Errors
/// When the database fails.
pub async fn erase(tx: &WriteTx, account: AccountId) -> Result<()> {
    disable(tx, account).await?;
    for sql in [failures::FORGET, deadlines::FORGET, recovery::FORGET, recovery_addresses::FORGET] {
        tx.execute(sql, [Uuid::from(account).into()]).await?;
    }
    Ok(())
}

/// Removes what is over: challenges, failures that count no more, apps that nobody went on setting up, recoveries and the
/// addresses for them that nobody proved.
///
/// # Errors
/// When the database fails.
pub async fn clean_up(run: Run) -> Result<Report> {
    let now = run.caller().now();
    let challenges = run.repeat(challenges::CLEAN_UP, &[now.into()]).await?;
    let failures = run.repeat(failures::CLEAN_UP, &[(now - failures::SPAN).into()]).await?;
    let enrolments = run.repeat(totp::CLEAN_UP, &[(now - totp::LASTS).into()]).await?;
    let recoveries = run.repeat(recovery::CLEAN_UP, &[now.into(), (now - recovery::COUNTS).into()]).await?;
    let hour_ago = now - recovery_addresses::HOUR;
    let addresses = run.repeat(recovery_addresses::CLEAN_UP, &[now.into(), hour_ago.into()]).await?;
    let report = [
        ("challenges", challenges),
        ("failures", failures),
        ("enrolments", enrolments),
        ("recoveries", recoveries),
        ("recovery_addresses", addresses),
    ];
    Ok(Report::from(report))
}
