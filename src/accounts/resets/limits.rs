//! How often links to new passwords are asked for: by one e-mail address, and from one address on the network (NET-4).
//! The counters lie in the database, so that they are the same on every instance and after a restart; counting is one
//! statement each, the same whether or not there is such an account. What is counted is found by an HMAC.

use sea_orm::FromQueryResult;

use crate::{
    app::App,
    config::Quota,
    db::WriteTx,
    error::{Error, Result},
    runtime::Timestamp,
    types::{Email, Left, network},
};

/// Counts one more, unless there are too many: then it touches no row.
const COUNT: &str = "
    INSERT INTO password_reset_limits AS l (key, recent, expires_at) VALUES ($1, ARRAY[$2::timestamptz], $3)
    ON CONFLICT (key) DO UPDATE
    SET recent = ARRAY(SELECT t FROM unnest(l.recent) t WHERE t > $4) || $2::timestamptz, expires_at = $3
    WHERE (SELECT count(*) FROM unnest(l.recent) t WHERE t > $4) < $5
    RETURNING cardinality(l.recent) AS counted, l.recent[1] AS oldest";
const OLDEST: &str = "
    SELECT min(t) AS oldest FROM password_reset_limits l, unnest(l.recent) t WHERE l.key = $1 AND t > $2";
/// A few that are over go with each new one, so that the table is never larger than an hour makes it.
const FORGET_SOME: &str = "
    DELETE FROM password_reset_limits WHERE key IN (
        SELECT key FROM password_reset_limits WHERE expires_at < $1 LIMIT 10 FOR UPDATE SKIP LOCKED)";
/// Removes those that are over.
pub(super) const CLEAN_UP: &str = "
    DELETE FROM password_reset_limits WHERE key IN (
        SELECT key FROM password_reset_limits WHERE expires_at < $1 LIMIT 1000)";

#[derive(FromQueryResult)]
struct Counted {
    counted: i32,
    oldest: Timestamp,
}

#[derive(FromQueryResult)]
struct Oldest {
    oldest: Option<Timestamp>,
}

/// Counts a request, unless it is one too many; nothing is counted then. Returns what is left to where it comes from:
/// how often others have asked about the same person is nobody's business.
///
/// # Errors
/// `Throttled` until another is answered.
pub(super) async fn count(tx: &WriteTx, app: &App, email: &Email) -> Result<Left> {
    tx.execute(FORGET_SOME, [tx.caller().now().into()]).await?;
    // Addresses before identifiers, everywhere: so nobody waits for each other.
    let by_network = match tx.caller().origin.address {
        Some(address) => Some(count_one(tx, app, &format!("address {}", network(address))).await?),
        None => None,
    };
    let by_identifier = count_one(tx, app, &format!("identifier {email}")).await?;
    Ok(by_network.unwrap_or(by_identifier))
}

async fn count_one(tx: &WriteTx, app: &App, of: &str) -> Result<Left> {
    let Quota { most, window } = app.limits.password_reset;
    let now = tx.caller().now();
    let key = app.vault.derive::<32>(&format!("password reset limit, {of}"))?.to_vec();
    let values = [key.clone().into(), now.into(), (now + window).into(), (now - window).into(), i64::from(most).into()];
    let counted: Vec<Counted> = tx.query(COUNT, values).await?;
    if let Some(Counted { counted, oldest }) = counted.into_iter().next() {
        let calls = most.saturating_sub(counted.unsigned_abs());
        return Ok(Left { calls, renewed_in: (oldest + window - now).to_std().unwrap_or_default() });
    }
    let oldest: Vec<Oldest> = tx.query(OLDEST, [key.into(), (now - window).into()]).await?;
    let oldest = oldest.into_iter().next().and_then(|row| row.oldest).unwrap_or(now);
    Err(Error::Throttled((oldest + window - now).to_std().unwrap_or_default()))
}
