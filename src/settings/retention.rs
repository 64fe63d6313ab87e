//! Which organisations keep their record longer than others: what the job that drops parts of it asks of all settings at
//! once.

use entity::OrganizationId;
use sea_orm::FromQueryResult;

use super::sections::Retention;
use crate::{db::Tx, error::Result};

/// How long the record is kept.
pub struct Wishes {
    /// At least, everywhere.
    pub platform: Retention,
    /// Where it is longer.
    pub organizations: Vec<(OrganizationId, Retention)>,
}

#[derive(FromQueryResult)]
struct Row {
    organization_id: OrganizationId,
    normal: Option<i32>,
    security: Option<i32>,
}

/// Documents hold whole numbers within bounds: the settings let nothing else in.
const SET: &str = "
    SELECT organization_id, (document #>> '{retention,normal_days}')::integer AS normal,
           (document #>> '{retention,security_days}')::integer AS security
    FROM settings WHERE document ? 'retention'";

/// How long the platform and each organisation that has decided it keep the record.
///
/// # Errors
/// When the database fails.
pub async fn retention(tx: &Tx) -> Result<Wishes> {
    let rows: Vec<Row> = tx.query(SET, []).await?;
    let longer = |least: &Retention, row: &Row| Retention {
        normal_days: row.normal.and_then(|days| u32::try_from(days).ok()).unwrap_or(0).max(least.normal_days),
        security_days: row.security.and_then(|days| u32::try_from(days).ok()).unwrap_or(0).max(least.security_days),
    };
    let least = Retention::LEAST;
    let platform = rows.iter().find(|row| row.organization_id == OrganizationId::PLATFORM);
    let platform = platform.map_or_else(|| least.clone(), |row| longer(&least, row));
    let organizations = rows.iter().map(|row| (row.organization_id, longer(&platform, row)));
    let organizations = organizations.filter(|(_, own)| *own != platform).collect();
    Ok(Wishes { platform, organizations })
}
