//! Checkpoints on their way out, once a day: into a directory and by mail, where whoever has the database and the server
//! can't get at them. Held against them, a record shows whether its end was cut off (`freehold audit verify --anchor`).
//!
//! A file has the latest checkpoint of each organisation that has a new one. Its SHA-256 is in the platform's record, so
//! whoever has any later checkpoint of the platform's can tell whether a file is the one that was written.

use std::{
    fs::{self, File, OpenOptions},
    io::Write,
    path::Path,
};

use entity::{OrganizationId, audit_checkpoints as checkpoints};
use sea_orm::FromQueryResult;
use serde_json::json;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::{
    audit::{Event, Kind, commitment::hex},
    config,
    db::Tx,
    error::{Error, Result},
    jobs::{Report, Run},
    mail::{Letter, Mail},
    runtime::{Ids, Timestamp},
};

/// How many checkpoints a letter has at most. Of more it has only the platform's own, whose record has the digest of the
/// file before.
const MOST_IN_A_LETTER: usize = 50;

#[derive(FromQueryResult)]
struct Published {
    published: Option<Timestamp>,
}

/// One organisation after the other, a look-up each.
const LATEST: &str = "
    WITH RECURSIVE o AS (
        (SELECT organization_id FROM audit_checkpoints WHERE organization_id > $1 ORDER BY organization_id LIMIT 1)
        UNION ALL
        SELECT (SELECT n.organization_id FROM audit_checkpoints n WHERE n.organization_id > o.organization_id
                ORDER BY n.organization_id LIMIT 1)
        FROM o WHERE o.organization_id IS NOT NULL)
    SELECT c.* FROM (SELECT organization_id FROM o WHERE organization_id IS NOT NULL LIMIT 1000) s
    CROSS JOIN LATERAL (
        SELECT * FROM audit_checkpoints c WHERE c.organization_id = s.organization_id ORDER BY c.number DESC LIMIT 1) c
    ORDER BY c.organization_id";

/// Sends out what is new since the last time.
///
/// # Errors
/// When the directory can't be written, or the database fails; the next run sends it out then.
pub async fn publish(run: Run, outside: config::Audit) -> Result<Report> {
    if outside.checkpoint_directory.is_none() && outside.checkpoint_recipients.is_empty() {
        return Ok(Report::from([("checkpoints", 0)]));
    }
    let tx = run.write().await?;
    let before: Option<Published> = tx.query("SELECT published FROM audit_sealing", []).await?.into_iter().next();
    let latest = latest(&tx, before.and_then(|row| row.published)).await?;
    let Some(newest) = latest.iter().map(|row| row.sealed_at).max() else {
        return Ok(Report::from([("checkpoints", 0)]));
    };
    let text: String =
        latest.iter().map(|row| format!("{}\n", json!({"type": "checkpoint", "jws": row.jws}))).collect();
    let digest = hex(&Sha256::digest(&text));
    let name = format!("audit-checkpoints-{}.jsonl", run.caller().now().format("%Y%m%dT%H%M%S%6fZ"));
    if let Some(directory) = outside.checkpoint_directory.clone() {
        let (name, text) = (name.clone(), text.clone());
        let written = tokio::task::spawn_blocking(move || write(&directory, &name, &text)).await;
        written
            .map_err(Error::internal)?
            .map_err(|error| Error::internal(format!("audit.checkpoint_directory: {error}")))?;
    }
    let letter = letter(&latest, &digest, outside.checkpoint_directory.is_some().then_some(&*name));
    let mail = Mail::new(run.vault().clone(), Ids);
    for recipient in &outside.checkpoint_recipients {
        mail.queue(&tx, recipient, &letter).await?;
    }
    let moved = "UPDATE audit_sealing SET published = $1 WHERE published IS NULL OR published < $1";
    tx.execute(moved, [newest.into()]).await?;
    let count = u64::try_from(latest.len()).unwrap_or(u64::MAX);
    let event = Event::new(Kind::CheckpointsPublished, OrganizationId::PLATFORM)
        .with("checkpoints", count)
        .with("sha256", digest)
        .with("letters", outside.checkpoint_recipients.len())
        .with("file", outside.checkpoint_directory.is_some());
    run.commit(tx, Report::from([("checkpoints", count)]), event).await
}

/// The latest checkpoint of each organisation that has one newer than that.
async fn latest(tx: &Tx, than: Option<Timestamp>) -> Result<Vec<checkpoints::Model>> {
    let (mut all, mut after) = (Vec::new(), Uuid::nil());
    loop {
        let page: Vec<checkpoints::Model> = tx.query(LATEST, [after.into()]).await?;
        let Some(last) = page.last() else { return Ok(all) };
        after = last.organization_id.into();
        all.extend(page.into_iter().filter(|row| than.is_none_or(|than| row.sealed_at > than)));
    }
}

fn letter(latest: &[checkpoints::Model], digest: &str, file: Option<&str>) -> Letter {
    let all = latest.len() <= MOST_IN_A_LETTER;
    let told = latest.iter().filter(|row| all || row.organization_id == OrganizationId::PLATFORM);
    Letter::CheckpointsPublished {
        count: latest.len(),
        digest: digest.to_owned(),
        file: file.map(str::to_owned),
        checkpoints: told.map(|row| row.jws.clone()).collect(),
    }
}

/// A file is there whole or not at all.
fn write(directory: &Path, name: &str, text: &str) -> std::io::Result<()> {
    fs::create_dir_all(directory)?;
    let unfinished = directory.join(format!(".{name}.unfinished"));
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).open(&unfinished)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&unfinished, directory.join(name))?;
    File::open(directory)?.sync_all()
}
