//! `policies/severities.csv`: how much each event matters to alerts, and the rules that every organisation has.
//!
//! It is read and checked when the server starts: an event without a line, with two, or that is in no catalogue stands
//! against the start, and so does a rule that says nothing or too much.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use serde::Deserialize;

use super::{Grouping, LONGEST_WINDOW, MOST_COUNT};
use crate::audit::{Kind, Severity};

/// The file as this release has it.
const OWN: &str = include_str!("../../policies/severities.csv");

/// What a rule of the installation waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waits {
    /// Entries of this type.
    Event(Kind),
    /// Answers with this status, on all instances together.
    Status(u16),
}

/// A rule that every organisation has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuiltIn {
    /// Its stable name.
    pub name: String,
    /// A few words for people.
    pub title: String,
    /// What it waits for.
    pub waits: Waits,
    /// How many of them make an alert.
    pub count: i64,
    /// Within how many minutes.
    pub minutes: i64,
    /// What is counted together.
    pub by: Grouping,
    /// How much the alert matters.
    pub severity: Severity,
}

impl BuiltIn {
    /// Whether no organisation can mute it: what is critical for the installation, and what is about alerts themselves,
    /// so that nobody who takes an account over does so unseen.
    pub fn is_unmutable(&self) -> bool {
        let about_alerts = matches!(self.waits, Waits::Event(kind) if is_about_alerts(kind));
        self.severity == Severity::Critical || about_alerts
    }
}

/// Whether an event is about alerts. Rules of an organisation's own don't count those: an alert would raise the next.
pub fn is_about_alerts(kind: Kind) -> bool {
    kind.code().starts_with("alert.") || kind.code().starts_with("alert_rule.")
}

/// The severities and rules in force. Cheap to clone.
#[derive(Clone, Debug)]
pub struct AlertPolicy(Arc<Tables>);

#[derive(Debug)]
struct Tables {
    severities: HashMap<Kind, Severity>,
    rules: Vec<BuiltIn>,
}

/// A line of the file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    line: LineKind,
    name: String,
    severity: Severity,
    of: Option<String>,
    count: Option<i64>,
    minutes: Option<i64>,
    by: Option<Grouping>,
    title: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum LineKind {
    Event,
    Rule,
}

impl AlertPolicy {
    /// Those that this release has.
    ///
    /// # Errors
    /// Never, which a test holds.
    pub fn of_release() -> Result<Self, Vec<String>> {
        Self::parse(OWN)
    }

    /// Reads the file.
    ///
    /// # Errors
    /// Every mistake in it, naming the events and rules.
    pub fn parse(text: &str) -> Result<Self, Vec<String>> {
        let mut faults = Vec::new();
        let (mut severities, mut rules): (HashMap<Kind, Severity>, Vec<BuiltIn>) = Default::default();
        for (at, line) in csv::Reader::from_reader(text.as_bytes()).deserialize::<Line>().enumerate() {
            match line {
                Ok(line) if line.line == LineKind::Event => match event(&line) {
                    Ok(kind) if severities.insert(kind, line.severity).is_none() => {}
                    Ok(kind) => faults.push(format!("severities.csv: the event {} has two lines", kind.code())),
                    Err(fault) => faults.push(fault),
                },
                Ok(line) => match rule(&line) {
                    Ok(rule) if rules.iter().all(|known| known.name != rule.name) => rules.push(rule),
                    Ok(rule) => faults.push(format!("severities.csv: the rule {} has two lines", rule.name)),
                    Err(fault) => faults.push(fault),
                },
                // The header is the first line.
                Err(error) => faults.push(format!("severities.csv: line {}: {error}", at + 2)),
            }
        }
        let missing: BTreeSet<_> =
            Kind::ALL.iter().filter(|kind| !severities.contains_key(kind)).map(|k| k.code()).collect();
        faults.extend(missing.into_iter().map(|code| format!("severities.csv: the event {code} has no line")));
        if faults.is_empty() { Ok(Self(Arc::new(Tables { severities, rules }))) } else { Err(faults) }
    }

    /// How much an event matters to alerts. The record keeps what the catalogue says of it.
    pub fn severity(&self, kind: Kind) -> Severity {
        self.0.severities.get(&kind).copied().unwrap_or_else(|| kind.severity())
    }

    /// The rules that every organisation has, in the file's order.
    pub fn rules(&self) -> &[BuiltIn] {
        &self.0.rules
    }

    /// The rule with this name.
    pub fn rule(&self, name: &str) -> Option<&BuiltIn> {
        self.0.rules.iter().find(|rule| rule.name == name)
    }

    /// The rules that wait for entries of a type.
    pub fn waiting_for(&self, kind: Kind) -> impl Iterator<Item = &BuiltIn> {
        self.0.rules.iter().filter(move |rule| rule.waits == Waits::Event(kind))
    }

    /// The rules that wait for answers, with their statuses.
    pub fn of_answers(&self) -> impl Iterator<Item = (u16, &BuiltIn)> {
        self.0.rules.iter().filter_map(|rule| match rule.waits {
            Waits::Status(status) => Some((status, rule)),
            Waits::Event(_) => None,
        })
    }
}

fn event(line: &Line) -> Result<Kind, String> {
    let name = &line.name;
    let kind = Kind::find(name).ok_or_else(|| format!("severities.csv: {name} is no event"))?;
    if line.of.is_some() || line.count.is_some() || line.minutes.is_some() || line.by.is_some() || line.title.is_some()
    {
        return Err(format!("severities.csv: the event {name} has more than a severity; a rule has a line of its own"));
    }
    Ok(kind)
}

fn rule(line: &Line) -> Result<BuiltIn, String> {
    let name = &line.name;
    let fault = |what: &str| format!("severities.csv: the rule {name} {what}");
    let word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    if name.is_empty() || name.len() > 60 || !name.chars().all(word) {
        return Err(fault("needs a name of lower-case letters, digits and underscores"));
    }
    let of = line.of.as_deref().ok_or_else(|| fault("waits for nothing"))?;
    let waits = match of.strip_prefix("answer.") {
        Some(status) => Waits::Status(
            status
                .parse()
                .ok()
                .filter(|status| (400..600).contains(status))
                .ok_or_else(|| fault("waits for no status"))?,
        ),
        None => Waits::Event(Kind::find(of).ok_or_else(|| fault(&format!("waits for {of}, which is no event")))?),
    };
    let count = line.count.filter(|count| (1..=MOST_COUNT).contains(count));
    let minutes = line.minutes.filter(|minutes| (1..=LONGEST_WINDOW).contains(minutes));
    let by = line.by.ok_or_else(|| fault("does not say by what it counts"))?;
    if matches!(waits, Waits::Status(_)) && by != Grouping::Organization {
        return Err(fault("counts answers, which have nobody: by organization"));
    }
    if waits == Waits::Event(Kind::AlertRaised) {
        return Err(fault("would raise alerts for its own alerts"));
    }
    Ok(BuiltIn {
        name: name.clone(),
        title: line
            .title
            .clone()
            .filter(|title| title.len() <= 100)
            .ok_or_else(|| fault("needs a title of at most 100 bytes"))?,
        waits,
        count: count.ok_or_else(|| fault(&format!("needs a count from 1 to {MOST_COUNT}")))?,
        minutes: minutes.ok_or_else(|| fault(&format!("needs minutes from 1 to {LONGEST_WINDOW}")))?,
        by,
        severity: line.severity,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(text: &str) -> String {
        AlertPolicy::parse(text).unwrap_err().join("\n")
    }

    /// Proves AUD-5.
    #[test]
    fn out_of_the_box_every_event_has_the_severity_of_the_catalogue_and_bursts_alert() {
        let policy = AlertPolicy::of_release().unwrap();
        for kind in Kind::ALL {
            assert_eq!(policy.severity(*kind), kind.severity(), "{}", kind.code());
        }
        let statuses: BTreeSet<_> = policy.of_answers().map(|(status, _)| status).collect();
        assert_eq!(statuses, BTreeSet::from([401, 429, 500]));
        for kind in [Kind::AccountLocked, Kind::AccessRefused, Kind::JobFailed] {
            assert_eq!(policy.waiting_for(kind).count(), 1, "{}", kind.code());
        }
    }

    /// Proves AUD-5.
    #[test]
    fn events_that_are_missing_doubled_or_unknown_are_named() {
        let without: String =
            OWN.lines().filter(|line| !line.starts_with("event,member.added,")).collect::<Vec<_>>().join("\n");
        assert_eq!(faults(&without), "severities.csv: the event member.added has no line");
        assert_eq!(
            faults(&format!("{OWN}event,member.added,low,,,,,\n")),
            "severities.csv: the event member.added has two lines"
        );
        assert_eq!(faults(&format!("{OWN}event,member.eaten,low,,,,,\n")), "severities.csv: member.eaten is no event");
        assert!(faults(&format!("{OWN}event,member.added,grave,,,,,\n")).contains("unknown variant `grave`"));
    }

    /// Proves AUD-5.
    #[test]
    fn a_rule_that_says_nothing_or_too_much_is_named() {
        for (line, fault) in [
            ("rule,x,high,member.eaten,1,1,actor,X", "waits for member.eaten, which is no event"),
            ("rule,x,high,,1,1,actor,X", "waits for nothing"),
            ("rule,x,high,answer.200,1,1,organization,X", "waits for no status"),
            ("rule,x,high,answer.500,1,1,address,X", "counts answers"),
            ("rule,x,high,member.added,0,1,actor,X", "needs a count"),
            ("rule,x,high,member.added,1,52560000,actor,X", "needs minutes from 1 to 1440"),
            ("rule,x,high,member.added,1,1,,X", "does not say by what"),
            ("rule,x,high,member.added,1,1,actor,", "needs a title"),
            ("rule,X-1,high,member.added,1,1,actor,X", "needs a name"),
            ("rule,lockouts,high,member.added,1,1,actor,X", "has two lines"),
            ("rule,x,high,alert.raised,1,1,organization,X", "for its own alerts"),
            ("event,member.added,low,,3,,,", "more than a severity"),
        ] {
            let text = faults(&format!("{OWN}{line}\n"));
            assert!(text.contains(fault), "{line}: {text}");
        }
    }
}
