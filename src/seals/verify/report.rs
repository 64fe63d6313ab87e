//! What a verification found.

use std::fmt;

use uuid::Uuid;

use crate::runtime::Timestamp;

/// The most faults that are told one by one.
const MOST: usize = 1000;

/// Something that is not as it was sealed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A line of the file is none of its form.
    Unreadable {
        /// Which, from 1.
        line: u64,
    },
    /// The file does not begin as evidence does.
    NoEvidence,
    /// The file breaks off.
    BrokenOff,
    /// An entry says something else than what was sealed.
    Altered {
        /// Its place.
        sequence: i64,
        /// Its id.
        id: String,
    },
    /// What is personal of an entry is not what the entry is committed to.
    PersonalAltered {
        /// The entry's place.
        sequence: i64,
        /// Its id.
        id: String,
        /// `origin` or `details`.
        part: &'static str,
    },
    /// An entry was sealed and is gone.
    Deleted {
        /// Its place.
        sequence: i64,
        /// Its id.
        id: String,
    },
    /// More entries of a time are gone than the record says were dropped, or it says so twice.
    MoreGone {
        /// They were written before this.
        until: Timestamp,
        /// How many are gone.
        gone: u64,
        /// How many were dropped by what the record says.
        announced: u64,
    },
    /// Entries are gone with their seals.
    Missing {
        /// The first place.
        from: i64,
        /// The last.
        to: i64,
    },
    /// An entry is not in its place.
    OutOfOrder {
        /// Where it says that it is.
        sequence: i64,
        /// Its id.
        id: String,
    },
    /// An entry was put into the record later than it says.
    Inserted {
        /// Its place.
        sequence: i64,
        /// Its id.
        id: String,
        /// Before this, everything was sealed already.
        complete_before: Timestamp,
    },
    /// An entry is in the record that nobody sealed when everything of its time was.
    NeverSealed {
        /// Its id.
        id: String,
    },
    /// Something is of another organisation.
    Foreign {
        /// On which line, from 1.
        line: u64,
    },
    /// What is there between two checkpoints is not what the later one was signed over.
    ChainBroken {
        /// The first place.
        from: i64,
        /// The last.
        to: i64,
        /// The later checkpoint.
        checkpoint: i64,
    },
    /// A checkpoint's signature is not by the key that it names.
    Forged {
        /// Its number.
        checkpoint: i64,
    },
    /// A checkpoint is missing, doubled, or not the one that its successor names.
    CheckpointOutOfOrder {
        /// Its number.
        checkpoint: i64,
    },
    /// No checkpoint that these keys prove covers the last entries.
    Unproven {
        /// The first place.
        from: i64,
        /// The last.
        to: i64,
    },
    /// There was more once.
    TailCut {
        /// The checkpoint that was kept.
        checkpoint: i64,
        /// How many entries there were.
        count: i64,
        /// How many are proven here.
        here: i64,
    },
    /// The chain is another than the one that a kept checkpoint was signed over.
    Rewritten {
        /// The checkpoint that was kept.
        checkpoint: i64,
        /// How many entries it covers.
        count: i64,
    },
    /// None of the kept checkpoints is of this organisation, by one of these keys, and not older than the evidence.
    NoAnchor,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable { line } => write!(f, "line {line} can't be read"),
            Self::NoEvidence => write!(f, "this is not a file of evidence of a form that is known here"),
            Self::BrokenOff => write!(f, "the file breaks off before its end"),
            Self::Altered { sequence, id } => write!(f, "entry {sequence} ({id}) was altered"),
            Self::PersonalAltered { sequence, id, part } => {
                write!(f, "entry {sequence} ({id}): what is personal of it was altered ({part})")
            }
            Self::Deleted { sequence, id } => write!(f, "entry {sequence} ({id}) was deleted"),
            Self::MoreGone { until, gone, announced } => write!(
                f,
                "of the entries before {until}, {gone} are gone, and {announced} were dropped by retention: others were deleted"
            ),
            Self::Missing { from, to } if from == to => write!(f, "entry {from} is missing, with its seal"),
            Self::Missing { from, to } => write!(f, "entries {from} to {to} are missing, with their seals"),
            Self::OutOfOrder { sequence, id } => write!(f, "entry {sequence} ({id}) is not in its place"),
            Self::Inserted { sequence, id, complete_before } => write!(
                f,
                "entry {sequence} ({id}) was inserted: everything written before {complete_before} had been sealed"
            ),
            Self::NeverSealed { id } => {
                write!(f, "entry {id} was inserted: everything of its time had been sealed without it")
            }
            Self::Foreign { line } => write!(f, "line {line} is of another organisation"),
            Self::ChainBroken { from, to, checkpoint } => write!(
                f,
                "entries {from} to {to} are not those that checkpoint {checkpoint} was signed over: entries and seals \
                 were altered, inserted, removed or put into another order"
            ),
            Self::Forged { checkpoint } => write!(f, "checkpoint {checkpoint} is forged: its key did not sign it"),
            Self::CheckpointOutOfOrder { checkpoint } => {
                write!(f, "checkpoint {checkpoint} does not follow the one before it")
            }
            Self::Unproven { from, to } => {
                write!(f, "entries {from} to {to} are under no checkpoint that these keys prove")
            }
            Self::TailCut { checkpoint, count, here } => write!(
                f,
                "the end was cut off: checkpoint {checkpoint}, which was kept, covers {count} entries; {here} are proven here"
            ),
            Self::Rewritten { checkpoint, count } => write!(
                f,
                "the record was rewritten: checkpoint {checkpoint}, which was kept, was signed over other {count} entries"
            ),
            Self::NoAnchor => write!(f, "none of the kept checkpoints can be held against this evidence"),
        }
    }
}

/// What a verification found.
#[derive(Debug, Default)]
pub struct Report {
    /// Whose record it is.
    pub organization: Option<Uuid>,
    /// What is not as it was sealed, up to a thousand.
    pub faults: Vec<Fault>,
    /// How many faults there are.
    pub faulty: u64,
    /// How many entries there are.
    pub entries: u64,
    /// The last entry that a checkpoint proves.
    pub proven_to: i64,
    /// How many checkpoints are proven.
    pub checkpoints: u64,
    /// When the last of them was signed.
    pub sealed_at: Option<Timestamp>,
    /// How many entries are without something personal that they had: it was erased.
    pub erased: u64,
    /// How many entries have personal fields and no commitment to them, because they are older than commitments.
    pub uncommitted: u64,
    /// How many entries were dropped by retention; their seals are there.
    pub dropped: u64,
    /// How many checkpoints these keys don't prove, but a later one does.
    pub covered: u64,
    /// How many kept checkpoints were held against it.
    pub anchors: u64,
}

impl Report {
    pub(super) fn fault(&mut self, fault: Fault) {
        self.faulty += 1;
        if self.faults.len() < MOST {
            self.faults.push(fault);
        }
    }
}

impl Report {
    /// Counts faults that are not told one by one.
    pub(super) fn untold(&mut self, faults: u64) {
        self.faulty += faults;
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for fault in &self.faults {
            writeln!(f, "FAULT  {fault}")?;
        }
        let untold = self.faulty.saturating_sub(u64::try_from(self.faults.len()).unwrap_or(u64::MAX));
        if untold > 0 {
            writeln!(f, "FAULT  and {untold} more")?;
        }
        let whose = self.organization.map_or_else(|| "nobody".to_owned(), |id| id.to_string());
        writeln!(f, "Record of organisation {whose}")?;
        writeln!(f, "  {} entries, proven to the {}th", self.entries, self.proven_to)?;
        write!(f, "  {} checkpoints", self.checkpoints)?;
        match self.sealed_at {
            Some(at) => writeln!(f, ", the last of {}", at.to_rfc3339())?,
            None => writeln!(f)?,
        }
        for (count, what) in [
            (self.erased, "entries whose personal fields were erased since; the entries are whole"),
            (self.dropped, "entries were dropped by retention; their seals are whole"),
            (self.uncommitted, "entries older than commitments: their personal fields are not proven"),
            (self.covered, "checkpoints by a key that is not given, proven by a later one"),
            (self.anchors, "kept checkpoints held against it"),
        ] {
            if count > 0 {
                writeln!(f, "  {count} {what}")?;
            }
        }
        match self.faulty {
            0 => write!(f, "Verified: nothing was altered, inserted, removed or put into another order."),
            faults => write!(f, "NOT verified: {faults} faults."),
        }
    }
}
