//! What a person wants to be told of an organisation's alerts by mail.

use entity::{OrganizationId, alert_preferences as rows};
use sea_orm::{ColumnTrait, QueryFilter};

use crate::{
    audit::{Event, Kind, Severity},
    db::{Db, Tx},
    error::{Error, Result},
    types::Caller,
};

/// How often somebody gets a digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Digest {
    /// Never.
    Off,
    /// At the top of each hour.
    Hourly,
    /// At six in the morning, UTC.
    Daily,
    /// On Mondays at six in the morning, UTC.
    Weekly,
}

/// What somebody wants to be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Preferences {
    /// How often.
    pub digest: Digest,
    /// How much an alert matters at least to be in the digest.
    pub minimum_severity: Severity,
    /// Whether they are told of critical alerts at once.
    pub critical_at_once: bool,
}

impl Default for Preferences {
    /// What holds for whoever has said nothing: an alert is of no use if nobody hears of it.
    fn default() -> Self {
        Self { digest: Digest::Daily, minimum_severity: Severity::High, critical_at_once: true }
    }
}

impl Digest {
    /// The stored word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Hourly => "hourly",
            Self::Daily => "daily",
            Self::Weekly => "weekly",
        }
    }

    /// The interval with this stored word.
    pub fn find(word: &str) -> Option<Self> {
        [Self::Off, Self::Hourly, Self::Daily, Self::Weekly].into_iter().find(|digest| digest.as_str() == word)
    }
}

impl Preferences {
    /// Those of a row; of words that this release does not know, the defaults.
    pub fn of(digest: &str, minimum_severity: &str, critical_at_once: bool) -> Self {
        let default = Self::default();
        Self {
            digest: Digest::find(digest).unwrap_or(default.digest),
            minimum_severity: Severity::find(minimum_severity).unwrap_or(default.minimum_severity),
            critical_at_once,
        }
    }
}

/// What the caller wants to be told of the organisation that they are in.
///
/// # Errors
/// When the database fails.
pub async fn preferences(tx: &Tx) -> Result<Preferences> {
    let organization = tx.caller().organization().unwrap_or(OrganizationId::PLATFORM);
    let query = tx.find_own::<rows::Entity>().filter(rows::Column::OrganizationId.eq(organization));
    let row = tx.one(query).await?;
    Ok(row.map_or_else(Preferences::default, |row| {
        Preferences::of(&row.digest, &row.minimum_severity, row.critical_at_once)
    }))
}

const SET: &str = "
    INSERT INTO alert_preferences AS p (organization_id, account_id, digest, minimum_severity, critical_at_once, updated_at)
    VALUES ($1, $2, $3, $4, $5, $6)
    ON CONFLICT (organization_id, account_id) DO UPDATE SET digest = excluded.digest,
        minimum_severity = excluded.minimum_severity, critical_at_once = excluded.critical_at_once,
        updated_at = excluded.updated_at";

/// Says what the caller wants to be told of the organisation that they are in.
///
/// # Errors
/// When the database fails.
pub async fn set_preferences(db: &Db, caller: &Caller, wanted: Preferences) -> Result<Preferences> {
    let organization = caller.organization().ok_or_else(Error::not_found)?;
    let account = caller.account().ok_or_else(Error::not_found)?;
    let tx = db.write(caller).await?;
    let values = [
        organization.into(),
        account.into(),
        wanted.digest.as_str().into(),
        wanted.minimum_severity.as_str().into(),
        wanted.critical_at_once.into(),
        caller.now().into(),
    ];
    tx.execute(SET, values).await?;
    let event = Event::new(Kind::AlertPreferencesUpdated, account).with("digest", wanted.digest.as_str());
    let event = event.with("minimum_severity", wanted.minimum_severity.as_str());
    tx.commit(event.with("critical_at_once", wanted.critical_at_once)).await?;
    Ok(wanted)
}
