//! Critical alerts: whoever may read them is told at once, in one letter for all of an organisation, and of those that
//! follow within a minute together, so that a flood of alerts is no flood of letters.

use entity::OrganizationId;
use sea_orm::FromQueryResult;

use super::{News, lines, page, recipients};
use crate::{
    alerts,
    app::App,
    db::Unrecorded,
    error::Result,
    mail::{Letter, Occasion},
    types::Caller,
};

#[derive(FromQueryResult)]
struct Waiting {
    organization_id: OrganizationId,
}

/// Where somebody has to be told of something, and was not within a minute.
const WAITING: &str = "
    SELECT DISTINCT organization_id FROM alerts a
    WHERE state = 'open' AND severity = 'critical' AND told_at IS NULL AND raised_at > statement_timestamp() - interval '1 day'
      AND (muted_until IS NULL OR muted_until < statement_timestamp())
      AND NOT EXISTS (SELECT FROM alerts t WHERE t.organization_id = a.organization_id
                      AND t.told_at > statement_timestamp() - interval '1 minute')
    LIMIT 100";

const TAKE: &str = "
    UPDATE alerts SET told_at = statement_timestamp()
    WHERE organization_id = $1 AND state = 'open' AND severity = 'critical' AND told_at IS NULL
      AND raised_at > statement_timestamp() - interval '1 day'
      AND (muted_until IS NULL OR muted_until < statement_timestamp())
    RETURNING title, severity, count, raised_at, last_at";

/// Tells of what nobody has been told of. Returns how many letters there are.
///
/// # Errors
/// When the database fails or another instance leads; who was told then has been written down.
pub async fn send(app: &App, caller: &Caller) -> Result<usize> {
    let waiting: Vec<Waiting> = app.db.read(caller).await?.query(WAITING, []).await?;
    let mut letters = 0;
    for Waiting { organization_id } in waiting {
        letters += tell(app, caller, organization_id).await?;
    }
    Ok(letters)
}

async fn tell(app: &App, caller: &Caller, organization: OrganizationId) -> Result<usize> {
    let tx = app.db.write(caller).await?;
    let news: Vec<News> = tx.query(TAKE, [organization.into()]).await?;
    let mut letters = 0;
    if let (Some(named), false) = (recipients::organization(&tx, organization).await?, news.is_empty()) {
        let (lines, more) = lines(&news);
        let link = page(app, &named.slug);
        let letter = Letter::Alerts { organization: named.name, occasion: Occasion::Critical, lines, more, link };
        let readers = recipients::list(app, &tx, organization).await?;
        for reader in readers.into_iter().filter(|reader| wants(&reader.wants)) {
            app.mail.queue(&tx, &reader.email, &letter).await?;
            letters += 1;
        }
    }
    tx.commit(Unrecorded("that an alert was raised is recorded")).await?;
    Ok(letters)
}

fn wants(preferences: &alerts::Preferences) -> bool {
    preferences.critical_at_once
}
