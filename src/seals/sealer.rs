//! The sealer: whoever leads seals what has come into the record, all the time and a few seconds behind.
//!
//! It works in batches, each a transaction under the leader's term: some entries of however many organisations, and for
//! each of these one checkpoint. There is nothing that is sealed and not signed, an organisation in whose record nothing
//! happens costs nothing, and ten million old entries are a matter of batches.
//!
//! It continues a chain only from a checkpoint whose signature it has verified. Who rewrites seals and lacks the key
//! does not get theirs signed by us.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::{Duration, Instant},
};

use chrono::TimeDelta;
use entity::{OrganizationId, audit_entries as entries};
use sea_orm::FromQueryResult;
use uuid::Uuid;

use super::{
    form::{CHECKPOINT, Checkpoint, Hash, Head, entry, hash, least},
    moments::Moments,
    signed::Claimed,
};
use crate::{
    audit::{Event, Kind},
    db::{Tx, Unrecorded, WriteTx},
    error::{Error, Result},
    jobs::{Duty, Lead},
    runtime::Timestamp,
    sessions::Keys,
};

/// How often it is looked for what is to be sealed.
const EVERY: Duration = Duration::from_secs(5);
/// How much of its time it may take from the database, while there is no backlog: a tenth.
const SHARE: u32 = 9;
/// How many entries a batch has at most: some megabytes.
const BATCH: usize = 2000;

/// What seals need of the server.
#[derive(Clone)]
pub struct Sealing {
    /// The keys that sign.
    pub keys: Keys,
    /// The installation, as checkpoints name it.
    pub issuer: Arc<str>,
}

impl Sealing {
    /// Sealing, as something that whoever leads does.
    pub fn duty(self) -> Duty {
        Duty::new(move |lead| run(self.clone(), lead))
    }
}

async fn run(sealing: Sealing, lead: Lead) {
    let mut sealer = Sealer {
        sealing,
        lead,
        moments: Moments::default(),
        settled: None,
        delay: Delay::default(),
        pass: None,
        broken: BTreeSet::new(),
    };
    let mut pause = Duration::ZERO;
    while sealer.lead.pause(pause).await {
        let begun = Instant::now();
        pause = match sealer.step().await {
            Ok(Progress::More) => Duration::ZERO,
            Ok(Progress::Done) => EVERY.max(begun.elapsed() * SHARE),
            Err(error) => {
                tracing::warn!(%error, "entries of the record could not be sealed; trying again");
                sealer.pass = None;
                EVERY
            }
        };
    }
}

/// Whether there is more to be sealed at once.
enum Progress {
    More,
    Done,
}

/// One leadership's sealer.
struct Sealer {
    sealing: Sealing,
    lead: Lead,
    moments: Moments,
    /// Before this, everything is sealed, as far as this leadership knows.
    settled: Option<Timestamp>,
    /// Since when it waits for a transaction that does not end.
    delay: Delay,
    /// The way through the record that it is on.
    pass: Option<Pass>,
    /// Organisations whose last checkpoint is not ours.
    broken: BTreeSet<OrganizationId>,
}

/// A way through all that may not be sealed.
#[derive(Clone, Copy)]
struct Pass {
    /// At its end, everything before this is sealed.
    settles: Option<Timestamp>,
    /// Where it is.
    at: Uuid,
}

#[derive(FromQueryResult)]
struct Now {
    oldest: i64,
    next: i64,
    at: Timestamp,
    settled: Option<Timestamp>,
}

const NOW: &str = "
    SELECT pg_snapshot_xmin(s)::text::bigint AS oldest, pg_snapshot_xmax(s)::text::bigint AS next,
           statement_timestamp() AS at, settled
    FROM audit_sealing CROSS JOIN pg_current_snapshot() s";

/// Entries keep the lower half of their transaction's number; the upper follows from the next number to be given.
const READY: &str = "
    SELECT e.* FROM audit_entries e
    WHERE e.id > $1 AND $3 - (($3 - e.xmin::text::bigint) & 4294967295) < $2
      AND NOT EXISTS (SELECT FROM audit_seals s WHERE s.entry_id = e.id)
    ORDER BY e.id LIMIT $4";

/// The last checkpoint of each organisation, and the place of its last seal.
#[derive(FromQueryResult)]
struct Last {
    organization_id: OrganizationId,
    number: Option<i64>,
    sequence: Option<i64>,
    jws: Option<String>,
    sealed: Option<i64>,
}

const LAST: &str = "
    SELECT w.organization_id, c.number, c.sequence, c.jws,
           (SELECT max(s.sequence) FROM audit_seals s WHERE s.organization_id = w.organization_id) AS sealed
    FROM unnest($1::uuid[]) AS w (organization_id) LEFT JOIN LATERAL (
        SELECT * FROM audit_checkpoints c WHERE c.organization_id = w.organization_id ORDER BY c.number DESC LIMIT 1) c
        ON true";

const SEAL: &str = "
    INSERT INTO audit_seals (organization_id, sequence, entry_id, hash)
    SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::uuid[], $4::bytea[])";

const CLOSE: &str = "
    INSERT INTO audit_checkpoints (organization_id, number, sequence, sealed_at, jws)
    SELECT o, n, s, $5, j FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::text[]) AS c (o, n, s, j)";

const SETTLE: &str = "UPDATE audit_sealing SET settled = $1 WHERE settled IS NULL OR settled < $1";

impl Sealer {
    /// Seals a batch.
    async fn step(&mut self) -> Result<Progress> {
        let caller = self.lead.caller();
        self.sealing.keys.caught_up(&caller.origin).await?;
        let tx = self.lead.write().await?;
        let now: Option<Now> = tx.query(NOW, []).await?.into_iter().next();
        let now = now.ok_or_else(|| Error::internal("audit_sealing has lost its row"))?;
        self.settled = self.settled.max(now.settled);
        let pass = match self.pass {
            Some(pass) => pass,
            None => Pass {
                settles: self.moments.note((now.oldest, now.next), now.at),
                at: self.settled.map(least).unwrap_or_default(),
            },
        };
        if self.delay.is_news(pass.settles, now.at) {
            tracing::warn!("a transaction of the database has run for so long that nothing since can be sealed");
            let event = Event::without_target(Kind::AuditSealingDelayed).failed();
            return tx.commit(event).await.map(|()| Progress::Done);
        }
        let most = i64::try_from(BATCH).unwrap_or(i64::MAX);
        let values = [pass.at.into(), now.oldest.into(), now.next.into(), most.into()];
        let ready: Vec<entries::Model> = tx.query(READY, values).await?;
        let (more, last) = (ready.len() == BATCH, ready.last().map(|row| Uuid::from(row.id)));
        let sealed = self.seal(&tx, ready, now.at).await?;
        let done = !more && self.broken.is_empty();
        let settled = if done { self.settled.max(pass.settles) } else { self.settled };
        if sealed > 0 {
            if let Some(settled) = settled {
                tx.execute(SETTLE, [settled.into()]).await?;
            }
            tx.commit(Unrecorded("a seal proves the record and does nothing")).await?;
            tracing::debug!(sealed, "entries of the record were sealed");
        }
        self.settled = settled;
        self.pass = last.filter(|_| more).map(|at| Pass { at, ..pass });
        Ok(if more { Progress::More } else { Progress::Done })
    }

    /// Adds seals and checkpoints, and says how many entries they seal.
    async fn seal(&mut self, tx: &WriteTx, ready: Vec<entries::Model>, at: Timestamp) -> Result<usize> {
        let mut by_organization: BTreeMap<OrganizationId, Vec<entries::Model>> = BTreeMap::new();
        for row in ready {
            by_organization.entry(row.organization_id).or_default().push(row);
        }
        let mut heads = self.heads(tx, by_organization.keys().copied().collect()).await?;
        let (mut seals, mut closing) = (Seals::default(), Closing::default());
        for (organization, rows) in by_organization {
            let Some(mut head) = heads.remove(&organization) else { continue };
            for row in rows {
                let hash = hash(&entry(&row))?;
                head.add(&hash);
                seals.add(organization, head.sequence, row.id.into(), &hash);
            }
            let checkpoint = head.checkpoint(&self.sealing.issuer, organization, (at, self.settled));
            let jws = self.sealing.keys.sign_attached(CHECKPOINT, &checkpoint.bytes()?, at)?;
            closing.add(&checkpoint, jws);
        }
        let sealed = seals.entries.len();
        if sealed > 0 {
            seals.write(tx).await?;
            closing.write(tx, at).await?;
        }
        Ok(sealed)
    }

    /// Where the chains of these organisations are; without those whose last checkpoint is not one that we signed.
    async fn heads(&mut self, tx: &Tx, organizations: Vec<OrganizationId>) -> Result<BTreeMap<OrganizationId, Head>> {
        let ids: Vec<Uuid> = organizations.into_iter().map(Uuid::from).collect();
        let mut heads = BTreeMap::new();
        for row in tx.query::<Last>(LAST, [ids.into()]).await? {
            match self.head(&row) {
                Some(head) => {
                    self.broken.remove(&row.organization_id);
                    heads.insert(row.organization_id, head);
                }
                None => self.refuse(row.organization_id).await,
            }
        }
        Ok(heads)
    }

    /// Where a chain is, if its last checkpoint is one that we signed for that place and no seal is beyond it. A key that
    /// is distrusted by now counts here: the next checkpoint is signed by another, over the same chain.
    fn head(&self, row: &Last) -> Option<Head> {
        let (Some(number), Some(sequence), Some(jws)) = (row.number, row.sequence, &row.jws) else {
            return row.sealed.is_none().then(|| Head::first(row.organization_id));
        };
        let claimed = Claimed::parse(jws)?;
        let (algorithm, key) = self.sealing.keys.ever(&claimed.key)?;
        let Checkpoint { organization_id, number: named, count, .. } = &claimed.checkpoint;
        let here = (*organization_id, *named, *count) == (row.organization_id, number, sequence);
        let last = row.sealed == Some(sequence);
        (here && last && claimed.is_by(algorithm, &key)).then(|| Head::after(&claimed.checkpoint, jws)).flatten()
    }

    /// Says once that a chain can't be continued: somebody has been at it.
    async fn refuse(&mut self, organization: OrganizationId) {
        if !self.broken.insert(organization) {
            return;
        }
        tracing::error!(%organization, "the last checkpoint of this organisation's record is not one of ours; nothing is sealed there");
        let event = Event::new(Kind::AuditChainBroken, organization).failed();
        let recorded = match self.lead.write().await {
            Ok(tx) => tx.commit(event).await,
            Err(error) => Err(error),
        };
        if let Err(error) = recorded {
            self.broken.remove(&organization);
            tracing::warn!(%error, "a broken chain could not be recorded");
        }
    }
}

/// How long sealing may lie behind before somebody is told.
const LATE: TimeDelta = TimeDelta::minutes(10);

/// Since when everything waits for a transaction that does not end.
#[derive(Debug, Default)]
struct Delay {
    since: Option<Timestamp>,
    told: bool,
}

impl Delay {
    /// Whether it has lasted for so long by now that it is to be told: once, until it is over.
    fn is_news(&mut self, settles: Option<Timestamp>, now: Timestamp) -> bool {
        if settles.is_some_and(|settles| settles >= now - LATE) {
            *self = Self::default();
            return false;
        }
        let since = *self.since.get_or_insert(now);
        let late = settles.is_some() || now - since >= LATE;
        let news = late && !self.told;
        self.told |= late;
        news
    }
}

/// Seals, column by column.
#[derive(Default)]
struct Seals {
    organizations: Vec<Uuid>,
    sequences: Vec<i64>,
    entries: Vec<Uuid>,
    hashes: Vec<Vec<u8>>,
}

impl Seals {
    fn add(&mut self, organization: OrganizationId, sequence: i64, entry: Uuid, hash: &Hash) {
        self.organizations.push(organization.into());
        self.sequences.push(sequence);
        self.entries.push(entry);
        self.hashes.push(hash.to_vec());
    }

    async fn write(self, tx: &WriteTx) -> Result<()> {
        let columns = [self.organizations.into(), self.sequences.into(), self.entries.into(), self.hashes.into()];
        tx.execute(SEAL, columns).await.map(drop)
    }
}

/// Checkpoints, column by column.
#[derive(Default)]
struct Closing {
    organizations: Vec<Uuid>,
    numbers: Vec<i64>,
    sequences: Vec<i64>,
    signed: Vec<String>,
}

impl Closing {
    fn add(&mut self, checkpoint: &Checkpoint, jws: String) {
        self.organizations.push(checkpoint.organization_id.into());
        self.numbers.push(checkpoint.number);
        self.sequences.push(checkpoint.count);
        self.signed.push(jws);
    }

    async fn write(self, tx: &WriteTx, at: Timestamp) -> Result<()> {
        let columns = [self.organizations.into(), self.numbers.into(), self.sequences.into(), self.signed.into()];
        tx.execute(CLOSE, columns.into_iter().chain([at.into()])).await.map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Proves AUD-4.
    #[test]
    fn a_transaction_that_does_not_end_is_told_once_until_it_does() {
        let at = |seconds: i64| Timestamp::from_timestamp(1_800_000_000 + seconds, 0).unwrap_or_default();
        let mut delay = Delay::default();
        let mut news = |settles: Option<i64>, now: i64| delay.is_news(settles.map(at), at(now));
        // Nobody knows yet since when something runs; then it is still there.
        assert!(!news(None, 0) && !news(None, 599) && news(None, 600) && !news(None, 605));
        assert!(!news(Some(1000), 1005));
        assert!(!news(Some(1000), 1600) && news(Some(1000), 1601) && !news(Some(1000), 9000));
    }
}
