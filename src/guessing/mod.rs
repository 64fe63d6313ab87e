//! Guessing: one set of counters of failures, for whatever can be guessed, on all instances (NET-5).
//!
//! An attempt counts before what it presents is looked at ([`admit`]), under the lock of its counter's row, and is
//! taken back when it was right ([`succeeded`]) or was not looked at ([`refund`]). So no number of instances or
//! simultaneous calls gets more looks than are allowed, and no connection is held meanwhile. Network addresses have
//! counters too, but only of what failed: a whole office that signs in at once is no attack.
//!
//! Counters are found by an HMAC of their subject, whether or not anybody has an account by that name. This module owns
//! the table `guesses`. It knows neither accounts nor what an attempt presents, and tells nobody: its callers record.

mod counters;

use std::{net::IpAddr, time::Duration};

use chrono::TimeDelta;
use entity::AccountId;
use hmac::{Hmac, KeyInit, Mac};
use sea_orm::{FromQueryResult, Value};
use sha2::Sha256;
use uuid::Uuid;

use crate::{
    db::{Tx, WriteTx},
    error::{Error, Result},
    runtime::Timestamp,
    settings::sections::Lockout,
    types::{Email, network},
    vault::Vault,
};

pub use counters::{Ended, clean_up, clean_up_to, end, forget, locks, may_tell, release};

/// How long a failure counts against an identifier or a device, beyond the longest lock.
const MEMORY: TimeDelta = TimeDelta::days(1);
/// How long an address is closed at first; each further failure doubles it.
const ADDRESS_LOCK: TimeDelta = TimeDelta::minutes(1);
/// How long it is closed at most: many people may share one.
const ADDRESS_LONGEST: TimeDelta = TimeDelta::hours(1);
/// When to come back while the last allowed attempt is still being looked at.
const SOON: Duration = Duration::from_secs(2);

/// What is attempted, as far as counting goes.
#[derive(Clone, Debug)]
pub struct Attempt {
    kind: &'static str,
    subject: Vec<u8>,
    account: Option<AccountId>,
    /// The network address's own subject; none for a known device, which strangers beside it must not lock out.
    address: Option<Vec<u8>>,
}

impl Attempt {
    /// An attempt in the name of an address that people sign in with, from anywhere.
    ///
    /// # Errors
    /// Never in practice.
    pub fn by_email(vault: &Vault, email: &Email, account: Option<AccountId>, from: Option<IpAddr>) -> Result<Self> {
        let address = from.map(|from| subject(vault, "address", network(from).to_string().as_bytes())).transpose()?;
        Ok(Self {
            kind: "identifier",
            subject: subject(vault, "identifier", email.as_str().as_bytes())?,
            account,
            address,
        })
    }

    /// An attempt on a device that the account's person has signed in on before, by the hash of its token.
    ///
    /// # Errors
    /// Never in practice.
    pub fn on_device(vault: &Vault, token: &[u8], account: Option<AccountId>) -> Result<Self> {
        let subject = subject(vault, "device", token)?;
        Ok(Self { kind: "device", subject, account, address: None })
    }

    /// Whose it is, once that is known.
    #[must_use]
    pub fn of(self, account: Option<AccountId>) -> Self {
        Self { account, ..self }
    }

    /// What its counter is found by, and the counter of its network address.
    pub fn subjects(&self) -> [Value; 2] {
        [self.subject.clone().into(), self.address.clone().into()]
    }

    /// `identifier` or `device`: what a lock would lock.
    pub fn kind(&self) -> &'static str {
        self.kind
    }
}

/// A counter's subject: nobody who has a copy of the table can tell whose it is.
fn subject(vault: &Vault, kind: &str, name: &[u8]) -> Result<Vec<u8>> {
    let key = vault.derive::<32>("guessing")?;
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_ref()).map_err(Error::internal)?;
    mac.update(kind.as_bytes());
    mac.update(&[0]);
    mac.update(name);
    Ok(mac.finalize().into_bytes().to_vec())
}

/// A lock that an attempt has brought about.
#[derive(Clone, Copy, Debug, FromQueryResult)]
pub struct Lock {
    /// Until when nothing is looked at.
    pub locked_until: Timestamp,
    /// After how many failures.
    pub failures: i32,
}

/// An attempt that may be looked at.
#[derive(Clone, Copy, Debug)]
pub struct Admitted {
    /// Whether it found a lock, in the record, that has ended by time: the end belongs there too.
    pub lock_ended: bool,
}

/// How a counter counts one more attempt: `$2` is now, `$5` the limit, `$6` the first lock, `$7` the longest and `$8` the
/// memory, in seconds. Those are the last values of [`bounds`].
macro_rules! counted {
    () => {
        "ON CONFLICT (subject) DO UPDATE SET
            account_id = EXCLUDED.account_id,
            failures = CASE WHEN g.forget_at <= $2 THEN 1 ELSE g.failures + 1 END,
            lapsed = g.announced, announced = false,
            locked_until = CASE WHEN g.forget_at > $2 AND g.failures + 1 >= $5 THEN
                $2 + make_interval(secs => least(
                    $6::double precision * power(2::double precision, least(g.failures + 1 - $5, 30)), $7::double precision)) END,
            forget_at = CASE
                WHEN g.forget_at > $2 AND g.failures + 1 >= $5 THEN $2 + make_interval(secs => $7::double precision + $8::double precision)
                -- A window of an address is not drawn out by what happens in it.
                WHEN g.forget_at > $2 AND g.failures > 0 AND g.kind = 'address' THEN g.forget_at
                ELSE $2 + make_interval(secs => $8::double precision) END
        WHERE g.locked_until IS NULL OR g.locked_until <= $2"
    };
}

pub(crate) use counted;

/// Counts an attempt unless it or its network address is locked. Nobody waits until that is on the disk: whoever is told
/// what came of the attempt is told after a commit that waits, and takes with it all that was committed before it. What a
/// crash of PostgreSQL forgets is only what it interrupted.
const ADMIT: &str = concat!(
    "WITH closed AS (SELECT max(locked_until) AS until FROM guesses WHERE subject = $9 AND locked_until > $2),
    counted AS (
        INSERT INTO guesses AS g (subject, kind, account_id, failures, forget_at)
        SELECT $1::bytea, $3::text, $4::uuid, 1, $2::timestamptz + make_interval(secs => $8::double precision)
        WHERE (SELECT until FROM closed) IS NULL ",
    counted!(),
    " RETURNING lapsed)
    SELECT (SELECT lapsed FROM counted) AS lapsed, (SELECT until FROM closed) AS closed_until,
           own.locked_until, coalesce(own.announced, false) AS announced,
           set_config('synchronous_commit', 'off', true)
    FROM (SELECT) AS one LEFT JOIN guesses own ON own.subject = $1"
);

#[derive(FromQueryResult)]
struct Answer {
    /// Nothing when the attempt was not counted.
    lapsed: Option<bool>,
    closed_until: Option<Timestamp>,
    locked_until: Option<Timestamp>,
    announced: bool,
}

/// Counts an attempt that is about to be looked at.
///
/// # Errors
/// `Throttled`, with the time that is left: nothing of it may be looked at, and nothing was counted.
pub async fn admit(tx: &WriteTx, rules: &Lockout, attempt: &Attempt) -> Result<Admitted> {
    let now = tx.caller().now();
    let mut values = counting(attempt, now, rules);
    values.push(attempt.address.clone().into());
    let answers: Vec<Answer> = tx.query(ADMIT, values).await?;
    let answer = answers.into_iter().next().ok_or_else(|| Error::internal("a counter gave no answer"))?;
    if let Some(lock_ended) = answer.lapsed {
        return Ok(Admitted { lock_ended });
    }
    let left = |until: Timestamp| (until - now).to_std().unwrap_or_default();
    Err(Error::Throttled(match (answer.closed_until, answer.locked_until) {
        (Some(until), _) => left(until),
        (None, Some(until)) if answer.announced => left(until).max(Duration::from_secs(1)),
        // The attempts that fill the counter are being looked at: if one is right, it is empty in a moment.
        _ => SOON,
    }))
}

fn counting(attempt: &Attempt, now: Timestamp, rules: &Lockout) -> Vec<Value> {
    let (subject, account) = (attempt.subject.clone(), attempt.account.map(Uuid::from));
    let mut values = vec![subject.into(), now.into(), attempt.kind.into(), account.into()];
    values.extend(bounds(rules));
    values
}

/// The limit, the first lock, the longest and the memory, as counting them takes them.
pub fn bounds(rules: &Lockout) -> [Value; 4] {
    let [first, longest, memory] = [rules.lock(), rules.longest_lock(), MEMORY].map(|span| seconds(span).into());
    [i32::try_from(rules.failures).unwrap_or(i32::MAX).into(), first, longest, memory]
}

fn seconds(span: TimeDelta) -> f64 {
    span.as_seconds_f64()
}

/// Counts a failure against its network address, and says so if the attempt's own lock stands now.
const FAILED: &str = concat!(
    "WITH address AS (
        INSERT INTO guesses AS g (subject, kind, account_id, failures, forget_at)
        SELECT $1::bytea, $3::text, $4::uuid, 1, $2::timestamptz + make_interval(secs => $8::double precision)
        WHERE $1 IS NOT NULL ",
    counted!(),
    " RETURNING failures)
    UPDATE guesses SET announced = true WHERE subject = $9 AND locked_until > $2 AND NOT announced
    RETURNING locked_until, failures"
);

/// What was presented was wrong: the attempt stays counted. Returns the lock that it has brought about, once.
///
/// # Errors
/// When the database fails.
pub async fn failed(tx: &WriteTx, rules: &Lockout, attempt: &Attempt) -> Result<Option<Lock>> {
    let spans = [ADDRESS_LOCK, ADDRESS_LONGEST, rules.address_window()].map(|span| seconds(span).into());
    let limit = i32::try_from(rules.address_failures).unwrap_or(i32::MAX);
    let [first, longest, window] = spans;
    let locks: Vec<Lock> = tx
        .query(
            FAILED,
            [
                attempt.address.clone().into(),
                tx.caller().now().into(),
                "address".into(),
                None::<Uuid>.into(),
                limit.into(),
                first,
                longest,
                window,
                attempt.subject.clone().into(),
            ],
        )
        .await?;
    Ok(locks.into_iter().next())
}

/// How a counter is emptied: `$1` is the subject, `$2` now. What is asked for is a condition of the statement around it.
macro_rules! emptied {
    ($condition:literal) => {
        concat!(
            "old AS (SELECT subject, announced FROM guesses WHERE subject = $1 AND ",
            $condition,
            " FOR UPDATE), emptied AS (
                UPDATE guesses g SET failures = 0, locked_until = NULL, announced = false, lapsed = false, forget_at = $2
                FROM old WHERE g.subject = old.subject RETURNING old.announced)"
        )
    };
}
pub(crate) use emptied;

const SUCCEEDED: &str = concat!("WITH ", emptied!("true"), " SELECT announced FROM emptied");

#[derive(FromQueryResult)]
struct Was {
    announced: bool,
}

/// What was presented was right: what failed before does not count any more. Returns whether that ended a lock that is
/// in the record.
///
/// # Errors
/// When the database fails.
pub async fn succeeded(tx: &WriteTx, attempt: &Attempt) -> Result<bool> {
    let values = [attempt.subject.clone().into(), tx.caller().now().into()];
    let was: Vec<Was> = tx.query(SUCCEEDED, values).await?;
    Ok(was.iter().any(|was| was.announced))
}

const REFUND: &str = "
    UPDATE guesses SET failures = greatest(failures - 1, 0), locked_until = CASE WHEN announced THEN locked_until END
    WHERE subject = $1";

/// Nobody looked at what was presented.
///
/// # Errors
/// When the database fails.
pub async fn refund(tx: &WriteTx, attempt: &Attempt) -> Result<()> {
    tx.execute(REFUND, [attempt.subject.clone().into()]).await?;
    Ok(())
}

/// Asks the database for nothing, as often as somebody else would have asked it for something: whether there is
/// somebody must not be seen in the time that an answer takes.
///
/// # Errors
/// When the database fails.
pub async fn idle(tx: &Tx, round_trips: usize) -> Result<()> {
    for _ in 0..round_trips {
        tx.query::<Was>("SELECT false AS announced", []).await?;
    }
    Ok(())
}
