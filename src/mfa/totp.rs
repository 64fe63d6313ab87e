//! Authenticator apps: codes of six digits by SHA-1 and steps of 30 s (RFC 6238), which is what every app understands.

use chrono::TimeDelta;
use entity::{AccountId, Mfa, TotpFactorId, totp_factors as rows};
use sea_orm::{ColumnTrait, QueryFilter};
use totp_rs::{Builder, Totp};
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::{
    config::SecretString,
    db::WriteTx,
    error::{Error, Result},
    runtime::{Entropy, Ids, Timestamp},
    vault::{Field, Vault},
};

/// How long setting an app up may take.
pub const LASTS: TimeDelta = TimeDelta::minutes(15);
/// How many steps a phone's clock may be off, either way (RFC 6238, 5.2).
const SKEW: u16 = 1;
/// The bytes of a secret: the length of SHA-1's output (RFC 4226, 4).
const SECRET: usize = 20;

const FIELD: Field<Mfa> = Field::new("totp_factors.secret");

/// An app that is being set up.
pub struct Enrolment {
    /// The secret in base32, for whoever types it.
    pub secret: SecretString,
    /// The same as a link, for whoever scans it.
    pub uri: SecretString,
    /// Until when it can be confirmed.
    pub expires_at: Timestamp,
}

/// Removes apps that nobody went on setting up.
pub(super) const CLEAN_UP: &str = "
    DELETE FROM totp_factors WHERE id IN (
        SELECT id FROM totp_factors WHERE confirmed_at IS NULL AND created_at <= $1 ORDER BY created_at LIMIT 1000)";
const FORGET_PENDING: &str = "DELETE FROM totp_factors WHERE account_id = $1 AND confirmed_at IS NULL";

/// Begins to set an app up, in the place of one that was begun before. `issuer` and `name` are what the app shows.
///
/// # Errors
/// When the database fails.
pub async fn begin(tx: &WriteTx, vault: &Vault, account: AccountId, (issuer, name): (&str, &str)) -> Result<Enrolment> {
    let now = tx.caller().now();
    let bytes = Zeroizing::new(Entropy.bytes::<SECRET>()?);
    let plain = |text: &str| text.replace(':', " ");
    let builder = Builder::new().with_secret(bytes.to_vec()).with_skew(SKEW);
    let totp = builder.with_account_name(plain(name)).with_issuer(Some(plain(issuer))).build();
    let totp = totp.map_err(Error::internal)?;
    let id: TotpFactorId = Ids.next();
    let row = rows::Model {
        id,
        account_id: account,
        secret: vault.seal(FIELD, id, bytes.as_ref())?,
        last_step: 0,
        created_at: now,
        confirmed_at: None,
    };
    tx.execute(FORGET_PENDING, [Uuid::from(account).into()]).await?;
    tx.append(vec![rows::ActiveModel::from(row)]).await?;
    Ok(Enrolment {
        secret: SecretString::new(totp.secret().to_base32()),
        uri: SecretString::new(totp.to_url().map_err(Error::internal)?),
        expires_at: now + LASTS,
    })
}

const CONFIRM: &str =
    "UPDATE totp_factors SET confirmed_at = $2, last_step = $3 WHERE id = $1 AND confirmed_at IS NULL";

/// Takes a code of an app that is being set up as proof that it works. Whoever asks has been admitted.
///
/// # Errors
/// `NotFound` when none is being set up, or for too long.
pub async fn confirm(tx: &WriteTx, vault: &Vault, account: AccountId, code: &SecretString) -> Result<bool> {
    let now = tx.caller().now();
    let query = tx.find_identity::<rows::Entity>().filter(rows::Column::AccountId.eq(account));
    let query = query.filter(rows::Column::ConfirmedAt.is_null()).filter(rows::Column::CreatedAt.gt(now - LASTS));
    let row = tx.one(query).await?.ok_or_else(Error::not_found)?;
    let Some(step) = step(vault, &row, code, now)? else { return Ok(false) };
    Ok(tx.execute(CONFIRM, [Uuid::from(row.id).into(), now.into(), step.into()]).await? > 0)
}

const ACCEPT: &str = "UPDATE totp_factors SET last_step = $2 WHERE id = $1 AND last_step < $2";

pub(super) async fn prove(tx: &WriteTx, vault: &Vault, account: AccountId, code: &SecretString) -> Result<bool> {
    let query = tx.find_identity::<rows::Entity>().filter(rows::Column::AccountId.eq(account));
    let Some(row) = tx.one(query.filter(rows::Column::ConfirmedAt.is_not_null())).await? else { return Ok(false) };
    let Some(step) = step(vault, &row, code, tx.caller().now())? else { return Ok(false) };
    // The row's lock decides between two who show the same code at the same moment: the second finds the step taken.
    Ok(tx.execute(ACCEPT, [Uuid::from(row.id).into(), step.into()]).await? > 0)
}

/// The step that a code is of, if it is one of those that count now.
fn step(vault: &Vault, row: &rows::Model, code: &SecretString, now: Timestamp) -> Result<Option<i64>> {
    let secret = vault.open(FIELD, row.id, &row.secret)?;
    let totp: Totp = Builder::new().with_secret(secret.to_vec()).with_skew(SKEW).build().map_err(Error::internal)?;
    let digits = Zeroizing::new(code.expose().chars().filter(|c| !c.is_whitespace()).collect::<String>());
    let time = u64::try_from(now.timestamp()).unwrap_or_default();
    Ok(totp.check(&digits, time).and_then(|step| i64::try_from(step).ok()))
}
