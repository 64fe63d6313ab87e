//! Entries that are gone while their seals are there: dropped by retention, which says so in the record itself, or deleted.
//!
//! An entry `audit.retention_applied` says how many entries of which class and of which time were dropped. It counts if it
//! is sealed itself, was written when their time was over, and is the only one for that time and class. What is gone
//! beyond that was deleted.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta};
use serde_json::Value;
use uuid::Uuid;

use super::{
    super::form::made,
    report::{Fault, Report},
};
use crate::runtime::Timestamp;

/// The event that says it.
const APPLIED: &str = "audit.retention_applied";

/// How many entries that are gone are told one by one.
const MOST: usize = 1000;

/// When entries were written: from one moment up to another, in milliseconds since 1970.
type Span = (i64, i64);

/// What is gone, and what of it was dropped.
#[derive(Default)]
pub(super) struct Dropped {
    /// How many were dropped, by when they were written and their class.
    announced: BTreeMap<(Span, String), u64>,
    /// Those of one time and class that were announced twice.
    twice: Vec<Span>,
    /// The milliseconds in which entries were written that are gone, with how many.
    gone: BTreeMap<i64, u64>,
    /// Some of them: the place and the id.
    some: Vec<(i64, Uuid)>,
}

impl Dropped {
    /// Takes note of an entry that is gone.
    pub fn gone(&mut self, sequence: i64, id: Uuid) {
        // By the day: a part begins with one, and a file may be of millions of entries.
        *self.gone.entry(day(made(id))).or_default() += 1;
        if self.some.len() < MOST {
            self.some.push((sequence, id));
        }
    }

    /// Takes note of a sealed entry, if it says what was dropped.
    pub fn entry(&mut self, entry: &Value) {
        if entry.get("event").and_then(Value::as_str) != Some(APPLIED) {
            return;
        }
        if let Some((span, class, number)) = announced(entry)
            && self.announced.insert((span, class), number).is_some()
        {
            self.twice.push(span);
        }
    }

    /// Tells what was dropped and what was deleted.
    pub fn tell(self, report: &mut Report) {
        let mut spans: BTreeMap<Span, u64> = BTreeMap::new();
        for ((span, _), number) in &self.announced {
            *spans.entry(*span).or_default() += number;
        }
        let within = |span: &Span, at: i64| span.0 <= at && at < span.1;
        for (span, announced) in &spans {
            let gone: u64 = self.gone.range(span.0..span.1).map(|(_, number)| number).sum();
            report.dropped += gone.min(*announced);
            if gone > *announced || self.twice.contains(span) {
                report.fault(Fault::MoreGone { until: time(span.1), gone, announced: *announced });
            }
        }
        let explained = |at: i64| spans.keys().any(|span| within(span, at));
        let unexplained: u64 = self.gone.iter().filter(|(at, _)| !explained(**at)).map(|(_, number)| number).sum();
        let mut told = 0;
        for (sequence, id) in self.some.iter().filter(|(_, id)| !explained(day(made(*id)))) {
            report.fault(Fault::Deleted { sequence: *sequence, id: id.to_string() });
            told += 1;
        }
        report.untold(unexplained.saturating_sub(told));
    }
}

/// What an entry says that was dropped, if it could be by then.
fn announced(entry: &Value) -> Option<(Span, String, u64)> {
    let metadata = entry.get("metadata")?;
    let text = |object: &Value, name: &str| object.get(name).and_then(Value::as_str).map(str::to_owned);
    let at = |text: String| DateTime::parse_from_rfc3339(&text).ok().map(|at| at.to_utc());
    let class = text(metadata, "class")?;
    let until = at(text(metadata, "until")?)?;
    let since = text(metadata, "since").and_then(at).map_or(i64::MIN, |since| since.timestamp_millis());
    let written = at(text(entry, "occurred_at")?)?;
    let least = TimeDelta::days(if class == "normal" { 365 } else { 2 * 365 });
    (written >= until.checked_add_signed(least)?).then_some(())?;
    Some(((since, until.timestamp_millis()), class, metadata.get("dropped")?.as_u64()?))
}

/// The first millisecond of a day.
fn day(at: i64) -> i64 {
    const DAY: i64 = 24 * 60 * 60 * 1000;
    at.div_euclid(DAY) * DAY
}

fn time(milliseconds: i64) -> Timestamp {
    DateTime::from_timestamp_millis(milliseconds).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn id(day: u32) -> Uuid {
        let at = format!("2023-11-{day:02}T10:00:00Z").parse::<Timestamp>().unwrap_or_default();
        Uuid::from_u128(u128::try_from(at.timestamp_millis()).unwrap_or_default() << 80)
    }

    fn applied(class: &str, dropped: u64, at: &str) -> Value {
        json!({"event": APPLIED, "occurred_at": at, "metadata": {
            "class": class, "since": "2023-11-01T00:00:00Z", "until": "2023-12-01T00:00:00Z", "dropped": dropped}})
    }

    fn told(gone: &[Uuid], entries: &[Value]) -> Report {
        let mut dropped = Dropped::default();
        for (place, id) in (1..).zip(gone) {
            dropped.gone(place, *id);
        }
        entries.iter().for_each(|entry| dropped.entry(entry));
        let mut report = Report::default();
        dropped.tell(&mut report);
        report
    }

    /// Proves AUD-7, AUD-4.
    #[test]
    fn what_is_gone_is_dropped_only_as_far_as_the_record_says_so_in_time() {
        let gone = [id(1), id(2), id(30)];
        let normal = applied("normal", 2, "2024-12-02T03:20:00Z");
        let security = applied("security", 1, "2025-12-02T03:20:00Z");
        let both = told(&gone, &[normal.clone(), security.clone()]);
        assert_eq!((both.faulty, both.dropped), (0, 3));
        // One more than was announced; announced twice; before its time; of another month; not at all.
        assert_eq!(told(&gone, std::slice::from_ref(&normal)).faulty, 1);
        assert_eq!(told(&gone, &[normal.clone(), normal, security]).faulty, 1);
        assert_eq!(told(&gone, &[applied("security", 3, "2024-12-02T03:20:00Z")]).faulty, 3);
        let mut other = applied("security", 3, "2026-12-02T03:20:00Z");
        other["metadata"]["since"] = json!("2023-11-02T00:00:00Z");
        assert_eq!(told(&gone, &[other]).faulty, 1);
        assert_eq!(
            told(&gone, &[]).faults,
            [
                Fault::Deleted { sequence: 1, id: id(1).to_string() },
                Fault::Deleted { sequence: 2, id: id(2).to_string() },
                Fault::Deleted { sequence: 3, id: id(30).to_string() },
            ]
        );
    }
}
