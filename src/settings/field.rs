//! The fields that sections are made of: which values they take, and which of two values is the stricter.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::types::Domain;

/// One field of a section.
#[derive(Debug)]
pub struct Field {
    /// Its name in documents and in the contract.
    pub name: &'static str,
    /// What it is, in a sentence for the contract.
    pub about: &'static str,
    /// What its values are.
    pub kind: Kind,
    /// What the platform's own value is held against.
    pub platform: Bound,
}

/// What the platform's own value is held against. An organisation's is always held against the platform's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// The server's configuration says what holds while nobody has set anything, no more.
    Open,
    /// The server's configuration is the laxest value there may be.
    Configured,
}

/// What the values of a field are. A new kind says here how it is checked, combined and kept usable.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// A whole number.
    Number(Number),
    /// A list of domains, or `null` for any domain.
    Domains,
}

/// A whole number and its bounds.
#[derive(Clone, Copy, Debug)]
pub struct Number {
    /// What it counts.
    pub unit: Unit,
    /// The least that makes sense.
    pub least: u32,
    /// The most that makes sense.
    pub most: u32,
    /// Which of two numbers is the stricter.
    pub stricter: Stricter,
}

/// What a number counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Attempts.
    Attempts,
    /// Characters.
    Characters,
    /// Minutes.
    Minutes,
    /// Days.
    Days,
}

/// Which of two numbers is the stricter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stricter {
    /// The larger.
    Larger,
    /// The smaller.
    Smaller,
}

/// The most domains of a list.
pub const MOST_DOMAINS: usize = 100;

/// Why a value is none of a field: a stable word and a sentence.
pub(super) type Wrong = (&'static str, String);

impl Field {
    /// A field of whole numbers.
    pub const fn number(name: &'static str, about: &'static str, number: Number) -> Self {
        Self { name, about, kind: Kind::Number(number), platform: Bound::Open }
    }

    /// A field of domains.
    pub const fn domains(name: &'static str, about: &'static str) -> Self {
        Self { name, about, kind: Kind::Domains, platform: Bound::Open }
    }

    /// The same field, whose configured value is the laxest that even the platform can set.
    #[must_use]
    pub const fn never_laxer_than_configured(self) -> Self {
        Self { platform: Bound::Configured, ..self }
    }
}

impl Kind {
    /// A client's value in the form that is kept.
    pub(super) fn check(&self, value: &Value) -> Result<Value, Wrong> {
        match self {
            Self::Number(number) => {
                let wrong = || format!("must be a whole number from {} to {}", number.least, number.most);
                let right = read_number(value).filter(|value| (number.least..=number.most).contains(value));
                right.map(Value::from).ok_or_else(|| ("range", wrong()))
            }
            Self::Domains => {
                let list = value.as_array().filter(|list| (1..=MOST_DOMAINS).contains(&list.len()));
                let list = list.ok_or_else(|| ("length", format!("must be a list of 1 to {MOST_DOMAINS} domains")))?;
                let domain = |item: &Value| item.as_str().unwrap_or_default().parse::<Domain>();
                let domains: Result<BTreeSet<_>, _> = list.iter().map(domain).collect();
                domains.map(|domains| json!(domains)).map_err(|detail| ("format", format!("each {detail}")))
            }
        }
    }

    /// The stricter of two values that [`Kind::fit`] let pass: what satisfies both and no more. It does not matter
    /// which comes first.
    pub(super) fn combine(&self, one: &Value, other: &Value) -> Value {
        match self {
            Self::Number(number) => {
                let (one, other) = (read_number(one), read_number(other));
                let pair = one.zip(other).map(|(one, other)| match number.stricter {
                    Stricter::Larger => one.max(other),
                    Stricter::Smaller => one.min(other),
                });
                json!(pair.or(one).or(other))
            }
            Self::Domains => match (read_domains(one), read_domains(other)) {
                (Some(one), Some(other)) => json!(one.intersection(&other).collect::<Vec<_>>()),
                (one, other) => json!(one.or(other)),
            },
        }
    }

    /// A stored value as it can be used: an older release, or another configuration, may have had other bounds.
    /// `None` when it is no value of this kind at all.
    pub(super) fn fit(&self, value: &Value) -> Option<Value> {
        match self {
            Self::Number(number) => read_number(value).map(|value| value.clamp(number.least, number.most).into()),
            Self::Domains => read_domains(value).map(|domains| json!(domains)),
        }
    }

    /// Whether one value asks for less than another, and what to say to whoever set it.
    pub(super) fn laxer(&self, value: &Value, than: &Value) -> Option<String> {
        if self.combine(value, than) == *value {
            return None;
        }
        Some(match self {
            Self::Number(Number { stricter: Stricter::Larger, .. }) => format!("must be at least {than}"),
            Self::Number(Number { stricter: Stricter::Smaller, .. }) => format!("must be at most {than}"),
            Self::Domains => {
                let allowed = read_domains(than).unwrap_or_default();
                let allowed: Vec<_> = allowed.iter().map(Domain::as_str).collect();
                format!("must be among {}", allowed.join(", "))
            }
        })
    }
}

impl Number {
    /// The least and the most that can be set where nothing laxer than `outer` may be.
    pub(super) fn within(&self, outer: Option<&Value>) -> (u32, u32) {
        let outer = outer.and_then(read_number);
        match (outer, self.stricter) {
            (None, _) => (self.least, self.most),
            (Some(outer), Stricter::Larger) => (self.least.max(outer), self.most),
            (Some(outer), Stricter::Smaller) => (self.least, self.most.min(outer)),
        }
    }
}

fn read_number(value: &Value) -> Option<u32> {
    value.as_u64().and_then(|number| u32::try_from(number).ok())
}

/// The domains of a list; `None` is any.
fn read_domains(value: &Value) -> Option<BTreeSet<Domain>> {
    Some(value.as_array()?.iter().filter_map(|item| item.as_str()?.parse().ok()).collect())
}
