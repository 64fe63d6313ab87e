//! Who is told of alerts by mail, and when (AUD-6): of critical ones at once, of others in digests.
//!
//! The leader does it. What was told is written down in the transaction that puts the letters into the outbox, under the
//! leader's term, so that nobody gets a letter twice and none is lost, whichever instance leads. Only those are told who
//! may read the organisation's alerts at that moment. A letter says which alerts there are, and nothing of whom they are
//! about. This module owns the table `alert_digests`.

mod periods;
mod recipients;
mod regular;
mod urgent;

use std::sync::{Arc, atomic::AtomicI64};

use chrono::TimeDelta;

pub use regular::send as send_digests;
pub use urgent::send as send_urgent;

use crate::{app::App, audit::Severity, mail::AlertLine, runtime::Timestamp};

/// How far back alerts are looked for that somebody has not been told of: a week, and a day for a leader that was away.
const BACK: TimeDelta = TimeDelta::days(8);
/// How many alerts a letter names.
const NAMED: usize = 20;

/// What the digests of an instance remember.
#[derive(Clone, Default)]
pub struct Clockwork {
    /// The last hour, since 1970, whose digests have all been sent.
    hour: Arc<AtomicI64>,
}

/// An alert that somebody is to be told of.
#[derive(Clone, Debug, sea_orm::FromQueryResult)]
struct News {
    title: String,
    severity: String,
    count: i64,
    raised_at: Timestamp,
    last_at: Timestamp,
}

impl News {
    fn severity(&self) -> Severity {
        Severity::find(&self.severity).unwrap_or(Severity::Critical)
    }
}

/// The lines of a letter, the gravest first, and how many there are besides.
fn lines(news: &[News]) -> (Vec<AlertLine>, usize) {
    let mut sorted: Vec<&News> = news.iter().collect();
    sorted.sort_by_key(|news| (std::cmp::Reverse(news.severity()), std::cmp::Reverse(news.last_at)));
    let named = sorted.iter().take(NAMED).map(|news| AlertLine {
        severity: news.severity().as_str(),
        title: news.title.clone(),
        count: news.count,
        last_at: news.last_at,
    });
    (named.collect(), news.len().saturating_sub(NAMED))
}

/// Where an organisation's alerts are.
fn page(app: &App, slug: &str) -> String {
    format!("{}/o/{slug}/alerts", app.public_url)
}
