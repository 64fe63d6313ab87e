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
    /// What an organisation has that has set nothing.
    pub unset: Unset,
}

/// What an organisation has that has set nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unset {
    /// What the platform has.
    Platform,
    /// The stricter of the default and what the platform has: what the platform opens, each organisation opens for
    /// itself.
    Default,
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
    /// Whether something is asked for: yes is the stricter.
    Demand,
    /// One of these words, the laxest first.
    Choice(&'static [&'static str]),
    /// Some of these words, at least one; the fewer, the stricter.
    Words(&'static [&'static str]),
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
    /// Hours.
    Hours,
    /// Days.
    Days,
    /// Points of a scale.
    Points,
    /// Passwords.
    Passwords,
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
        Self { name, about, kind: Kind::Number(number), platform: Bound::Open, unset: Unset::Platform }
    }

    /// A field of domains.
    pub const fn domains(name: &'static str, about: &'static str) -> Self {
        Self { name, about, kind: Kind::Domains, platform: Bound::Open, unset: Unset::Platform }
    }

    /// A field that is one of these words, the laxest first.
    pub const fn choice(name: &'static str, about: &'static str, words: &'static [&'static str]) -> Self {
        Self { name, about, kind: Kind::Choice(words), platform: Bound::Open, unset: Unset::Platform }
    }

    /// A field that is some of these words.
    pub const fn words(name: &'static str, about: &'static str, words: &'static [&'static str]) -> Self {
        Self { name, about, kind: Kind::Words(words), platform: Bound::Open, unset: Unset::Platform }
    }

    /// The same field, which stays at its default in an organisation until that sets it, however lax the platform is.
    #[must_use]
    pub const fn opened_by_each(self) -> Self {
        Self { unset: Unset::Default, ..self }
    }

    /// A field of something that is asked for or not.
    pub const fn demand(name: &'static str, about: &'static str) -> Self {
        Self { name, about, kind: Kind::Demand, platform: Bound::Open, unset: Unset::Platform }
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
            Self::Demand => {
                value.as_bool().map(Value::from).ok_or_else(|| ("format", "must be true or false".to_owned()))
            }
            Self::Choice(words) => {
                let wrong = || ("choice", format!("must be one of {}", words.join(", ")));
                read_choice(words, value).map(|word| json!(word)).ok_or_else(wrong)
            }
            Self::Words(words) => {
                let wrong = || ("choice", format!("must be some of {}", words.join(", ")));
                let list = value.as_array().ok_or_else(wrong)?;
                let known = list.iter().all(|item| read_choice(words, item).is_some());
                let some = read_words(words, value).filter(|_| known).ok_or_else(wrong)?;
                let none_left = || ("none_left", format!("must keep at least one of {}", words.join(", ")));
                if some.is_empty() { Err(none_left()) } else { Ok(json!(some)) }
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
            Self::Demand => {
                let pair = one.as_bool().zip(other.as_bool()).map(|(one, other)| one || other);
                json!(pair.or(one.as_bool()).or(other.as_bool()))
            }
            Self::Choice(words) => {
                let stricter = [one, other].into_iter().filter_map(|value| place(words, value)).max();
                json!(stricter.and_then(|place| words.get(place)))
            }
            Self::Words(words) => match (read_words(words, one), read_words(words, other)) {
                (Some(one), Some(other)) => json!(one.iter().filter(|word| other.contains(word)).collect::<Vec<_>>()),
                (one, other) => json!(one.or(other)),
            },
        }
    }

    /// What holds where both an organisation and the platform have set something. Words that have none in common would
    /// leave nothing: then the platform's hold, which were settled later.
    pub(super) fn in_force(&self, own: &Value, platform: &Value) -> Value {
        let both = self.combine(own, platform);
        let nothing = matches!(self, Self::Words(_)) && both.as_array().is_some_and(Vec::is_empty);
        if nothing { platform.clone() } else { both }
    }

    /// A stored value as it can be used: an older release, or another configuration, may have had other bounds.
    /// `None` when it is no value of this kind at all.
    pub(super) fn fit(&self, value: &Value) -> Option<Value> {
        match self {
            Self::Number(number) => read_number(value).map(|value| value.clamp(number.least, number.most).into()),
            Self::Domains => read_domains(value).map(|domains| json!(domains)),
            Self::Demand => value.as_bool().map(Value::from),
            Self::Choice(words) => read_choice(words, value).map(|word| json!(word)),
            Self::Words(words) => read_words(words, value).filter(|words| !words.is_empty()).map(|words| json!(words)),
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
            Self::Demand => "must stay on".to_owned(),
            Self::Choice(words) => {
                let stricter = words.iter().skip(place(words, than).unwrap_or(0));
                format!("must be one of {}", stricter.copied().collect::<Vec<_>>().join(", "))
            }
            Self::Words(words) => format!("must be among {}", read_words(words, than).unwrap_or_default().join(", ")),
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

/// Which of the words a value is.
fn place(words: &[&str], value: &Value) -> Option<usize> {
    words.iter().position(|word| value.as_str() == Some(word))
}

fn read_choice(words: &[&'static str], value: &Value) -> Option<&'static str> {
    place(words, value).and_then(|place| words.get(place).copied())
}

/// Those of a list that are among the words, in their order; `None` for what is no list.
fn read_words(words: &[&'static str], value: &Value) -> Option<Vec<&'static str>> {
    let list = value.as_array()?;
    Some(words.iter().copied().filter(|word| list.iter().any(|item| item.as_str() == Some(word))).collect())
}

fn read_number(value: &Value) -> Option<u32> {
    value.as_u64().and_then(|number| u32::try_from(number).ok())
}

/// The domains of a list; `None` is any.
fn read_domains(value: &Value) -> Option<BTreeSet<Domain>> {
    Some(value.as_array()?.iter().filter_map(|item| item.as_str()?.parse().ok()).collect())
}
