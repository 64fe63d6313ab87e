//! Digests: one letter a person, organisation and period with the alerts that were raised since the last one.

use std::sync::atomic::Ordering;

use entity::OrganizationId;
use sea_orm::FromQueryResult;

use super::{
    BACK, Clockwork, News, lines, page,
    periods::{has_ended, hour},
    recipients::{self, Named, Recipient},
};
use crate::{
    alerts::Digest,
    app::App,
    db::{Tx, Unrecorded},
    error::Result,
    mail::{Letter, Occasion},
    runtime::Timestamp,
    types::Caller,
};

#[derive(FromQueryResult)]
struct Now {
    now: Timestamp,
}

#[derive(FromQueryResult)]
struct Place {
    organization_id: OrganizationId,
}

/// Organisations with alerts that somebody may not have been told of.
const PLACES: &str = "
    SELECT DISTINCT organization_id FROM alerts
    WHERE state = 'open' AND raised_at > $1 AND (muted_until IS NULL OR muted_until < statement_timestamp())
    ORDER BY organization_id";

const NEWS: &str = "
    SELECT title, severity, count, raised_at, last_at FROM alerts
    WHERE organization_id = $1 AND state = 'open' AND raised_at > $2
      AND (muted_until IS NULL OR muted_until < statement_timestamp())
    ORDER BY raised_at LIMIT 10000";

/// Nobody raises alerts until the end of the transaction: what is raised later has a later time.
const STILL: &str = "SELECT FROM alert_progress FOR SHARE";

/// Whoever was quicker has told.
const TOLD: &str = "
    INSERT INTO alert_digests AS d (organization_id, account_id, told_until) VALUES ($1, $2, $3)
    ON CONFLICT (organization_id, account_id) DO UPDATE SET told_until = excluded.told_until
    WHERE d.told_until < excluded.told_until AND d.told_until IS NOT DISTINCT FROM $4";

/// Sends the digests that are due, once after each hour. Returns how many letters there are.
///
/// # Errors
/// When the database fails or another instance leads; who was told then has been written down, and the rest is told next
/// time.
pub async fn send(app: &App, clockwork: &Clockwork, caller: &Caller) -> Result<usize> {
    let tx = app.db.read(caller).await?;
    let now: Vec<Now> = tx.query("SELECT statement_timestamp() AS now", []).await?;
    let Some(Now { now }) = now.into_iter().next() else { return Ok(0) };
    if clockwork.hour.load(Ordering::Relaxed) == hour(now) {
        return Ok(0);
    }
    let places: Vec<Place> = tx.query(PLACES, [(now - BACK).into()]).await?;
    drop(tx);
    let mut letters = 0;
    for Place { organization_id } in places {
        letters += of_organization(app, caller, organization_id, now).await?;
    }
    clockwork.hour.store(hour(now), Ordering::Relaxed);
    Ok(letters)
}

async fn of_organization(app: &App, caller: &Caller, organization: OrganizationId, now: Timestamp) -> Result<usize> {
    let tx = app.db.read(caller).await?;
    let Some(named) = recipients::organization(&tx, organization).await? else { return Ok(0) };
    let news = read(&tx, organization, now).await?;
    let readers = recipients::list(app, &tx, organization).await?;
    drop(tx);
    let mut letters = 0;
    for reader in readers.iter().filter(|reader| is_due(reader, &news, now)) {
        letters += usize::from(tell(app, caller, (organization, &named, reader), now).await?);
    }
    Ok(letters)
}

async fn read(tx: &Tx, organization: OrganizationId, now: Timestamp) -> Result<Vec<News>> {
    tx.query(NEWS, [organization.into(), (now - BACK).into()]).await
}

/// What a person has not been told of and wants to be.
fn untold<'a>(reader: &'a Recipient, news: &'a [News]) -> impl Iterator<Item = &'a News> {
    news.iter().filter(|news| {
        reader.told_until.is_none_or(|until| news.raised_at > until) && news.severity() >= reader.wants.minimum_severity
    })
}

fn is_due(reader: &Recipient, news: &[News], now: Timestamp) -> bool {
    untold(reader, news).any(|news| has_ended(reader.wants.digest, news.raised_at, now))
}

async fn tell(
    app: &App,
    caller: &Caller,
    (organization, named, reader): (OrganizationId, &Named, &Recipient),
    now: Timestamp,
) -> Result<bool> {
    let tx = app.db.write(caller).await?;
    tx.execute(STILL, []).await?;
    let news = read(&tx, organization, now).await?;
    let Some(last) = news.iter().map(|news| news.raised_at).max() else { return Ok(false) };
    let values = [organization.into(), reader.account.into(), last.into(), reader.told_until.into()];
    if tx.execute(TOLD, values).await? == 0 {
        return Ok(false);
    }
    let wanted: Vec<News> = untold(reader, &news).cloned().collect();
    if wanted.is_empty() {
        return Ok(false);
    }
    let (lines, more) = lines(&wanted);
    let occasion = match reader.wants.digest {
        Digest::Off => return Ok(false),
        Digest::Hourly => Occasion::Hourly,
        Digest::Daily => Occasion::Daily,
        Digest::Weekly => Occasion::Weekly,
    };
    let link = page(app, &named.slug);
    let letter = Letter::Alerts { organization: named.name.clone(), occasion, lines, more, link };
    app.mail.queue(&tx, &reader.email, &letter).await?;
    tx.commit(Unrecorded("that an alert was raised is recorded")).await?;
    Ok(true)
}
