//! The work of a rotation, batch by batch.

use std::time::{Duration, Instant};

use entity::{
    DataKeyId, Pii, Scope,
    key_rotations::{Model as Rotation, Step},
};
use sea_orm::FromQueryResult;
use tokio::sync::mpsc;
use uuid::Uuid;

use super::{find, running, tables};
use crate::{
    accounts,
    audit::{Event, Kind},
    db::{Tx, Unrecorded, WriteTx},
    error::{Error, Result},
    jobs::{Report, Run},
    tenancy::{attributes, invitations},
    vault::{self, Anew, Batch, Rows, Stretch, Table, Vault},
};

/// How many rows are sealed anew in one transaction: some tens of milliseconds of work.
const BATCH: i64 = 1000;
/// How many rows of match values are removed in one transaction.
const REMOVED: i64 = 5000;
/// How often it is asked whether every instance knows the keys, and how long at most at a time.
const ASK: Duration = Duration::from_millis(200);
const LONGEST_WAIT: Duration = Duration::from_secs(60);
const WHY: &str = "a run of a job is its own record";

/// A part of the work: a table with sealed values, or match values that are missing.
#[derive(Clone, Copy)]
enum Unit {
    Table(&'static Table),
    AccountMatches,
    InvitationMatches,
    AttributeMatches,
}

impl Unit {
    /// The parts of a scope's rotation. Match values come first: what people are found by is complete as early as can be.
    fn of(scope: &str) -> Vec<Self> {
        let people = if scope == Pii::NAME { vec![Self::AccountMatches, Self::InvitationMatches] } else { Vec::new() };
        people.into_iter().chain([Self::AttributeMatches]).chain(tables(scope).map(Self::Table)).collect()
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Table(table) => table.name,
            Self::AccountMatches => "account_matches",
            Self::InvitationMatches => "invitation_matches",
            Self::AttributeMatches => "attribute_matches",
        }
    }

    /// Makes some of the match values that are missing.
    async fn match_anew(self, tx: &WriteTx, vault: &Vault, to: DataKeyId, after: Uuid) -> Result<Batch> {
        match self {
            Self::Table(_) => Ok(Batch { last: None, written: 0 }),
            Self::AccountMatches => accounts::match_anew(tx, vault, to, after, BATCH).await,
            Self::InvitationMatches => invitations::match_anew(tx, vault, to, after, BATCH).await,
            Self::AttributeMatches => attributes::match_anew(tx, vault, to, after, BATCH).await,
        }
    }
}

/// Where a rotation is: in which part, and after which row.
#[derive(Clone, Copy)]
struct Place {
    unit: Unit,
    row: Option<Uuid>,
}

/// Goes on with the rotations that are not paused, to their end or until the server stops.
///
/// # Errors
/// When the database fails, a value can't be opened, or an instance does not get to know the keys: the queue tries again.
pub async fn rotate(run: Run) -> Result<Report> {
    let (mut finished, mut written) = (0, 0);
    let rotations = running(&run.read().await?).await?;
    for rotation in rotations {
        let id = rotation.id;
        loop {
            let present = find(&run.read().await?, id).await?;
            if present.paused || run.is_stopping() {
                break;
            }
            match present.step {
                Step::Announcing => activate(&run, &present).await?,
                Step::Migrating => written += migrate(&run, &present).await?,
                Step::Verifying => verify(&run, &present).await?,
                Step::Closing => close(&run, &present).await?,
                Step::Finished => {
                    finished += 1;
                    break;
                }
            }
        }
    }
    Ok(Report::from([("finished", finished), ("rows", written)]))
}

/// Waits until every instance that is there knows the keys as they are.
async fn known_everywhere(run: &Run) -> Result<()> {
    let begun = Instant::now();
    loop {
        let known = vault::acknowledgements(&run.read().await?).await?;
        if known.complete() {
            return Ok(());
        }
        if begun.elapsed() > LONGEST_WAIT || run.is_stopping() {
            return Err(Error::Upstream {
                reason: format!("{} of {} instances know the data keys", known.acknowledged, known.instances),
                retry_after: LONGEST_WAIT,
            });
        }
        tokio::time::sleep(ASK).await;
    }
}

/// Lets the new key seal once everybody knows it.
async fn activate(run: &Run, rotation: &Rotation) -> Result<()> {
    known_everywhere(run).await?;
    let tx = run.write().await?;
    // The old one first: a scope has one active key.
    set_state(&tx, rotation.from_key, "retiring").await?;
    set_state(&tx, rotation.to_key, "active").await?;
    let now = tx.caller().now();
    tx.execute("UPDATE data_keys SET activated_at = $2 WHERE id = $1", [rotation.to_key.into(), now.into()]).await?;
    step(&tx, rotation, Step::Migrating).await?;
    tx.commit(Event::new(Kind::DataKeyActivated, rotation.to_key).with("scope", rotation.scope.as_str())).await?;
    known_everywhere(run).await
}

/// Does one part of the work from where it is, until it is done, the rotation is paused, or the server stops.
async fn migrate(run: &Run, rotation: &Rotation) -> Result<u64> {
    let units = Unit::of(&rotation.scope);
    let at = rotation.at_column.as_deref();
    let position = units.iter().position(|unit| Some(unit.name()) == at).unwrap_or(0);
    let Some(&unit) = units.get(position) else { return finish_migrating(run, rotation).await.map(|()| 0) };
    let place = Place { unit, row: rotation.at_row.filter(|_| at == Some(unit.name())) };
    let (written, done) = match unit {
        Unit::Table(table) => reseal(run, rotation, table, place).await?,
        _ => match_batch(run, rotation, place).await?,
    };
    if !done {
        return Ok(written);
    }
    match units.get(position + 1) {
        Some(&unit) => {
            let tx = run.write().await?;
            note(&tx, rotation, Place { unit, row: None }, 0).await?;
            tx.commit(Unrecorded(WHY)).await?;
            Ok(written)
        }
        None => finish_migrating(run, rotation).await.map(|()| written),
    }
}

/// Seals a table anew, batch by batch: while one is written, the next is sealed and the one after it read. Says how many
/// values were written, and whether that was all.
async fn reseal(run: &Run, rotation: &Rotation, table: &'static Table, from: Place) -> Result<(u64, bool)> {
    let (ahead, mut sealing) = mpsc::channel(1);
    let reading = async move {
        let mut after = from.row;
        // Nobody waits for more once the rotation is paused.
        while let Some(rows) = read(run, rotation, table, after).await? {
            after = Some(rows.last());
            let vault = run.vault().clone();
            if ahead.send(tokio::task::spawn_blocking(move || rows.seal_anew(&vault))).await.is_err() {
                break;
            }
        }
        Ok(())
    };
    let writing = async move {
        let mut written = 0;
        while let Some(anew) = sealing.recv().await {
            let anew: Anew = anew.await.map_err(Error::internal)??;
            let place = Place { row: Some(anew.last), ..from };
            let (values, paused) = write(run, rotation, table, place, anew).await?;
            written += values;
            if paused || run.is_stopping() {
                return Ok((written, false));
            }
        }
        Ok((written, true))
    };
    tokio::try_join!(reading, writing).map(|((), written)| written)
}

/// From here on PostgreSQL goes along the order of the ids, and finds each row by its own. It would read the whole table
/// for every batch: it expects to find hardly any row under a key, and takes the batch for a good part of the table.
/// No batch waits for the disk either: the step that follows them does, and with it all of them are there.
async fn walk(tx: &Tx) -> Result<()> {
    let sql = "SELECT set_config('enable_seqscan', 'off', true), set_config('enable_sort', 'off', true),
                   set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true),
                   set_config('synchronous_commit', 'off', true)";
    tx.query::<Walking>(sql, []).await?;
    Ok(())
}

#[derive(FromQueryResult)]
struct Walking {}

async fn read(run: &Run, rotation: &Rotation, table: &'static Table, after: Option<Uuid>) -> Result<Option<Rows>> {
    let stretch = Stretch { from: rotation.from_key, after: after.unwrap_or_default(), most: BATCH };
    let tx = run.read().await?;
    walk(&tx).await?;
    table.read(&tx, stretch).await
}

/// Writes a batch, and notes how far it is; says how many values it was, and whether somebody has paused it.
async fn write(run: &Run, rotation: &Rotation, table: &'static Table, place: Place, anew: Anew) -> Result<(u64, bool)> {
    let tx = run.write().await?;
    walk(&tx).await?;
    let written = anew.values;
    table.write(&tx, anew).await?;
    let paused = note(&tx, rotation, place, written).await?;
    tx.commit(Unrecorded(WHY)).await?;
    Ok((written, paused))
}

/// Makes a batch of match values; says how many, and whether there are no more.
async fn match_batch(run: &Run, rotation: &Rotation, place: Place) -> Result<(u64, bool)> {
    let tx = run.write().await?;
    walk(&tx).await?;
    let batch = place.unit.match_anew(&tx, run.vault(), rotation.to_key, place.row.unwrap_or_default()).await?;
    if batch.last.is_some() {
        note(&tx, rotation, Place { row: batch.last, ..place }, 0).await?;
        tx.commit(Unrecorded(WHY)).await?;
    }
    Ok((batch.written, batch.last.is_none()))
}

#[derive(FromQueryResult)]
struct Noted {
    paused: bool,
}

/// Notes how far a rotation is, with so many more values sealed; says whether somebody has paused it.
async fn note(tx: &WriteTx, rotation: &Rotation, place: Place, sealed: u64) -> Result<bool> {
    let sql = "UPDATE key_rotations SET at_column = $2, at_row = $3, rows_done = least(rows_total, rows_done + $4),
                   updated_at = clock_timestamp() WHERE id = $1 RETURNING paused";
    let sealed = i64::try_from(sealed).unwrap_or(0);
    let values = [rotation.id.into(), place.unit.name().into(), place.row.into(), sealed.into()];
    let noted: Vec<Noted> = tx.query(sql, values).await?;
    Ok(noted.iter().any(|noted| noted.paused))
}

async fn finish_migrating(run: &Run, rotation: &Rotation) -> Result<()> {
    let tx = run.write().await?;
    step(&tx, rotation, Step::Verifying).await?;
    tx.commit(Unrecorded(WHY)).await
}

/// Looks whether anything is left under the old key, or without match values under the new one; then the rows are gone
/// through once more.
async fn verify(run: &Run, rotation: &Rotation) -> Result<()> {
    known_everywhere(run).await?;
    let tx = run.write().await?;
    let mut left = 0;
    for unit in Unit::of(&rotation.scope) {
        left += match unit {
            Unit::Table(table) => table.count(&tx, rotation.from_key).await?,
            // Whoever has none is looked for again, and counted by being found.
            matches => {
                let batch = matches.match_anew(&tx, run.vault(), rotation.to_key, Uuid::nil()).await?;
                i64::from(batch.last.is_some())
            }
        };
    }
    let next = if left == 0 { Step::Closing } else { Step::Migrating };
    step(&tx, rotation, next).await?;
    let again = "UPDATE key_rotations SET at_column = NULL, at_row = NULL, passes = passes + 1 WHERE id = $1";
    tx.execute(again, [rotation.id.into()]).await?;
    if left == 0 {
        set_state(&tx, rotation.from_key, "closing").await?;
    }
    tx.commit(Unrecorded(WHY)).await
}

/// Removes the match values under the old key once nobody writes any, and retires it.
async fn close(run: &Run, rotation: &Rotation) -> Result<()> {
    known_everywhere(run).await?;
    let from = rotation.from_key;
    for sql in REMOVE_MATCHES {
        run.repeat(sql, &[from.into(), REMOVED.into()]).await?;
    }
    if run.is_stopping() {
        return Ok(());
    }
    let tx = run.write().await?;
    // From here on the database takes none any more; what came in between goes with it.
    set_state(&tx, from, "retired").await?;
    for sql in REMOVE_MATCHES {
        tx.execute(sql, [from.into(), i64::MAX.into()]).await?;
    }
    let now = tx.caller().now();
    let retired = "UPDATE data_keys SET retired_at = $2 WHERE id = $1";
    tx.execute(retired, [from.into(), now.into()]).await?;
    step(&tx, rotation, Step::Finished).await?;
    let all = "UPDATE key_rotations SET finished_at = clock_timestamp(), rows_done = rows_total WHERE id = $1";
    tx.execute(all, [rotation.id.into()]).await?;
    tx.commit(Event::new(Kind::DataKeyRetired, from).with("scope", rotation.scope.as_str())).await
}

const REMOVE_MATCHES: [&str; 3] = [
    "DELETE FROM account_matches WHERE ctid = ANY (ARRAY(SELECT ctid FROM account_matches WHERE key_id = $1 LIMIT $2))",
    "DELETE FROM invitation_matches WHERE ctid = ANY (ARRAY(SELECT ctid FROM invitation_matches WHERE key_id = $1 LIMIT $2))",
    "DELETE FROM attribute_matches WHERE ctid = ANY (ARRAY(SELECT ctid FROM attribute_matches WHERE key_id = $1 LIMIT $2))",
];

/// Takes a rotation a step further, unless somebody was quicker.
async fn step(tx: &WriteTx, rotation: &Rotation, to: Step) -> Result<()> {
    let sql = "UPDATE key_rotations SET step = $3, updated_at = clock_timestamp(),
                   finished_at = CASE $3 WHEN 'finished' THEN clock_timestamp() END
               WHERE id = $1 AND step = $2";
    if tx.execute(sql, [rotation.id.into(), rotation.step.into(), to.into()]).await? == 0 {
        Err(Error::internal("a rotation is at another step than it was"))
    } else {
        Ok(())
    }
}

async fn set_state(tx: &WriteTx, key: DataKeyId, state: &'static str) -> Result<()> {
    tx.execute("UPDATE data_keys SET state = $2 WHERE id = $1", [key.into(), state.into()]).await?;
    Ok(())
}
