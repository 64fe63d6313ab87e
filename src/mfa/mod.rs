//! Second factors, as a mechanism: authenticator apps, passkeys, codes by e-mail, backup codes, right passwords that wait for
//! one of those, browsers that need none for a while, and until when an account may do without.
//!
//! This module owns the tables `totp_factors`, `passkeys`, `passkey_ceremonies`, `email_codes`, `backup_codes`,
//! `trusted_devices`, `second_factor_challenges`, `second_factor_failures`, `second_factor_deadlines`,
//! `recovery_addresses` and `recovery_requests`. It works in its callers' transactions, knows nobody's name or address,
//! and tells nobody: `accounts` decides, records and writes letters.

mod backup;
pub mod challenges;
pub mod deadlines;
pub mod email_codes;
mod failures;
pub mod passkeys;
pub mod recovery;
pub mod recovery_addresses;
mod totp;
pub mod trusted;

use std::collections::HashMap;

use entity::{AccountId, Mfa, Pii, SessionId};
use sea_orm::FromQueryResult;
use uuid::Uuid;

pub use email_codes::Place;
pub use failures::{ACCOUNT_MOST, admit, failed};
pub use totp::{Enrolment, LASTS as ENROLMENT_LASTS, begin as begin_totp, confirm as confirm_totp};

use crate::{
    config::SecretString,
    db::{Tx, WriteTx},
    error::Result,
    jobs::{Report, Run},
    runtime::Timestamp,
    sessions::WEAK,
    vault::{Table, Vault},
};

/// What of the tables is sealed.
pub const SEALED: &[Table] = &[
    crate::vault::sealed_table!("totp_factors", Mfa, ["secret"]),
    crate::vault::sealed_table!("passkeys", Pii, ["name"]),
    crate::vault::sealed_table!("trusted_devices", Pii, ["address", "user_agent"]),
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
    /// The signature of a passkey. It is no code: [`passkeys::prove`] looks at it.
    Passkey,
    /// A code that was mailed.
    EmailCode,
    /// One of the codes that were written down for when the app is out of reach.
    BackupCode,
}

impl Method {
    /// Its name in answers and in the record.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Totp => "totp",
            Self::Passkey => "passkey",
            Self::EmailCode => "email_code",
            Self::BackupCode => "backup_code",
        }
    }

    /// Whether it is one besides codes by e-mail, which are the weak one (MFA-2).
    pub const fn is_strong(self) -> bool {
        !matches!(self, Self::EmailCode)
    }

    /// How a session is that began with a password and this (RFC 8176, 2).
    pub const fn factors(self) -> &'static [&'static str] {
        match self {
            Self::Totp | Self::BackupCode => &["pwd", "otp", "mfa"],
            Self::Passkey => &["pwd", "pop", "mfa"],
            Self::EmailCode => &["pwd", "otp", WEAK],
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
    /// How many passkeys it has.
    pub passkeys: i64,
    /// Since when codes are mailed to it.
    pub email_codes_since: Option<Timestamp>,
    /// How many backup codes have not been used.
    pub backup_codes: i64,
}

impl Factors {
    /// Whether there is any.
    pub fn any(self) -> bool {
        self.strong() || self.email_codes_since.is_some()
    }

    /// Whether there is one besides codes by e-mail, which are the weak one (MFA-2).
    pub fn strong(self) -> bool {
        self.totp_since.is_some() || self.passkeys > 0
    }

    /// The ways in which it proves again who somebody is: where there is a strong factor, the weak one is none.
    pub fn methods_again(self) -> Vec<Method> {
        self.methods().into_iter().filter(|method| method.is_strong() || !self.strong()).collect()
    }

    /// The ways in which it can be proven.
    pub fn methods(self) -> Vec<Method> {
        let totp = self.totp_since.map(|_| Method::Totp);
        let passkey = (self.passkeys > 0).then_some(Method::Passkey);
        let email = self.email_codes_since.map(|_| Method::EmailCode);
        let backup = (self.strong() && self.backup_codes > 0).then_some(Method::BackupCode);
        passkey.into_iter().chain(totp).chain(email).chain(backup).collect()
    }
}

const FACTORS: &str = "
    SELECT (SELECT confirmed_at FROM totp_factors WHERE account_id = $1 AND confirmed_at IS NOT NULL) AS totp_since,
           (SELECT count(*) FROM passkeys WHERE account_id = $1) AS passkeys,
           (SELECT enabled_at FROM email_codes WHERE account_id = $1) AS email_codes_since,
           (SELECT count(*) FROM backup_codes WHERE account_id = $1) AS backup_codes";

/// What an account has.
///
/// # Errors
/// When the database fails.
pub async fn factors(tx: &Tx, account: AccountId) -> Result<Factors> {
    let rows: Vec<Factors> = tx.query(FACTORS, [Uuid::from(account).into()]).await?;
    Ok(rows.into_iter().next().unwrap_or_default())
}

#[derive(FromQueryResult)]
struct Methods {
    account: AccountId,
    methods: String,
}

const METHODS: &str = "
    SELECT a.id AS account, array_to_string(second_factor_methods(a.id), ' ') AS methods FROM unnest($1::uuid[]) AS a (id)";

/// What each of these can prove, by name.
///
/// # Errors
/// When the database fails.
pub async fn methods_of(tx: &Tx, accounts: &[AccountId]) -> Result<HashMap<AccountId, Vec<String>>> {
    let ids: Vec<Uuid> = accounts.iter().copied().map(Uuid::from).collect();
    let rows: Vec<Methods> = tx.query(METHODS, [ids.into()]).await?;
    let named = |row: Methods| (row.account, row.methods.split_whitespace().map(str::to_owned).collect());
    Ok(rows.into_iter().map(named).collect())
}

/// Whether a code is right at this place, which uses it up. Whoever asks has been admitted ([`admit`]) in this transaction.
///
/// # Errors
/// When the database fails.
pub async fn prove(tx: &WriteTx, vault: &Vault, (account, place): (AccountId, Place), proof: &Proof) -> Result<bool> {
    // What is only being set up proves nothing, nor do backup codes that stand in for no strong factor.
    if !factors(tx, account).await?.methods().contains(&proof.method) {
        return Ok(false);
    }
    match proof.method {
        Method::Totp => totp::prove(tx, vault, account, &proof.code).await,
        Method::Passkey => Ok(false),
        Method::EmailCode => email_codes::prove(tx, vault, (account, place), &proof.code).await,
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

const REMOVE_APP: &str = "DELETE FROM totp_factors WHERE account_id = $1 AND confirmed_at IS NOT NULL";

/// Takes the authenticator app from an account. Returns whether there was one.
///
/// # Errors
/// When the database fails.
pub async fn remove_totp(tx: &WriteTx, account: AccountId) -> Result<bool> {
    Ok(tx.execute(REMOVE_APP, [Uuid::from(account).into()]).await? > 0)
}

/// Holds what an account has until the end of the transaction, as who proves or takes one of its factors does: of two that
/// are taken at the same moment the second finds that it is the last.
///
/// # Errors
/// When the database fails.
pub async fn held(tx: &WriteTx, account: AccountId) -> Result<()> {
    tx.lock(&format!("second factor {account}")).await
}

/// Whether this is the code that was mailed to somebody who sets that up, in this session.
///
/// # Errors
/// When the database fails.
pub async fn confirm_email_code(
    tx: &WriteTx,
    vault: &Vault,
    (account, session): (AccountId, SessionId),
    code: &SecretString,
) -> Result<bool> {
    email_codes::prove(tx, vault, (account, Place::Session(session)), code).await
}

/// What follows from a factor that was taken away: no device is trusted for it any more, with the last strong one go the
/// backup codes, and with the last one what waits for one. Returns whether it was the last.
///
/// # Errors
/// When the database fails.
pub async fn removed(tx: &WriteTx, account: AccountId) -> Result<bool> {
    let left = factors(tx, account).await?;
    trusted::revoke_all(tx, account).await?;
    if !left.strong() {
        tx.execute(REMOVE_CODES, [Uuid::from(account).into()]).await?;
    }
    if !left.any() {
        disable(tx, account).await?;
    }
    Ok(!left.any())
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
    let of_passkeys = [passkeys::REMOVE_ALL, passkeys::FORGET_CEREMONIES];
    for sql in [REMOVE_TOTP, REMOVE_CODES, trusted::ALL].into_iter().chain(of_passkeys) {
        tx.execute(sql, [Uuid::from(account).into()]).await?;
    }
    email_codes::disable(tx, account).await?;
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
    let of_recovery = [recovery::FORGET, recovery_addresses::FORGET];
    for sql in [failures::FORGET, deadlines::FORGET, email_codes::REMOVE].into_iter().chain(of_recovery) {
        tx.execute(sql, [Uuid::from(account).into()]).await?;
    }
    Ok(())
}

/// Removes what is over: challenges, failures that count no more, trusted devices, recoveries, and what nobody went on setting
/// up.
///
/// # Errors
/// When the database fails.
pub async fn clean_up(run: Run) -> Result<Report> {
    let now = run.caller().now();
    let challenges = run.repeat(challenges::CLEAN_UP, &[now.into()]).await?;
    let failures = run.repeat(failures::CLEAN_UP, &[(now - failures::SPAN).into()]).await?;
    let enrolments = run.repeat(totp::CLEAN_UP, &[(now - totp::LASTS).into()]).await?;
    let ceremonies = run.repeat(passkeys::CLEAN_UP, &[now.into()]).await?;
    let codes = run.repeat(email_codes::CLEAN_UP, &[(now - email_codes::SPAN).into()]).await?;
    let devices = run.repeat(trusted::CLEAN_UP, &[now.into()]).await?;
    let recoveries = run.repeat(recovery::CLEAN_UP, &[now.into(), (now - recovery::COUNTS).into()]).await?;
    let hour_ago = now - recovery_addresses::HOUR;
    let addresses = run.repeat(recovery_addresses::CLEAN_UP, &[now.into(), hour_ago.into()]).await?;
    Ok(Report::from([
        ("challenges", challenges),
        ("failures", failures),
        ("enrolments", enrolments),
        ("ceremonies", ceremonies),
        ("codes", codes),
        ("devices", devices),
        ("recoveries", recoveries),
        ("recovery_addresses", addresses),
    ]))
}
