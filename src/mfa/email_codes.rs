//! Codes by e-mail: six digits, for ten minutes, one at a time. Whoever reads the mailbox has them, and can have a new
//! password mailed there too, so that they are the weak factor (MFA-2; OWASP ASVS 5.0, 6.3.6).
//!
//! Nothing of a code is stored but an HMAC under a key that is derived from outside the database, over where it was asked
//! for as well: a code for one sign-in is nothing in another. Callers have been admitted ([`super::admit`]).

use chrono::TimeDelta;
use entity::{AccountId, ChallengeId, SessionId};
use hmac::{Hmac, KeyInit, Mac};
use sea_orm::FromQueryResult;
use sha2::Sha256;
use uuid::Uuid;

use crate::{
    config::SecretString,
    db::WriteTx,
    error::{Error, Result},
    runtime::{Entropy, Timestamp},
    vault::Vault,
};

/// How long a code can be used (MFA-2).
pub const LASTS: TimeDelta = TimeDelta::minutes(10);
/// How many wrong codes end one (MFA-2).
const MOST: i32 = 5;
/// How long somebody waits for the next.
const PAUSE: TimeDelta = TimeDelta::minutes(1);
/// How many are sent in an [`HOUR`].
const AN_HOUR: usize = 5;
const HOUR: TimeDelta = TimeDelta::hours(1);
/// How many different codes there are.
const CODES: u32 = 1_000_000;

/// Where a code is asked for, and good.
#[derive(Clone, Copy, Debug)]
pub enum Place {
    /// A sign-in that waits.
    Challenge(ChallengeId),
    /// A session.
    Session(SessionId),
}

/// A code on its way.
pub struct Sent {
    /// The code.
    pub code: SecretString,
    /// Until when it can be used.
    pub expires_at: Timestamp,
    /// When another can be had.
    pub again_at: Timestamp,
}

#[derive(FromQueryResult)]
struct Row {
    code_hash: Option<Vec<u8>>,
    expires_at: Option<Timestamp>,
}

#[derive(FromQueryResult)]
struct SentAt {
    at: Timestamp,
}

const RECENT: &str = "
    SELECT s.at FROM email_codes e, unnest(e.sent) AS s (at) WHERE e.account_id = $1 AND s.at > $2 ORDER BY s.at DESC";
const KEEP: &str = "
    INSERT INTO email_codes (account_id, code_hash, expires_at, sent, changed_at) VALUES ($1, $2, $3, ARRAY[$4::timestamptz], $4)
    ON CONFLICT (account_id) DO UPDATE
    SET code_hash = excluded.code_hash, failures = 0, expires_at = excluded.expires_at, changed_at = excluded.changed_at,
        sent = ARRAY(SELECT at FROM unnest(email_codes.sent) AS s (at) WHERE at > $5) || excluded.sent";

/// Makes a code in the place of the one before.
///
/// # Errors
/// `Throttled` a minute after the last, and after five in an hour.
pub async fn make(tx: &WriteTx, vault: &Vault, account: AccountId, place: Place) -> Result<Sent> {
    let (now, id) = (tx.caller().now(), Uuid::from(account));
    let recent: Vec<SentAt> = tx.query(RECENT, [id.into(), (now - HOUR).into()]).await?;
    let pause = recent.first().map(|last| last.at + PAUSE);
    let hour = recent.get(AN_HOUR - 1).map(|blocking| blocking.at + HOUR);
    if let Some(until) = pause.max(hour).filter(|until| *until > now) {
        return Err(Error::Throttled((until - now).to_std().unwrap_or_default()));
    }
    let code = digits()?;
    let hash = mac(vault, account, place, code.expose())?.finalize().into_bytes().to_vec();
    let values = [id.into(), hash.into(), (now + LASTS).into(), now.into(), (now - HOUR).into()];
    tx.execute(KEEP, values).await?;
    Ok(Sent { code, expires_at: now + LASTS, again_at: now + PAUSE })
}

const FIND: &str = "SELECT code_hash, expires_at FROM email_codes WHERE account_id = $1 FOR UPDATE";
const END: &str = "UPDATE email_codes SET code_hash = NULL, changed_at = $2 WHERE account_id = $1";
const FAIL: &str = "
    UPDATE email_codes SET failures = failures + 1, code_hash = CASE WHEN failures + 1 < $2 THEN code_hash END
    WHERE account_id = $1";

/// Whether this is the code that was sent for this place, which uses it up.
///
/// # Errors
/// When the database fails.
pub(super) async fn prove(
    tx: &WriteTx,
    vault: &Vault,
    (account, place): (AccountId, Place),
    code: &SecretString,
) -> Result<bool> {
    let (now, id) = (tx.caller().now(), Uuid::from(account));
    let rows: Vec<Row> = tx.query(FIND, [id.into()]).await?;
    let Some(Row { code_hash: Some(hash), expires_at: Some(expires_at) }) = rows.into_iter().next() else {
        return Ok(false);
    };
    let right = expires_at > now && mac(vault, account, place, code.expose())?.verify_slice(&hash).is_ok();
    if right {
        tx.execute(END, [id.into(), now.into()]).await?;
    } else {
        tx.execute(FAIL, [id.into(), MOST.into()]).await?;
    }
    Ok(right)
}

/// Forgets the code that was sent: the mailbox is another now.
///
/// # Errors
/// When the database fails.
pub async fn forget(tx: &WriteTx, account: AccountId) -> Result<()> {
    tx.execute(END, [Uuid::from(account).into(), tx.caller().now().into()]).await?;
    Ok(())
}

const ENABLE: &str = "UPDATE email_codes SET enabled_at = $2, changed_at = $2 WHERE account_id = $1";
pub(super) const REMOVE: &str = "DELETE FROM email_codes WHERE account_id = $1";
const DISABLE: &str = "UPDATE email_codes SET enabled_at = NULL, code_hash = NULL, changed_at = $2 WHERE account_id = $1 AND enabled_at IS NOT NULL";

/// Makes codes by e-mail a factor of the account, which has just proven one.
///
/// # Errors
/// When the database fails.
pub async fn enable(tx: &WriteTx, account: AccountId) -> Result<()> {
    tx.execute(ENABLE, [Uuid::from(account).into(), tx.caller().now().into()]).await?;
    Ok(())
}

/// Takes the factor away. How often codes were sent stays. Returns whether there was one.
///
/// # Errors
/// When the database fails.
pub async fn disable(tx: &WriteTx, account: AccountId) -> Result<bool> {
    Ok(tx.execute(DISABLE, [Uuid::from(account).into(), tx.caller().now().into()]).await? > 0)
}

/// Removes what is left of codes that nobody has, an hour after they were sent.
pub(super) const CLEAN_UP: &str = "
    DELETE FROM email_codes WHERE account_id IN (
        SELECT account_id FROM email_codes WHERE enabled_at IS NULL AND changed_at <= $1 ORDER BY changed_at LIMIT 1000)";

/// How long what was sent counts.
pub(super) const SPAN: TimeDelta = HOUR;

/// Six digits, none likelier than another.
fn digits() -> Result<SecretString> {
    loop {
        let random = u32::from_be_bytes(Entropy.bytes::<4>()?);
        // The last part of the range that is no whole million is left out.
        if random < u32::MAX - u32::MAX % CODES {
            return Ok(SecretString::new(format!("{:06}", random % CODES)));
        }
    }
}

fn mac(vault: &Vault, account: AccountId, place: Place, code: &str) -> Result<Hmac<Sha256>> {
    let key = vault.derive::<32>("codes by e-mail")?;
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_ref()).map_err(Error::internal)?;
    let (kind, id) = match place {
        Place::Challenge(id) => (b'c', Uuid::from(id)),
        Place::Session(id) => (b's', Uuid::from(id)),
    };
    mac.update(Uuid::from(account).as_bytes());
    mac.update(&[kind]);
    mac.update(id.as_bytes());
    let read: Vec<u8> = code.bytes().filter(u8::is_ascii_digit).collect();
    mac.update(&read);
    Ok(mac)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Proves MFA-2.
    #[test]
    fn a_code_has_six_digits() {
        for _ in 0..500 {
            let code = digits().unwrap();
            assert!(code.expose().len() == 6 && code.expose().bytes().all(|c| c.is_ascii_digit()), "{}", code.expose());
        }
    }
}
