//! Verification of a file of evidence, with nothing but public keys: no database, no server, no configuration.
//!
//! It reads line by line, so a file may be as large as it likes. Each entry is held against its hash, the chain of
//! hashes against the signed checkpoints, what is personal against its commitments, and all of it, if wanted, against
//! checkpoints that were kept elsewhere. After a fault it goes on from the next checkpoint that is proven.

mod anchors;
mod dropped;
mod keys;
mod report;

use std::io::BufRead;

use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

use self::{anchors::Anchors, dropped::Dropped};
use super::{
    form::{Checkpoint, EVIDENCE_FORMAT, Hash, digest, genesis, hash, link, made, of_head},
    signed::Claimed,
};
use crate::{
    audit::commitment::{commit, hex, salt_of},
    error::{Error, Result},
    runtime::Timestamp,
};
pub use keys::KeyRing;
use keys::Verdict;
pub use report::{Fault, Report};

/// A line of a file of evidence.
#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Line {
    Evidence { format: String, organization_id: Uuid },
    Entry(Sealed),
    Checkpoint { jws: String },
    NeverSealed { id: String },
    End { sequence: i64 },
}

/// An entry with its seal.
#[derive(Deserialize)]
struct Sealed {
    sequence: i64,
    id: Uuid,
    hash: String,
    entry: Option<Value>,
    #[serde(default)]
    personal: PersonalParts,
}

#[derive(Default, Deserialize)]
struct PersonalParts {
    origin: Option<Part>,
    details: Option<Part>,
}

/// What is personal, as it was committed to.
#[derive(Deserialize)]
struct Part {
    salt: Option<String>,
    said: Value,
}

/// Verifies a file of evidence; `kept` are texts with checkpoints that were kept elsewhere.
///
/// # Errors
/// When the file can't be read. What is wrong with what it says is in the report.
pub fn verify(file: impl BufRead, keys: &KeyRing, kept: Option<&str>) -> Result<Report> {
    let mut lines = file.lines();
    let first = lines.next().transpose().map_err(Error::internal)?.unwrap_or_default();
    let Ok(Line::Evidence { format, organization_id }) = serde_json::from_str(&first) else { return Ok(no_evidence()) };
    if format != EVIDENCE_FORMAT {
        return Ok(no_evidence());
    }
    let mut verifier = Verifier::new(organization_id, keys, kept);
    for line in lines {
        verifier.line(&line.map_err(Error::internal)?)?;
    }
    Ok(verifier.finish())
}

fn no_evidence() -> Report {
    let mut report = Report::default();
    report.fault(Fault::NoEvidence);
    report
}

struct Verifier<'a> {
    keys: &'a KeyRing,
    organization: Uuid,
    anchors: Option<Anchors>,
    report: Report,
    dropped: Dropped,
    /// The number of the line that is read.
    line: u64,
    /// The place of the last entry.
    sequence: i64,
    /// The chain up to there; none since an entry was missing.
    chain: Option<Hash>,
    /// The last checkpoint: its number, and its digest.
    last: (i64, Option<String>),
    /// Checkpoints since the last proven one, by keys that are not there.
    pending: u64,
    /// How much had been sealed by the last proven checkpoint.
    complete_before: Option<Timestamp>,
    /// Where the file began: after so many entries.
    began: i64,
    /// Whether anything but the first line was read.
    begun: bool,
    ended: bool,
}

impl<'a> Verifier<'a> {
    fn new(organization: Uuid, keys: &'a KeyRing, kept: Option<&str>) -> Self {
        Self {
            keys,
            organization,
            anchors: kept.map(|text| Anchors::parse(text, organization, keys)),
            report: Report { organization: Some(organization), ..Report::default() },
            dropped: Dropped::default(),
            line: 1,
            sequence: 0,
            chain: Some(genesis(organization)),
            last: (0, None),
            pending: 0,
            complete_before: None,
            began: 0,
            begun: false,
            ended: false,
        }
    }

    fn line(&mut self, text: &str) -> Result<()> {
        self.line += 1;
        let line = if self.ended { None } else { serde_json::from_str(text).ok() };
        match line {
            Some(Line::Entry(sealed)) => self.entry(&sealed)?,
            Some(Line::Checkpoint { jws }) => self.checkpoint(&jws),
            Some(Line::NeverSealed { id }) => self.report.fault(Fault::NeverSealed { id }),
            Some(Line::End { sequence }) => {
                self.ended = true;
                self.skip_to(sequence + 1);
            }
            Some(Line::Evidence { .. }) | None => self.report.fault(Fault::Unreadable { line: self.line }),
        }
        self.begun = true;
        Ok(())
    }

    /// Takes note of what is missing before the entry at a place.
    fn skip_to(&mut self, place: i64) {
        let from = self.sequence.saturating_add(1);
        if place > from {
            self.report.fault(Fault::Missing { from, to: place.saturating_sub(1) });
            (self.sequence, self.chain) = (place.saturating_sub(1), None);
        }
    }

    fn entry(&mut self, sealed: &Sealed) -> Result<()> {
        self.report.entries += 1;
        self.skip_to(sealed.sequence);
        let id = || sealed.id.to_string();
        let sequence = sealed.sequence;
        if sequence <= self.sequence {
            self.chain = None;
            self.report.fault(Fault::OutOfOrder { sequence, id: id() });
            return Ok(());
        }
        self.sequence = sequence;
        let hash = of_head(&sealed.hash);
        self.chain = self.chain.as_ref().zip(hash.as_ref()).map(|(chain, hash)| link(chain, sequence, hash));
        match &sealed.entry {
            None => self.dropped.gone(sequence, sealed.id),
            Some(entry) => self.content(sealed, entry, hash)?,
        }
        if let Some(complete) = self.complete_before
            && made(sealed.id) < complete.timestamp_millis()
        {
            self.report.fault(Fault::Inserted { sequence, id: id(), complete_before: complete });
        }
        self.hold_against_anchor();
        Ok(())
    }

    fn content(&mut self, sealed: &Sealed, entry: &Value, sealed_hash: Option<Hash>) -> Result<()> {
        let (sequence, id) = (sealed.sequence, sealed.id.to_string());
        let text = |name: &str| entry.get(name).and_then(Value::as_str).unwrap_or_default();
        if text("organization_id") != self.organization.to_string() {
            self.report.fault(Fault::Foreign { line: self.line });
        }
        if text("id") != id || sealed_hash != Some(hash(entry)?) {
            self.report.fault(Fault::Altered { sequence, id: id.clone() });
        } else {
            self.dropped.entry(entry);
        }
        let (mut erased, mut uncommitted) = (false, false);
        for (part, said) in [("origin", &sealed.personal.origin), ("details", &sealed.personal.details)] {
            let commitment = entry.get("commitments").and_then(|all| all.get(part)).and_then(Value::as_str);
            let old = entry.get("form").and_then(Value::as_i64) == Some(1);
            match (commitment, said) {
                (None, None) => {}
                (Some(_), None) => erased = true,
                (None, Some(_)) if old => uncommitted = true,
                (commitment, Some(said)) => {
                    let salt = said.salt.as_deref().and_then(salt_of);
                    let is = salt.map(|salt| commit(&salt, &said.said)).transpose()?.map(|bytes| hex(&bytes));
                    if commitment.is_none() || is.as_deref() != commitment {
                        self.report.fault(Fault::PersonalAltered { sequence, id: id.clone(), part });
                    }
                }
            }
        }
        self.report.erased += u64::from(erased);
        self.report.uncommitted += u64::from(uncommitted);
        Ok(())
    }

    fn checkpoint(&mut self, jws: &str) {
        let Some(claimed) = Claimed::parse(jws) else {
            return self.report.fault(Fault::Unreadable { line: self.line });
        };
        let checkpoint = &claimed.checkpoint;
        if Uuid::from(checkpoint.organization_id) != self.organization {
            return self.report.fault(Fault::Foreign { line: self.line });
        }
        let first = !self.begun;
        let follows = (checkpoint.number, &checkpoint.previous) == (self.last.0 + 1, &self.last.1);
        match self.keys.judge(&claimed) {
            Verdict::Forged => {
                self.report.fault(Fault::Forged { checkpoint: checkpoint.number });
            }
            Verdict::UnknownKey => {
                self.pending += 1;
                if !(first || follows) {
                    self.report.fault(Fault::CheckpointOutOfOrder { checkpoint: checkpoint.number });
                }
            }
            Verdict::Proven => self.proven(checkpoint, first, follows),
        }
        self.last = (checkpoint.number, Some(digest(jws)));
    }

    fn proven(&mut self, checkpoint: &Checkpoint, first: bool, follows: bool) {
        let (head, count) = (of_head(&checkpoint.head), checkpoint.count);
        if first {
            (self.began, self.sequence) = (count, count);
        } else {
            if !follows {
                self.report.fault(Fault::CheckpointOutOfOrder { checkpoint: checkpoint.number });
            }
            self.skip_to(count.saturating_add(1));
            let broken = self.chain.is_some() && self.chain != head;
            if broken || self.sequence > count {
                let (from, to) = (self.report.proven_to.max(self.began) + 1, self.sequence.max(count));
                self.report.fault(Fault::ChainBroken { from, to, checkpoint: checkpoint.number });
            }
        }
        // From here on it is known again what was signed.
        (self.sequence, self.chain) = (count, head);
        self.report.proven_to = count;
        self.report.checkpoints += 1;
        self.report.sealed_at = Some(checkpoint.sealed_at);
        self.report.covered += self.pending;
        self.pending = 0;
        self.complete_before = self.complete_before.max(checkpoint.complete_before);
        if first {
            self.hold_against_anchor();
        }
    }

    /// Holds the chain against the checkpoint that was kept of this place, if one was.
    fn hold_against_anchor(&mut self) {
        let kept = self.anchors.as_ref().and_then(|anchors| anchors.at(self.sequence));
        if let Some((kept, chain)) = kept.zip(self.chain) {
            self.report.anchors += 1;
            if of_head(&kept.head) != Some(chain) {
                let (checkpoint, count) = (kept.number, kept.count);
                self.report.fault(Fault::Rewritten { checkpoint, count });
            }
        }
    }

    fn finish(mut self) -> Report {
        if !self.ended {
            self.report.fault(Fault::BrokenOff);
        }
        std::mem::take(&mut self.dropped).tell(&mut self.report);
        let proven = self.report.proven_to;
        if self.sequence > proven {
            self.report.fault(Fault::Unproven { from: proven.max(self.began) + 1, to: self.sequence });
        }
        if let Some(anchors) = &self.anchors {
            let beyond: Vec<_> = anchors.from(proven + 1).map(|kept| (kept.number, kept.count)).collect();
            let none = beyond.is_empty() && self.report.anchors == 0 && self.report.faulty == 0;
            if let Some((checkpoint, count)) = beyond.last().copied() {
                self.report.fault(Fault::TailCut { checkpoint, count, here: proven });
            }
            if none {
                self.report.fault(Fault::NoAnchor);
            }
        }
        self.report
    }
}
